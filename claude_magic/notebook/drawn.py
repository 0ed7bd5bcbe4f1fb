"""Which figure object stands behind what a cell displayed, for as long as it lives.

A shell's display formatter turns the object into a mimebundle, which is then displayed. Both are
seen here, so that a caption can be written from the figure's data and not from its pixels alone.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .record import nothing

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_LIBRARIES = ("matplotlib", "seaborn", "plotly", "altair")
_MOST_KEPT = 4
"""The newest figures are kept: the inline backend closes each when its cell ends."""


class Drawn:
    """The figures that a shell displays; the older ones only as long as the notebook holds them."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._kept: deque[object] = deque(maxlen=_MOST_KEPT)
        # A figure that displays itself (Plotly's) does so while it is formatted.
        self._under_way: list[object] = []
        self._last: tuple[object, object] = (None, None)

    def attach(self) -> Callable[[], None]:
        """See what is formatted. Returns what undoes it."""
        formatter: Any = self._shell.display_formatter
        original = formatter.format

        def formatting(thing: Any, *args: Any, **kwargs: Any) -> Any:
            if not _is_figure(thing):
                return original(thing, *args, **kwargs)
            self._under_way.append(thing)
            try:
                found = original(thing, *args, **kwargs)
            finally:
                self._under_way.pop()
            self._last = (thing, found[0])
            return found

        formatter.format = formatting

        def undo() -> None:
            # Someone may have wrapped ours in the meantime: theirs must not be torn out.
            if vars(formatter).get("format") is formatting:
                del formatter.format
            self._kept.clear()
            self._last = (None, None)

        return undo

    def of(self, bundle: Mapping[str, Any]) -> Callable[[], object]:
        """What gives the figure of which this bundle was made, None once that is gone."""
        figure, made = self._last
        if self._under_way:
            figure = self._under_way[-1]
        elif made is not bundle:
            return nothing
        self._last = (None, None)
        try:
            found = weakref.ref(figure)
        except TypeError:  # of a class that cannot be referred to so
            return nothing
        if not any(kept is figure for kept in self._kept):
            self._kept.append(figure)
        return found


def _is_figure(thing: object) -> bool:
    return any(cls.__module__.partition(".")[0] in _LIBRARIES for cls in type(thing).__mro__)
