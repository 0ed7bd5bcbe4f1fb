"""Interrupts a call where the kernel's signal can interrupt it: at every such place in turn."""

from __future__ import annotations

import dis
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, Self

# Between two instructions Python looks for signals only after these.
_LOOKS = frozenset({"CALL", "CALL_FUNCTION_EX", "JUMP_BACKWARD", "RESUME"})
# Seconds for what takes a moment, unless it waits for ever.
_PATIENCE = 30.0


class Interrupt:
    """A context in which this thread is interrupted once, at the `step`-th place in `modules`."""

    def __init__(self, step: int, *modules: ModuleType) -> None:
        self._left = step
        self._files = {module.__file__ for module in modules}
        self.came = False

    def __enter__(self) -> Self:
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_opcodes = True
        names = {i.offset: i.opname for i in dis.get_instructions(frame.f_code)}
        before = ""

        def step(frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
            nonlocal before
            if event == "opcode":
                looks, before = before in _LOOKS, names[frame.f_lasti]
                self._left -= looks
                if looks and self._left == 0:
                    self.came = True
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return step

        return step


def places(*modules: ModuleType) -> Iterator[Interrupt]:
    """An interrupt at each place there is, until one did not come."""
    step = 1
    while True:
        interrupt = Interrupt(step, *modules)
        yield interrupt
        if not interrupt.came:
            return
        step += 1


def returns(call: Callable[[], object]) -> bool:
    """Whether `call` comes back, in another thread."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return not thread.is_alive()
