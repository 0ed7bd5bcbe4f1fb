"""A day with the chat panel, in a real JupyterLab: each test is one sitting of one user."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chat import DOCK, Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said
from tests.messages.image_samples import photo, saved

PICTURE = base64.b64encode(saved(photo(60, 40))).decode()
LOAD = "%load_ext claude_magic"
CODE = "Here:\n\n```python\nanswer = 6 * 7\nprint(answer)\n```\n\nRun it."
MENDED = "It divides by zero.\n\n```python\nx = 2\ny = 1 / x\nprint(y)\n```\n"
EDITED = "Squares now.\n\n```python\nvalues = [n**2 for n in range(4)]\nprint(values)\n```\n"


def answer(question: str) -> Said:
    last = question.splitlines()[-1]
    if "Change this cell" in question:
        return Said(EDITED)
    if "ZeroDivisionError" in question:
        return Said(MENDED)
    if "code" in last:
        return Said(CODE)
    if "slowly" in last:
        return Said("One word after the other. " * 20, hold=60)
    return Said(f"You said: {last}")


@pytest.fixture
def chat(notebook: Notebook) -> Chat:
    return Chat(notebook)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    """A server that answers as `answer` says; what is asked slowly stands still."""
    with ReplyingServer(answer) as running:
        yield running


def load(server: ReplyingServer) -> str:
    return f"{LOAD}\n%claude_config base_url={server.url} model=claude-sonnet-5-5"


def opened(chat: Chat, name: str, first: str, *cells: str) -> Chat:
    """The chat of a new notebook, once its first cell has run and the panel is there."""
    chat.notebook.open(name, [first, *cells])
    chat.notebook.run(0)
    chat.open()
    return chat


def images_of(body: Any) -> list[dict[str, Any]]:
    """The image blocks of a request's last message."""
    return [block for block in body["messages"][-1]["content"] if block["type"] == "image"]


