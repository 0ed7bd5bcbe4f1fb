"""What a user does with the conversation: goes on, takes back, empties, writes out, looks up.

Real kernels, with cells that have ids.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.offline import OfflineServer
from tests.kernels import Kernel, Ran
from tests.notebook.saved_page import (
    SERVER,
    Page,
    ask,
    behave,
    bundles,
    conversations,
    history,
    number,
    prompts,
    question,
    replies,
    requests,
    row,
    send,
    wait,
)

PICTURE = "from PIL import Image\nred = Image.new('RGB', (40, 30), {colour!r})\ndisplay(red)"


@pytest.fixture
def saved(tmp_path: Path) -> Page:
    """A notebook with three questions."""
    return Page(tmp_path / "page.ipynb", "A", "B", "C")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of a new notebook: its cells stand in the order in which they ran first."""
    with Page(tmp_path / "new.ipynb").kernel() as started:
        yield started


def interrupted(kernel: Kernel, code: str, cell: str) -> Ran:
    """Run a cell and interrupt the kernel as the first words come."""
    behave(kernel, "stall")
    stopped: list[bool] = []

    def watch(message: Mapping[str, Any]) -> None:
        if not stopped and "This is the" in str(message["content"].get("data", "")):
            stopped.append(True)
            kernel.manager.interrupt_kernel()

    ran = kernel.run(code, cell=cell, during=watch, ok=False)
    assert ran.reply["ename"] == "Interrupted"
    return ran


# --- Going on with a reply that stopped.


def test_a_reply_cut_at_max_tokens_is_gone_on_with(own: Kernel) -> None:
    own.run(question("Question A", "--max-tokens 80"), cell="A")
    own.run("%claude_continue in short", cell="B")
    *_, asked, words = requests(own)[-1]["messages"]
    assert asked["role"] == "assistant"
    assert "> Question A" in str(asked["content"])
    assert "cut off" in str(words["content"])
    assert "in short" in str(words["content"])
    ask(own, "Question C", "C")
    assert len(replies(requests(own)[-1])) == 2, "the beginning and what went on from it"


def test_a_reply_that_was_interrupted_is_gone_on_with(own: Kernel) -> None:
    ask(own, "Question 0", "0")
    interrupted(own, question("Question A"), "A")
    own.run("%claude_continue", cell="B")
    assert "This is the" in replies(requests(own)[-1])[-1]
    assert "Question A" in str(requests(own)[-1])
    ask(own, "Question C", "C")
    assert len(replies(requests(own)[-1])) == 3


def test_a_reply_that_broke_off_is_gone_on_with_and_sent_with_what_went_on_from_it(
    own: Kernel,
) -> None:
    ask(own, "Question 0", "0")
    behave(own, "cut")
    ask(own, "Question A", "A", ok=False)
    own.run("%claude_continue", cell="B")
    first, broken = replies(requests(own)[-1])
    assert broken.startswith("This is the")
    ask(own, "Question C", "C")
    assert replies(requests(own)[-1])[:2] == [first, broken]
    assert prompts(requests(own)[-1])[1] == "Question A"
    ask(own, "Question A, again", "A")
    ask(own, "Question D", "D")
    assert prompts(requests(own)[-1])[1] == "Question A, again"
    assert broken not in replies(requests(own)[-1])


def test_after_a_restart_a_broken_reply_can_still_be_gone_on_with(saved: Page) -> None:
    with OfflineServer(behaviours=["cut"]) as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first, "A", ok=False)
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            second.run("%claude_continue", cell="B")
            (broken,) = replies(server.requests[-1].json)
            assert broken.startswith("This is the")


def test_after_a_restart_a_broken_run_again_can_still_be_gone_on_with(saved: Page) -> None:
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first, "A")
            server.behave("cut")
            ask(first, "Question A, changed", "A", ok=False)
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            second.run("%claude_continue", cell="B")
            assert prompts(server.requests[-1].json)[0] == "Question A, changed"


def test_run_all_goes_on_where_the_reply_above_came_whole_this_time(saved: Page) -> None:
    saved.cells["B"] = "%claude_continue"
    saved.save()
    with OfflineServer(behaviours=["cut"]) as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first, "A", ok=False)
            saved.run(first, "B")
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            shown = saved.run_all(second)["B"].shown()
            assert "came whole this time" in shown
            assert prompts(server.requests[-1].json) == ["Question A", "Question C"]


