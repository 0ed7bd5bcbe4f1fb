"""What happens is told as values, which compare and read like the data that they are."""

from __future__ import annotations

import copy
import dataclasses
import typing
from typing import Any

import pytest

from claude_magic.conversation import events
from claude_magic.conversation.events import (
    Called,
    Calling,
    Doing,
    Event,
    Failed,
    Received,
    Seen,
    Waiting,
    to_all,
)
from claude_magic.messages.blocks import Block

CALL: Block = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {}}
KINDS: list[Any] = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
]


def test_events_are_equal_where_they_are_of_one_kind_and_hold_the_same() -> None:
    assert Calling(CALL) == Calling(dict(CALL))
    assert Calling(CALL) != Calling({**CALL, "id": "t2"})
    assert Doing(CALL, "waits") != Doing(CALL, "runs")


def test_two_kinds_of_events_are_never_equal() -> None:
    same = [kind(*["the same"] * len(kind.__match_args__)) for kind in KINDS]
    assert len(same) == 9
    for place, event in enumerate(same):
        assert [other == event for other in same].index(True) == place
        assert sum(other == event for other in same) == 1
    assert len(set(same)) == 9


def test_an_event_reads_as_it_is_made() -> None:
    event = Called(CALL, {"type": "tool_result"}, None)
    assert repr(event) == f"Called(call={CALL!r}, result={{'type': 'tool_result'}}, seconds=None)"


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_an_event_cannot_be_changed_and_holds_nothing_else(kind: Any) -> None:
    event = kind(*range(len(kind.__match_args__)))
    for name in (*kind.__match_args__, "something_else"):
        with pytest.raises(AttributeError):
            setattr(event, name, 1)
    assert list(vars(event).values()) == [*range(len(kind.__match_args__))]
    assert copy.copy(event) == event


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_each_kind_says_when_it_happens(kind: Any) -> None:
    assert kind.__doc__


def test_the_union_names_every_kind() -> None:
    called = set(typing.get_args(events.CallEvent))
    named = {name.strip() for name in str(Event).split("|")}
    assert named == {kind.__name__ for kind in KINDS if kind not in called} | {"CallEvent"}
    assert called == {Calling, Doing, Seen, Called}


@pytest.mark.parametrize("count", range(4))
def test_each_of_several_listeners_hears_all_in_their_order(count: int) -> None:
    heard: list[tuple[int, Event]] = []
    tell = to_all(*[lambda e, n=n: heard.append((n, e)) for n in range(count)])
    told: list[Event] = [Received({"type": "ping"}), Failed(OSError())]
    for event in told:
        tell(event)
    assert heard == [(n, event) for event in told for n in range(count)]


def test_a_listener_has_branches_for_what_it_cares_for_alone() -> None:
    seen = []

    def listen(event: Event) -> None:
        match event:
            case Received({"delta": {"text": words}}):
                seen.append(words)
            case Seen(_, picture):
                seen.append(picture)

    for event in (Received({"delta": {"text": "Hi"}}), Calling(CALL), Seen(CALL, b"PNG")):
        listen(event)
    assert seen == ["Hi", b"PNG"]
    assert Waiting.__match_args__ == ("wait",)
