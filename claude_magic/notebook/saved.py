"""The notebook's file: where it is, and the order of its cells when it was last saved."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def notebook_path(namespace: Mapping[str, object]) -> Path | None:
    """The file of the running notebook, as far as the front end tells; None in a console.

    Jupyter sets JPY_SESSION_NAME when the kernel starts (stale after a rename), VS Code a name in
    the notebook's `namespace`.
    """
    for name in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            path = Path(name)
            if path.is_absolute() and path.is_file():
                return path
    return None


class SavedOrder:
    """The ids of the cells in the notebook's file, read again when the file has changed."""

    def __init__(self) -> None:
        self._stamp: tuple[str, int, int] | None = None
        self._order: tuple[str, ...] = ()

    def read(self, path: Path) -> tuple[str, ...]:
        """From top to bottom; empty for a file that is no notebook or has no cell ids."""
        try:
            stat = path.stat()
            stamp = (str(path), stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._order = _cell_ids(path.read_bytes())
                self._stamp = stamp
        except OSError:  # moved or deleted: what is known stays
            pass
        return self._order


def _cell_ids(data: bytes) -> tuple[str, ...]:
    try:
        cells = json.loads(data)["cells"]
        return tuple(str(cell["id"]) for cell in cells)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
