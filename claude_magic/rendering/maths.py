"""Which parts of a reply are maths: rules for markdown-it, and what of it may be typeset.

A formula is `$..$`, `$$..$$`, `\\(..\\)`, `\\[..\\]`, or an environment such as `align` that stands
as a paragraph of its own. None goes past a blank line, as in a notebook's Markdown cell.

Not by mdit-py-plugins: its dollarmath, texmath and amsmath, with what may be typeset checked after
them, typeset `HOME:` of `$HOME:$PATH`, a formula with a backtick in it and one past a blank line,
make lists and headings of a formula that still streams, and drop the delimiters that a formula
shown as code needs. The package asks for 12 others so, and not for 13.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_FORMULA = 5_000  # characters; also bounds how far a rule looks for the end
MAX_LINES = 100
MAX_BRACES = 40  # levels: a typesetter recurses

# `$5 to $10` is money: no space right inside, no digit right after, nothing like `US$` before; no
# capital after, which keeps `$HOME:$PATH` text. The first dollar that cannot close ends the search,
# so `$5 and $x$` still finds `x`. A backtick is never in a formula: parsers would disagree about
# where code starts.
_INLINE = re.compile(
    r"(?<![A-Za-z0-9$])\$(?![\s$])(?P<tex>(?:\\[^`]|[^\\$`])++)(?<!\s)\$(?![0-9A-Z$])"
)
_DISPLAY = re.compile(r"\$\$(?!\$)(?P<tex>(?:\\[^`]|\$(?!\$)|[^\\$`])++)\$\$(?!\$)")
_PARENTHESES = re.compile(r"\\\((?P<tex>(?:\\[^)`]|[^\\`])++)\\\)")
_BRACKETS = re.compile(r"\\\[(?P<tex>(?:\\[^\]`]|[^\\`])++)\\\](?![(\[:])")
_INLINE_RULES = (
    ("$$", "$$", _DISPLAY),
    ("$", "$", _INLINE),
    ("\\(", "\\)", _PARENTHESES),
    ("\\[", "\\]", _BRACKETS),
)

_ENVIRONMENTS = (
    "align|aligned|alignat|alignedat|array|cases|eqnarray|equation|flalign|gather|gathered"
    "|multline|split|[pbvBV]?matrix|smallmatrix|CD"
)
_OPENER = re.compile(rf"(?P<mark>\$\$(?!\$)|\\\[|\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}})")

# Commands by which a formula leaves mathematics: links, classes, styles and ids on the page,
# loading of packages, definitions (which outlive the formula and can grow without end).
FORBIDDEN = re.compile(
    r"\\(?:(?:href|url|require|class|style|cssId|data|unicode|bbox|includegraphics|usepackage"
    r"|[gex]?def|let|futurelet|csname|catcode|mathchoice|toggle|mathtip|texttip|action|enclose"
    r"|ref|eqref|definecolor|input|include)(?![A-Za-z])"
    r"|(?:html|css|mml|new|New|renew|Renew|provide|Provide|Declare)[A-Za-z]*)"
)
_ACTIVE = re.compile(r"[a-z]+://|\burl\s*\(|\b(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_LABEL = re.compile(r"(?<!\\)((?:\\\\)*)\\label\s*\{[^{}]*\}")  # would set an id on the page
_LIKE_HTML = re.compile(r"<(?=[A-Za-z/!?])")
_LIKE_LINK = re.compile(r"(?<=[!\]])(?=[\[(:])")


def typesettable(tex: str) -> bool:
    """Whether a formula may be handed to a typesetter; else it is shown as code."""
    return (
        len(tex) <= MAX_FORMULA
        and _closed(tex)
        and "`" not in tex
        and not FORBIDDEN.search(tex)
        and not _ACTIVE.search(tex)
    )


def _closed(tex: str) -> bool:
    """Whether the formula ends where it seems to: braces match, no other end is in it."""
    depth = 0
    for part in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += (part == "{") - (part == "}")
        if not 0 <= depth <= MAX_BRACES or part in ("\\(", "\\)", "\\[", "\\]"):
            return False
    return depth == 0


def _normalised(tex: str) -> str:
    """The formula without labels, spaced so that no Markdown parser finds HTML or a link in it."""
    spaced = _LIKE_LINK.sub(" ", _LIKE_HTML.sub("< ", tex))
    stripped = _LABEL.sub(r"\1", spaced).strip()
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 else stripped  # `\ ` at the end, not an escaped end


def inline_maths(state: StateInline, silent: bool) -> bool:
    """A markdown-it inline rule: makes a `maths` or, for what may not be typeset, a code token."""
    position = state.pos
    if state.src[position] not in "$\\":
        return False
    limit = min(state.posMax, position + MAX_FORMULA)
    for mark, closer, pattern in _INLINE_RULES:
        if not state.src.startswith(mark, position):
            continue
        if state.src.find(closer, position + len(mark), limit) < 0:  # faster than to match in vain
            continue
        found = pattern.match(state.src, position, limit)
        if found is None or not found["tex"].strip():
            continue
        if not silent:
            _push_inline(state, mark, found["tex"], found.group())
        state.pos = found.end()
        return True
    return False


def _push_inline(state: StateInline, mark: str, tex: str, source: str) -> None:
    if typesettable(tex):
        token = state.push("maths", "span", 0)
        token.content = _normalised(tex)
        token.markup = mark
    else:
        token = state.push("code_inline", "code", 0)
        token.content = source.replace("\n", " ")
        token.markup = "`"


def block_maths(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A markdown-it block rule for a formula on lines of its own: makes a `maths_block` token.

    A formula that the text ends in, as while it streams, is shown as written: its lines are not
    to turn into lists and headings before its end has come.
    """
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if not first.startswith(("$$", "\\[", "\\begin{")) or state.is_code_block(start):
        return False
    opener = _OPENER.match(first)
    if opener is None:
        return False
    closer = {"$$": "$$", "\\[": "\\]"}.get(opener["mark"], f"\\end{{{opener['name']}}}")
    begin = state.bMarks[start] + state.tShift[start] + opener.end()
    alone = not first[opener.end() :].strip()
    if not alone and state.src.find(closer, begin, begin + MAX_FORMULA) < 0:
        return False  # the usual case of a text full of openers, decided quickly
    last, closed = _last_line(state, start, end, closer, begin)
    unfinished = alone and not closed and last == end == state.lineMax
    if silent or not (closed or unfinished):
        return closed or unfinished
    source = state.getLines(start, last, state.blkIndent, False).strip()
    state.line = last
    token = _push_formula(state, source, opener, closer) if closed else _push_source(state, source)
    token.map = [start, last]
    token.block = True
    return True


