"""What was spent: by turn, by model, by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.conversation.ledger import Entry, by_day, by_model, by_turn, total
from claude_magic.conversation.turns import Turn
from claude_magic.messages.usage import Usage

API = "https://api.anthropic.com"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()
TURN = Turn(
    id="a",
    asked=(),
    reply=(),
    model="claude-sonnet-5-5",  # 2 and 10 USD per million tokens
    server=API,
    usage=Usage(fresh=1_000_000, output=100_000),
    ended=NOON,
)
PAID = Entry(1, TURN.usage, 3.0)
FREE = Entry(free=1)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (TURN, PAID),
        (replace(TURN, status="broken"), PAID),
        (replace(TURN, alone=True), PAID),
        (replace(TURN, model="renamed", requested="sonnet"), PAID),
        (replace(TURN, model="llama", server="http://localhost:1"), Entry(1, TURN.usage, 0.0, 1)),
        (replace(TURN, server="offline"), FREE),
        (replace(TURN, server="", parameters={"synthetic": True}), FREE),
        (replace(TURN, copy_of="b"), FREE),
    ],
    ids=[
        "a turn costs its tokens",
        "what came of a broken reply was paid",
        "a question asked alone was paid",
        "the price is that of the model requested where the name that answered is not known",
        "a model without a known price counts as unpriced",
        "an offline turn is free",
        "a written turn is free",
        "a reply shown again is free",
    ],
)
def test_what_one_turn_costs(turn: Turn, expected: Entry) -> None:
    assert by_turn([turn]) == {"a": expected}


def test_nothing_asked_is_nothing_spent() -> None:
    assert total([]) == Entry()


def test_a_dated_model_counts_under_its_undated_name_and_an_unknown_one_under_its_own() -> None:
    names = ["claude-haiku-4-5-20251001", "claude-haiku-4-5", "llama"]
    assert [(k, e.turns) for k, e in by_model(replace(TURN, model=n) for n in names).items()] == [
        ("claude-haiku-4-5", 2),
        ("llama", 1),
    ]


def test_a_day_is_that_on_which_the_turn_ended_where_the_user_is() -> None:
    late = replace(TURN, ended=NOON + 11.5 * 3600)
    east = timezone(timedelta(hours=1))
    assert list(by_day([late], UTC)) == [date(2026, 11, 3)]
    assert list(by_day([late, TURN], east)) == [date(2026, 11, 3), date(2026, 11, 4)]


TURNS = st.lists(
    st.builds(
        Turn,
        id=st.uuids().map(str),
        asked=st.just(()),
        reply=st.just(()),
        model=st.sampled_from(["claude-sonnet-5-5", "claude-haiku-5-5", "llama", ""]),
        server=st.sampled_from([API, "offline", ""]),
        usage=st.builds(Usage, fresh=st.integers(0, 999), output=st.integers(0, 999)),
        ended=st.integers(0, 2_000_000_000).map(float),
    ),
    max_size=8,
)


@given(TURNS)
def test_however_it_is_grouped_it_adds_up_to_the_same(turns: list[Turn]) -> None:
    whole = total(turns)
    for grouped in (by_turn(turns), by_model(turns), by_day(turns, UTC)):
        added = sum(grouped.values(), Entry())
        assert replace(added, cost=0.0) == replace(whole, cost=0.0)
        assert added.cost == pytest.approx(whole.cost)
    assert whole.turns + whole.free == len(turns)
