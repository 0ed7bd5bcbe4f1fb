"""Where the Markdown of a reply that still streams may be cut into separately rendered parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from .parser import block_tokens
from .terminal import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

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
