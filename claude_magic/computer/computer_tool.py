"""The computer tool of one question, and the one computer of a session that it works on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..messages.blocks import TOOLSET, Block, is_call
from ..messages.errors import DesktopError, InputError, Interrupted
from ..messages.models import Model
from ..messages.transport.cancel import Cancel
from . import actions
from .actions import LOOKING, named
from .carrying_out import AllowAction, CallBatch, DesktopStep, recorded
from .desktop import VirtualDesktop, check_installed
from .interface import Computer
from .screen_pictures import Scale

DEFAULT_SIZE = (1280, 800)
"""Of the sizes that suit the models, the largest that none of them scales."""

_LOCK_ROUND = 0.1


class Workplace:
    """A computer of this size, with the program open that `app` names by a shell command.

    `app` may change: the new program is opened beside the old one. `start` makes the computer.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = DEFAULT_SIZE,
        app: str = "",
        start: Callable[[int, int], Computer] = VirtualDesktop,
    ) -> None:
        self.size = size
        self.app = app
        self._start = start
        self._computer: Computer | None = None
        self._opened = ""
        # Whether something may be pressed that the question before has left so.
        self._touched = False
        self._lock = threading.Lock()

    @contextmanager
    def computer(self, cancel: Cancel, app: str = "") -> Iterator[Computer]:
        """The computer, for one at a time, with `app` open, or else its own program.

        Whatever ends what is done meanwhile, `cancel` too, leaves no key or button pressed.
        Raises InputError where something is not installed; DesktopError; Interrupted.
        """
        while not self._lock.acquire(timeout=_LOCK_ROUND):
            if cancel.is_set:
                raise Interrupted("Interrupted.")
        try:
            computer = self._started()
            cancel.add(computer.stop)
            try:
                self._open(computer, app or self.app)
                self._touched = True
                yield computer
            except BaseException:
                cancel.remove(computer.stop)
                self._let_go(computer)
                raise
            cancel.remove(computer.stop)
        finally:
            self._lock.release()

    def let_go(self) -> None:
        """Releases what is pressed: a question may end with a button down."""
        if self._computer is not None and self._touched:
            self._let_go(self._computer)

    def close(self) -> None:
        """Ends the computer; the next use starts another."""
        computer, self._computer, self._opened = self._computer, None, ""
        self._touched = False
        if computer is not None:
            computer.close()

    def _started(self) -> Computer:
        computer = self._computer
        if computer is None or not computer.alive:
            self.close()
            computer = self._computer = self._start(*self.size)
        return computer

    def _open(self, computer: Computer, app: str) -> None:
        if not app or self._opened == app:
            return
        # Noted before it is there: one that an interrupt left opening comes up all the same.
        self._opened = app
        try:
            computer.open(app)
        except DesktopError:
            self._opened = ""
            raise

    def _let_go(self, computer: Computer) -> None:
        computer.let_go()
        self._touched = False


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
        on_step: Callable[[DesktopStep], None] | None = None,
    ) -> None:
        self.steps: list[DesktopStep] = []
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
        return actions.describe(call)

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: AllowAction | None = None,
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
            batch = CallBatch(computer, self._scale, self._show, self._asking(approve))
            for number, call in enumerate(calls, 1):
                result = batch.answer(call, last=number == len(calls))
                picture = self.steps[-1].picture
                if seen is not None and picture is not None:
                    seen(call, picture)
                yield result

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[DesktopStep]:
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
        from .screen_pictures import strip

        return strip(found)

    def _asking(self, approve: AllowAction | None) -> AllowAction:
        def asked(call: Block) -> str | None:
            return approve(call) if approve is not None and self.needs_approval(call) else None

        return asked

    def _show(self, step: DesktopStep) -> None:
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
