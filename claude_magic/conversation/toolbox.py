"""What a question brings along beside its content: tools, and a shape for the reply.

And what a tool's call can tell while it runs; `events` holds all that happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..messages.blocks import Block
from ..messages.models import Model
from .frozen import Frozen

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel


class Calling(Frozen):
    """A tool is about to run `call`: what it displays stands below what was shown so far."""

    __slots__ = ()
    call: Block


class Doing(Frozen):
    """A call that runs says `what` it does, or waits for, in a few words."""

    __slots__ = ()
    call: Block
    what: str


class Seen(Frozen):
    """What a call has left on a screen, as a PNG: it is shown, and is no part of the result."""

    __slots__ = ()
    call: Block
    picture: bytes


class Called(Frozen):
    """A call is over, or was not allowed; `seconds` is how long the tool ran.

    None where it did not run, and its recorded result is shown.
    """

    __slots__ = ()
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