def _last_line(
    state: StateBlock, start: int, end: int, closer: str, begin: int
) -> tuple[int, bool]:
    """The line after the formula, and whether its closer was found there at the end of a line."""
    indent = min(state.blkIndent, state.sCount[start])  # less where it ends a list's paragraph
    for line in range(start, min(end, start + MAX_LINES)):
        if line > start:
            if state.isEmpty(line) or state.sCount[line] < indent:
                return line, False
            begin = state.bMarks[line]
        found = state.src.find(closer, begin, state.eMarks[line])
        if found >= 0:
            rest = state.src[found + len(closer) : state.eMarks[line]]
            return line + 1, not rest.strip()
    return min(end, start + MAX_LINES), False


def _push_formula(state: StateBlock, source: str, opener: re.Match[str], closer: str) -> Token:
    tex = source if opener["name"] else source[len(opener["mark"]) : -len(closer)]
    if tex.strip() and typesettable(tex):
        token = state.push("maths_block", "div", 0)
        token.content = _normalised(tex)
        token.markup = "$$" if "$$" not in tex else "\\["
    else:
        token = state.push("fence", "code", 0)
        token.content = source + "\n"
        token.markup = "```"
    return token


def _push_source(state: StateBlock, source: str) -> Token:
    token = state.push("maths_source", "p", 0)
    token.content = source
    return token


def add_maths(md: MarkdownIt) -> None:
    """Adds both rules to a parser."""
    md.inline.ruler.before("escape", "maths", inline_maths)
    ends = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.before("fence", "maths_block", block_maths, {"alt": ends})
