"""docs/architecture.md and CONTRIBUTING.md name what is there, and draw the rooms as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.test_layers import ALLOWED, PACKAGE

ROOT = PACKAGE.parent
PAGE = "docs/architecture.md"
_FILE = re.compile(
    r"(?<![\w/<.*-])[\w.-]+(?:/[\w.-]+)*\.(?:cfg|ipynb|json|jsonl|md|mjs|py|toml|ts)\b"
)
_FOLDER = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/)`")
_ROW = re.compile(r"^\| `(\w+)(?:/|\.py)` \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
_DRAWING = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def paths(document: str) -> list[str]:
    """The files and folders that a page names."""
    text = re.sub(r"\]\([^)]*\)", "]", read(document))  # links are another test's
    return [*_FILE.findall(text), *_FOLDER.findall(text)]


def is_there(path: str) -> bool:
    """Whether a path exists in the repository or, for short, in the package."""
    return any((root / path).exists() for root in (ROOT, PACKAGE))


@pytest.mark.parametrize("document", [PAGE, "CONTRIBUTING.md"])
def test_every_path_that_a_page_names_is_there(document: str) -> None:
    named = paths(document)
    assert len(named) > 10
    assert [path for path in named if not is_there(path)] == []


@pytest.mark.parametrize("root", ["claude_magic", "labextension/src", "benchmarks"])
def test_every_module_that_a_docstring_or_comment_names_is_there(root: str) -> None:
    """By its path from the repository, the package or the lab extension, or by its name alone."""
    roots = (ROOT, PACKAGE, ROOT / "labextension/src")
    modules = [p for p in (ROOT / root).rglob("*") if p.suffix in (".py", ".ts")]
    here = {p.name for p in modules}
    assert modules
    missing = [
        f"{module.relative_to(ROOT)} names {name}"
        for module in modules
        for name in re.findall(r"`([\w/.-]+\.(?:py|ts))`", module.read_text(encoding="utf-8"))
        if name not in here and not any((start / name).exists() for start in roots)
    ]
    assert missing == []


def test_a_path_that_is_not_there_is_found_in_a_page() -> None:
    text = "See `notebook/no_such.py`, tests/gone.ts (or `panel/nowhere/`) and `a.py::test_b`."
    assert [*_FILE.findall(text), *_FOLDER.findall(text)] == [
        "notebook/no_such.py",
        "tests/gone.ts",
        "a.py",
        "panel/nowhere/",
    ]


def test_the_table_says_of_every_room_what_it_may_import_and_leaves_none_out() -> None:
    rows = {name: set(re.findall(r"`(\w+)`", may)) for name, _, may in _ROW.findall(read(PAGE))}
    assert rows == ALLOWED


def test_the_picture_holds_every_room_with_its_own_rooms_and_no_other() -> None:
    (drawing,) = _DRAWING.findall(read(PAGE))
    packages = [folder.parent for folder in PACKAGE.rglob("*/__init__.py")]
    rooms = {p.name for p in packages if p.parent == PACKAGE}
    inner = {p.name for p in packages if p.parent != PACKAGE}
    modules = {name for name in ALLOWED if (PACKAGE / f"{name}.py").is_file()}
    drawn = set(re.findall(r"\w+", drawing)) - {
        "faces",
        "above",
        "Jupyter",
        "below",
        "none",
        "of",
        "it",
    }
    assert drawn == (rooms | inner | modules) - {"files", "value_classes", "_version"}  # no faces


def test_the_rooms_of_the_table_are_those_of_the_package() -> None:
    named = re.findall(r"^\| `(\w+(?:/|\.py))` \|", read(PAGE), re.MULTILINE)
    assert [path for path in named if not (PACKAGE / path).exists()] == []
    assert len(named) == len(set(named))


def folders(root: Path) -> set[str]:
    """The folders below one that hold Python packages, by their paths from it."""
    return {p.parent.relative_to(root).as_posix() for p in root.rglob("*/__init__.py")} - {"."}


def test_the_tests_of_a_room_are_in_the_folder_of_the_same_path() -> None:
    rooms = folders(PACKAGE)
    # Its processes are there for a desktop only, and are tested as that.
    assert rooms - folders(ROOT / "tests") == {"computer/keeper"}
    # JupyterLab in a browser and other front ends have all rooms; `kept` holds records.
    assert folders(ROOT / "tests") - rooms == {"browser", "front_ends", "kept"}


def commands() -> list[list[str]]:
    """The commands that CONTRIBUTING.md names within its text, in words."""
    said = re.findall(r"`([^`\n]+)`", read("CONTRIBUTING.md"))
    return [words for words in map(str.split, said) if len(words) > 1]


def can_be_run(words: list[str]) -> bool:
    """Whether what a command names is there: a target, a script of npm, a module, a test."""
    match words:
        case ["make", target]:
            return bool(re.search(rf"^{target}:", read("Makefile"), re.MULTILINE))
        case ["npm", "--prefix", folder, *_, script]:
            return script in json.loads(read(f"{folder}/package.json"))["scripts"]
        case [".venv/bin/python", "-m", "pytest", path, "-k", name]:
            return bool(re.search(rf"^def test_\w*{name}", read(path), re.MULTILINE))
        case [".venv/bin/python", "-m", "pytest", path] | [".venv/bin/python", path]:
            return is_there(path)
        case [".venv/bin/python", "-m", module]:
            return is_there(f"{module.replace('.', '/')}.py")
        case [".venv/bin/ruff", "format", "."]:
            return True
    return False


def test_the_commands_for_work_on_the_code_can_be_run() -> None:
    """But `npm install`, which names nothing."""
    named = [words for words in commands() if words[0] in ("make", "npm") or "/bin/" in words[0]]
    found = [words for words in named if words[:2] != ["npm", "install"]]
    assert len(found) > 8
    assert [words for words in found if not can_be_run(words)] == []
