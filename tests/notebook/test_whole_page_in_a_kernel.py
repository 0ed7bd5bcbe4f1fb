"""Whichever way a question comes to the page, it is the whole page: Markdown, what ran before the
extension was loaded, what was edited, and what did not run, each with its state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_magic.notebook.page.front_end import COMM
from tests.conversation.scripted_server import ScriptedServer, says
from tests.kernels import Kernel, kernel
from tests.notebook.front_ends import Cell, JupyterLab
from tests.notebook.tools.tool_questions import AUTO, ask, call, results, said
from tests.panel.panels import shown

PAGE = {
    "early = 1": "",
    "%load_ext claude_magic": None,
    "later = 2": "",
    "before = 3": "edited since it ran",
    "never = 4": "not run",
}
PROSE = "## What the needle is"


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(says("Done.")) as started:
        yield started


@pytest.fixture
def page(tmp_path: Path) -> JupyterLab:
    made = JupyterLab(tmp_path / "page.ipynb", *PAGE)
    made.insert(0, PROSE, "markdown")
    made.insert(len(made.cells), "asks")
    made.save()
    return made


@pytest.fixture
def own(page: JupyterLab, server: ScriptedServer) -> Iterator[Kernel]:
    """A kernel that ran all but the last two cells; one was edited since."""
    environment = {"CLAUDE_MAGIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-none"}
    with kernel(page.path.parent, load=False, JPY_SESSION_NAME=str(page.path), **environment) as k:
        page.run(k, *page.cells[1:5])
        page["before = 3"].source += "  # edited"
        page.save()
        yield k


def by_default(own: Kernel, server: ScriptedServer, asks: Cell) -> str:
    return sent(own, server, asks, "%%claude\nWhat?")


def by_choice(own: Kernel, server: ScriptedServer, asks: Cell) -> str:
    return sent(own, server, asks, "%%claude -c above\nWhat?")


def by_tool(own: Kernel, server: ScriptedServer, asks: Cell) -> str:
    ask(own, server, f"-c none --tools read_cells {AUTO}", call("read_cells"), cell=asks.id)
    return said(results(server)[0])


def by_panel(own: Kernel, server: ScriptedServer, asks: Cell) -> str:
    panel = shown(own)
    panel.hello()
    panel.asked("What?", cell=asks.id)
    return json.dumps(server.bodies[-1]["messages"][-1]).replace("\\n", "\n").replace('\\"', '"')


def sent(own: Kernel, server: ScriptedServer, asks: Cell, code: str) -> str:
    server.script[:] = [says("Done.")]
    own.run(code, cell=asks.id)
    return "\n".join(b["text"] for b in server.bodies[-1]["messages"][-1]["content"])


Way = Callable[[Kernel, ScriptedServer, Cell], str]


@pytest.mark.met("P1", "P2", "P3", "P4")
@pytest.mark.parametrize("way", [by_default, by_choice, by_tool, by_panel])
def test_every_way_to_the_page_gives_all_of_it(
    own: Kernel, server: ScriptedServer, page: JupyterLab, way: Way
) -> None:
    text = way(own, server, page.cells[-1])
    assert PROSE in text
    places = []
    for source, state in PAGE.items():
        if state is None:
            continue
        found = re.search(rf"<cell-\w+(?P<said>[^>]*)>[^<]*?{re.escape(source)}", text)
        found = found or re.search(rf"(?P<said>[^\n]*)\n<cell-\w+[^>]*>\n{source}", text)
        assert found, f"{source} in {text}"
        assert state in found[0], found[0]
        places.append(found.end())
    assert places == sorted(places)


@pytest.mark.met("P4")
def test_a_cell_that_did_not_run_here_is_edited_by_a_tool(
    own: Kernel, server: ScriptedServer, page: JupyterLab
) -> None:
    never = page["never = 4"]
    stands = [
        {"id": c.id, "kind": c.kind, "source": c.source, "count": c.count, "outputs": 0, "tags": []}
        for c in page.cells
    ]
    folder = str(page.path.parent)
    told = {"type": "page", "path": "page.ipynb", "root": folder, "fresh": True}
    told |= {"conversation": None, "cells": [cell.id for cell in page.cells]}
    for data in (told, {"type": "cells", "cells": stands}):
        message = own.client.session.msg("comm_msg", {"comm_id": COMM, "data": data})
        own.client.shell_channel.send(message)
    edit = call("edit_cell", cell=never.id, source="never = 5")
    ran = ask(own, server, f"--tools edit_cell {AUTO}", edit, cell=page.cells[-1].id)
    (data,) = [
        m["content"]["data"]
        for m in ran.messages
        if m["msg_type"] == "comm_msg" and m["content"]["data"].get("type") == "edit"
    ]
    assert (data["cell"], data["was"], data["source"]) == (never.id, "never = 4", "never = 5")
