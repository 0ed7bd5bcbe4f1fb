"""A package that is missing or too old is one line that names it and the version needed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from claude_magic.messages.dependencies import NEEDED, missing, unmet

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_versions_that_are_told_are_those_of_the_package() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    bounds = dict(
        re.match(r"([\w.-]+)>=([\d.]+)", line).groups() for line in project["dependencies"]
    )
    assert dict(NEEDED.values()) == bounds


def test_where_all_are_there_nothing_is_said() -> None:
    assert unmet() == missing() == ""


# A program that finds what is installed in a folder of its own first, and asks.
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
hidden = set(sys.argv[2:])
class Hides:
    def find_spec(self, name, path=None, target=None):
        if name in hidden:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hides())
from claude_magic.rendering import reply_bundle
print(reply_bundle("**bold**")["text/plain"])
"""


def asked(folder: Path, *hidden: str) -> str:
    """What is shown for a reply where `folder` holds packages, and modules are hidden."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, folder, *hidden],
        capture_output=True,
        text=True,
        check=True,
        cwd=PYPROJECT.parent,
        timeout=60,
    )
    return done.stdout


def installed(folder: Path, package: str, version: str, code: str) -> None:
    """Put a package of this version into `folder`, with a module that has this code."""
    name = next(module for module, (known, _) in NEEDED.items() if known == package)
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    told = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", encoding="utf-8"
    )


@pytest.mark.met("W18")
def test_a_package_too_old_to_show_a_reply_is_named_above_the_reply_as_it_is(
    tmp_path: Path,
) -> None:
    installed(tmp_path, "nh3", "0.2.20", "def clean(html): ...\n")
    line, reply = asked(tmp_path).strip().split("\n\n")
    lowest = NEEDED["nh3"][1]
    assert line.startswith(f"claude_magic needs nh3 {lowest} or newer, and 0.2.20 is installed: ")
    assert f'%pip install "nh3>={lowest}"' in line
    assert reply == "**bold**"


def test_a_fault_of_a_package_that_is_new_enough_is_not_put_on_its_version(tmp_path: Path) -> None:
    installed(tmp_path, "nh3", "99", "def clean(html): ...\n")
    assert asked(tmp_path).strip() == "**bold**"


ABSENT = """
import sys
from importlib.machinery import PathFinder
hidden = {name!r}
class Hides:
    def find_spec(self, name, path=None, target=None):
        return None if name == hidden else PathFinder.find_spec(name, path, target)
sys.meta_path = [f for f in sys.meta_path if f is not PathFinder] + [Hides()]
"""
QUESTIONS = ("PIL", "httpx", "markdown_it", "nh3", "pydantic")


@pytest.mark.met("W18")
@pytest.mark.parametrize("module", QUESTIONS)
def test_a_missing_package_is_said_before_a_question_leaves(module: str, tmp_path: Path) -> None:
    from tests.kernels import kernel

    with kernel(tmp_path, load=False) as fresh:
        hide = ABSENT.format(name=module)
        fresh.run(
            f"{hide}\nfor n in [n for n in sys.modules if n.split('.')[0] == {module!r}]:\n"
            "    del sys.modules[n]"
        )
        fresh.run("%load_ext claude_magic")
        ran = fresh.run("%claude Hi", ok=False)
    package, lowest = NEEDED[module]
    assert ran.error == (
        f"InputError: claude_magic needs {package} {lowest} or newer, and it is not installed: "
        f'%pip install "{package}>={lowest}", then restart the kernel.'
    )
