r"""The Markdown parser of replies: CommonMark, tables, maths, no HTML; where text may be cut.

A formula is `$..$`, `$$..$$`, `\(..\)`, `\[..\]`, or an environment such as `align` that stands
as a paragraph of its own. None goes past a blank line, as in a notebook's Markdown cell.

Not by mdit-py-plugins: its dollarmath, texmath and amsmath, with what may be typeset checked after
them, typeset `HOME:` of `$HOME:$PATH`, a formula with a backtick in it and one past a blank line,
make lists and headings of a formula that still streams, and drop the delimiters that a formula
shown as code needs. The package asks for 12 others so, and not for 13.

A mark looks like `⁽1⁾`, with two code points within that no text holds (Unicode keeps them free
for a program's own use), so that a reply cannot write one. Its brackets are punctuation: emphasis
that ends before a mark ends where it would without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .terminal import plain

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


OPENING, CLOSING = "\u207d", "\u207e"
# They mean nothing outside of a program (Unicode 23.7): no text of anybody's needs them.
START, END = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{OPENING}{START}(\\d+){END}{CLOSING}")
# As the parser writes it into an address that it ended up in.
_IN_ADDRESS = re.compile(f"{quote(OPENING + START)}\\d+{quote(END + CLOSING)}")


def mark(number: int) -> str:
    """The mark of a footnote."""
    return f"{OPENING}{START}{number}{END}{CLOSING}"


def unmarked(text: str) -> str:
    """A text of somebody else's without what could be taken for a mark."""
    return text.replace(START, "").replace(END, "")


def spelled(text: str) -> str:
    """The text with its marks as they are read: `[1]`."""
    return _MARK.sub(r"[\1]", text)


def pieces(text: str) -> list[str]:
    """The text cut at its marks: every second piece is a number."""
    return _MARK.split(text) if START in text else [text]


def address(url: str) -> str:
    """An address, as the parser writes it, without the marks that ended up in it."""
    return _IN_ADDRESS.sub("", url)


MAX_NESTING = 40  # block levels; a list takes two
MAX_LENGTH = 1_000_000  # characters; more than any model's reply

_SAFE_LINK = re.compile(r"https?://[^/?#\s]|mailto:[^\s]", re.IGNORECASE)
_BARE_LINK = re.compile(rf"https?://[^\s<>\"`\\$*|\[\]{{}}{OPENING}]*", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.\-])https?$", re.IGNORECASE)


class ComplexityError(Exception):
    """The text is longer or nested deeper than the parser may go; show it as it is."""


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 # markdown-it's name
        """Only absolute web and mail addresses. Anything else stays text, visible as written."""
        return _SAFE_LINK.match(url) is not None


def _bare_link(state: StateInline, silent: bool) -> bool:
    """An inline rule at the colon of a bare http(s) address: makes it a link to itself."""
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.pending[-6:])  # the scheme and what stands before it
    if scheme is None:
        return False
    length = len(scheme.group())
    found = _BARE_LINK.match(state.src, state.pos - length, state.posMax)
    if found is None:
        return False
    shown = _without_trailing_punctuation(found.group())
    href = state.md.normalizeLink(shown)
    if not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[:-length]
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": href}
        token.info = "auto"
        state.push("text", "", 0).content = shown
        state.push("link_close", "a", -1).info = "auto"
    state.pos += len(shown) - length
    return True


