"""A reply in parts: as it comes in events, and as a whole turn, the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from claude_magic.conversation.steps import Step
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import Block, text
from claude_magic.panel.parts import Parts, parts_of
from claude_magic.panel.protocol import Part

CALL: Block = {"type": "tool_use", "id": "c1", "name": "look\x1b[31m", "input": {"a": 1}}
PICTURE: Block = {"type": "image", "source": {"type": "base64", "data": ""}}
SEARCH: Block = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "x"}}
FOUND: Block = {
    "type": "web_search_tool_result",
    "tool_use_id": "s1",
    "content": [{"type": "web_search_result", "title": "A page", "url": "https://a.example"}],
}


def small(block: Block) -> str:
    return "small"


def turn(*reply: Block, **said: Any) -> Turn:
    return Turn("t", (text("Hi"),), reply, "m", "offline", **said)


def events(*blocks: Block) -> list[Mapping[str, Any]]:
    """The blocks as a stream brings them, text in pieces of three characters."""
    found: list[Mapping[str, Any]] = [{"type": "message_start"}]
    for index, block in enumerate(blocks):
        kind = str(block["type"])
        began = {**block, kind: ""} if kind in ("text", "thinking") else block
        found.append({"type": "content_block_start", "index": index, "content_block": began})
        if kind in ("text", "thinking"):
            whole = str(block[kind])
            for at in range(0, len(whole), 3):
                delta = {"type": f"{kind}_delta", kind: whole[at : at + 3]}
                found.append({"type": "content_block_delta", "index": index, "delta": delta})
        found.append({"type": "content_block_stop", "index": index})
    return found


def added(parts: Parts, stream: Sequence[Mapping[str, Any]]) -> list[Part]:
    """The parts as somebody has them who only adds up what each event added."""
    found: dict[int, Part] = {}
    for event in stream:
        for number, part in parts.event(event):
            held = found.get(number)
            text = part["text"] if held is None else held["text"] + part["text"]
            found[number] = {**(held or {}), **part, "text": text}
    return [found[number] for number in sorted(found)]


REPLIES: dict[str, tuple[Block, ...]] = {
    "text": (text("Hello there."),),
    "thinking first": ({"type": "thinking", "thinking": "Let me see"}, text("Yes.")),
    "a sentence cut by citations": (text("The grass "), text("is green"), text(".")),
    "a search at the server": (text("I look."), SEARCH, FOUND, text("Found.")),
    "escape sequences over pieces": (text("a\x1b[31mb\x1b]8;;x\x1b\\c"),),
    "a kind that is not known": (text("One"), {"type": "novelty", "x": 1}, text("Two")),
}


@pytest.mark.parametrize("case", REPLIES)
def test_what_the_events_add_is_what_the_whole_turn_shows(case: str) -> None:
    stream = events(*REPLIES[case])
    shown = [{"kind": p["kind"], "text": p["text"]} for p in added(Parts(small), stream)]
    whole = parts_of(turn(*REPLIES[case]), small)
    texts = [part for part in shown if part["kind"] != "call"]
    assert texts == [{"kind": p["kind"], "text": p["text"]} for p in whole if p["kind"] != "call"]


def test_text_that_citations_cut_is_one_part() -> None:
    (part,) = parts_of(turn(*REPLIES["a sentence cut by citations"]), small)
    assert part == {"kind": "text", "text": "The grass is green."}


def test_control_characters_reach_no_panel() -> None:
    (part,) = parts_of(turn(*REPLIES["escape sequences over pieces"]), small)
    assert part["text"] == "abc"


def test_a_call_of_a_tool_stands_with_its_arguments_result_and_pictures() -> None:
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": [text("It is 7"), PICTURE]}
    step = Step("tools", (text("Let me look."), CALL), (answer,))
    said, call, rest = parts_of(replace(turn(text("Seven.")), steps=(step,)), small)
    assert (said["text"], rest["text"]) == ("Let me look.", "Seven.")
    assert (call["name"], call["state"], call["result"]) == ("look", "done", "It is 7")
    assert call["images"] == ["small"]
    assert '"a": 1' in call["text"]


def test_a_failed_call_says_so_and_one_without_a_result_is_only_wanted() -> None:
    failed = {"type": "tool_result", "tool_use_id": "c1", "content": "No", "is_error": True}
    step = Step("tools", (CALL,), (failed,))
    (call, _) = parts_of(replace(turn(text("So.")), steps=(step,)), small)
    assert (call["state"], call["result"]) == ("failed", "No")
    (call,) = parts_of(turn(CALL), small)
    assert call["state"] == "asked"


def test_a_search_at_the_server_shows_what_it_found() -> None:
    _, call, _ = parts_of(turn(*REPLIES["a search at the server"]), small)
    assert (call["name"], call["state"]) == ("web_search", "done")
    assert call["result"] == "A page · https://a.example"


PREFILLS = {
    "sent": ({"prefill": "The answer is ("}, "C)", "The answer is (C)"),
    "asked for in words": (
        {"prefill": "The answer is (", "emulated": True},
        "The answer is (C)",
        "The answer is (C)",
    ),
}


@pytest.mark.parametrize("case", PREFILLS)
def test_a_prefill_stands_once_at_the_beginning(case: str) -> None:
    parameters, received, shown = PREFILLS[case]
    (part,) = parts_of(turn(text(received), parameters=parameters), small)
    assert part["text"] == shown


def test_a_try_that_did_not_fit_is_not_shown() -> None:
    step = Step("retry", (text("{"),), (text("Again"),))
    (part,) = parts_of(replace(turn(text("{}")), steps=(step,)), small)
    assert part["text"] == "{}"
