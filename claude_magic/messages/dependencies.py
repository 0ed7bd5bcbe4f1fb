"""The packages that this one needs, and what is said where one is missing or too old."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec

from .plain_text import in_a_line

# The module to import, the package that brings it, the lowest version that passes the tests: as in
# pyproject.toml, which says why where that is not plain.
NEEDED: dict[str, tuple[str, str]] = {
    "IPython": ("ipython", "7.34"),
    "PIL": ("Pillow", "11.3"),
    "docstring_parser": ("docstring-parser", "0.16"),
    "httpx": ("httpx", "0.28"),
    "ipywidgets": ("ipywidgets", "7.7.1"),
    "jupyter_core": ("jupyter_core", "5.3"),
    "markdown_it": ("markdown-it-py", "3.0"),
    "nh3": ("nh3", "0.3.0"),
    "pydantic": ("pydantic", "2.11"),
    "pygments": ("pygments", "2.18"),
    "resvg_py": ("resvg-py", "0.5"),
    "tornado": ("tornado", "6.4"),
}

OF_QUESTIONS = (
    "PIL", "docstring_parser", "httpx", "jupyter_core", "markdown_it", "nh3", "pydantic",
    "pygments",
)  # fmt: skip
"""Those without which a question cannot be asked and kept, or its reply not be shown."""


def unmet(*modules: str) -> str:
    """The line for the first of these modules (all, if none is named) that is not there as needed.

    "" where all are. Reads what is installed: to be asked where something has failed.
    """
    from importlib.metadata import PackageNotFoundError, version

    for module in modules or NEEDED:
        package, lowest = NEEDED[module]
        try:
            found = version(package)
        except PackageNotFoundError:
            found = ""
        if (not found and missing(module)) or (found and _parts(found) < _parts(lowest)):
            return _line(package, lowest, found)
    return ""


def missing(*modules: str) -> str:
    """The line for the first of these modules (all, if none is named) that is not installed."""
    for module in modules or NEEDED:
        try:
            there = find_spec(module) is not None
        except (ImportError, ValueError):  # it was taken out of sys.modules, or put there
            there = True
        if not there:
            return _line(*NEEDED[module], "")
    return ""


def broken(error: ImportError, *modules: str) -> str:
    """The line for an import that failed though none of these modules is simply not there.

    "" where one of them is: what installs it is then for the caller to say.
    """
    if isinstance(error, ModuleNotFoundError) and error.name in modules:
        return ""
    return f"{' or '.join(modules)} cannot be imported ({in_a_line(error)}): install it again."


def _line(package: str, lowest: str, found: str) -> str:
    here = f"{found} is installed" if found else "it is not installed"
    how = f'pip install "{package}>={lowest}"'
    if _in_shell():
        how = f"%{how}, then restart the kernel"
    return f"claude_magic needs {package} {lowest} or newer, and {here}: {how}."


def _in_shell() -> bool:
    """Whether cells run in this process: it is no script and no command."""
    shell = sys.modules.get("IPython")
    return shell is not None and shell.get_ipython() is not None


def _parts(version: str) -> tuple[int, ...]:
    """The numbers of a version's release."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, release[0].split("."))) if release else ()