def _without_trailing_punctuation(url: str) -> str:
    """The address without what more likely belongs to the sentence around it."""
    while url:
        stripped = url.rstrip(".,:;!?'_~")
        if stripped.endswith(")") and stripped.count(")") > stripped.count("("):
            stripped = stripped[:-1]
        if stripped == url:
            break
        url = stripped
    return url


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """The parser; its rules are never changed after this, so threads may share it."""
    md = _Parser("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    md.enable(["table", "strikethrough"])
    # `text_join` would merge escapes into text; the inert Markdown needs them as written.
    md.disable(["html_block", "html_inline", "text_join"])
    md.inline.ruler.push("bare_link", _bare_link)
    add_maths(md)
    return md


def parsed(clean: str) -> list[Token]:
    """The tokens of `clean`, a text that has gone through `plain`.

    Raises ComplexityError where markdown-it would silently leave out what is nested too deep.
    """
    if len(clean) > MAX_LENGTH:
        raise ComplexityError
    tokens = _with_footnotes(parser().parse(clean))
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        raise ComplexityError
    for token in tokens:
        _unlink_empty(token.children or ())
    return tokens


def _with_footnotes(tokens: Iterable[Token]) -> list[Token]:
    """The tokens, each mark in running text as a token `footnote`, elsewhere as it is read."""
    found: list[Token] = []
    for token in tokens:
        if token.children:
            token.children = _with_footnotes(token.children)
        for name in {"href", "src"} & token.attrs.keys():
            token.attrSet(name, address(str(token.attrGet(name))))
        cut = pieces(token.content) if token.type == "text" else []
        if len(cut) < 2:
            token.content = spelled(token.content)
            found.append(token)
        for place, piece in enumerate(cut if len(cut) > 1 else ()):
            kind = ("footnote", "span") if place % 2 else ("text", "")
            found.append(Token(*kind, 0, content=piece, level=token.level))
    return found


def _unlink_empty(tokens: Sequence[Token]) -> None:
    """Makes text of a link to nowhere, `[a]()`, in place: it would lead to the page itself."""
    end = ""  # what the end of the link becomes; links do not nest
    for token in tokens:
        if token.type == "link_open":
            end = "" if token.attrGet("href") else "]()"
        if token.type in ("link_open", "link_close") and end:
            token.content = "[" if token.type == "link_open" else end
            token.type, token.tag, token.nesting = "text", "", 0


def block_tokens(clean: str) -> list[Token]:
    """Only the block structure of `clean`: much cheaper, inline content not looked at."""
    md = parser()
    tokens: list[Token] = []
    md.block.parse(clean, md, {}, tokens)
    return tokens


LIST_MAXIMUM = 12_000  # characters after which a list that goes on is cut between its items


def split_point(text: str, minimum: int) -> int | None:
    """The last index, `minimum` (>= 1) or more, where `text` may be cut; None if there is none.

    Both parts rendered on their own give what they give together, whatever follows: the cut stands
    after a blank line, before a block that is not part of a list, quote, table, fence or formula
    begun above it and whose first line has ended. One exception: a link reference and its
    definition find each other only within a part; else the reference is shown as written.

    A list without such a place is cut before its last item once the text is over LIST_MAXIMUM
    characters; it then goes on as a list of its own. `text` is to come through `TerminalFilter`:
    in one with control characters no place is found.
    """
    complete = text[: text.rfind("\n") + 1]
    if len(complete) <= minimum:
        return None
    if plain(complete) != complete:
        return None
    lines = complete.split("\n")
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    tokens = block_tokens(complete)
    places = [line for line in _starts(tokens) if line and not lines[line - 1].strip(" \t")]
    found = max((offsets[line] for line in places), default=0)
    if found < minimum and len(complete) >= LIST_MAXIMUM:
        found = max((offsets[line] for line in _last_list(tokens)), default=0)
    return found if found >= max(minimum, 1) else None


def _starts(tokens: list[Token]) -> Iterator[int]:
    """The first lines of the blocks at top level."""
    return (t.map[0] for t in tokens if t.level == 0 and t.nesting >= 0 and t.map)


def _last_list(tokens: list[Token]) -> Iterator[int]:
    """The first lines of the items of the list that the text ends with, if it does."""
    if not tokens or not tokens[-1].type.endswith("_list_close") or tokens[-1].level != 0:
        return iter(())
    first = max(i for i, t in enumerate(tokens) if t.level == 0 and t.nesting == 1)
    items = (t for t in tokens[first:] if t.type == "list_item_open" and t.level == 1)
    return (t.map[0] for t in items if t.map)
