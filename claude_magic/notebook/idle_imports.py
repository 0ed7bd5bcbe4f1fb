"""What a first question needs, imported while the kernel has nothing to do.

After `%load_ext` a callback of the kernel's event loop imports one thing after the other, in slices
that a cell which comes meanwhile does not notice, and not in a thread, which would take its time
from the cell. A question that is asked before all is there imports the rest itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

# In an order in which each costs less than a slice once those before it are there. What shows a
# reply is not among them: that is loaded while the server works.
MODULES = (
    "urllib.request",
    "http.cookiejar",
    "idna",
    "anyio",
    "httpx",
    "h11",
    "certifi",
    "httpcore",
    "claude_magic.messages.address",
    "claude_magic.messages.catalogue",
    "claude_magic.messages.transport.exchange",
    "claude_magic.messages.transport.client",
    "claude_magic.conversation.asking.connection",
    "claude_magic.conversation.asking.healing",
    "claude_magic.conversation.asking.plan",
    "claude_magic.conversation.asking.run",
    "claude_magic.conversation.session",
    "claude_magic.notebook.options",
    "claude_magic.notebook.option_line",
    "claude_magic.notebook.context.describe",
    "claude_magic.notebook.context.cell_blocks",
    "claude_magic.notebook.context.question_context",
    "claude_magic.notebook.context.documents",
    "claude_magic.notebook.context.interpolate",
    "claude_magic.notebook.question_builder",
    "jupyter_core.paths",
    "claude_magic.notebook.notebook",
)
# Seconds. A slice ends with the first import that makes it longer than this.
SLICE = 0.001
PAUSE = 0.002


def slices(
    modules: tuple[str, ...] = MODULES,
    clock: Callable[[], float] = time.perf_counter,
    load: Callable[[str], object] = import_module,
) -> Iterator[None]:
    """Imports the modules, one slice at each step. One that cannot be imported is left out."""
    begun = clock()
    for name in modules:
        try:
            load(name)
        except Exception:  # noqa: S112 - the question that needs it says what is wrong
            continue
        if clock() - begun >= SLICE:
            yield
            begun = clock()


class IdleImports:
    """Goes through `slices` whenever the running event loop has nothing else to do."""

    def __init__(self) -> None:
        self._handle: asyncio.Handle | None = None

    @property
    def busy(self) -> bool:
        """Whether there is something left to import."""
        return self._handle is not None

    def begin(self) -> None:
        """Begin, where an event loop runs: in a kernel, not in a terminal."""
        if "asyncio" not in sys.modules:  # it takes longer than all of loading
            return
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        steps = slices()

        def step() -> None:
            self._handle = None
            if next(steps, self) is None:
                self._handle = loop.call_later(PAUSE, step)

        self._handle = loop.call_later(PAUSE, step)

    def end(self) -> None:
        """Import nothing more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
