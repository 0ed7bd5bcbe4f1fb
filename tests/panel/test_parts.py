"""A reply in the parts that a panel is told: as it comes, and as a whole turn, the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import Called, Calling, Received, Sending
from claude_magic.conversation.reply_value import parts_of as parts_of_turn
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Step, Turn
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.panel import protocol
from claude_magic.panel.live import LiveRun, parts_of
from claude_magic.panel.protocol import PanelPart

CALL: Block = {"type": "tool_use", "id": "c1", "name": "look\x1b[31m", "input": {"a": 1}}
PICTURE: Block = {"type": "image", "source": {"type": "base64", "data": ""}}
GAVE: Block = {"type": "tool_result", "tool_use_id": "c1", "content": [text("It is 7"), PICTURE]}
SEARCH: Block = {
    "type": "server_tool_use",
    "id": "s1",
    "name": "web_search",
    "input": {"query": "grass"},
}
FOUND: Block = {
    "type": "web_search_tool_result",
    "tool_use_id": "s1",
    "content": [{"type": "web_search_result", "title": "A page", "url": "https://a.example"}],
}
RAN: Block = {
    "type": "server_tool_use",
    "id": "s2",
    "name": "code_execution",
    "input": {"code": "print(1 + 1)"},
}
PRINTED: Block = {
    "type": "code_execution_tool_result",
    "tool_use_id": "s2",
    "content": {"type": "code_execution_result", "stdout": "2\n", "stderr": "", "return_code": 0},
}
CITING: Block = {
    "type": "text",
    "text": "Grass is green",
    "citations": [
        {
            "type": "web_search_result_location",
            "url": "https://a.example",
            "title": "A page",
            "cited_text": "It is green.",
        }
    ],
}


def small(block: Block) -> str:
    return "small"


def turn(*reply: Block, **said: Any) -> Turn:
    return Turn("t", (text("Hi"),), reply, "m", "offline", **said)


def told(made: Turn) -> list[PanelPart]:
    return parts_of(parts_of_turn(made), small)


class Panel:
    """One question as it comes, and the parts that a panel makes of what it is told."""

    def __init__(self, question: Question | None = None) -> None:
        asked = question or Question(content=(text("Hi"),))
        self.run = LiveRun(
            asked,
            Cancel(),
            request="",
            asked=lambda _question, _plan: ASKED,
            told=lambda _turn: None,  # type: ignore[arg-type, return-value]
            below=lambda _question: "",
            thumbnail=small,
            stir=lambda: None,
        )
        self.run(Sending(Session(lambda: Settings(base_url="offline")).plan(asked)))
        self.run.gather()
        self.parts: list[PanelPart] = []

    def stream(self, *blocks: Block, size: int = 3) -> Panel:
        """The blocks as a stream brings them, words in pieces, gathered now and then."""
        self.run(Received({"type": "message_start"}))
        for index, block in enumerate(blocks):
            kind = str(block["type"])
            began: dict[str, Any] = (
                {**block, kind: ""} if kind in ("text", "thinking") else {**block}
            )
            cited = began.pop("citations", ())
            self._event("start", index, content_block=began)
            whole = str(block[kind]) if kind in ("text", "thinking") else ""
            for at in range(0, len(whole), size):
                delta = {"type": f"{kind}_delta", kind: whole[at : at + size]}
                self._event("delta", index, delta=delta)
                if at % 2:
                    self.take()
            for one in cited:
                self._event("delta", index, delta={"type": "citations_delta", "citation": one})
            self._event("stop", index)
        self.take()
        return self

    def _event(self, name: str, index: int, **more: Any) -> None:
        self.run(Received({"type": f"content_block_{name}", "index": index, **more}))

    def take(self) -> None:
        """Take over what the kernel says, as `labextension/src/panel/conversation.ts` does."""
        for message in self.run.gather():
            if message["type"] == "delta":
                for number, part in message["parts"]:
                    if number < len(self.parts):
                        held = self.parts[number]
                        joined = held["text"] + part["text"]
                        self.parts[number] = {**held, **part, "text": joined}
                    else:
                        assert number == len(self.parts)
                        self.parts.append(part.copy())
            elif message["type"] == "call":
                self.parts[message["part"]] = message["call"]


ASKED: protocol.Asked = {
    "prompt": "Hi",
    "cell": "",
    "place": "",
    "panel": True,
    "images": [],
    "above": "",
    "notices": [],
    "started": 0.0,
}

REPLIES: dict[str, tuple[Block, ...]] = {
    "text": (text("Hello there."),),
    "thinking first": ({"type": "thinking", "thinking": "Let me see"}, text("Yes.")),
    "a sentence cut by citations": (text("So: "), CITING, text(".")),
    "a search at the server": (text("I look."), SEARCH, FOUND, text("Found.")),
    "code at the server": (RAN, PRINTED, text("It is 2.")),
    "escape sequences over pieces": (text("a\x1b[31mb\x1b]8;;x\x1b\\c"),),
    "a kind that is not known": (text("One"), {"type": "novelty", "x": 1}, text("Two")),
    "a call that is cut off": (text("One"), {**CALL, "input": {}}),
}


@pytest.mark.parametrize("case", REPLIES)
def test_what_a_panel_is_told_as_it_comes_is_what_the_whole_turn_shows(case: str) -> None:
    live = Panel().stream(*REPLIES[case])
    whole = [part for part in told(turn(*REPLIES[case])) if part["kind"] != "sources"]
    assert live.parts == whole
    assert live.run.live["parts"] == whole


def test_a_call_of_a_tool_waits_runs_and_stands_with_what_it_gave() -> None:
    panel = Panel().stream(text("Let me look."), CALL)
    states = [panel.parts[-1]["state"]]
    for happens in (Calling(CALL), Called(CALL, GAVE, 1.234)):
        panel.run(happens)
        panel.take()
        states.append(panel.parts[-1]["state"])
    assert states == ["asked", "running", "done"]
    call = panel.parts[-1]
    assert (call["name"], call["result"], call["seconds"]) == ("look", "It is 7", 1.23)
    assert call["images"] == ["small"]
    panel.stream(text("Seven."))
    step = Step("tools", (text("Let me look."), CALL), (GAVE,))
    whole = told(replace(turn(text("Seven.")), steps=(step,)))
    assert [{**part, "seconds": 0} for part in panel.parts] == [
        {**part, "seconds": 0} for part in whole
    ]


def test_text_that_citations_cut_is_one_part_with_its_numbers_and_its_sources_last() -> None:
    said, sources = told(turn(*REPLIES["a sentence cut by citations"]))
    assert said == {"kind": "text", "text": "So: Grass is green⁽\ufdd01\ufdd1⁾."}
    assert sources == {
        "kind": "sources",
        "text": "&#91;1&#93; [A page](<https://a.example>) (a.example) · “It is green.”",
    }


def test_control_characters_reach_no_panel() -> None:
    (part,) = told(turn(*REPLIES["escape sequences over pieces"]))
    assert part["text"] == "abc"


def test_a_failed_call_says_so_and_one_without_a_result_is_only_wanted() -> None:
    failed = {"type": "tool_result", "tool_use_id": "c1", "content": "No", "is_error": True}
    step = Step("tools", (CALL,), (failed,))
    (call, _) = told(replace(turn(text("So.")), steps=(step,)))
    assert (call["state"], call["result"]) == ("failed", "No")
    (call,) = told(turn(CALL))
    assert call["state"] == "asked"
    assert '"a": 1' in call["text"]


def test_what_the_server_did_is_a_line_with_what_came_of_it_below() -> None:
    _, search, _ = told(turn(*REPLIES["a search at the server"]))
    assert search == {
        "kind": "server",
        "text": "Searched the web: “grass” · 1 result",
        "result": "- [A page](<https://a.example>) (a.example)",
        "state": "done",
    }
    ran, _ = told(turn(*REPLIES["code at the server"]))
    assert (ran["text"], ran["state"]) == ("Ran code", "done")
    assert ran["result"] == "```python\nprint(1 + 1)\n```\n\n```\n2\n```"


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
    (part,) = told(turn(text(received), parameters=parameters))
    assert part["text"] == shown


def test_a_try_that_did_not_fit_is_not_shown() -> None:
    step = Step("retry", (text("{"),), (text("Again"),))
    (part,) = told(replace(turn(text("{}")), steps=(step,)))
    assert part["text"] == "{}"
