"""The images of a Markdown text, and the one cut in it that gives an image another alt text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...value_classes import frozen
from .json_edits import Edit, applied

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

# What has a meaning of its own within the brackets of an image; `$` begins maths in a notebook.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&$~|!]")
_TAG = re.compile(r"<img(?=[\s/>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<=[\s\"'/])(?P<name>[a-zA-Z][\w:.-]*)"
    r"(?:\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?"
)
_IMAGE_TOO = re.compile(r"file:|data:image/", re.IGNORECASE)
# What tools and habits put where an alt text belongs.
_NO_WORDS = frozenset(
    {"alt", "alt text", "alttext", "drawing", "fig", "figure", "image", "img", "jpeg", "jpg",
     "photo", "picture", "plot", "png", "screenshot", "svg", "title", "untitled"}
)  # fmt: skip


@frozen
class MarkdownImage:
    """An image of a Markdown text: `text[start:end]`.

    `alt` is None where there is none, and where it is the file's name or an empty word; "" says
    that the image is decorative, which only HTML can say. `cut` is what an alt text takes the
    place of, with `lead` and `tail` around it.
    """

    url: str
    alt: str | None
    start: int
    end: int
    cut: tuple[int, int]
    lead: str = ""
    tail: str = ""
    in_html: bool = False
    in_table: bool = False

    def edit(self, alt: str) -> Edit:
        """The edit that gives the image this alt text, in one line."""
        words = " ".join(alt.split())
        shown = html.escape(words) if self.in_html else _SPECIAL.sub(r"\\\g<0>", words)
        if self.in_table:  # a bar ends the cell wherever it stands
            shown = shown.replace(r"\|", "|").replace("|", "&#124;")
        return Edit(*self.cut, f"{self.lead}{shown}{self.tail}")


def markdown_images(text: str) -> list[MarkdownImage]:
    """The images of a Markdown text, in their order; code is no image.

    One whose place cannot be told for certain is left out.
    """
    # In place, so that every place stays.
    text = text.replace("\r\n", " \n").replace("\r", "\n").replace("\0", "\ufffd")
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[MarkdownImage] = []
    cells: dict[int, int] = {}
    for token, env, is_cell in _inline_tokens(text):
        places = _Places(token, lines, starts, cells if is_cell else None)
        images = _html_images(token.content) if token.type == "html_block" else _inline(token, env)
        for image in images:
            moved = places.moved(image)
            if moved is not None:
                found.append(replace(moved, in_table=is_cell))
    return sorted(found, key=lambda image: image.start)


def with_alts(text: str, alts: Sequence[tuple[MarkdownImage, str]]) -> list[Edit] | None:
    """The edits that give images alt texts; None if the text would then read otherwise."""
    edits = [image.edit(alt) for image, alt in alts]
    wanted = {image.start: " ".join(alt.split()) for image, alt in alts}
    before, after = markdown_images(text), markdown_images(applied(text, edits))
    same = len(before) == len(after) and all(
        new.url == old.url and (new.alt or "") == wanted.get(old.start, old.alt or "")
        for old, new in zip(before, after, strict=True)
    )
    return edits if same else None


def heard(alt: str, url: str) -> str | None:
    """The alt text if it says anything; None for an empty one and for a mere file name."""
    words = " ".join(alt.split())
    name = unquote(url).rpartition("/")[2].removeprefix("attachment:")
    stem = name.rpartition(".")[0] or name
    empty = {"", name.casefold(), stem.casefold(), *_NO_WORDS}
    return None if words.casefold() in empty else words


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """A parser that notes in its environment where images and HTML tags stand."""
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import html_inline, image

    def noted_image(state: StateInline, silent: bool) -> bool:
        start = state.pos
        label_end = state.md.helpers.parseLinkLabel(state, start + 1, False)
        outer = state.env.get("inside", False)
        state.env["inside"] = True  # an image within the label is words of this one
        found = image(state, silent)
        state.env["inside"] = outer
        if found and not silent and not outer:
            token = state.tokens[-1]
            state.env["images"].append((start, label_end, state.pos, state.src, token))
        return found

    def noted_html(state: StateInline, silent: bool) -> bool:
        start = state.pos
        found = html_inline(state, silent)
        if found and not silent and not state.env.get("inside", False):
            state.env["tags"].append((start, state.src[start : state.pos]))
        return found

    md = MarkdownIt("commonmark", {"html": True}).enable("table")
    usual = md.validateLink
    # Images too, though no page may link to them; what may be read here is judged elsewhere.
    md.validateLink = lambda url: usual(url) or _IMAGE_TOO.match(url) is not None  # type: ignore[method-assign]
    md.core.ruler.disable("inline")
    md.inline.ruler.at("image", noted_image)
    md.inline.ruler.at("html_inline", noted_html)
    return md


def _inline_tokens(text: str) -> Iterator[tuple[Token, dict[str, Any], bool]]:
    """The blocks of a text that may hold images, its link references, whether each is a cell."""
    env: dict[str, Any] = {}
    opened = ""
    for token in _parser().parse(text, env):
        if token.type in ("inline", "html_block") and token.map:
            yield token, env, opened in ("td_open", "th_open")
        opened = token.type


def _inline(token: Token, env: dict[str, Any]) -> Iterator[MarkdownImage]:
    """The images of one inline block; places are within its content."""
    md = _parser()
    env |= {"images": [], "tags": [], "inside": False}
    md.inline.parse(token.content, md, env, [])
    for start, label_end, end, source, image in env["images"]:
        url = str(image.attrGet("src") or "")
        words = _words(image.children or [])
        label = source[start + 2 : label_end]
        cut, lead, tail = (start + 2, label_end), "", ""
        if end == label_end + 1:  # ![name], which is the reference too
            cut, tail = (start + 2, start + 2), "]["
        elif source[label_end:end] == "][]":
            cut, tail = (start + 2, end), f"][{label}]"
        yield MarkdownImage(url, heard(words, url), start, end, cut, lead, tail)
    for start, tag in env["tags"]:
        yield from _html_images(tag, start)


def _words(tokens: Sequence[Token]) -> str:
    """What is read aloud of the label of an image."""
    said = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            said.append(" ")
        elif token.type == "image":
            said.append(_words(token.children or []))
        elif token.type != "html_inline":
            said.append(token.content)
    return "".join(said)


def _html_images(source: str, at: int = 0) -> Iterator[MarkdownImage]:
    """The `img` tags of HTML; places count from `at`."""
    for tag in _TAG.finditer(source):
        start, end = at + tag.start(), at + tag.end()
        attributes = {m["name"].lower(): m for m in _ATTRIBUTE.finditer(tag[0])}
        url = _attribute(attributes.get("src"))
        if not url:
            continue
        place = start + len("<img")
        given = attributes.get("alt")
        cut, lead = (place, place), ' alt="'
        alt = None
        if given is not None:
            cut, lead = (start + given.start(), start + given.end()), 'alt="'
            words = _attribute(given)
            alt = "" if not words.strip() else heard(words, url)
        yield MarkdownImage(url, alt, start, end, cut, lead, '"', in_html=True)


def _attribute(match: re.Match[str] | None) -> str:
    value = (match["value"] or "") if match else ""
    return html.unescape(value.strip("\"'") if value[:1] in ("'", '"') else value)


class _Places:
    """Where the content of a block stands in the text: its lines without their markers.

    `cells` holds, for each line of a table, where the cells that were seen of it end.
    """

    def __init__(
        self,
        token: Token,
        lines: Sequence[str],
        starts: Sequence[int],
        cells: dict[int, int] | None,
    ) -> None:
        first = token.map[0] if token.map else 0
        # (place in the content, place in the text, length) of each line, None for a strange one.
        self._lines: list[tuple[int, int, int] | None] = []
        at = 0
        for number, content in enumerate(token.content.split("\n"), first):
            line = lines[number] if number < len(lines) else ""
            if cells is None:
                column = _column(line, content)
            else:
                column = line.find(content, cells.get(number, 0))
                cells[number] = max(column, 0) + len(content)
            there = column >= 0
            self._lines.append((at, starts[number] + column, len(content)) if there else None)
            at += len(content) + 1

    def moved(self, image: MarkdownImage) -> MarkdownImage | None:
        """The image with its places in the text; None where one cannot be told."""
        places = [self._place(p) for p in (image.start, image.end, *image.cut)]
        if None in places:
            return None
        start, end, first, last = (place or 0 for place in places)
        return replace(image, start=start, end=end, cut=(first, last))

    def _place(self, place: int) -> int | None:
        for line in self._lines:
            if line is not None and line[0] <= place <= line[0] + line[2]:
                return line[1] + place - line[0]
        return None


def _column(line: str, content: str) -> int:
    """Where the content of a line begins in it; -1 where that is not certain."""
    for whole in (line, line.rstrip()):
        if whole.endswith(content):
            return len(whole) - len(content)
    return line.find(content) if line.count(content) == 1 else -1
