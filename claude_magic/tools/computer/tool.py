"""The computer tool of one question: what is offered to the model, and its calls carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...messages.blocks import Block
from ...messages.cancel import Cancel
from ...messages.errors import InputError
from ...messages.models import Model
from . import lines
from .batch import Approve, Batch, Step
from .calls import LOOKING, TOOLSET, is_call, named
from .scale import Scale
from .workplace import Workplace

_TOOLSET_TYPE = "computer_toolset_20260801"
_ZOOMS = "computer_20251124"


class ComputerTool:
    """The calls of one question for the computer of `workplace`.

    `steps` are those so far; each is also given to `on_step` as it is done.
    """

    def __init__(
        self, workplace: Workplace, *, on_step: Callable[[Step], None] | None = None
    ) -> None:
        self.steps: list[Step] = []
        self._workplace = workplace
        self._on_step = on_step
        self._scale: Scale | None = None

    def definitions(self, model: Model, *, anthropic: bool) -> list[dict[str, Any]]:
        """The entries of a request's `tools`; screenshots are as large as `model` sees them.

        Raises InputError for a model, or a server, that does not know the tool.
        """
        kind = _kind(model, anthropic)
        self._scale = Scale.of(self._workplace.size, model)
        if kind == _TOOLSET_TYPE:
            return [{"type": kind}]
        width, height = self._scale.sent
        sizes = {"display_width_px": width, "display_height_px": height}
        zoom = {"enable_zoom": True} if kind == _ZOOMS else {}
        return [{"type": kind, "name": TOOLSET, **sizes, **zoom}]

    def betas(self, model: Model) -> tuple[str, ...]:
        """What the header `anthropic-beta` must hold for these."""
        kind = model.computer or _TOOLSET_TYPE
        date = kind.rpartition("_")[2]
        return () if kind == _TOOLSET_TYPE else (f"computer-use-{date[:4]}-{date[4:6]}-{date[6:]}",)

    def takes(self, call: Block) -> bool:
        """Whether a `tool_use` block is for this tool."""
        return is_call(call)

    def needs_approval(self, call: Block) -> bool:
        """Whether a person is to be asked: not for what only looks."""
        return named(call)[0] not in LOOKING

    def describe(self, call: Block) -> str:
        """The whole call in words, for the person who is asked. Text, not markup."""
        return lines.describe(call)

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: Approve | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Block]:
        """The `tool_result` of each call, in their order, each as soon as it is there.

        After one that failed, none is carried out. `approve` is asked about a call right before
        it, once the calls before it have been carried out. What the model asked wrongly is an
        error result. `definitions` has been called. Raises Interrupted or KeyboardInterrupt, with
        nothing left pressed; InputError and DesktopError where there is no desktop.
        """
        if self._scale is None:
            raise RuntimeError("definitions() comes first")
        with self._workplace.computer(cancel or Cancel()) as computer:
            batch = Batch(computer, self._scale, self._show, self._asking(approve))
            for number, call in enumerate(calls, 1):
                yield batch.answer(call, last=number == len(calls))

    def end(self) -> None:
        """For the end of the question: nothing stays pressed. The desktop stays."""
        self._workplace.let_go()

    def strip(self) -> bytes | None:
        """A PNG with the pictures of all steps, small; None if there is none."""
        found = [step.picture for step in self.steps if step.picture]
        if not found:
            return None
        from .pictures import strip

        return strip(found)

    def _asking(self, approve: Approve | None) -> Approve:
        def asked(call: Block) -> str | None:
            return approve(call) if approve is not None and self.needs_approval(call) else None

        return asked

    def _show(self, step: Step) -> None:
        self.steps.append(step)
        if self._on_step is not None:
            self._on_step(step)


def _kind(model: Model, anthropic: bool) -> str:
    if model.computer is None or not anthropic:
        where = model.name if anthropic else "this server"
        raise InputError(
            f"{where} does not know the computer tool: leave out --tools computer, or use a "
            "Claude model of Anthropic's server."
        )
    return model.computer
