"""A reply as it comes, given to the display event by event. The clock is the test's."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from claude_magic.computer import DesktopStep
from claude_magic.computer.screen_pictures import png
from claude_magic.conversation.asking.plan import Plan
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import (
    Called,
    Calling,
    Ended,
    Received,
    Seen,
    Sending,
    Waiting,
)
from claude_magic.conversation.reply_value import Reply
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text
from claude_magic.messages.images.prepare import ImageCache
from claude_magic.messages.transport.retry import Wait
from claude_magic.notebook.display import cell_display
from claude_magic.notebook.display.cell_display import CellDisplay
from claude_magic.rendering import stacked
from tests.interrupting import places, returns

MOST_OUTPUTS = 12


class Cell:
    """The outputs of a cell, as a front end keeps them; every update is counted."""

    def __init__(self) -> None:
        self.outputs: dict[str, dict[str, Any]] = {}
        self.published: list[dict[str, Any]] = []

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
    ) -> None:
        assert metadata is not None
        assert "claude_magic" in metadata
        assert transient is not None
        display_id = transient["display_id"]
        assert update == (display_id in self.outputs)
        self.outputs[display_id] = data
        self.published.append(data)

    def shown(self, mime: str = "text/plain") -> list[str]:
        return [o.get(mime, "") for o in self.outputs.values()]

    @property
    def updates(self) -> int:
        return len(self.published)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def delta(piece: str, kind: str = "text") -> dict[str, Any]:
    part = {"type": f"{kind}_delta", kind: piece}
    return {"type": "content_block_delta", "index": 0, "delta": part}


def play(
    reply_text: str,
    *,
    thinking: str = "",
    streaming: bool = True,
    quiet: bool = False,
    size: int = 29,
    seconds: float = 0.02,
    prefill: str = "",
    question: str = "Hi",
) -> Cell:
    """The cell after a reply came in pieces of `size` characters, `seconds` apart."""
    cell, clock = Cell(), Clock()
    plan = Session(lambda: Settings(base_url="offline")).plan(
        Question(content=(text(question),), prefill=prefill)
    )
    display = CellDisplay(cell, ImageCache(), quiet=quiet, streaming=streaming, clock=clock)
    with closing(display):
        display(Sending(plan))
        for start in range(0, len(thinking), size):
            display(Received(delta(thinking[start : start + size], "thinking")))
        for start in range(0, len(reply_text), size):
            clock.now += seconds
            display(Received(delta(reply_text[start : start + size])))
        notices = (*plan.notices, *plan.request.remarks)
        display(Ended(plan, Reply(turn_of(plan, reply_text), notices)))
    return cell


def turn_of(plan: Plan, reply_text: str) -> Turn:
    parameters = {"prefill": plan.request.prefill, "emulated": plan.request.emulated}
    return Turn(
        "1",
        (text("Hi"),),
        (text(reply_text),),
        plan.model.id,
        "offline",
        parameters=parameters,
        stop_reason="end_turn",
    )


LONG = "\n\n".join(
    f"Paragraph {n}, which says `something` of {'some ' * 20}length." for n in range(300)
)
TEXTS = {
    "a word": "Yes.",
    "a paragraph": "It is **so**, for $5 to $10.",
    "a long text": LONG,
    "long with Windows line ends": LONG.replace("\n", "\r\n"),
    "one endless paragraph": "word " * 8000,
    "a long code block": "```python\n" + "x = 1\n" * 3000 + "```\n\nThat is all.",
    "an unfinished code block": "See:\n\n```python\nx = 1\n",
}


@pytest.mark.parametrize("case", TEXTS)
def test_at_the_end_the_segments_are_the_whole_reply_and_the_footer(case: str) -> None:
    cell = play(TEXTS[case])
    header, *segments = cell.shown("text/plain")
    assert header.startswith("Sonnet 5.5")
    whole = "\n\n".join(segments)
    *parts, footer = whole.rsplit("\n\n", 1)
    assert "0 in · 0 out" in footer
    words = TEXTS[case].split()
    assert "".join(parts).split() == words
    assert "".join(cell.shown("text/markdown")).count("Paragraph") == TEXTS[case].count("Paragraph")


@pytest.mark.parametrize("case", TEXTS)
def test_a_cell_never_has_more_than_twelve_outputs(case: str) -> None:
    assert len(play(TEXTS[case], thinking="Let me see.").outputs) <= MOST_OUTPUTS


def test_a_long_reply_is_frozen_in_parts() -> None:
    assert len(play(LONG).outputs) > 4


def test_a_reply_is_shown_at_most_ten_times_a_second() -> None:
    pieces, seconds = 3000, 0.005
    cell = play("word " * pieces, size=5, seconds=seconds)
    assert cell.updates <= pieces * seconds * 10 + MOST_OUTPUTS + 5


def test_the_first_words_are_shown_at_once() -> None:
    cell, clock = Cell(), Clock()
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    with closing(CellDisplay(cell, ImageCache(), clock=clock)) as display:
        display(Sending(plan))
        assert cell.shown()[-1] == "sending"
        display(Received(delta("The first")))
        assert "The first" in cell.shown("text/html")[-1]


def test_a_wait_counts_down() -> None:
    cell = Cell()
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    with closing(CellDisplay(cell, ImageCache(), clock=Clock())) as display:
        display(Sending(plan))
        display(Waiting(Wait(12.0, "rate limit reached", 1)))
        assert cell.shown()[-1] == "rate limit reached: again in 12 s"


def test_without_a_reply_no_waiting_line_stays() -> None:
    cell = Cell()
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    with pytest.raises(OSError), closing(CellDisplay(cell, ImageCache(), clock=Clock())) as display:
        display(Sending(plan))
        raise OSError
    assert cell.shown()[-1] == ""


def test_without_streaming_there_is_one_output_at_the_end() -> None:
    cell = play("It is **so**.", streaming=False, thinking="Let me see.")
    assert cell.updates == 2  # the thinking above, folded, and the reply
    *_, reply = cell.outputs.values()
    assert set(reply) == {"text/html", "text/markdown", "text/plain"}
    assert "Sonnet 5.5" in reply["text/html"]
    assert "<strong>so</strong>" in reply["text/html"]
    assert " out · " in reply["text/html"]


def test_quiet_shows_the_reply_alone() -> None:
    cell = play("It is so.", quiet=True, streaming=False)
    assert cell.shown() == ["It is so."]


def test_thinking_is_folded_above_the_text() -> None:
    cell = play("So.", thinking="Let me see.")
    kinds = ["<details" in html for html in cell.shown("text/html")]
    assert kinds == [False, True, False]


def test_the_servers_own_words_are_literal_in_markdown_too() -> None:
    """A stop reason that is not known is shown, whatever a server writes there."""
    bundle = stacked([{"text/markdown": "So."}, {"text/plain": "<img src=x> ![a](http://b)"}])
    assert "<img" not in bundle["text/markdown"].replace("\\<", "")
    assert "![" not in bundle["text/markdown"]


def test_a_prefill_asked_for_in_words_is_shown_once() -> None:
    cell = play("The answer is (C), of course.", prefill="The answer is (")
    assert cell.shown()[1].startswith("The answer is (C), of course.")


def test_a_prefill_that_a_choice_completes_shows_no_json() -> None:
    question = "Which? (A) an ant, (B) a bee"
    cell = play('{"answer": "B"}', prefill="It is (", question=question, size=2, seconds=0.2)
    assert cell.shown()[1].startswith("It is (B\n")
    shown = [value for data in cell.published for value in data.values()]
    assert not any("answer" in value for value in shown)
    assert "takes no prefill: asked for as one of A, B" in cell.shown()[1]
    assert "prefill" not in cell.shown()[0]


def test_no_escape_sequence_cut_in_two_is_shown() -> None:
    cell = play("One \x1b[31mred\x1b[0m word", size=1)
    assert cell.shown()[1].startswith("One red word")


def test_wherever_an_interrupt_meets_the_end_it_can_end_once_more() -> None:
    """Python's own events and conditions stay locked where it meets them."""
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    reply = Reply(turn_of(plan, "It is so."))
    count = 0
    for interrupt in places(cell_display, threading):
        display = CellDisplay(Cell(), ImageCache(), clock=Clock())
        display(Sending(plan))
        display(Received(delta("It is so.")))
        try:
            with interrupt:
                display(Ended(plan, reply))
        except KeyboardInterrupt:
            count += 1
        assert returns(lambda display=display: display(Ended(plan, reply))), f"at place {count}"
        display.close()
    assert count > 5


