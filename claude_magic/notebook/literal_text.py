"""Where braces of a prompt are meant as they stand: code, maths, LaTeX arguments, f-strings."""

from __future__ import annotations

import re

_PARAGRAPH = r"(?:(?!\n[ \t]*\n)[\s\S])"
# Bounded: one that is never closed must not be looked for through a whole long prompt.
_FORMULA = rf"{_PARAGRAPH}{{1,1000}}?"
_LITERAL = re.compile(
    # CommonMark fenced code, also in lists and quotations; an unclosed one reaches to the end.
    r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$"
    r"[\s\S]*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
    # CommonMark code spans: closed by as many backticks, within the paragraph.
    rf"|(?<!`)(?P<ticks>`+)(?!`){_PARAGRAPH}*?(?<!`)(?P=ticks)(?!`)"
    rf"|\$\${_FORMULA}\$\$|\\\({_FORMULA}\\\)|\\\[{_FORMULA}\\\]"
    r"|\\begin\{(?P<environment>\w+\*?)\}[\s\S]{0,2000}?\\end\{(?P=environment)\}"
    # As in Pandoc: no space within, no digit after. "${{ low }} to ${{ high }}" is money.
    r"|(?<![\\\w$])\$(?=[^\s$])(?P<maths>(?:\\.|[^$\\\n])*?[^\s$\\])\$(?![\d{])"
    r"|\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?(?:\{\{[^{}\n]*\}\})+"
    # The last form has an apostrophe for its quote: f'(x) of a text is no f-string.
    r"|(?<!\w)(?:[fF][rR]?|[rR][fF])(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?![\s(])(?:\\.|[^'\\\n])*'(?![\w(]))",
    re.MULTILINE,
)
_HOLE = re.compile(r"\{\{[^{}\n]*\}\}")
_MATHS_SIGN = re.compile(r"[\\^_=+<>]")


def literal_spans(body: str) -> list[tuple[int, int]]:
    """Start and end of each stretch of `body` whose braces are not for us, in order."""
    spans = []
    position = 0
    while found := _LITERAL.search(body, position):
        if found["maths"] is not None and not _is_maths(found["maths"]):
            position = found.start() + 1
            continue
        spans.append(found.span())
        position = max(found.end(), found.start() + 1)
    return spans


def _is_maths(content: str) -> bool:
    """Whether the text between two dollars has a sign of maths, or no space: else it is prose."""
    outside = _HOLE.sub("", content)
    return bool(_MATHS_SIGN.search(outside)) or not re.search(r"\s", outside)
