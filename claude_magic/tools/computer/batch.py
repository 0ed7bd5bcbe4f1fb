"""The calls of one reply, carried out in their order, each with its result."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...messages.blocks import NOT_ALLOWED, Block, content_blocks, text
from ...messages.errors import DesktopError
from . import lines
from .actions import carry_out, look_again
from .calls import Action, WrongInputError, action, named
from .protocol import Computer, Shot
from .scale import Scale

if TYPE_CHECKING:
    from PIL import Image

NOT_EXECUTED = "Not executed: an earlier computer action in this turn failed."
"""What the API wants for the calls after a failed one. Source: the computer use tool's page."""

_BEFORE_SHOWING = 0.2

Approve = Callable[[Block], str | None]
"""Asks about one call: None allows it, a text says why not."""


@dataclass(frozen=True)
class Step:
    """One call: in words, a PNG of the screen after it with the pointer marked, and what failed."""

    line: str
    picture: bytes | None = None
    error: str = ""


def recorded(call: Block, result: Block) -> Step:
    """The step of a call that is in the record: its picture is the one that the model saw."""
    parts = content_blocks(result) if result.get("content") else []
    words = "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")
    image = next((part for part in parts if part.get("type") == "image"), None)
    picture = None if image is None else _recorded_picture(call, image)
    return Step(lines.line(call), picture, words if result.get("is_error") else "")


def _recorded_picture(call: Block, block: Block) -> bytes | None:
    """A screenshot with the place marked that the call names; None for one that is damaged."""
    from ...messages.errors import ImageError
    from ...messages.images import prepare
    from .pictures import marked, opened, png

    try:
        source = prepare(block).block["source"]
        image = opened(b64decode(str(source.get("data", ""))))
    except ImageError:
        return None
    match named(call)[1].get("coordinate"):
        case [int(x), int(y)]:
            return marked(image, (x, y))
    return png(image)


class Batch:
    """The calls of one reply, carried out one after another until one fails."""

    def __init__(
        self,
        computer: Computer,
        scale: Scale,
        show: Callable[[Step], None],
        approve: Approve,
    ) -> None:
        self._computer = computer
        self._scale = scale
        self._show = show
        self._approve = approve
        self._failed = False
        self._changed = False

    def answer(self, call: Block, *, last: bool) -> Block:
        """The call's result."""
        if self._failed:
            return self._error(call, NOT_EXECUTED)
        try:
            asked = action(call, self._scale)
            refused = self._approve(call)
            if refused is not None:
                return self._error(
                    call, f"{NOT_ALLOWED}: {refused}" if refused else NOT_ALLOWED + "."
                )
            content, picture = self._outcome(asked, last=last)
        except (WrongInputError, DesktopError) as fault:
            return self._error(call, str(fault))
        self._show(Step(lines.line(call), picture))
        return _result(call, content)

    def _error(self, call: Block, words: str) -> Block:
        self._failed = True
        self._show(Step(lines.line(call), error=words))
        return {**_result(call, [text(words)]), "is_error": True}

    def _outcome(self, asked: Action, *, last: bool) -> tuple[list[Block], bytes]:
        """The content of the result, and the picture for the step."""
        computer, scale = self._computer, self._scale
        if asked.name == "zoom" and asked.box is not None:
            image = look_again(computer).image.crop(asked.box)
            image = _resized(image, scale.fitted(image.size))
            return [_image(image)], _png(image)
        if asked.name == "cursor_position":
            x, y = scale.to_sent(computer.pointer())
            content: list[Block] = [text(f"X={x}, Y={y}")]
        elif asked.name == "screenshot":
            content = []
        else:
            carry_out(asked, computer)
            content = [text("OK")]
            self._changed = True
        seen = asked.name == "screenshot" or (last and self._changed)
        if seen:
            shot, self._changed = look_again(computer), False
        else:
            computer.wait(_BEFORE_SHOWING)
            shot = computer.screenshot()
        image = _resized(shot.image, scale.sent)
        if seen:
            content.append(_image(image))
        return content, _marked(image, shot, scale)


def _result(call: Mapping[str, Any], content: Sequence[Block]) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": call.get("id"), "content": list(content)}
    toolset = call.get("toolset_name")
    return result if toolset is None else {**result, "toolset_name": toolset}


def _image(image: Image.Image) -> Block:
    from ...messages.images import prepare

    return prepare(image, long_edge=max(image.size)).block


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    from PIL import Image

    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _png(image: Image.Image) -> bytes:
    from .pictures import png

    return png(image)


def _marked(image: Image.Image, shot: Shot, scale: Scale) -> bytes:
    from .pictures import marked

    return marked(image, scale.to_sent(shot.pointer))
