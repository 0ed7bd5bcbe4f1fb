"""Whether a call may run: the user's word, given by the option, by `@tool`, or when asked.

Nothing that a reply, a tool's result, an output or a message of the page says can allow a call.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..messages.blocks import Block
from ..messages.errors import InputError
from ..value_classes import frozen
from .tool import APPROVE, Approve, Tool

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel

DENIED = "calls of this tool are denied here"
"""Why a call may not run that nobody is asked about."""

AskUser = Callable[[str, Mapping[str, Any]], bool | str]
"""What a script gives as `approve`: it gets a tool's name and the arguments as the model gave them.

True allows the call; False, or a text that says why, does not.
"""


@frozen
class Decision:
    """What was said to one call; `always` holds for this tool, as long as `Tool` says."""

    allowed: bool
    reason: str = ""
    always: bool = False


class Approver(Protocol):
    """Who is asked whether a call may run."""

    def check(self) -> None:
        """Nothing. Raises InputError where nobody can be asked, and says what to do instead."""

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:
        """What the user says to `call`; waits for it.

        Raises KeyboardInterrupt where the user stops the question instead.
        """


class Always:
    """The tools that the user has allowed for as long as the kernel lives.

    A function that was defined again, or whose code was replaced in place, is another one.
    """

    def __init__(self) -> None:
        self._allowed: dict[str, tuple[object, object]] = {}

    def add(self, tool: Tool) -> None:
        """Allow every call of `tool`."""
        self._allowed[tool.name] = _what(tool.function)

    def __contains__(self, tool: Tool) -> bool:
        held = self._allowed.get(tool.name)
        if held is None:
            return False
        function, code = _what(tool.function)
        same = function is held[0]
        if isinstance(function, types.MethodType) and isinstance(held[0], types.MethodType):
            # A new object each time that it is looked up.
            same = function.__self__ is held[0].__self__ and function.__func__ is held[0].__func__
        return same and code is held[1]


class Approval:
    """The rule for the calls of one question: the tool's own word, else the option's.

    A `never` of the user's outranks the tool's: nothing runs.
    """

    def __init__(self, rule: Approve, approver: Approver, always: Always) -> None:
        self._rule = rule
        self._approver = approver
        self._always = always
        self._here = Always()

    @property
    def denies_all(self) -> bool:
        """Whether no call runs, whichever tool it is of."""
        return self._rule == "never"

    def check(self, tools: Iterable[Tool]) -> None:
        """Nothing. Raises InputError where a call could not be approved: nobody can be asked."""
        if any(self._asks(tool) for tool in tools):
            self._approver.check()

    def objection(self, call: Block, tool: Tool, cancel: Cancel | None) -> str | None:
        """Why `call` may not run, in words that may be empty; None where it may.

        Asks where that has to be asked; raises KeyboardInterrupt where the user stops instead.
        """
        if self._asks(tool):
            said = self._approver.approve(call, tool, cancel)
            if said.allowed and said.always:
                (self._always if tool.lasting else self._here).add(tool)
            return None if said.allowed else said.reason
        return DENIED if self._rule_for(tool) == "never" else None

    def _rule_for(self, tool: Tool) -> Approve:
        return self._rule if self.denies_all else tool.approve or self._rule

    def _asks(self, tool: Tool) -> bool:
        if self._rule_for(tool) != "ask":
            return False
        return tool not in (self._always if tool.lasting else self._here)


class ByFunction:
    """Asks a function of the user's own, as a script gives it."""

    def __init__(self, asked: AskUser) -> None:
        self._asked = asked

    def check(self) -> None: ...

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:  # noqa: ARG002
        said = self._asked(tool.name, dict(call["input"]))
        return Decision(said is True, said if isinstance(said, str) else "")


class Nobody:
    """Where no user can be asked: a script."""

    def check(self) -> None:
        raise InputError(
            "Nobody can be asked here whether a call may run: give approve=a function that says, "
            'approve="auto" to allow every call, or approve="never".'
        )

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:  # noqa: ARG002
        return Decision(False, "nobody can be asked here")


def rule_of(approve: object) -> Approve:
    """The rule that a word or a function given as `approve` means; raises InputError for others."""
    if callable(approve):
        return "ask"
    for rule in APPROVE:
        if approve == rule:
            return rule
    raise InputError(f"approve={approve!r}: give one of {', '.join(APPROVE)}, or a function.")


def _what(function: Any) -> tuple[object, object]:
    """A function and the code that it runs now: reloading a module may replace that in place."""
    written = function
    while hasattr(written, "func") and not hasattr(written, "__code__"):
        written = written.func
    return function, getattr(written, "__code__", None)


def drop_typed_ahead() -> None:
    """Nothing. What waits to be read from the terminal is gone, half a line too.

    Called right before a question that decides something, after what it is about has been shown.
    Where no terminal is read from there is nothing to drop. Raises nothing.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except termios.error:  # the terminal was closed meanwhile: nobody will answer
        return
