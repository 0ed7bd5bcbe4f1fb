"""Turns as values, and the messages that they become."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from claude_magic.conversation.store.fold import checked_turn
from claude_magic.conversation.turns import Turn, messages, with_prefill
from claude_magic.messages.blocks import text
from claude_magic.messages.usage import Usage

TURN = Turn(
    id="1",
    asked=(text("What is it?"),),
    reply=({"type": "thinking", "thinking": "", "signature": "s"}, text("An ant.")),
    model="claude-sonnet-5-5",
    server="offline",
    usage=Usage(fresh=10, read=2, output=5),
    stop_reason="end_turn",
    cell="abc",
    saw=("0",),
    started=1.0,
    ended=2.5,
    digest="d",
    page=("code-1", "picture-2"),
    values={"x": "value-3"},
    context=1,
    form=2,
)


def test_a_turn_survives_being_written_as_json() -> None:
    assert Turn.from_json(json.loads(json.dumps(TURN.to_json()))) == TURN


def test_an_unknown_block_is_kept_as_it_is() -> None:
    strange = {"type": "hologram", "rays": [1, 2]}
    turn = replace(TURN, reply=(strange,))
    assert Turn.from_json(json.loads(json.dumps(turn.to_json()))).reply == (strange,)
    assert messages([turn])[1]["content"] == [strange]


def test_thinking_stays_behind() -> None:
    assert messages([TURN]) == [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "An ant."},
    ]


def test_an_interrupted_reply_is_sent_with_a_note_that_says_so() -> None:
    content = messages([replace(TURN, status="interrupted")])[1]["content"]
    assert [b["text"] for b in content if not isinstance(b, str)] == [
        "An ant.",
        "[The user interrupted this reply here.]",
    ]


NOT_SENT = {
    "broken": replace(TURN, status="broken"),
    "refused": replace(TURN, status="refused"),
    "interrupted before a word came": replace(TURN, status="interrupted", reply=()),
}


@pytest.mark.parametrize("case", NOT_SENT)
def test_is_not_sent_later(case: str) -> None:
    assert messages([NOT_SENT[case]]) == []


@pytest.mark.parametrize("reply", [(), (text(""),), (text(" \n"),)], ids=["none", "empty", "blank"])
def test_a_reply_without_text_leaves_a_valid_conversation(reply: tuple[object, ...]) -> None:
    assert messages([replace(TURN, reply=reply)])[1]["content"] == "[This reply held no text.]"


def test_a_prefill_is_part_of_the_reply_it_began() -> None:
    turn = replace(TURN, reply=(text("C"),), parameters={"prefill": "The answer is ("})
    assert turn.text == "The answer is (C"
    assert messages([turn])[1]["content"] == "The answer is (C"


EMULATED = {
    "nothing yet": ("", "The answer is ("),
    "part of the prefill": ("The ans", "The answer is ("),
    "repeated by the model": ("The answer is (C)", "The answer is (C)"),
    "not repeated": ("C)", "The answer is (C)"),
    "repeated after a line break": ("\nThe answer is (C)", "The answer is (C)"),
}


@pytest.mark.parametrize("case", EMULATED)
def test_a_prefill_in_words_is_shown_once(case: str) -> None:
    received, shown = EMULATED[case]
    parameters = {"prefill": "The answer is (", "emulated": True}
    assert with_prefill(received, parameters) == shown


CHOSEN = {
    "nothing yet": ("", "The answer is ("),
    "part of the JSON": ('{"answ', "The answer is ("),
    "part of the choice": ('{"answer": "', "The answer is ("),
    "the choice": ('{"answer": "C"', "The answer is (C"),
    "the whole": (' {\n "answer" : "C"\n}\n', "The answer is (C"),
    "no JSON": ("C) Formicidae", "The answer is (C) Formicidae"),
    "no JSON, and the prefill again": ("The answer is (C)", "The answer is (C)"),
    "another JSON": ('{"reply": "C"}', "The answer is ("),
    "an answer that is no text": ('{"answer": 3}', "The answer is ("),
    "a quotation mark in it": ('{"answer": "\\""}', "The answer is ("),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_a_choice_completes_the_prefill(case: str) -> None:
    received, shown = CHOSEN[case]
    parameters = {"prefill": "The answer is (", "emulated": "choice"}
    assert with_prefill(received, parameters) == shown


def test_what_is_shown_of_a_choice_only_grows() -> None:
    parameters = {"prefill": "The answer is (", "emulated": "choice"}
    for received in (r for r, _ in CHOSEN.values()):
        grown = [with_prefill(received[:n], parameters) for n in range(len(received) + 1)]
        assert all(later.startswith(before) for before, later in pairwise(grown))


def test_later_questions_see_a_choice_as_the_answer_and_not_as_json() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": "s"}
    parameters = {"prefill": "The answer is (", "emulated": "choice"}
    turn = replace(TURN, reply=(thought, text('{"answer": "C"}')), parameters=parameters)
    assert messages([turn])[1]["content"] == "The answer is (C"
    assert turn.reply[-1] == text('{"answer": "C"}'), "kept as it came"
    stopped = replace(turn, reply=(text('{"ans'),), status="interrupted")
    assert messages([stopped])[1]["content"][0] == text("The answer is (")


@pytest.mark.parametrize(
    ("said", "page", "values", "context"),
    [
        ({}, (), {}, 0),
        (
            {"form": 2, "page": ["code-1"], "values": {"x": "value-1"}, "context": 1},
            ("code-1",),
            {"x": "value-1"},
            1,
        ),
        ({"form": 9, "page": {"cells": 1}, "values": [1], "context": "all"}, (), {}, 0),
    ],
    ids=["older", "ours", "newer"],
)
def test_a_record_of_any_form_is_a_turn(
    said: dict[str, Any], page: tuple[str, ...], values: dict[str, str], context: int
) -> None:
    """An older one says nothing of the page, a newer one something that we cannot read."""
    record = Turn("a", (text("Why?"),), (text("So."),), "m", "s").to_json()
    older = {k: v for k, v in record.items() if k not in ("form", "page", "values", "context")}
    turn = checked_turn({**older, "saw": (), "order": (), **said})
    assert turn is not None
    assert (turn.form, turn.page) == (said.get("form", 1), page)
    assert (turn.values, turn.context, turn.text) == (values, context, "So.")
    assert checked_turn({**record, "saw": (), "order": (), "form": 2, "page": [1]}) is None
