"""What a refusal was about, and the request that the server can take instead."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from claude_magic.conversation.healing import (
    TooLong,
    block_key,
    how_many_oldest,
    mended_tools,
    rejected,
    too_long,
    without,
    without_oldest,
)
from claude_magic.messages.api_errors import Asked, from_answer
from claude_magic.messages.blocks import document_text, image_base64, image_url, text
from claude_magic.messages.errors import APIError
from claude_magic.messages.models import lookup, unknown
from claude_magic.messages.usage import estimate_input
from claude_magic.offline.referee import check
from claude_magic.offline.refusal import Refusal

HEADERS = {"anthropic-version": "2023-06-01"}
SONNET = lookup("claude-sonnet-5-5")
assert SONNET is not None


def png(colour: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


RED, BLUE, GREEN = (image_base64("image/png", png(c)) for c in ("red", "blue", "green"))
DAMAGED = image_base64("image/png", "iVBORw0KGgo=")
WEB = image_url("https://example.org/ant.png")
NOTES = document_text("Notes.")
HOLOGRAM = {"type": "hologram", "rays": [1, 2]}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else [*content]}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def call(call_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "look", "input": {}, **more}


def result(call_id: str = "a", content: Any = "found", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def interrupted(call_id: str = "a", **more: Any) -> dict[str, Any]:
    said = text("This call was interrupted; it gave no result.")
    return result(call_id, [said], is_error=True, **more)


def body(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [*messages], **more}


def refused(
    message: str,
    *,
    status: int = 400,
    details: Mapping[str, Any] | None = None,
    kind: str = "invalid_request_error",
) -> APIError:
    """The error as the client makes it of an answer."""
    error = {"type": kind, "message": message, **({"details": details} if details else {})}
    answer = json.dumps({"type": "error", "error": error}).encode()
    return from_answer(Asked("example.org", None, {"model": "m"}), status, {}, answer)


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


LENGTHS = {
    "prompt is too long: 210000 tokens > 200000 maximum": TooLong(210_000, 200_000),
    "prompt is too long": TooLong(),
    "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input "
    "length or `max_tokens` and try again": TooLong(190_000, 168_000),
    "input length and `max_tokens` exceed context limit: 900 + 3000 > 2000": TooLong(900, 0),
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 "
    "in the messages, 1000 in the completion).": TooLong(8000, 7192),
    "This model's maximum context length is 32,768 tokens. However, your request has 40,000 input "
    "tokens.": TooLong(40_000, 32_768),
    "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it": (
        TooLong(9000, 4096)
    ),
    "the request exceeds the available context size": TooLong(),
    "The context window exceeded": TooLong(),
    "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens": None,
    "messages.0.content.0.image.source.base64: image exceeds 10 MB maximum": None,
    "temperature: Extra inputs are not permitted": None,
}


@pytest.mark.parametrize("message", LENGTHS)
def test_what_the_server_said_of_the_length_is_read(message: str) -> None:
    assert too_long(refused(message)) == LENGTHS[message]


def test_a_request_of_too_many_bytes_is_too_long() -> None:
    error = refused("Request exceeds the maximum size", status=413, kind="request_too_large")
    assert too_long(error) == TooLong()


def test_only_a_refusal_of_the_request_is_about_its_length() -> None:
    assert too_long(refused("prompt is too long", status=500, kind="api_error")) is None


# Three turns: a plain one, one with a tool's round, the last question.
PLAIN = [user("one"), assistant("1")]
ROUNDS = [
    user("two"),
    assistant(text("Let me look."), call("a"), call("b")),
    user(result("a")),
    user(result("b"), text("Go on.")),
    assistant(call("c")),
    user(result("c")),
    assistant("2"),
]
LAST = [user("three")]
PREFILLED = [user("three"), user("really"), assistant("It is")]


@pytest.mark.parametrize("last", [LAST, PREFILLED], ids=["a question", "a prefill"])
def test_the_oldest_turns_are_left_out_whole_and_never_the_last_question(
    last: list[dict[str, Any]],
) -> None:
    asked = body(*PLAIN, *ROUNDS, *last, system="Be brief.")
    kept = [without_oldest(asked, count)["messages"] for count in range(5)]
    assert kept == [[*PLAIN, *ROUNDS, *last], [*ROUNDS, *last], last, last, last]
    assert without_oldest(asked, 0) is asked
    assert without_oldest(asked, 1)["system"] == "Be brief."
    assert len(asked["messages"]) == len(PLAIN + ROUNDS + last)


def test_a_question_with_results_before_it_stays_with_its_turn() -> None:
    asked = body(user("one"), assistant(call()), user(result(), text("And?")))
    assert without_oldest(asked, 1) is asked


WORDS = "word " * 1000
LONG = body(*[m for n in range(9) for m in (user(f"{n} {WORDS}"), assistant("ok"))], user("last"))
ESTIMATE = estimate_input(LONG, SONNET)


@pytest.mark.parametrize("factor", [1, 1.5, 0.5])
def test_as_many_turns_go_as_the_limit_asks_for(factor: float) -> None:
    """The server counts otherwise than the estimate, and the estimate is put right by that."""
    tokens = int(ESTIMATE * factor)
    limit = tokens * 2 // 3
    count = how_many_oldest(LONG, TooLong(tokens, limit), SONNET)
    assert count == 4
    left = estimate_input(without_oldest(LONG, count), SONNET) * factor
    one_more = estimate_input(without_oldest(LONG, count - 1), SONNET) * factor
    assert left <= limit * 0.95 < one_more


def test_at_least_one_turn_goes() -> None:
    assert how_many_oldest(LONG, TooLong(100_001, 100_000), SONNET) == 1


def test_all_earlier_turns_go_if_less_is_not_enough() -> None:
    assert how_many_oldest(LONG, TooLong(ESTIMATE, 10), SONNET) == 9


def test_without_numbers_the_request_is_halved() -> None:
    for model in (SONNET, unknown("llama")):
        assert how_many_oldest(LONG, TooLong(), model) == 5


def test_a_count_within_the_limit_means_that_the_reply_counts_too() -> None:
    tokens = ESTIMATE
    asked = {**LONG, "max_tokens": tokens // 3}
    assert how_many_oldest(asked, TooLong(tokens, tokens), SONNET) == 4


NO_HELP = {
    "no earlier turn": (body(user(WORDS)), TooLong(9000, 2000)),
    "no earlier turn and no numbers": (body(user(WORDS), assistant("It")), TooLong()),
    "one turn of many calls": (
        body(user("x"), assistant(call()), user(result())),
        TooLong(9, 5),
    ),
    "a reply that may be longer than all": (LONG, TooLong(900, 0)),
    "the same, as other servers say it": ({**LONG, "max_tokens": 8192}, TooLong(500, 8192)),
}


@pytest.mark.parametrize("case", NO_HELP)
def test_where_leaving_turns_out_cannot_help_none_goes(case: str) -> None:
    asked, long = NO_HELP[case]
    assert how_many_oldest(asked, long, SONNET) == 0


GONE = "[The result of a tool stood here; its call is gone.]"
Q, A = user("q"), assistant("a")
MENDED: dict[str, tuple[list[Any], list[Any]]] = {
    "a question after the call": (
        [Q, assistant(call()), user("next")],
        [Q, assistant(call()), user(interrupted(), text("next"))],
    ),
    "nothing after the call": (
        [Q, assistant(text("Let me see."), call(), call("b"))],
        [
            Q,
            assistant(text("Let me see."), call(), call("b")),
            user(interrupted(), interrupted("b")),
        ],
    ),
    "an assistant after the call": (
        [Q, assistant(call()), assistant("a"), user("next")],
        [Q, assistant(call()), user(interrupted()), assistant("a"), user("next")],
    ),
    "two calls one after the other": (
        [Q, assistant(call()), assistant(call("b")), user("next")],
        [
            Q,
            assistant(call()),
            user(interrupted()),
            assistant(call("b")),
            user(interrupted("b"), text("next")),
        ],
    ),
    "two calls one after the other, one answered": (
        [Q, assistant(call()), assistant(call("b")), user(result())],
        [Q, assistant(call()), assistant(call("b")), user(interrupted("b"), result())],
    ),
    "one of two results": (
        [Q, assistant(call(), call("b")), user(result("b"), text("next"))],
        [Q, assistant(call(), call("b")), user(interrupted(), result("b"), text("next"))],
    ),
    "a toolset's call": (
        [Q, assistant(call(toolset_name="computer"))],
        [
            Q,
            assistant(call(toolset_name="computer")),
            user(interrupted(toolset_name="computer")),
        ],
    ),
    "a result too late": (
        [Q, assistant(call()), user("next"), A, user(result(), text("and"))],
        [Q, assistant(call()), user(interrupted(), text("next")), A, user(text("and"))],
    ),
    "a result twice": (
        [Q, assistant(call()), user(result(), result("a", "else"))],
        [Q, assistant(call()), user(result())],
    ),
    "text before the result": (
        [Q, assistant(call()), user(text("see"), result())],
        [Q, assistant(call()), user(result(), text("see"))],
    ),
    "a result behind a question": (
        [Q, assistant(call()), user("see"), user(result())],
        [Q, assistant(call()), user(result(), text("see"))],
    ),
    "a result of no call between assistants": ([Q, A, user(result()), A], [Q, A, user(GONE), A]),
    "a result of no call at the end": ([Q, A, user(result())], [Q, A, user(GONE)]),
    "a result of no call at the start": ([user(result()), A, Q], [user(GONE), A, Q]),
    "a result of no call beside a question": ([Q, A, user(result()), Q], [Q, A, Q]),
    "a result of no call beside other blocks": (
        [Q, A, user(result(), text("next"))],
        [Q, A, user(text("next"))],
    ),
}


@pytest.mark.parametrize("case", MENDED)
def test_calls_and_results_are_brought_together(case: str) -> None:
    messages, expected = MENDED[case]
    before = deepcopy(messages)
    assert mended_tools(messages) == expected
    assert messages == before
    check(body(*expected, *([Q] if expected[-1]["role"] == "assistant" else [])), HEADERS)


SOUND: dict[str, list[Any]] = {
    "no message": [],
    "no tools": [Q, A, Q],
    "calls with results": [*ROUNDS, *LAST],
    "results in the order that they came": [
        Q,
        assistant(call(), call("b")),
        user(result("b"), result()),
    ],
    "calls of neighbouring messages": [
        Q,
        assistant(call()),
        assistant(call("b")),
        user(result()),
        user(result("b"), text("next")),
    ],
    "a server's tool": [Q, assistant(SEARCH, FOUND, text("It is.")), Q],
    "a server's tool that has not ended": [Q, assistant(SEARCH)],
}


@pytest.mark.parametrize("case", SOUND)
def test_what_is_sound_is_the_same(case: str) -> None:
    messages = SOUND[case]
    mended = mended_tools(messages)
    assert mended == messages
    assert all(a is b for a, b in zip(mended, messages, strict=True))


USER_BLOCKS = st.one_of(
    st.sampled_from("abcdef").map(result),
    st.just(text("question")),
    st.just(RED),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Messages that may lack results or hold stray ones; each call's id is used once."""
    unused = list("abcdef")
    messages = [user("first")]
    for role in draw(st.lists(st.sampled_from(["user", "assistant"]), max_size=9)):
        if role == "user":
            blocks = draw(st.lists(USER_BLOCKS, min_size=1, max_size=4))
        else:
            wanted = draw(st.lists(st.booleans(), min_size=1, max_size=3))
            blocks = [call(unused.pop(0)) if want and unused else text("said") for want in wanted]
        messages.append({"role": role, "content": blocks})
    return [*messages, *draw(st.sampled_from([[], [user("last")]]))]


