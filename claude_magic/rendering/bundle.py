"""A reply's Markdown as a mimebundle: HTML, Markdown in which nothing is active, and text.

Written anew from the parse instead of patched: every construct is in its plainest form (fences, no
reference definitions, no indented code), and what our parser took for text is escaped where
another parser could take it for code, HTML, an image, a link or maths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from .html import as_written, image_text, language_of, to_html
from .markdown import FORBIDDEN, ComplexityError, parsed, spelled
from .terminal import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

_CLOSING = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_LISTS = ("bullet_list", "ordered_list")
_OTHER_MARKER = {"-": "*", "*": "-", "+": "-", ".": ")", ")": "."}
_TEXT = ("text", "text_special")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_ACTIVE = re.compile(r"(?P<escaped>`|\$|<(?=[A-Za-z/!?])|!(?=\[)|:(?=//))|(?<=\])(?P<target>[(:])")
_LITERAL = re.compile(r"[\\`*_~<$&]|:(?=//)")
_LINE_START = re.compile(
    r"^(?:(?P<mark>#{1,6}(?=\s|$)|[-+*](?=\s|$)|>|~~~|[:|-](?=[-:| ]*$)|=(?==*\s*$))"
    r"|(?P<number>\d{1,9})(?=[.)](?:\s|$)))"
)


def to_markdown(tokens: Sequence[Token]) -> str:
    """The tokens as Markdown, ending in a newline unless it is empty."""
    text = _blocks(SyntaxTreeNode(tokens).children, tight=False)
    return text + "\n" if text else ""


def as_code(clean: str) -> str:
    """Markdown that shows a text as it is, for one that cannot be parsed."""
    return fenced(clean, "")


def _blocks(nodes: Sequence[SyntaxTreeNode], *, tight: bool) -> str:
    out = []
    before = ("", "")
    for node in nodes:
        mark = node.markup
        if (node.type, mark) == before:  # two lists that must not become one
            mark = _OTHER_MARKER.get(mark, mark)
        before = (node.type, mark)
        out.append(_list(node, mark) if node.type in _LISTS else _block(node))
    return ("\n" if tight else "\n\n").join(out)


def _block(node: SyntaxTreeNode) -> str:
    kind = node.type
    if kind == "paragraph":
        return _lines(_content(node))
    if kind == "heading":
        text = re.sub(r"(#+)$", r"\\\1", _content(node).replace("\\\n", " ").replace("\n", " "))
        return f"{'#' * int(node.tag[1])} {text}".rstrip()
    if kind in ("fence", "code_block"):
        return fenced(node.content, language_of(node.info))
    if kind == "blockquote":
        inside = _blocks(node.children, tight=False)
        return "\n".join(f"> {line}".rstrip() for line in inside.split("\n"))
    if kind == "table":
        return _table(node)
    if kind == "hr":
        # Within a list `---` could underline a heading and `***` open an item.
        return "---" if node.level == 0 else "___"
    if kind == "maths_block":
        mark = node.markup
        return f"{mark}\n{node.content}\n{_CLOSING[mark]}"
    if kind == "maths_source":
        return _lines(literal(node.content))
    raise ValueError(f"no Markdown for a {kind} token")


def _list(node: SyntaxTreeNode, mark: str) -> str:
    tight = not any(
        child.type == "paragraph" and not child.hidden
        for item in node.children
        for child in item.children
    )
    number = int(node.attrs.get("start", 1))
    items = []
    for offset, item in enumerate(node.children):
        marker = f"{number + offset}{mark}" if node.type == "ordered_list" else mark
        inside = _blocks(item.children, tight=tight)
        indent = " " * (len(marker) + 1)
        items.append(f"{marker} {inside}".rstrip().replace("\n", "\n" + indent))
    text = ("\n" if tight else "\n\n").join(items)
    return "\n".join(line.rstrip() if not line.strip() else line for line in text.split("\n"))


def _table(node: SyntaxTreeNode) -> str:
    rows = [row for part in node.children for row in part.children]
    lines = ["| " + " | ".join(_cell(cell) for cell in row.children) + " |" for row in rows]
    sides = [str(cell.attrs.get("style", "")) for cell in rows[0].children]
    rules = {"text-align:left": ":--", "text-align:right": "--:", "text-align:center": ":-:"}
    lines.insert(1, "| " + " | ".join(rules.get(side, "---") for side in sides) + " |")
    return "\n".join(lines)


def _cell(cell: SyntaxTreeNode) -> str:
    return _content(cell).replace("|", "\\|")


def fenced(code: str, language: str) -> str:
    """Code in a fence longer than any run of backticks in it. No `mermaid`: front ends draw it."""
    runs = [len(run) for run in re.findall("`+", code)]
    fence = "`" * max([3, *(n + 1 for n in runs)])
    shown = "text" if language.lower() == "mermaid" else language
    body = code if code.endswith("\n") or not code else code + "\n"
    return f"{fence}{shown}\n{body}{fence}"


def _content(node: SyntaxTreeNode) -> str:
    """The inline content of a block."""
    return "".join(_inlines(child.children) for child in node.children)


def _inlines(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(
        _text(list(group)) if is_text else "".join(_inline(node) for node in group)
        for is_text, group in groupby(nodes, key=lambda node: node.type in _TEXT)
    )


def _text(nodes: Sequence[SyntaxTreeNode]) -> str:
    """Adjacent text as one, so that what several tokens form together is seen."""
    pieces = [
        _safe_text("".join(node.content for node in group))
        if kind == "text"
        else "".join(node.markup for node in group)  # an escape or entity, as it was written
        for kind, group in groupby(nodes, key=lambda node: node.type)
    ]
    text = FORBIDDEN.sub(lambda found: f"`{found.group()}`", "".join(pieces))
    return text[:-1] + "\\!" if text.endswith("!") and not text.endswith("\\!") else text


def _inline(node: SyntaxTreeNode) -> str:
    kind = node.type
    if kind == "softbreak":
        return "\n"
    if kind == "hardbreak":
        return "\\\n"
    if kind == "code_inline":
        return _code_span(node.content)
    if kind == "maths":
        return f"{node.markup}{node.content}{_CLOSING[node.markup]}"
    if kind == "footnote":
        return literal(f"[{node.content}]")
    if kind == "image":
        return literal(image_text(str(node.attrs["src"]), node.content))
    inside = _inlines(node.children)
    if kind == "link":
        return _link(inside, str(node.attrs["href"]), auto=node.info == "auto")
    return f"{node.markup}{inside}{node.markup}"  # em, strong, s


def _link(inside: str, href: str, *, auto: bool) -> str:
    if auto:
        return f"<{href}>"
    target = _ENTITY.sub("&amp;", href)
    return f"[{inside}](<{target}>)" if "(" in href or ")" in href else f"[{inside}]({target})"


def _code_span(code: str) -> str:
    runs = {len(run) for run in re.findall("`+", code)}
    mark = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    space = " " if code[:1] in ("`", " ") or code[-1:] in ("`", " ") else ""
    return f"{mark}{space}{code}{space}{mark}" if code.strip() else f"{mark}{code}{mark}"


def _safe_text(text: str) -> str:
    """Text with what could be active escaped; the rest stays as the model wrote it."""
    return _ACTIVE.sub(
        lambda found: "\\" + found["escaped"] if found["escaped"] else f"&#{ord(found['target'])};",
        text,
    )


def literal(text: str) -> str:
    """Text that reads as it is, nothing in it emphasised, linked or typeset."""
    # An escaped bracket could read as the delimiter of a formula, a bare one as a link's.
    escaped = _LITERAL.sub(r"\\\g<0>", text)
    return escaped.replace("[", "&#91;").replace("]", "&#93;")


def _lines(text: str) -> str:
    """A paragraph none of whose lines starts another kind of block."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    found = _LINE_START.match(line)
    if found is None:
        return line
    if found["number"]:
        return f"{found['number']}\\{line[found.end() :]}"
    return "\\" + line


