"""Text of cells, outputs, files and errors as a model or a user may read it: short, and as data."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from hashlib import sha256

from .blocks import replace_surrogates
from .credentials import Secret, mask
from .errors import ClaudeError, Interrupted

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
    text = trim_middle(text, _MOST_READ)
    # Far quicker than to look for what is to go; a lone surrogate is not printable.
    if not text.replace("\n", "").replace("\t", "").isprintable():
        text = text.replace("\r\n", "\n")
        if "\r" in text or "\b" in text:
            text = "\n".join(map(_overwritten, text.split("\n")))
        text = replace_surrogates(_CONTROL.sub("", _ANSI.sub("", text)))
    return mask_addresses(text)


def mask_addresses(text: str) -> str:
    """`text` with `<Thing at 0x7f…>` as `<Thing at 0x…>`: the same object, the same bytes."""
    return _ADDRESS.sub("0x…", text) if "0x" in text else text


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


def wrap(tag: str, text: str, **attributes: object) -> str:
    """`text`, verbatim, between `<tag-1f2e3d4c name="value">` and `</tag-1f2e3d4c>`.

    The eight hex digits are the start of a digest of tag, attributes and text, taken again with
    the next counter for as long as text or attributes hold them. So the same content gives the
    same bytes (prompt caches and replay need that), the content needs no escaping that a model
    would have to read through, and no content can hold the closing tag: not one that was written
    against this function either, since the digits that it foresees are passed over.

    An attribute that is None is left out; in the others what could end a tag is escaped.
    """
    shown = "".join(
        f' {name}="{value if type(value) is int else _escaped(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    nonce = _nonce(tag, shown, text)
    return f"<{tag}-{nonce}{shown}>\n{text}\n</{tag}-{nonce}>"


def _nonce(tag: str, shown: str, text: str) -> str:
    """Eight hex digits that stand in none of the arguments, in upper case neither."""
    content = f"{tag}\0{shown}\0{text}"
    folded = content.lower()
    digest = sha256(content.encode("utf-8", "surrogatepass"))
    for attempt in itertools.count():
        nonce = sha256(digest.digest() + b"%d" % attempt).hexdigest()[:8]
        if nonce not in folded:
            return nonce
    raise AssertionError  # a text of 32 GB would be needed to hold every nonce


@lru_cache(maxsize=200)
def _escaped(value: str) -> str:
    """An attribute's value without quotes, angle brackets and line breaks."""
    one_line = " ".join(value.split())
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        one_line = one_line.replace(character, entity)
    return one_line


_LONGEST = 200  # characters of a message that is not ours


def in_a_line(error: BaseException, *secrets: Secret | None) -> str:
    """What an error says, in one line with no key in it.

    Ours is shown as it is; of another its kind and the start of its message. `secrets` are masked,
    and whatever looks like a key.
    """
    if isinstance(error, ClaudeError | Interrupted):
        return str(error)
    try:
        said = " ".join(str(error).split())
    except Exception:  # a foreign __str__ may raise too; the kind is known
        said = "(no message)"
    said = mask(said, *secrets)
    if len(said) > _LONGEST:
        said = said[: _LONGEST - 1] + "…"
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind


def count(number: int, noun: str) -> str:
    """For example "1 cell", "4,000 cells"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def dollars(amount: float) -> str:
    """USD with the digits that matter: "$0.004", "$1.25"."""
    if amount >= 0.995:
        return f"${amount:,.2f}"
    if amount >= 0.0005:
        return f"${amount:.3f}"
    return "$0" if amount == 0 else f"${amount:.5f}"
