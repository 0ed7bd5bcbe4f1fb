"""Text of a model as a terminal, or any plain view, may show it."""

from __future__ import annotations

import re

# What never reaches a screen: C0 but tab and newline, DEL, C1, and the bidi embeddings, overrides
# and isolates that can make source read in another order than it runs (Unicode TR 36). The marks
# U+200E and U+200F, which right-to-left text needs, reorder nothing and stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATE_START, _SURROGATE_END = "\ud800", "\udfff"

# ECMA-48: introducers of a control sequence and of the strings (DCS, SOS, OSC, PM, APC), in their
# 7-bit form (after ESC) and their 8-bit form.
_STRING_AFTER_ESC = frozenset("PX]^_")
_STRING_C1 = frozenset("\x90\x98\x9d\x9e\x9f")
_CSI_C1, _ST_C1 = "\x9b", "\x9c"

# A sequence that is not finished ends here at the latest: an unterminated string must not swallow
# the rest of a reply.
_ABORT_STRING = re.compile(r"[\x07\n\r\x18\x1a\x1b\x9c]")
_CSI_PARAMETERS = re.compile(r"[ -?]*")

_TEXT, _AFTER_ESC, _IN_CSI, _IN_STRING, _IN_STRING_ESC = range(5)


class TerminalFilter:
    """Removes control characters and escape sequences from text that comes in pieces.

    However the text is cut into pieces, the results joined are the same. Nothing is held back, so
    there is nothing to flush: an unfinished sequence is dropped.
    """

    def __init__(self) -> None:
        self._state = _TEXT
        self._after_return = False
        self.midway = False
        """Whether what came so far ends within a sequence, or with what may be half a line end."""

    def feed(self, chunk: str) -> str:
        """What of `chunk` may be shown. CR and CRLF become a newline, a lone surrogate U+FFFD."""
        out: list[str] = []
        position = 0
        while position < len(chunk):
            if self._state == _TEXT:
                position = self._text(chunk, position, out)
            elif self._state == _IN_STRING:
                position = self._string(chunk, position)
            else:
                position = self._sequence(chunk, position)
        self.midway = self._after_return or self._state != _TEXT
        return "".join(out)

    def _text(self, chunk: str, position: int, out: list[str]) -> int:
        if self._after_return:
            self._after_return = False
            if chunk[position] == "\n":
                return position + 1
        found = _CONTROL.search(chunk, position)
        if found is None:
            out.append(chunk[position:])
            return len(chunk)
        out.append(chunk[position : found.start()])
        char = found.group()
        if char == "\r":
            out.append("\n")
            self._after_return = True
        elif char == "\x1b":
            self._state = _AFTER_ESC
        elif char == _CSI_C1:
            self._state = _IN_CSI
        elif char in _STRING_C1:
            self._state = _IN_STRING
        elif _SURROGATE_START <= char <= _SURROGATE_END:
            out.append("\N{REPLACEMENT CHARACTER}")
        return found.end()

    def _string(self, chunk: str, position: int) -> int:
        found = _ABORT_STRING.search(chunk, position)
        if found is None:
            return len(chunk)
        if found.group() == "\x1b":
            self._state = _IN_STRING_ESC
            return found.end()
        self._state = _TEXT
        # A line end is text again; the other ends belong to the string.
        return found.start() if found.group() in "\r\n" else found.end()

    def _sequence(self, chunk: str, position: int) -> int:
        """Goes on after ESC, within a control sequence, or after ESC within a string."""
        char = chunk[position]
        if self._state == _IN_CSI:
            end = _CSI_PARAMETERS.match(chunk, position).end()  # type: ignore[union-attr]  # `*`
            if end == len(chunk):
                return end
            self._state = _TEXT
            return end + 1 if "@" <= chunk[end] <= "~" else end
        if self._state == _IN_STRING_ESC and char == "\\":
            self._state = _TEXT
            return position + 1
        if char == "[":
            self._state = _IN_CSI
        elif char in _STRING_AFTER_ESC:
            self._state = _IN_STRING
        elif " " <= char <= "/":
            self._state = _AFTER_ESC  # an intermediate byte; more may follow
        else:
            self._state = _TEXT
            return position + 1 if "0" <= char <= "~" else position
        return position + 1


def plain(text: str) -> str:
    """`text` without control characters, escape sequences (ECMA-48, 7 and 8 bit) or bidi overrides.

    Tabs and newlines stay; CR and CRLF become a newline; a lone surrogate becomes U+FFFD.
    """
    if _CONTROL.search(text) is None:
        return text
    return TerminalFilter().feed(text)