@given(conversations())
@settings(max_examples=300)
def test_mended_messages_are_always_accepted_and_nothing_is_left_to_mend(
    messages: list[Any],
) -> None:
    mended = mended_tools(messages)
    # A last word of the assistant is a prefill, which is another matter.
    ending = [user("last")] if mended[-1]["role"] == "assistant" else []
    check(body(*mended, *ending), HEADERS)
    again = mended_tools(mended)
    assert all(a is b for a, b in zip(again, mended, strict=True))


@given(conversations(), st.integers(0, 6))
@settings(max_examples=300)
def test_what_is_left_of_a_conversation_is_always_accepted(messages: list[Any], count: int) -> None:
    whole = [*mended_tools(messages), *([A] if count % 2 else []), user("last")]
    left = without_oldest(body(*whole), count)["messages"]
    check(body(*left), HEADERS)
    assert left == whole[len(whole) - len(left) :]
    assert left[-1] == user("last")


@given(conversations(), st.integers(1, 4000), st.integers(0, 4000))
def test_leaving_turns_out_comes_to_an_end(messages: list[Any], tokens: int, limit: int) -> None:
    """Each time something goes, until nothing more can."""
    asked: Mapping[str, Any] = body(*mended_tools(messages), user("last"))
    for _ in range(len(asked["messages"])):
        count = how_many_oldest(asked, TooLong(tokens, limit), SONNET)
        if count == 0:
            break
        left = without_oldest(asked, count)
        assert len(left["messages"]) < len(asked["messages"])
        asked = left
    assert how_many_oldest(asked, TooLong(tokens, limit), SONNET) == 0
