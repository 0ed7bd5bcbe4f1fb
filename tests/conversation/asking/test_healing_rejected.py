"""Which blocks a refusal was about, and the request without them that the server can take."""

from __future__ import annotations

from copy import deepcopy

import pytest

from claude_magic.conversation.asking.healing import block_key, rejected, without
from claude_magic.messages.blocks import document_text, image_base64, text
from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.conversation.asking.message_samples import (
    BLUE,
    FOUND,
    GREEN,
    HEADERS,
    RED,
    SEARCH,
    assistant,
    body,
    call,
    refused,
    result,
    user,
)
from tests.image_blocks import image_url

DAMAGED = image_base64("image/png", "iVBORw0KGgo=")
WEB = image_url("https://example.org/ant.png")
NOTES = document_text("Notes.")
HOLOGRAM = {"type": "hologram", "rays": [1, 2]}

# Two images in the last message that holds images, one in a tool's result, others before.
BODY = body(
    user(RED, text("What is it?")),
    assistant(text("Red."), HOLOGRAM, call()),
    user(result("a", [text("here"), GREEN])),
    assistant("Green."),
    user(BLUE, NOTES, WEB, text("And these?")),
    assistant("Blue."),
    user("Are you sure?"),
)
AT_FAULT = {
    "a path": ("messages.0.content.0.image.source.base64.data: Could not process image", [RED]),
    "a path to the block itself": ("messages.4.content.0: image exceeds 5 MB maximum", [BLUE]),
    "a path in a tool's result": ("messages.2.content.0.content.1.image.source: bad", [GREEN]),
    "the same as the API's schema has it": (
        "messages.2.content.0.tool_result.content.1.image.source.base64.data: bad",
        [GREEN],
    ),
    "the brackets of other servers": ("messages[4].content[0].image: cannot decode", [BLUE]),
    "a document": ("messages.4.content.1.document.source.base64.data: not valid", [NOTES]),
    "something in a document": ("messages.4.content.1.content.0.image.source: bad", [NOTES]),
    "a block of an unknown type": (
        "messages.1.content.1: Input tag 'hologram' found using 'type' does not match any of the "
        "expected tags: 'text', 'image', 'tool_use', 'tool_result'",
        [HOLOGRAM],
    ),
    "images, which this server does not take at all": (
        "messages.0.content.0: Input tag 'image' found using 'type' does not match any of the "
        "expected tags: 'text'",
        [RED, GREEN, BLUE, WEB],
    ),
    "a model without eyes": (
        "this model does not support image input",
        [RED, GREEN, BLUE, WEB],
    ),
    "no path": ("Could not process image", [BLUE, WEB]),
    "no path, dimensions": ("At least one of the image dimensions exceed max", [BLUE, WEB]),
    "no path, a type": ("Unsupported image format", [BLUE, WEB]),
    "an address": ("Unable to download the file. Please verify the URL and try again.", [WEB]),
    "a PDF": ("The PDF specified was not valid.", [NOTES]),
}


@pytest.mark.parametrize("case", AT_FAULT)
def test_the_blocks_that_a_refusal_is_about_are_found(case: str) -> None:
    message, blocks = AT_FAULT[case]
    assert rejected(refused(message), BODY) == {block_key(block) for block in blocks}


def test_the_paths_of_the_details_come_before_the_message() -> None:
    paths = ["messages.0.content.0", "messages.2.content.0.content.1", "messages.9.content.0"]
    details = {"error_code": "image_dimensions_too_large", "paths": paths}
    error = refused("messages.4.content.0: image dimensions", details=details)
    assert rejected(error, BODY) == {block_key(RED), block_key(GREEN)}


