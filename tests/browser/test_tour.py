"""The tour in a real JupyterLab, as somebody new sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.browser.conftest import ARTIFACTS
from tests.browser.lab import Notebook

TOUR = Path(__file__).parents[2] / "notebooks" / "tour.ipynb"


def test_the_tour_runs_top_to_bottom_with_replies_and_thumbnails(notebook: Notebook) -> None:
    shutil.copyfile(TOUR, notebook.lab.folder / "tour.ipynb")
    notebook.open("tour.ipynb")
    notebook.command("notebook:clear-all-cell-outputs")
    notebook.run_all()
    page = notebook.page
    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count() == 0
    question = notebook.output(3)
    assert "Sonnet 5.5 · offline server · 5 cells (3 text), 1 figure" in question.inner_text()
    assert question.locator("blockquote").inner_text() == "What stands out in this plot?"
    image = notebook.drawn(question.locator(".claude-magic-thumbnail img"))
    assert image.count() == 1
    assert image.evaluate("i => i.clientHeight") == 48
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        question.scroll_into_view_if_needed()
        page.screenshot(path=str(ARTIFACTS / f"tour {theme}.png"))
