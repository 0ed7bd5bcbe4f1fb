"""A tool: what the model is told of it, and the Python function that answers its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ..messages.errors import InputError
from ..value_classes import frozen

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel

Approve = Literal["ask", "auto", "never"]
"""Whether the user is asked before a call, or each is allowed, or none."""

APPROVE: tuple[Approve, ...] = ("ask", "auto", "never")

# The API's own rule for the name of a tool.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MARKS = "__claude_magic_tool__"

_Function = TypeVar("_Function", bound=Callable[..., Any])


@frozen
class Arguments:
    """What a function is called with, checked."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


class ArgumentsError(ValueError):
    """What is wrong with a call's arguments, for the model to read."""


@frozen
class Task:
    """A call that a function of ours answers: how it learns of a stop, and says what it does."""

    cancel: Cancel | None
    say: Callable[[str], None]


@frozen
class Tool:
    """A function as the model may call it.

    `schema` is the JSON schema of its arguments; `read` gives them from a call's input and raises
    ArgumentsError. `approve` None means as the question says; `timeout` is in seconds, None as set,
    0 for none. `preview` gives the language and the text in which a call is shown to whoever is to
    allow it, where its arguments as JSON would not be read. A function of ours that is given its
    `task` stops with it and keeps its own time. That every call is allowed holds until the kernel
    ends; for one that is not `lasting`, until the question does. Of one of `ours` the words are
    the package's, and no part of what is asked.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    function: Callable[..., Any]
    read: Callable[[Mapping[str, Any]], Arguments]
    approve: Approve | None = None
    timeout: float | None = None
    preview: Callable[[Mapping[str, Any]], tuple[str, str]] | None = None
    with_task: bool = False
    lasting: bool = True
    ours: bool = False

    @property
    def definition(self) -> dict[str, Any]:
        """The tool in wire form."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.schema,
        }


@frozen
class Marks:
    """What `@tool` says of a function."""

    name: str = ""
    description: str = ""
    approve: Approve | None = None
    timeout: float | None = None


@overload
def tool(function: _Function, /) -> _Function: ...


@overload
def tool(
    *,
    name: str = "",
    description: str = "",
    approve: Approve | None = None,
    timeout: float | None = None,
) -> Callable[[_Function], _Function]: ...


def tool(
    function: _Function | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    approve: Approve | None = None,
    timeout: float | None = None,
) -> _Function | Callable[[_Function], _Function]:
    """The function itself, marked with what the model is to be told of it.

    Any function can be a tool as it is; `@claude_magic.tool(name="lookup", approve="auto")` says
    what its signature and docstring do not. `approve`: "auto" runs each call without asking, "ask"
    asks even under `--approve auto`, "never" allows none; under `--approve never` no call is run,
    whatever stands here. `timeout` is in seconds, 0 for none.

    Raises InputError for a name that the API does not take and for a word that is not known.
    """
    if name and not _NAME.fullmatch(name):
        raise InputError(
            f"tool(name={name!r}): give 1 to 64 letters, digits, dashes and underscores, ASCII."
        )
    if approve not in (*APPROVE, None):
        raise InputError(f"tool(approve={approve!r}): give one of {', '.join(APPROVE)}.")
    if timeout is not None and not timeout >= 0:
        raise InputError(f"tool(timeout={timeout!r}): give seconds, or 0 for none.")
    marks = Marks(name, description, approve, timeout)

    def marked(function: _Function) -> _Function:
        try:
            setattr(function, _MARKS, marks)
        except AttributeError:
            raise InputError(
                f"{function!r} cannot be marked: define a function that calls it, and mark that."
            ) from None
        return function

    return marked if function is None else marked(function)


def marks_of(function: object) -> Marks:
    """What `@tool` says of `function`; empty where it was not marked."""
    found = getattr(function, _MARKS, None)
    return found if isinstance(found, Marks) else Marks()


def mended_name(name: str) -> str:
    """`name` as the API takes it: accents dropped, what is no ASCII letter or digit as "_".

    Raises InputError where nothing of it is left.
    """
    if _NAME.fullmatch(name):
        return name
    from unicodedata import normalize

    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()
    mended = re.sub(r"[^a-zA-Z0-9_-]+", "_", plain)[:64]
    if not mended.strip("_-") or name == "<lambda>":
        raise InputError(
            f"A tool cannot be called {name!r}: define it with def, or give it a name with "
            '@claude_magic.tool(name="...").'
        )
    return mended
