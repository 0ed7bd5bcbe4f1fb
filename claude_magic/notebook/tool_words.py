"""What `--tools` names, found: functions of the notebook, built-in tools, tools at the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ..messages.errors import InputError
from ..tools.function import function_tool
from ..tools.tool import Tool
from ..tools.toolbox import SERVER_TOOLS

if TYPE_CHECKING:
    from ..tools.calling import Toolset

NAMES: Mapping[str, str] = {
    "run_python": "run code in this kernel, as a cell would",
    "read_cells": "read the notebook's cells and what they displayed",
    "inspect_variable": "look at the notebook's variables",
    "insert_cell": "put a new cell below the question",
    "edit_cell": "change a cell's text, in JupyterLab",
    "computer": "use a virtual desktop: look at it, click, type",
}
"""What each does, by the name that `--tools` takes."""

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Chosen:
    """The tools of a question, by where they run."""

    tools: tuple[Tool, ...] = ()
    at_server: tuple[str, ...] = ()
    toolsets: tuple[Toolset, ...] = ()


def chosen(
    words: Sequence[object],
    namespace: Mapping[str, object],
    built_in: Mapping[str, Callable[[], Tool | Toolset]],
) -> Chosen:
    """The tools that `words` name, or are: functions, tool objects, lists of them.

    A name of the notebook counts before a built-in one, as in Python. Only attributes are looked
    up in a dotted name; nothing is called. Raises InputError for a name that is not known, and for
    what is no function.
    """
    tools: list[Tool] = []
    at_server: list[str] = []
    toolsets: list[Toolset] = []
    for found in _found(words, namespace, built_in):
        if isinstance(found, str):
            at_server.append(found)
        elif isinstance(found, Tool):
            tools.append(found)
        else:
            toolsets.append(found)
    return Chosen(tuple(tools), tuple(dict.fromkeys(at_server)), tuple(dict.fromkeys(toolsets)))


def _found(
    words: Sequence[object],
    namespace: Mapping[str, object],
    built_in: Mapping[str, Callable[[], Tool | Toolset]],
) -> Iterator[Tool | Toolset | str]:
    for word in words:
        if not isinstance(word, str):
            yield from _made(word, "", "tools=")
            continue
        if word == "none":
            continue
        first = word.partition(".")[0]
        own = first in namespace and (
            "." in word or callable(namespace[first]) or word not in {*built_in, *SERVER_TOOLS}
        )
        if own and _DOTTED.fullmatch(word):
            yield from _made(_looked_up(word, namespace), word.rpartition(".")[2], word)
        elif word in built_in:
            yield built_in[word]()
        elif word in SERVER_TOOLS:
            yield word
        else:
            raise _unknown(word, namespace, built_in)


def _made(value: Any, name: str, said: str) -> Iterator[Tool | Toolset]:
    if isinstance(value, Tool) or _is_toolset(value):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _made(item, "", said)
    elif callable(value):
        yield function_tool(value, name)
    else:
        raise InputError(
            f"--tools {said}: a {type(value).__name__} is no tool; give a function, or its name."
        )


def _is_toolset(value: object) -> bool:
    return hasattr(type(value), "definitions") and hasattr(type(value), "takes")


def _looked_up(word: str, namespace: Mapping[str, object]) -> object:
    first, *rest = word.split(".")
    value = namespace[first]
    for number, name in enumerate(rest):
        try:
            value = getattr(value, name)
        except AttributeError:
            owner = ".".join([first, *rest[:number]])
            near = get_close_matches(name, dir(value), n=1)
            hint = f"did you mean {owner}.{near[0]}?" if near else f"see dir({owner})"
            raise InputError(f"--tools {word}: {owner} has no {name}; {hint}") from None
    return value


def offered(namespace: Mapping[str, object], built_in: Sequence[str]) -> list[str]:
    """The names that can follow `--tools`: functions of the notebook, then what is built in."""
    own = [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and callable(value) and not isinstance(value, type)
    ]
    return [*sorted(own), *built_in, *SERVER_TOOLS]


def _unknown(word: str, namespace: Mapping[str, object], built_in: Mapping[str, Any]) -> InputError:
    if not namespace:
        return InputError(
            f"tools={word[:64]!r}: give the function itself, or computer, web or code."
        )
    near = get_close_matches(word[:64], offered(namespace, list(built_in)), n=1)
    hint = f"did you mean {near[0]}?" if near else "define the function, and run its cell, first"
    built = ", ".join((*built_in, *SERVER_TOOLS))
    return InputError(f"--tools {word[:64]}: there is no such tool; {hint} (built in: {built})")
