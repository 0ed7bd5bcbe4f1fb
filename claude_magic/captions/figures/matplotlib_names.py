"""What an artist of Matplotlib is called, by itself and by the legend, and whether it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

Colour: TypeAlias = "tuple[float, ...]"


class LegendNames:
    """The names that the legends over a panel give, by an artist's label and by its colour."""

    def __init__(self, axes: Any) -> None:
        entries = [entry for legend in legends(axes) for entry in _entries(legend)]
        labels = Counter(label for label, _, _ in entries)
        colours = Counter(colour for _, colour, _ in entries if colour is not None)
        self.by_label = {label: words for label, _, words in entries if labels[label] == 1}
        # A handle that has the label of an artist is that artist's: it names no other.
        shown = [artist for artist in axes.get_children() if not is_proxy(artist)]
        own = {label_of(artist) for artist in (*shown, *axes.containers)} - {""}
        own |= {str(artist.get_label()) for artist in shown if hasattr(artist, "get_linestyle")}
        own -= {"", "_nolegend_"}
        self._by_colour = {
            colour: words
            for label, colour, words in entries
            if colour is not None and colours[colour] == 1 and label not in own
        }

    def of(self, *artists: Any, colour: Colour | None = None) -> str:
        """The name of a series: the first that one of its artists has; "" where none has."""
        for artist in artists:
            label = str(artist.get_label() or "")
            if words := self.by_label.get(label) or label_of(artist):
                return words
        return self._by_colour.get(colour, "") if colour is not None else ""

    def by_colour(self, colour: Colour) -> str | None:
        return self._by_colour.get(colour)


def is_proxy(artist: Any) -> bool:
    """Whether an artist draws nothing: libraries put such there for the legend to show."""
    if hasattr(artist, "get_xydata"):
        return not len(artist.get_xdata(orig=False))
    if hasattr(artist, "get_bbox") and hasattr(artist, "get_width"):
        return float(artist.get_width()) == 0 == float(artist.get_height())
    if hasattr(artist, "get_offsets") and not hasattr(artist, "get_coordinates"):
        return not len(artist.get_offsets()) or not len(artist.get_paths())
    return False


def legends(axes: Any) -> list[Any]:
    """The legends that stand over a panel: its own, and those of the whole figure."""
    own = [axes.get_legend(), *(a for a in axes.artists if type(a).__name__ == "Legend")]
    whole = getattr(axes.figure, "legends", [])
    return [legend for legend in (*own, *whole) if legend is not None and is_visible(legend)]


def _entries(legend: Any) -> Iterator[tuple[str, Colour | None, str]]:
    """Label and colour of each handle of a legend, and the words beside it."""
    for handle, text in zip(legend.legend_handles, legend.texts, strict=False):
        words = " ".join(str(text.get_text()).split())
        if handle is not None and words:
            yield str(handle.get_label() or ""), colour_of(handle), words


def legend_line(legend: Any) -> str:
    """`legend "Species": a, b`: what stands in it; "" where nothing does."""
    title = " ".join(str(legend.get_title().get_text()).split())
    entries = [" ".join(str(text.get_text()).split()) for text in legend.texts]
    if not title and not any(entries):
        return ""
    head = f'legend "{title}"' if title else "legend"
    return f"{head}: {', '.join(entries)}" if entries else head


def label_of(artist: Any) -> str:
    """The label that somebody gave an artist, "" where Matplotlib gave it one."""
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else " ".join(label.split())


def colour_of(artist: Any) -> Colour | None:
    """The one colour of an artist: its face's, else its edge's or line's; None for several."""
    for name in ("get_facecolor", "get_edgecolor"):
        get = getattr(artist, name, None)
        colour = _one(get()) if get is not None else None
        if colour is not None and colour[3] > 0:
            return colour
    if not hasattr(artist, "get_color"):
        return None
    from matplotlib.colors import to_rgba

    line = str(artist.get_linestyle()) not in _NOTHING
    return rounded(to_rgba(artist.get_color() if line else artist.get_markerfacecolor()))


def _one(found: Any) -> Colour | None:
    rows = found.tolist() if hasattr(found, "tolist") else list(found)
    if rows and isinstance(rows[0], int | float):
        return rounded(rows)
    colours = {rounded(row) for row in rows}
    return colours.pop() if len(colours) == 1 else None


def rounded(colour: Any) -> Colour:
    """A colour that compares as it looks, whatever it was worked out from."""
    return tuple(round(float(part), 3) for part in colour)


_NOTHING = ("None", "none", " ", "")


def is_visible(artist: Any) -> bool:
    """False for what was hidden or made wholly transparent."""
    alpha = artist.get_alpha()
    return bool(artist.get_visible()) and not (isinstance(alpha, int | float) and alpha == 0)


def is_drawn(artist: Any) -> bool:
    """Whether anything of an artist is seen: it is visible, and has a line, a marker or a face."""
    if not is_visible(artist):
        return False
    if hasattr(artist, "get_marker") and hasattr(artist, "get_linestyle"):
        line = str(artist.get_linestyle()) not in _NOTHING and artist.get_linewidth() > 0
        return bool(line) or str(artist.get_marker()) not in _NOTHING
    if hasattr(artist, "get_array") and artist.get_array() is not None:
        return True
    if not hasattr(artist, "get_facecolor") or not hasattr(artist, "get_edgecolor"):
        return True
    return any(_has_ink(get()) for get in (artist.get_facecolor, artist.get_edgecolor))


def _has_ink(colours: Any) -> bool:
    rows = colours.tolist() if hasattr(colours, "tolist") else list(colours)
    if rows and isinstance(rows[0], int | float):
        rows = [rows]
    return any(len(row) < 4 or row[3] > 0 for row in rows)
