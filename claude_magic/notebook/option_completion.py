"""Tab completion on the lines of our magics: options, models, names, paths.

Loaded with the extension: the options themselves are imported when something is completed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..value_classes import frozen

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .notebook import Notebook
    from .options import Magic, Option

# Compiled when first used, as `re` keeps them: loading the extension waits for none of these.
_MAGIC = r"\s*%{1,2}\w+(?=\s|$)"
_INNER_NAME = r"[\[|,]\s*([^\W\d]?\w*)$"
_NEEDS_QUOTES = r"[\s,]"


@frozen
class _AtCursor:
    """What is typed of the word at the cursor, and everything that could stand there."""

    typed: str = ""
    candidates: tuple[str, ...] = ()
    quoted: bool = True
    """Whether a candidate with spaces needs no quotes of its own."""


def complete(
    text_until_cursor: str,
    word: str,
    *,
    models: Iterable[str],
    variables: Iterable[str],
    files: Iterable[str],
    tools: Iterable[str] = (),
    shapes: Iterable[str] = (),
    magic: Magic = "claude",
) -> list[str]:
    """What can stand in place of `word`, which ends at the cursor; empty inside a prompt.

    `text_until_cursor` is the line up to the cursor, with or without the magic's name.
    """
    from .options import by_spelling

    name = re.match(_MAGIC, text_until_cursor)
    line = text_until_cursor[name.end() :] if name else text_until_cursor
    names = {"model": models, "variable": variables, "path": files, "tool": tools, "shape": shapes}
    found = _at_cursor(line, names, by_spelling(magic))
    matches = dict.fromkeys(c for c in found.candidates if c.startswith(found.typed))
    return [_replacement(match, found, word) for match in matches]


def _replacement(match: str, found: _AtCursor, word: str) -> str:
    """`match` for `word`: a front end's word may be more or less than what is typed of it."""
    if word.endswith(found.typed):
        bare = not found.quoted and re.search(_NEEDS_QUOTES, match)
        return word.removesuffix(found.typed) + (f'"{match}"' if bare else match)
    return match.removeprefix(found.typed.removesuffix(word))


def _at_cursor(
    line: str, names: Mapping[str, Iterable[str]], known: Mapping[str, Option]
) -> _AtCursor:
    from .option_line import is_option, plain_word, skip_spaces, word_reader

    position, given = skip_spaces(line, 0), set[str]()
    while position < len(line):
        word = plain_word(line, position).raw
        name, equals, _ = word.partition("=")
        if not is_option(word) and word != "-":
            return _AtCursor()
        if position + len(word) == len(line) and not equals:
            break
        option = known.get(name)
        if option is None:
            return _AtCursor()
        given.add(option.field)
        end = position + len(name)
        if equals or (option.metavar and not option.attached):
            start = end + 1 if equals else skip_spaces(line, end)
            end = word_reader(option)(line, start).end
            if end == len(line):
                return _value_at_cursor(option, line[start:], names)
        position = skip_spaces(line, end)
    spellings = [s for s, o in known.items() if o.repeatable or o.field not in given]
    return _AtCursor(line[position:], tuple(spellings))


def _value_at_cursor(option: Option, raw: str, names: Mapping[str, Iterable[str]]) -> _AtCursor:
    from .option_line import split_list

    typed = split_list(raw)[-1] if option.reads in ("list", "cells") else raw
    quote = typed[:1] if typed[:1] in ("'", '"') else ""
    inner = re.search(_INNER_NAME, typed) if option.reads == "expression" else None
    if inner:  # the names within list[...]
        return _AtCursor(inner[1], tuple(names["shape"]))
    known = [*option.choices, *option.words]
    for source in option.sources:
        known += names[source]
    return _AtCursor(typed.removeprefix(quote), tuple(known), quoted=bool(quote))


_CAPTION = "%claude_caption"
_COMMANDS = ("%claude", "%%claude", _CAPTION)
_MOST_FILES = 200


def attach(shell: InteractiveShell) -> None:
    """Complete the magics' lines in `shell`."""
    hooks: Any = shell

    def completed(_: Any, event: Any) -> list[str]:
        from .context.named_values import shapes
        from .tools.toolboxes import NAMES, offered

        hidden = shell.user_ns_hidden
        is_caption = event.line.lstrip().startswith(_CAPTION)
        own = {n: v for n, v in shell.user_ns.items() if n not in hidden}
        return complete(
            event.text_until_cursor,
            event.symbol,
            models=_models(shell),
            variables=[n for n in own if not n.startswith("_")],
            files=_files(event.symbol),
            tools=offered(own, [*NAMES]),
            shapes=shapes(own),
            magic="claude_caption" if is_caption else "claude",
        )

    for command in _COMMANDS:
        hooks.set_hook("complete_command", completed, str_key=command)


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    completers: Any = shell.strdispatchers.get("complete_command")
    for command in _COMMANDS:
        if completers is not None:
            completers.strs.pop(command, None)


def _models(shell: InteractiveShell) -> list[str]:
    """Aliases and ids: of the server in use as far as they are known, and the user's own."""
    from ..messages.catalogue import BUILT_IN
    from ..messages.errors import InputError

    magics: Any = shell.magics_manager.registry.get("ClaudeMagics")
    notebook: Notebook | None = magics.made_notebook if magics else None
    try:
        return (notebook.session.catalogue if notebook else BUILT_IN).names()
    except InputError:  # a setting that does not fit, which the next question will say
        return BUILT_IN.names()


def _files(typed: str) -> list[str]:
    """Paths that begin with the last word typed; folders end in a slash."""
    from glob import escape, iglob
    from itertools import islice
    from pathlib import Path

    word = typed.rpartition(",")[2].rpartition("=")[2].lstrip("\"'")
    found = islice(iglob(f"{escape(word)}*"), _MOST_FILES)  # noqa: PTH207 - keeps "./" as typed
    return sorted(f"{path}/" if Path(path).is_dir() else path for path in found)
