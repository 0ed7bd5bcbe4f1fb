"""A reply's Markdown as something safe to show: HTML, inert Markdown, plain text.

A live cell is trusted and front ends do not sanitise it, so what this layer makes is the barrier.
Names load on first use: importing the package loads no parser, sanitiser or highlighter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import code_bundle, reply_bundle
    from .codeblocks import CodeBlock, code_blocks
    from .inert import literal
    from .segments import split_point
    from .shield import escape
    from .style import STYLE
    from .terminal import TerminalFilter, plain

__all__ = [
    "STYLE",
    "CodeBlock",
    "TerminalFilter",
    "code_blocks",
    "code_bundle",
    "escape",
    "literal",
    "plain",
    "reply_bundle",
    "split_point",
]

_HOME = {
    "STYLE": "style",
    "CodeBlock": "codeblocks",
    "TerminalFilter": "terminal",
    "code_blocks": "codeblocks",
    "code_bundle": "bundle",
    "escape": "shield",
    "literal": "inert",
    "plain": "terminal",
    "reply_bundle": "bundle",
    "split_point": "segments",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
