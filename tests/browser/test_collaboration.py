"""One notebook open in two tabs at once, by jupyter-collaboration: `make collaboration`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture, running_lab
from tests.browser.lab import Notebook

pytestmark = pytest.mark.skipif(
    find_spec("jupyter_collaboration") is None, reason="jupyter-collaboration is not installed"
)
shows = pytest.mark.front_end
LOAD = "%load_ext claude_magic"
ASKED = (
    "[*get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline.requests]"
    "[-1].json['messages']"
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Any]:
    """Opens a notebook in two tabs, with the extension loaded."""
    contexts: list[Any] = []

    with running_lab(tmp_path_factory.mktemp("collaboration")) as lab:

        def tab(name: str, sources: list[str] | None) -> Notebook:
            contexts.append(browser.new_context(viewport={"width": 1280, "height": 1000}))
            opened = Notebook(lab, contexts[-1].new_page())
            opened.open(name, sources)
            return opened

        def both(name: str, *sources: str) -> tuple[Notebook, Notebook]:
            one, other = tab(name, [LOAD, *sources]), tab(name, None)
            one.run(0)
            return one, other

        yield both
        for context in contexts:
            context.close()


@shows("JupyterLab in two tabs", "answers")
@shows("JupyterLab in two tabs", "cells above")
def test_a_question_asked_in_one_tab_stands_in_the_other_once(shared: Any) -> None:
    one, other = shared("asked.ipynb", "ants = 41", "%claude How many?")
    one.run(1)
    one.run(2)
    for tab in (one, other):
        tab.until(
            "JSON.stringify([...model.cells].at(-1).outputs.toJSON()).includes('> How many?')"
        )
        answers = tab.js(
            "[...model.cells].flatMap((c) => c.outputs.toJSON())"
            ".filter((o) => JSON.stringify(o).includes('> How many?')).length"
        )
        assert answers == 1
    assert "ants = 41" in other.value(ASKED)
    assert len(other.sources) == 3
    picture(other.page, "collaboration answered")


@shows("JupyterLab in two tabs", "moved, inserted, deleted")
@shows("JupyterLab in two tabs", "Markdown")
def test_what_is_inserted_in_one_tab_counts_for_a_question_of_the_other(shared: Any) -> None:
    one, other = shared("inserted.ipynb", "%claude First?", "%claude Second?")
    one.run(1)
    one.run(2)
    other.select(1)
    other.command("notebook:insert-cell-below")
    other.js("model.cells.get(2).sharedModel.setSource(argument)", "# Ants and bees")
    other.select(2)
    other.command("notebook:change-cell-to-markdown")
    one.until("model.cells.length === 4 && model.cells.get(2).type === 'markdown'")
    one.run(3)
    sent = one.value(ASKED)
    assert sent.index("First?") < sent.index("# Ants and bees") < sent.index("Second?")


@shows("JupyterLab in two tabs", "panel")
def test_the_panels_of_both_tabs_have_the_conversation(shared: Any) -> None:
    one, other = shared("panels.ipynb", "%claude Asked in a cell")
    one.run(1)
    chats = [Chat(one), Chat(other)]
    for chat in chats:
        chat.open()
        chat.until_prompts("Asked in a cell")
    chats[0].ask("Asked in the panel")
    chats[1].answered("Asked in the panel")
    for chat in chats:
        chat.until_prompts("Asked in a cell", "Asked in the panel")
    picture(other.page, "collaboration panel")


def test_the_server_keeps_the_notebook_for_both(shared: Any) -> None:
    one, other = shared("kept.ipynb", "1")
    other.js("model.cells.get(1).sharedModel.setSource(argument)", "2")
    one.until_sources(LOAD, "2")
    one.command("docmanager:save")
    file = Path(one.lab.folder) / "kept.ipynb"
    one.until_true(lambda: '"2"' in file.read_text(encoding="utf-8"))
