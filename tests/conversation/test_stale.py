"""A turn is stale once it would be asked after other messages than it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.asking.plan import begun
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.asking.replay import Replays
from claude_magic.conversation.history import History
from claude_magic.conversation.ledger import stale_turns
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text

API = "https://api.anthropic.com"


def turn(name: str, question: str = "?", reply: str = "!", **said: object) -> Turn:
    made = Turn(name, (text(question),), (text(reply),), "m", API)
    return replace(made, **said)  # type: ignore[arg-type]


ABOVE = turn("above")
BELOW = turn("below", saw=("above",))


def sees(*shown: Turn) -> Callable[[Turn], Sequence[Turn]]:
    """The turn below sees these, the others nothing."""
    return lambda of: shown if of.id == "below" else ()


NEW = turn("new", "another question")


@pytest.mark.parametrize(
    ("shown", "stale"),
    [
        ([ABOVE], False),
        ([turn("again")], False),
        ([turn("again", reply="Another reply.")], True),
        ([NEW], True),
        ([ABOVE, NEW], True),
        ([NEW, ABOVE], True),
        ([], True),
        ([ABOVE, turn("x", status="broken")], False),
        ([ABOVE, turn("x", alone=True)], False),
        ([ABOVE, turn("x", server="offline")], False),
        ([replace(ABOVE, id="again", usage=replace(ABOVE.usage, output=9), ended=7.0)], False),
    ],
    ids=[
        "nothing changed",
        "the turn above was asked again and is the same",
        "the turn above has another reply",
        "the turn above asks something else",
        "a turn was added below it",
        "a turn was added above it",
        "the turn above was deleted",
        "a broken turn is not sent",
        "a turn asked alone is not sent",
        "an offline turn is not sent to another server",
        "tokens and times are not sent",
    ],
)
def test_a_turn_is_stale_if_its_messages_would_be_others(shown: list[Turn], stale: bool) -> None:
    turns = [ABOVE, BELOW, *(t for t in shown if t is not ABOVE)]
    assert stale_turns(turns, sees(*shown)) == ({"below"} if stale else set())


def test_thinking_that_is_not_sent_makes_nothing_stale() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    again = turn("again", reply="!")
    again = replace(again, reply=(thought, *again.reply))
    assert stale_turns([ABOVE, BELOW, again], sees(again)) == set()


def test_what_was_seen_and_is_not_known_any_more_counts_as_changed() -> None:
    assert stale_turns([BELOW], sees()) == {"below"}


@pytest.mark.parametrize(
    "said",
    [
        {"status": "broken"},
        {"status": "refused"},
        {"alone": True},
        {"parameters": {"synthetic": True}},
    ],
)
def test_what_nobody_would_ask_again_is_never_stale(said: dict[str, object]) -> None:
    below = replace(BELOW, **said)  # type: ignore[arg-type]
    assert stale_turns([ABOVE, below], sees()) == set()


def test_an_interrupted_turn_goes_stale() -> None:
    assert stale_turns([ABOVE, replace(BELOW, status="interrupted")], sees()) == {"below"}


def test_an_offline_turn_is_seen_by_the_turns_of_the_offline_server() -> None:
    above = replace(ABOVE, server="offline")
    below = replace(BELOW, server="offline")
    assert stale_turns([above, below], sees(above)) == set()
    assert stale_turns([above, below], sees()) == {"below"}


# --- How many questions below see one that is asked again.

PAGE = tuple("ABCDE")
SETTINGS = Settings(base_url="offline")


@st.composite
def stories(draw: st.DrawFn) -> History:
    """A conversation as cells and the panel made it, in any order of running."""
    history = History()
    runs = st.tuples(
        st.sampled_from(PAGE),
        st.sampled_from(["complete"] * 4 + ["interrupted", "broken"]),
        st.sampled_from([{}, {}, {}, {"alone": True}, {"panel": True}, {"server": ""}]),
        st.integers(1, 2),
    )
    for number, (cell, status, said, questions) in enumerate(draw(st.lists(runs, max_size=12))):
        asked: list[str] = []
        for ordinal in range(1 if "panel" in said else questions):
            panel = "panel" in said
            saw = history.seen(cell, asked, PAGE, panel=panel)
            made = turn(f"{number}.{ordinal}", reply=f"Reply {number}", cell=cell, saw=())
            made = replace(
                made,
                ordinal=ordinal,
                status=status,
                server="offline",
                prompt="?",
                requested="claude-sonnet-5-5",
                question=f"asked in {cell}",
                saw=() if "alone" in said else tuple(t.id for t in saw),
                started=float(number),
                ended=number + 0.5,
                form=2,
                **({"parameters": {"synthetic": True}} if "server" in said else said),
            )
            history.end(made)
            asked.append(made.id)
        if "panel" not in said:
            history.ran(cell, asked, well=status == "complete")
    return history


@given(stories(), st.sampled_from(PAGE), st.integers(0, 1))
@settings(max_examples=300, deadline=None)
@pytest.mark.met("P12")
def test_the_questions_that_are_said_to_follow_are_those_that_are_marked_stale_afterwards(
    history: History, cell: str, ordinal: int
) -> None:
    """The line above the reply, which is written before there is one, and the table's marks."""
    session = Session(lambda: SETTINGS, history=lambda: history)
    question = Question(
        (text("?"),), prompt="?", cell=cell, ordinal=ordinal, order=PAGE, page=("code-new",)
    )
    run = [
        t.id
        for t in history.of_cell(cell)
        if t.ordinal < ordinal and t.id not in history.retired and not t.panel
    ]
    plan = session.plan(replace(question, run=tuple(run)))
    line = Replays(lambda: history).miss(plan)
    if line is None:
        return
    found = re.search(r"(\d+) questions? below", line)
    said = int(found[1]) if found else 0

    anew = replace(begun(plan, "", 99.0), reply=(text("Quite another"),), status="complete")
    history.end(anew)
    history.ran(cell, [*run, anew.id], well=True)
    marked = history.stale(PAGE)
    before = {t.id for t in history.of_cell(cell) if t.ordinal == ordinal} - {anew.id}
    follow = [
        t.id
        for t in history.on_page(PAGE)
        if t.id in marked
        if anew.id in {seen.id for seen in history.sees(t, PAGE)} or before & set(t.saw)
    ]
    assert said == len(follow), (line, follow)
