"""Alt text for an output that somebody points at in JupyterLab.

The lab extension sends the output as the page holds it, and writes what comes back into its
metadata. What it sends is checked: a page shows what notebooks of others hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..messages.plain_text import dollars, in_a_line
from ..notebook.page.question_place import PanelPlace
from ..notebook.page.recorder import Output

if TYPE_CHECKING:
    from ..notebook.caption_magic import Figures, ShownFigure
    from ..notebook.notebook import Notebook

_REQUEST = re.compile(r"[A-Za-z0-9-]{1,64}")
_LONGEST_CELL_ID = 256
_LONGEST_SOURCE = 1_000_000
# Jupyter's server closes the connection on larger messages.
_LARGEST = 10_000_000


@dataclass(frozen=True)
class Described:
    """A request of the page: `bundle` is the output of `cell`, whose text is `source`."""

    id: str
    cell: str
    source: str
    bundle: Mapping[str, Any]


def read_request(said: Mapping[str, Any]) -> Described | None:
    """What a message asks for; None for one that is not as the extension sends it."""
    match said:
        case {"id": str(id_), "cell": str(cell), "source": str(source), "bundle": dict(bundle)}:
            pass
        case _:
            return None
    held = sum(len(part) for part in bundle.values() if isinstance(part, str))
    fits = len(cell) <= _LONGEST_CELL_ID and len(source) <= _LONGEST_SOURCE and held <= _LARGEST
    if not (_REQUEST.fullmatch(id_) and fits and all(isinstance(kind, str) for kind in bundle)):
        return None
    return Described(id_, cell, source, bundle)


def describe(notebook: Notebook, asked: Described) -> dict[str, Any]:
    """The answer for the page: the alt text and what it cost, or why there is none."""
    answer = {"type": "caption", "id": asked.id, "alt": "", "cost": "", "error": ""}
    try:
        return {**answer, **_asked(notebook, asked)}
    except Exception as error:  # the page waits for an answer, whatever an output held
        return {**answer, "error": in_a_line(error, *notebook.keys.secrets())}


def _asked(notebook: Notebook, asked: Described) -> dict[str, str]:
    from ..notebook.caption_magic import alt_text, caption_question, finder

    beside = PanelPlace(asked.cell or None)
    figure = _figure(finder(notebook, {}, beside), asked)
    question = caption_question(notebook, {}, figure, beside=beside)
    question = replace(question, prompt="Write alt text for an output of this cell")
    reply = notebook.session.ask(question)
    cost = "" if reply.replayed or reply.cost is None else dollars(reply.cost)
    return {"alt": alt_text(reply), "cost": cost}


def _figure(found: Figures, asked: Described) -> ShownFigure:
    """The figure as the kernel knows it; as the page shows it, where the kernel did not draw it.

    Raises ImageError for what cannot be sent.
    """
    pictures = (v for kind, v in asked.bundle.items() if kind.startswith("image/"))
    image = next((v for v in pictures if isinstance(v, str)), "")
    known = found.at(asked.cell, image) if image else None
    return known or found.shown(Output(0, bundle=asked.bundle), asked.source)
