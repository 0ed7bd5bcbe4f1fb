"""The computer tool of one question: what is offered to the model, and its calls carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...messages.blocks import Block
from ...messages.cancel import Cancel
from ...messages.computer_calls import TOOLSET, is_call
from ...messages.errors import InputError
from ...messages.models import Model
from . import lines
from .batch import Approve, Batch, Step, recorded
from .calls import LOOKING, named
from .environment import check_installed
from .scale import Scale
from .workplace import Workplace

_TOOLSET_TYPE = "computer_toolset_20260801"
_ZOOMS = "computer_20251124"


class ComputerTool:
    """The calls of one question for the computer of `workplace`, with `app` open on it.

    `steps` are those so far; each is also given to `on_step` as it is done.
    """

    def __init__(
        self,
        workplace: Workplace,
        *,
        app: str = "",
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        self.steps: list[Step] = []
        self._workplace = workplace
        self._app = app
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

    def check(self) -> None:
        """Nothing. Raises InputError that names what is not installed."""
        check_installed()

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
        seen: Callable[[Block, bytes], None] | None = None,
    ) -> Iterator[Block]:
        """The `tool_result` of each call, in their order, each as soon as it is there.

        After one that failed, none is carried out. `approve` is asked about a call right before
        it, once the calls before it have been carried out; `seen` is given a marked picture of the
        screen after it. What the model asked wrongly is an error result. `definitions` has been
        called. Raises Interrupted or KeyboardInterrupt, with nothing left pressed; InputError and
        DesktopError where there is no desktop.
        """
        if self._scale is None:
            raise RuntimeError("definitions() comes first")
        with self._workplace.computer(cancel or Cancel(), self._app) as computer:
            batch = Batch(computer, self._scale, self._show, self._asking(approve))
            for number, call in enumerate(calls, 1):
                result = batch.answer(call, last=number == len(calls))
                picture = self.steps[-1].picture
                if seen is not None and picture is not None:
                    seen(call, picture)
                yield result

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Step]:
        """The steps of the question, which is over: nothing stays pressed. The desktop stays.

        Where none was made, those of the record: `answered` holds its calls with their results.
        """
        self._workplace.let_go()
        return self.steps or [recorded(*pair) for pair in answered if is_call(pair[0])]

    def strip(self) -> bytes | None:
        """A PNG with the pictures of all steps, small; None if there is none."""
        found = [step.picture for step in self.steps]
        if not any(found):
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
