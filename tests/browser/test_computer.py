"""A run on a virtual desktop as its reader has it in JupyterLab."""

from __future__ import annotations

import shutil

import pytest

from claude_magic.computer.desktop import check_installed
from claude_magic.messages.errors import InputError
from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook

EDITOR = "l3afpad"
LIVE = 'img[alt="The virtual desktop"]'
RUN = f"""%%claude --tools computer --app "{EDITOR} plate.txt" --approve auto -o run
On the desktop click at 300, 200, type `sample  1.204`, press `ctrl+s`, wait 3."""


def test_steps_are_seen_as_they_come_and_stay_folded_with_pictures_that_open(
    notebook: Notebook,
) -> None:
    try:
        check_installed()
    except InputError as fault:
        pytest.skip(str(fault))
    if shutil.which(EDITOR) is None:
        pytest.skip(f"no {EDITOR}: tests/install-desktop installs it")
    page = notebook.page
    notebook.open("computer.ipynb", ["%load_ext claude_magic", RUN])
    notebook.run(0)
    notebook.start(1)
    live = notebook.output(1).locator(LIVE)
    live.first.wait_for()
    page.wait_for_function(f"document.querySelector('{LIVE}')?.naturalWidth === 960")
    picture(page, "computer, live")
    strip = notebook.output(1).locator('img[alt="The desktop after each step"]')
    strip.wait_for()
    assert live.count() == 0
    assert (notebook.lab.folder / "plate.txt").read_text() == "sample  1.204"
    folded = notebook.output(1).locator("details.claude-magic-fold").last
    folded.locator("> summary").click()
    small = folded.locator("details.claude-magic-thumbnail").nth(1)
    before = small.locator("img").bounding_box()
    small.locator("summary").click()
    after = small.locator("img").bounding_box()
    assert before["height"] == 48
    assert after["height"] > 300
    assert strip.evaluate("image => image.naturalWidth") > 700
    picture(page, "computer, folded")
    strip.scroll_into_view_if_needed()
    picture(page, "computer, strip")
    chat = Chat(notebook)
    chat.open()
    calls = chat.find("details").filter(has_text="left_click")
    calls.first.wait_for()
