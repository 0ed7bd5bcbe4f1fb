"""What the kernel and a panel say to each other.

`labextension/src/generated/panel.ts` is made from this: the same names with an I before them. What
comes in is checked on both sides. The kernel sends batches, `{"messages": [...]}`, at most twenty a
second; a panel sends one message at a time. Ids are made by whoever names them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypeAlias, TypedDict

from ..notebook.page.page_messages import NumberLimit, TextLimit

Id = Annotated[str, TextLimit(128, r"[A-Za-z0-9][A-Za-z0-9._:-]*")]
Said = Annotated[str, TextLimit(4_000_000)]
"""What a user has written, or a page holds."""
Name = Annotated[str, TextLimit(256)]
"""Of a cell, a model or a turn; "" for none."""

PanelStatus = Literal["complete", "interrupted", "broken", "refused"]


class Image(TypedDict):
    """An image that was sent: `src` a small `data:` URI, "" as long as none is made."""

    label: str
    src: str
    width: int
    height: int


class PanelPart(TypedDict):
    """A part of a reply, in its order.

    Text is Markdown with the marks of footnotes, `sources` the list of what they stand for. A call
    has `name`, its `text` is the arguments; `state` says how it stands, `result` what it gave, in
    words, and `images` its pictures, as small `data:` URIs. Of what the server did, `server`, the
    `text` is one line, and `result` is Markdown that stands folded below it.
    """

    kind: Literal["text", "thinking", "call", "server", "sources"]
    text: str
    name: NotRequired[str]
    state: NotRequired[Literal["asked", "running", "done", "denied", "failed"]]
    result: NotRequired[str]
    images: NotRequired[list[str]]
    seconds: NotRequired[float]


class Asked(TypedDict):
    """A question. `cell` asked it, or with `panel` it stands below that; `place` is a word for it.

    `above` says of whom it was asked and what went along, `notices` what the user should know.
    """

    prompt: str
    cell: str
    place: str
    panel: bool
    images: list[Image]
    above: str
    notices: list[str]
    started: float


class PanelTurn(TypedDict):
    """A question with its reply; `below` is the line of tokens and price, `detail` its tooltip.

    `versions` are the ids of the turns that answer the same question, if there are several.
    """

    id: str
    asked: Asked
    parts: list[PanelPart]
    status: PanelStatus
    below: str
    detail: str
    versions: list[str]


class PanelApproval(TypedDict):
    """A call that waits for the user's word: its id, made by the kernel, its name, all of it.

    "Always" holds for the tool where that is `lasting`, else for this run only.
    """

    approval: str
    name: str
    text: str
    lasting: bool


class Live(TypedDict):
    """A question under way: `n` counts the deltas that `parts` hold.

    `request` is the id that a panel gave it, "" if a cell asks. It is asked in place of `instead`,
    and stands before the turn `before`, "" for the end.
    """

    run: str
    request: str
    asked: Asked
    parts: list[PanelPart]
    n: int
    doing: str
    approvals: list[PanelApproval]
    instead: list[str]
    before: str


class Chip(TypedDict):
    """A piece of the notebook that would go along; `serial` is what it is left out by."""

    serial: int
    kind: Literal["cell", "figure"]
    label: str
    detail: str
    src: str


class ModelChoice(TypedDict):
    """A model to choose; `price` in words."""

    model: str
    name: str
    price: str


class StateMessage(TypedDict):
    """The line at the top. `model` is the one in force for this notebook."""

    type: Literal["state"]
    title: str
    model: str
    models: list[ModelChoice]
    spent: str
    detail: str
    server: str


class HistoryMessage(TypedDict):
    """The conversation, for the view that said hello; `earlier` turns are not in it."""

    type: Literal["history"]
    view: str
    turns: list[PanelTurn]
    earlier: int
    live: list[Live]


class Earlier(TypedDict):
    """Turns that stand before those told so far; `earlier` more stand before these."""

    type: Literal["earlier"]
    turns: list[PanelTurn]
    earlier: int


class Begin(TypedDict):
    type: Literal["begin"]
    live: Live


class Delta(TypedDict):
    """What was added: to each part, counted from 0, its text; `n` counts the deltas of a run."""

    type: Literal["delta"]
    run: str
    n: int
    parts: list[tuple[int, PanelPart]]


class DoingMessage(TypedDict):
    """What is happening until the first words come."""

    type: Literal["doing"]
    run: str
    doing: str


class CallMessage(TypedDict):
    """How a call of a tool stands now; `part` is its place among the parts."""

    type: Literal["call"]
    run: str
    part: int
    call: PanelPart


class ApproveMessage(TypedDict):
    type: Literal["approve"]
    run: str
    approval: PanelApproval


class Approved(TypedDict):
    """A call was decided, here or elsewhere, or does not wait any more."""

    type: Literal["approved"]
    run: str
    approval: str


class End(TypedDict):
    """A question is over; `turn` is None where nothing is kept of it. `error` in one line."""

    type: Literal["end"]
    run: str
    turn: PanelTurn | None
    error: str


class Turns(TypedDict):
    """The ids of the turns that count, in the order asked, and those that were not told yet."""

    type: Literal["turns"]
    order: list[str]
    turns: list[PanelTurn]
    versions: dict[str, list[str]]
    places: dict[str, str]


class Sees(TypedDict):
    """How many of `all` turns the next question would see; it stands below the cell `below`."""

    type: Literal["sees"]
    seen: int
    all: int
    below: str


class Carried(TypedDict):
    """What of the notebook would go along with the next question."""

    type: Literal["carried"]
    chips: list[Chip]


class Attached(TypedDict):
    """An attachment as it would be sent, or with a `problem` why it cannot be."""

    type: Literal["attached"]
    attachment: str
    label: str
    src: str
    problem: str


class Thumbnails(TypedDict):
    """The images of a turn, small."""

    type: Literal["thumbnails"]
    turn: str
    images: list[Image]


class Picture(TypedDict):
    """An image of a turn as it was sent: its bytes are the batch's buffer number `buffer`."""

    type: Literal["picture"]
    turn: str
    index: int
    media_type: str
    buffer: int


