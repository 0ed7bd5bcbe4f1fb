"""One reply, with a citation, a search and code run at the server, on every face."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from claude_magic.conversation.asking.plan import Plan
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import Ended, Event, Received, Sending
from claude_magic.conversation.export import as_markdown
from claude_magic.conversation.reply_value import Reply
from claude_magic.conversation.reply_value import parts_of as parts_of_turn
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text
from claude_magic.messages.images.prepare import ImageCache
from claude_magic.notebook.display.cell_display import CellDisplay
from claude_magic.notebook.display.history_table import HistoryRow, whole
from claude_magic.notebook.display.terminal_display import TerminalDisplay
from claude_magic.panel.live import parts_of
from claude_magic.rendering import reply_bundle

SEARCH = {
    "type": "server_tool_use",
    "id": "s1",
    "name": "web_search",
    "input": {"query": "ants & legs"},
}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "s1",
    "content": [
        {"type": "web_search_result", "title": "Ants <b>", "url": "https://ants.example/a"},
        {"type": "web_search_result", "title": "Bees", "url": "https://bees.example/b"},
    ],
}
RUN = {
    "type": "server_tool_use",
    "id": "s2",
    "name": "code_execution",
    "input": {"code": "print(3 * 2)"},
}
PRINTED = {
    "type": "code_execution_tool_result",
    "tool_use_id": "s2",
    "content": {
        "type": "code_execution_result",
        "stdout": "six = 6\n",
        "stderr": "no warning",
        "return_code": 0,
    },
}
WEB = {
    "type": "web_search_result_location",
    "url": "https://ants.example/a",
    "title": "Ants <b>",
    "cited_text": "Ants have six legs.",
}
PAPER = {
    "type": "page_location",
    "document_index": 0,
    "document_title": "paper_1.pdf",
    "start_page_number": 3,
    "end_page_number": 5,
    "cited_text": "Three pairs.",
}
BLOCKS: tuple[dict[str, Any], ...] = (
    {"type": "text", "text": "I look it up."},
    SEARCH,
    FOUND,
    RUN,
    PRINTED,
    {"type": "text", "text": "They have "},
    {"type": "text", "text": "**six legs**", "citations": [WEB]},
    {"type": "text", "text": ", that is "},
    {"type": "text", "text": "three pairs", "citations": [PAPER, WEB]},
    {"type": "text", "text": "."},
    {"type": "hologram", "rays": 2},
)
READ = (
    "I look it up.",
    "Searched the web: “ants & legs” · 2 results",
    "Ants <b>",
    "ants.example",
    "Bees",
    "bees.example",
    "Ran code",
    "print(3 * 2)",
    "six = 6",
    "stderr:",
    "no warning",
    "They have",
    "six legs",
    "[1]",
    ", that is three pairs[2][1].",
    "Not known here: hologram",
    '"rays": 2',
    "[1] Ants <b>",
    "ants.example",
    "“Ants have six legs.”",
    "[2] paper_1.pdf",
    "pages 3–4: “Three pairs.”",
)


class Cell:
    """The outputs of a cell, the newest of each."""

    def __init__(self) -> None:
        self.outputs: dict[str, Mapping[str, str]] = {}

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
    ) -> None:
        assert metadata is not None and transient is not None
        assert update == (transient["display_id"] in self.outputs)
        self.outputs[transient["display_id"]] = data


def plan() -> Plan:
    return Session(lambda: Settings(base_url="offline")).plan(Question(content=(text("Hi"),)))


def turn(planned: Plan) -> Turn:
    return Turn("1", (text("Hi"),), BLOCKS, planned.model.id, "offline", stop_reason="end_turn")


def happening(planned: Plan, size: int = 4) -> list[Event]:
    """The question as it is asked, the reply's text in pieces."""
    found: list[Event] = [Sending(planned), Received({"type": "message_start"})]
    for index, block in enumerate(BLOCKS):
        began, deltas = dict(block), []
        if block["type"] == "text":
            began = {"type": "text", "text": ""}
            words = block["text"]
            pieces = [words[at : at + size] for at in range(0, len(words), size)]
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
            deltas += [
                {"type": "citations_delta", "citation": one} for one in block.get("citations", ())
            ]
        of = {"index": index}
        found.append(Received({"type": "content_block_start", "content_block": began, **of}))
        found += [Received({"type": "content_block_delta", "delta": d, **of}) for d in deltas]
        found.append(Received({"type": "content_block_stop", **of}))
    return [*found, Ended(planned, Reply(turn(planned), planned.notices))]


def of_html(shown: str) -> str:
    """What is read of HTML."""
    bare = re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", bare))


def in_a_cell(*, streaming: bool, recorded: bool = False) -> str:
    planned, cell = plan(), Cell()
    happens = happening(planned)
    with closing(CellDisplay(cell, ImageCache(), streaming=streaming)) as display:
        for event in happens[-1:] if recorded else happens:
            display(event)
    return "\n".join(of_html(shown.get("text/html", "")) for shown in cell.outputs.values())


def in_a_terminal(*, recorded: bool = False) -> str:
    planned, out = plan(), io.StringIO()
    happens = happening(planned)
    with closing(TerminalDisplay(out)) as display:
        for event in happens[-1:] if recorded else happens:
            display(event)
    return out.getvalue()


def in_the_panel() -> str:
    """The parts as a panel has them, their Markdown as text."""
    shown = []
    for part in parts_of(parts_of_turn(turn(plan())), lambda _: ""):
        if part["kind"] in ("text", "sources"):
            shown.append(of_html(reply_bundle(part["text"])["text/html"]))
        else:
            shown += [part["text"], of_html(reply_bundle(part["result"])["text/html"])]
    return "\n".join(shown)


def in_the_history(form: str) -> str:
    shown = whole(HistoryRow(replace(turn(plan()), asked=()), 1, ""), ImageCache())[form]
    return of_html(shown) if form == "text/html" else shown


def in_the_export() -> str:
    return of_html(MarkdownIt().render(as_markdown([turn(plan())])))


FACES: dict[str, Callable[[], str]] = {
    "a cell, as it comes": lambda: in_a_cell(streaming=True),
    "a cell, at the end": lambda: in_a_cell(streaming=False),
    "a cell, from the record": lambda: in_a_cell(streaming=True, recorded=True),
    "a terminal": in_a_terminal,
    "a terminal, from the record": lambda: in_a_terminal(recorded=True),
    "the panel": in_the_panel,
    "the history": lambda: in_the_history("text/html"),
    "the history in a terminal": lambda: in_the_history("text/plain"),
    "the export": in_the_export,
}


@pytest.mark.parametrize("face", FACES)
def test_a_reply_reads_the_same_on_every_face(face: str) -> None:
    """The same words, the same numbers, in the same order; nothing of the wire's own names."""
    shown, place = FACES[face](), 0
    for words in READ:
        found = shown.find(words, place)
        assert found >= 0, f"{words!r} is missing after {shown[max(0, place - 80) : place]!r}"
        place = found + len(words)
    for wire in ("server_tool_use", "tool_result", "stdout", "cited_text", "\ufdd0"):
        assert wire not in shown
    assert shown.count("They have") == 1
