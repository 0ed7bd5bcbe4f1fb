"""Why a question is asked again, and what a turn becomes that is shown in another place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.asking.replay import (
    HISTORY,
    Recording,
    Replays,
    changes,
    is_recording,
    line,
    write,
)
from claude_magic.conversation.history import History
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.errors import InputError, NotRecordedError
from claude_magic.messages.request import Request
from claude_magic.messages.usage import Usage

IMAGE, FILE = image_base64("image/png", "AAAA"), {"type": "document", "source": "a file"}
CELL, PROMPT = text("x = 1"), text("Why?")


def turn(name: str, **said: Any) -> Turn:
    made = Turn(
        name,
        (IMAGE, FILE, CELL, PROMPT),
        (text("Because."),),
        "claude-sonnet-4-6",
        "here",
        {"system": "Be brief.", "max_tokens": 9},
        cell="A",
        saw=("above",),
        digest="d1",
        prompt="Why?",
        requested="claude-sonnet-4-6",
        question="q",
        form=2,
    )
    return replace(made, **said)


BEFORE = turn("before")
BODY = {
    "model": "claude-sonnet-4-6",
    "messages": [],
    "cache_control": {},
    "system": "Be brief.",
    "max_tokens": 9,
}


def plan(**said: Any) -> Any:
    """A plan that asks what the turn before asked, but for what is said."""
    question = {"content": (PROMPT,), "prompt": "Why?", "cell": "A"}
    of_question = Question.__dataclass_fields__.keys() - {"model"}
    asked = {key: said.pop(key) for key in list(said) if key in of_question}
    body = {**BODY, **said.pop("body", {})}
    made: dict[str, Any] = {
        "question": Question(**{**question, **asked}),
        "server": SimpleNamespace(label="here", offline=False),
        "model": SimpleNamespace(id="claude-sonnet-4-6"),
        "request": Request(body, body.get("system", "")),
        "asked": [IMAGE, FILE, CELL, PROMPT],
        "saw": ("above",),
        "digest": "d2",
        "asks": "q",
    }
    return SimpleNamespace(**{**made, **said})


ABOVE = turn("above", question="A")
SAME = turn("same", question="A")
OTHER = turn("other", question="B")
KNOWN = {t.id: t for t in (ABOVE, SAME, OTHER)}


@pytest.mark.parametrize(
    ("said", "before", "reasons"),
    [
        ({}, {}, []),
        ({"server": SimpleNamespace(label="there")}, {}, ["the server"]),
        ({"model": SimpleNamespace(id="other")}, {}, ["the model"]),
        ({"model": SimpleNamespace(id="other")}, {"requested": ""}, []),  # it was not written down
        ({"body": {"system": "Be long."}}, {}, ["the option system"]),
        ({"body": {"tools": [1], "effort": 2}}, {}, ["the option effort", "the option tools"]),
        ({}, {"parameters": {"max_tokens": 9}}, ["the option system"]),
        ({"prompt": "What?"}, {}, ["the question"]),
        ({"prompt": "What?", "asked": [PROMPT]}, {}, ["the question"]),
        ({"asked": [FILE, CELL, PROMPT]}, {}, ["a figure or image that goes along"]),
        ({"asked": [IMAGE, CELL, PROMPT]}, {}, ["a file that goes along"]),
        ({"asked": [IMAGE, FILE, PROMPT]}, {}, ["a cell, an output or a value that goes along"]),
        ({"asked": [CELL, PROMPT, FILE, IMAGE]}, {}, []),
        ({"saw": ()}, {}, [HISTORY]),
        ({"saw": ("same",)}, {}, []),  # the same words asked again
        ({"saw": ("other",)}, {}, [HISTORY]),
        ({"saw": ("gone",)}, {}, [HISTORY]),
        ({"saw": ("gone",)}, {"saw": ("gone",)}, []),
        ({"saw": ("gone",)}, {"saw": ("lost",)}, [HISTORY]),
        (
            {"server": SimpleNamespace(label="there"), "asked": [PROMPT], "saw": ()},
            {},
            [
                "the server",
                "a figure or image that goes along",
                "a file that goes along",
                "a cell, an output or a value that goes along",
                "an earlier turn",
            ],
        ),
    ],
)
def test_what_changed_since_a_question_was_answered_is_named(
    said: dict[str, Any], before: dict[str, Any], reasons: list[str]
) -> None:
    assert changes(plan(**said), replace(BEFORE, **before), KNOWN) == reasons


BELOW = "this one and will be asked again when run"


@pytest.mark.parametrize(
    ("reasons", "below", "price", "said"),
    [
        (["a"], 0, 1.0, "Asked again: a changed since it was answered."),
        (["a", "b"], 0, None, "Asked again: a and b changed since it was answered."),
        (
            ["a", "b", "c"],
            1,
            None,
            "Asked again: a, b and c changed since it was answered. "
            f"1 question below sees {BELOW}.",
        ),
        (
            ["a"],
            2,
            1.234,
            "Asked again: a changed since it was answered. "
            f"2 questions below see {BELOW}, about $1.23.",
        ),
        (
            ["a"],
            2,
            0.005,
            "Asked again: a changed since it was answered. "
            f"2 questions below see {BELOW}, about $0.01.",
        ),
        (
            ["a"],
            2,
            0.004,
            "Asked again: a changed since it was answered. "
            f"2 questions below see {BELOW}, less than $0.01.",
        ),
        (
            ["a"],
            2,
            0.0,
            "Asked again: a changed since it was answered. "
            f"2 questions below see {BELOW}, less than $0.01.",
        ),
    ],
)
def test_the_user_is_told_the_reasons_and_what_follows(
    reasons: list[str], below: int, price: float | None, said: str
) -> None:
    assert line(reasons, below, price) == said


def replays(*turns: Turn, retired: tuple[str, ...] = ()) -> Replays:
    history = History(turns, retired)
    return Replays(lambda: history)


CHANGED = {"body": {"system": "Be long."}}
SAID = "Asked again: the option system changed since it was answered."
MILLION = Usage(fresh=1_000_000)


@pytest.mark.parametrize(
    ("said", "turns", "told"),
    [
        (CHANGED, [BEFORE], SAID),
        ({}, [BEFORE], None),
        (CHANGED, [], None),
        ({**CHANGED, "saw": ()}, [BEFORE], SAID.replace("changed", "and an earlier turn changed")),
        ({"saw": ()}, [BEFORE], None),  # told where the cascade began
        ({**CHANGED, "fresh": True}, [BEFORE], None),
        ({**CHANGED, "panel": True}, [BEFORE], None),
        ({**CHANGED, "alone": True}, [BEFORE], None),
        ({**CHANGED, "prompt": "What?"}, [BEFORE], None),
        # The turn of this place, this kind, and not of this very run.
        ({**CHANGED, "cell": "B"}, [BEFORE], None),
        ({**CHANGED, "ordinal": 1}, [BEFORE], None),
        ({**CHANGED, "run": ("before",)}, [BEFORE], None),
        (CHANGED, [turn("before", alone=True)], None),
        (CHANGED, [turn("before", status="interrupted")], None),
        (
            CHANGED,
            [BEFORE, turn("newer", parameters={"system": "Be long.", "max_tokens": 9})],
            None,
        ),
        # Those that saw it, count, and go stale now: one that was stopped, too.
        (
            CHANGED,
            [
                BEFORE,
                turn("b", cell="B", saw=("before",), usage=MILLION),
                turn("c", cell="C", saw=("x", "before")),
                turn("d", cell="D", saw=("x",)),
                turn("e", cell="E", saw=("before",), status="interrupted"),
                turn("z", cell="F", saw=("before",)),
            ],
            f"{SAID} 3 questions below see {BELOW}, about $3.00.",
        ),
        (
            CHANGED,
            [BEFORE, turn("b", cell="B", saw=("before",), model="unknown", requested="unknown")],
            f"{SAID} 1 question below sees {BELOW}.",
        ),
        (
            {**CHANGED, "server": SimpleNamespace(label="here", offline=True)},
            [BEFORE, turn("b", cell="B", saw=("before",), usage=MILLION)],
            f"{SAID} 1 question below sees {BELOW}.",
        ),
    ],
)
def test_a_miss_says_why_once_where_it_begins(
    said: dict[str, Any], turns: list[Turn], told: str | None
) -> None:
    assert replays(*turns, retired=("z",)).miss(plan(**said)) == told


PLACE = {"cell": "B", "ordinal": 2, "alone": True, "panel": True}


def test_a_reply_shown_in_another_place_is_a_turn_of_that_place() -> None:
    recorded = turn("r", started=100.0, ended=130.0, source="old", copy_of="")
    asked = plan(**PLACE, order=("A", "B"), source="new", going_on="g", saw=("s",), asked=[PROMPT])
    copy = replays(recorded).bound(asked, recorded, 500.0)
    assert copy.id not in ("r", "")
    assert copy == replace(
        recorded,
        **PLACE,
        id=copy.id,
        asked=(PROMPT,),
        saw=("s",),
        order=("A", "B"),
        source="new",
        going_on="g",
        copy_of="r",
        started=500.0,
        ended=530.0,
    )
    # One of a recording keeps its id, and a copy says of which it is one in the first place.
    first = turn("r", copy_of="first")
    bound = replays().bound(asked, first, 500.0)
    assert (bound.id, bound.copy_of) == ("r", "first")


@pytest.mark.parametrize("other", [*PLACE, None])
def test_a_reply_shown_in_its_own_place_is_the_same_turn(other: str | None) -> None:
    recorded = turn("r")
    asked = plan(**({other: PLACE[other]} if other else {}))
    assert (replays(recorded).bound(asked, recorded, 1.0) is recorded) is (other is None)


@pytest.mark.parametrize(
    ("replay", "fresh", "found"),
    [
        ("on", False, "r"),
        ("on", True, None),
        ("off", False, None),
        ("only", False, "r"),
        ("only", True, "r"),
    ],
)
def test_a_recorded_reply_answers_unless_the_user_wants_none(
    replay: Any, fresh: bool, found: str | None
) -> None:
    recorded = turn("r", digest="d2")
    reply = replays(recorded).find(plan(fresh=fresh), Settings(replay=replay))
    assert (reply and reply.turn.id) == found


# Turns that had the same request, in the order asked, and which of them answers.
@pytest.mark.parametrize(
    ("turns", "answers"),
    [
        ([], None),
        ([turn("r"), turn("s")], "s"),
        ([turn("r"), turn("s", cell="B")], "r"),
        ([turn("r"), turn("s", ordinal=1)], "r"),
        ([turn("r", cell="B"), turn("s", cell="C")], "s"),
        ([turn("r"), turn("s", status="interrupted")], "r"),
        ([turn("r", digest="d3")], None),
        ([turn("r", status="interrupted")], None),
        ([turn("shown")], None),
        ([turn("r"), turn("shown")], "r"),
    ],
)
def test_of_several_replies_that_of_this_place_answers_else_the_newest(
    turns: list[Turn], answers: str | None
) -> None:
    asked = [replace(t, digest="d2" if t.digest == "d1" else t.digest) for t in turns]
    reply = replays(*asked).find(plan(run=("shown",)), Settings(replay="on"))
    assert (reply and reply.turn.id) == answers


def test_a_reply_of_the_conversation_answers_before_one_of_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    assert write(file, [turn("r", digest="d2"), turn("i", status="interrupted")]) == 1
    settings = Settings(record=str(file))
    for kept, answers in ([turn("k", digest="d2")], "k"), ([], "r"):
        reply = replays(*kept).find(plan(), settings)
        assert reply is not None
        assert (reply.turn.id, reply.notices, reply.index, reply.last) == (answers, (), 0, True)
        assert list(reply.reply) == [text("Because.")]
        assert reply.message == {
            "model": "claude-sonnet-4-6",
            "content": [text("Because.")],
            "stop_reason": None,
        }
    # Of a recording the later requests of a loop are answered as well.
    going = replays().go_on(plan(), "d2", reply, settings)
    assert going is not None
    assert going.turn.id == "r"
    assert replays().go_on(plan(), "d3", reply, settings) is None
    with pytest.raises(NotRecordedError, match=r"^What the tools gave .*replay=on\.$"):
        replays().go_on(plan(), "d3", reply, replace(settings, replay="only"))


def test_what_is_in_no_record_is_said_where_nothing_may_be_sent() -> None:
    with pytest.raises(NotRecordedError) as fault:
        replays(turn("r", prompt="What?")).find(plan(), Settings(replay="only"))
    assert str(fault.value) == (
        "Not in the record, and replay=only sends nothing. Record it with replay=on, "
        "or set %claude_config record=FILE to the recording that holds it."
    )


class TestAFile:
    def test_it_is_read_as_it_was_written_but_for_what_went_along(self, tmp_path: Path) -> None:
        file = tmp_path / "replies.jsonl"
        first = turn("r", reply=(text("Grüße, \u2028 蟻"),), order=("A",), source="s")
        write(file, [first])
        (read,) = Recording(file)
        assert read == replace(first, asked=(), saw=(), order=(), source="")
        assert file.read_text("ascii").count("\n") == 1
        assert is_recording(file)

    def test_a_turn_is_added_once_and_found_by_its_digests(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path / "replies.jsonl")
        for name in ("r", "s", "r"):
            recording.add(turn(name, digest=f"d-{name}"))
        assert [t.id for t in recording] == ["r", "s"]
        assert [t.id for t in recording.of_digest("d-s")] == ["s"]
        assert [t.id for t in Recording(recording.path)] == ["r", "s"]

    @pytest.mark.parametrize("content", ["", "[1]", "{}", "no JSON", '{"recording": 2}'])
    def test_another_file_is_none(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "notes.jsonl"
        assert not is_recording(file)
        file.write_text(content)
        assert not is_recording(file)

    def test_the_line_that_is_none_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "replies.jsonl"
        write(file, [turn("r")])
        with file.open("a") as more:
            more.write("{}\n")
        with pytest.raises(InputError) as fault:
            Recording(file)
        assert str(fault.value) == (
            f"{file}, line 2: not a line of a recording; give a file made with "
            "%claude_export --record FILE"
        )

    def test_where_it_cannot_be_written_the_reason_and_a_way_out_are_said(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "missing" / "replies.jsonl"
        with pytest.raises(InputError) as fault:
            Recording(file).add(turn("r"))
        assert str(fault.value) == (
            f"The recording {file} cannot be written (No such file or directory): "
            "choose another file with %claude_config record=FILE"
        )
        with pytest.raises(InputError) as fault:
            write(file, [])
        assert str(fault.value) == f"{file} cannot be written (No such file or directory)."

    def test_the_one_in_use_is_read_once(self, tmp_path: Path) -> None:
        file, other = tmp_path / "replies.jsonl", tmp_path / "other.jsonl"
        kept = replays()
        assert kept.recording(Settings()) is None
        used = kept.recording(Settings(record=str(file)))
        assert used is not None
        assert used.path == file
        assert kept.recording(Settings(record=str(file))) is used
        assert kept.recording(Settings(record=str(other))) is not used
        assert kept.recording(Settings()) is None