class Sent(TypedDict):
    """All that was sent with a turn, as text."""

    type: Literal["sent"]
    turn: str
    text: str


class Exported(TypedDict):
    """The conversation as a file."""

    type: Literal["exported"]
    name: str
    text: str


class Notice(TypedDict):
    """A line for the user; `request` is the question that could not be asked, "" for none."""

    type: Literal["notice"]
    request: str
    text: str


KernelMessage: TypeAlias = (
    StateMessage
    | HistoryMessage
    | Earlier
    | Begin
    | Delta
    | DoingMessage
    | CallMessage
    | ApproveMessage
    | Approved
    | End
    | Turns
    | Carried
    | Sees
    | Attached
    | Thumbnails
    | Picture
    | Sent
    | Exported
    | Notice
)


class Hello(TypedDict):
    """A view is there and knows nothing yet; also sent again where a delta was lost."""

    type: Literal["hello"]
    view: Id


class PanelRequest(TypedDict):
    """A message that asks something: `request` is its id, by which an answer names it."""

    request: Id


class About(TypedDict):
    """The cell that a question is about, with its text and the error that it shows."""

    task: Literal["explain", "fix", "edit"]
    cell: Name
    source: Said
    error: Said


class Place(TypedDict):
    """Where a question stands: below `cell`, the one that the user is at, "" if not known.

    With `whole` it stands below all turns, so that it sees the whole conversation. `instead` is the
    turn in whose place it is asked, `after` the turn on which it follows, whatever was asked after
    that; these say where it stands, if given. `page` is the mark of what the page told before, ""
    for none.
    """

    cell: Name
    page: Name
    whole: bool
    instead: Name
    after: Name


class Ask(PanelRequest, Place):
    """A question.

    `attachments` are ids, `without` the serials of the pieces that are not to go along. Of the
    images of the turn in whose place it is asked `keep` go along again. `about` is a task.
    """

    type: Literal["ask"]
    text: Said
    model: Name
    attachments: Annotated[list[Id], NumberLimit(1_000)]
    without: Annotated[list[int], NumberLimit(1_000)]
    keep: Annotated[list[int], NumberLimit(1_000)]
    about: About | None


class Again(PanelRequest):
    """The same question once more, in place of the turn that answers it."""

    type: Literal["again"]
    turn: Id
    model: Name


class Stop(TypedDict):
    type: Literal["stop"]
    run: Id


class Decide(TypedDict):
    """The user's word on a call that waits: only this approves, by the id that the kernel made."""

    type: Literal["decide"]
    approval: Id
    answer: Literal["once", "always", "deny"]
    reason: Said


class Attach(TypedDict):
    """Something to go along: an image in the message's first buffer, or an output's mimebundle."""

    type: Literal["attach"]
    attachment: Id
    label: Said
    bundle: Mapping[str, Any]


class OfTurn(TypedDict):
    """A request that names a turn: make it count again, take it out, show what was sent."""

    type: Literal["switch", "remove", "sent"]
    turn: Id


class WantPicture(TypedDict):
    type: Literal["picture"]
    turn: Id
    index: int


class WantEarlier(TypedDict):
    """More turns, before the one named."""

    type: Literal["earlier"]
    before: Id


class Preview(Place):
    """What would go along with a question that stands here?"""

    type: Literal["preview"]


class Export(TypedDict):
    type: Literal["export"]
    form: Literal["md", "json", "py"]


PanelMessage: TypeAlias = (
    Hello
    | Ask
    | Again
    | Stop
    | Decide
    | Attach
    | OfTurn
    | WantPicture
    | WantEarlier
    | Preview
    | Export
)
