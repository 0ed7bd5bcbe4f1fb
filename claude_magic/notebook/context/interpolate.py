"""`{{ expression }}` of a prompt, evaluated in the notebook and rendered for a model."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...messages.blocks import Block, text
from ...messages.errors import ClaudeError, InputError
from ...messages.plain_text import in_a_line
from ...value_classes import frozen
from .describe import describe

if TYPE_CHECKING:
    from .outputs import Prepare

_PARAGRAPH = r"(?:(?!\n[ \t]*\n)[\s\S])"
# Bounded: one that is never closed must not be looked for through a whole long prompt.
_FORMULA = rf"{_PARAGRAPH}{{1,1000}}?"
_LITERAL = (
    # CommonMark fenced code, also in lists and quotations; an unclosed one reaches to the end.
    r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$"
    r"[\s\S]*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
    # CommonMark code spans: closed by as many backticks, within the paragraph.
    rf"|(?<!`)(?P<ticks>`+)(?!`){_PARAGRAPH}*?(?<!`)(?P=ticks)(?!`)"
    rf"|\$\${_FORMULA}\$\$|\\\({_FORMULA}\\\)|\\\[{_FORMULA}\\\]"
    r"|\\begin\{(?P<environment>\w+\*?)\}[\s\S]{0,2000}?\\end\{(?P=environment)\}"
    # As in Pandoc: no space within, no digit after.
    r"|(?<![\\\w$])\$(?=[^\s$])(?P<maths>(?:\\.|[^$\\\n])*?[^\s$\\])\$(?![\d{])"
    r"|\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?(?:\{\{[^{}\n]*\}\})+"
    # The last form has an apostrophe for its quote: f'(x) of a text is no f-string.
    r"|(?<!\w)(?:[fF][rR]?|[rR][fF])(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?![\s(])(?:\\.|[^'\\\n])*'(?![\w(]))"
)
_HOLE = r"\{\{[^{}\n]*\}\}"
_MATHS_SIGN = r"[\\^_=+<>]"


def literal_spans(body: str) -> list[tuple[int, int]]:
    """Start and end of each stretch of `body` whose braces are not for us, in order."""
    spans = []
    position = 0
    literal = re.compile(_LITERAL, re.MULTILINE)
    while found := literal.search(body, position):
        if found["maths"] is not None and not _is_maths(found["maths"]):
            position = found.start() + 1
            continue
        spans.append(found.span())
        position = max(found.end(), found.start() + 1)
    return spans


def _is_maths(content: str) -> bool:
    """Whether the text between two dollars has a sign of maths, or no space: else it is prose."""
    outside = re.sub(_HOLE, "", content)
    return bool(re.search(_MATHS_SIGN, outside)) or not re.search(r"\s", outside)


# "${{ secrets.TOKEN }}" is an expression of another language (workflows of GitHub).
_OPENING = r"(?<![{$])\{\{(?!\{)"
# Only what no dict, no CSS and no template can be: {{ x:.2f }}, {{ n:, }}, {{ share:.1% }}.
_FORMATTED = r"(?P<source>.+?):(?P<form>,?\.\d+[eEfFgG%]|,[df]?)\s*"
_LONGEST = 4_000
_MOST_TRIES = 10
_RAW = "or --raw to send the braces as they stand"


@frozen
class _Hole:
    """`body[start:end]` is to be replaced by the value of `source`; `form` is a format or ''."""

    start: int
    end: int
    source: str
    form: str = ""


def interpolate(
    body: str, evaluate: Callable[[str], object], *, prepare: Prepare | None = None
) -> list[Block]:
    """The prompt `body` as blocks, with each `{{ expression }}` replaced by what it is.

    `evaluate` gives the value of an expression and raises what it raises. Values become text
    within the text around them, tables on lines of their own; figures become image blocks in
    their place. A number may have a format: `{{ mean:.2f }}`, `{{ n:, }}`, `{{ share:.1% }}`.

    Untouched: what is no Python expression, a bare number or tuple, three braces, `${{`, and braces
    in code, maths, LaTeX arguments and f-strings. `{{ "{{" }}` writes two braces.

    Raises InputError if a name is not defined, before anything else is evaluated, or if an
    expression raises.
    """
    holes = list(_holes(body))
    _check_names(holes, evaluate)
    blocks: list[Block] = []
    written, position = "", 0
    for hole in holes:
        written += body[position : hole.start]
        position = hole.end
        verbatim, shown = _rendered(hole, evaluate, prepare)
        for block in shown:
            if block.get("type") != "text":
                blocks += [text(written), block] if written else [block]
                written = ""
            elif verbatim:
                written += str(block["text"])
            else:
                written += _placed(str(block["text"]), written, body[position : position + 1])
    written += body[position:]
    return [*blocks, text(written)] if written else blocks


def _holes(body: str) -> Iterator[_Hole]:
    spans = iter(literal_spans(body) if "{{" in body else ())
    start, end = next(spans, (len(body), len(body)))
    position = 0
    braces = re.compile(_OPENING)
    while opening := braces.search(body, position):
        at = opening.start()
        while end <= at < len(body):
            start, end = next(spans, (len(body), len(body)))
        hole = None if start <= at else _hole_at(body, at)
        if hole:
            yield hole
        position = hole.end if hole else opening.end()


def _hole_at(body: str, start: int) -> _Hole | None:
    """The hole that opens at `start`, up to the first `}}` that completes an expression."""
    end = start + 2
    for _ in range(_MOST_TRIES):
        end = body.find("}}", end, start + _LONGEST)
        if end < 0:
            return None
        source = body[start + 2 : end].strip()
        if _is_expression(source):
            return _Hole(start, end + 2, source)
        formatted = re.fullmatch(_FORMATTED, source, re.DOTALL)
        if formatted and _is_expression(formatted["source"].strip()):
            return _Hole(start, end + 2, formatted["source"].strip(), formatted["form"])
        if not _may_go_on(source):
            return None
        end += 1
    return None


def _may_go_on(source: str) -> bool:
    """Whether the `}}` after `source` may stand within a string or a bracket that is open."""
    opened = sum(map(source.count, "([{")) - sum(map(source.count, ")]}"))
    return opened > 0 or source.count("'") % 2 == 1 or source.count('"') % 2 == 1


def _is_expression(source: str) -> bool:
    """Whether `source` is an expression worth evaluating: a bare `0` or `...` is C or prose."""
    if not source or source.startswith("#"):
        return False
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    try:
        return isinstance(ast.literal_eval(tree), str)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return True


def _check_names(holes: list[_Hole], evaluate: Callable[[str], object]) -> None:
    """Looking a name up has no effect, so all are looked up before any expression runs."""
    checked = set[str]()
    for hole in holes:
        for name in _names(hole.source):
            if name in checked:
                continue
            checked.add(name)
            try:
                evaluate(name)
            except NameError as error:
                raise InputError(
                    f"{_shown(hole)}: the name {name} is not defined; run the cell that "
                    f"defines it, {_RAW}"
                ) from error
            except Exception:  # noqa: S112 - it is defined; the expression itself will raise
                continue


def _names(source: str) -> list[str]:
    """The names that an expression takes from the notebook, not those it binds itself."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import symtable

            table = symtable.symtable(source, "<prompt>", "eval")
    except (SyntaxError, ValueError, RecursionError):
        return []
    tables, names, bound = [table], dict[str, None](), set[str]()
    while tables:
        current = tables.pop()
        tables += current.get_children()
        for symbol in current.get_symbols():
            if symbol.is_assigned() and (current is table or symbol.is_global()):
                bound.add(symbol.get_name())
            elif symbol.is_referenced() and (current is table or symbol.is_global()):
                names[symbol.get_name()] = None
    return [name for name in names if name not in bound]


def _rendered(
    hole: _Hole, evaluate: Callable[[str], object], prepare: Prepare | None
) -> tuple[bool, list[Block]]:
    """The blocks of a hole's value, and whether their text goes into the line as it is."""
    try:
        value = evaluate(hole.source)
        if hole.form:
            return True, [text(format(value, hole.form))]
        name = hole.source if len(hole.source) <= 60 and "\n" not in hole.source else None
        return isinstance(value, str), describe(value, name, prepare=prepare)
    except ClaudeError:
        raise
    except Exception as error:  # the user's expression may raise anything
        raise InputError(f"{_shown(hole)}: {in_a_line(error)}; correct it, {_RAW}") from error


def _placed(shown: str, before: str, after: str) -> str:
    """What has several lines on lines of its own; anything else in the line that names it."""
    if "\n" not in shown:
        return shown
    lead = "" if not before or before.endswith("\n") else "\n"
    return lead + shown + ("" if after in ("", "\n") else "\n")


def _shown(hole: _Hole) -> str:
    source = " ".join(hole.source.split())
    return f"{{{{ {source if len(source) <= 60 else source[:59] + '…'} }}}}"
