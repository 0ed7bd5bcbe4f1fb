"""The notebooks that paths name, and what of them cannot be looked into."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...messages.errors import InputError
from ...value_classes import frozen

_HIDDEN = ".ipynb_checkpoints"


@frozen
class Unread:
    """A notebook, or a folder, that cannot be read, and why."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"

    @classmethod
    def of(cls, path: Path, error: InputError) -> Unread:
        """From what was raised about it, which begins with its name."""
        return cls(path, str(error).removeprefix(str(path)).lstrip(": "))


def notebook_paths(paths: Iterable[Path]) -> list[Path | Unread]:
    """The notebooks that paths name: files, and all those below a folder; folders that are shut.

    Raises InputError where there is none.
    """
    found: list[Path | Unread] = []
    for path in paths:
        found += _inside(path) if path.is_dir() else [path]
    if not found:
        raise InputError("There is no notebook there: name one, or a folder that has some.")
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> Iterator[Path | Unread]:
    """What is below a folder, links to folders left out, in the order of the names."""
    shut: list[Unread] = []

    def note(error: OSError) -> None:
        shut.append(Unread(Path(error.filename), f"cannot be read ({error.strerror})."))

    found = []
    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if name != _HIDDEN]
        # A folder with the name of a notebook is told of: whoever made it may miss a notebook.
        names = [name for name in (*folders, *files) if name.endswith(".ipynb")]
        found += [Path(place) / name for name in names]
    return iter([*sorted(found), *shut])
