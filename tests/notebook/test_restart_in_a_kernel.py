"""The conversation is the notebook's, not the kernel's: it outlives kernels, moves and copies.

Real kernels, one after the other, on one saved notebook whose cells have ids.
"""

from __future__ import annotations

import shutil
import signal
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from claude_magic.offline import OfflineServer
from tests.kernels import SECONDS, Kernel, kernel
from tests.notebook.saved_page import (
    SERVER,
    SESSION,
    Page,
    ask,
    bundles,
    conversations,
    history,
    prompts,
    question,
    requests,
    row,
    send,
    told,
    wait,
)

# --- One kernel.


def test_a_question_asked_again_sees_what_stands_above_it_and_what_is_below_goes_stale(
    saved: Page,
) -> None:
    with saved.kernel() as first:
        saved.run(first)
        saved.cells["B"] = question("Question B, changed")
        saved.run(first, "B")
        assert prompts(requests(first)[-1]) == ["Question A", "Question B, changed"]
        assert "stale" in row(first, "Question C")
        assert "stale" not in row(first, "Question A")
        assert "stale" not in row(first, "Question B, changed")


def test_of_a_page_run_again_the_server_gets_only_what_has_changed(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first)
        saved.cells["B"] = question("Question B, changed")
        saved.run(first, "B")
        saved.run(first)
        assert [prompts(r) for r in requests(first)[4:]] == [
            ["Question A", "Question B, changed", "Question C"]
        ]
        assert "stale" not in history(first)


# --- The next kernel.


def test_after_a_restart_all_cells_show_the_same_for_nothing_and_nothing_is_sent(
    saved: Page,
) -> None:
    with saved.kernel() as first:
        before = saved.run_all(first)
    with saved.kernel() as second:
        after = saved.run_all(second)
        assert second.value(f"{SERVER} is None"), "not even a server is needed"
        assert second.value(f"{SESSION}.spending.spent") == 0
    back, *shown = bundles(after["A"])
    assert "3 turns of this notebook are back" in back["text/plain"]
    for cell, again in (("A", shown), ("B", bundles(after["B"])), ("C", bundles(after["C"]))):
        (header, *text), footer = told(again)
        assert text == told(bundles(before[cell]))[0][1:]
        assert header.startswith("Sonnet 5.5 · offline server"), "it says what is seen now"
        assert footer == "from the record · free"
    assert "are back" not in after["B"].shown() + after["C"].shown()


def test_a_new_notebook_has_nothing_that_is_back(saved: Page) -> None:
    with saved.kernel() as first:
        assert "back" not in saved.run(first, "A").shown()


def test_after_a_restart_a_changed_question_is_sent_with_what_stands_above_it(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first)
    saved.cells["B"] = question("Question B, changed")
    saved.save()
    with saved.kernel() as second:
        saved.run(second)
        assert [prompts(r) for r in requests(second)] == [
            ["Question A", "Question B, changed"],
            ["Question A", "Question B, changed", "Question C"],
        ]


