"""The user is asked in the cell, or in the terminal, whether a call may run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...messages.errors import InputError
from ...tools.approval import Decision, drop_typed_ahead
from ..display import tool_calls
from ..display.output_slots import NOTHING, slots

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ...messages.blocks import Block
    from ...messages.transport.cancel import Cancel
    from ...tools.tool import Tool
    from ..page.recorder import Recorder

QUESTION = "Allow this call? [y]es, [a]lways for this tool, [n]o, or no with a reason: "
"""What is asked. Fixed: what is to be run stands above it, and is not part of it."""

QUESTION_OF_RUN = QUESTION.replace("for this tool", "for this run")
"""The same for a tool whose "always" ends with the question."""

# As it is when this is loaded: code of the notebook can give the name to something else.
_TYPED = input

_INSTEAD = (
    "--approve auto runs them without asking, --approve never denies them, and from Python "
    "approve= takes these words or a function that says."
)


class AskInCell:
    """Shows a call whole and asks by `input()`; only what the user types there allows it."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder) -> None:
        self._shell = shell
        self._recorder = recorder

    def check(self) -> None:
        """Nothing. Raises InputError where no answer can be typed, naming the options."""
        if threading.current_thread() is not threading.main_thread():
            where = "in a thread beside the cells,"
        elif not self._can_type():
            where = "here, where nothing can be typed,"
        else:
            return
        raise InputError(f"Nobody can be asked {where} whether a tool's call may run: {_INSTEAD}")

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:  # noqa: ARG002
        """What the user types to `call`. Raises KeyboardInterrupt where they interrupt instead."""
        self.check()
        question = QUESTION if tool.lasting else QUESTION_OF_RUN
        kernel: Any = getattr(self._shell, "kernel", None)
        if kernel is None:
            out = self._recorder.stdout
            out.write(tool_calls.asked(call, tool)["text/plain"] + "\n")
            out.flush()
            drop_typed_ahead()
            return _answered(_TYPED, question)
        slot = next(slots(self._shell.display_pub, {}))
        slot.show(tool_calls.asked(call, tool))
        try:
            return _answered(kernel.raw_input, question)
        finally:
            slot.show(NOTHING)  # what was run stands, folded, in the call's own line

    def _can_type(self) -> bool:
        parent = getattr(self._shell, "get_parent", None)
        if parent is not None:
            return bool(parent().get("content", {}).get("allow_stdin"))
        # A script that is piped in would answer with its next line.
        return sys.stdin is not None and sys.stdin.isatty()


def _answered(ask: Callable[[str], str], question: str) -> Decision:
    try:
        return decision(ask(question))
    except EOFError:
        return Decision(False)


def decision(typed: str) -> Decision:
    """What an answer means: all but a plain yes or always is a no, and its words the reason."""
    words = typed.strip()
    plain = words.lower()
    if plain in ("y", "yes"):
        return Decision(True)
    if plain in ("a", "always"):
        return Decision(True, always=True)
    for no in ("no", "n"):
        rest = words[len(no) :]
        if plain.startswith(no) and not rest[:1].isalnum():
            return Decision(False, rest.lstrip(" ,.:;-"))
    return Decision(False, words)