def test_there_is_nothing_to_go_on_with_where_the_reply_is_whole(own: Kernel) -> None:
    assert "There is no reply above" in own.run("%claude_continue", cell="0", ok=False).error
    ask(own, "Question A", "A")
    ran = own.run("%claude_continue", cell="B", ok=False)
    assert ran.error.startswith("InputError: The reply above is whole")
    assert "\n" not in ran.error
    assert len(requests(own)) == 1


# --- A cell that asks more than once.


def test_a_run_that_broke_at_its_second_question_leaves_both_of_the_last_whole_run(
    own: Kernel,
) -> None:
    """Never the first question of one run with the second of another: nobody had that talk."""
    own.run("%claude First?\n%claude Second?", cell="A")
    broken = f"%claude First, changed?\n{SERVER}.behave('cut')\n%claude Second, changed?"
    own.run(broken, cell="A", ok=False)
    ask(own, "Question B", "B")
    assert prompts(requests(own)[-1]) == ["First?", "Second?", "Question B"]


# --- Taking back.


def test_undo_takes_the_last_turn_out_and_says_how_to_bring_it_back(
    saved: Page, own: Kernel
) -> None:
    saved.run(own, "A", "B")
    said = own.run("%claude_undo").shown()
    assert "Question B" in said
    saved.run(own, "C")
    assert prompts(requests(own)[-1]) == ["Question A", "Question C"]
    own.run(f"%claude_history --restore {number(own, 'Question B')}")
    own.run(question("Question D"), cell="D")
    assert prompts(requests(own)[-1]) == [f"Question {cell}" for cell in "ABCD"]


