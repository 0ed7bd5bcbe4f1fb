"""The line of `%claude` and `%%claude`: its options, its help, its completion.

Loaded with the extension, so it imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..messages.errors import InputError
from .option_completion import complete
from .option_table import BY_SPELLING, OPTIONS, Option
from .option_words import (
    is_option,
    list_word,
    plain_word,
    skip_spaces,
    split_list,
    text_word,
    unquote,
)

if TYPE_CHECKING:
    from ..tools.approval import Asked
    from ..tools.tool import Approve

__all__ = ["OPTIONS", "Option", "RequestOptions", "complete", "parse", "usage_text"]

_CELLS = re.compile(r"auto|none|above|last(:[1-9][0-9]*)?|[0-9]+(-[0-9]+)?|#[\w-]+")


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What a `%%claude` line says. None means not given; a flag that is given is True.

    `image`, `context`, `file`, `tools` and `stop` hold their items in the order typed; `dry_run` is
    "show", "curl", "python" or "count"; `prompt` is the rest of the line, verbatim. From Python
    `tools` may hold the functions themselves, `approve` be one, and `json` be the type itself.
    """

    prompt: str = ""
    model: str | None = None
    system: str | None = None
    image: tuple[str, ...] | None = None
    context: tuple[str, ...] | None = None
    file: tuple[str, ...] | None = None
    cite: bool | None = None
    tools: tuple[object, ...] | None = None
    approve: Approve | Asked | None = None
    steps: int | None = None
    app: str | None = None
    json: object = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    prefill: str | None = None
    effort: str | None = None
    think: str | None = None
    out: str | None = None
    code: bool | None = None
    quiet: bool | None = None
    dry_run: str | None = None
    fresh: bool | None = None
    alone: bool | None = None
    hires: bool | None = None
    raw: bool | None = None
    reply: str | None = None


T = TypeVar("T", bound=RequestOptions)


@overload
def parse(line: str) -> RequestOptions: ...


@overload
def parse(line: str, made: type[T], known: Mapping[str, Option]) -> T: ...


def parse(
    line: str,
    made: type[RequestOptions] = RequestOptions,
    known: Mapping[str, Option] = BY_SPELLING,
) -> RequestOptions:
    """The options that `line` starts with, and the prompt after them, verbatim.

    `known` are the options of the magic, `made` what holds them.

    Raises InputError if an option is unknown, lacks its value, has one that cannot be, or is
    given twice although it counts once.
    """
    given: dict[str, Any] = {}
    position = skip_spaces(line, 0)
    while is_option(word := plain_word(line, position).raw):
        if word == "--":
            return made(prompt=line[skip_spaces(line, position + 2) :], **given)
        position = skip_spaces(line, _read_option(line, position, given, known))
    rest = line[position:]
    is_comment = rest.startswith("#") and (len(rest) == 1 or rest[1].isspace())
    return made(prompt="" if is_comment else rest, **given)


def usage_text() -> str:
    """The help of the options for a docstring: one aligned line each, then examples."""
    rows = [(_synopsis(option), option.help, option.example) for option in OPTIONS]
    width = max(len(synopsis) for synopsis, _, _ in rows)
    lines = ["%claude [options] prompt", "%%claude [options] [prompt]", "", "Options:"]
    for option, (synopsis, text, example) in zip(OPTIONS, rows, strict=True):
        choices = f" ({', '.join(option.choices)})" if option.choices else ""
        lines.append(f"  {synopsis:{width}}  {text}{choices}")
        if option.metavar:
            lines.append(f"  {'':{width}}  {example}")
    lines += [
        f"  {'--':{width}}  end of the options: what follows is the prompt",
        "",
        "Lists are given by commas or by repeating the option. Values with spaces are quoted.",
        "A # comment may follow the options.",
        "",
        "Examples:",
        "  %claude What's the Latin name of the ant?",
        "  %%claude -m opus -i fig,last --think show",
        '  %%claude -i plots["a b"] -c none -o answer  # without the cells above',
        "  %%claude --json list[Finding] -o findings  # a table, bound as objects",
        "  %%claude --dry-run=curl -f notes.txt Summarise these notes",
    ]
    return "\n".join(lines)


