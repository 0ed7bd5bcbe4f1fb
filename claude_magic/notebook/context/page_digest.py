"""What stands on the page as short digests: what a question is recognised by, in any wording.

A digest is of what a cell holds or showed, whole, before anything is trimmed, drawn, scaled, left
out or put between marks. So a recorded reply answers for as long as the page is the same, however
the page is described to the model.

What the same code shows twice is the same here: colour codes, object addresses, text chunks of a
PNG, the random names within an SVG are no part of it. Of an error its last line counts: the frames
above it are told in one way by the kernel and in another by the saved notebook.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from ...conversation.asking.question import Standing
from ...conversation.turns import thing_digest
from ...messages.errors import ImageError
from ...messages.plain_text import mask_addresses, terminal_text
from .outputs import IMAGES, SILENT, chart_spec, joined, words_of

PICTURE = "picture"
# Long enough for any text of an output, so that nothing is cut.
_NO_LIMIT = 1 << 40
_EMBEDDED = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"']data:(image/[\w.+-]+);base64,([^\"']+)", re.I)
# What loading says the second time: no part of the analysis.
_LOADED = re.compile(
    r"The claude_magic extension is already loaded. To reload it, use:\n"
    r"\s*%reload_ext claude_magic\n?"
)
_SVG_NAMES = re.compile(r"\bid\s*=\s*[\"']([^\"']+)[\"']")
_SVG_DATED = re.compile(r"<metadata\b.*?</metadata>|<!--.*?-->", re.DOTALL)


class PageOutput(Protocol):
    """An output: `bundle` where it was displayed, else `error` or printed `text`."""

    @property
    def bundle(self) -> Mapping[str, Any] | None: ...
    @property
    def text(self) -> object: ...
    @property
    def error(self) -> str: ...


class PageCell(Protocol):
    """A cell of the page: `kind` is code, markdown or raw; an empty source is not looked at."""

    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def outputs(self) -> Sequence[PageOutput]: ...


def page_digests(cells: Iterable[PageCell], *, figures: bool = True) -> tuple[str, ...]:
    """A digest per thing that the cells hold, from top to bottom: "code-…", "output-…" and so on.

    Of each cell its source, then its outputs. Pictures are among them where `figures` go along.
    """
    return tuple(
        digest
        for cell in cells
        for digest in (*_source(cell), *_outputs(cell.outputs))
        if figures or not digest.startswith(PICTURE)
    )


def standing(
    cells: Iterable[PageCell], pictures: Callable[[Any], Sequence[str]]
) -> Sequence[Standing]:
    """The same things whole. `pictures` gives the base64 data of an output's as they are sent."""
    found: list[Standing] = []
    for cell in cells:
        found.append(Standing(cell.kind, cell.source))
        for output, stream in _apart(cell.outputs):
            if output is None:
                found.append(Standing("output", printed(stream)))
            elif output.bundle is None:
                found.append(Standing("output", _last_line(output.error), ending=True))
            else:
                words = words_of(output.bundle, _NO_LIMIT)
                found.append(Standing("output", words, tuple(pictures(output))))
    return found


def picture_digest(media_type: str, data: bytes) -> str:
    """The digest of a picture: of its pixels as they are stored, and not of what is noted there."""
    if media_type == "image/svg+xml":
        return thing_digest(PICTURE, _svg(data.decode("utf-8", "replace")))
    from ...messages.images.structure import check

    try:
        return thing_digest(PICTURE, check(data, media_type).data)
    except (ImageError, KeyError):  # damaged, or of a kind without a structure that is known
        return thing_digest(PICTURE, data)


def printed(text: str) -> str:
    """Printed text as it counts: what a terminal shows in the end, without what ends it."""
    return _short(text) if len(text) < _SHORT_TEXT else _printed(text)


def _printed(text: str) -> str:
    shown = terminal_text(text)
    if "claude_magic" in shown:
        shown = _LOADED.sub("", shown)
    return shown.rstrip()


# The same outputs are looked at by each question; a few long ones are not worth their memory.
_SHORT_TEXT = 8_000
_SMALL_PICTURE = 300_000  # characters of base64
_MOST_PICTURES = 200
# By the id of what is held beside it: to hash the text itself takes as long as to decode it.
_pictures: dict[int, tuple[object, str, str]] = {}
_short = lru_cache(maxsize=2_000)(_printed)


def _source(cell: PageCell) -> Iterator[str]:
    if source := cell.source.strip():
        yield thing_digest(cell.kind, source)


def _outputs(outputs: Iterable[PageOutput]) -> Iterator[str]:
    """The digests of a cell's outputs; what was printed in pieces is one text."""
    for output, stream in _apart(outputs):
        if output is None:
            if shown := printed(stream):
                yield thing_digest("output", shown)
        elif output.bundle is None:
            yield thing_digest("output", _last_line(output.error))
        else:
            yield from _displayed(output.bundle)


def _apart(outputs: Iterable[PageOutput]) -> Iterator[tuple[PageOutput | None, str]]:
    """Each output that was displayed or is an error; in place of others their text, joined."""
    stream = ""
    for output in outputs:
        if output.bundle is None and not output.error:
            stream += str(output.text or "")
            continue
        if stream:
            yield None, stream
        stream = ""
        yield output, ""
    if stream:
        yield None, stream


def _last_line(error: str) -> str:
    *_, last = printed(error).split("\n")
    return last.strip()


def _displayed(bundle: Mapping[str, Any]) -> Iterator[str]:
    """The digest of the one picture that a bundle holds in some form, else of its words."""
    # First what a picture was drawn from: JupyterLab adds one to a chart that it has drawn.
    if chart := chart_spec(bundle):
        yield thing_digest(PICTURE, json.dumps(chart, sort_keys=True, default=str))
        return
    for kind in IMAGES:
        if bundle.get(kind) is not None:
            yield _picture(kind, bundle[kind])
            return
    embedded = _EMBEDDED.findall(joined(bundle.get("text/html", "")))
    for kind, data in embedded:
        yield _picture(kind.lower(), data)
    words = words_of(bundle, _NO_LIMIT).strip()
    if embedded and re.fullmatch(r"<[^<>]*>", mask_addresses(words)):
        words = ""  # what an object is called whose picture stands there
    if not words and not embedded:
        words = next((kind for kind in bundle if not re.fullmatch(SILENT, kind)), "")
    if words:
        yield thing_digest("output", words)


def _picture(kind: str, value: object) -> str:
    """The digest of a picture; the same pictures are looked at by each question."""
    held = _pictures.get(id(value))
    if held is None or held[0] is not value or held[1] != kind:
        if len(_pictures) >= _MOST_PICTURES:
            _pictures.clear()
        held = value, kind, picture_digest(kind, _data(kind, value))
        if isinstance(value, str) and len(value) < _SMALL_PICTURE:
            _pictures[id(value)] = held
    return held[2]


def _data(kind: str, value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    text = joined(value)
    try:
        return text.encode() if kind == "image/svg+xml" else a2b_base64(text)
    except ValueError:  # no base64
        return text.encode("utf-8", "replace")


def _svg(source: str) -> str:
    """An SVG without comments and dates, its names numbered as they come."""
    source = _SVG_DATED.sub("", source)
    numbers: dict[str, str] = {}
    for name in _SVG_NAMES.findall(source):
        numbers.setdefault(name, f"n{len(numbers)}")
    if not numbers:
        return source
    names = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
    return re.sub(rf"(?<=[\"'#])(?:{names})(?=[\"')])", lambda found: numbers[found[0]], source)
