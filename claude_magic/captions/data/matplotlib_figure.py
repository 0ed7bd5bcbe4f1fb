"""A Matplotlib figure as the data that it was drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .matplotlib_axis import AxisReader
from .matplotlib_marks import MarkReader

_MOST_PANELS = 16


def matplotlib_text(figure: Any) -> str:
    """Title, axes and marks of each panel of `figure`; empty where nothing is drawn in it."""
    panels = [axes for axes in figure.axes if not _is_colour_bar(axes) and axes.get_visible()]
    if not panels:
        return ""
    title = str(figure.get_suptitle()).strip() if hasattr(figure, "get_suptitle") else ""
    lines = [f'title of the whole: "{title}"'] if title else []
    for place, axes in enumerate(panels[:_MOST_PANELS], 1):
        if len(panels) > 1:
            lines.append(f"panel {place} of {len(panels)}{_shares(axes, panels[: place - 1])}")
        lines += _panel(axes)
    if len(panels) > _MOST_PANELS:
        lines.append(f"… {len(panels) - _MOST_PANELS} more panels")
    return "\n".join(lines)


def _panel(axes: Any) -> Iterator[str]:
    title = " ".join(str(axes.get_title()).split())
    if title:
        yield f'title "{title}"'
    if axes.name != "rectilinear":
        yield f"{axes.name} axes"
    reader = MarkReader(axes)
    if (axes.axison or axes.name == "3d") and not _is_pie(axes):
        yield reader.x.line
        yield reader.y.line
    if axes.name == "3d":
        yield AxisReader(axes.zaxis, "z").line
    legend = axes.get_legend()
    if legend is not None and legend.get_title().get_text().strip():
        yield f'legend "{" ".join(legend.get_title().get_text().split())}"'
    yield from reader.lines()


def _shares(axes: Any, before: list[Any]) -> str:
    """Said of an Axes that lies over an earlier one, with a y axis of its own."""
    same = [o for o in before if o.get_position().bounds == axes.get_position().bounds]
    return ", over the panel before it with a y axis of its own" if same else ""


def _is_colour_bar(axes: Any) -> bool:
    return axes.get_label() == "<colorbar>" or hasattr(axes, "_colorbar")


def _is_pie(axes: Any) -> bool:
    return any(type(patch).__name__ == "Wedge" for patch in axes.patches)
