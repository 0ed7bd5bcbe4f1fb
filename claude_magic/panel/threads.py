"""Threads that work beside the cells of a kernel."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def beside_the_cells(work: Callable[P, T]) -> Callable[P, T]:
    """`work` so that what it sends belongs to no cell, and the answers come past a running one.

    A thread's messages name, by default, the cell that runs at the time as their cause. ipykernel
    has the front end's next message to the same comm wait in the queue of that cell, wherever it
    was to go: a panel's Stop would wait for the cell to end. With no cause at all each message
    goes where the front end sends it.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        context = contextvars.copy_context()
        parent = _parent_variable()
        if parent is not None:
            context.run(parent.set, {})
        return context.run(work, *args, **kwargs)

    return run


def _parent_variable() -> contextvars.ContextVar[Any] | None:
    """Where ipykernel, from 7 on, holds what caused the messages of a thread."""
    ipykernel: Any = sys.modules.get("ipykernel.kernelbase")
    if ipykernel is None or not ipykernel.Kernel.initialized():
        return None
    variable = getattr(ipykernel.Kernel.instance(), "_shell_parent", None)
    return variable if isinstance(variable, contextvars.ContextVar) else None
