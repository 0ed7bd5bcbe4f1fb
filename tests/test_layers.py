"""Imports go only in the direction that the architecture draws."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "claude_magic"

# A layer may import itself, these, and what reads and writes files.
ALLOWED = {
    "messages": set(),
    "rendering": {"messages"},
    "offline": {"messages"},
    "conversation": {"messages", "rendering", "offline"},
    "tools": {"messages", "rendering", "conversation"},
    "computer": {"messages", "rendering", "conversation", "tools"},
    "captions": {"messages", "rendering", "offline", "conversation", "tools"},
    "notebook": {"messages", "rendering", "conversation", "tools", "captions"},
    "panel": {"messages", "rendering", "conversation", "tools", "notebook", "_version"},
}
JUPYTER = {"IPython", "ipywidgets", "traitlets", "ipykernel", "jupyterlab", "jupyter_client"}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, relative ones as absolute."""
    package = ["claude_magic", *path.relative_to(PACKAGE).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def files(layer: str) -> list[Path]:
    found = sorted((PACKAGE / layer).rglob("*.py"))
    assert found, f"no such layer: {layer}"
    return found


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_the_layers_below_it(layer: str) -> None:
    wrong = []
    for path in files(layer):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "claude_magic" or parts[1] in (layer, "__version__", "files"):
                continue
            if parts[1] not in ALLOWED[layer]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize(
    "layer", ["messages", "rendering", "offline", "conversation", "tools", "computer", "captions"]
)
def test_the_core_knows_nothing_of_jupyter(layer: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files(layer)
        for name in imports(path)
        if name.split(".")[0] in JUPYTER
    ]
    assert wrong == []


def test_only_the_client_imports_httpx() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] == "httpx"
    }
    assert users == {"messages/transport/client.py"}


def test_loading_the_extension_imports_nothing_heavy() -> None:
    """Neither the client nor what decodes images, renders or serves is loaded before it is used.

    Nor is the table of options: help is made when it is asked for.
    """
    program = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "claude_magic")
heavy = {"httpx", "PIL", "pydantic", "tornado", "pandas", "numpy", "markdown_it", "nh3", "resvg_py"}
heavy |= {"docstring_parser", "ipywidgets"}
loaded = set(sys.modules) - before
heavy.add("claude_magic.notebook.options")
print(sorted(heavy & (loaded | {name.split(".")[0] for name in loaded})))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