def test_after_a_restart_a_cell_that_did_not_run_yet_counts_all_the_same(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A", "B")
    with saved.kernel() as second:
        saved.run(second, "C")
        (request,) = requests(second)
        assert prompts(request) == ["Question A", "Question B", "Question C"]


def test_after_a_restart_a_cell_that_asks_no_more_leaves_the_conversation(saved: Page) -> None:
    """Though it ran before the first question of the kernel."""
    with saved.kernel() as first:
        saved.run(first, "A", "B")
    saved.cells["A"] = "1 + 1"
    saved.save()
    with saved.kernel() as second:
        saved.run(second)
        assert prompts(requests(second)[-1]) == ["Question B", "Question C"]


def test_the_same_cell_twice_in_a_row_asks_afresh_after_a_restart_too(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A")
    with saved.kernel() as second:
        saved.run(second, "A")
        assert requests(second) == []
        saved.run(second, "A")
        assert len(requests(second)) == 1


def test_a_cell_whose_id_changed_is_known_by_its_text(saved: Page) -> None:
    """The ids of some front ends are good for one kernel."""
    with saved.kernel() as first:
        saved.run(first)
    saved.cells = {f"vscode:{cell}": source for cell, source in saved.cells.items()}
    saved.save()
    with saved.kernel() as second:
        saved.run(second)
        assert requests(second) == []
        assert "3 older" not in history(second)


def test_what_was_answered_offline_goes_to_no_other_server(saved: Page) -> None:
    with saved.kernel() as first:
        saved.run(first, "A")
    with OfflineServer() as other, saved.kernel(CLAUDE_MAGIC_BASE_URL=other.url) as second:
        shown = saved.run(second, "B").shown()
        saved.run(second, "C")
        assert [prompts(r.json) for r in other.requests] == [
            ["Question B"],
            ["Question B", "Question C"],
        ]
        assert "1 turn answered offline: not sent to this server" in shown
        ask(second, "Question A", "A")
        assert prompts(other.requests[-1].json) == ["Question A"], "its reply is not shown either"


# --- Several kernels of one notebook.


def test_four_kernels_that_ask_at_once_lose_nothing(tmp_path: Path) -> None:
    asks = "for n in range(10): get_ipython().run_line_magic('claude', f'From {}, number {{n}}')"
    page = Page(tmp_path / "page.ipynb", "A", **{f"K{k}": asks.format(k) for k in range(4)})
    with ExitStack() as stack:
        kernels = [stack.enter_context(page.kernel()) for _ in range(4)]
        page.run(kernels[0], "A")
        (page.conversation,) = conversations(tmp_path)
        page.save()
        sent = [send(each, page.cells[f"K{k}"], f"K{k}") for k, each in enumerate(kernels)]
        for each, message in zip(kernels, sent, strict=True):
            wait(each, message)
    with page.kernel() as last:
        found = last.value(f"[[t.prompt, t.status] for t in {SESSION}.turns]")
    asked = [f"From {k}, number {n}" for k in range(4) for n in range(10)]
    assert sorted(found) == sorted([prompt, "complete"] for prompt in ["Question A", *asked])
    assert conversations(tmp_path) == {page.conversation}


# --- A kernel that was killed.


def killed_when(kernel: Kernel, code: str, cell: str, ripe: Callable[[str], bool]) -> None:
    """Send a cell, and kill the kernel once what the cell shows is ripe."""
    message, shown = send(kernel, code, cell), ""
    while not ripe(shown):
        found = kernel.client.get_iopub_msg(timeout=SECONDS)
        if found["parent_header"].get("msg_id") == message:
            shown = str(found["content"].get("data", shown))
    kernel.manager.signal_kernel(signal.SIGKILL)


def test_a_reply_that_came_as_the_kernel_was_killed_is_shown_as_broken_and_not_sent(
    saved: Page, tmp_path: Path
) -> None:
    kept = tmp_path / "jupyter"

    def has_come(shown: str) -> bool:
        """Some of the reply is shown, and what came of it is on disk."""
        records = [p.read_text().splitlines()[-1] for p in kept.glob("claude_magic/*/*.jsonl")]
        return "This is the" in shown and any("This is the" in last for last in records)

    with OfflineServer(pace=0.1) as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first, "A")
            killed_when(first, saved.cells["B"], "B", has_come)
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            broken = row(second, "Question B")
            assert "This is the" in broken
            assert "broken" in broken
            saved.run(second, "A", "C")
            assert prompts(server.requests[-1].json) == ["Question A", "Question C"]
            saved.run(second, "B")
            assert prompts(server.requests[-1].json) == ["Question A", "Question B"]
            assert "broken" not in history(second)


def test_a_kernel_killed_at_a_cells_second_question_leaves_both_of_the_last_whole_run(
    saved: Page,
) -> None:
    """Never the first question of one run with the second of another: nobody had that talk."""
    saved.cells["A"] = "%claude First?\n%claude Second?"
    changed = "%claude First, changed?\n%claude Second, changed?"
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first, "A")
            server.behave("slow", "silent")
            killed_when(first, changed, "A", lambda shown: "waiting for" in shown)
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            saved.run(second, "B")
            assert prompts(server.requests[-1].json) == ["First?", "Second?", "Question B"]
            assert "changed" not in history(second)


def test_a_reply_of_which_nothing_came_is_broken_too(saved: Page) -> None:
    with OfflineServer(behaviours=["silent"]) as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            killed_when(first, saved.cells["A"], "A", lambda shown: "waiting for" in shown)
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as second:
            assert "broken" in row(second, "Question A")
            saved.run(second, "B")
            assert prompts(server.requests[-1].json) == ["Question B"]


# --- A notebook that was moved or copied. The id in its metadata says whose it is.


def test_a_renamed_notebook_keeps_its_conversation(saved: Page, tmp_path: Path) -> None:
    with saved.kernel() as first:
        saved.run(first)
    (saved.conversation,) = conversations(tmp_path)
    saved.save()
    saved.path = saved.path.rename(tmp_path / "renamed.ipynb")
    with saved.kernel() as second:
        saved.run(second)
        assert requests(second) == []
        ask(second, "Question D", "D")
        assert prompts(requests(second)[-1])[:3] == ["Question A", "Question B", "Question C"]
    assert conversations(tmp_path) == {saved.conversation}


@pytest.fixture
def copied(saved: Page, tmp_path: Path) -> Page:
    """A copy of a notebook in which A and B were asked."""
    with saved.kernel() as first:
        saved.run(first, "A", "B")
    (saved.conversation,) = conversations(tmp_path)
    saved.save()
    shutil.copy(saved.path, tmp_path / "copy.ipynb")
    made = Page(tmp_path / "copy.ipynb", *saved.cells)
    made.conversation = saved.conversation
    made.save()
    return made


def test_a_copied_notebook_has_the_turns_and_goes_its_own_way_from_there(
    saved: Page, copied: Page, tmp_path: Path
) -> None:
    with copied.kernel() as second:
        copied.run(second, "A", "B")
        assert requests(second) == []
        ask(second, "Asked in the copy", "C")
        assert prompts(requests(second)[-1]) == ["Question A", "Question B", "Asked in the copy"]
    assert len(conversations(tmp_path)) == 2
    with saved.kernel() as third:
        assert "Asked in the copy" not in history(third, "--old")
        saved.run(third)
        assert prompts(requests(third)[-1]) == ["Question A", "Question B", "Question C"]


