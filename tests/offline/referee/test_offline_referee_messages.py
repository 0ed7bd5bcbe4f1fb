"""What the referee lets through and refuses of a conversation: turns, prefills, tool results."""

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
    LOOKUP,
    PREFILLABLE,
    SCHEMA,
    assistant,
    body,
    image,
    schema_format,
    text,
    tool_result,
    tool_use,
    user,
)

TAKEN = {
    "a conversation": body(user("a"), assistant("b"), user("c")),
    "neighbours of one role": body(user("a"), user("b")),
    "blocks": body(user(image(), text("What is it?"))),
    "system text": body(system="Be brief."),
    "system blocks": body(system=[text("Be brief.", **CACHE)]),
    "a prefill on a model that takes it": body(user("a"), assistant("{"), model=PREFILLABLE),
    "a tool and its result": body(*ASKED_TOOL, user(tool_result(), text("And?")), tools=[LOOKUP]),
    "a result without content": body(
        *ASKED_TOOL, user({"type": "tool_result", "tool_use_id": "toolu_1"}, text("?"))
    ),
    "a result with an image": body(*ASKED_TOOL, user(tool_result(content=[image()]), text("?"))),
    "a system message": body(user("a"), {"role": "system", "content": "Be brief."}),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "no message at all": (BAD, "at least one message", body(messages=[])),
    "messages as text": (BAD, "messages: Input should be a valid list", body(messages="hi")),
    "an unknown role": (BAD, "messages.0.role", body({"role": "tool", "content": "x"})),
    "an extra key in a message": (BAD, "messages.0.name: Extra", body({**user("a"), "name": "b"})),
    "an assistant first": (BAD, "first message", body(assistant("a"), user("b"))),
    "an empty content": (BAD, "non-empty content", body(user(""))),
    "a blank content": (BAD, "non-whitespace text", body(user(" \n"))),
    "an empty text block": (BAD, "must be non-empty", body(user(text(""), text("a")))),
    "a blank text block": (BAD, "non-whitespace text", body(user(text(" "), text("a")))),
    "an empty system text": (BAD, "system: text content blocks must", body(system="")),
    "a block without type": (BAD, "content.0.type: Field required", body(user({}))),
    "an unknown block type": (BAD, "Input tag 'video'", body(user({"type": "video"}, text("a")))),
    "an extra key in a block": (BAD, "lang: Extra inputs", body(user(text("a", lang="en")))),
    "a prefill on a new model": (
        BAD,
        "This model does not support assistant message prefill. "
        "The conversation must end with a user message.",
        body(user("a"), assistant("b")),
    ),
    "a prefill that ends in a space": (
        BAD,
        "final assistant content cannot end with trailing whitespace",
        body(user("a"), assistant("b "), model=PREFILLABLE),
    ),
    "a prefill with a schema": (
        BAD,
        "prefill",
        body(user("a"), assistant("b"), model=PREFILLABLE, **schema_format(SCHEMA)),
    ),
    "a prefill with manual thinking": (
        BAD,
        "prefill is not supported with thinking enabled",
        body(
            user("a"),
            assistant("b"),
            model=PREFILLABLE,
            max_tokens=2000,
            thinking={"type": "enabled", "budget_tokens": 1024},
        ),
    ),
    "a tool call without result": (
        BAD,
        "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
        body(*ASKED_TOOL, user("Well?")),
    ),
    "one of two results": (
        BAD,
        "immediately after: toolu_2",
        body(
            user("a"),
            assistant(tool_use(), tool_use("toolu_2")),
            user(tool_result(), text("b")),
        ),
    ),
    "a result without call": (BAD, "unexpected `tool_use_id`", body(user(tool_result()))),
    "a result too late": (
        BAD,
        "immediately after",
        body(*ASKED_TOOL, user("b"), assistant("c"), user(tool_result(), text("d"))),
    ),
    "text before a result": (
        BAD,
        "must come first",
        body(*ASKED_TOOL, user(text("b"), tool_result())),
    ),
    "two results for one call": (
        BAD,
        "single result",
        body(*ASKED_TOOL, user(tool_result(), tool_result())),
    ),
    "a call id used twice": (
        BAD,
        "must be unique",
        body(
            *ASKED_TOOL,
            user(tool_result(), text("b")),
            assistant(tool_use()),
            user(tool_result(), text("c")),
        ),
    ),
    "a tool call by the user": (BAD, "not permitted in user", body(user(tool_use(), text("a")))),
    "an image by the assistant": (
        BAD,
        "not permitted in assistant",
        body(user("a"), assistant(image(), text("b")), user("c")),
    ),
    "a system message first": (BAD, "first message", body({"role": "system", "content": "a"})),
    "a system message for a model that has none": (
        BAD,
        "'system' is not supported",
        body(user("a"), {"role": "system", "content": "b"}, model="claude-sonnet-5"),
    ),
    "a system message before a user message": (
        BAD,
        "must precede an assistant message",
        body(user("a"), {"role": "system", "content": "b"}, user("c")),
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
