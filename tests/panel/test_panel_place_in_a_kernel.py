"""Where a panel's question stands: what it will see is said, turns stand as they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.notebook.page.front_end import COMM
from tests.kernels import Kernel
from tests.notebook.saved_page import Page, prompts
from tests.panel.panels import NOWHERE, Panel, create_subshell

NUMBER = "my number is 4711"


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path / "page.ipynb", A="a = 1", B="b = 2", C="c = 3")


@pytest.fixture
def own(page: Page) -> Iterator[Kernel]:
    """A kernel of the page, all of whose cells have run."""
    with page.kernel() as started:
        page.run_all(started)
        yield started


def sees(panel: Panel, expected: tuple[int, int, str], **place: Any) -> None:
    """Wait until this is said of a question there: turns that it sees, of how many, below what."""
    panel.messages.clear()
    panel.say({"type": "preview", "cell": "", **NOWHERE, **place})
    seen, of, below = expected
    panel.one("sees", seen=seen, all=of, below=below)


def order(panel: Panel) -> list[str]:
    """The turns as a view has them that comes now."""
    panel.messages.clear()
    return [turn["asked"]["prompt"] for turn in panel.hello("late")["turns"]]


def question(kernel: Kernel) -> Mapping[str, Any]:
    return kernel.requests()[-1]


def test_a_question_below_a_cell_further_up_does_not_see_what_was_asked_below(
    panel: Panel, own: Kernel
) -> None:
    first = panel.asked(NUMBER, cell="C")
    sees(panel, (0, 1, "[2]"), cell="A")
    request = panel.ask("which number?", cell="A")
    assert panel.begun(request)["before"] == first["id"], "it comes to stand above the other"
    panel.ended(request)
    assert prompts(question(own)) == ["which number?"]
    assert order(panel) == ["which number?", NUMBER]


@pytest.mark.met("P11")
def test_one_that_is_to_see_the_whole_conversation_stands_below_it(
    panel: Panel, own: Kernel
) -> None:
    panel.asked(NUMBER, cell="B")
    sees(panel, (1, 1, "[3]"), cell="A", whole=True)
    request = panel.ask("which number?", cell="A", whole=True)
    assert panel.begun(request)["before"] == ""
    panel.ended(request)
    assert prompts(question(own)) == [NUMBER, "which number?"]
    sees(panel, (2, 2, "[4]"), cell="C", whole=True)  # the cell is further down


@pytest.mark.met("P11")
def test_what_is_said_holds_for_what_is_sent_then_wherever_the_user_is(
    panel: Panel, own: Kernel
) -> None:
    for prompt, cell in (("One", "B"), ("Two", "A"), ("Three", "C"), ("Four", "A")):
        panel.asked(prompt, cell=cell)
    own.run("%%claude\nFive", cell="C")
    told = (("A", 2, 5, "[2]"), ("B", 4, 6, "[3]"), ("C", 7, 7, "[6]"), ("A", 8, 8, "[6]"))
    for number, (cell, seen, of, below) in enumerate(told):
        place = {"cell": cell, "whole": number == 3}
        sees(panel, (seen, of, below), **place)
        panel.asked("And now?", **place)
        sent = prompts(question(own))
        assert len(sent) == seen + 1
        assert sent == [p for p in order(panel) if p in sent][: len(sent)]


@pytest.mark.met("P11")
def test_turns_stand_in_the_order_that_is_sent_once_cells_were_moved(
    panel: Panel, own: Kernel, page: Page
) -> None:
    panel.asked("Below A", cell="A")
    panel.asked("Below C", cell="C")
    page.cells = {cell: page.cells[cell] for cell in "CBA"}
    page.save()
    sees(panel, (1, 2, "[4]"), cell="C")
    assert order(panel) == ["Below C", "Below A"]
    panel.asked("All of it", cell="A")
    assert prompts(question(own)) == ["Below C", "Below A", "All of it"]


def test_of_a_question_in_other_words_it_is_what_stands_above_the_first(
    panel: Panel, own: Kernel
) -> None:
    panel.asked("One", cell="A")
    two = panel.asked("Two", cell="A")
    panel.asked("Three", cell="C")
    sees(panel, (3, 3, "[4]"), cell="C")
    sees(panel, (1, 1, "[2]"), cell="C", instead=two["id"])  # Three saw Two, and goes too


def test_what_follows_a_turn_stands_there_wherever_the_user_is(panel: Panel, own: Kernel) -> None:
    one = panel.asked("One", cell="C")
    panel.asked("Two", cell="C")
    sees(panel, (1, 1, "[4]"), cell="A", after=one["id"])
    panel.asked("Another two", cell="A", after=one["id"])
    assert prompts(question(own)) == ["One", "Another two"]


def test_what_is_seen_is_said_anew_once_turns_come_or_go(panel: Panel, own: Kernel) -> None:
    own.run("%%claude\nIn a cell", cell="A")
    panel.until(lambda m: m["type"] == "sees" and m["all"] == 1)
    turn = panel.asked("Here", cell="C")
    panel.until(lambda m: m["type"] == "sees" and m["all"] == 2)
    panel.messages.clear()
    panel.say({"type": "remove", "turn": turn["id"]})
    assert panel.one("sees")["all"] == 1


def test_a_question_that_overtakes_what_the_page_tells_waits_for_it(
    panel: Panel, own: Kernel, page: Page
) -> None:
    folder = str(page.path.parent)
    told = {"type": "page", "path": "page.ipynb", "root": folder, "fresh": True}
    told |= {"conversation": None, "cells": ["A", "new"]}
    cell = {"id": "new", "kind": "code", "source": "only_told = 1", "count": None, "tags": []}
    cells = {"type": "cells", "cells": [{**cell, "outputs": 0}]}
    request = panel.ask("What is new?", cell="new", page="m-1", subshell=create_subshell(own))
    for data in (told, cells, {"type": "mark", "mark": "m-1"}):
        message = own.client.session.msg("comm_msg", {"comm_id": COMM, "data": data})
        own.client.shell_channel.send(message)
    assert panel.ended(request)["turn"]
    assert "only_told = 1" in str(question(own))
