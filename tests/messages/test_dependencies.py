"""A package that is missing or too old is one line that names it and the version needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from claude_magic.messages.dependencies import NEEDED, OF_QUESTIONS, broken, missing, unmet
from tests.kernels import kernel, without_settings

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
    assert f': pip install "nh3>={lowest}".' in line
    assert reply == "**bold**"


def test_a_fault_of_a_package_that_is_new_enough_is_not_put_on_its_version(tmp_path: Path) -> None:
    installed(tmp_path, "nh3", "99", "def clean(html): ...\n")
    line, reply = asked(tmp_path).strip().split("\n\n")
    assert line == (
        "This reply is shown as it was written, as rendering it failed: "
        "AttributeError: module 'nh3' has no attribute 'Cleaner'"
    )
    assert reply == "**bold**"


def test_a_package_that_cannot_be_imported_is_named_above_the_reply(tmp_path: Path) -> None:
    (tmp_path / "nh3.py").write_text("raise ImportError('libc is too old')\n", encoding="utf-8")
    line, reply = asked(tmp_path).strip().split("\n\n")
    assert line.endswith("rendering it failed: ImportError: libc is too old")
    assert reply == "**bold**"


# Starts as a fresh process in which one module is not installed: Python runs it by its name.
NOT_INSTALLED = """
import sys
from importlib.machinery import PathFinder
class Lacks:
    @staticmethod
    def find_distributions(*given):
        found = PathFinder.find_distributions(*given)
        return (d for d in found if d.name.lower().replace("_", "-") != {package!r})
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name == {module!r} else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Lacks
"""
COMMAND = ["-m", "claude_magic", "doctor", "--yes", "--base-url", "offline"]
SCRIPT = ["-c", """
import claude_magic
try:
    claude_magic.Conversation(base_url="offline").ask("Hi")
except claude_magic.messages.errors.InputError as error:
    print(error)
"""]  # fmt: skip


def said(folder: Path, *program: str) -> tuple[int, str, str]:
    """The exit status of a process that finds `folder` first, and what it prints."""
    done = subprocess.run(
        [sys.executable, *program],
        capture_output=True,
        text=True,
        check=False,
        cwd=PYPROJECT.parent,
        env=without_settings(os.environ) | {"PYTHONPATH": str(folder)},
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def takes_away(folder: Path, module: str) -> None:
    code = NOT_INSTALLED.format(module=module, package=NEEDED[module][0].lower().replace("_", "-"))
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")


def needs(module: str, found: str) -> str:
    package, lowest = NEEDED[module]
    return (
        f"claude_magic needs {package} {lowest} or newer, and {found}: "
        f'pip install "{package}>={lowest}".'
    )


@pytest.mark.parametrize("module", [*OF_QUESTIONS, "tornado"])
def test_a_command_that_lacks_a_package_is_one_line_and_a_status(
    module: str, tmp_path: Path
) -> None:
    takes_away(tmp_path, module)
    line = needs(module, "it is not installed")
    assert said(tmp_path, *COMMAND) == (2, "", f"claude-magic: {line}\n")


@pytest.mark.parametrize("module", [*OF_QUESTIONS, "tornado"])
def test_a_command_for_which_a_package_is_too_old_is_one_line_and_a_status(
    module: str, tmp_path: Path
) -> None:
    installed(tmp_path, NEEDED[module][0], "0.0.9", "")
    line = needs(module, "0.0.9 is installed")
    assert said(tmp_path, *COMMAND) == (2, "", f"claude-magic: {line}\n")


@pytest.mark.parametrize("module", OF_QUESTIONS)
def test_a_script_that_lacks_a_package_gets_one_error_of_ours(module: str, tmp_path: Path) -> None:
    takes_away(tmp_path, module)
    line = needs(module, "it is not installed")
    assert said(tmp_path, *SCRIPT) == (0, f"{line}\n", "")


def test_an_import_that_fails_is_told_from_a_package_that_is_not_there() -> None:
    absent = ModuleNotFoundError("No module named 'pandas'", name="pandas")
    below = ModuleNotFoundError("No module named 'numpy'", name="numpy")
    assert broken(absent, "pandas") == ""
    assert broken(below, "pandas") == (
        "pandas cannot be imported (ModuleNotFoundError: No module named 'numpy'): "
        "install it again."
    )
    assert "(ImportError: libc is too old)" in broken(ImportError("libc is too old"), "pandas")


# What an extra brings, broken: the program that needs it, with {folder} to work in.
EXTRAS = {
    "pandas": "from claude_magic.captions.datasets.caption_run import How, check; check(How())",
    "pyarrow": "from claude_magic.captions.datasets.caption_run import How, check; check(How())",
    "tqdm": "from claude_magic.captions.datasets.caption_run import How, check; check(How())",
    "daft": "from claude_magic.captions.datasets.caption_run import How, check; "
    "check(How(engine='daft'))",
    "jsonschema": "from claude_magic.conversation.asking.shape import shape_of; "
    "shape_of({'type': 'object', 'properties': {'a': {'type': 'string'}}})",
    "keyring": "from claude_magic.notebook.small_commands import _keyring; _keyring()",
    "vl_convert": "from claude_magic.messages.images.plots import chart_png; "
    "chart_png('Vega-Lite', {})",
}


@pytest.mark.parametrize("module", EXTRAS)
def test_an_extra_that_is_installed_and_broken_is_not_said_to_be_missing(
    module: str, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError('libc is too old')\n", "utf-8")
    _, _, trace = said(tmp_path, "-c", EXTRAS[module])
    last = trace.strip().splitlines()[-1]
    assert "cannot be imported (ImportError: libc is too old): install it again." in last
    assert module in last.partition(":")[2]


ABSENT = """
import sys
from importlib.machinery import PathFinder
hidden = {name!r}
class Hides:
    def find_spec(self, name, path=None, target=None):
        return None if name == hidden else PathFinder.find_spec(name, path, target)
sys.meta_path = [f for f in sys.meta_path if f is not PathFinder] + [Hides()]
"""
# Not pygments: without it IPython shows no error at all.
LACKING = {
    **dict.fromkeys([m for m in OF_QUESTIONS if m != "pygments"], "%claude Hi"),
    "ipywidgets": "%claude_chat",
}


@pytest.mark.met("W18")
@pytest.mark.parametrize("module", LACKING)
def test_a_missing_package_is_said_before_a_question_leaves(module: str, tmp_path: Path) -> None:
    with kernel(tmp_path, load=False) as fresh:
        hide = ABSENT.format(name=module)
        fresh.run(
            f"{hide}\nfor n in [n for n in sys.modules if n.split('.')[0] == {module!r}]:\n"
            "    del sys.modules[n]"
        )
        fresh.run("%load_ext claude_magic")
        ran = fresh.run(LACKING[module], ok=False)
    package, lowest = NEEDED[module]
    assert ran.error == (
        f"InputError: claude_magic needs {package} {lowest} or newer, and it is not installed: "
        f'%pip install "{package}>={lowest}", then restart the kernel.'
    )
