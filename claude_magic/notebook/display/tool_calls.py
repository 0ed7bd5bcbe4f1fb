"""Calls of tools as they stand in the cell; the many steps on a desktop in one output.

While it runs, the newest steps as lines with the newest picture below them; when it is over, all
steps folded, each with its picture, which opens. So a long run has few outputs, and stays small.
"""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...messages.blocks import Block, content_blocks, is_call
from ...messages.plain_text import count
from ...rendering import STYLE, escape, plain
from ...rendering.part_bundles import given_to
from ...rendering.reply import outcome_of
from ...rendering.style import box, code, line
from ...value_classes import mutable
from . import header_footer
from .header_footer import Bundle

if TYPE_CHECKING:
    from ...tools.tool import Tool
    from .output_slots import Slot


def asked(call: Block, tool: Tool) -> Bundle:
    """A call that is to be allowed: its name and all that it would run, every character visible."""
    language, given = (
        tool.preview(call["input"]) if tool.preview else given_to("", call.get("input"))
    )
    given = visible(given)
    rows = given.count("\n") + 1
    lines = f", {count(rows, 'line')}" if rows > 1 else ""
    top = f"{name(call)} is to run{lines}:"
    return {
        "text/html": STYLE + box(line(top) + code(given, language)),
        "text/plain": f"{top}\n{given}",
    }


def name(call: Mapping[str, object]) -> str:
    """What is called, for the line that says what is under way."""
    return plain(str(call.get("name")))


def visible(text: str) -> str:
    r"""`text` with what would not be seen, or shown in another order than it stands, as `\u202e`.

    Whoever allows code has to see all of it: control characters, bidi overrides, zero widths.
    """
    return "".join(c if _is_seen(c) else _escaped(c) for c in text)


