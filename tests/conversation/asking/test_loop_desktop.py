"""One question that takes several requests, each with a screenshot of the desktop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest

from claude_magic.conversation.asking.question import Tell
from claude_magic.conversation.events import Event
from claude_magic.messages.blocks import Block, image_base64, text
from claude_magic.messages.errors import Interrupted
from claude_magic.messages.transport.cancel import Cancel
from tests.conversation.asking.message_samples import png
from tests.conversation.desk_and_scales import Desk, Scales, interrupt, noted
from tests.conversation.scripted_server import Says, calls, says


class Screen(Scales):
    """A desktop: each of its calls gives a screenshot, or what the test says in its place."""

    once = True

    def run(self, calls: Sequence[Block], tell: Tell, cancel: Cancel | None) -> Iterator[Block]:
        for result in super().run(calls, tell, cancel):
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
    events: list[Event] = []
    screen = Screen()
    again = at.ask(tools=screen, listener=events.append)
    assert (again.text, again.replayed, len(at.server.bodies)) == (first.text, True, 3)
    assert (screen.called, screen.checked) == ([], 0)
    assert [note for note in noted(events) if note.startswith("called")] == [
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
