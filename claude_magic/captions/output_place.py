"""Where the alt text of a figure that a cell displayed stands, or will."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .json_text import Edit, Node
from .json_writer import Writer
from .notebook_cells import is_object, plain

# Objects and lists above an output: the notebook, cells, cell, outputs.
_DEPTH = 4


@dataclass(frozen=True)
class OutputPlace:
    """Where the alt text of an output stands, or will."""

    output: Node
    kinds: tuple[str, ...]

    def alt(self, of_cell: Any) -> str | None:
        """The alt text that exporters find: by media type, of the output, of the cell."""
        places = [self.output.get("metadata", kind, "alt") for kind in self.kinds]
        found = [plain(place) for place in (*places, self.output.get("metadata", "alt"))]
        return next((alt for alt in (*found, of_cell) if isinstance(alt, str)), None)

    def edits(self, writer: Writer, alt: str) -> Iterator[Edit]:
        """The edits that write `alt` for each media type of the image."""
        metadata = self.output.get("metadata")
        if metadata is None or not isinstance(metadata.value, dict):
            about: Any = {kind: {"alt": alt} for kind in self.kinds}
            if metadata is None:
                yield writer.member(self.output, "metadata", about, _DEPTH)
            return
        missing = [kind for kind in self.kinds if not is_object(metadata.get(kind))]
        for kind in self.kinds:
            about = metadata.get(kind)
            if about is None or kind in missing:
                continue
            old = about.get("alt")
            if old is not None:
                yield Edit(old.start, old.end, writer.string(alt))
            else:
                yield writer.member(about, "alt", alt, _DEPTH + 2)
        if missing:
            yield writer.members(metadata, {k: {"alt": alt} for k in missing}, _DEPTH + 1)
