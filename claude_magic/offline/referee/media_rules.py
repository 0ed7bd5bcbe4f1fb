"""Images, documents and the computer tool: types, sizes, numbers, and whether they can be read.

Source: the vision and PDF pages.

Source: the computer use tool's page. It does not give the words of most refusals.
"""

from __future__ import annotations

import binascii
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ...messages.images.sniff import media_type, size, size_of_base64
from ...messages.models import Model
from ...messages.usage import scaled_size
from .request_checks import (
    Check,
    CheckedRequest,
    PlacedBlock,
    Refusal,
    bad,
    boolean,
    integer,
    list_of,
    mapping,
    nullable,
    one_of,
    record,
    string,
)

MAX_BASE64 = 10 * 1024 * 1024
MAX_SIDE = 8000
MANY_IMAGES = 20
MANY_IMAGES_MAX_SIDE = 2000


def check_media(asked: CheckedRequest) -> None:
    """Raises Refusal for an image or document that the API would not take."""
    every = list(asked.every_block())
    images = [placed for placed in every if placed.block["type"] == "image"]
    most = 600 if asked.model.context > 200_000 else 100
    if len(images) > most:
        raise bad(f"messages: at most {most} images are allowed in a request, found {len(images)}")
    sizes = {placed.path: check_image(placed, asked.model) for placed in images}
    _check_many(sizes)
    for placed in every:
        if placed.block["type"] == "document":
            _check_document(placed)
    _check_citations(asked, every)


def decoded(data: str, path: str) -> bytes:
    """The bytes of base64 text. Raises Refusal for line breaks, a `data:` prefix, bad padding."""
    try:
        # Strict mode, or line breaks and stray characters would be skipped.
        return binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise bad(f"{path}.source.base64.data: invalid base64 data") from fault


def check_image(placed: PlacedBlock, model: Model) -> tuple[int, int] | None:
    """Width and height in pixels; None for an image that is not in the request."""
    source, path = placed.block["source"], f"{placed.path}.image"
    if source["type"] == "file":
        raise _no_such_file(source)
    if source["type"] == "url":
        return None
    if len(source["data"]) > MAX_BASE64:
        raise bad(
            f"{path}.source.base64: image exceeds 10 MB maximum: {len(source['data'])} bytes > "
            f"{MAX_BASE64} bytes"
        )
    data = decoded(source["data"], path)
    found = media_type(data)
    if found is not None and found != source["media_type"]:
        raise bad(
            f"{path}.source.base64.data: The image was specified using the "
            f"{source['media_type']} media type, but the image appears to be a {found} image"
        )
    measured = size(data)
    if measured is None:
        raise _unreadable(path)
    if max(measured) > MAX_SIDE:
        raise bad(
            f"{path}.source.base64.data: At least one of the image dimensions exceed max allowed "
            f"size: {MAX_SIDE} pixels",
            _too_large([placed.path], MAX_SIDE),
        )
    _check_readable(data, measured, path)
    if (placed.block.get("transformations") or {}).get("oversized_image") == "error":
        fits = scaled_size(*measured, model)
        if fits != measured:
            raise bad(
                f"{path}: the image is {measured[0]}x{measured[1]} pixels; the largest size that "
                f"fits is {fits[0]}x{fits[1]} pixels"
            )
    return measured


def _check_readable(data: bytes, measured: tuple[int, int], path: str) -> None:
    from PIL import Image

    # A second opinion on type and size, from a decoder, and proof that every pixel is there.
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            seen = image.size
    except Exception as fault:  # decoders raise a zoo of errors on damaged input
        raise _unreadable(path) from fault
    if seen != measured:
        raise _unreadable(path)


def _unreadable(path: str) -> Refusal:
    return bad(f"{path}.source.base64.data: Could not process image")


def _no_such_file(source: Mapping[str, Any]) -> Refusal:
    return Refusal(404, "not_found_error", f"File not found: {source['file_id']}")


def _too_large(paths: Sequence[str], side: int) -> dict[str, Any]:
    return {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": side,
        "paths": list(paths),
    }


def _check_many(sizes: Mapping[str, tuple[int, int] | None]) -> None:
    if len(sizes) <= MANY_IMAGES:
        return
    large = [path for path, size in sizes.items() if size and max(size) > MANY_IMAGES_MAX_SIDE]
    if large:
        raise bad(
            f"{large[0]}.image.source.base64.data: At least one of the image dimensions exceed "
            f"max allowed size for many-image requests: {MANY_IMAGES_MAX_SIDE} pixels",
            _too_large(large, MANY_IMAGES_MAX_SIDE),
        )


def _check_document(placed: PlacedBlock) -> None:
    source, path = placed.block["source"], f"{placed.path}.document"
    if source["type"] == "file":
        raise _no_such_file(source)
    if source["type"] == "base64" and b"%PDF-" not in decoded(source["data"], path)[:1024]:
        raise bad(f"{path}.source.base64.data: The PDF specified was not valid.")


