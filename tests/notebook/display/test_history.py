"""`%claude_history`: the turns in a table, and one of them whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from claude_magic.conversation.turns import Step, Turn
from claude_magic.messages.blocks import Block, document_text, image_base64, text
from claude_magic.messages.images.prepare import ImageCache
from claude_magic.messages.usage import Usage
from claude_magic.notebook.display.history_table import HistoryRow, history_table, whole
from tests.offline.offline_samples import base64_of, picture

TURN = Turn(
    id="1",
    asked=(text("What is an ant?"),),
    reply=(text("An **insect**."),),
    model="claude-sonnet-5-5",
    server="https://api.anthropic.com",
    parameters={"max_tokens": 500},
    usage=Usage(fresh=351, read=1_200, output=71),
    stop_reason="end_turn",
    started=1_762_000_000.0,
    digest="0123456789abcdef",
    prompt="What is an ant?",
)
IMAGE = image_base64("image/png", base64_of(picture()))
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J"


def row(turn: Turn = TURN, **said: Any) -> HistoryRow:
    return replace(HistoryRow(turn, 3, "[7]"), **said)


def cells(turn: Turn = TURN, **said: Any) -> list[str]:
    """The cells of a table of one turn, as text."""
    html = history_table([row(turn, **said)])["text/html"]
    body = html.split("<tbody>")[1].split("</tbody>")[0].replace("<span>$</span>", "$")
    return [cell.split(">", 1)[1].split("</td>")[0] for cell in body.split("<td")[1:]]


def bundle_of(*asked: Block, **said: Any) -> dict[str, str]:
    return whole(row(replace(TURN, asked=asked or TURN.asked, **said)), ImageCache())


class TestTheTable:
    def test_a_line_says_what_was_asked_where_and_for_how_much(self) -> None:
        columns = ["3", "[7]", "What is an ant?", "An insect.", "1,551 + 71", "$0.002", ""]
        assert cells() == columns

    def test_reads_well_in_a_terminal(self) -> None:
        lines = history_table([row()], below="1 turn")["text/plain"].split("\n")
        assert lines == [
            "#  cell  question         reply           tokens    cost  status",
            "3  [7]   What is an ant?  An insect.  1,551 + 71  $0.002",
            "1 turn",
        ]

    def test_long_texts_show_how_they_begin_in_one_line(self) -> None:
        shown = cells(replace(TURN, prompt="one\n two " + "x" * 100))[2]
        assert shown.startswith("one two xxx") and shown.endswith("x…") and len(shown) == 60

    @pytest.mark.parametrize(
        ("turn", "known", "cost", "status"),
        [
            ({"status": "interrupted"}, {}, "$0.002", "interrupted"),
            ({"status": "broken"}, {}, "$0.002", "broken"),
            ({"status": "refused"}, {}, "$0.002", "refused"),
            ({"stop_reason": "max_tokens"}, {}, "$0.002", "cut off"),
            ({"alone": True}, {}, "$0.002", "alone"),
            ({"server": "offline"}, {}, "$0", "offline"),
            ({"server": "", "parameters": {"synthetic": True}}, {}, "", "written"),
            ({"copy_of": "0"}, {}, "$0", "shown again"),
            ({"model": "llama"}, {}, "", ""),
            ({}, {"retired": True}, "$0.002", "replaced"),
            ({"status": "interrupted"}, {"stale": True}, "$0.002", "interrupted, stale"),
            ({"server": "offline"}, {"stale": True, "retired": True}, "$0", None),
        ],
    )
    def test_the_status_says_what_is_special(
        self, turn: dict[str, Any], known: dict[str, bool], cost: str, status: str | None
    ) -> None:
        expected = "replaced, offline, stale" if status is None else status
        assert cells(replace(TURN, **turn), **known)[5:] == [cost, expected]

    def test_a_written_turn_used_no_tokens(self) -> None:
        assert cells(replace(TURN, server="", parameters={"synthetic": True}))[4] == ""

    def test_hostile_words_are_shown_and_not_run(self) -> None:
        made = replace(TURN, prompt=HOSTILE, reply=(text(HOSTILE),))
        shown = history_table([row(made, place=HOSTILE)], below=HOSTILE)
        for active in ("<script", "<img", "\x1b"):
            assert active not in shown["text/html"]
        assert "\x1b" not in shown["text/plain"]
        assert "&lt;script&gt;" in shown["text/html"]


class TestOneTurnWhole:
    def test_says_who_answered_when_and_for_how_much(self) -> None:
        shown = bundle_of(healed=("an image was left out",))["text/plain"].split("\n")
        when = datetime.fromtimestamp(TURN.started).strftime("%Y-%m-%d %H:%M:%S")
        assert shown == [
            "Turn 3 · [7]",
            "--- user",
            "What is an ant?",
            "--- assistant",
            "An **insect**.",
            "---",
            f"claude-sonnet-5-5 · https://api.anthropic.com · {when} · 1,551 in (1,200 cached) · "
            "71 out · $0.002 · end_turn · digest 0123456789ab",
            "changed: an image was left out",
            "max_tokens: 500",
        ]

    def test_an_offline_turn_says_what_it_would_cost(self) -> None:
        assert "would cost $0.002" in bundle_of(server="offline")["text/plain"]

    def test_the_reply_is_rendered(self) -> None:
        assert "<strong>insect</strong>" in bundle_of()["text/html"]

    def test_what_went_along_is_folded_and_the_question_is_not(self) -> None:
        file, context = document_text("words", "notes.txt"), text("What was run: 1 + 1")
        html = bundle_of(file, context, IMAGE, text("What is an ant? Say."))["text/html"]
        folded, rest = html.split("<details", 1)[1].split("</details>", 1)
        summary = "3 blocks before the question"
        assert all(part in folded for part in (summary, "[document, notes.txt", "1 + 1"))
        assert "What is an ant? Say." in rest and "1 + 1" not in rest

    @pytest.mark.parametrize(
        ("asked", "said", "folded"),
        [
            ((text("context"), text("Compare "), IMAGE, text(" now")), "Compare {{ fig }} now", 1),
            ((text("context"), text("| a |")), "{{ df }}", 1),
            ((text("What is an ant?"), text("Begin with «(»")), "", 0),
        ],
        ids=["a figure within the prompt", "a prompt that is one expression", "a prefill in words"],
    )
    def test_the_question_begins_with_the_prompt(
        self, asked: tuple[Block, ...], said: str, folded: int
    ) -> None:
        emulated = {"prefill": "(", "emulated": True} if not folded else {}
        html = bundle_of(*asked, prompt=said, parameters=emulated)["text/html"]
        assert html.count("block before the question") == folded

    def test_images_are_small_pictures(self) -> None:
        assert '<img src="data:image/' in bundle_of(IMAGE, *TURN.asked)["text/html"]

    def test_a_damaged_image_is_named(self) -> None:
        damaged = image_base64("image/png", "AAAA")
        assert "[image, image/png, 3 B]" in bundle_of(damaged, *TURN.asked)["text/html"]

    def test_text_is_whole_up_to_20_000_characters(self) -> None:
        assert "x" * 20_000 in bundle_of(text("x" * 20_000))["text/plain"]
        cut = bundle_of(text("x" * 20_001))["text/plain"]
        assert "x" * 20_001 not in cut and "[… 1 characters more]" in cut

    def test_thinking_and_what_is_no_text_are_shown(self) -> None:
        thought = {"type": "thinking", "thinking": "Six legs.", "signature": "s"}
        shown = bundle_of(reply=(thought, *TURN.reply, {"type": "hologram", "rays": 2}))
        for form in shown.values():
            assert "Six legs." in form and "hologram" in form and "signature" not in form

    def test_hostile_words_are_shown_and_not_run(self) -> None:
        made = replace(
            TURN,
            asked=(text(HOSTILE), text(HOSTILE)),
            reply=(text(HOSTILE), {"type": HOSTILE}, {"type": "thinking", "thinking": HOSTILE}),
            model=HOSTILE,
            stop_reason=HOSTILE,
            digest=HOSTILE,
            healed=(HOSTILE,),
            parameters={HOSTILE: HOSTILE},
            prompt="",
        )
        shown = whole(HistoryRow(made, 1, HOSTILE), ImageCache())
        for active in ("<script", "<img", "\x1b"):
            assert active not in shown["text/html"]
        assert "\x1b" not in shown["text/plain"]


def test_calls_of_tools_stand_where_they_were_made_with_what_they_gave() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {"sample": HOSTILE}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [text(HOSTILE), IMAGE]}
    step = Step("tools", (text("I weigh it."), call), (result,), "digest")
    shown = bundle_of(reply=(text("3 g."),), steps=(step,))
    plain = shown["text/plain"]
    places = [plain.index(words) for words in ("I weigh it.", "weigh · ok", "[1 image]", "3 g.")]
    assert places == sorted(places)
    assert "<script" not in shown["text/html"]
    assert "<img src=x" not in shown["text/html"]


def test_a_second_try_says_why_it_was_made() -> None:
    step = Step("retry", (text('{"n": 0}'),), (text("n: must be above 0"),), "digest")
    plain = bundle_of(reply=(text('{"n": 1}'),), steps=(step,))["text/plain"]
    places = [plain.index(words) for words in ('{"n": 0}', "must be above 0", '{"n": 1}')]
    assert places == sorted(places)


def test_searches_stand_where_they_were_made_and_sources_come_last() -> None:
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    page = {"type": "web_search_result", "url": "https://example.org", "title": HOSTILE}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [page]}
    citation = {
        "type": "web_search_result_location",
        "url": "https://example.org",
        "title": HOSTILE,
        "cited_text": HOSTILE,
    }
    cited = {**text("3 g"), "citations": [citation]}
    call = {"type": "tool_use", "id": "t1", "name": "weigh", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [text("3 g")]}
    step = Step("tools", (text("I search."), search, found, cited, call), (result,), "digest")
    shown = bundle_of(reply=(cited, text(".")), steps=(step,))
    plain = shown["text/plain"]
    words = ("I search.", "[Searched the web", "3 g[1]", "weigh · ok", "3 g[1].", "[1] <script>")
    places = [plain.index(part) for part in words]
    assert places == sorted(places)
    assert "web_search_tool_result" not in plain
    assert "<script" not in shown["text/html"]
    assert "<img src=x" not in shown["text/html"]
    assert "\x1b" not in plain
