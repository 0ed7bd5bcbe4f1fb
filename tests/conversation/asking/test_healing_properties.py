"""What holds for every conversation that is mended or made shorter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.asking.healing import (
    TooLong,
    how_many_oldest,
    mended_tools,
    without_oldest,
)
from claude_magic.messages.blocks import text
from claude_magic.offline.referee.referee import check
from tests.conversation.asking.message_samples import (
    HEADERS,
    RED,
    SONNET,
    A,
    body,
    call,
    result,
    user,
)

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
