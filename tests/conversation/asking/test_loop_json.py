"""A question whose reply is to be JSON: what does not fit is asked for once more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from claude_magic.messages.errors import InvalidReply
from tests.conversation.desk_and_scales import ONE_CALL, Desk, Scales
from tests.conversation.scripted_server import says


class Numbers:
    """A shape: a list of numbers."""

    name = "Numbers"
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}},
        "required": ["numbers"],
        "additionalProperties": False,
    }

    def read(self, text: str) -> Any:
        found = json.loads(text)["numbers"]
        if not all(number > 0 for number in found):
            raise ValueError("numbers: each must be above 0")
        return found


class TestJSON:
    def test_the_value_comes_with_the_reply(self, desk: Callable[..., Desk]) -> None:
        at = desk(says('{"numbers": [1, 2]}'))
        assert at.ask(shape=Numbers()).value == [1, 2]
        # This server is not Anthropic's: it is asked in words.
        assert "JSON schema" in at.server.bodies[0]["messages"][-1]["content"][-1]["text"]

    def test_what_does_not_fit_is_asked_for_once_more_with_the_reason(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(says('{"numbers": [0]}'), says('{"numbers": [3]}'))
        reply = at.ask(shape=Numbers())
        assert reply.value == [3]
        assert reply.text == '{"numbers": [3]}'
        asked = at.server.bodies[-1]["messages"][-1]["content"][0]["text"]
        assert "each must be above 0" in asked

    def test_what_does_not_fit_twice_is_an_error_and_kept(self, desk: Callable[..., Desk]) -> None:
        at = desk(says('{"numbers": [0]}'))
        with pytest.raises(InvalidReply, match="no Numbers: numbers: each must be above 0"):
            at.ask(shape=Numbers())
        assert len(at.server.bodies) == 2
        assert at.turns[0].status == "complete"

    @pytest.mark.parametrize(
        ("stop", "says_what"), [("max_tokens", "--max-tokens"), ("refusal", "declined")]
    )
    def test_a_reply_that_did_not_end_well_is_no_value_and_not_asked_for_again(
        self, desk: Callable[..., Desk], stop: str, says_what: str
    ) -> None:
        at = desk(says('{"numbers": [', stop_reason=stop))
        with pytest.raises(InvalidReply, match=says_what):
            at.ask(shape=Numbers())
        assert len(at.server.bodies) == 1

    def test_the_record_gives_the_value_again(self, desk: Callable[..., Desk]) -> None:
        at = desk(says('{"numbers": [0]}'), says('{"numbers": [3]}'))
        at.ask(shape=Numbers())
        at.restart()
        again = at.ask(shape=Numbers())
        assert (again.value, again.replayed) == ([3], True)
        assert len(at.server.bodies) == 2

    def test_tools_may_run_before_the_value_comes(self, desk: Callable[..., Desk]) -> None:
        at = desk(ONE_CALL[0], says('{"numbers": [3]}'))
        assert at.ask(shape=Numbers(), tools=Scales()).value == [3]
