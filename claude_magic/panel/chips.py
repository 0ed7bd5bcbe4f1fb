"""What of the notebook would go along with the next question, each piece to be taken out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..messages.errors import ClaudeError
from ..notebook.context.chosen_cells import CarriedCell, is_figure
from ..notebook.context.question_context import NEWEST_FIGURES
from ..rendering import plain
from .protocol import Chip

if TYPE_CHECKING:
    from ..messages.blocks import Block
    from ..notebook.context.outputs import Rendered
    from ..notebook.page.recorder import Output

_LABEL = 40
_DETAIL = 600


def chips(
    pieces: Sequence[CarriedCell],
    places: Mapping[str, str],
    *,
    render: Callable[[Output], Rendered],
    thumbnail: Callable[[Block], str],
    figures: bool = True,
) -> list[Chip]:
    """A chip for each cell, and for each of the newest figures, in the order of the page.

    `places` gives the word for a cell by the serial of its run; `figures` False leaves them out,
    as the setting `images=none` does.
    """
    shown = [o.serial for p in pieces for o in p.outputs if is_figure(o)] if figures else []
    newest = set(shown[-NEWEST_FIGURES:])
    found: list[Chip] = []
    for piece in pieces:
        place = places.get(str(piece.serial), "")
        if piece.source or any(not is_figure(o) for o in piece.outputs):
            found.append(_cell(piece, place))
        found += [_figure(o, place, render, thumbnail) for o in piece.outputs if o.serial in newest]
    return found


def _cell(piece: CarriedCell, place: str) -> Chip:
    first = next((line.strip() for line in piece.source.splitlines() if line.strip()), "output")
    label = first if len(first) <= _LABEL else first[: _LABEL - 1] + "…"
    return {
        "serial": piece.serial,
        "kind": "cell",
        "label": plain(f"{place} {label}".strip()),
        "detail": plain(piece.source[:_DETAIL]) or "what this cell showed after its question",
        "src": "",
    }


def _figure(
    output: Output,
    place: str,
    render: Callable[[Output], Rendered],
    thumbnail: Callable[[Block], str],
) -> Chip:
    src = ""
    try:
        image = next((b for b in render(output).blocks if b.get("type") == "image"), None)
        src = thumbnail(image) if image is not None else ""
    except ClaudeError:
        pass  # it is said when the question is asked
    label = f"figure of {place}" if place else "figure"
    return {
        "serial": output.serial,
        "kind": "figure",
        "label": label,
        "detail": plain(str(output.metadata.get("alt", ""))) or label,
        "src": src,
    }