def test_pictures_code_stop_edit_and_branch(chat: Chat, server: ReplyingServer) -> None:
    """Paste and drop, put code where it belongs, stop, ask otherwise, go back and branch off."""
    opened(chat, "story.ipynb", load(server))
    chat.paste(PICTURE)
    chat.drop(PICTURE)
    chat.find(".claude-chat-chip img").nth(1).wait_for()
    turn = chat.ask("What is this?")
    assert turn.locator(".claude-chat-thumbnail img").count() == 2
    assert [image["source"]["type"] for image in images_of(server.bodies[-1])] == ["base64"] * 2

    turn = chat.ask("Give me code")
    turn.locator(".claude-chat-code").hover()
    chat.button("Insert into a new cell below", turn).click()
    source = "panel.content.activeCell.model.sharedModel.getSource()"
    assert chat.notebook.js(source) == "answer = 6 * 7\nprint(answer)"
    chat.button("Run in a new cell below", turn).click()
    chat.notebook.until("panel.content.activeCell.outputArea?.node.innerText.includes('42')")
    assert chat.notebook.js("panel.content.widgets.length") == 3

    chat.write("Go on slowly")
    live = chat.turn("Go on slowly")
    live.get_by_text("One word after the other").wait_for()
    began = time.monotonic()
    chat.button("Stop").click()
    chat.button("Send").wait_for()
    stopped = time.monotonic() - began
    assert "One word after the other" in live.inner_text()
    assert "stopped; what came is kept" in live.inner_text()
    assert stopped < 5, "a reply of a minute was waited for"

    live.hover()
    chat.button("Edit the question", live).click()
    assert chat.composer.input_value() == "Go on slowly"
    chat.ask("Go on quickly")
    chat.until_prompts("What is this?", "Give me code", "Go on quickly")
    edited = chat.turn("Go on quickly")
    assert "2 / 2" in edited.inner_text()
    chat.button("Version before", edited).click()
    chat.until_prompts("What is this?", "Give me code", "Go on slowly")
    chat.choose(chat.turn("What is this?"), "Branch off here")
    chat.ask("Another way")
    chat.until_prompts("What is this?", "Another way")
    sent = server.bodies[-1]["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert len(images_of({"messages": sent[:1]})) == 2
    picture(chat.page, "panel story")


def test_an_error_is_fixed_and_a_cell_edited_and_both_can_be_undone(
    chat: Chat, server: ReplyingServer
) -> None:
    broken, values = "x = 0\ny = 1 / x", "values = list(range(4))\nprint(values)"
    opened(chat, "mend.ipynb", load(server), broken, values)
    notebook = chat.notebook
    notebook.run(1)
    cell = chat.page.locator(".jp-CodeCell").nth(1)
    cell.get_by_role("button", name="Fix with Claude").click()
    change = cell.get_by_role("group", name="Edit this cell with Claude")
    change.get_by_role("button", name="Accept").wait_for()
    assert "- x = 0" in change.inner_text()
    assert "+ x = 2" in change.inner_text()
    assert "ZeroDivisionError" in server.asked[-1]
    picture(chat.page, "panel diff")
    change.get_by_role("button", name="Accept").click()
    source = "panel.content.widgets[argument].model.sharedModel.getSource()"
    assert notebook.js(source, 1) == "x = 2\ny = 1 / x\nprint(y)"
    change.get_by_role("button", name="Undo").click()
    assert notebook.js(source, 1) == broken
    chat.turn("Fix the error of cell [2]").wait_for()

    notebook.select(2)
    notebook.command("claude-magic:edit-cell")
    edit = chat.page.locator(".jp-CodeCell").nth(2).get_by_role("group", name="Edit this cell")
    edit.get_by_role("textbox").fill("squares, please")
    edit.get_by_role("textbox").press("Enter")
    edit.get_by_role("button", name="Accept").click()
    assert notebook.js(source, 2) == "values = [n**2 for n in range(4)]\nprint(values)"
    edit.get_by_role("button", name="Close").click()
    notebook.js("panel.content.widgets[2].model.sharedModel.undo()")
    assert notebook.js(source, 2) == values


def test_a_tool_waits_for_a_word_in_the_panel_while_a_cell_runs(chat: Chat) -> None:
    tool = 'def lookup_gene(name: str) -> str:\n    "What is known of a gene."\n    return "known"'
    load = f"{LOAD}\n%claude_config tools=lookup_gene\n{tool}"
    opened(chat, "tools.ipynb", load, "import time; time.sleep(600)")
    chat.write("Ask lookup_gene about BRCA1")
    waiting = chat.turn("about BRCA1").get_by_role("group", name="A tool waits for your word")
    waiting.get_by_role("button", name="Allow", exact=True).wait_for()
    picture(chat.page, "panel approval")
    waiting.get_by_role("textbox").fill("not now")
    waiting.get_by_role("button", name="Deny").click()
    chat.find(".claude-chat-call.claude-chat-failed, .claude-chat-failed").first.wait_for()
    chat.button("Send").wait_for()
    chat.notebook.start(1)
    running = "panel.content.widgets[1].model.executionState === 'running'"
    chat.notebook.until(running)
    chat.write("Once more lookup_gene about TP53")
    waiting = chat.turn("about TP53").get_by_role("group", name="A tool waits for your word")
    waiting.get_by_role("button", name="Allow", exact=True).click()
    chat.turn("about TP53").get_by_text("lookup_gene · done").wait_for()
    chat.button("Send").wait_for()
    assert chat.notebook.js(running)
    chat.notebook.js("kernel.interrupt()")


def test_it_stays_through_restart_reload_rename_and_beside_another_notebook(
    chat: Chat, server: ReplyingServer
) -> None:
    notebook = opened(chat, "first.ipynb", load(server)).notebook
    chat.ask("Before the restart")
    notebook.js("panel.sessionContext.restartKernel()")
    notebook.until_idle()
    notebook.run(0)
    chat.ask("After the restart")
    chat.until_prompts("Before the restart", "After the restart")
    assert "Before the restart" in str(server.bodies[-1]["messages"][0])
    notebook.command("docmanager:save")
    notebook.reload()
    notebook.until_idle()
    chat.open()
    chat.until_prompts("Before the restart", "After the restart")
    notebook.js("panel.context.rename('renamed.ipynb')")
    chat.ask("After the rename")
    chat.until_prompts("Before the restart", "After the restart", "After the rename")
    chat.find(".claude-chat-title").get_by_text("renamed").wait_for()

    other = "window.jupyterapp.commands.execute('docmanager:open', {path: 'second.ipynb'})"
    notebook.write("second.ipynb", [load(server)])
    notebook.js(f"{other}.then((opened) => opened.context.ready).then(() => true)")
    notebook.until("panel.context.path === 'second.ipynb'")
    notebook.until_idle()
    notebook.run(0)
    chat.open()
    chat.ask("In the second notebook")
    chat.until_prompts("In the second notebook")
    notebook.js(other.replace("second", "renamed"))
    chat.until_prompts("Before the restart", "After the restart", "After the rename")
    assert "In the second notebook" not in str(server.bodies[:-1])

    light = _colours(chat)
    notebook.theme("JupyterLab Dark")
    picture(chat.page, "panel dark")
    dark = _colours(chat)
    notebook.theme("JupyterLab Light")
    assert light["background"] != dark["background"]
    assert light["text"] != dark["text"]


def _colours(chat: Chat) -> dict[str, str]:
    """What the panel's background and text have, whatever they are set by."""
    found: dict[str, str] = chat.page.evaluate(
        "(scope) => { const style = getComputedStyle(document.querySelector(scope));"
        " return {background: style.backgroundColor, text: style.color}; }",
        DOCK,
    )
    return found
