"""A turn's reply as it is shown: text, folded calls of the server's tools, footnotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..rendering import (
    Citing,
    Fold,
    in_order,
    notes_bundle,
    reply_bundle,
    server_tool_lines,
    stacked,
)
from .turns import Turn, with_prefill


def reply_as_shown(turn: Turn) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of the reply, in which nothing is active."""
    return stacked(_bundles(turn))


def _bundles(turn: Turn) -> Iterator[Mapping[str, str]]:
    blocks = [b for step in turn.steps if step.kind != "retry" for b in step.reply]
    blocks += turn.reply
    citing, folds = Citing(), server_tool_lines(blocks)
    parts = [part for part in in_order(blocks, citing, folds) if isinstance(part, str | Fold)]
    texts = [n for n, part in enumerate(parts) if isinstance(part, str)]
    first = texts[0] if texts else len(parts)
    parts[first : first + 1] = [
        with_prefill("".join(map(str, parts[first : first + 1])), turn.parameters)
    ]
    for part in parts:
        yield part.bundle if isinstance(part, Fold) else reply_bundle(part)
    yield notes_bundle(citing.notes)
