"""One question that takes several requests: tools run, the server pauses, JSON does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.conversations import Conversations, Whereabouts
from claude_magic.conversation.question import Question
from claude_magic.conversation.recording import write
from claude_magic.conversation.reply import Reply
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.conversation.watcher import Silent, Watcher
from claude_magic.messages.blocks import Block, content_blocks, image_base64, text
from claude_magic.messages.cancel import Cancel
from claude_magic.messages.errors import (
    BadRequest,
    BrokenReply,
    BudgetError,
    InputError,
    Interrupted,
    InvalidReply,
    NotRecordedError,
)
from claude_magic.messages.models import Model
from tests.conversation.scripted_server import Refuses, Says, ScriptedServer, calls, says
from tests.conversation.test_healing import png

WEIGH: Mapping[str, Any] = {
    "name": "weigh",
    "description": "The weight of a sample in grams.",
    "input_schema": {
        "type": "object",
        "properties": {"sample": {"type": "string"}},
        "required": ["sample"],
    },
}


class Scales:
    """A toolbox with one tool, which gives what the test says."""

    once = False

    def __init__(self, *weighs: Callable[[Block], str], most_steps: int = 5) -> None:
        self.most_steps = most_steps
        self.called: list[Block] = []
        self.checked = 0
        self._weighs = list(weighs) or [lambda call: f"{call['input']['sample']}: 3 g"]

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return [WEIGH]

    def betas(self, model: Model) -> tuple[str, ...]:
        return ()

    def check(self) -> None:
        self.checked += 1

    def run(
        self, calls: Sequence[Block], watcher: Watcher, cancel: Cancel | None
    ) -> Iterator[Block]:
        for call in calls:
            watcher.calling(call)
            self.called.append(call)
            weigh = self._weighs.pop(0) if len(self._weighs) > 1 else self._weighs[0]
            result = {
                "type": "tool_result",
                "tool_use_id": call["id"],
                "content": [text(weigh(call))],
            }
            watcher.called(call, result, 0.1)
            yield result

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        return [call["id"] for call, _ in answered]


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


class Told(Silent):
    """A watcher that notes what it is told, in order."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def sending(self, plan: Any) -> None:
        self.notes.append("sending")

    def received(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "content_block_start":
            self.notes.append(event["content_block"]["type"])

    def calling(self, call: Block) -> None:
        self.notes.append(f"calling {call['id']}")

    def called(self, call: Block, result: Block, seconds: float) -> None:
        self.notes.append(f"called {call['id']}")

    def ended(self, plan: Any, reply: Reply) -> None:
        self.notes.append(reply.turn.status)


class Desk:
    """One kernel after another on the same notebook, asking the same server."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.server = server
        self.settings = Settings(base_url=server.url, model="claude-sonnet-4-6")
        self._store = folder / "store"
        self._where = Whereabouts(str(folder / "page.ipynb"), None, frozenset("AB"))
        self.session = self._session()

    def _session(self) -> Session:
        kept = Conversations(self._store)
        return Session(
            lambda: self.settings,
            history=lambda: kept.open(self._where),
            find=lambda: None,
        )

    def restart(self) -> None:
        self.session.close()
        self.session = self._session()

    def ask(self, prompt: str = "Weigh it", *, watcher: Watcher | None = None, **how: Any) -> Reply:
        said: dict[str, Any] = {"cell": "A", "order": ("A", "B"), **how}
        question = Question(content=(text(prompt),), prompt=prompt, **said)
        return self.session.ask(question, watcher or Silent())

    @property
    def turns(self) -> Sequence[Turn]:
        return self.session.turns


ONE_CALL = (
    calls(("t1", "weigh", {"sample": "A"}), text="I weigh it."),
    says("It weighs 3 g."),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes the desk for a script; what the referee refused fails the test."""
    made: list[Desk] = []

    def at(*script: Says | Refuses) -> Desk:
        server = ScriptedServer(*script)
        server.__enter__()
        made.append(Desk(tmp_path, server))
        return made[-1]

    yield at
    for desk in made:
        desk.session.close()
        desk.server.__exit__(None, None, None)


def roles(body: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


def interrupt(_: Block) -> str:
    raise KeyboardInterrupt


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
    told = Told()
    desk(*ONE_CALL).ask(tools=Scales(), watcher=told)
    assert told.notes == [
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


def test_an_interrupt_while_a_tool_runs_keeps_what_the_others_gave(
    desk: Callable[..., Desk],
) -> None:
    both = calls(("t1", "weigh", {"sample": "A"}), ("t2", "weigh", {"sample": "B"}))
    at = desk(both, says("Yes."))
    with pytest.raises(Interrupted):
        at.ask(tools=Scales(lambda _: "3 g", interrupt))
    (turn,) = at.turns
    assert turn.status == "interrupted"
    at.ask("Go on", cell="B")
    results = at.server.bodies[-1]["messages"][2]["content"]
    assert [r.get("is_error", False) for r in results] == [False, True]


def test_an_interrupt_while_the_second_reply_comes_keeps_the_call(
    desk: Callable[..., Desk],
) -> None:
    at = desk(ONE_CALL[0], says("It weighs very much, " + "as it were " * 50, hold=True))
    cancel = Cancel()
    question = Question(content=(text("Weigh"),), cell="A", order=("A", "B"), tools=Scales())

    class Stops(Silent):
        def received(self, event: Mapping[str, Any]) -> None:
            if "much" in event.get("delta", {}).get("text", ""):
                cancel.set()

    with pytest.raises(Interrupted):
        at.session.ask(question, Stops(), cancel=cancel)
    (turn,) = at.turns
    assert (turn.status, len(turn.steps)) == ("interrupted", 1)
    assert turn.text.startswith("I weigh it.\n\nIt weighs very")
    at.server.script = [says("Yes.")]
    at.ask("Go on", cell="B")
    assert at.server.bodies[-1]["messages"][-2]["content"][-1]["text"].startswith("[The user")


class StopsAt(Silent):
    """Interrupts whatever the question is doing as it is told of it for the so-manieth time."""

    def __init__(self, moment: int) -> None:
        self._left = moment
        self.doing = ""

    def _told(self, doing: str) -> None:
        self._left -= 1
        if self._left == 0:
            self.doing = doing
            raise KeyboardInterrupt

    def sending(self, plan: Any) -> None:
        self._told("sending")

    def received(self, event: Mapping[str, Any]) -> None:
        self._told("receiving")

    def calling(self, call: Block) -> None:
        self._told("calling")

    def called(self, call: Block, result: Block, seconds: float) -> None:
        self._told("called")

    def ended(self, plan: Any, reply: Reply) -> None:
        self._told("ending")


def test_an_interrupt_at_any_moment_of_a_loop_leaves_a_conversation_that_goes_on(
    desk: Callable[..., Desk],
) -> None:
    both = calls(("t1", "weigh", {"sample": "A"}), ("t2", "weigh", {"sample": "B"}), text="Both.")
    loop = (both, says("3 g and 3 g."), says("Yes."))
    at, met = desk(*loop), []
    for moment in range(1, 100):
        at.server.script = list(loop)
        watcher = StopsAt(moment)
        try:
            at.ask(f"Weigh {moment}", watcher=watcher, tools=Scales())
        except Interrupted:
            met.append(watcher.doing)
        else:
            break
        kept = [(turn.prompt, turn.status, turn.blocks) for turn in at.turns]
        at.restart()
        assert [(turn.prompt, turn.status, turn.blocks) for turn in at.turns] == kept
        at.server.script = [says("Yes.")]
        at.ask("Go on", cell="B", fresh=True)
        results = [
            block
            for message in at.server.bodies[-1]["messages"]
            for block in content_blocks(message)
            if block["type"] == "tool_result"
        ]
        assert len(results) in (0, 2), "each call has its result"
    assert set(met) == {"sending", "receiving", "calling", "called", "ending"}
    assert met.count("calling") == met.count("called") == 2
    assert len(met) == moment - 1
    assert at.server.refused == []


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


class TestFromTheRecord:
    """Tools run again; as long as they give the same, nothing is sent."""

    def test_the_same_results_are_answered_after_a_restart(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL)
        first = at.ask(tools=Scales())
        at.restart()
        scales, told = Scales(), Told()
        again = at.ask(tools=scales, watcher=told)
        assert len(at.server.bodies) == 2
        assert again.replayed
        assert again.turn == first.turn
        assert [call["id"] for call in scales.called] == ["t1"]
        assert scales.checked == 1
        assert told.notes == [
            *("sending", "text", "tool_use", "calling t1", "called t1", "text"),
            "complete",
        ]

    def test_other_results_are_sent_and_only_that_request_is_paid(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL, says("It weighs 4 g."))
        at.ask(tools=Scales())
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "4 g"))
        assert len(at.server.bodies) == 3
        assert not reply.replayed
        assert reply.text == "I weigh it.\n\nIt weighs 4 g."
        assert reply.usage.fresh == 100
        at.restart()
        assert at.ask(tools=Scales(lambda _: "4 g")).turn == reply.turn

    def test_a_loop_that_was_stopped_goes_on_where_it_was(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL)
        with pytest.raises(Interrupted):
            at.ask(tools=Scales(interrupt))
        at.restart()
        assert at.ask(tools=Scales()).text == "I weigh it.\n\nIt weighs 3 g."
        assert len(at.server.bodies) == 2

    def test_fresh_asks_all_of_it_again(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL, *ONE_CALL)
        at.ask(tools=Scales())
        at.ask(tools=Scales(), fresh=True)
        assert len(at.server.bodies) == 4

    def test_a_recording_holds_the_loop_and_nothing_that_tools_gave(
        self, desk: Callable[..., Desk], tmp_path: Path
    ) -> None:
        at = desk(*ONE_CALL)
        at.ask(tools=Scales(lambda _: "a secret weight"))
        recording = tmp_path / "replies.jsonl"
        write(recording, at.turns)
        assert "secret" not in recording.read_text()
        at.session.history.purge()
        at.settings = replace(at.settings, record=str(recording), replay="only")
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "a secret weight"))
        assert (reply.text, reply.notices) == ("I weigh it.\n\nIt weighs 3 g.", ())
        assert len(at.server.bodies) == 2

    def test_replay_only_goes_on_with_a_warning_where_tools_give_something_else(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL)
        at.ask(tools=Scales())
        at.settings = replace(at.settings, replay="only")
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "4 g"))
        assert reply.text == "I weigh it.\n\nIt weighs 3 g."
        assert "may not fit" in reply.notices[-1]
        assert len(at.server.bodies) == 2

    def test_replay_only_says_so_where_the_record_does_not_go_on(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL)
        with pytest.raises(Interrupted):
            at.ask(tools=Scales(interrupt))
        at.settings = replace(at.settings, replay="only")
        at.restart()
        with pytest.raises(NotRecordedError):
            at.ask(tools=Scales())


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


