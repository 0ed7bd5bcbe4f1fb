"""What a request says and which tools it asks for, read as far as a program without a model can."""

from __future__ import annotations

import ast
import binascii
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, cast

from ...messages.blocks import Block, joined_text
from ...messages.request import labels
from ...value_classes import frozen
from ..referee.model_rules import check_schema
from ..referee.request_checks import CheckedRequest, PlacedBlock, Refusal, RequestTurn
from ..referee.request_shape import SERVER_BLOCKS

# `<cell-1f2e3d4c name="value">` on a line of its own, down to the closing tag with the same digits.
_WRAPPED = re.compile(
    r"^<(?P<name>[a-z_]+)(?P<nonce>(?:-[0-9a-f]{8})?)(?: [^\n]*)?>\n.*?^</(?P=name)(?P=nonce)>$",
    re.DOTALL | re.MULTILINE,
)
# Who does not know that this server has output_config asks in words: "... the JSON schema below".
_SCHEMA_ASKED_FOR = re.compile(r"\bJSON schema\b[^{}]*(?P<schema>\{.*\})\s*\Z", re.DOTALL | re.I)
_OPENING_ASKED_FOR = re.compile(
    r"Begin your answer with exactly .*?«(?P<opening>.*)»\s*", re.DOTALL
)


@frozen
class Result:
    """What one tool returned."""

    tool: str
    text: str
    images: tuple[Block, ...]
    is_error: bool


@frozen
class Reading:
    """One request, read. The blocks are those of the newest question, not of the history.

    `documents` and `search_results`, those that a tool returned too, have their numbers in the
    whole request. `opening` is what the answer must begin with: a prefill, or asked for in words,
    which is `repeated` in the answer. `data` counts the wrapped pieces ("cell": 4) by name.
    `schema` is the JSON schema that the answer must fit, by a parameter or in words.
    """

    question: str
    turn: int
    opening: str
    repeated: bool
    data: Mapping[str, int]
    characters: int
    images: tuple[Block, ...]
    documents: tuple[tuple[int, Block], ...]
    search_results: tuple[tuple[int, Block], ...]
    results: tuple[Result, ...]
    schema: Mapping[str, Any] | None

    @property
    def choices(self) -> Sequence[str]:
        """The labels of "(A) one thing, (B) another", if there are two or more."""
        return labels(self.question)


def read(asked: CheckedRequest) -> Reading:
    """What the request asks, and with what."""
    users = [turn for turn in asked.turns if turn.role == "user"]
    questions = [turn for turn in users if not turn.of("tool_result")] or users[:1]
    texts = [str(placed.block["text"]) for placed in questions[-1].of("text")]
    opening, repeated = _prefill(asked), False
    in_words = _OPENING_ASKED_FOR.fullmatch(texts[-1]) if len(texts) > 1 else None
    if in_words:
        opening, repeated = in_words["opening"], True
        texts.pop()
    schema = asked.schema
    if schema is None and texts and (schema := _schema_in_words(texts[-1])) is not None:
        texts.pop()
    elif schema is None and texts and "JSON" in texts[-1]:  # the same, once more
        schema = _asked_for_before(questions[:-1])
    newest = users[-1]
    return Reading(
        question=_question(texts),
        turn=len(questions),
        opening=opening,
        repeated=repeated,
        data=Counter(m["name"] for text in texts for m in _WRAPPED.finditer(text)),
        characters=sum(map(len, texts)),
        images=tuple(placed.block for placed in newest.of("image")),
        documents=_numbered(asked, newest, "document"),
        search_results=_numbered(asked, newest, "search_result"),
        results=_results(newest, asked.turns),
        schema=schema,
    )


def _schema_in_words(said: str) -> Mapping[str, Any] | None:
    """The JSON schema that a text ends with, where it asks for an answer that fits it."""
    found = _SCHEMA_ASKED_FOR.search(said)
    try:
        schema = json.loads(found["schema"]) if found else None
        if not schema:
            return None
        check_schema(schema, "schema")
    except (ValueError, Refusal):
        return None
    return cast("Mapping[str, Any] | None", schema)


def _asked_for_before(questions: Sequence[RequestTurn]) -> Mapping[str, Any] | None:
    for turn in reversed(questions):
        for placed in turn.of("text"):
            schema = _schema_in_words(str(placed.block["text"]))
            if schema is not None:
                return schema
    return None


def _numbered(
    asked: CheckedRequest, newest: RequestTurn, kind: str
) -> tuple[tuple[int, Block], ...]:
    """The blocks of a kind in the newest turn, each with its number among those of the request."""
    every = [placed for placed in asked.every_block() if placed.block["type"] == kind]
    roots = tuple(f"{placed.path}." for placed in newest.blocks)
    return tuple((n, p.block) for n, p in enumerate(every) if f"{p.path}.".startswith(roots))


def _prefill(asked: CheckedRequest) -> str:
    last = asked.turns[-1]
    if last.role != "assistant" or paused(last):
        return ""
    return joined_text(placed.block for placed in last.blocks)


def paused(turn: RequestTurn) -> bool:
    """Whether a reply was paused between the calls of the server's tools, and is to go on."""
    return bool(turn.blocks) and turn.blocks[-1].block["type"] in SERVER_BLOCKS