def _is_seen(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


__all__ = ["DesktopView", "is_call", "strip", "text"]

_LIVE_LINES = 6
_LIVE_WIDTH, _LIVE_QUALITY = 960, 70
_KEPT_WIDTH, _KEPT_QUALITY = 640, 55
_SHEET_WIDTH = 1200
# What all pictures of a run may take in the saved notebook, in bytes; the strip shows every step.
_MOST_KEPT = 400_000


@mutable
class _Row:
    """One step: `picture` a small image as a `data:` URI or "", `words` what failed."""

    number: int
    call: Block
    line: str
    outcome: str = ""
    seconds: float | None = None
    picture: str = ""
    words: str = ""

    @property
    def said(self) -> str:
        took = "" if self.seconds is None else f" · {self.seconds:.1f} s"
        return f"{self.number}. {self.line}{took}" + (f" · {self.outcome}" if self.outcome else "")


class DesktopView:
    """Shows the steps of one question, batch after batch, as long as nothing is said between them.

    `take` gives the output for those that follow on each other; without `streaming` they are shown
    once, when they are over.
    """

    def __init__(self, take: Callable[[], Slot], *, streaming: bool) -> None:
        self._take = take
        self._streaming = streaming
        self._slot: Slot | None = None
        self._rows: list[_Row] = []
        self._count = self._kept = 0
        self._newest = ""

    @property
    def open(self) -> bool:
        """Whether there are steps that are not over."""
        return bool(self._rows)

    def calling(self, call: Block) -> None:
        """A step begins."""
        from ...computer.actions import line as step_line

        self._count += 1
        self._rows.append(_Row(self._count, call, step_line(call)))
        self._show()

    def seen(self, picture: bytes) -> None:
        """The picture of the step that runs."""
        row = self._rows[-1]
        if self._streaming:
            self._newest = _uri(picture, _LIVE_WIDTH, _LIVE_QUALITY)
        if self._kept < _MOST_KEPT:
            row.picture = _uri(picture, _KEPT_WIDTH, _KEPT_QUALITY)
            self._kept += len(row.picture)

    def called(self, call: Block, result: Block, seconds: float | None) -> None:
        """The step is over. One of the record has the picture that the model saw."""
        if seconds is None:
            from ...computer.carrying_out import recorded

            picture = recorded(call, result).picture
            if picture is not None:
                self.seen(picture)
        row = self._rows[-1]
        row.outcome, row.seconds = outcome_of(result), seconds
        row.words = _words(result) if result.get("is_error") else ""
        self._show()

    def close(self) -> None:
        """What follows stands below: fold the steps that were shown."""
        if not self._rows:
            return
        slot = self._slot or self._take()
        slot.show(self._finished())
        self._slot, self._rows, self._newest = None, [], ""

    def _show(self) -> None:
        if not self._streaming:
            return
        self._slot = self._slot or self._take()
        said = [_line(row) for row in self._rows[-_LIVE_LINES:]]
        image = f'<img class="claude-magic-screen" src="{self._newest}" alt="The virtual desktop">'
        self._slot.show(
            {
                "text/html": box("".join(said) + (image if self._newest else "")),
                "text/plain": _plain(self._rows),
            }
        )

    def _finished(self) -> Bundle:
        for row in self._rows:
            row.outcome = row.outcome or "stopped"
        folded = (
            f'<details class="claude-magic-fold"><summary>{escape(_top(self._rows))}</summary>'
            f"{''.join(map(_folded, self._rows))}</details>"
        )
        return {"text/html": box(folded), "text/plain": _plain(self._rows)}


def text(call: Block, result: Block, seconds: float | None) -> str:
    """A step as a line of a terminal, with what failed."""
    from ...computer.actions import line as step_line

    took = "" if seconds is None else f" · {seconds:.1f} s"
    said = f"[{step_line(call)}{took} · {outcome_of(result)}]"
    return said + (f": {_words(result)}" if result.get("is_error") else "")


def strip(pictures: Sequence[bytes | None]) -> Bundle:
    """All pictures on one sheet, each with its step's number; nothing where there is none."""
    if not any(pictures):
        return {}
    from ...computer.screen_pictures import strip as drawn

    sheet = drawn(pictures)
    source = f"data:image/png;base64,{b64encode(sheet).decode()}"
    if len(source) > _MOST_KEPT:  # of photographs a PNG is large
        source = min(source, _uri(sheet, _SHEET_WIDTH, _KEPT_QUALITY), key=len)
    image = f'<img class="claude-magic-screen" src="{source}"'
    shown = count(sum(picture is not None for picture in pictures), "picture")
    return {
        "text/html": box(f'{image} alt="The desktop after each step">'),
        "text/plain": f"[{shown} of the desktop]",
    }


def _line(row: _Row) -> str:
    """HTML of a step's line, with the spaces that were typed."""
    return f'<div class="claude-magic-line claude-magic-step">{escape(row.said)}</div>'


def _folded(row: _Row) -> str:
    words = f'<div class="claude-magic-pre">{escape(row.words)}</div>' if row.words else ""
    return (
        _line(row) + words + (header_footer.opening(row.picture, row.said) if row.picture else "")
    )


def _top(rows: Sequence[_Row]) -> str:
    """For example "5 steps on the desktop · 3.2 s · 1 not done"."""
    known = [row.seconds for row in rows if row.seconds is not None]
    took = f" · {sum(known):.1f} s" if known else ""
    failed = sum(row.outcome != "ok" for row in rows)
    return f"{count(len(rows), 'step')} on the desktop{took}" + (
        f" · {failed} not done" if failed else ""
    )


def _plain(rows: Sequence[_Row]) -> str:
    lines = (f"{row.said}: {row.words}" if row.words else row.said for row in rows)
    return plain("\n".join(lines))


def _words(result: Mapping[str, object]) -> str:
    parts = content_blocks(result) if result.get("content") else []
    return "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")


def _uri(picture: bytes, width: int, quality: int) -> str:
    from ...computer.screen_pictures import small

    return f"data:image/webp;base64,{b64encode(small(picture, width, quality)).decode()}"
