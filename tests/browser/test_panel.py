"""The chat panel as somebody uses it, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said
from tests.messages.image_samples import photo, saved

PICTURE = base64.b64encode(saved(photo(60, 40))).decode()
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);"
LOAD = "%load_ext claude_magic"


@pytest.fixture
def chat(notebook: Notebook) -> Chat:
    return Chat(notebook)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    """A server whose replies hold code, or stand still until they are let go."""
    with ReplyingServer(answer) as running:
        yield running


def answer(question: str) -> Said:
    last = question.splitlines()[-1]
    if "mended" in question or "changed cell" in question:
        return Said("It divides by zero.\n\n```python\nx = 1\ny = x / 2\nprint(y)\n```\n")
    if "code" in last:
        return Said("Here:\n\n```python\nanswer = 6 * 7\nprint(answer)\n```\n\nRun it.")
    if "slowly" in last:
        return Said("One line.\n\n" * 400, seconds=20)
    if "long" in last:
        return Said("\n\n".join(f"Paragraph {n}." for n in range(60)))
    return Said(f"You said: {last}")


def load(server: ReplyingServer) -> str:
    return f"{LOAD}\n%claude_config base_url={server.url} model=claude-sonnet-5-5"


@pytest.mark.parametrize("application", ["lab/tree", "notebooks"])
def test_a_cells_question_stands_in_the_panel_and_the_panel_sees_the_last_figure(
    chat: Chat, application: str
) -> None:
    notebook = chat.notebook
    name = f"panel-{application[:3]}.ipynb"
    notebook.open(name, [LOAD, "%claude Asked in a cell", PLOT], application=application)
    notebook.run(0)
    notebook.run(1)
    chat.open()
    assert chat.prompts == ["Asked in a cell"]
    assert chat.turn("Asked in a cell").locator(".claude-chat-place").inner_text() == "[2]"
    notebook.run(2)
    chat.find(".claude-chat-chip img").wait_for()
    turn = chat.ask("What stands out in the last figure?")
    image = turn.locator(".claude-chat-thumbnail img")
    assert image.evaluate("i => [i.complete && i.naturalWidth > 0, i.clientHeight]") == [True, 48]
    assert "Image 1: PNG" in turn.inner_text()
    image.click()
    whole = chat.find("dialog img")
    assert whole.evaluate("i => i.decode().then(() => i.naturalWidth)") > 400
    chat.page.keyboard.press("Escape")
    notebook.run(1)
    chat.until_prompts("Asked in a cell", "What stands out in the last figure?")
    chat.page.wait_for_timeout(0)
    picture(chat.page, f"panel {application[:3]}")
