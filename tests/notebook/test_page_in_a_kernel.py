"""The conversation follows the page: cells asked, asked again, moved, in a real kernel.

Cells are run with ids, as a front end runs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel, Ran, kernel
from tests.notebook.saved_page import told

SERVER = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of its own, whose notebook is the file page.ipynb."""
    with kernel(tmp_path, JPY_SESSION_NAME=str(tmp_path / "page.ipynb")) as started:
        yield started


def ask(kernel: Kernel, cell: str, prompt: str | None = None) -> Ran:
    return kernel.run(f"%%claude\n{prompt or f'Question {cell}'}", cell=cell)


def questions(kernel: Kernel) -> list[str]:
    """The last lines of the user messages of the last request: the prompts, in their order."""
    found = []
    for message in kernel.requests()[-1]["messages"]:
        if message["role"] == "user":
            content = message["content"]
            text = content if isinstance(content, str) else content[-1]["text"]
            found.append(text.splitlines()[-1])
    return found


def save(folder: Path, *cells: str) -> None:
    """The notebook's file with these cells, in this order."""
    made = [{"id": c, "cell_type": "code", "source": "", "metadata": {}} for c in cells]
    (folder / "page.ipynb").write_text(json.dumps({"cells": made}), encoding="utf-8")


def test_a_question_asked_again_sees_what_stands_above_it_and_nothing_below(own: Kernel) -> None:
    for cell in "ABC":
        ask(own, cell)
    ran = ask(own, "B", "Question B, changed")
    assert questions(own) == ["Question A", "Question B, changed"]
    assert "sees 1 of 2 turns" in ran.shown()
    ask(own, "C")
    assert questions(own) == ["Question A", "Question B, changed", "Question C"]


def test_running_all_again_gives_the_same_conversation_and_not_a_doubled_one(own: Kernel) -> None:
    for cell in "ABC":
        ask(own, cell)
    first, shown = own.requests(), [o["data"] for o in ask(own, "D").outputs]
    for cell in "ABC":
        ask(own, cell)
    again = ask(own, "D")
    assert own.requests()[:3] == first
    assert len(own.requests()) == 4, "what has not changed is not asked again"
    text, footer = told([o["data"] for o in again.outputs])
    assert (text, footer) == (told(shown)[0], "from the record · free")
    assert again.outputs[-1]["metadata"]["claude_magic"]["replayed"] is True
    own.run("%claude --fresh Question E", cell="E")
    assert questions(own) == [f"Question {cell}" for cell in "ABCDE"]


def test_only_what_has_changed_is_asked_again(own: Kernel) -> None:
    """A changed question changes what the questions below it see."""
    for cell in "ABC":
        ask(own, cell)
    ask(own, "A")
    ask(own, "B", "Question B, changed")
    ask(own, "C")
    assert len(own.requests()) == 5
    ask(own, "B")
    ask(own, "C")
    assert len(own.requests()) == 5, "both stand as they did the first time"


def test_the_same_cell_twice_in_a_row_asks_afresh(own: Kernel) -> None:
    ask(own, "A")
    ask(own, "A")
    assert len(own.requests()) == 2
    own.run("1", cell="0")
    ask(own, "A")
    assert len(own.requests()) == 2
    own.run("%%claude --fresh\nQuestion A", cell="B")
    assert len(own.requests()) == 3


def test_replay_can_be_turned_off(own: Kernel) -> None:
    own.run("%claude_config replay=off", cell="0")
    ask(own, "A")
    own.run("1", cell="1")
    ask(own, "A")
    assert len(own.requests()) == 2


def test_a_question_carries_what_stands_between_the_one_above_and_itself(own: Kernel) -> None:
    own.run("above = 1", cell="1")
    ask(own, "A")
    own.run("between = 2", cell="2")
    ask(own, "B")
    own.run("above = 10", cell="1")
    ask(own, "B")
    *_, last = own.requests()[-1]["messages"]
    assert "between = 2" in str(last)
    assert "above = 10" not in str(last)
    own.run("1", cell="0")
    ask(own, "A")
    assert "above = 10" in str(own.requests()[-1]["messages"][-1])


def test_the_saved_notebook_says_the_order(own: Kernel, tmp_path: Path) -> None:
    save(tmp_path, "A", "B", "C")
    for cell in "CBA":
        ask(own, cell)
    assert questions(own) == ["Question A"]
    save(tmp_path, "C", "A", "B")
    ask(own, "B")
    assert questions(own) == ["Question C", "Question A", "Question B"]


def test_a_cell_that_is_new_stands_below_the_cell_that_ran_before_it(
    own: Kernel, tmp_path: Path
) -> None:
    save(tmp_path, "A", "B")
    ask(own, "A")
    ask(own, "B")
    own.run("1", cell="A2")
    ask(own, "A")
    ask(own, "new")
    assert questions(own) == ["Question A", "Question new"]


def test_a_deleted_cells_turns_are_out_of_the_conversation(own: Kernel, tmp_path: Path) -> None:
    save(tmp_path, "A", "B", "C")
    for cell in "AB":
        ask(own, cell)
    save(tmp_path, "A", "C")
    ask(own, "C")
    assert questions(own) == ["Question A", "Question C"]


def test_a_cell_that_asks_twice_sees_its_own_first_question(own: Kernel) -> None:
    code = "%claude First?\nprint('between')\n%claude Second?"
    own.run(code, cell="A")
    assert questions(own) == ["First?", "Second?"]
    own.run(code, cell="A")
    assert questions(own) == ["First?", "Second?"]
    own.run("%claude First?", cell="A")
    ask(own, "B")
    assert questions(own) == ["First?", "Question B"]


def test_a_cell_that_asks_no_more_leaves_the_conversation(own: Kernel) -> None:
    ask(own, "A")
    own.run("1 + 1", cell="A")
    ask(own, "B")
    assert questions(own) == ["Question B"]


def test_an_interrupted_run_leaves_the_complete_version_to_the_others(own: Kernel) -> None:
    ask(own, "A")
    own.run(f"{SERVER}.behave('cut')", cell="0")
    own.run("%%claude\nQuestion A, which breaks", cell="A", ok=False)
    ask(own, "B")
    assert questions(own) == ["Question A", "Question B"]