def test_what_was_undone_stays_out_after_a_restart(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
        first.run("%claude_undo")
    with saved.kernel() as second:
        saved.run(second, "C")
        assert prompts(requests(second)[-1]) == ["Question A", "Question C"]


def test_undo_after_a_run_again_that_broke_leaves_the_whole_version(own: Kernel) -> None:
    """What broke is out already; undone once more, the whole version is taken out."""
    ask(own, "Question A", "A")
    behave(own, "cut")
    ask(own, "Question A, changed", "A", ok=False)
    assert "did not end well: Question A, changed" in own.run("%claude_undo").shown()
    ask(own, "Question B", "B")
    assert prompts(requests(own)[-1]) == ["Question A", "Question B"]
    own.run("%claude_undo")
    assert "Taken out: Question A" in own.run("%claude_undo").shown()


def test_undo_takes_out_the_turn_that_was_shown_last_where_that_came_from_the_record(
    saved: Page, own: Kernel
) -> None:
    saved.run(own, "A", "B")
    own.run("1", cell="0")
    saved.run(own, "A")
    assert "Question A" in own.run("%claude_undo").shown()


def test_there_is_nothing_to_undo_in_a_kernel_that_asked_nothing(saved: Page, own: Kernel) -> None:
    ran = own.run("%claude_undo", ok=False)
    assert ran.error.startswith("InputError: No turn was asked in this kernel")


def test_reset_empties_the_conversation_and_keeps_the_record(saved: Page, own: Kernel) -> None:
    saved.run(own, "A", "B")
    assert "2 turns taken out" in own.run("%claude_reset").shown()
    saved.run(own, "C")
    assert prompts(requests(own)[-1]) == ["Question C"]
    assert "Question A" not in history(own)
    assert "replaced" in row(own, "Question A", "--old")


def test_purge_leaves_nothing_on_the_disk(saved: Page, own: Kernel, tmp_path: Path) -> None:
    own.run("from PIL import Image; red = Image.new('RGB', (40, 30), 'red')")
    own.run(question("Question A: the canary?", "-i red"), cell="A")
    kept = tmp_path / "jupyter" / "claude_magic"
    assert any(path.parent.name == "images" for path in kept.rglob("*"))
    said = own.run("%claude_reset --purge").shown()
    assert "deleted" in said
    assert [path for path in kept.rglob("*") if path.is_file()] == []
    assert conversations(tmp_path) == set()
    assert "Question A" not in history(own, "--old")
    saved.run(own, "B")
    assert prompts(requests(own)[-1]) == ["Question B"]
    assert len(conversations(tmp_path)) == 1


def test_a_cell_that_has_asked_can_purge(saved: Page, own: Kernel) -> None:
    ran = own.run("%claude Question A\n%claude_reset --purge", cell="A")
    assert (ran.error, ran.printed) == ("", "")
    saved.run(own, "B")
    assert prompts(requests(own)[-1]) == ["Question B"]


def test_after_a_purge_the_next_kernel_knows_nothing(saved: Page, tmp_path: Path) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
        first.run("%claude_reset --purge")
        saved.run(first, "C")
    with saved.kernel() as second:
        saved.run(second, "A")
        assert [prompts(r) for r in requests(second)] == [["Question A"]]
        saved.run(second, "B", "C")
        assert len(requests(second)) == 3


def test_a_replaced_version_is_brought_back_by_its_number(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
        ask(first, "Question A, changed", "A")
        asked = [line for line in history(first, "--old").splitlines() if "Question A" in line]
        assert "replaced" not in asked[0]
        assert "replaced" in asked[1]
        first.run(f"%claude_history --restore {asked[1].split()[0]}")
        assert "stale" not in history(first), "B saw just that version"
        saved.run(first, "C")
        assert prompts(requests(first)[-1]) == ["Question A", "Question B", "Question C"]
        ran = first.run("%claude_history --restore 99", ok=False)
        assert ran.error.startswith("InputError: There is no turn 99")


# --- Writing out.


def test_the_conversation_is_written_in_the_form_that_the_name_says(
    saved: Page, tmp_path: Path
) -> None:
    with saved.kernel() as first:
        saved.run(first, "B", "A")
        assert "2 turns written" in first.run("%claude_export talk.md").shown()
        document = (tmp_path / "talk.md").read_text()
        assert document.index("> Question A") < document.index("> Question B"), "as on the page"
        first.run("%claude_export talk.json")
        body = json.loads((tmp_path / "talk.json").read_text())
        assert prompts(body) == ["Question A", "Question B"]
        ran = first.run("%claude_export talk.md", ok=False)
        assert ran.error.startswith("InputError: talk.md is there already")
        assert (tmp_path / "talk.md").read_text() == document
        first.run("%claude_export talk.md --force")
        assert "InputError" in first.run("%claude_export talk.doc", ok=False).error


def test_the_script_has_the_conversation_again(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first)
            first.run("%claude_export talk.py")
        before = [r.json["messages"] for r in server.requests]
        script = [sys.executable, str(tmp_path / "talk.py")]
        environment = os.environ | {"ANTHROPIC_API_KEY": "sk-ant-for-the-offline-server"}
        ran = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
        again = [r.json["messages"] for r in server.requests[len(before) :]]
    assert [prompts({"messages": m}) for m in again] == [prompts({"messages": m}) for m in before]
    assert ran.stdout.count("> Question") == 3


# --- A recording that travels: CI has no key, no server and no record of its own.


def test_a_recording_answers_where_nothing_else_can(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            before = saved.run_all(first)
            assert "3 turns recorded" in first.run("%claude_export --record talk.jsonl").shown()
        asked = len(server.requests)
        with saved.kernel(
            JUPYTER_DATA_DIR=str(tmp_path / "elsewhere"),
            CLAUDE_MAGIC_BASE_URL=server.url,
            CLAUDE_MAGIC_RECORD=str(tmp_path / "talk.jsonl"),
            CLAUDE_MAGIC_REPLAY="only",
        ) as second:
            after = saved.run_all(second)
            ran = ask(second, "Never asked", "D", ok=False)
        assert len(server.requests) == asked
    assert {c: bundles(ran) for c, ran in after.items()} == {
        c: bundles(ran) for c, ran in before.items()
    }
    assert ran.error.startswith("NotRecordedError: Not in the record")
    assert "\n" not in ran.error


def test_a_recording_answers_a_question_whose_context_changed_and_says_so(
    saved: Page, tmp_path: Path
) -> None:
    saved.cells = {"0": "height = 3", **saved.cells}
    saved.save()
    with OfflineServer() as server, saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
        saved.run(first, "0", "A")
        first.run("%claude_export --record talk.jsonl")
    with saved.kernel(
        JUPYTER_DATA_DIR=str(tmp_path / "elsewhere"),
        CLAUDE_MAGIC_BASE_URL=server.url,
        CLAUDE_MAGIC_RECORD=str(tmp_path / "talk.jsonl"),
        CLAUDE_MAGIC_REPLAY="only",
    ) as second:
        second.run("height = 4", cell="0")
        shown = saved.run(second, "A").shown()
        assert "> Question A" in shown
        assert "has changed since: the reply may not fit" in shown
        ran = second.run(question("Question A", "--max-tokens 99"), cell="A", ok=False)
        assert ran.error.startswith("NotRecordedError: ")


def test_what_is_asked_is_added_to_the_recording(saved: Page, tmp_path: Path) -> None:
    talk = tmp_path / "talk.jsonl"
    with saved.kernel(CLAUDE_MAGIC_RECORD=str(talk)) as first:
        saved.run(first, "A", "B")
        saved.run(first, "A")
    assert len(talk.read_text().splitlines()) == 2
    with saved.kernel(
        CLAUDE_MAGIC_RECORD=str(talk), JUPYTER_DATA_DIR=str(tmp_path / "elsewhere")
    ) as second:
        saved.run(second)
        assert [prompts(r)[-1] for r in requests(second)] == ["Question C"]
    assert len(talk.read_text().splitlines()) == 3


# --- Looking up.


def test_usage_shows_this_notebook_and_all_of_them(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server, saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
        saved.run(first, "A", "B")
        shown = first.run("%claude_usage").shown().splitlines()
        assert shown[1].split()[:3] == ["this", "notebook", "2"]
        assert "claude-sonnet-5-5" in "".join(shown)
        assert "Question B" in first.run("%claude_usage --turns").shown()
    other = Page(tmp_path / "other.ipynb", "X")
    with other.kernel() as second:
        other.run(second)
        shown = second.run("%claude_usage").shown().splitlines()
        assert shown[1].split()[:3] == ["this", "notebook", "1"]
        assert shown[2].split()[:3] == ["all", "notebooks", "3"]
        assert "page.ipynb" in history(second, "--all")


def test_fix_explains_the_last_error_and_puts_the_mended_cell_below(own: Kernel) -> None:
    own.run("whole = 1 / 0", cell="A", ok=False)
    ran = own.run("%claude_fix", cell="B")
    (below,) = ran.reply["payload"]
    assert below["source"] == "set_next_input"
    assert "squares" in below["text"]
    assert "ZeroDivisionError" in str(requests(own)[-1])


# --- Why it is asked again.


def test_a_question_that_is_asked_again_says_what_changed_and_what_follows(own: Kernel) -> None:
    cells = {
        "figure": PICTURE.format(colour="red"),
        "A": question("What is it?"),
        "B": question("Why?"),
        "C": question("Since when?"),
    }
    for cell, source in cells.items():
        own.run(source, cell=cell)
    own.run(PICTURE.format(colour="blue"), cell="figure")
    said = own.run(cells["A"], cell="A").shown()
    assert "Asked again: a figure or image that goes along" in said
    assert "2 questions below see this one and will be asked again when run" in said
    assert "Asked again" not in own.run(cells["B"], cell="B").shown(), "it was told already"


# --- Cells named by count and by tag.


def count_of(kernel: Kernel, cell: str, source: str) -> int:
    return int(kernel.run(source, cell=cell).reply["execution_count"])


def test_an_execution_count_stays_with_its_cell(tmp_path: Path) -> None:
    saved = Page(tmp_path / "page.ipynb", height="height = 3", weight="weight = 4")
    saved.cells["figure"] = PICTURE.format(colour="red")
    with saved.kernel() as first:
        meant = count_of(first, "height", saved.cells["height"])
        saved.run(first, "weight")
        figure = count_of(first, "figure", saved.cells["figure"])
        saved.cells["A"] = question("Which one?", f"-c {meant} -i {figure}")
        saved.save()
        shown = saved.run(first, "A").shown()
        assert "the cell that had it when this was first asked is meant" in shown
        asked = requests(first)[-1]["messages"][-1]
        assert "height = 3" in str(asked)
        assert "weight = 4" not in str(asked)
        assert sum(block["type"] == "image" for block in asked["content"]) == 1
        saved.run(first, "figure", "height", "weight", "A")
        assert len(requests(first)) == 1, "the same cells are meant, whatever their counts"
    with saved.kernel() as second:
        second.run("1 + 1", cell="new")
        saved.run(second, "weight", "height", "figure", "A")
        assert requests(second) == []
        second.run("height = 5", cell="height")
        saved.run(second, "A")
        assert "height = 5" in str(requests(second)[-1]["messages"][-1])


def test_a_count_of_a_cell_that_did_not_run_is_an_error_that_says_so(tmp_path: Path) -> None:
    saved = Page(tmp_path / "page.ipynb", height="height = 3")
    with saved.kernel() as first:
        meant = count_of(first, "height", "height = 3")
        saved.cells["A"] = question("Which one?", f"-c {meant}")
        saved.save()
        saved.run(first, "A")
    with saved.kernel() as second:
        ran = saved.run(second, "A", ok=False)
        assert ran.error.startswith("InputError: -c ")
        assert "has not run in this kernel" in ran.error


def test_a_cell_is_named_by_the_tag_in_its_first_line(own: Kernel) -> None:
    own.run("#sizes\nheight = 3", cell="1")
    own.run("#plot\n" + PICTURE.format(colour="red"), cell="2")
    own.run("weight = 4", cell="3")
    own.run(question("Which?", "-c #sizes -i #plot"), cell="A")
    asked = requests(own)[-1]["messages"][-1]
    assert "height = 3" in str(asked)
    assert "weight = 4" not in str(asked)
    assert sum(block["type"] == "image" for block in asked["content"]) == 1
    ran = own.run(question("Which?", "-c #unknown"), cell="B", ok=False)
    assert ran.error.startswith("InputError: -c #unknown: no cell that ran in this kernel")


# --- Cells that the front end says are gone.


def test_a_deleted_cells_turns_are_hidden_and_running_it_brings_them_back(
    saved: Page, own: Kernel
) -> None:
    saved.run(own, "A", "B")
    wait(own, send(own, saved.cells["C"], "C", deletedCells=["B"]))
    assert prompts(requests(own)[-1]) == ["Question A", "Question C"]
    assert "cell" not in row(own, "Question B")
    saved.run(own, "A", "B")
    assert len(requests(own)) == 3, "it is back as it was"
    saved.run(own, "C")
    assert prompts(requests(own)[-1]) == ["Question A", "Question B", "Question C"]


def test_a_deleted_cell_that_is_back_stands_where_the_saved_notebook_has_it(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
        wait(first, send(first, saved.cells["C"], "C", deletedCells=["B"]))
        saved.run(first, "B")
        assert len(requests(first)) == 3, "below A, and not below C, which ran before it"


# --- Questions of the panel: from another thread, to whoever stands at a cell.

PANEL = """import threading, claude_magic
asking = threading.Thread(target=claude_magic.ask, args=({prompt!r},))
asking.start()
asking.join()"""


def test_a_panel_turn_stands_below_the_cell_that_was_active(saved: Page, own: Kernel) -> None:
    saved.run(own, "A", "B")
    own.run(PANEL.format(prompt="Panel?"), cell="B")
    assert "panel" in row(own, "Panel?")
    saved.run(own, "C")
    assert prompts(requests(own)[-1]) == ["Question A", "Panel?", "Question C"]
    own.run("1", cell="0")
    ask(own, "Question B, changed", "B")
    assert prompts(requests(own)[-1]) == ["Question A", "Question B, changed"]
    ask(own, "Question A, changed", "A")
    assert prompts(requests(own)[-1]) == ["Question A, changed"]


def test_a_panel_question_sees_the_cell_that_it_stands_below(saved: Page, own: Kernel) -> None:
    saved.run(own, "A", "B")
    own.run(f"%claude Question B\n{PANEL.format(prompt='Panel?')}", cell="B")
    assert prompts(requests(own)[-1]) == ["Question A", "Question B", "Panel?"]


def test_running_the_cell_again_never_removes_a_panel_turn(saved: Page, own: Kernel) -> None:
    saved.run(own, "A", "B")
    own.run(PANEL.format(prompt="Panel?"), cell="B")
    ask(own, "Question B", "B")
    ask(own, "Question B, changed", "B")
    saved.run(own, "C")
    assert prompts(requests(own)[-1]) == [
        "Question A",
        "Question B, changed",
        "Panel?",
        "Question C",
    ]


def test_a_panel_turn_stays_on_the_page_when_its_cell_is_deleted(saved: Page, own: Kernel) -> None:
    saved.run(own, "A", "B")
    own.run(PANEL.format(prompt="Panel?"), cell="B")
    wait(own, send(own, saved.cells["C"], "C", deletedCells=["B"]))
    assert prompts(requests(own)[-1]) == ["Question A", "Panel?", "Question C"]


def test_a_panel_turn_is_there_after_a_restart(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
        first.run(PANEL.format(prompt="Panel?"), cell="B")
    saved.cells["B"] = "1 + 1"
    saved.save()
    with saved.kernel() as second:
        saved.run(second)
        assert prompts(requests(second)[-1]) == ["Question A", "Panel?", "Question C"]
