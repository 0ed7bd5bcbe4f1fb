"""A reply, an error, a model's name are untrusted text: in a real browser nothing runs or loads.

Each attack of the table is a reply of its own, streamed in small pieces. A control notebook shows
such text as trusting code would, and the same detectors must notice that.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import nbformat
import pytest

from tests.browser.chat import DOCK, Chat
from tests.browser.conftest import picture
from tests.browser.hostile import Hostile, notebook
from tests.browser.lab import Lab, Notebook
from tests.browser.replying_server import ReplyingServer
from tests.browser.watching import Beacon, Seen, Watch

NOTHING = Seen()
QUIET = "/static/favicons/favicon.ico"


@dataclass(frozen=True)
class Stage:
    """A watched page, and the server that gives the hostile replies."""

    lab: Lab
    watch: Watch
    notebook: Notebook
    hostile: Hostile

    @property
    def page(self) -> Any:
        return self.watch.page

    def shown(self) -> set[int]:
        """The numbers of the attacks that stand on the page."""
        text = self.page.evaluate(
            "[...document.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText)"
        )
        return {int(n) for n in re.findall(r"Attack (\d+)\b", "\n".join(text))}

    def in_the_panel(self) -> set[int]:
        """The numbers of the attacks that stand in the chat panel."""
        texts = self.page.locator(f"{DOCK} .claude-chat-reply").all_inner_texts()
        return {int(n) for n in re.findall(r"Attack (\d+)\b", "\n".join(texts))}

    def until_asked(self, *paths: str) -> None:
        """Return once the page has asked the beacon for all of these."""
        self.notebook.until_true(lambda: set(paths) <= self.watch.asked)

    def until_all(self, shown: Callable[[], set[int]]) -> None:
        """Return once every attack is shown."""
        wanted = set(range(len(self.hostile.replies)))
        self.notebook.until_true(lambda: shown() == wanted)


@pytest.fixture(scope="module")
def stage(lab: Lab, browser: Any, browser_context_args: dict[str, Any]) -> Iterator[Stage]:
    """Both notebooks written, none run."""
    context = browser.new_context(**browser_context_args)
    with Beacon() as beacon:
        hostile = Hostile(beacon.url)
        with ReplyingServer(hostile, hostile.models) as server:
            nbformat.write(hostile.notebook(server.url), lab.folder / "hostile.ipynb")
            nbformat.write(hostile.control(), lab.folder / "control.ipynb")
            page = context.new_page()
            watch = Watch(page, beacon, lab.url + QUIET)
            yield Stage(lab, watch, Notebook(lab, page), hostile)
            context.close()


@pytest.fixture(scope="module")
def live(stage: Stage) -> dict[str, Seen]:
    """Both notebooks run and saved in JupyterLab, and what was seen meanwhile.

    Beside the hostile one stands the chat panel, to which everything comes as well.
    """
    seen = {}
    for name in ("hostile", "control"):
        stage.notebook.open(f"{name}.ipynb")
        if name == "hostile":
            Chat(stage.notebook).open()
        stage.notebook.run_all()
        if name == "hostile":
            stage.until_all(stage.shown)
            chat_opened(stage)
        else:
            stage.until_asked("/control", "/control-style", "/markdown")
            stage.notebook.until_true(lambda: stage.watch.dialogs)
        seen[name] = stage.watch.seen()
        stage.notebook.command("docmanager:save")
        if name == "hostile":
            picture(stage.page, "attacks live")
    stage.watch.forget()
    return seen


def chat_opened(stage: Stage) -> None:
    """Have the panel show all attacks, what is folded too."""
    stage.until_all(stage.in_the_panel)
    folds = stage.page.locator(f"{DOCK} details.claude-chat-fold")
    assert folds.count() > 0
    folds.evaluate_all("folds => folds.forEach((fold) => { fold.open = true; })")
    lines = stage.page.locator(f"{DOCK} .claude-chat-line").all_inner_texts()
    assert any("onerror" in line for line in lines), "a model's name is one of the attacks"
    picture(stage.page, "attacks panel")


def test_the_detectors_see_what_trusting_code_does(live: dict[str, Seen]) -> None:
    control = live["control"]
    assert {"/control", "/control-style", "/markdown"} <= set(control.requests)
    assert control.ran
    assert control.dialogs == ["dialog"]
    assert {"img", "script", "style", "data-commandlinker-command"} <= set(control.parts)
    assert "address javascript:alert(1)" in control.parts


def test_nothing_runs_or_loads_in_the_cells_that_asked_and_in_the_panel(
    live: dict[str, Seen],
) -> None:
    assert live["hostile"] == NOTHING


def test_nothing_runs_or_loads_in_a_notebook_opened_untrusted(
    stage: Stage, live: dict[str, Seen]
) -> None:
    for name in ("hostile", "control"):
        nb = nbformat.read(stage.lab.folder / f"{name}.ipynb", 4)
        nb.metadata["changed"] = True  # what was trusted is recognised by its content
        nbformat.write(nb, stage.lab.folder / f"untrusted {name}.ipynb")
        stage.notebook.open(f"untrusted {name}.ipynb")
        cells = "[...jupyterapp.shell.currentWidget.content.model.cells]"
        trusted = stage.page.evaluate(f"{cells}.map(cell => cell.trusted)")
        assert trusted == [False] * len(nb.cells)
        if name == "hostile":
            stage.until_all(stage.shown)
            assert stage.watch.seen() == NOTHING
            picture(stage.page, "attacks untrusted")
    stage.until_asked("/control")
    stage.watch.forget()


def test_nothing_runs_or_loads_in_the_html_export(stage: Stage, live: dict[str, Seen]) -> None:
    names = ["hostile", "control"]
    command = [sys.executable, "-m", "nbconvert", "--to", "html"]
    folder = stage.lab.folder
    subprocess.run([*command, *(f"{n}.ipynb" for n in names)], cwd=folder, check=True)
    for name in names:
        stage.page.goto((folder / f"{name}.html").as_uri())
        if name == "hostile":
            stage.until_all(stage.shown)
            assert stage.watch.seen() == NOTHING
            picture(stage.page, "attacks export")
    stage.until_asked("/control")
    assert stage.watch.seen().ran
    stage.watch.forget()


def test_nothing_runs_or_loads_where_the_markdown_is_shown_and_trusted(
    stage: Stage, live: dict[str, Seen]
) -> None:
    """As in a front end that prefers Markdown: JupyterLab is given nothing else."""
    nb = nbformat.read(stage.lab.folder / "hostile.ipynb", 4)
    bundles = [o.data for cell in nb.cells for o in cell.outputs if "data" in o]
    texts = [data["text/markdown"] for data in bundles if "text/markdown" in data]
    (stage.lab.folder / "texts.json").write_text(json.dumps(texts), "utf-8")
    show = "for t in texts[{}:{}]: display({{'text/markdown': t}}, raw=True)"
    shows = [show.format(n, n + 40) for n in range(0, len(texts), 40)]
    load = "import json\ntexts = json.load(open('texts.json'))"
    nbformat.write(notebook(load, *shows), stage.lab.folder / "markdown.ipynb")
    stage.notebook.open("markdown.ipynb")
    stage.watch.seen()  # a control notebook that was open may have asked for more as it went
    stage.notebook.run_all()
    stage.until_all(stage.shown)
    assert stage.watch.seen() == NOTHING
    picture(stage.page, "attacks markdown")


def test_nothing_runs_or_loads_in_notebook_7(stage: Stage, live: dict[str, Seen]) -> None:
    for name in ("hostile", "control"):
        stage.notebook.open(f"{name}.ipynb", application="notebooks")
        stage.notebook.command("notebook:clear-all-cell-outputs")
        stage.notebook.run_all()
        if name == "hostile":
            stage.until_all(stage.shown)
            assert stage.watch.seen() == NOTHING
            picture(stage.page, "attacks notebook 7")
    stage.until_asked("/control")
    assert stage.watch.seen().ran
    stage.watch.forget()
