"""What the referee lets through and refuses of images, documents, citations and cache marks."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.offline.offline_samples import (
    ASKED_TOOL,
    BAD,
    CACHE,
    HEADERS,
    MISSING,
    PREFILLABLE,
    SCHEMA,
    assistant,
    base64_of,
    body,
    document,
    image,
    image_text,
    picture,
    schema_format,
    text,
    tool_result,
    user,
)

LONG = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
PDF = base64_of(b"%PDF-1.7\n")
RESULT = {
    "type": "search_result",
    "source": "https://example.org",
    "title": "Gels",
    "content": [text("Gels are run.")],
}


def pdf(data: str = PDF, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "source": source, **more}


def url_image(url: str = "https://example.org/ant.jpg") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "url", "url": url}}


TAKEN = {
    "an image by address": body(user(url_image(), text("?"))),
    "a JPEG": body(user(image(picture(kind="JPEG"), "image/jpeg"), text("?"))),
    "a GIF": body(user(image(picture(kind="GIF"), "image/gif"), text("?"))),
    "a WebP": body(user(image(picture(kind="WEBP"), "image/webp"), text("?"))),
    "8000 pixels": body(user(image(picture(8000, 1)), text("?"))),
    "20 large images": body(user(*[image(picture(2100, 1))] * 20)),
    "21 images of 2000 pixels": body(user(*[image(picture(2000, 1))] * 21)),
    "a PDF": body(user(pdf(), text("?"))),
    "a text document": body(user(document("Notes", title="n", citations={"enabled": True}))),
    "four cache marks": body(user(*[text(c, **CACHE) for c in "abcd"])),
    "three cache marks and the automatic one": body(
        user(*[text(c, **CACHE) for c in "abc"], text("d")), **CACHE
    ),
    "long cache entries first": body(user(text("a", **LONG), text("b", **CACHE))),
    "search results": body(user(RESULT, text("a"))),
    "search results to be cited beside documents that are not": body(
        user({**RESULT, "citations": {"enabled": True}}, document("b"), text("a"))
    ),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "another media type": (
        BAD,
        "appears to be a image/png image",
        body(user(image(media_type="image/jpeg"), text("a"))),
    ),
    "a media type that is not taken": (
        BAD,
        "media_type: Input should be",
        body(user(image(media_type="image/bmp"), text("a"))),
    ),
    "base64 with line breaks": (
        BAD,
        "invalid base64 data",
        body(
            user(
                image_text(base64_of(picture())[:40] + "\n" + base64_of(picture())[40:]), text("a")
            )
        ),
    ),
    "base64 with a data: prefix": (
        BAD,
        "invalid base64 data",
        body(user(image_text("data:image/png;base64," + base64_of(picture())), text("a"))),
    ),
    "base64 of something else": (
        BAD,
        "Could not process image",
        body(user(image(b"no image"), text("a"))),
    ),
    "a truncated image": (
        BAD,
        "Could not process image",
        body(user(image(picture(400, 300, ink="red")[:-60]), text("a"))),
    ),
    "an image over 10 MB of base64": (
        BAD,
        "image exceeds 10 MB maximum",
        body(user(image_text("A" * (10 * 1024 * 1024 + 4)), text("a"))),
    ),
    "8001 pixels": (BAD, "8000 pixels", body(user(image(picture(8001, 1)), text("a")))),
    "8001 pixels in a tool result": (
        BAD,
        "8000 pixels",
        body(*ASKED_TOOL, user(tool_result(content=[image(picture(1, 8001))]), text("a"))),
    ),
    "21 images, one over 2000 pixels": (
        BAD,
        "many-image requests: 2000 pixels",
        body(user(*[image()] * 20, image(picture(2001, 1)))),
    ),
    "101 images for a small context": (
        BAD,
        "at most 100 images",
        body(user(*[image()] * 101), model=PREFILLABLE),
    ),
    "601 images": (BAD, "at most 600 images", body(user(*[image()] * 601))),
    "an image that may not be scaled": (
        BAD,
        "is 2600x1 pixels; the largest size that fits is 2576x1",
        body(
            user(image(picture(2600, 1), transformations={"oversized_image": "error"}), text("a"))
        ),
    ),
    "an image address without scheme": (
        BAD,
        "valid URL",
        body(user(url_image("example.org/ant.jpg"), text("a"))),
    ),
    "a file that is not there": (
        MISSING,
        "File not found: file_1",
        body(user({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, text("a"))),
    ),
    "a PDF that is none": (BAD, "PDF", body(user(pdf(base64_of(b"hello")), text("a")))),
    "citations on one of two documents": (
        BAD,
        "citations must be enabled on all",
        body(user(document("a", citations={"enabled": True}), document("b"))),
    ),
    "citations with a schema": (
        BAD,
        "citations",
        body(user(document("a", citations={"enabled": True}), text("b")), **schema_format(SCHEMA)),
    ),
    "five cache marks": (
        BAD,
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        body(user(*[text(c, **CACHE) for c in "abcde"])),
    ),
    "four cache marks and the automatic one": (
        BAD,
        "Found 5.",
        body(user(*[text(c, **CACHE) for c in "abcd"]), **CACHE),
    ),
    "a cache mark of another type": (
        BAD,
        "cache_control.type",
        body(cache_control={"type": "persistent"}),
    ),
    "a cache mark with another ttl": (
        BAD,
        "cache_control.ttl",
        body(cache_control={"type": "ephemeral", "ttl": "2h"}),
    ),
    "a short cache entry before a long one": (
        BAD,
        "must not come after",
        body(user(text("a", **CACHE), text("b", **LONG))),
    ),
    "a cache mark on thinking": (
        BAD,
        "cache_control: Extra inputs",
        body(
            user("a"),
            assistant({"type": "thinking", "thinking": "", "signature": "x", **CACHE}, text("b")),
            user("c"),
        ),
    ),
    "citations on one of two search results": (
        BAD,
        "citations must be enabled on all search results",
        body(user(RESULT, {**RESULT, "citations": {"enabled": True}}, text("a"))),
    ),
    "citations of search results with a schema": (
        BAD,
        "cannot be combined with citations",
        body(user({**RESULT, "citations": {"enabled": True}}, text("a")), **schema_format(SCHEMA)),
    ),
}


@pytest.mark.parametrize(("outcome", "message", "asked"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_status_type_and_what_is_wrong(
    outcome: tuple[int, str], message: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert (refused.value.status, refused.value.error_type) == outcome
    assert message in refused.value.message


def test_oversized_images_are_named_in_the_details() -> None:
    asked = body(user(*[image()] * 20, image(picture(2001, 1))))
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert refused.value.details == {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": 2000,
        "paths": ["messages.0.content.20"],
    }
