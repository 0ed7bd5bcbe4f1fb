"""What works in the kernel of a host that pins its packages: `make colab` runs it in Colab's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel

PINNED = os.environ.get("PINNED", "")  # as in "ipython==7.34.0 traitlets==5.7.1"
pytestmark = pytest.mark.skipif(
    not PINNED, reason="only where a host's packages were installed first"
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel(tmp_path_factory.mktemp("host")) as started:
        yield started


@pytest.mark.met("W19")
def test_installing_the_package_moves_none_that_the_host_pins() -> None:
    pins = [pin.split("==") for pin in PINNED.split()]
    assert {name: version(name) for name, _ in pins} == dict(pins)


@pytest.mark.front_end("Colab", "answers")
@pytest.mark.front_end("Colab", "cells above")
@pytest.mark.front_end("Colab", "figures")
def test_a_question_is_answered_and_its_figure_goes_along(host: Kernel) -> None:
    pytest.importorskip("matplotlib")
    host.run("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()")
    shown = host.run("%claude What is it?").shown()
    assert "1 cell, 1 figure" in shown
    assert "> What is it?" in shown
    [image] = [
        block
        for block in host.requests()[-1]["messages"][-1]["content"]
        if block["type"] == "image"
    ]
    assert image["source"]["media_type"] == "image/png"


def test_a_line_that_is_assigned_may_ask(host: Kernel) -> None:
    assert "> What is this?" in host.run("r = %claude What is this?").shown()


@pytest.mark.front_end("Colab", "JSON")
def test_json_is_bound_as_the_object_that_was_asked_for(host: Kernel) -> None:
    host.run("import pydantic\nclass Finding(pydantic.BaseModel):\n    name: str\n    size: int")
    host.run("%claude --json Finding -o found Read it")
    assert host.value("isinstance(found, Finding)")


@pytest.mark.front_end("Colab", "tools")
@pytest.mark.parametrize("tool", ["lookup", "run_python", "read_cells"])
def test_a_tool_is_called(host: Kernel, tool: str) -> None:
    host.run("def lookup(gene: str) -> str:\n    'Looks a gene up.'\n    return gene")
    shown = host.run(f"%claude --tools {tool} --approve auto Use {tool}").shown()
    assert f"`{tool}` returned a result" in shown


def test_an_error_is_explained(host: Kernel) -> None:
    host.run("1 / 0", ok=False)
    host.run("%claude_fix why is this so?")
    assert "1 / 0" in str(host.requests()[-1])


@pytest.mark.front_end("Colab", "help")
@pytest.mark.parametrize("line", ["%claude?", "%%claude?", "?%claude", "%claude_caption?"])
def test_help_is_shown(host: Kernel, line: str) -> None:
    [page] = host.run(line).reply["payload"]
    assert "Options:" in page["data"]["text/plain"]


@pytest.mark.parametrize(
    "line",
    [
        *("%claude_history", "%claude_usage", "%claude_config", "%claude_models"),
        *("%claude_chat", "%claude_caption", "%claude --dry-run Hi", "%claude_undo"),
        *("%unload_ext claude_magic", "%load_ext claude_magic"),
    ],
)
def test_every_magic_does_its_work(host: Kernel, line: str) -> None:
    ran = host.run(line)
    assert ran.outputs or line.endswith("_ext claude_magic")


@pytest.mark.front_end("Colab", "completion")
def test_names_complete(host: Kernel) -> None:
    reply = host.client.complete("%claude -m op", reply=True, timeout=60)["content"]
    assert "opus" in reply["matches"]


@pytest.mark.front_end("Colab", "panel", "a line")
def test_a_panel_that_cannot_be_shown_is_one_line(host: Kernel) -> None:
    assert host.run("%claude_chat").shown() == (
        "The chat panel needs JupyterLab or Notebook 7: ask with %%claude instead."
    )


def test_a_page_that_tells_the_kernel_is_heard(host: Kernel, tmp_path: Path) -> None:
    (tmp_path / "page.ipynb").write_text("{}", encoding="utf-8")
    told = {"type": "page", "path": "page.ipynb", "root": str(tmp_path), "fresh": True}
    told |= {"conversation": None, "cells": ["a", "b"]}
    client = host.client
    content = {"comm_id": "claude_magic:page", "data": told}
    client.shell_channel.send(client.session.msg("comm_msg", content))
    host.run("1;", cell="a")
    page = "get_ipython().magics_manager.registry['ClaudeMagics'].front_end"
    assert host.value(f"list({page}.cells)") == ["a", "b"]
