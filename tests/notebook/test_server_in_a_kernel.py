"""A notebook that was meant for one server is asked nowhere else because a kernel is new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversation.scripted_server import ScriptedServer, says
from tests.notebook.saved_page import Page, question
from tests.panel.panels import Panel, text_of


@pytest.fixture
def local() -> Iterator[ScriptedServer]:
    """The server that the notebook names."""
    with ScriptedServer(says("Local.")) as started:
        yield started


@pytest.fixture
def elsewhere() -> Iterator[ScriptedServer]:
    """The one that the environment names."""
    with ScriptedServer(says("Elsewhere.")) as started:
        yield started


@pytest.fixture
def book(tmp_path: Path, local: ScriptedServer, elsewhere: ScriptedServer) -> Page:
    """A notebook that was run: its first cell names the server, the second asks."""
    names = f"%claude_config base_url={local.url}"
    made = Page(tmp_path / "page.ipynb", names=names, A=question("A"), B=question("B"))
    with made.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as first:
        made.run(first, "names", "A")
    assert len(local.bodies) == 1
    return made


def test_a_cell_is_refused_in_one_line_that_says_how_to_go_on(
    book: Page, local: ScriptedServer, elsewhere: ScriptedServer
) -> None:
    with book.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as second:
        ran = book.run(second, "B", ok=False)
        assert f"Run the cell that says %claude_config base_url={local.url}" in ran.error
        assert f"%claude_config base_url={elsewhere.url} to ask there" in ran.error
        assert "\n" not in ran.error
        counted = second.run("%%claude --dry-run=count\nB", cell="B", ok=False)
        assert "Nothing was sent" in counted.error
        assert elsewhere.bodies == []
        book.run(second, "names", "B")
    assert len(local.bodies) == 2
    assert elsewhere.bodies == []


def test_the_panel_is_refused_likewise_until_the_cell_has_run(
    book: Page, local: ScriptedServer, elsewhere: ScriptedServer
) -> None:
    with book.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as second:
        panel = Panel.of_widget(second)
        panel.hello()
        end = panel.ended(panel.ask("And now?", cell="A"))
        assert end["turn"] is None
        assert f"%claude_config base_url={local.url}" in end["error"]
        book.run(second, "names")
        assert text_of(panel.asked("And now?", cell="A")) == "Local."
    assert elsewhere.bodies == []


SAID = {"the other one": "%claude_config base_url={}", "none": "%claude_config base_url="}


@pytest.mark.parametrize("case", SAID)
def test_whoever_says_in_this_kernel_where_to_ask_is_asked_nothing(
    book: Page, elsewhere: ScriptedServer, case: str
) -> None:
    with book.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as second:
        second.run(SAID[case].format(elsewhere.url))
        assert "Elsewhere." in book.run(second, "B").shown()
    with book.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as third:
        third.run(question("Still there?"), cell="B")  # the last turn was asked there
    assert len(elsewhere.bodies) == 2


def test_what_is_on_record_is_shown_and_offline_nothing_leaves(
    book: Page, local: ScriptedServer, elsewhere: ScriptedServer
) -> None:
    with book.kernel(CLAUDE_MAGIC_BASE_URL=local.url) as second:  # the same, named otherwise
        assert "Local." in book.run(second, "A").shown()
        book.run(second, "B")
    with book.kernel(CLAUDE_MAGIC_BASE_URL="offline") as third:
        third.run(question("Is it there?"), cell="B")
    assert len(local.bodies) == 2
    assert elsewhere.bodies == []


def test_a_notebook_that_was_emptied_or_only_tried_offline_may_be_asked_anywhere(
    book: Page, elsewhere: ScriptedServer
) -> None:
    with book.kernel(CLAUDE_MAGIC_BASE_URL="offline") as second:
        second.run("%claude_reset")
        book.run(second, "B")
    with book.kernel(CLAUDE_MAGIC_BASE_URL=elsewhere.url) as third:
        book.run(third, "B")
    assert len(elsewhere.bodies) == 1
