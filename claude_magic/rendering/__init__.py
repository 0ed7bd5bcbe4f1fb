"""A reply's Markdown as something safe to show: HTML, inert Markdown, plain text.

A live cell is trusted and front ends do not sanitise it, so what this layer makes is the barrier.
Names load on first use: importing the package loads no parser, sanitiser or highlighter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundle import code_bundle, reply_bundle, stacked
    from .citations import CitedText, Citing, with_citations
    from .codeblocks import CodeBlock, code_blocks
    from .inert import literal
    from .notes import notes_bundle
    from .segments import split_point
    from .server_tools import Fold, in_order, server_tool_lines
    from .shield import escape
    from .style import STYLE
    from .terminal import TerminalFilter, plain

__all__ = [
    "STYLE",
    "CitedText",
    "Citing",
    "CodeBlock",
    "Fold",
    "TerminalFilter",
    "code_blocks",
    "code_bundle",
    "escape",
    "in_order",
    "literal",
    "notes_bundle",
    "plain",
    "reply_bundle",
    "server_tool_lines",
    "split_point",
    "stacked",
    "with_citations",
]

_HOME = {
    "STYLE": "style",
    "CitedText": "citations",
    "Citing": "citations",
    "CodeBlock": "codeblocks",
    "Fold": "server_tools",
    "TerminalFilter": "terminal",
    "code_blocks": "codeblocks",
    "code_bundle": "bundle",
    "escape": "shield",
    "in_order": "server_tools",
    "literal": "inert",
    "notes_bundle": "notes",
    "plain": "terminal",
    "reply_bundle": "bundle",
    "server_tool_lines": "server_tools",
    "split_point": "segments",
    "stacked": "bundle",
    "with_citations": "citations",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
