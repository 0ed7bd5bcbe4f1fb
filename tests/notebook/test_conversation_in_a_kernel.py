"""What a user does with the conversation: goes on with a reply, takes turns back, empties it.

Real kernels, with cells that have ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.offline import OfflineServer
from tests.kernels import Interrupt, Kernel, Ran, shows
from tests.notebook.saved_page import (
    SERVER,
    Page,
    ask,
    behave,
    conversations,
    history,
    number,
    prompts,
    question,
    replies,
    requests,
    row,
)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of a new notebook: its cells stand in the order in which they ran first."""
    with Page(tmp_path / "new.ipynb").kernel() as started:
        yield started


def interrupted(kernel: Kernel, code: str, cell: str) -> Ran:
    """Run a cell and interrupt the kernel as the first words come."""
    behave(kernel, "stall")
    ran = kernel.run(code, cell=cell, during=Interrupt(kernel, shows("This is the")), ok=False)
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
