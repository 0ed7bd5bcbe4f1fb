"""A turn is stale once it would be asked after other messages than it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from claude_magic.conversation.ledger import stale_turns
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
