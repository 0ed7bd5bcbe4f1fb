"""What the programs of a desktop find in their environment, and what has to be installed."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from ...messages.errors import InputError

# What programs need to start, to find their libraries and fonts, and to know language and time
# zone. No more than these: so no key, no proxy, no display and no session bus of the user's.
_PASSED_ON = (
    *("PATH", "LD_LIBRARY_PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "JAVA_HOME"),
    *("FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_DIRS"),
)
# The program that is looked for, and the Debian package that has it.
PACKAGES = {"Xvfb": "xvfb", "jwm": "jwm"}
_LIBRARY = "Xlib"


def desktop_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment for the programs of a desktop, from `ours`: a few variables, no more.

    DISPLAY, HOME and the like are added by the keeper.
    """
    theirs = {name: ours[name] for name in _PASSED_ON if ours.get(name)}
    # Programs start a session bus where there seems to be none, and it would outlive them; one that
    # needs it is opened with dbus-run-session.
    return {**theirs, "DBUS_SESSION_BUS_ADDRESS": "disabled:", "NO_AT_BRIDGE": "1"}


def check_installed(path: str | None = None, *, platform: str = sys.platform) -> None:
    """Nothing, where a desktop can be started; `path` is searched instead of PATH.

    Raises InputError that names what is missing, and the command that installs it.
    """
    if not platform.startswith("linux"):
        raise InputError("A virtual desktop needs Linux: use --tools computer there.")
    missing = [package for name, package in PACKAGES.items() if not shutil.which(name, path=path)]
    if missing:
        raise InputError(
            f"The virtual desktop needs {' and '.join(missing)}: "
            f"sudo apt-get install {' '.join(PACKAGES.values())}"
        )
    if importlib.util.find_spec(_LIBRARY) is None:
        raise InputError(
            "The virtual desktop needs python-xlib: pip install 'claude-magic[computer]'"
        )


def import_folders() -> list[str]:
    """The folders that a new interpreter must search to find this package and its X library."""
    folders = []
    for name in (__package__.partition(".")[0], _LIBRARY, "six"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            origin = Path(found.origin)
            folders.append(
                str(origin.parents[1] if found.submodule_search_locations else origin.parent)
            )
    return list(dict.fromkeys(folders))