NOT_A_BLOCK = {
    "a wrong key": refused("invalid x-api-key", status=401, kind="authentication_error"),
    "a server's trouble": refused("Could not process image", status=500, kind="api_error"),
    "a missing prefill": refused(
        "This model does not support assistant message prefill. The conversation must end with a "
        "user message."
    ),
    "a prompt too long": refused("prompt is too long: 210000 tokens > 200000 maximum"),
    "a parameter": refused("temperature: Extra inputs are not permitted"),
    "money": refused("Your credit balance is too low to access the API."),
    "a text": refused("messages.0.content.1: text content blocks must be non-empty"),
    "a text written as a string": refused("messages.3.content.0: text must be non-empty"),
    "a message": refused("messages.0: all messages must have non-empty content"),
    "thinking": refused("messages.1.content.2: Invalid `signature` in `thinking` block."),
    "a call": refused("messages.1.content.2.tool_use.id: String should match pattern"),
    "a result": refused("messages.2.content.0: unexpected `tool_use_id` found in `tool_result`"),
    "an order": refused("messages.4.content.0: `tool_result` blocks must come first"),
    "a cache mark": refused("messages.0.content.0.image.cache_control.ttl: Input should be '5m'"),
    "citations": refused("messages.4.content.1.document.citations: Extra inputs"),
    "a place that is not there": refused("messages.70.content.0.image: Could not process image"),
    "a strange place": refused(f"messages.{'9' * 400}.content.0: Could not process image"),
    "paths to elsewhere": refused("tools: bad", details={"paths": ["tools.0", 3, None]}),
    "no list of paths": refused("tools: bad", details={"paths": "messages.0.content.0"}),
    "nothing": refused(""),
}


@pytest.mark.parametrize("case", NOT_A_BLOCK)
def test_another_refusal_names_no_block(case: str) -> None:
    assert rejected(NOT_A_BLOCK[case], BODY) == frozenset()


def test_no_image_means_no_block() -> None:
    assert rejected(refused("Could not process image"), body(user("Hi"))) == frozenset()


def test_a_server_s_tool_goes_with_its_result() -> None:
    asked = body(user("Hi"), assistant(SEARCH, FOUND, text("It is.")), user("And?"))
    error = refused("messages.1.content.1: Input tag 'web_search_tool_result' found using 'type'")
    mended, count = without(asked, rejected(error, asked))
    assert count == 2
    assert [block["type"] for block in mended["messages"][1]["content"]] == ["text"] * 3


def test_a_key_is_of_the_source_alone() -> None:
    marked = {"cache_control": {"type": "ephemeral"}, **RED}
    assert block_key(marked) == block_key(RED) != block_key(BLUE)
    assert len(block_key(RED)) == 64
    assert block_key({"type": "search_result", "source": "x", "title": "a"}) != block_key(
        {"type": "search_result", "source": "x", "title": "b"}
    )


def test_rejected_blocks_become_a_line_of_text_and_the_rest_stays_as_it_is() -> None:
    before = deepcopy(BODY)
    keys = {block_key(block) for block in (GREEN, NOTES, HOLOGRAM)}
    mended, count = without(BODY, keys)
    assert count == 3
    assert before == BODY
    assert mended["messages"][1]["content"][1]["text"] == (
        "[Something of type hologram stood here; the server could not take it.]"
    )
    assert mended["messages"][2]["content"][0]["content"] == [
        text("here"),
        text("[An image stood here; the server could not take it.]"),
    ]
    assert mended["messages"][4]["content"][1]["text"] == (
        "[A document stood here; the server could not take it.]"
    )
    for index in (0, 3, 5, 6):
        assert mended["messages"][index] is BODY["messages"][index]
    assert mended["messages"][4]["content"][0] is BLUE


@pytest.mark.parametrize("keys", [set(), {"0" * 64}])
def test_without_anything_to_leave_out_the_body_is_the_same(keys: set[str]) -> None:
    mended, count = without(BODY, keys)
    assert mended is BODY
    assert count == 0


@pytest.mark.parametrize("place", ["in a question", "in a tool's result"])
def test_a_request_that_the_server_refused_is_taken_without_the_damaged_image(place: str) -> None:
    """The keys are good for later requests, where the image stands somewhere else."""
    if place == "in a question":
        asked = body(user(RED, DAMAGED, text("?")))
    else:
        asked = body(user("?"), assistant(call()), user(result("a", [RED, DAMAGED])))
    with pytest.raises(Refusal) as no:
        check(asked, HEADERS)
    keys = rejected(refused(no.value.message, details=no.value.details), asked)
    assert keys == {block_key(DAMAGED)}
    check(without(asked, keys)[0], HEADERS)
    later = body(user("First"), assistant("Yes."), *asked["messages"])
    check(without(later, keys)[0], HEADERS)
