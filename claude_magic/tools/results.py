"""What a function returned, as the content of a `tool_result`."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from ..messages.blocks import Block, text
from ..value_classes import frozen

Render = Callable[[object], Sequence[Block]]
"""The blocks that show a value, text or an image; it trims text that is too long."""

MOST_IMAGES = 8
"""Images of one result that go to the model: the last ones, where there are more."""

_MOST_PARTS = 20
_MOST_ITEMS = 20_000
_DEEPEST = 20
_AS_TEXT = (timedelta, Decimal, Fraction, PurePath, UUID)


@frozen
class ToolAnswer:
    """A result as content blocks; `failed` says that it tells of an error."""

    blocks: tuple[Block, ...]
    failed: bool = False


def answer(value: object, render: Render) -> ToolAnswer:
    """What a function returned as content blocks; an `Answer` is taken as it is.

    Text as it is; plain values, in containers, dataclasses and pydantic models too, as JSON; of a
    short list or dict with figures or tables in it each part for itself; else what `render` makes
    of it.
    """
    if isinstance(value, ToolAnswer):
        return value
    if value is None:
        return ToolAnswer((text("The call is done; it returned nothing (None)."),))
    if isinstance(value, str):
        return ToolAnswer(tuple(render(value)))
    try:
        plain = _Plain().of(value, 0)
    except _NotPlainError:
        return ToolAnswer(tuple(_parts(value, render)))
    return ToolAnswer(tuple(render(json.dumps(plain, ensure_ascii=False))))


def result(call: Block, found: ToolAnswer) -> dict[str, Any]:
    """The `tool_result` block that answers `call`: never empty, and not with too many images."""
    blocks = list(_sendable(found.blocks)) or [text("(nothing)")]
    block: dict[str, Any] = {
        "type": "tool_result",
        "tool_use_id": call.get("id"),
        "content": blocks,
    }
    if found.failed:
        block["is_error"] = True
    # A toolset's result echoes the name that its call carries.
    toolset = call.get("toolset_name")
    return block if toolset is None else {**block, "toolset_name": toolset}


def told(words: str) -> ToolAnswer:
    """A result in words of ours."""
    return ToolAnswer((text(words),))


def failed(words: str) -> ToolAnswer:
    """A result that tells of an error."""
    return ToolAnswer((text(words),), failed=True)


def _sendable(blocks: Sequence[Block]) -> Iterable[Block]:
    """The blocks that the API takes, the newest images among them."""
    skip = max(0, sum(b.get("type") == "image" for b in blocks) - MOST_IMAGES)
    for block in blocks:
        if block.get("type") == "text":
            words = str(block["text"])
            yield block if words.strip() else text("(an empty text)")
        elif block.get("type") == "image" and skip:
            skip -= 1
            yield text(f"[an image stood here: left out, the last {MOST_IMAGES} are shown]")
        else:
            yield block


def _parts(value: object, render: Render) -> Iterable[Block]:
    """A value that is not plain: a short container part by part, anything else by `render`."""
    labelled: Iterable[tuple[str, object]]
    if isinstance(value, dict) and 0 < len(value) <= _MOST_PARTS:
        labelled = ((f"{name}:", part) for name, part in value.items())
    elif isinstance(value, list | tuple) and 0 < len(value) <= _MOST_PARTS:
        labelled = ((f"{number}:", part) for number, part in enumerate(value, 1))
    else:
        yield from render(value)
        return
    for label, part in labelled:
        yield text(label)
        try:
            plain = _Plain().of(part, 0)
        except _NotPlainError:
            yield from render(part)
        else:
            yield from render(json.dumps(plain, ensure_ascii=False))


class _NotPlainError(Exception):
    """A value has no form in JSON that says what it is."""


class _Plain:
    """Values as JSON has them, with the items counted: more than a model reads are not written."""

    def __init__(self) -> None:
        self._items = 0

    def of(self, value: Any, depth: int) -> Any:
        self._items += 1
        if depth > _DEEPEST or self._items > _MOST_ITEMS:
            raise _NotPlainError
        if isinstance(value, Enum):
            return self.of(value.value, depth + 1)
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):  # JSON has no infinity
            return float(value) if math.isfinite(value) else str(value)
        if isinstance(value, date | time):
            return value.isoformat()
        if isinstance(value, _AS_TEXT):
            return str(value)
        return self._structure(value, depth + 1)

    def _structure(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return {self._key(key): self.of(item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(item, depth) for item in value]
        if isinstance(value, set | frozenset):
            # In an order that is the same in the next kernel.
            return sorted((self.of(item, depth) for item in value), key=repr)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = dataclasses.fields(value)
            return {f.name: self.of(getattr(value, f.name), depth) for f in fields}
        loaded = sys.modules
        if (pydantic := loaded.get("pydantic")) and isinstance(value, pydantic.BaseModel):
            return self.of(value.model_dump(), depth)
        if (numpy := loaded.get("numpy")) and isinstance(value, numpy.generic):
            item = value.item()
            if not isinstance(item, numpy.generic):
                return self.of(item, depth)
        raise _NotPlainError

    @staticmethod
    def _key(key: object) -> str:
        if isinstance(key, Enum):
            key = key.value
        if isinstance(key, str | int | float | bool | date | None):
            return str(key)
        raise _NotPlainError


_LIBRARY = Path(traceback.__file__).parent
# What only calls the user's code: this package, and what an async function comes back through.
_AROUND = tuple(
    str(path)
    for path in (Path(__file__).parent.parent, _LIBRARY / "asyncio", _LIBRARY / "concurrent")
)


def traceback_text(error: BaseException) -> str:
    """The traceback of `error`, from the first frame of the notebook on; else without our frames.

    The files of cells, whose names hold the process id, are called "<cell>".
    """
    frames = traceback.TracebackException.from_exception(error)
    stack = frames.stack
    in_cell = _is_cell(getattr(frames, "filename", None) or "")
    if in_cell:  # a SyntaxError: the cell itself never ran, all frames are the kernel's
        frames.filename = "<cell>"
    nowhere = len(stack) if in_cell else _past_ours(stack)
    first = next((i for i, f in enumerate(stack) if _is_cell(f.filename)), nowhere)
    for frame in stack[first:]:
        if _is_cell(frame.filename):
            frame.filename = "<cell>"
    frames.stack = traceback.StackSummary.from_list(list(stack[first:]))
    return "".join(frames.format())


def _past_ours(stack: traceback.StackSummary) -> int:
    """How many frames at the start only called what failed."""
    outside = (i for i, f in enumerate(stack) if not f.filename.startswith(_AROUND))
    return next(outside, len(stack))


def _is_cell(filename: str) -> bool:
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<cell"))
