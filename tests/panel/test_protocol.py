"""What a panel says is believed only as far as it has the form that was agreed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.panel.reading import read

ASK: dict[str, Any] = {
    "type": "ask",
    "request": "r1",
    "text": "What?",
    "model": "",
    "cell": "",
    "attachments": ["a1"],
    "without": [3],
    "instead": "",
    "keep": [0],
    "after": "",
    "about": {"task": "fix", "cell": "A", "source": "1/0", "error": "no"},
}
GOOD: dict[str, dict[str, Any]] = {
    "hello": {"type": "hello", "view": "v-1"},
    "ask": ASK,
    "ask about nothing": {**ASK, "about": None},
    "again": {"type": "again", "request": "r1", "turn": "t1", "model": "opus"},
    "stop": {"type": "stop", "run": "r"},
    "decide": {"type": "decide", "approval": "a", "answer": "deny", "reason": "no"},
    "attach": {"type": "attach", "attachment": "a", "label": "x", "bundle": {"text/plain": "x"}},
    "switch": {"type": "switch", "turn": "t"},
    "remove": {"type": "remove", "turn": "t"},
    "sent": {"type": "sent", "turn": "t"},
    "picture": {"type": "picture", "turn": "t", "index": 0},
    "earlier": {"type": "earlier", "before": "t"},
    "preview": {"type": "preview", "cell": ""},
    "export": {"type": "export", "form": "md"},
}


@pytest.mark.parametrize("case", GOOD)
def test_what_was_agreed_is_read_as_it_is(case: str) -> None:
    assert read(GOOD[case]) == GOOD[case]


@pytest.mark.parametrize("case", GOOD)
def test_what_else_stands_in_a_message_is_left_behind(case: str) -> None:
    assert read({**GOOD[case], "approve": True}) == GOOD[case]


@pytest.mark.parametrize("case", GOOD)
def test_a_message_that_lacks_a_field_is_none(case: str) -> None:
    for field in GOOD[case]:
        assert read({k: v for k, v in GOOD[case].items() if k != field}) is None


WRONG: dict[str, dict[str, Any]] = {
    "an id with markup": {"type": "hello", "view": "<b>"},
    "an id that is very long": {"type": "stop", "run": "x" * 200},
    "a task that is not known": {**ASK, "about": {**ASK["about"], "task": "run"}},
    "serials that are truths": {**ASK, "without": [True]},
    "attachments that are numbers": {**ASK, "attachments": [1]},
    "too much text": {**ASK, "text": "x" * 5_000_000},
    "an answer that is not known": {**GOOD["decide"], "answer": "yes"},
    "a form that is not known": {"type": "export", "form": "exe"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_none(case: str) -> None:
    assert read(WRONG[case]) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_nothing_that_can_come_in_raises(case: str, data: st.DataObject) -> None:
    message = dict(GOOD[case])
    for field in data.draw(st.lists(st.sampled_from(sorted(message)), max_size=3)):
        message[field] = data.draw(JSON)
    found = read(message)
    assert found is None or found["type"] in {m["type"] for m in GOOD.values()}
