"""What the JupyterLab extension and the kernel say to each other of the page, and its check.

A message is a TypedDict of texts, numbers, lists and other messages; `Text` and `Most` say more
than a type can. The lab extension's types and checks are made from the same classes, by
`labextension/generate.py`. pydantic would do this too, but takes longer to import than the rest of
the extension takes to load, and a page speaks as soon as that is loaded.

`labextension/src/generated/page.ts` is made from this; what comes in is checked on both sides.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeAlias,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from ...value_classes import frozen


class UnfitError(ValueError):
    """A message has not the form that was agreed; says where and why, in words of ours alone."""


@frozen
class TextLimit:
    """A text of at most so many characters, all of which match a regular expression."""

    longest: int
    pattern: str = ""

    def check(self, value: Any, at: str) -> None:
        if len(value) > self.longest:
            raise UnfitError(f"{at} has more than {self.longest:,} characters")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise UnfitError(f"{at} is not of the form that was agreed")


@frozen
class NumberLimit:
    """A list of at most so many, or a whole number from 0 to this."""

    most: int

    def check(self, value: Any, at: str) -> None:
        if isinstance(value, int):
            if not 0 <= value <= self.most:
                raise UnfitError(f"{at} is not between 0 and {self.most:,}")
        elif len(value) > self.most:
            raise UnfitError(f"{at} holds more than {self.most:,}")


@cache
def fields(message: Any) -> Mapping[str, tuple[Any, bool]]:
    """The type of each field of a TypedDict, and whether it may be missing."""
    hints = get_type_hints(message, include_extras=True)
    return {
        name: (get_args(hint)[0], True) if get_origin(hint) is NotRequired else (hint, False)
        for name, hint in hints.items()
    }


def checked(value: object, kind: Any, at: str = "the message") -> Any:
    """`value` as `kind` has it: fields that were not agreed are left behind. Raises UnfitError."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_typeddict(kind):
        return _message(value, kind, at)
    if origin is Annotated:
        found = checked(value, arguments[0], at)
        for limit in arguments[1:]:
            limit.check(found, at)
        return found
    if origin is Literal:
        if isinstance(value, str) and value in arguments:
            return value
        raise UnfitError(f"{at} is none of {', '.join(map(str, arguments))}")
    if origin in (Union, types.UnionType):
        return _one_of(value, arguments, at)
    if origin is list:
        items = _a(list, value, at, "list")
        return [checked(item, arguments[0], f"{at}[{n}]") for n, item in enumerate(items)]
    if origin is tuple:
        if not isinstance(value, list | tuple) or len(value) != len(arguments):
            raise UnfitError(f"{at} is no list of {len(arguments)}")
        pairs = zip(value, arguments, strict=True)
        return tuple(checked(item, each, f"{at}[{n}]") for n, (item, each) in enumerate(pairs))
    if origin in (dict, Mapping):
        entries = _a(dict, value, at, "object")
        return {
            _a(str, key, f"a key of {at}", "text"): checked(held, arguments[1], f"a value of {at}")
            for key, held in entries.items()
        }
    return _plain(value, kind, at)


def _message(value: object, kind: Any, at: str) -> dict[str, Any]:
    given = _a(dict, value, at, "object")
    found = {}
    for name, (hint, may_be_missing) in fields(kind).items():
        if name in given:
            found[name] = checked(given[name], hint, f"{at}.{name}")
        elif not may_be_missing:
            raise UnfitError(f"{at} has no {name}")
    return found


def _one_of(value: object, kinds: Sequence[Any], at: str) -> Any:
    """The value as the one of these messages that it says it is; or None, where that is allowed."""
    if value is None and types.NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not types.NoneType]
    if len(others) == 1:
        return checked(value, others[0], at)
    for kind in others:
        name, words = _tag(kind)
        said = value.get(name) if isinstance(value, dict) else None
        if isinstance(said, str) and said in words:
            return checked(value, kind, said)
    raise UnfitError(f"{at} is of no kind that was agreed")


@cache
def _tag(message: Any) -> tuple[str, tuple[str, ...]]:
    """The field that tells a message from others, its first choice of words, and the words."""
    choices = ((name, hint) for name, (hint, _) in fields(message).items())
    return next((name, get_args(hint)) for name, hint in choices if get_origin(hint) is Literal)


_PLAIN = {str: "text", bool: "yes or no", int: "whole number", float: "number"}


def _plain(value: object, kind: Any, at: str) -> Any:
    # JSON writes a float that is whole without its point.
    allowed = (int, float) if kind is float else (kind,)
    if type(value) in allowed:
        return value
    raise UnfitError(f"{at} is no {_PLAIN[kind]}")


def _a(kind: Any, value: object, at: str, name: str) -> Any:
    if isinstance(value, kind):
        return value
    raise UnfitError(f"{at} is no {name}")


MOST_CELLS = 20_000

CellId = Annotated[str, TextLimit(256, r"[\s\S]+")]
ConversationId = Annotated[str, TextLimit(128, r"[A-Za-z0-9][A-Za-z0-9._-]*")]
SourceText = Annotated[str, TextLimit(1_000_000)]
Count = Annotated[int, NumberLimit(MOST_CELLS)]
Number = Annotated[int, NumberLimit(2**53 - 1)]
Tag = Annotated[str, TextLimit(100)]


