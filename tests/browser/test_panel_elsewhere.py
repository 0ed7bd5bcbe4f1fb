"""`%claude_chat` where JupyterLab has not our extension: by anywidget, else a line that says so."""

from __future__ import annotations

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook

IN_OUTPUT = ".jp-OutputArea-output"


@pytest.mark.parametrize("there", ["anywidget", "nothing"])
def test_without_the_extension_the_panel_comes_by_anywidget_or_a_line_says_what_to_do(
    notebook: Notebook, there: str
) -> None:
    page = notebook.page
    missing = ["claude-magic"] if there == "anywidget" else ["claude-magic", "anywidget"]
    for extension in missing:
        page.route(f"**/lab/extensions/{extension}/**", lambda route: route.abort())
    notebook.open(f"elsewhere {there}.ipynb", ["%load_ext claude_magic", "%claude_chat"])
    notebook.run(0)
    notebook.run(1)
    if there == "nothing":
        notebook.output(1).get_by_text("ask with %%claude instead").wait_for()
        assert page.locator(".claude-chat").count() == 0
        return
    chat = Chat(notebook, IN_OUTPUT)
    chat.ready()
    turn = chat.ask("Anybody there?")
    assert turn.locator("blockquote").inner_text() == "Anybody there?"
    assert page.locator(f"{IN_OUTPUT} .claude-chat").evaluate("e => e.clientHeight") == 480
    picture(page, "panel by anywidget")