def block_events(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks as the events of a stream: text in two deltas, then its citations, then its end."""
    found: list[dict[str, Any]] = []
    for index, block in enumerate(blocks):
        begun = {"type": "content_block_start", "index": index}
        if block["type"] != "text":
            found.append(begun | {"content_block": block})
        else:
            found.append(begun | {"content_block": {"type": "text", "text": ""}})
            middle = len(block["text"]) // 2
            for piece in (block["text"][:middle], block["text"][middle:]):
                found.append(delta(piece) | {"index": index})
            for citation in block.get("citations", ()):
                part = {"type": "citations_delta", "citation": citation}
                found.append({"type": "content_block_delta", "index": index, "delta": part})
        found.append({"type": "content_block_stop", "index": index})
    return found


SOURCE = {
    "type": "web_search_result_location",
    "url": "https://example.org/ants",
    "title": "Ants <script>alert(1)</script>",
    "cited_text": "Ants are insects.",
}
SEARCHED = (
    {"type": "text", "text": "I look it up."},
    {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {"query": "ants <b>"},
    },
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [
            {
                "type": "web_search_result",
                "url": "https://example.org/ants",
                "title": "Ants",
                "encrypted_content": "",
            }
        ],
    },
    {"type": "text", "text": "They are insects.", "citations": [SOURCE]},
)


def searched(*, streaming: bool, recorded: bool = False) -> Cell:
    """The cell after a reply with a search came, or was shown again from the record."""
    cell = Cell()
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    turn = replace(turn_of(plan, ""), reply=SEARCHED)
    with closing(CellDisplay(cell, ImageCache(), streaming=streaming)) as display:
        if not recorded:
            display(Sending(plan))
            for event in block_events(*SEARCHED):
                display(Received(event))
        display(Ended(plan, Reply(turn, plan.notices, replayed=recorded)))
    return cell


@pytest.mark.parametrize("streaming", [True, False], ids=["as it comes", "at the end"])
def test_a_search_is_folded_where_it_was_made_and_its_sources_are_listed_last(
    streaming: bool,
) -> None:
    cell = searched(streaming=streaming)
    shown = "\n".join(cell.shown())
    places = [
        shown.index(words)
        for words in ("I look it up.", "Searched the web", "They are insects.[1]", "[1] Ants")
    ]
    assert places == sorted(places)
    html = "\n".join(cell.shown("text/html"))
    assert "<script" not in html
    assert 'href="https://example.org/ants"' in html
    assert len(cell.outputs) <= MOST_OUTPUTS


@pytest.mark.met("P12")
def test_the_same_reply_from_the_record_shows_the_same_and_that_it_is_free() -> None:
    live, again = (
        "\n".join(searched(streaming=False, recorded=recorded).shown()).rstrip().splitlines()
        for recorded in (False, True)
    )
    assert " ".join(live[:-1]).split() == " ".join(again[:-1]).split()
    assert again[-1] == "from the record · free"


def step(number: int) -> dict[str, Any]:
    given = {"coordinate": [number, 1]}
    name = {"name": "left_click", "toolset_name": "computer"}
    return {"type": "tool_use", "id": f"toolu_{number}", "input": given, **name}


def done(number: int) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": [text("OK")]}


@pytest.mark.parametrize("streaming", [True, False], ids=["as it comes", "at the end"])
def test_many_steps_on_a_desktop_stand_in_few_outputs_and_stay_small(streaming: bool) -> None:
    picture = photograph()
    cell = Cell()
    plan = Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))
    reply = Reply(turn_of(plan, "All done."), steps=[DesktopStep("left_click", picture)] * 60)
    with closing(CellDisplay(cell, ImageCache(), streaming=streaming)) as display:
        display(Sending(plan))
        for number in range(60):
            display(Calling(step(number)))
            display(Seen(step(number), picture))
            display(Called(step(number), done(number), 0.1))
        display(Ended(plan, reply))
    outputs = [o for o in cell.outputs.values() if any(o.values())]
    assert len(outputs) <= 4
    shown = "".join(o["text/html"] for o in outputs)
    assert "60 steps on the desktop · 6.0 s" in shown
    assert "60. left_click at 59, 1 · 0.1 s · ok" in shown
    assert shown.count("claude-magic-thumbnail") < 40
    assert len(shown) < 1_500_000


def photograph() -> bytes:
    """A screen that is one photograph: its picture is larger than that of a program."""
    pixels = random.Random(1).randbytes(16 * 10 * 3)  # noqa: S311
    return png(Image.frombytes("RGB", (16, 10), pixels).resize((1280, 800)))
