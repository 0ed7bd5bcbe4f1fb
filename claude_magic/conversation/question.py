"""What is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..messages.blocks import Block

if TYPE_CHECKING:
    from .toolbox import Shape, Toolbox


@dataclass(frozen=True)
class Question:
    """One question, its content ready to send; None means "as the session is set".

    `cell` is the id of the cell that asks, `ordinal` which of its questions this is, `run` the ids
    of the turns that this run of it asked before, `order` the cells of the page from top to bottom.
    `panel` says that no cell asks: the question stands below `cell`. `source` is the digest of the
    cell's text, `prompt` the question in the user's own words. `counts` holds the cells that
    execution counts mean. `going_on` is the id of a turn, maybe broken, that this one goes on from.
    `instead` holds the ids of the turns that it is asked in place of, the one whose place it takes
    first: it sees none of them, and they retire once it has a reply.
    `fresh` asks the server even where the same request was answered before.
    `cite` asks for citations of the documents that go along. `tools` are offered to the model;
    `shape` is what the reply, in JSON, has to be like.
    `carried` says in words what goes along ("4 cells, 2 figures"); `notices` are lines for the
    user about what was left out or changed on the way.
    """

    content: tuple[Block, ...]
    model: str | None = None
    system: str | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    prefill: str = ""
    effort: str | None = None
    think: str | None = None
    cite: bool = False
    tools: Toolbox | None = None
    shape: Shape | None = None
    alone: bool = False
    fresh: bool = False
    cell: str | None = None
    ordinal: int = 0
    run: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    panel: bool = False
    source: str = ""
    prompt: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    going_on: str = ""
    instead: tuple[str, ...] = ()
    carried: str = ""
    notices: tuple[str, ...] = ()
