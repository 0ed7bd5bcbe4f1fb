"""The shape of the package: what may import what, no circles, and modules of a readable size."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parent.parent / "claude_magic"

# What each room and each module at the top may import besides itself: the arrows of
# docs/architecture.md. A name that is not here may not stand at the top of the package.
ALLOWED: dict[str, set[str]] = {
    # The rooms, from the lowest up.
    "messages": {"_version"},
    "rendering": {"messages"},
    "offline": {"messages"},
    "conversation": {"messages", "rendering", "offline", "files"},
    "tools": {"messages", "conversation"},
    "computer": {"messages"},
    "captions": {"messages", "rendering", "offline", "conversation", "files"},
    "notebook": {"messages", "rendering", "conversation", "tools", "computer", "captions"},
    "panel": {"messages", "rendering", "conversation", "tools", "notebook", "_version"},
    "doctor": {"messages", "rendering", "conversation", "notebook"},
    # The modules at the top: three that know nothing, and the faces of the package.
    "_version": set(),
    "files": set(),
    "value_classes": set(),
    "api": {"messages", "conversation", "tools", "captions", "notebook"},
    "scale": {"messages", "captions", "api"},
    "demo": set(),
    "caption_commands": {"messages", "captions", "api"},
    "cli": {"messages", "offline", "tools", "doctor", "caption_commands", "demo", "_version"},
    "__main__": {"cli"},
    "__init__": {"conversation", "tools", "notebook", "panel", "api", "_version"},
}
EVERYWHERE = "value_classes"  # in no row: every module may import it
CORE = ("messages", "rendering", "offline", "conversation", "tools", "computer", "captions")
JUPYTER = {
    "IPython",
    "anywidget",
    "comm",
    "ipykernel",
    "ipywidgets",
    "jupyter_client",
    "jupyterlab",
    "traitlets",
}

MOST_MODULES = 16  # in one folder, __init__ included
MOST_LINES = 600
# A table may be longer than a module: its path, and why it is one table.
LONG_TABLES: dict[str, str] = {}


class Import(NamedTuple):
    """One module that another imports, and the name that it takes."""

    module: str  # "" is the package itself, ".": "messages.errors"
    name: str


def named(path: Path) -> str:
    """A file's module without the package's name: "messages.errors"; a folder for its __init__."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {named(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    """Every name that a file imports, absolute, wherever in the file it does so."""
    package = ["claude_magic", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[Import]:
    """What a file imports of the package; the __init__ of each folder that it reaches into, too.

    The folders that a file stands in are loaded before it: it does not import them by a sibling.
    """
    around = {
        named(folder / "__init__.py") for folder in path.parents if folder.is_relative_to(PACKAGE)
    }
    found = set()
    for full in imported(path):
        top, _, name = full.partition(".")
        if top != "claude_magic":
            continue
        module = name if name in PATHS else name.rpartition(".")[0]
        assert module in PATHS, f"{path.relative_to(PACKAGE)} imports {full}, which is not there"
        found.add(Import(module, name))
        while module:
            module = module.rpartition(".")[0]
            if module not in around:
                found.add(Import(module, name))
    return found


IMPORTS = {module: own_imports(path) for module, path in PATHS.items()}


def room(module: str) -> str:
    """The room of a module, or its own name where it stands at the top."""
    return module.partition(".")[0] or "__init__"


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other, each in an order that goes round.

    Tarjan's strongly connected components, then the shortest way round from the first.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            group = set(stack[stack.index(module) :])
            del stack[stack.index(module) :]
            if len(group) > 1 or module in graph[module]:
                found.append(group)

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return [way_round(min(group), group, graph) for group in found]


def way_round(start: str, group: set[str], graph: dict[str, set[str]]) -> list[str]:
    """The shortest way from a module of a circle back to it, without the return."""
    ways = [[start]]
    for way in ways:  # grows as it is read: breadth first
        for other in sorted(graph[way[-1]] & group):
            if other == start:
                return way
            if not any(other in seen for seen in ways):
                ways.append([*way, other])
    raise AssertionError(f"{group} is no circle")


def told(circle: list[str], imports: dict[str, set[Import]]) -> str:
    """A circle in words: who imports which names of whom."""
    steps = zip(circle, [*circle[1:], circle[0]], strict=True)
    return "; ".join(
        f"{module or '__init__'} imports "
        + ", ".join(sorted(i.name for i in imports[module] if i.module == other))
        for module, other in steps
    )


def targets(imports: dict[str, set[Import]]) -> dict[str, set[str]]:
    return {module: {i.module for i in found} for module, found in imports.items()}


def test_every_room_and_every_module_at_the_top_has_its_row_and_no_row_is_left_over() -> None:
    assert {room(module) for module in PATHS} == set(ALLOWED)


def test_the_rows_themselves_draw_no_circle() -> None:
    assert circles(ALLOWED) == []


@pytest.mark.parametrize("top", ALLOWED)
def test_a_room_imports_only_what_its_row_names(top: str) -> None:
    wrong = [
        f"{PATHS[module].relative_to(PACKAGE)} imports {found.name or '__init__'}"
        for module in PATHS
        if room(module) == top
        for found in sorted(IMPORTS[module])
        if room(found.module) not in {top, EVERYWHERE, *ALLOWED[top]}
    ]
    assert wrong == []


@pytest.mark.parametrize("top", ALLOWED)
def test_a_row_names_only_what_is_imported(top: str) -> None:
    used = {room(i.module) for module in PATHS if room(module) == top for i in IMPORTS[module]}
    assert ALLOWED[top] - used == set()


def test_no_two_modules_import_each_other_by_any_way() -> None:
    """In functions and for type checkers too."""
    assert [told(circle, IMPORTS) for circle in circles(targets(IMPORTS))] == []


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": {"b"}}, [["b", "c"]]),
        ({"a": {"b"}, "b": {"a"}, "c": {"d", "a"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_a_circle_is_found_and_told_by_its_shortest_way_round(
    graph: dict[str, set[str]], found: list[list[str]]
) -> None:
    assert circles(graph) == found


@pytest.mark.parametrize("top", CORE)
def test_the_core_knows_nothing_of_jupyter(top: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for module, path in PATHS.items()
        if room(module) == top
        for name in imported(path)
        if name.partition(".")[0] in JUPYTER
    ]
    assert wrong == []


def test_only_the_client_imports_httpx() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PATHS.values()
        for name in imported(path)
        if name.partition(".")[0] == "httpx"
    }
    assert users == {"messages/transport/client.py"}


def test_no_folder_holds_more_modules_than_a_reader_can_keep_in_mind() -> None:
    folders = Counter(str(path.parent.relative_to(PACKAGE)) for path in PATHS.values())
    assert {folder: n for folder, n in folders.items() if n > MOST_MODULES} == {}


def test_no_folder_of_the_lab_extension_holds_more_than_a_reader_keeps_in_mind() -> None:
    sources = PACKAGE.parent / "labextension" / "src"
    folders = Counter(str(path.parent.relative_to(sources)) for path in sources.rglob("*.ts"))
    assert folders
    assert {folder: n for folder, n in folders.items() if n > MOST_MODULES} == {}


def test_no_module_but_a_table_is_longer_than_one_sitting() -> None:
    long = {
        str(path.relative_to(PACKAGE)): lines
        for path in PATHS.values()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long.keys() - LONG_TABLES.keys() == set(), long
    assert LONG_TABLES.keys() - long.keys() == set(), "these tables need no exemption"


def shared(paths: Iterable[Path]) -> dict[str, list[str]]:
    """The names that more than one module has."""
    folders = defaultdict(list)
    for path in paths:
        if path.stem not in ("__init__", "__main__"):
            folders[path.stem].append(str(path.relative_to(PACKAGE)))
    return {name: found for name, found in folders.items() if len(found) > 1}


def test_no_two_modules_share_a_name() -> None:
    assert shared(PATHS.values()) == {}


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


@pytest.mark.parametrize(
    "module", [m for m, path in PATHS.items() if "__all__" in path.read_text(encoding="utf-8")]
)
def test_every_public_name_can_be_had(module: str) -> None:
    """Those that load on first use, too."""
    found = importlib.import_module(f"claude_magic.{module}".rstrip("."))
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
