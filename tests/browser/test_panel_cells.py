"""What the chat panel does to cells, and what is asked from them, in JupyterLab and Notebook 7."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said

LOAD = "%load_ext claude_magic\n%claude_config base_url={} model=claude-sonnet-5-5"
GIVEN = "answer = 6 * 7\nprint(answer)"
FAULTY = "x = 1\ny = x / 0\nprint(y)"
MENDED = "x = 1\ny = x / 2\nprint(y)"


def answer(question: str) -> Said:
    code = GIVEN if question.endswith("Give me code") else MENDED
    return Said(f"Here it is.\n\n```python\n{code}\n```\n")


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    """A server whose replies hold code."""
    with ReplyingServer(answer) as running:
        yield running


@pytest.fixture
def chat(notebook: Notebook) -> Chat:
    return Chat(notebook)


@pytest.mark.parametrize("application", ["lab/tree", "notebooks"])
def test_code_goes_below_and_an_error_and_a_cell_are_changed_from_their_buttons(
    chat: Chat, server: ReplyingServer, application: str
) -> None:
    notebook, load = chat.notebook, LOAD.format(server.url)
    name = f"panel-cells-{application[:3]}"
    notebook.open(f"{name}.ipynb", [load, FAULTY], application=application)
    notebook.run(0)
    chat.open()
    code = chat.ask("Give me code").locator(".claude-chat-code")
    code.hover()
    picture(chat.page, f"{name} code")
    chat.button("Insert into a new cell below", code).click()
    notebook.until_sources(load, GIVEN, FAULTY)
    chat.button("Run in a new cell below", code).click()
    notebook.until_sources(load, GIVEN, GIVEN, FAULTY)
    notebook.output(2).get_by_text("42", exact=True).wait_for()
    assert notebook.output(1).inner_text() == "", "only the second one was run"

    notebook.run(3)
    notebook.output(3).get_by_role("button", name="Fix with Claude").click()
    change(chat, f"{name} fix")
    assert "ZeroDivisionError" in server.asked[-1]
    chat.until_prompts("Give me code", "Fix the error of cell [3]")
    press(chat, "Accept")
    notebook.until_sources(load, GIVEN, GIVEN, MENDED)
    press(chat, "Undo")
    notebook.until_sources(load, GIVEN, GIVEN, FAULTY)

    notebook.select(3)
    cell = chat.page.locator(".jp-Cell").nth(3)
    cell.locator("[data-command='claude-magic:cell-menu']").click()
    picture(chat.page, f"{name} menu")
    chat.page.get_by_role("menuitem", name="Edit Cell with Claude").click()
    words = edit(chat).get_by_role("textbox")
    words.fill("Divide by two")
    words.press("Enter")
    change(chat, f"{name} edit")
    assert server.asked[-1].endswith("Divide by two")
    assert chat.composer.input_value() == "", "the new line was not for the panel"
    press(chat, "Accept")
    notebook.until_sources(load, GIVEN, GIVEN, MENDED)
    notebook.js("[...model.cells][3].sharedModel.undo()")
    # It is one change, which the cell's own undo takes back.
    notebook.until_sources(load, GIVEN, GIVEN, FAULTY)
    notebook.js("[...model.cells][3].sharedModel.redo()")
    press(chat, "Close")
    edit(chat).wait_for(state="detached")
    notebook.run(3)
    notebook.output(3).get_by_text("0.5", exact=True).wait_for()


def edit(chat: Chat) -> Any:
    """What stands below the text of a cell that is to be changed."""
    return chat.page.get_by_role("group", name="Edit this cell with Claude")


def press(chat: Chat, name: str) -> None:
    """Press one of its buttons."""
    chat.button(name, edit(chat)).click()


def change(chat: Chat, shown: str) -> None:
    """Wait for the change that is offered; nothing is changed yet."""
    diff = edit(chat).locator(".claude-magic-diff")
    diff.wait_for()
    assert diff.locator("div").all_text_contents() == [
        "  x = 1",
        "- y = x / 0",
        "+ y = x / 2",
        "  print(y)",
    ]
    assert chat.notebook.sources[3] == FAULTY
    picture(chat.page, shown)