def _check_citations(asked: CheckedRequest, every: Sequence[PlacedBlock]) -> None:
    citing = False
    for kind, name in (("document", "documents"), ("search_result", "search results")):
        wanted = {
            bool((placed.block.get("citations") or {}).get("enabled"))
            for placed in every
            if placed.block["type"] == kind
        }
        if len(wanted) > 1:
            raise bad(f"messages: citations must be enabled on all {name} or on none of them")
        citing = citing or True in wanted
    if citing and asked.schema is not None:
        raise bad("output_config.format: cannot be combined with citations.")


MEMBERS = (
    *("screenshot", "zoom", "cursor_position", "wait", "type", "key", "hold_key", "scroll"),
    *("left_click", "right_click", "middle_click", "double_click", "triple_click"),
    *("left_click_drag", "mouse_move", "left_mouse_down", "left_mouse_up"),
)
"""The names of the toolset's tools."""

# By the start of a model's id. The newest models refuse the older forms.
_TAKEN_BY = {
    "computer_toolset_20260801": (
        *("claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5"),
        *("claude-fable-5", "claude-mythos-5"),
    ),
    "computer_20251124": (
        *("claude-opus-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8"),
        *("claude-sonnet-4-6", "claude-opus-5", "claude-sonnet-5"),
        *("claude-fable-5", "claude-mythos-5", "claude-mythos-preview"),
    ),
    "computer_20250124": ("claude-sonnet-4-5", "claude-haiku-4-5"),
}
_TOOLSET_ONLY = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")

_MEMBER = nullable(record(optional={"enabled": nullable(boolean), "defer_loading": boolean}))
_CONFIGS = nullable(record(optional=dict.fromkeys(MEMBERS, _MEMBER)))
_OLDER: Mapping[str, Check] = {
    "cache_control": nullable(mapping),
    "display_number": nullable(integer(0)),
    "allowed_callers": list_of(string),
    "defer_loading": boolean,
    "input_examples": list_of(mapping),
    "strict": boolean,
}
_ENTRY = {
    kind: record(
        {
            "type": string,
            "name": one_of("computer"),
            "display_width_px": integer(1),
            "display_height_px": integer(1),
        },
        {**_OLDER, **({"enable_zoom": boolean} if kind == "computer_20251124" else {})},
    )
    for kind in ("computer_20251124", "computer_20250124")
}


def check_computer(asked: CheckedRequest, tool: Mapping[str, Any], index: int) -> None:
    """Raises Refusal for an entry of the computer tool that the model or the request refuses."""
    kind, model = tool["type"], asked.model.id
    older = kind in _ENTRY
    known = model.startswith(_TAKEN_BY.get(kind, _TAKEN_BY["computer_toolset_20260801"]))
    if not known or (older and model in _TOOLSET_ONLY):
        raise bad(f"'{asked.body['model']}' does not support tool types: {kind}.")
    path = f"tools.{index}.{kind}"
    if older:
        version = kind.rpartition("_")[2]
        beta = f"computer-use-{version[:4]}-{version[4:6]}-{version[6:]}"
        if beta not in asked.betas:
            raise bad(f"tools.{index}: {kind} needs the beta header {beta}")
        _ENTRY[kind](tool, path)
    elif kind == "computer_toolset_20260801":
        _CONFIGS(tool.get("configs"), f"{path}.configs")
        others = [t for t in asked.body["tools"] if t.get("name") == "computer"]
        if others:
            raise bad("tools: the computer toolset cannot stand beside a tool named 'computer'")


def check_toolset_results(asked: CheckedRequest) -> None:
    """Raises Refusal for a result of a toolset's call that holds what the model cannot see."""
    for turn in asked.turns:
        for placed in turn.of("tool_result"):
            content = placed.block.get("content")
            if placed.block.get("toolset_name") is None or not isinstance(content, list):
                continue
            for number, block in enumerate(content):
                part = PlacedBlock(f"{placed.path}.tool_result.content.{number}", block)
                _check_part(part, asked.model, failed=bool(placed.block.get("is_error")))


def _check_part(part: PlacedBlock, model: Model, *, failed: bool) -> None:
    kind = part.block["type"]
    if kind not in ("text", "image"):
        raise bad(f"{part.path}: results of a toolset may hold text and images only")
    if failed and kind != "text":
        raise bad(f"{part.path}: all content must be type 'text' if 'is_error' is true")
    source = part.block.get("source", {})
    size = size_of_base64(str(source.get("data", ""))) if source.get("type") == "base64" else None
    if size is not None and scaled_size(*size, model) != size:
        width, height = scaled_size(*size, model)
        raise bad(
            f"{part.path}.image: {size[0]}x{size[1]} pixels are more than this model sees in a "
            f"result of a toolset; the largest size of this shape is {width}x{height} pixels"
        )
