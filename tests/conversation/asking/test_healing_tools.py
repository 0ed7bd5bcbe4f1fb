"""Calls of tools and their results are brought together, and what is sound stays as it is."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from claude_magic.conversation.asking.healing import mended_tools
from claude_magic.messages.blocks import text
from claude_magic.offline.referee.referee import check
from tests.conversation.asking.message_samples import (
    FOUND,
    HEADERS,
    LAST,
    ROUNDS,
    SEARCH,
    A,
    Q,
    assistant,
    body,
    call,
    result,
    user,
)

GONE = "[The result of a tool stood here; its call is gone.]"


def interrupted(call_id: str = "a", **more: Any) -> dict[str, Any]:
    said = text("This call was interrupted; it gave no result.")
    return result(call_id, [said], is_error=True, **more)


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
