"""The cells that `-c` and `-i` name by execution count or by tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..messages.errors import InputError
from .record import CellRun

_MARK = re.compile(r"\s*#([\w-]+)[ \t]*(\n|$)")


class NamedCells:
    """Looks cells up among `runs`, the newest run of each.

    A count is taken once for the cell that has it: `before` holds the cells that counts meant when
    the question was first asked, and `counts` what was taken now. `tags` are those of the saved
    file, by cell.
    """

    def __init__(
        self,
        runs: Sequence[CellRun],
        before: Mapping[str, str],
        tags: Mapping[str, frozenset[str]],
    ) -> None:
        self.runs = runs
        self.counts: dict[str, str] = {}
        self.notices: dict[str, None] = {}
        self._before = before
        self._tags = tags

    def of_counts(self, low: int, high: int, option: str) -> list[CellRun]:
        """The cells with the execution counts `low` to `high`. Raises InputError if none has."""
        taken = {int(c): cell for c, cell in self._before.items() if c.isdecimal()}
        found: dict[int, CellRun] = {}
        for run in self.runs:
            meant = [count for count, cell in taken.items() if cell == run.cell]
            if run.count is not None and run.count not in taken:
                meant.append(run.count)
            found |= {count: run for count in meant if low <= count <= high}
        for count in taken:
            if low <= count <= high and count not in found:
                raise InputError(
                    f"{option}: the cell that had the count {count} when this was first asked has "
                    "not run in this kernel; run it, or give another."
                )
        if not found:
            raise InputError(f"{option}: no cell of this kernel has that execution count.")
        kept = {str(count): run.cell for count, run in found.items() if run.cell}
        self.counts |= kept
        if kept:
            self.notices[
                f"{option}: counts change; the cell that had it when this was first asked is meant"
            ] = None
        return [found[count] for count in sorted(found)]

    def tagged(self, tag: str, option: str) -> list[CellRun]:
        """The cells with a tag, or with `#tag` as their first line. Raises InputError if none."""
        found = [run for run in self.runs if tag in self._tags_of(run)]
        if not found:
            raise InputError(
                f"{option}: no cell that ran in this kernel has the tag {tag}. Give it one in the "
                f"notebook's property inspector, or #{tag} as its first line, and run it."
            )
        return found

    def _tags_of(self, run: CellRun) -> frozenset[str]:
        mark = _MARK.match(run.source)
        named = frozenset([mark[1]] if mark else [])
        return run.tags | named | self._tags.get(run.cell or "", frozenset())


def newest(runs: Sequence[CellRun], current: CellRun | None) -> list[CellRun]:
    """Of each cell the newest run."""
    return [
        run
        for i, run in enumerate(runs)
        if run is current or not any(run.same_cell(later) for later in runs[i + 1 :])
    ]