class PageMessage(TypedDict):
    """Where the notebook is and what cells it has, sent before what is run next.

    `path` is relative to `root`, None if the file is not in the server's own file system; `root` is
    the folder that the server serves and may begin with `~`. `conversation` is from the notebook's
    metadata. `cells` are the ids of all cells from top to bottom. With `fresh` this page knows
    nothing of the kernel yet: the kernel then says what it ran.
    """

    type: Literal["page"]
    path: str | None
    root: str
    conversation: ConversationId | None
    cells: Annotated[list[CellId], NumberLimit(MOST_CELLS)]
    fresh: bool


class ChangedCell(TypedDict):
    """A cell as it stands on the page now.

    `source` is not there where it is as told before; it is the first part of the text if that is
    too long, and `missing` is how many characters follow. `count` is the execution count and
    `outputs` how many outputs the cell shows; both are None while it runs or waits to be run, when
    they would say nothing that still holds once this is read.
    """

    id: CellId
    kind: Literal["code", "markdown", "raw"]
    source: NotRequired[SourceText]
    missing: NotRequired[Number]
    count: Number | None
    outputs: Number | None
    tags: Annotated[list[Tag], NumberLimit(100)]


class CellsMessage(TypedDict):
    """The cells that changed since they were last told, sent after the page message with their ids.

    Without any cell it says only that this page, and no other of the notebook's, is what comes next
    belongs to.
    """

    type: Literal["cells"]
    cells: Annotated[list[ChangedCell], NumberLimit(MOST_CELLS)]


class MarkMessage(TypedDict):
    """This ends what a page tells before a question of its panel, which names the mark.

    The question comes another way, and may be there first.
    """

    type: Literal["mark"]
    mark: CellId


class ToldCell(TypedDict):
    """A code cell that the kernel did not run, with what it shows, or a Markdown cell's pictures.

    `outputs` are as in the file, but for what is not sent; each is checked by itself. None: the
    kernel is to forget what was sent. Attached pictures have the form of `display_data`, with the
    name of the attachment in the metadata; `source` is then empty.
    """

    id: CellId
    source: str
    outputs: list[Any]


class SeenMessage(TypedDict):
    """What cells above a question show that is not for the kernel to record.

    `left_out` is how many cells were left out because they are too large.
    """

    type: Literal["seen"]
    cells: Annotated[list[ToldCell], NumberLimit(MOST_CELLS)]
    left_out: Count


PageSays: TypeAlias = PageMessage | CellsMessage | SeenMessage | MarkMessage
_CELLS = {"cells": ChangedCell, "seen": ToldCell}


def page_says(value: Any) -> tuple[PageSays, list[UnfitError]]:
    """What a page says, and why cells were left out of it: each does or does not fit by itself.

    Raises UnfitError if the rest does not fit.
    """
    unfit: list[UnfitError] = []
    fitting: list[Any] = []
    kinds = [kind for said, kind in _CELLS.items() if _is_a(value, said)]
    for kind in kinds:
        NumberLimit(MOST_CELLS).check(value["cells"], f"{value['type']}.cells")
        for n, cell in enumerate(value["cells"]):
            try:
                fitting.append(checked(cell, kind, f"{value['type']}.cells[{n}]"))
            except UnfitError as error:
                unfit.append(error)
    told: PageSays = checked({**value, "cells": []} if kinds else value, PageSays)
    if told["type"] == "cells" or told["type"] == "seen":  # those of `_CELLS`
        told["cells"] = fitting
    return told, unfit


def _is_a(value: Any, said: str) -> bool:
    """Whether this is a message of this kind with a list of cells, whatever they are."""
    is_one = isinstance(value, dict) and value.get("type") == said
    return is_one and isinstance(value.get("cells"), list)


class ConversationMessage(TypedDict):
    """The notebook's metadata are to hold this id."""

    type: Literal["conversation"]
    id: ConversationId


class RanMessage(TypedDict):
    """The cells whose outputs the kernel has itself recorded.

    Without `alone` other pages have told this kernel of the notebook, too: then each says before
    what is run next that it is the one.
    """

    type: Literal["ran"]
    cells: Annotated[list[CellId], NumberLimit(MOST_CELLS)]
    alone: bool


class InsertMessage(TypedDict):
    """A new cell, which the user has allowed: `cell` is its id, `below` the cell above it or ""."""

    type: Literal["insert"]
    cell: CellId
    below: Annotated[str, TextLimit(256)]
    kind: Literal["code", "markdown"]
    source: SourceText


class EditMessage(TypedDict):
    """Another text for a cell, which the user has allowed; `was` is what it is to replace."""

    type: Literal["edit"]
    cell: CellId
    was: SourceText
    source: SourceText


class AgainMessage(TypedDict):
    """The kernel lacks what a page takes to be told: all that it knows is to be told again."""

    type: Literal["again"]


class AltMessage(TypedDict):
    """Alt text for the image of a cell's output that has this length and sum."""

    type: Literal["alt"]
    cell: CellId
    kind: Annotated[str, TextLimit(30, r"image/[a-z+]{1,20}")]
    length: int
    sum: int
    alt: SourceText


KernelSays: TypeAlias = (
    ConversationMessage | RanMessage | InsertMessage | EditMessage | AltMessage | AgainMessage
)


class Stream(TypedDict):
    """What was printed, as in a notebook's file."""

    output_type: Literal["stream"]
    name: Literal["stdout", "stderr"]
    text: str


class Error(TypedDict):
    """A traceback, as in a notebook's file."""

    output_type: Literal["error"]
    ename: str
    evalue: str
    traceback: list[str]


class DisplayOutput(TypedDict):
    """A mimebundle, as in a notebook's file."""

    output_type: Literal["display_data", "execute_result"]
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]


CellOutput: TypeAlias = Stream | Error | DisplayOutput
"""An output of a cell that was seen, with the keys that we know."""
