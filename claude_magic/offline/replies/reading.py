"""What a request says, pictures included, read as far as a program without a model can."""

from __future__ import annotations

import binascii
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...messages.blocks import Block, joined_text
from ...messages.request import labels
from ..referee.checked_request import CheckedRequest, PlacedBlock, RequestTurn
from ..referee.request_shape import SERVER_BLOCKS

# `<cell-1f2e3d4c name="value">` on a line of its own, down to the closing tag with the same digits.
_WRAPPED = re.compile(
    r"^<(?P<name>[a-z_]+)(?P<nonce>(?:-[0-9a-f]{8})?)(?: [^\n]*)?>\n.*?^</(?P=name)(?P=nonce)>$",
    re.DOTALL | re.MULTILINE,
)
_OPENING_ASKED_FOR = re.compile(
    r"Begin your answer with exactly .*?«(?P<opening>.*)»\s*", re.DOTALL
)


@dataclass(frozen=True)
class Result:
    """What one tool returned."""

    tool: str
    text: str
    images: tuple[Block, ...]
    is_error: bool


@dataclass(frozen=True)
class Reading:
    """One request, read. The blocks are those of the newest question, not of the history.

    `documents` and `search_results`, those that a tool returned too, have their numbers in the
    whole request. `opening` is what the answer must begin with: a prefill, or asked for in words,
    which is `repeated` in the answer. `data` counts the wrapped pieces ("cell": 4) by name.
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
    )


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


@dataclass(frozen=True)
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
