"""The comm by which the JupyterLab extension asks for the panel that it docks, and for alt text.

The kernel opens it, with an id that is known beforehand, as `notebook/page/front_end.py` does with
its own. It takes requests while a cell runs: the extension sends them through a subshell.

The lab extension sends the output as the page holds it, and writes what comes back into its
metadata. What it sends is checked: a page shows what notebooks of others hold.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..notebook.page.known_comm import KnownComm
from ..value_classes import frozen
from .outbox import beside_the_cells

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..notebook.caption_magic import Figures, ShownFigure
    from ..notebook.notebook import Notebook

COMM = "claude_magic:panel"
"""The comm's target name and its id."""


class Dock:
    """Gives the front end the model of the docked panel; `make` makes that widget's model id.

    `caption` gives the answer to a request for alt text, None to what is no such request.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        make: Callable[[], str],
        caption: Callable[[Mapping[str, Any]], dict[str, Any] | None],
    ) -> None:
        self._make = make
        self._caption = caption
        self._comm = KnownComm(shell, COMM, self._received, calling=beside_the_cells)
        self._lock = threading.Lock()

    def attach(self) -> None:
        """Have the comm, where there is a kernel."""
        self._comm.attach()

    def announce(self) -> None:
        """Open the comm to whatever front end is there."""
        self._comm.announce()

    def detach(self) -> None:
        """Close the comm. Raises nothing."""
        self._comm.detach()

    def show(self) -> None:
        """Have the front end dock the panel, and bring it to the front."""
        self._tell(show=True)

    def _received(self, message: Mapping[str, Any]) -> None:
        """A request for the model, or for alt text.

        Answered in a thread: ipywidgets may have to be imported, and a reply takes its time.
        """
        said = message.get("content", {}).get("data")
        if not isinstance(said, dict):
            return
        if said.get("type") == "open":
            self._tell(show=False)
        elif said.get("type") == "caption":
            _beside(partial(self._describe, said))

    def _tell(self, *, show: bool) -> None:
        _beside(partial(self._answer, show=show))

    def _describe(self, said: Mapping[str, Any]) -> None:
        answer = self._caption(said)
        if answer is not None:
            self._comm.send(answer)

    def _answer(self, *, show: bool) -> None:
        with self._lock:
            if self._comm.is_here:
                self._comm.send({"type": "panel", "model": self._make(), "show": show})


def _beside(work: Callable[[], None]) -> None:
    """Do this in a thread of its own."""
    threading.Thread(
        target=beside_the_cells(work), name="claude-magic-panel-dock", daemon=True
    ).start()


_REQUEST = r"[A-Za-z0-9-]{1,64}"
_LONGEST_CELL_ID = 256
_LONGEST_SOURCE = 1_000_000
# Jupyter's server closes the connection on larger messages.
_LARGEST = 10_000_000


@frozen
class DescribedOutput:
    """A request of the page: `bundle` is the output of `cell`, whose text is `source`."""

    id: str
    cell: str
    source: str
    bundle: Mapping[str, Any]


def read_request(said: Mapping[str, Any]) -> DescribedOutput | None:
    """What a message asks for; None for one that is not as the extension sends it."""
    match said:
        case {"id": str(id_), "cell": str(cell), "source": str(source), "bundle": dict(bundle)}:
            pass
        case _:
            return None
    held = sum(len(part) for part in bundle.values() if isinstance(part, str))
    fits = len(cell) <= _LONGEST_CELL_ID and len(source) <= _LONGEST_SOURCE and held <= _LARGEST
    if not (re.fullmatch(_REQUEST, id_) and fits and all(isinstance(kind, str) for kind in bundle)):
        return None
    return DescribedOutput(id_, cell, source, bundle)


def describe(notebook: Notebook, asked: DescribedOutput) -> dict[str, Any]:
    """The answer for the page: the alt text and what it cost, or why there is none."""
    answer = {"type": "caption", "id": asked.id, "alt": "", "cost": "", "error": ""}
    try:
        return {**answer, **_asked(notebook, asked)}
    except Exception as error:
        from ..messages.plain_text import in_a_line

        # The page waits for an answer, whatever an output held.
        return {**answer, "error": in_a_line(error, *notebook.keys.secrets())}


def _asked(notebook: Notebook, asked: DescribedOutput) -> dict[str, str]:
    from ..messages.plain_text import dollars
    from ..notebook.caption_magic import alt_text, caption_question, finder
    from ..notebook.page.question_place import PanelPlace

    beside = PanelPlace(asked.cell or None)
    figure = _figure(finder(notebook, {}, beside), asked)
    question = caption_question(notebook, {}, figure, beside=beside)
    question = replace(question, prompt="Write alt text for an output of this cell")
    reply = notebook.session.ask(question)
    cost = "" if reply.replayed or reply.cost is None else dollars(reply.cost)
    return {"alt": alt_text(reply), "cost": cost}


def _figure(found: Figures, asked: DescribedOutput) -> ShownFigure:
    """The figure as the kernel knows it; as the page shows it, where the kernel did not draw it.

    Raises ImageError for what cannot be sent.
    """
    from ..notebook.page.recorder import Output

    pictures = (v for kind, v in asked.bundle.items() if kind.startswith("image/"))
    image = next((v for v in pictures if isinstance(v, str)), "")
    known = found.at(asked.cell, image) if image else None
    return known or found.shown(Output(0, bundle=asked.bundle), asked.source)
