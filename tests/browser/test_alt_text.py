"""Alt text in the open notebook: by the menu of an output, and by `%claude_caption --write`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import nbformat
import pytest

from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said
from tests.browser.test_accessibility import AXE

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


def read_out(notebook: Notebook) -> list[str | None]:
    """The alt texts of the pictures that the page shows."""
    images = notebook.page.locator(".jp-RenderedImage img").all()
    return [image.get_attribute("alt") for image in images]


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
    notebook.until_true(lambda: read_out(notebook) == [HOSTILE])
    page.get_by_role("button", name="Undo").click()
    notebook.until("!JSON.stringify(model.toJSON()).includes('onerror')")
    assert alts(notebook, name) == [None]
    notebook.until_true(lambda: read_out(notebook) == [None])
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


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
CHART = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "point"}
CHART |= {"data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}}
# What a cell may show, by its media type, and the element that a screen reader reads.
SHOWN = {
    "image/png": (PIXEL, "img"),
    "image/jpeg": (PIXEL, "img"),
    "image/gif": (PIXEL, "img"),
    "image/webp": (PIXEL, "img"),
    "image/svg+xml": (SVG, "img"),
    "text/html": (f'<p>Drawn:</p><img src="data:image/png;base64,{PIXEL}">', "img"),
    "application/vnd.vegalite.v5+json": (CHART, "[role=figure]"),
}


def outputs_with(alt: str | None) -> nbformat.NotebookNode:
    """A notebook that shows each of these, with this alt text in their metadata."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for kind, (data, _) in SHOWN.items():
        metadata = {} if alt is None else {kind: {"alt": f"{alt} {kind}"}}
        output = nbformat.v4.new_output("display_data", {kind: data}, metadata=metadata)
        made.cells.append(nbformat.v4.new_code_cell("shown()", outputs=[output]))
    return made


def without_words(notebook: Notebook) -> list[str]:
    """What axe finds of pictures without a text alternative."""
    page = notebook.page
    if not page.evaluate("() => !!window.axe"):
        page.evaluate(AXE.read_text())
    rules = ["image-alt", "svg-img-alt", "role-img-alt", "image-redundant-alt"]
    found: list[str] = page.evaluate(
        "(rules) => axe.run(document.querySelector('.jp-Notebook'), {runOnly: rules})"
        ".then((said) => said.violations.flatMap((v) => v.nodes.map((n) => n.html)))",
        rules,
    )
    return found


@pytest.mark.met("C1")
def test_pictures_bear_the_alt_text_of_their_outputs_when_a_notebook_is_opened(
    notebook: Notebook,
) -> None:
    nbformat.write(outputs_with("Seen:"), notebook.lab.folder / "described.ipynb")
    notebook.open("described.ipynb")
    notebook.js("[...model.cells].forEach(cell => (cell.trusted = true))")
    page = notebook.page
    for place, (kind, (_, element)) in enumerate(SHOWN.items()):
        notebook.select(place)
        shown = notebook.output(place).locator(element).first
        shown.wait_for(state="attached")
        attribute = "alt" if element == "img" else "aria-label"
        assert shown.get_attribute(attribute) == f"Seen: {kind}"
    assert page.locator(".jp-OutputArea-output img").count() >= len(SHOWN) - 1
    assert without_words(notebook) == []


def test_what_has_no_alt_text_is_found_by_who_looks_for_it(notebook: Notebook) -> None:
    nbformat.write(outputs_with(None), notebook.lab.folder / "bare.ipynb")
    notebook.open("bare.ipynb")
    notebook.js("[...model.cells].forEach(cell => (cell.trusted = true))")
    images = [place for place, kind in enumerate(SHOWN) if kind.startswith("image/")]
    for place in images:
        notebook.output(place).locator("img").first.wait_for(state="attached")
    assert len(without_words(notebook)) == len(images)