def _read_option(line: str, start: int, given: dict[str, Any], known: Mapping[str, Option]) -> int:
    """The position after the option at `start` and its value, which is added to `given`."""
    name, equals, _ = plain_word(line, start).raw.partition("=")
    option = known.get(name)
    if option is None:
        raise _unknown(name, known)
    if option.field in given and not option.repeatable:
        raise InputError(f"{name} is given twice; it counts once, so drop one of them")
    end = start + len(name)
    value: Any = True
    if equals or (option.metavar and not option.attached):
        if not option.metavar:
            raise InputError(f"{name} takes no value; write just {name}")
        raw, end = _read_value(option, name, line, end)
        value = _checked(option, name, raw)
    elif option.attached:
        value = "show"
    given[option.field] = (*given.get(option.field, ()), *value) if option.repeatable else value
    return end


def _read_value(option: Option, name: str, line: str, end: int) -> tuple[str, int]:
    """The value of an option whose name ends at `end`, as typed, and where it ends."""
    attached = line[end : end + 1] == "="
    start = end + 1 if attached else skip_spaces(line, end)
    if start == len(line) or line[start].isspace():
        raise _missing(option, name)
    if not attached and is_option(plain_word(line, start).raw):
        raise _missing(option, name)
    nested = option.splits or option.expression
    word = list_word(line, start) if nested else text_word(line, start)
    if word.open:
        raise InputError(
            f"{name}: {word.open} is not closed in {_shown(word.raw)}; "
            f"put a value with quotes or brackets of its own in double quotes"
        )
    if word.end < len(line) and not line[word.end].isspace():
        raise InputError(f"{name}: a space is missing after {_shown(word.raw)}; put one there")
    return word.raw, word.end


def _checked(option: Option, name: str, raw: str) -> Any:
    """The value of an option from what was typed. Raises InputError if it cannot be."""
    if option.splits:
        return tuple(_item(option, name, item) for item in split_list(raw))
    value = unquote(raw)
    if not value.strip() and not option.may_be_empty:
        raise _missing(option, name)
    if option.integer:
        return _integer(option, name, value)
    if option.choices and value not in option.choices:
        near = _nearest(value, option.choices)
        hint = f"did you mean {near}?" if near else f"choose one of {', '.join(option.choices)}"
        raise InputError(f"{name} {_shown(value)}: no such value; {hint}")
    if option.field == "out":
        return _identifier(option, name, value)
    return (value,) if option.repeatable else value


def _item(option: Option, name: str, raw: str) -> str:
    value = unquote(raw)
    if not value.strip():
        raise InputError(
            f"{name}: an item of the list is empty; write the list without spaces, "
            f"for example {option.example}"
        )
    if option.field == "context" and not _CELLS.fullmatch(value):
        near = _nearest(value, option.words)
        hint = f"did you mean {near}?" if near else f"use {', '.join(option.words)}, #tag, or 3-5"
        raise InputError(f"{name} {_shown(value)}: no such cells; {hint}")
    return value


def _integer(option: Option, name: str, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(
            f"{name} {_shown(value)}: not a whole number from 1 on; for example {option.example}"
        )
    return number


def _identifier(option: Option, name: str, value: str) -> str:
    """`value` as Python itself would store the name (PEP 3131: NFKC)."""
    from keyword import iskeyword
    from unicodedata import normalize

    if not value.isidentifier() or iskeyword(value):
        raise InputError(
            f"{name} {_shown(value)}: not a variable name; for example {option.example}"
        )
    return normalize("NFKC", value)


def _missing(option: Option, name: str) -> InputError:
    return InputError(f"{name} needs a value; for example {option.example}")


def _unknown(name: str, known: Mapping[str, Option]) -> InputError:
    spelling = next((s for s in known if len(s) == 2 and name.startswith(s)), None)
    if near := _nearest(name, tuple(known)):
        hint = f"did you mean {near}?"
    elif spelling and not name.startswith("--"):
        hint = f"did you mean {spelling} {_shown(name[2:])}?"
    else:
        hint = "put -- before a prompt that starts with a dash"
    return InputError(f"{_shown(name)}: no such option; {hint}")


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # only on the way to an error

    return next(iter(get_close_matches(word[:40].lower(), known, n=1, cutoff=0.6)), None)


def _shown(word: str) -> str:
    return word if len(word) <= 40 else word[:39] + "…"


def _synopsis(option: Option) -> str:
    name = ", ".join(option.spellings) if option.short else f"    {option.name}"
    if option.attached:
        return f"{name}[={option.metavar}]"
    return f"{name} {option.metavar}" if option.metavar else name