class Screen(Scales):
    """A desktop: each of its calls gives a screenshot, or what the test says in its place."""

    once = True

    def run(
        self, calls: Sequence[Block], watcher: Watcher, cancel: Cancel | None
    ) -> Iterator[Block]:
        for result in super().run(calls, watcher, cancel):
            shot = image_base64("image/png", PIXEL)
            yield {**result, "content": [shot, text(str(len(self.called)))]}


PIXEL = png("red")


def looks(number: int) -> Says:
    return calls((f"toolu_{number}", "computer", {"sample": "all", "action": "screenshot"}))


def test_a_long_run_on_a_desktop_sends_at_most_twenty_screenshots(
    desk: Callable[..., Desk],
) -> None:
    at = desk(*map(looks, range(30)), says("Done."))
    reply = at.ask(tools=Screen(most_steps=40))
    counts = [json.dumps(body).count(PIXEL) for body in at.server.bodies]
    assert counts == [*range(21), *range(6, 16)]
    assert len(reply.turn.steps) == 30
    again = at.ask("And now?", cell="B")
    assert again.turn.status == "complete"
    assert json.dumps(at.server.bodies[-1]).count(PIXEL) == 15


def test_a_recorded_run_on_a_desktop_is_shown_with_what_it_gave_and_nothing_is_run(
    desk: Callable[..., Desk],
) -> None:
    at = desk(looks(1), looks(2), says("Done."))
    first = at.ask(tools=Screen())
    at.restart()
    screen, told = Screen(), Told()
    again = at.ask(tools=screen, watcher=told)
    assert (again.text, again.replayed, len(at.server.bodies)) == (first.text, True, 3)
    assert (screen.called, screen.checked) == ([], 0)
    assert [note for note in told.notes if note.startswith("called")] == [
        "called toolu_1",
        "called toolu_2",
    ]


def test_a_run_on_a_desktop_that_was_stopped_begins_anew(desk: Callable[..., Desk]) -> None:
    at = desk(looks(1), looks(2), says("Done."))
    with pytest.raises(Interrupted):
        at.ask(tools=Screen(lambda _: "fine", interrupt))
    at.restart()
    at.server.script[:] = [looks(3), says("Done.")]
    screen = Screen()
    assert at.ask(tools=screen).text == "Done."
    assert [call["id"] for call in screen.called] == ["toolu_3"]
