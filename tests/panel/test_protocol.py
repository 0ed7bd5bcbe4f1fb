"""What the kernel and its front end say to each other is written once, and believed so far only.

The samples are those of the lab extension's own tests: there they are taken, or found to be what a
panel says.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.notebook.page import page_messages
from claude_magic.notebook.page.page_messages import UnfitError, checked, fields
from claude_magic.panel import protocol

LABEXTENSION = Path(__file__).parents[2] / "labextension"
SAIDS: dict[str, Any] = {
    "KernelMessage": protocol.KernelMessage,
    "PanelMessage": protocol.PanelMessage,
    "KernelSays": page_messages.KernelSays,
    "PageSays": page_messages.PageSays,
}


def samples(said: str) -> list[dict[str, Any]]:
    """The messages of one side that both sides are tested with."""
    file = LABEXTENSION / f"test/samples/{said}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


CASES = [(said, message) for said in SAIDS for message in samples(said)]
IDS = [f"{said}: {message['type']}" for said, message in CASES]


def test_the_lab_extensions_types_and_checks_are_those_of_the_kernel() -> None:
    made = runpy.run_path(str(LABEXTENSION / "generate.py"))["files"]()
    assert {path.name for path in made} == {
        p.name for p in (LABEXTENSION / "src/generated").iterdir()
    }
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python labextension/generate.py"


@pytest.mark.parametrize(("said", "message"), CASES, ids=IDS)
def test_a_sample_is_taken_as_it_is(said: str, message: dict[str, Any]) -> None:
    assert json.loads(json.dumps(checked(message, SAIDS[said]))) == message


def possible(kind: Any, at: str = "") -> Iterator[str]:
    """All that can be said: each kind of message, each word of a choice, each field."""
    if is_typeddict(kind):
        for name, (hint, _) in fields(kind).items():
            yield f"{kind.__name__}.{name}"
            yield from possible(hint, f"{kind.__name__}.{name}")
    elif get_origin(kind) is Literal:
        yield from (f"{at} {word}" for word in get_args(kind))
    else:
        for part in get_args(kind):
            yield from possible(part, at)


def fits(value: object, kind: Any) -> bool:
    try:
        checked(value, kind)
    except UnfitError:
        return False
    return True


def found(value: Any, kind: Any, at: str = "") -> Iterator[str]:
    """What of all that is said here."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        for name, (hint, _) in fields(kind).items():
            if name in value:
                yield f"{kind.__name__}.{name}"
                yield from found(value[name], hint, f"{kind.__name__}.{name}")
    elif origin is Literal:
        yield f"{at} {value}"
    elif origin is Annotated:
        yield from found(value, inner[0], at)
    elif origin in (Union, UnionType):
        yield from found(value, next(part for part in inner if fits(value, part)), at)
    elif origin is list:
        yield from (each for item in value for each in found(item, inner[0], at))
    elif origin is tuple:
        for item, part in zip(value, inner, strict=True):
            yield from found(item, part, at)


@pytest.mark.parametrize("said", SAIDS)
def test_whatever_can_be_said_is_said_in_a_sample(said: str) -> None:
    kind = SAIDS[said]
    shown = {each for message in samples(said) for each in found(message, kind)}
    assert sorted(set(possible(kind)) - shown) == []


@pytest.mark.parametrize(("said", "message"), CASES, ids=IDS)
def test_what_else_stands_in_a_message_is_left_behind(said: str, message: dict[str, Any]) -> None:
    read = checked({**message, "approve": True}, SAIDS[said])
    assert json.loads(json.dumps(read)) == message


@pytest.mark.parametrize(("said", "message"), CASES, ids=IDS)
def test_a_message_that_lacks_a_field_does_not_fit(said: str, message: dict[str, Any]) -> None:
    for field in message:
        assert not fits({k: v for k, v in message.items() if k != field}, SAIDS[said])


ASK = next(m for m in samples("PanelMessage") if m["type"] == "ask")
ABOUT = {"task": "fix", "cell": "A", "source": "1/0", "error": "no"}
PAGE = samples("PageSays")[0]
WRONG: dict[str, tuple[Any, str]] = {
    "no message": (None, "the message is of no kind that was agreed"),
    "a kind that is not known": ({"type": "run"}, "the message is of no kind that was agreed"),
    "a kind that is a list": ({"type": ["ask"]}, "the message is of no kind that was agreed"),
    "an id with markup": (
        {"type": "hello", "view": "<b>"},
        "hello.view is not of the form that was agreed",
    ),
    "an id that is very long": (
        {"type": "stop", "run": "x" * 200},
        "stop.run has more than 128 characters",
    ),
    "an id with a line break": (
        {"type": "stop", "run": "x\n"},
        "stop.run is not of the form that was agreed",
    ),
    "a task that is not known": (
        {**ASK, "about": {**ABOUT, "task": "run"}},
        "ask.about.task is none of explain, fix, edit",
    ),
    "a task without its cell": (
        {**ASK, "about": {"task": "fix", "source": "", "error": ""}},
        "ask.about has no cell",
    ),
    "serials that are truths": ({**ASK, "without": [1, True]}, "ask.without[1] is no whole number"),
    "attachments that are numbers": ({**ASK, "attachments": [1]}, "ask.attachments[0] is no text"),
    "very many attachments": (
        {**ASK, "attachments": ["a"] * 1_001},
        "ask.attachments holds more than 1,000",
    ),
    "too much text": (
        {**ASK, "text": "x" * 5_000_000},
        "ask.text has more than 4,000,000 characters",
    ),
    "an answer that is not known": (
        {"type": "decide", "approval": "a", "answer": "yes", "reason": ""},
        "decide.answer is none of once, always, deny",
    ),
    "a bundle that is a list": (
        {"type": "attach", "attachment": "a", "label": "x", "bundle": []},
        "attach.bundle is no object",
    ),
    "a bundle with a number as its key": (
        {"type": "attach", "attachment": "a", "label": "x", "bundle": {1: "x"}},
        "a key of attach.bundle is no text",
    ),
    "a page without its cells": (
        {k: v for k, v in PAGE.items() if k != "cells"},
        "page has no cells",
    ),
    "a number of cells below nothing": (
        {"type": "seen", "cells": [], "left_out": -1},
        "seen.left_out is not between 0 and 20,000",
    ),
    "a part of a delta too many": (
        {"type": "delta", "run": "r", "n": 0, "parts": [[0, {"kind": "text", "text": ""}, 1]]},
        "delta.parts[0] is no list of 2",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_said_in_one_line_that_repeats_nothing_of_it(case: str) -> None:
    message, line = WRONG[case]
    tried = protocol.PanelMessage | page_messages.PageSays | protocol.Delta
    with pytest.raises(UnfitError) as caught:
        checked(message, tried)
    assert str(caught.value) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(CASES), st.data())
def test_whatever_comes_in_fits_or_is_said_not_to(
    case: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    said, message = case[0], dict(case[1])
    for field in data.draw(st.lists(st.sampled_from(sorted(message)), max_size=3)):
        message[field] = data.draw(JSON)
    if fits(message, SAIDS[said]):
        again = checked(message, SAIDS[said])
        assert checked(again, SAIDS[said]) == again
