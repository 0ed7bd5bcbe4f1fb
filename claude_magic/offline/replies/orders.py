"""Which tools a question asks for, in which steps, and with which values: read from its words."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_FENCE = re.compile(r"```[^\n`]*\n(?P<code>.*?)\n?[ \t]*```", re.DOTALL)
_MARKED = re.compile(r"`([^`\n]+)`")
_THEN = re.compile(r"\bthen\b", re.IGNORECASE)
# A value that was taken out of the question, so that nothing is found within it.
_TAKEN = re.compile("\0(?P<number>\\d+)\0")
_MOST_ARGUMENTS = 2_000
_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]\0]+")
# A server's own tools are also asked for in plain words.
_PLAIN_WORDS = {
    "web_search": re.compile(r"\bsearch\b", re.IGNORECASE),
    "web_fetch": re.compile(r"\bfetch\b", re.IGNORECASE),
    "code_execution": re.compile(r"\b(?:run|execute)\b[^.\0]*\bcode\b", re.IGNORECASE),
}


@dataclass(frozen=True)
class ToolOrder:
    """One call that a question asks for.

    `values` and `named` are the arguments of a call that is written out, `name(1, key=2)`.
    `marks` are the texts in backticks that stand around the name, `codes` the fenced blocks,
    `words` what else is said.
    """

    tool: str
    values: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    words: str = ""

    @property
    def addresses(self) -> list[str]:
        """The web addresses in it, those in backticks and arguments first."""
        said = [*map(str, (*self.values, *self.named.values())), *self.marks, self.words]
        return [found.rstrip(".,;:!?") for text in said for found in _ADDRESS.findall(text)]


@dataclass(frozen=True)
class _Written:
    """A call as it is written in the question."""

    tool: str
    values: tuple[Any, ...]
    named: Mapping[str, Any]


@dataclass(frozen=True)
class _Fenced:
    code: str


_Taken = _Written | _Fenced | str


def orders(question: str, tools: Sequence[str]) -> list[list[ToolOrder]]:
    """The calls of these tools that the question asks for, step by step: "then" begins a new one.

    What a part of the question says that names no tool belongs to the step before it.
    """
    taken: list[_Taken] = []
    sketch = _without_values(question, tools, taken)
    steps: list[tuple[str, list[_Written | str]]] = []
    early = ""
    for part in _THEN.split(sketch):
        wanted = list(_wanted(part, tools, taken))
        if wanted:
            steps.append((early + part, wanted))
            early = ""
        elif steps:
            steps[-1] = (f"{steps[-1][0]} {part}", steps[-1][1])
        else:
            early += part + " "
    return [[_order(call, part, taken) for call in wanted] for part, wanted in steps]


def _without_values(question: str, tools: Sequence[str], taken: list[_Taken]) -> str:
    """The question with fenced code, calls and marked texts replaced; they are added to `taken`."""

    def put(value: _Taken) -> str:
        taken.append(value)
        return f"\0{len(taken) - 1}\0"

    def mark(found: re.Match[str]) -> str:
        inside = found[1]
        bare = inside in tools or _TAKEN.fullmatch(inside)
        return inside if bare else put(_restored(inside, taken))

    sketch = question.replace("\0", " ")
    sketch = _FENCE.sub(lambda found: put(_Fenced(found["code"])), sketch)
    for tool in tools:
        sketch = _without_calls(sketch, tool, put)
    return _MARKED.sub(mark, sketch)


def _without_calls(sketch: str, tool: str, put: Any) -> str:
    pieces, position = [], 0
    for found in re.finditer(rf"(?<![\w.]){re.escape(tool)}\(", sketch):
        if found.start() < position:
            continue
        written = _written(sketch[found.start() : found.start() + _MOST_ARGUMENTS], tool)
        if written is not None:
            call, length = written
            pieces += [sketch[position : found.start()], put(call)]
            position = found.start() + length
    return "".join([*pieces, sketch[position:]])


def _written(text: str, tool: str) -> tuple[_Written, int] | None:
    """The call that `text` begins with, and its length; None if it is no call in Python's form."""
    for end in re.finditer(r"\)", text):
        try:
            # The name itself need not be one in Python: tools' names may hold a dash.
            call = ast.parse("f" + text[len(tool) : end.end()], mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(call, ast.Call):
            named = {part.arg: _value(part.value) for part in call.keywords if part.arg}
            return _Written(tool, tuple(map(_value, call.args)), named), end.end()
    return None


def _value(node: ast.expr) -> Any:
    """A literal's value; of anything else, such as a bare word, the text."""
    return literal(ast.unparse(node))


def literal(text: str) -> Any:
    """The value that a text writes in JSON or Python, as far as JSON has it; else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
            json.dumps(value, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        return value
    return text


def _wanted(part: str, tools: Sequence[str], taken: Sequence[_Taken]) -> Iterator[_Written | str]:
    """The calls in a part of the question, in their order: written out, or only named."""
    found: list[tuple[int, _Written | str]] = []
    for place in _TAKEN.finditer(part):
        value = taken[int(place["number"])]
        if isinstance(value, _Written):
            found.append((place.start(), value))
    written = {value.tool for _, value in found if isinstance(value, _Written)}
    for tool in tools:
        place_named = _named(tool, part)
        if place_named is not None and tool not in written:
            found.append((place_named, tool))
    return (value for _, value in sorted(found, key=lambda pair: pair[0]))


def _named(tool: str, part: str) -> int | None:
    """Where a part of the question names this tool, if it does."""
    found = re.search(rf"(?<!\w){re.escape(tool)}(?!\w)", part)
    if found is None and tool in _PLAIN_WORDS:
        found = _PLAIN_WORDS[tool].search(part)
    return found.start() if found else None


def _order(call: _Written | str, part: str, taken: Sequence[_Taken]) -> ToolOrder:
    if isinstance(call, _Written):
        return ToolOrder(call.tool, call.values, call.named)
    values = [taken[int(found["number"])] for found in _TAKEN.finditer(part)]
    return ToolOrder(
        call,
        marks=tuple(value for value in values if isinstance(value, str)),
        codes=tuple(value.code for value in values if isinstance(value, _Fenced)),
        words=" ".join(_TAKEN.sub(" ", part).split()),
    )


def _restored(text: str, taken: Sequence[_Taken]) -> str:
    """A marked text with the calls in it as they can be written again."""

    def again(found: re.Match[str]) -> str:
        value = taken[int(found["number"])]
        if isinstance(value, _Written):
            said = [*map(repr, value.values), *(f"{k}={v!r}" for k, v in value.named.items())]
            return f"{value.tool}({', '.join(said)})"
        return value.code if isinstance(value, _Fenced) else value

    return _TAKEN.sub(again, text)
