"""The notebooks that paths name, what of them cannot be looked into, and how far they may reach.

A notebook of somebody else's can name any file of this machine, by a path or by a link. What it
shows is sent, so it is confined to the folder that the user has named.
"""

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


@frozen
class NotebookPlace:
    """A notebook as it is named, the file that this leads to, and the folder that it may reach.

    `root` None is everywhere.
    """

    path: Path
    real: Path
    root: Path | None


def notebook_paths(paths: Iterable[Path], *, outside: bool = False) -> list[NotebookPlace | Unread]:
    """The notebooks that paths name: files, and all those below a folder.

    Each file once. Folders that are shut, and, unless they may lead `outside`, links that do so
    from the folder that was named, or from that of a file that was.

    Raises InputError where there is none.
    """
    found: dict[object, NotebookPlace | Unread] = {}
    for path in paths:
        root = real_path(path if path.is_dir() else path.parent)
        for one in _inside(path) if path.is_dir() else [path]:
            if isinstance(one, Unread):
                found.setdefault(one, one)
                continue
            real = real_path(one)
            if outside or real.is_relative_to(root):
                found.setdefault(real, NotebookPlace(one, real, None if outside else root))
            else:
                why = f"leads outside of {root}: --allow-outside has it read."
                found.setdefault(one, Unread(one, why))
    if not found:
        raise InputError("There is no notebook there: name one, or a folder that has some.")
    return list(found.values())


def real_path(path: Path) -> Path:
    """Where a path leads, links followed, whether there is anything or not."""
    # Not Path.resolve, which raises for links that go round.
    return Path(os.path.realpath(path))


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
