"""HTML of ours around what is shown: quiet lines, folded ones, text as it is.

Whatever in it comes from elsewhere is escaped here; the classes are those of `style.py`.
"""

from __future__ import annotations

import html

from .shield import escape


def box(inner: str) -> str:
    """HTML of ours, in the box that the style sheet is for."""
    return f'<div class="claude-magic">{inner}</div>'


def line(text: str, title: str = "") -> str:
    """HTML of one quiet line."""
    tooltip = f' title="{html.escape(title)}"' if title else ""
    return f'<div class="claude-magic-line"{tooltip}>{escape(text)}</div>'


def folded(summary: str, inner: str) -> str:
    """HTML of a line that opens: `inner`, HTML of ours, stands below it."""
    opened = f"<summary>{escape(summary)}</summary>{inner}"
    return f'<details class="claude-magic-fold">{opened}</details>'


def as_it_is(text: str) -> str:
    """HTML of a text that is shown as it is; "" for none."""
    return f'<div class="claude-magic-pre">{escape(text)}</div>' if text else ""


def code(text: str, language: str) -> str:
    """HTML of code as it is, wrapped and not cut: what stands far to the right is seen too."""
    from .highlight import highlighted
    from .terminal import plain

    if not text:
        return ""
    inside = highlighted(plain(text), language) if language else html.escape(plain(text))
    return f'<pre class="claude-magic-pre"><code>{inside}</code></pre>'
