"""What there is of a desktop on this machine, and whether all of it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60.0
SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 - where X puts them


@dataclass(frozen=True)
class Footprint:
    """The processes (by id and start time), the folder and the sockets of one desktop."""

    processes: frozenset[tuple[int, str]]
    folder: Path
    sockets: frozenset[str]

    def remains(self) -> list[str]:
        """What of it is still there, in words; processes that were not there at the time too."""
        found = [
            f"{pid} {_name(pid)}"
            for pid, start in self.processes
            if _started(pid) == start and _name(pid)
        ]
        found += [
            f"{pid} {_name(pid)}" for pid in _all() if str(self.folder) in variables(pid, "HOME")
        ]
        found += [f"socket {name}" for name in self.sockets if (SOCKETS / name).exists()]
        found += [str(self.folder)] if self.folder.exists() else []
        return found

    def until_gone(self) -> None:
        """Returns once nothing of it remains."""
        end = time.monotonic() + SECONDS
        while remains := self.remains():
            assert time.monotonic() < end, f"left over after {SECONDS:g} s: {remains}"
            time.sleep(0.02)


def footprint(keeper: int) -> Footprint:
    """All there is of the desktop that this process keeps."""
    family = [keeper]
    parents = {pid: _parent(pid) for pid in _all()}
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    homes = {home for pid in family for home in [variables(pid, "HOME")] if "magic-desktop" in home}
    folders = {Path(home).parent for home in homes}
    assert len(folders) == 1, folders
    displays = {variables(pid, "DISPLAY") for pid in family} - {""}
    assert displays, "no program has a display"
    sockets = frozenset(f"X{display.strip(':')}" for display in displays)
    assert all((SOCKETS / name).exists() for name in sockets)
    return Footprint(frozenset((pid, _started(pid)) for pid in family), folders.pop(), sockets)


def family(keeper: int) -> dict[int, str]:
    """The desktop's processes, the keeper included, by id, each with its name."""
    return {pid: _name(pid) for pid, _ in footprint(keeper).processes}


def keeper_of(pid: int) -> int | None:
    """The process that keeps the desktop of this process; None where it has none."""
    for child in _all():
        if _parent(child) == pid and b"computer.keeper" in _command(child):
            return child
    return None


def environment(pid: int) -> dict[str, str]:
    """The variables that a process was started with; empty if it is not there."""
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.partition("=")[::2] for pair in pairs if "=" in pair)


def variables(pid: int, name: str) -> str:
    return environment(pid).get(name, "")


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _started(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