def test_a_copy_that_was_only_looked_at_has_no_conversation_of_its_own(
    copied: Page, tmp_path: Path
) -> None:
    with copied.kernel() as second:
        assert "Question B" in history(second)
    assert conversations(tmp_path) == {copied.conversation}


def test_a_copy_keeps_its_own_turns_where_nobody_writes_its_new_id_into_the_metadata(
    copied: Page,
) -> None:
    """Without the lab extension the copy's file names the first notebook's conversation."""
    with copied.kernel() as second:
        ask(second, "Asked in the copy", "C")
    with copied.kernel() as third:
        ask(third, "Asked in the copy", "C")
        assert requests(third) == []


# --- Where cells have no ids: nbclient, nbval, a terminal.


def test_without_cell_ids_a_kernel_starts_with_an_empty_context(tmp_path: Path) -> None:
    with kernel(tmp_path) as first:
        ask(first, "One")
        ask(first, "Two")
        assert prompts(requests(first)[-1]) == ["One", "Two"]
    with kernel(tmp_path) as second:
        ask(second, "Three")
        assert [prompts(r) for r in requests(second)] == [["Three"]]


@pytest.mark.met("P15")
def test_without_cell_ids_two_kernels_in_a_folder_have_a_conversation_each(tmp_path: Path) -> None:
    with kernel(tmp_path) as first, kernel(tmp_path) as second:
        ask(first, "One")
        ask(second, "Two")
        assert "One" not in second.run("%claude_history").shown()
        second.run("%claude_reset --purge")
        assert "One" in first.run("%claude_history").shown()
        ask(first, "Three")
        assert prompts(requests(first)[-1]) == ["One", "Three"]
    with kernel(tmp_path) as third:
        third.run("%claude_history --resume")
        ask(third, "Four")
        assert [prompts(r) for r in requests(third)] == [["One", "Three", "Four"]]


def test_without_cell_ids_the_same_questions_are_shown_again(tmp_path: Path) -> None:
    asked = ("One", "Two", "One", "Three")
    with kernel(tmp_path) as first:
        before = [told(bundles(ask(first, prompt)))[0] for prompt in asked]
    with kernel(tmp_path) as second:
        assert [told(bundles(ask(second, prompt)))[0] for prompt in asked] == before
        assert requests(second) == []
        ask(second, "Four")
        assert [prompts(r) for r in requests(second)] == [[*asked, "Four"]]


def test_without_cell_ids_the_conversation_is_taken_up_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    with kernel(tmp_path) as first:
        ask(first, "One")
        ask(first, "Two")
    with kernel(tmp_path) as second:
        said = second.run("%claude_history --resume").shown()
        assert "2 earlier turns taken up" in said
        ask(second, "Three")
        assert [prompts(r) for r in requests(second)] == [["One", "Two", "Three"]]
        ran = second.run("%claude_history --resume", ok=False)
        assert "no earlier conversation" in ran.error


def test_without_cell_ids_run_all_goes_on_where_the_reply_above_came_whole_this_time(
    tmp_path: Path,
) -> None:
    with OfflineServer(behaviours=["cut"]) as server:
        with kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url) as first:
            ask(first, "One", ok=False)
            first.run("%claude_continue")
        with kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url) as second:
            ask(second, "One")
            assert "came whole this time" in second.run("%claude_continue").shown()
            ask(second, "Two")
            ran = second.run("%claude_continue", ok=False)
            assert "The reply above is whole" in ran.error, "in this place nothing went on before"


# --- Where nothing can be kept, or must not be.


def test_where_nothing_can_be_kept_the_reply_is_shown_and_that_is_said_once(
    saved: Page, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the folder's place")
    for unusable in ("/proc/nonexistent", str(tmp_path / "file")):
        with saved.kernel(JUPYTER_DATA_DIR=unusable) as started:
            shown = [ran.shown() for ran in saved.run_all(started).values()]
            assert all("offline server" in said for said in shown)
            assert ["kept in memory" in said for said in shown] == [True, False, False]
            assert prompts(requests(started)[-1]) == ["Question A", "Question B", "Question C"]


def test_with_store_off_nothing_is_written(saved: Page, tmp_path: Path) -> None:
    with saved.kernel(CLAUDE_MAGIC_STORE="off") as first:
        saved.run(first)
        saved.run(first, "A")
        assert len(requests(first)) == 3, "within the kernel there is a record all the same"
    assert list(tmp_path.rglob("claude_magic*")) == []


def test_what_is_kept_is_the_users_alone_whatever_the_umask(saved: Page, tmp_path: Path) -> None:
    with saved.kernel() as first:
        first.run("import os; os.umask(0)\nfrom PIL import Image; red = Image.new('RGB', (9, 9))")
        first.run(question("What is this?", "-i red"), cell="A")
    kept = [tmp_path / "jupyter" / "claude_magic"]
    kept += kept[0].rglob("*")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in kept}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert any(path.parent.name == "images" for path in kept)
