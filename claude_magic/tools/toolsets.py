"""Tools that belong together and answer their calls in batches, as those of a desktop do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..conversation.toolbox import Calling, Seen, Tell
from ..messages.blocks import NOT_ALLOWED, Block
from ..messages.models import Model
from ..messages.transport.cancel import Cancel
from .approval import DENIED, Approval
from .results import failed, result
from .tool import Arguments, Tool


class Toolset(Protocol):
    """Several tools as one: what is defined for the model, and who carries its calls out."""

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        """As `Toolbox.definitions`."""

    def betas(self, model: Model) -> tuple[str, ...]:
        """As `Toolbox.betas`."""

    def check(self) -> None:
        """Nothing. Raises InputError where it cannot be used on this machine."""

    def takes(self, call: Block) -> bool:
        """Whether `call` is one of this set's."""

    def needs_approval(self, call: Block) -> bool:
        """Whether the user is to be asked about `call`."""

    def describe(self, call: Block) -> str:
        """The whole call in words, for whoever is asked."""

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: Callable[[Block], str | None] | None = None,
        cancel: Cancel | None = None,
        seen: Callable[[Block, bytes], None] | None = None,
    ) -> Iterator[Block]:
        """The `tool_result` of each call, in their order; a call is run as its result is asked for.

        `approve` says why a call that needs that is not allowed, None where it is. `seen` is given
        what a call has left on a screen, as a PNG.
        """

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        """As `Toolbox.ended`; among the calls may be those of others."""


def as_tool(toolset: Toolset, call: Block) -> Tool:
    """The set as the rule for calls sees it: one tool.

    "Always" is said of one run: the next question may be about another program.
    """
    return Tool(
        str(call.get("toolset_name") or call.get("name")),
        "",
        {},
        type(toolset).run,
        lambda _: Arguments(),
        preview=lambda _: ("", toolset.describe(call)),
        lasting=False,
    )


def batch(
    toolset: Toolset,
    calls: Sequence[Block],
    approval: Approval,
    tell: Tell,
    cancel: Cancel | None,
    *,
    clock: Callable[[], float],
) -> Iterator[tuple[Block, Block, float]]:
    """Each call with its result and the seconds that it took; `tell` is given it as it begins.

    Where no call may run, the set learns of none: not even what needs no approval is done.
    """
    if approval.denies_all:
        for call in calls:
            tell(Calling(call))
            yield call, result(call, failed(f"{NOT_ALLOWED}: {DENIED}")), 0.0
        return

    def approve(call: Block) -> str | None:
        return approval.objection(call, as_tool(toolset, call), cancel)

    def seen(call: Block, picture: bytes) -> None:
        tell(Seen(call, picture))

    results = toolset.run(calls, approve=approve, cancel=cancel, seen=seen)
    for call in calls:
        tell(Calling(call))
        began = clock()
        yield call, next(results), clock() - began
