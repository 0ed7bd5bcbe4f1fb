"""A reply's parts as something safe to show: HTML, inert Markdown, plain text.

A live cell is trusted and front ends do not sanitise it, so what this layer makes is the barrier.
Names load on first use: importing the package loads no parser, sanitiser or highlighter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import code_bundle, literal, reply_bundle
    from .citations import notes_bundle
    from .html import CodeBlock, code_blocks
    from .markdown import split_point
    from .part_bundles import drawn, stacked
    from .reply import ReplyFold
    from .style import STYLE, escape
    from .terminal import TerminalFilter, plain

__all__ = [
    "STYLE",
    "CodeBlock",
    "ReplyFold",
    "TerminalFilter",
    "code_blocks",
    "code_bundle",
    "drawn",
    "escape",
    "literal",
    "notes_bundle",
    "plain",
    "reply_bundle",
    "split_point",
    "stacked",
]

_HOME = {
    "STYLE": "style",
    "CodeBlock": "html",
    "ReplyFold": "reply",
    "TerminalFilter": "terminal",
    "code_blocks": "html",
    "code_bundle": "bundle",
    "drawn": "part_bundles",
    "escape": "style",
    "literal": "bundle",
    "notes_bundle": "citations",
    "plain": "terminal",
    "reply_bundle": "bundle",
    "split_point": "markdown",
    "stacked": "part_bundles",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
