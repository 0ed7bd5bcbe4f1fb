"""What the page and the kernel say to each other, on the lab extension's own comm.

`labextension/src/generated/page.ts` is made from this; what comes in is checked on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypedDict

from .checked import Most, Text

MOST_CELLS = 20_000

CellId = Annotated[str, Text(256, r"[\s\S]+")]
ConversationId = Annotated[str, Text(128, r"[A-Za-z0-9][A-Za-z0-9._-]*")]
Source = Annotated[str, Text(1_000_000)]
Count = Annotated[int, Most(MOST_CELLS)]


class PageMessage(TypedDict):
    """Where the notebook is and what cells it has, sent before what is run next.

    `path` is relative to `root`, None if the file is not in the server's own file system; `root` is
    the folder that the server serves and may begin with `~`. `conversation` is from the notebook's
    metadata. `cells` are the ids of all cells from top to bottom. With `fresh` this page knows
    nothing of the kernel yet: the kernel then says what it ran.
    """

    type: Literal["page"]
    path: str | None
    root: str
    conversation: ConversationId | None
    cells: Annotated[list[CellId], Most(MOST_CELLS)]
    fresh: bool


class SeenCell(TypedDict):
    """A code cell that the kernel did not run, with what it shows.

    `outputs` are as in the file, but for what is not sent; each is checked by itself. None: the
    kernel is to forget what was sent.
    """

    id: CellId
    source: str
    outputs: list[Any]


class SeenMessage(TypedDict):
    """Cells above a question that the kernel did not run.

    `left_out` is how many cells were left out because they are too large.
    """

    type: Literal["seen"]
    cells: Annotated[list[SeenCell], Most(MOST_CELLS)]
    left_out: Count


PageSays: TypeAlias = PageMessage | SeenMessage


class ConversationMessage(TypedDict):
    """The notebook's metadata are to hold this id."""

    type: Literal["conversation"]
    id: ConversationId


class RanMessage(TypedDict):
    """The cells whose outputs the kernel has itself recorded."""

    type: Literal["ran"]
    cells: Annotated[list[CellId], Most(MOST_CELLS)]


class InsertMessage(TypedDict):
    """A new cell, which the user has allowed: `cell` is its id, `below` the cell above it or ""."""

    type: Literal["insert"]
    cell: CellId
    below: Annotated[str, Text(256)]
    kind: Literal["code", "markdown"]
    source: Source


class EditMessage(TypedDict):
    """Another text for a cell, which the user has allowed; `was` is what it is to replace."""

    type: Literal["edit"]
    cell: CellId
    was: Source
    source: Source


class AltMessage(TypedDict):
    """Alt text for the image of a cell's output that has this length and sum."""

    type: Literal["alt"]
    cell: CellId
    kind: Annotated[str, Text(30, r"image/[a-z+]{1,20}")]
    length: int
    sum: int
    alt: Source


KernelSays: TypeAlias = ConversationMessage | RanMessage | InsertMessage | EditMessage | AltMessage


class Stream(TypedDict):
    """What was printed, as in a notebook's file."""

    output_type: Literal["stream"]
    name: Literal["stdout", "stderr"]
    text: str


class Error(TypedDict):
    """A traceback, as in a notebook's file."""

    output_type: Literal["error"]
    ename: str
    evalue: str
    traceback: list[str]


class Display(TypedDict):
    """A mimebundle, as in a notebook's file."""

    output_type: Literal["display_data", "execute_result"]
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]


Output: TypeAlias = Stream | Error | Display
"""An output of a cell that was seen, with the keys that we know."""
