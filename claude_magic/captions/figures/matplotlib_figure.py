"""A Matplotlib figure as the data that it was drawn from: its texts, its panels, their marks.

Matplotlib is never imported here: an axis of its means that it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .matplotlib_axes import AxisReader, Panel
from .matplotlib_marks import MarkReader, written
from .matplotlib_names import is_visible, legend_line

_MOST_PANELS = 16


def matplotlib_text(figure: Any) -> str:
    """Texts of the whole, axes and marks of each panel; empty where nothing is drawn in it."""
    panels = [axes for axes in figure.axes if not _is_colour_bar(axes) and axes.get_visible()]
    if not panels and not figure.texts and not figure.images:
        return ""
    lines = [*_whole(figure)]
    for place, axes in enumerate(panels[:_MOST_PANELS], 1):
        if len(panels) > 1:
            lines.append(f"panel {place} of {len(panels)}{_shares(axes, panels[: place - 1])}")
        lines += _panel(axes)
    if len(panels) > _MOST_PANELS:
        lines.append(f"… {len(panels) - _MOST_PANELS} more panels")
    return "\n".join(lines)


def _whole(figure: Any) -> Iterator[str]:
    """The texts and legends of a figure that belong to none of its panels."""
    named = {"_suptitle": "title", "_supxlabel": "x label", "_supylabel": "y label"}
    own = {}
    for part in (figure, *getattr(figure, "subfigs", ())):
        of = "the whole" if part is figure else "a part"
        for attribute, name in named.items():
            text = getattr(part, attribute, None)
            own[id(text)] = text
            if text is not None and is_visible(text) and str(text.get_text()).strip():
                yield f'{name} of {of}: "{" ".join(str(text.get_text()).split())}"'
        yield from (line for legend in part.legends if (line := legend_line(legend)))
        others = [text for text in part.texts if id(text) not in own and is_visible(text)]
        yield from written(" ".join(str(text.get_text()).split()) for text in others)
        for kind, artists in (("picture", part.images), ("line", part.lines)):
            if artists:
                yield f"{len(artists)} of the kind {kind} beside the panels: not where data stand"
        shapes = [patch for patch in part.patches if patch is not part.patch]
        if shapes:
            yield f"{len(shapes)} of the kind shape beside the panels: not where data stand"


def _panel(axes: Any) -> Iterator[str]:
    titles = [" ".join(str(axes.get_title(loc)).split()) for loc in ("center", "left", "right")]
    yield from (f'title "{title}"' for title in titles if title)
    if axes.name == "polar":
        yield "polar axes: x is the angle in radians, y the distance from the middle"
    elif axes.name != "rectilinear":
        yield f"{axes.name} axes"
    panel = Panel(axes)
    if not _is_pie(axes):
        yield panel.x.line
        yield panel.y.line
    if axes.name == "3d":
        yield AxisReader(axes.zaxis, "z").line
    legend = axes.get_legend()
    if legend is not None and is_visible(legend) and (line := legend_line(legend)):
        yield line
    yield from MarkReader(panel).lines()
    for child in (*axes.child_axes, *getattr(axes, "parasites", ())):
        if child.get_visible():
            yield from _child(child)


def _child(axes: Any) -> Iterator[str]:
    """An axis beside the panel's own, or a panel within it."""
    if type(axes).__name__ == "SecondaryAxis":
        level = axes._orientation == "x"
        axis = AxisReader(axes.xaxis if level else axes.yaxis, "x" if level else "y")
        yield f"secondary {axis.line}"
        return
    yield "a panel within this one"
    yield from _panel(axes)
    yield "(end of the panel within)"


def _shares(axes: Any, before: list[Any]) -> str:
    """Said of an Axes that lies over an earlier one, with an axis of its own."""
    for other in before:
        if other.get_position().bounds != axes.get_position().bounds:
            continue
        if axes.get_shared_x_axes().joined(axes, other):
            return ", over the panel before it with a y axis of its own"
        if axes.get_shared_y_axes().joined(axes, other):
            return ", over the panel before it with an x axis of its own"
        return ", over the panel before it with axes of its own"
    return ""


def _is_colour_bar(axes: Any) -> bool:
    return axes.get_label() == "<colorbar>" or hasattr(axes, "_colorbar")


def _is_pie(axes: Any) -> bool:
    return any(type(patch).__name__ == "Wedge" for patch in axes.patches)
