"""An image that is too large for a server goes scaled to what its refusal says."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from claude_magic.conversation.asking.healing import ImageLimit, image_limit
from claude_magic.conversation.asking.question import Question
from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.errors import BadRequest
from claude_magic.messages.images.prepare import prepare
from tests.conversation.desk_and_scales import Desk
from tests.conversation.scripted_server import Refuses, says
from tests.messages.images.image_samples import photo, saved

PATH = "messages.0.content.0.image.source.base64"
SIDE = "At least one of the image dimensions exceed max allowed size"
LIMITS: dict[str, tuple[Refuses, ImageLimit]] = {
    "8000 pixels": (Refuses(400, f"{PATH}.data: {SIDE}: 8000 pixels"), ImageLimit(8000)),
    "many images": (
        Refuses(400, f"{PATH}.data: {SIDE} for many-image requests: 2000 pixels"),
        ImageLimit(2000),
    ),
    "details": (
        Refuses(
            400,
            "too large",
            details={
                "error_code": "image_dimensions_too_large",
                "max_side_length_pixels": 300,
                "paths": ["messages.0.content.0"],
            },
        ),
        ImageLimit(300),
    ),
    "the largest that fits": (
        Refuses(
            400,
            f"{PATH}: the image is 800x600 pixels; the largest size that fits is 400x300 pixels",
        ),
        ImageLimit(400),
    ),
    "bytes": (
        Refuses(400, f"{PATH}: image exceeds 5 MB maximum: 5316852 bytes > 5242880 bytes"),
        ImageLimit(characters=5_242_880),
    ),
    "nothing of a size": (Refuses(400, f"{PATH}.data: Could not process image"), ImageLimit()),
}


@pytest.mark.met("N16")
@pytest.mark.parametrize(("refusal", "limit"), LIMITS.values(), ids=LIMITS)
def test_how_large_an_image_may_be_is_read_from_the_refusal(
    refusal: Refuses, limit: ImageLimit
) -> None:
    error = BadRequest(refusal.message, status=400, details=refusal.details)
    assert image_limit(error) == (None if limit == ImageLimit() else limit)


def ask(at: Desk, block: Any, prompt: str = "What is it?", **how: Any) -> Any:
    said: dict[str, Any] = {"cell": "A", "order": ("A", "B"), **how}
    return at.session.ask(Question(content=(block, text(prompt)), prompt=prompt, **said))


def images(body: Any) -> list[Image.Image]:
    """The images of a request as they arrived."""
    return [
        Image.open(io.BytesIO(base64.b64decode(block["source"]["data"])))
        for message in body["messages"]
        for block in message["content"]
        if isinstance(block, dict) and block["type"] == "image"
    ]


LARGE = prepare(photo(800, 600)).block
SMALLER = {
    "a side": (f"{PATH}.data: {SIDE}: 300 pixels", "300 pixels a side"),
    "a fitting size": (
        f"{PATH}: the image is 800x600 pixels; the largest size that fits is 400x300 pixels",
        "400 pixels a side",
    ),
    "bytes": (
        f"{PATH}: image exceeds 0.01 MB maximum: 99999 bytes > 10240 bytes",
        "0.00977 MB",
    ),
    "no place": (f"{SIDE}: 300 pixels", "300 pixels a side"),
}


@pytest.mark.met("N16")
@pytest.mark.parametrize(("message", "said"), SMALLER.values(), ids=SMALLER)
def test_an_image_too_large_is_scaled_to_what_the_refusal_says_and_this_is_said(
    desk: Callable[..., Desk], message: str, said: str
) -> None:
    at = desk(Refuses(400, message), says("A photo."))
    reply = ask(at, LARGE)
    assert reply.text == "A photo."
    first, second = at.server.bodies
    assert images(first)[0].size == (800, 600)
    (image,) = images(second)
    assert image.size[0] / image.size[1] == pytest.approx(4 / 3, rel=0.03)
    assert max(image.size) <= {"300": 300, "400": 400}.get(said[:3], 799)
    if "MB" in said:
        assert len(json.dumps(second)) < 12_000
    assert at.turns[-1].healed == (
        f"The server takes images of at most {said}: 1 image went scaled down.",
    )


@pytest.mark.met("N16")
def test_what_is_kept_and_recognised_is_the_image_as_it_was(desk: Callable[..., Desk]) -> None:
    at = desk(Refuses(400, f"{PATH}.data: {SIDE}: 300 pixels"), says("A photo."), says("More."))
    digest = ask(at, LARGE).turn.digest
    assert LARGE in at.turns[-1].asked
    assert ask(at, LARGE).text == "A photo."  # from the record: nothing is sent
    assert len(at.server.bodies) == 2
    at.restart()
    assert ask(at, LARGE).turn.digest == digest
    assert len(at.server.bodies) == 2


@pytest.mark.met("N16")
def test_the_questions_below_send_the_copy_at_once(desk: Callable[..., Desk]) -> None:
    at = desk(Refuses(400, f"{PATH}.data: {SIDE}: 300 pixels"), says("A photo."), says("More."))
    ask(at, LARGE)
    assert ask(at, text("And now?"), cell="B").text == "More."
    assert [max(image.size) for image in images(at.server.bodies[-1])] == [300]
    assert len(at.server.bodies) == 3


@pytest.mark.met("N16")
def test_a_copy_that_is_refused_too_gives_way_to_a_word(desk: Callable[..., Desk]) -> None:
    refusal = Refuses(400, f"{PATH}.data: {SIDE}: 300 pixels")
    at = desk(refusal, refusal, says("I see none."))
    assert ask(at, LARGE).text == "I see none."
    assert images(at.server.bodies[-1]) == []
    assert len(at.turns[-1].healed) == 2


@pytest.mark.met("N16")
def test_an_image_that_cannot_be_decoded_gives_way_to_a_word(desk: Callable[..., Desk]) -> None:
    at = desk(says("I see none."))
    ask(at, image_base64("image/png", base64.b64encode(saved(photo())[:300]).decode()))
    assert images(at.server.bodies[-1]) == []
    assert "a line of text went in" in at.turns[-1].healed[0]
    at.server.refused.clear()  # the first one, as it has to be
