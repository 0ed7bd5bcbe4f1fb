"""Old screenshots leave a request, many at once, so that it stays the same in between."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.conversation.asking.plan import BATCH, GONE, MOST, pruned
from claude_magic.messages.blocks import Message
from claude_magic.messages.models import Model
from tests.computer.calls_as_sent import FORMS, NEWEST, call


def image(number: int) -> dict[str, object]:
    source = {"type": "base64", "media_type": "image/png", "data": f"{number:04}"}
    return {"type": "image", "source": source}


def conversation(shots: int, model: Model = NEWEST) -> list[Message]:
    """A question, and so many rounds with a screenshot in each."""
    messages: list[Message] = [{"role": "user", "content": "Look."}]
    for number in range(shots):
        asked = {**call("screenshot", model=model), "id": f"toolu_{number}"}
        result = {"type": "tool_result", "tool_use_id": asked["id"], "content": [image(number)]}
        if "toolset_name" in asked:
            result["toolset_name"] = "computer"
        messages += [
            {"role": "assistant", "content": [asked]},
            {"role": "user", "content": [result]},
        ]
    return messages


def full_size(messages: Sequence[Message]) -> int:
    return json.dumps(messages).count('"image"')


@given(st.integers(0, 120))
def test_no_request_holds_more_than_twenty_and_the_newest_are_there(shots: int) -> None:
    messages = pruned(conversation(shots))
    assert full_size(messages) <= MOST
    assert full_size(messages) >= min(shots, MOST - BATCH + 1)
    if shots:
        assert messages[-1] == conversation(shots)[-1]


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
def test_what_was_sent_stays_the_same_byte_by_byte_until_fifteen_more_came(model: Model) -> None:
    whole = conversation(100, model)
    sent = [json.dumps(list(pruned(whole[: 1 + 2 * shots]))) for shots in range(101)]
    changes = [
        shots
        for shots in range(1, 101)
        if not sent[shots].startswith(sent[shots - 1].removesuffix("]"))
    ]
    assert changes == [MOST + 1 + n * BATCH for n in range(len(changes))]
    assert len(changes) == 6


def test_a_line_stands_where_a_screenshot_was() -> None:
    messages = pruned(conversation(MOST + 1))
    results = [block for m in messages for block in m["content"] if isinstance(block, dict)]
    texts = [r["content"] for r in results if r["type"] == "tool_result"]
    assert texts[:BATCH] == [[{"type": "text", "text": GONE}]] * BATCH
    assert all(block["tool_use_id"] for block in results if block["type"] == "tool_result")
    assert [r.get("toolset_name") for r in results] == ["computer"] * len(results)


def test_nothing_is_copied_where_nothing_changes() -> None:
    short = conversation(MOST)
    assert pruned(short) is short
    long = conversation(MOST + 1)
    assert pruned(long)[-1] is long[-1]
    assert full_size(long) == MOST + 1


def test_images_that_are_no_screenshots_stay() -> None:
    messages = conversation(MOST + 1)
    messages[0] = {"role": "user", "content": [image(9999), {"type": "text", "text": "Look."}]}
    other = {"type": "tool_use", "id": "toolu_plot", "name": "plot", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_plot", "content": [image(8888)]}
    messages[1:1] = [
        {"role": "assistant", "content": [other]},
        {"role": "user", "content": [result]},
    ]
    kept = json.dumps(list(pruned(messages)))
    assert "9999" in kept
    assert "8888" in kept
    assert "0000" not in kept


def test_of_two_pictures_in_one_result_the_older_may_go_alone() -> None:
    messages = conversation(1)
    result = dict(messages[-1]["content"][0])  # type: ignore[arg-type]
    result["content"] = [{"type": "text", "text": "OK"}, image(0), image(1)]
    messages[-1] = {"role": "user", "content": [result]}
    (block,) = pruned(messages, most=1, batch=1)[-1]["content"]
    assert block["content"] == [  # type: ignore[index]
        {"type": "text", "text": "OK"},
        {"type": "text", "text": GONE},
        image(1),
    ]
