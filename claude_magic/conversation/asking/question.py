"""What is asked, and what it brings along: tools, and a shape for the reply.

A frozen dataclass takes a third of a millisecond to define: too much for each of many values that
stand on the way of the first question.

And what a tool's call can tell while it runs; `events` holds all that happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ...messages.blocks import Block
from ...messages.models import Model
from ...value_classes import frozen

if TYPE_CHECKING:
    from ...messages.transport.cancel import Cancel


@frozen
class Standing:
    """One thing that stands on the page: a source or an output's `text`, whole, or pictures.

    `kind` is that of the cell, or "output"; `pictures` are base64 data as they would be sent. With
    `ending` the text is how the output ends: of an error the last line.
    """

    kind: str
    text: str = ""
    pictures: tuple[str, ...] = ()
    ending: bool = False


@frozen
class Question:
    """One question, its content ready to send; None means "as the session is set".

    `content` is what the user gave: files, images, the words. `context` are the blocks before it
    that carry the page. `page` holds a digest for each thing that stands on the page between the
    last question and this one, whether or not it found room; `values` one for each variable that
    is described. `sent` is all of it. `standing` gives the same things of the page whole: what was
    asked in an older form is compared with them.
    `cell` is the id of the cell that asks, `ordinal` which of its questions this is, `run` the ids
    of the turns that this run of it asked before, `order` the cells of the page from top to bottom.
    `panel` says that no cell asks: the question stands below `cell`. `notebook` says that it is
    asked in a notebook, of what stands there: a system prompt of ours tells the model. `source` is
    the digest of the cell's text, `prompt` the question in the user's own words. `counts` holds the
    cells that execution counts mean. `going_on` is the id of a turn, maybe broken, that this one
    goes on from.
    `instead` holds the ids of the turns that it is asked in place of, the one whose place it takes
    first: it sees none of them, and they retire once it has a reply.
    `fresh` asks the server even where the same request was answered before.
    `cite` asks for citations of the documents that go along. `tools` are offered to the model;
    `shape` is what the reply, in JSON, has to be like.
    `carried` says in words what goes along ("4 cells, 2 figures"); `notices` are lines for the
    user about what was left out or changed on the way.
    """

    content: tuple[Block, ...]
    context: tuple[Block, ...] = ()
    page: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    standing: Callable[[], Sequence[Standing]] = field(default=tuple, compare=False, repr=False)
    model: str | None = None
    system: str | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    prefill: str = ""
    effort: str | None = None
    think: str | None = None
    cite: bool = False
    tools: Toolbox | None = None
    shape: Shape | None = None
    alone: bool = False
    fresh: bool = False
    cell: str | None = None
    ordinal: int = 0
    run: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    panel: bool = False
    notebook: bool = False
    source: str = ""
    prompt: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    going_on: str = ""
    instead: tuple[str, ...] = ()
    carried: str = ""
    notices: tuple[str, ...] = ()

    @property
    def sent(self) -> tuple[Block, ...]:
        """The blocks that are sent: what carries the page, then what the user gave."""
        return (*self.context, *self.content)


@frozen
class Calling:
    """A tool is about to run `call`: what it displays stands below what was shown so far."""

    call: Block


@frozen
class Doing:
    """A call that runs says `what` it does, or waits for, in a few words."""

    call: Block
    what: str


@frozen
class Seen:
    """What a call has left on a screen, as a PNG: it is shown, and is no part of the result."""

    call: Block
    picture: bytes


@frozen
class Called:
    """A call is over, or was not allowed; `seconds` is how long the tool ran.

    None where it did not run, and its recorded result is shown.
    """

    call: Block
    result: Block
    seconds: float | None


CallEvent: TypeAlias = Calling | Doing | Seen | Called
Tell: TypeAlias = Callable[[CallEvent], None]
"""Takes what happens to a call; each `Listener` does."""


class Toolbox(Protocol):
    """The tools that a question offers; those that do not run at the server run here."""

    @property
    def most_steps(self) -> int:
        """How often the model may have tools run for one question; then it has to sum up."""

    @property
    def once(self) -> bool:
        """Whether calls must not be run again where the question is answered from the record.

        What they did changed something; the recorded run is shown with the recorded results.
        """

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        """The tools in wire form, always in the same order.

        `anthropic` says that the server knows all of the API. Raises InputError for a tool that
        the model or the server does not take.
        """

    @property
    def ours(self) -> frozenset[str]:
        """The names of the tools whose descriptions are words of ours: no part of what is asked."""

    def betas(self, model: Model) -> tuple[str, ...]:
        """The names that the header `anthropic-beta` needs for these tools."""

    def check(self) -> None:
        """Nothing. Raises InputError where a call could not be run.

        Nobody can be asked to approve it, or something is not installed.
        """

    def run(self, calls: Sequence[Block], tell: Tell, cancel: Cancel | None) -> Iterator[Block]:
        """The `tool_result` of each call, in their order, each as soon as it is there.

        Whatever a call asks for and whatever a tool raises is a result that says so. Raises
        KeyboardInterrupt, and Interrupted once `cancel` is set: the results so far stand. `tell` is
        given each call as it begins and as it ends.
        """

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        """The question is over, however it ended: what its calls leave to look at in the reply.

        `answered` are all its calls, each with its result.
        """


class Shape(Protocol):
    """What a reply in JSON has to be like."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema as the API takes it."""

    @property
    def name(self) -> str:
        """What the user called it."""

    def read(self, text: str) -> Any:
        """The value that the reply's text stands for.

        Raises ValueError, whose text is for the model as well as for the user, where it does not
        fit.
        """
