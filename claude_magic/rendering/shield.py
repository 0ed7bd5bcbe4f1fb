"""Text in HTML that neither the browser nor the notebook's typesetter reads as anything else."""

from __future__ import annotations

import html

from .terminal import plain


def shielded(text: str) -> str:
    """`text` as HTML, every dollar and backslash in an element of its own.

    MathJax looks for its delimiters (`$`, `\\(`, `\\begin`, `\\ref`) within runs of adjacent text
    nodes; an element ends the run, so a delimiter alone in one finds neither its second character
    nor its end. Holds for MathJax 2 (nbconvert) to 4 and for KaTeX's auto-render.
    """
    escaped = html.escape(text)
    return escaped.replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def escape(text: str) -> str:
    """`text` as the content of an HTML element: shown as it is, nothing in it typeset.

    Not for an attribute's value: it may hold `<span>`. Control characters are removed.
    """
    return shielded(plain(text))
