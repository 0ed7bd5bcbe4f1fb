"""What a function's docstring says, in the words that a model needs: Google, NumPy or Sphinx style.

Read by docstring-parser: three grammars and their mixtures are no part of what this package is for.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docstring_parser.common import Docstring


@dataclass(frozen=True)
class Documentation:
    """What a function does and returns; what is said of parameters, and of their types."""

    text: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


def documentation(function: Callable[..., Any]) -> Documentation:
    """What `function`'s docstring says; empty where it has none."""
    written = _docstring(function)
    if not written:
        return Documentation()
    from docstring_parser import ParseError, parse

    try:
        found = parse(written)
    except ParseError:  # a style of its own: as it stands
        return Documentation(written)
    parts = [found.short_description, found.long_description, _returned(found)]
    described = list(_parameters(found))
    return Documentation(
        "\n\n".join(part for part in parts if part),
        {name: words for name, words, _ in described if words},
        {name: kind for name, _, kind in described if kind},
    )


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a `functools.partial` calls in the end; any other as it is."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _docstring(function: Callable[..., Any]) -> str:
    written = bare(function)
    if inspect.isroutine(written) or inspect.isclass(written):
        return inspect.getdoc(written) or ""
    # An object that can be called: its class may say what it is, its __call__ what it does.
    own = vars(type(written)).get("__call__")
    return inspect.cleandoc(getattr(own, "__doc__", None) or "") or inspect.getdoc(written) or ""


def _parameters(found: Docstring) -> Iterator[tuple[str, str, str]]:
    """Name, words and type of each parameter that is described."""
    for parameter in found.params:
        words = " ".join((parameter.description or "").split())
        for name in parameter.arg_name.split(","):  # NumPy: "x, y : float"
            yield name.strip().lstrip("*"), words, parameter.type_name or ""


def _returned(found: Docstring) -> str:
    if found.returns is None:
        return ""
    kind, words = found.returns.type_name, found.returns.description
    said = ": ".join(" ".join(part.split()) for part in (kind, words) if part)
    return f"Returns {said}" if said else ""
