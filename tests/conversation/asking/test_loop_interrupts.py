"""One question that takes several requests, interrupted: what came is kept, and it can go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import Event, Failed, Received
from claude_magic.messages.blocks import content_blocks, text
from claude_magic.messages.errors import Interrupted
from claude_magic.messages.transport.cancel import Cancel
from tests.conversation.desk_and_scales import ONE_CALL, Desk, Scales, interrupt
from tests.conversation.scripted_server import calls, says


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

    def stops(event: Event) -> None:
        match event:
            case Received({"delta": {"text": str(words)}}) if "much" in words:
                cancel.set()

    with pytest.raises(Interrupted):
        at.session.ask(question, stops, cancel=cancel)
    (turn,) = at.turns
    assert (turn.status, len(turn.steps)) == ("interrupted", 1)
    assert turn.text.startswith("I weigh it.\n\nIt weighs very")
    at.server.script = [says("Yes.")]
    at.ask("Go on", cell="B")
    assert at.server.bodies[-1]["messages"][-2]["content"][-1]["text"].startswith("[The user")


class StopsAt:
    """Interrupts whatever the question is doing as it is told of it for the so-manieth time.

    That it failed is told last, when all is over.
    """

    def __init__(self, moment: int) -> None:
        self._left = moment
        self.doing = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Failed):
            return
        self._left -= 1
        if self._left == 0:
            self.doing = type(event).__name__
            raise KeyboardInterrupt


def test_an_interrupt_at_any_moment_of_a_loop_leaves_a_conversation_that_goes_on(
    desk: Callable[..., Desk],
) -> None:
    both = calls(("t1", "weigh", {"sample": "A"}), ("t2", "weigh", {"sample": "B"}), text="Both.")
    loop = (both, says("3 g and 3 g."), says("Yes."))
    at, met = desk(*loop), []
    for moment in range(1, 100):
        at.server.script = list(loop)
        listener = StopsAt(moment)
        try:
            at.ask(f"Weigh {moment}", listener=listener, tools=Scales())
        except Interrupted:
            met.append(listener.doing)
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
    assert set(met) == {"Sending", "Received", "Calling", "Called", "Ended"}
    assert met.count("Calling") == met.count("Called") == 2
    assert len(met) == moment - 1
    assert at.server.refused == []
