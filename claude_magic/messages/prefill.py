"""How a reply starts, where the model takes no prefill: as a choice, or asked for in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Literal, TypeAlias

from .blocks import Block

Emulated: TypeAlias = bool | Literal["choice"]
"""False: sent as the API has it; True: asked for in words; "choice": as one of several."""
CHOICE: Literal["choice"] = "choice"

_FIELD = "answer"
_BRACKETS = {"(": r"\(([{}])\)", "[": r"\[([{}])\]"}
_ALPHABETS = (ascii_uppercase, ascii_lowercase, "123456789")
# The JSON of a choice is short; after so many characters no label is looked for.
_LONGEST_CHOICE = 4_000
_CHOSEN = re.compile(rf'"{_FIELD}"\s*:\s*"([^"\\]*)"')


def labels(text: str, bracket: str = "(") -> Sequence[str]:
    """The labels of "(A) one thing, (B) another", from the first letter on; [] if none."""
    for alphabet in _ALPHABETS:
        found = dict.fromkeys(re.findall(_BRACKETS[bracket].format(alphabet), text))
        pairs = zip(alphabet, found, strict=False)
        in_order = [label for label, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        if len(in_order) > 1:
            return in_order
    return []


def choices(content: Iterable[Block], prefill: str) -> Sequence[str]:
    """What completes `prefill`, if it ends in a bracket and the question offers such choices."""
    texts = [str(block["text"]) for block in content if block.get("type") == "text"]
    bracket = prefill[-1:]
    return labels(texts[-1], bracket) if texts and bracket in _BRACKETS else []


def choice_format(offered: Sequence[str], prefill: str) -> Mapping[str, Any]:
    """The `output_config.format` by which the reply is one of the labels and nothing else."""
    about = f"What stands next in an answer that begins: {prefill}"
    answer = {"type": "string", "enum": list(offered), "description": about}
    return {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {_FIELD: answer},
            "required": [_FIELD],
            "additionalProperties": False,
        },
    }


def instruction(prefill: str) -> str:
    """The words that ask for an answer that begins so."""
    return (
        "Begin your answer with exactly the text between the marks and go on from its last "
        f"character, with nothing before it: «{prefill}»"
    )


def completed(received: str, prefill: str, emulated: Emulated) -> str:
    """The text to show for `received`: the prefill once, then what goes on from it."""
    return Opening(prefill, emulated).feed(received)


class Opening:
    """How a reply begins, as it comes: the prefill once, whether the model repeats it or not.

    Of one that was asked for as a choice, the label that completes it and nothing else. What `feed`
    returns is to be appended to what it returned before, however the text is cut into pieces.
    """

    def __init__(self, prefill: str, emulated: Emulated = False) -> None:
        self._prefill = prefill
        self._emulated = emulated
        self._begun = self._over = False
        self._passing = not emulated
        self._received = ""

    def feed(self, text: str) -> str:
        """What of the reply can be shown now."""
        said = "" if self._begun else self._prefill
        self._begun = True
        if self._passing:
            return said + text
        return said if self._over else said + self._decided(text)

    def _decided(self, text: str) -> str:
        """What goes on from the prefill, once it is known where that is."""
        start = self._received = (self._received + text).lstrip()
        if self._emulated == CHOICE and (not start or start.startswith("{")):
            found = _CHOSEN.search(start, 0, _LONGEST_CHOICE)
            self._over = found is not None or len(start) > _LONGEST_CHOICE
            return found[1] if found else ""
        if self._prefill.startswith(start):  # not yet past the prefill
            return ""
        self._passing = True
        return start.removeprefix(self._prefill)
