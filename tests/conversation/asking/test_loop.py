"""One question that takes several requests: tools run, the server pauses, or it all breaks off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from claude_magic.conversation.events import Event
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import BadRequest, BrokenReply, BudgetError, InputError
from tests.conversation.desk_and_scales import ONE_CALL, WEIGH, Desk, Scales, noted
from tests.conversation.scripted_server import Refuses, Says, calls, says


def roles(body: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


def test_a_tool_is_run_and_the_model_goes_on_with_what_it_gave(desk: Callable[..., Desk]) -> None:
    at, scales = desk(*ONE_CALL), Scales()
    reply = at.ask(tools=scales)
    first, second = at.server.bodies
    assert first["tools"] == second["tools"] == [WEIGH]
    assert roles(second) == ["user", "assistant", "user"]
    called, gave = second["messages"][1:]
    assert called["content"] == list(ONE_CALL[0].content)
    assert gave["content"][0]["content"] == [text("A: 3 g")]
    assert reply.text == "I weigh it.\n\nIt weighs 3 g."
    assert [call["id"] for call in scales.called] == ["t1"]


def test_it_is_one_turn_with_the_tokens_of_all_its_requests(desk: Callable[..., Desk]) -> None:
    at = desk(*ONE_CALL)
    reply = at.ask(tools=Scales())
    (turn,) = at.turns
    assert reply.turn is turn
    assert [step.kind for step in turn.steps] == ["tools"]
    assert (turn.usage.fresh, turn.usage.output) == (200, 20)
    assert len(set(turn.digests)) == 2


def test_whoever_watches_is_told_in_the_order_of_events(desk: Callable[..., Desk]) -> None:
    events: list[Event] = []
    desk(*ONE_CALL).ask(tools=Scales(), listener=events.append)
    assert noted(events) == [
        *("sending", "text", "tool_use", "calling t1", "called t1", "text"),
        "complete",
    ]


def test_later_questions_see_the_calls_and_their_results(desk: Callable[..., Desk]) -> None:
    at = desk(*ONE_CALL, says("Yes."))
    at.ask(tools=Scales())
    at.ask("Sure?", cell="B")
    assert roles(at.server.bodies[-1]) == ["user", "assistant", "user", "assistant", "user"]


def test_several_calls_are_answered_in_one_message(desk: Callable[..., Desk]) -> None:
    both = calls(("t1", "weigh", {"sample": "A"}), ("t2", "weigh", {"sample": "B"}))
    at = desk(both, says("Done."))
    at.ask(tools=Scales())
    results = at.server.bodies[-1]["messages"][-1]["content"]
    assert [r["tool_use_id"] for r in results] == ["t1", "t2"]


def test_thinking_goes_back_inside_the_loop_and_never_after_it(desk: Callable[..., Desk]) -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    call = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {"sample": "A"}}
    at = desk(Says([thought, call], "tool_use"), says("3 g."), says("Yes."))
    at.ask(tools=Scales())
    at.ask("Sure?", cell="B")
    _, within, after = at.server.bodies
    assert within["messages"][1]["content"][0]["type"] == "thinking"
    assert "thinking" not in json.dumps(after["messages"])


def test_thinking_that_the_server_does_not_take_back_is_left_out(
    desk: Callable[..., Desk],
) -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    call = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {"sample": "A"}}
    words = "messages.1.content.0: Invalid `signature` in `thinking` block."
    at = desk(Says([thought, call], "tool_use"), Refuses(400, words), says("3 g."))
    assert at.ask(tools=Scales()).text == "3 g."
    assert "thinking" not in json.dumps(at.server.bodies[-1]["messages"])


def test_input_that_is_no_json_goes_back_as_what_it_was(desk: Callable[..., Desk]) -> None:
    at = desk(*ONE_CALL)
    broken = {"type": "tool_use", "id": "t1", "name": "weigh", "input": '{"sample": "A'}
    at.server.script[0] = Says([broken], "tool_use")
    at.ask(tools=Scales(lambda call: "not run"))
    sent = at.server.bodies[-1]["messages"][1]["content"][0]
    assert sent["input"] == {"INVALID_JSON": '{"sample": "A'}


@pytest.mark.parametrize("stop", ["max_tokens", "refusal"])
def test_nothing_is_run_of_a_reply_that_did_not_end_well(
    desk: Callable[..., Desk], stop: str
) -> None:
    at, scales = desk(calls(("t1", "weigh", {"sample": "A"}), stop_reason=stop)), Scales()
    at.ask(tools=scales)
    assert scales.called == []
    assert len(at.server.bodies) == 1


def test_a_call_that_was_cut_off_is_not_sent_later(desk: Callable[..., Desk]) -> None:
    at = desk(*ONE_CALL)
    at.server.script = [replace(ONE_CALL[0], cut=-3)]
    with pytest.raises(BrokenReply):
        at.ask(tools=Scales())
    at.server.script = [says("Yes.")]
    at.ask("Go on", cell="B", going_on=at.turns[0].id)
    assert "tool_use" not in json.dumps(at.server.bodies[-1]["messages"])


def test_at_the_limit_of_steps_the_model_has_to_sum_up(desk: Callable[..., Desk]) -> None:
    again = [calls((f"t{n}", "weigh", {"sample": "A"})) for n in range(2)]
    at = desk(*again, says("I weighed it twice."))
    reply = at.ask(tools=Scales(most_steps=2))
    last = at.server.bodies[-1]
    assert last["tool_choice"] == {"type": "none"}
    assert "limit of 2" in last["messages"][-1]["content"][-1]["text"]
    assert reply.text == "I weighed it twice."


def test_a_server_that_pauses_is_let_go_on(desk: Callable[..., Desk]) -> None:
    searched = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    at = desk(Says([searched, found], "pause_turn"), says("Found it."), says("Yes."))
    assert at.ask().text == "Found it."
    at.ask("Sure?", cell="B")
    assert roles(at.server.bodies[1]) == ["user", "assistant"]
    said = at.server.bodies[2]["messages"][1]["content"]
    assert [block["type"] for block in said] == [
        *("server_tool_use", "web_search_tool_result", "text")
    ]


def test_a_server_that_pauses_for_ever_is_left_after_ten_times(desk: Callable[..., Desk]) -> None:
    searched = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    at = desk(Says([searched, found], "pause_turn"))
    assert at.ask().stop_reason == "pause_turn"
    assert len(at.server.bodies) == 11


def test_a_loop_that_breaks_is_kept_with_all_that_came(desk: Callable[..., Desk]) -> None:
    at = desk(ONE_CALL[0], Refuses(400, "tools: something else"))
    with pytest.raises(BadRequest):
        at.ask(tools=Scales())
    (turn,) = at.turns
    assert (turn.status, len(turn.steps), turn.text) == ("broken", 1, "I weigh it.\n\n")


def test_nothing_more_is_sent_once_the_budget_is_spent(desk: Callable[..., Desk]) -> None:
    dear = replace(ONE_CALL[0], usage={"input_tokens": 2_000_000, "output_tokens": 1})
    at = desk(dear, says("3 g."))
    with pytest.raises(BudgetError):
        at.ask(tools=Scales())
    assert len(at.server.bodies) == 1
    assert at.turns[0].status == "broken"


def test_a_tool_that_nobody_can_approve_stops_the_question_before_it_leaves(
    desk: Callable[..., Desk],
) -> None:
    class Locked(Scales):
        def check(self) -> None:
            raise InputError("Nobody can be asked: say --approve auto.")

    at = desk(*ONE_CALL)
    with pytest.raises(InputError):
        at.ask(tools=Locked())
    assert at.server.bodies == []
