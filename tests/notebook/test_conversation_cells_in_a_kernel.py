"""Cells of the conversation: failed, asked again, named, deleted, above a question of the panel.

Real kernels, with cells that have ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel
from tests.notebook.saved_page import Page, ask, prompts, question, requests, row, send, wait

PICTURE = "from PIL import Image\nred = Image.new('RGB', (40, 30), {colour!r})\ndisplay(red)"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of a new notebook: its cells stand in the order in which they ran first."""
    with Page(tmp_path / "new.ipynb").kernel() as started:
        yield started


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


def test_a_count_means_its_cell_where_that_did_not_run_and_is_an_error_once_it_is_gone(
    tmp_path: Path,
) -> None:
    saved = Page(tmp_path / "page.ipynb", height="height = 3")
    with saved.kernel() as first:
        meant = count_of(first, "height", "height = 3")
        saved.cells["A"] = question("Which one?", f"-c {meant}")
        saved.save()
        saved.run(first, "A")
    saved.cells["height"] = "height = 4"
    saved.save()
    with saved.kernel() as second:
        saved.run(second, "A")
        text = requests(second)[-1]["messages"][-1]["content"][0]["text"]
        assert 'state="not run">\nheight = 4' in text
        del saved.cells["height"]
        saved.save()
        ran = saved.run(second, "A", ok=False)
        assert ran.error.startswith("InputError: -c ")
        assert "is not on the page any more" in ran.error


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
    assert ran.error.startswith("InputError: -c #unknown: no cell that is known has the tag")


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