def code_bundle(code: str, language: str) -> dict[str, str]:
    """The bundle of a text as it is, in a block of code that it cannot end."""
    fence = "```"
    while fence in code:
        fence += "`"
    bundle = reply_bundle(f"{fence}{language}\n{code}\n{fence}")
    return {**bundle, "text/plain": plain(code)}


def words_of(markdown: str) -> str:
    """The words of a text in Markdown, in one line, without what makes them bold, code or a link.

    Never raises: what cannot be parsed stays as it is.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
    except Exception:  # as in `reply_bundle`
        return " ".join(spelled(clean).split())
    return " ".join("".join(_words(tokens)).split())


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _words(token.children)
        elif token.type == "footnote":
            yield f"[{token.content}]"
        else:
            yield token.content
        # Where a line or a block ends, a word ends.
        if token.block or token.type in ("softbreak", "hardbreak"):
            yield " "


def reply_bundle(markdown: str) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of a reply or of a part of one.

    Never raises. Unfinished Markdown, as while it streams, is fine. What is nested too deep or too
    long to parse is shown as it is; so is any reply where a package is missing, too old or faulty,
    below a line that says so. Marks of `Text` are numbers of footnotes.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
        return {
            "text/html": to_html(tokens),
            "text/markdown": to_markdown(tokens),
            "text/plain": spelled(clean),
        }
    except (ComplexityError, RecursionError):
        shown = spelled(clean)
    except Exception as error:  # whatever goes wrong, the reply must be seen, and is
        shown = f"{_fault(error)}\n\n{spelled(clean)}"
    return {
        "text/html": as_written(shown),
        "text/markdown": as_code(shown),
        "text/plain": shown,
    }


def _fault(error: Exception) -> str:
    """The line above a reply that a fault of ours or of a package leaves as it was written."""
    from ..messages.dependencies import unmet
    from ..messages.plain_text import in_a_line

    return unmet("nh3", "markdown_it", "pygments") or (
        f"This reply is shown as it was written, as rendering it failed: {in_a_line(error)}"
    )
