"""Alt text in the open notebook: by the menu of an output, and by `%claude_caption --write`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import nbformat
import pytest

from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said

HOSTILE = '<img src=x onerror="document.title=1">[a](javascript:alert(1)) "dose"'
CAPTION = {
    "kind": "line chart",
    "alt_text": HOSTILE,
    "description": "Three points.",
    "x_axis": "",
    "y_axis": "",
    "trend": "",
    "confidence": "high",
    "warnings": [],
}
PLOT = (
    "from IPython.display import display\nimport matplotlib.pyplot as plt\n"
    "fig, ax = plt.subplots()\nax.plot([1, 30, 2], label='dose')\nplt.close(fig)\n"
    "print('before')\ndisplay(fig)\ndisplay({'text/plain': 'after'}, raw=True)"
)


@pytest.fixture
def server() -> Iterator[ReplyingServer]:
    with ReplyingServer(lambda question: Said(json.dumps(CAPTION))) as running:
        yield running


def alts(notebook: Notebook, name: str) -> list[str | None]:
    """The alt texts of the pictures in the notebook's file, once it is saved."""
    notebook.command("docmanager:save")
    notebook.until("!model.dirty")
    saved = nbformat.read(notebook.lab.folder / name, as_version=4)
    nbformat.validate(saved)
    outputs = [o for cell in saved.cells for o in cell.outputs if "image/png" in o.get("data", {})]
    return [output.metadata.get("image/png", {}).get("alt") for output in outputs]


def test_alt_text_is_written_into_the_open_notebook(
    notebook: Notebook, server: ReplyingServer
) -> None:
    name, page = "alt.ipynb", notebook.page
    load = f"%load_ext claude_magic\n%claude_config base_url={server.url} model=claude-sonnet-5-5"
    notebook.open(name, [load, PLOT, "%claude_caption --write"])
    notebook.run(0)
    notebook.run(1)
    page.locator(".jp-RenderedImage img").click(button="right")
    page.get_by_text("Write Alt Text with Claude").click()
    page.get_by_text("Alt text written").first.wait_for()
    assert page.title() != "1"
    assert page.locator(".Toastify img").count() == 0
    assert alts(notebook, name) == [HOSTILE]
    page.get_by_role("button", name="Undo").click()
    notebook.until("!JSON.stringify(model.toJSON()).includes('onerror')")
    assert alts(notebook, name) == [None]
    assert "highest 30 at 1" in str(server.asked[0])
    notebook.run(2)
    notebook.until("JSON.stringify(model.toJSON().cells[1]).includes('onerror')")
    assert "in the output's metadata" in notebook.output(2).inner_text()
    assert HOSTILE in notebook.output(2).inner_text()
    assert notebook.output(2).locator('img[src="x"], a[href^="javascript"]').count() == 0
    assert alts(notebook, name) == [HOSTILE]
    assert len(server.asked) == 1, "the same figure was asked about before"
    texts = notebook.js("model.toJSON().cells[1].outputs.map(o => o.output_type)")
    assert texts == ["stream", "display_data", "display_data"]
