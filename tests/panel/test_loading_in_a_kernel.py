"""Opening the panel in JupyterLab loads the extension, and nothing of the notebook's folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.scripted_server import ScriptedServer, says
from tests.kernels import SECONDS, Kernel, kernel
from tests.panel.panels import Panel, text_of

SOURCE = Path(__file__).parents[2] / "labextension/src/lab/load.ts"
LOAD = SOURCE.read_text(encoding="utf-8").split("`")[1]
DOCKED = "get_ipython().magics_manager.registry['PanelMagics']._docked_model()"
LOADED = "'PanelMagics' in get_ipython().magics_manager.registry"


def click(kernel: Kernel) -> dict[str, Any]:
    """The kernel's answer to what the lab extension sends."""
    reply: dict[str, Any] = kernel.client.execute(
        LOAD, silent=True, store_history=False, reply=True, timeout=SECONDS
    )["content"]
    return reply


class Hostile:
    """A folder whose modules note that they were run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ran = folder / "ran.txt"

    def write(self, path: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"with open({str(self._ran)!r}, 'a') as f:\n    f.write({path!r} + ' ')\n")

    @property
    def ran(self) -> list[str]:
        return self._ran.read_text().split() if self._ran.exists() else []

    def forget(self) -> None:
        self._ran.unlink(missing_ok=True)


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    return Hostile(tmp_path / "clone")


NAMED = ("httpx", "PIL", "nh3", "pydantic", "tornado", "ipywidgets", "markdown_it", "html")


@pytest.mark.parametrize("ours", ["claude_magic.py", "claude_magic/__init__.py"])
@pytest.mark.parametrize("named", ["{}.py", "{}/__init__.py"])
def test_a_click_runs_nothing_of_a_folder_that_the_kernel_was_started_in(
    hostile: Hostile, ours: str, named: str
) -> None:
    for path in (ours, *map(named.format, NAMED)):
        hostile.write(path)
    with kernel(hostile.folder, load=False) as started:
        started.run("import os, sys; sys.path.insert(0, os.getcwd())")
        hostile.forget()
        path = started.value("__import__('sys').path")
        assert click(started)["status"] == "ok"
        panel = Panel(started, started.value(DOCKED))
        panel.hello()
        assert started.value("__import__('sys').path") == path
        assert not started.value("[name for name in globals() if 'claude' in name]")
    assert hostile.ran == []


def test_a_panel_that_opens_and_is_asked_imports_no_module_of_the_folder_whatever_its_name(
    hostile: Hostile,
) -> None:
    """Every name there is, in the standard library and in what is installed."""
    hostile.folder.mkdir()
    table = "from IPython.display import HTML; HTML('<table><tr><td>1</td></tr></table>')"
    said = ScriptedServer(says("`x = 1` and $x^2$\n\n```python\nx = 1\n```"), says("42"))
    with said as server, kernel(hostile.folder, load=False, ANTHROPIC_API_KEY="sk-1") as started:
        started.run(f"import os; os.environ['CLAUDE_MAGIC_BASE_URL'] = {server.url!r}")
        started.value("1")
        for name in {"claude_magic", *sys.stdlib_module_names, *packages_distributions()}:
            if name.isidentifier():
                hostile.write(f"{name}.py")
        started.value("1")
        hostile.forget()
        assert click(started)["status"] == "ok"
        panel = Panel(started, started.value(DOCKED))
        panel.hello()
        assert hostile.ran == []
        assert "x^2" in text_of(panel.asked("Show `code`"))
        assert panel.hello("again")["turns"]
        started.run(table)
        hostile.forget()  # what a cell imports is its own business
        assert "42" in text_of(panel.asked("What is {{ 6 * 7 }}?"))
    assert hostile.ran == []


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    with kernel(tmp_path, load=False) as started:
        yield started


def test_what_the_notebook_has_imported_already_is_used_as_it_is(own: Kernel) -> None:
    own.run("import claude_magic")
    assert click(own)["status"] == "ok"
    assert own.value(LOADED)
    own.run("%load_ext claude_magic")
    assert click(own)["status"] == "ok"


def test_a_claude_magic_that_is_not_the_installed_one_is_not_used(
    own: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "claude_magic.py").write_text("")
    own.run("import claude_magic")
    reply = click(own)
    assert reply["ename"] == "ImportError"
    assert str(tmp_path / "claude_magic.py") in reply["evalue"]
    assert not own.value(LOADED)


def test_a_folder_that_is_gone_does_not_hold_the_panel_up(own: Kernel, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    own.run("import os; os.chdir('gone'); os.rmdir('../gone')")
    assert click(own)["status"] == "ok"
    assert own.value(LOADED)