def _question(texts: Sequence[str]) -> str:
    """The last text that is more than wrapped data, which stands before a question."""
    for text in reversed(texts):
        question = _WRAPPED.sub("", text).strip()
        if question:
            return question
    return ""


def _results(newest: RequestTurn, turns: Sequence[RequestTurn]) -> tuple[Result, ...]:
    names = {
        placed.block["id"]: str(placed.block["name"])
        for turn in turns
        for placed in turn.of("tool_use")
    }
    return tuple(
        _result(placed, names[placed.block["tool_use_id"]]) for placed in newest.of("tool_result")
    )


def _result(placed: PlacedBlock, name: str) -> Result:
    content: Any = placed.block.get("content", "")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return Result(
        name,
        joined_text(blocks),
        tuple(block for block in blocks if block["type"] == "image"),
        bool(placed.block.get("is_error")),
    )


def image_bytes(block: Block) -> bytes | None:
    """The bytes of an image block, None where it only has an address."""
    source = block["source"]
    return binascii.a2b_base64(source["data"]) if source["type"] == "base64" else None


# Several samples of what goes by one name; a pixel gets the name of the nearest sample.
_SAMPLES = {
    "black": ((0, 0, 0), (30, 30, 30)),
    "grey": ((70, 70, 70), (110, 110, 110), (150, 150, 150), (195, 195, 195)),
    "white": ((255, 255, 255), (235, 235, 235)),
    "red": ((255, 0, 0), (214, 39, 40), (160, 20, 20), (230, 90, 90)),
    "orange": ((255, 127, 14), (255, 165, 0), (250, 180, 110)),
    "brown": ((140, 86, 75), (110, 65, 25), (170, 120, 80)),
    "yellow": ((255, 255, 0), (240, 220, 70), (255, 250, 170), (188, 189, 34)),
    "green": ((0, 128, 0), (44, 160, 44), (0, 255, 0), (140, 210, 140), (30, 80, 30)),
    "turquoise": ((0, 255, 255), (23, 190, 207), (0, 128, 128), (33, 145, 140)),
    "blue": ((0, 0, 255), (31, 119, 180), (0, 0, 128), (100, 149, 237), (135, 200, 240)),
    "purple": ((128, 0, 128), (148, 103, 189), (68, 1, 84), (200, 160, 220)),
    "pink": ((255, 0, 255), (227, 119, 194), (255, 182, 193)),
}
_COLOURLESS = ("black", "grey", "white", "transparent")
_SIDE = 512
# A thin line across a figure covers a few thousandths of it.
_WORTH_NAMING = 0.002
_MOSTLY = 0.5
_AT_MOST = 3


@frozen
class Look:
    """`colours`: that of most pixels, then real colours before black, grey and white.

    `mostly` says that the first covers half or more.
    """

    format: str
    width: int
    height: int
    frames: int
    colours: tuple[str, ...]
    mostly: bool

    def __str__(self) -> str:
        moving = f", the first of {self.frames} frames" if self.frames > 1 else ""
        return f"{self.format}, {self.width} x {self.height} pixels{moving}, {self.in_colours}"

    @property
    def in_colours(self) -> str:
        """The colours in words: "mostly white with blue and black"."""
        first, *others = self.colours
        lead = f"{'mostly ' if self.mostly else ''}{first}"
        return f"{lead} with {' and '.join(others)}" if others else f"all {first}"


def look(data: bytes) -> Look:
    """What the bytes of a PNG, JPEG, GIF or WebP image show; of an animation, the first frame."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        # Picked, not blended pixels: blending would invent colours between a line and its ground.
        small = image.resize(
            (min(_SIDE, image.width), min(_SIDE, image.height)), Image.Resampling.NEAREST
        )
        if small.mode.startswith("I"):  # 16 bit: converting would clip, not scale
            small = small.point(lambda value: value * (1 / 256)).convert("L")
        small = small.convert("RGBA")
        # Sixteen steps a channel are enough for a name, and few enough to look all of them up.
        shares = _shares(small.point(lambda value: value // 16 * 17).tobytes())
        (first, share), *others = shares
        named = [name for name, part in others if part >= _WORTH_NAMING]
        named.sort(key=lambda name: name in _COLOURLESS)
        return Look(
            str(image.format),
            image.width,
            image.height,
            getattr(image, "n_frames", 1),
            (first, *named[: _AT_MOST - 1]),
            share >= _MOSTLY,
        )


def _shares(rgba: bytes) -> list[tuple[str, float]]:
    pixels = Counter(zip(rgba[::4], rgba[1::4], rgba[2::4], rgba[3::4], strict=True))
    named: Counter[str] = Counter()
    for (red, green, blue, alpha), number in pixels.items():
        named["transparent" if alpha < 128 else _nearest(red, green, blue)] += number
    total = named.total()
    return [
        (name, number / total)
        for name, number in sorted(named.items(), key=lambda item: (-item[1], item[0]))
    ]


def _nearest(red: int, green: int, blue: int) -> str:
    def distance(name: str) -> int:
        return min(
            (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2 for r, g, b in _SAMPLES[name]
        )

    return min(_SAMPLES, key=distance)


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


@frozen
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


@frozen
class _Written:
    """A call as it is written in the question."""

    tool: str
    values: tuple[Any, ...]
    named: Mapping[str, Any]


@frozen
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
