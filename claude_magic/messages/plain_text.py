"""Printed text as a model reads it: without colours, overwritten lines and addresses, and short."""

from __future__ import annotations

import re

from .blocks import replace_surrogates

TEXT_LIMIT = 8_000
"""Characters kept of one text by default."""

_MOST_READ = 2_000_000
"""Longer terminal text is cut in the middle before it is read character by character."""

_MARK = "[… {:,} characters left out …]"
_MARKED = re.compile(r"\n?\[… ([0-9,]+) characters left out …\]\n?")

# ECMA-48: CSI, then OSC and the other strings (ended by ST or BEL, never past a line's end, so
# that an unclosed one hides no text), then two-character sequences.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
)
_ERASE = re.compile(r"(?:\x1b\[|\x9b)0?K")
_ERASE_ALL = re.compile(r"(?:\x1b\[|\x9b)2K")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOVE = re.compile(r"[\r\b\x00\x01]")
_ADDRESS = re.compile(r"(?<= at )0x[0-9A-Fa-f]+|(?<=[ =<])0x[0-9A-Fa-f]{8,16}(?=[^<>\n]{0,200}>)")


def trim_middle(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text`, or its start and end with a line between them that counts what was left out.

    Of a longer text about `limit` characters stay, two thirds of them from its start, cut at line
    ends where one is near. A mark of this kind within what is left out is counted in.
    """
    if len(text) <= limit:
        return text
    head_end, tail_start = limit * 2 // 3, len(text) - limit // 3
    line_end = text.rfind("\n", head_end * 3 // 4, head_end)
    head_end = line_end if line_end >= 0 else _word_start(text, head_end)
    line_start = text.find("\n", tail_start, tail_start + limit // 12)
    tail_start = line_start + 1 if line_start >= 0 else _word_end(text, tail_start)
    left_out = tail_start - head_end
    if left_out <= _MOST_READ:
        for mark in _MARKED.finditer(text, head_end, tail_start):
            left_out += int(mark[1].replace(",", "") or 0) - len(mark[0])
    return f"{text[:head_end].rstrip()}\n{_MARK.format(left_out)}\n{text[tail_start:]}"


def terminal_text(text: str) -> str:
    r"""What a terminal shows in the end: `\r` and `\b` overwrite, colours and other codes go.

    Object addresses are masked, as in `mask_addresses`; lone surrogates become U+FFFD.
    """
    text = trim_middle(text, _MOST_READ).replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_overwritten, text.split("\n")))
    text = _CONTROL.sub("", _ANSI.sub("", text))
    return mask_addresses(replace_surrogates(text))


def mask_addresses(text: str) -> str:
    """`text` with `<Thing at 0x7f…>` as `<Thing at 0x…>`: the same object, the same bytes."""
    return _ADDRESS.sub("0x…", text)


def _overwritten(line: str) -> str:
    r"""One line after its `\r`, `\b` and erasing codes; other codes are dropped."""
    if "\r" not in line and "\b" not in line:
        return line
    line = line.replace("\0", "").replace("\1", "")
    line = _ANSI.sub("", _ERASE_ALL.sub("\1", _ERASE.sub("\0", line)))
    shown: list[str] = []
    column = start = 0
    for move in (*_MOVE.finditer(line), None):
        piece = line[start : move.start() if move else len(line)]
        shown[column : column + len(piece)] = piece
        column += len(piece)
        if move is None:
            break
        start = move.end()
        if move[0] in ("\0", "\1"):
            del shown[column if move[0] == "\0" else 0 :]
            shown += " " * (column - len(shown))
        else:
            column = 0 if move[0] == "\r" else max(0, column - 1)
    return "".join(shown).rstrip(" ")


def _word_start(text: str, position: int) -> int:
    """The start of the word that `position` would cut, unless the word is long."""
    return max(text.rfind(" ", max(0, position - 40), position), -1) + 1 or position


def _word_end(text: str, position: int) -> int:
    end = text.find(" ", position, position + 40)
    return end if end >= 0 else position
