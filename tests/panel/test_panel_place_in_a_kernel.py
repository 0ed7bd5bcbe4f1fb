"""Where a panel's question stands: what it will see is said, turns stand as they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import Kernel
from tests.notebook.saved_page import Page, prompts
from tests.panel.panels import NOWHERE, Panel, shown

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


@pytest.fixture
def panel(own: Kernel) -> Panel:
    panel = shown(own)
    panel.hello()
    return panel


def sees(panel: Panel, **place: Any) -> tuple[int, int, str]:
    """What is said of a question that stands there: turns that it sees, of how many, below what."""
    panel.messages.clear()
    panel.say({"type": "preview", "cell": "", **NOWHERE, **place})
    told = panel.one("sees")
    return told["seen"], told["all"], told["below"]


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
    assert sees(panel, cell="A") == (0, 1, "[2]")
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
    assert sees(panel, cell="A", whole=True) == (1, 1, "[3]")
    request = panel.ask("which number?", cell="A", whole=True)
    assert panel.begun(request)["before"] == ""
    panel.ended(request)
    assert prompts(question(own)) == [NUMBER, "which number?"]
    assert sees(panel, cell="C", whole=True) == (2, 2, "[4]"), "the cell is further down"


@pytest.mark.met("P11")
def test_what_is_said_holds_for_what_is_sent_then_wherever_the_user_is(
    panel: Panel, own: Kernel
) -> None:
    for prompt, cell in (("One", "B"), ("Two", "A"), ("Three", "C"), ("Four", "A")):
        panel.asked(prompt, cell=cell)
    own.run("%%claude\nFive", cell="C")
    for place in (*({"cell": cell} for cell in "ABC"), {"cell": "A", "whole": True}):
        seen, of, _ = sees(panel, **place)
        panel.asked("And now?", **place)
        sent = prompts(question(own))
        assert len(sent) == seen + 1
        assert of >= seen
        assert sent == [p for p in order(panel) if p in sent][: len(sent)]


@pytest.mark.met("P11")
def test_turns_stand_in_the_order_that_is_sent_once_cells_were_moved(
    panel: Panel, own: Kernel, page: Page
) -> None:
    panel.asked("Below A", cell="A")
    panel.asked("Below C", cell="C")
    page.cells = {cell: page.cells[cell] for cell in "CBA"}
    page.save()
    assert sees(panel, cell="C") == (1, 2, "[4]")
    assert order(panel) == ["Below C", "Below A"]
    panel.asked("All of it", cell="A")
    assert prompts(question(own)) == ["Below C", "Below A", "All of it"]


def test_of_a_question_in_other_words_it_is_what_stands_above_the_first(
    panel: Panel, own: Kernel
) -> None:
    panel.asked("One", cell="A")
    two = panel.asked("Two", cell="A")
    panel.asked("Three", cell="C")
    assert sees(panel, cell="C") == (3, 3, "[4]")
    assert sees(panel, cell="C", instead=two["id"]) == (1, 1, "[2]"), "Three saw Two, and goes too"


def test_what_follows_a_turn_stands_there_wherever_the_user_is(panel: Panel, own: Kernel) -> None:
    one = panel.asked("One", cell="C")
    panel.asked("Two", cell="C")
    assert sees(panel, cell="A", after=one["id"]) == (1, 1, "[4]")
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
