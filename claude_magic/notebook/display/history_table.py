"""The turns of a conversation as `%claude_history` shows them: in a table, or one of them whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ...conversation.export import attachments, question_text
from ...conversation.ledger import entry
from ...conversation.reply_value import footer_of, parts_of
from ...conversation.settings import OFFLINE
from ...conversation.turns import Turn
from ...messages.blocks import Block
from ...messages.catalogue import BUILT_IN, Catalogue
from ...messages.errors import ImageError
from ...messages.plain_text import count, dollars
from ...rendering import STYLE, drawn, escape, plain
from ...rendering.bundle import words_of
from ...rendering.reply import Part, Thinking, footer_text
from ...rendering.style import box, line
from ...value_classes import frozen
from .header_footer import start, thumbnails
from .tables import Bundle, table

if TYPE_CHECKING:
    from ...messages.images.prepare import ImageCache

# One block's text is shown up to this many characters, one parameter up to that many.
_SHOWN = 20_000
_PARAMETER = 2_000
_LEAD = 40
# Of a reply so much is read to see how it begins.
_LEAST = 2_000


@frozen
class HistoryRow:
    """A turn and what is known of it now.

    `number` is what the user calls it by; `place` a short word for its cell: "[7]", "panel".
    `stale` says that it would see other turns today, `retired` that another took its place.
    `known` says what models cost.
    """

    turn: Turn
    number: int
    place: str
    stale: bool = False
    retired: bool = False
    known: Catalogue = BUILT_IN


def history_table(rows: Sequence[HistoryRow], *, below: str = "") -> Bundle:
    """The turns, a line each: cell, how question and reply begin, tokens, cost, status."""
    shown = [
        (
            str(row.number),
            row.place,
            start(question_text(row.turn)),
            start(words_of(row.turn.text[:_LEAST])),
            _tokens(row.turn),
            _cost(row),
            ", ".join(_status(row)),
        )
        for row in rows
    ]
    columns = ("#", "cell", "question", "reply", "tokens", "cost", "status")
    return table(columns, shown, right=(0, 4, 5), below=below)


def whole(row: HistoryRow, cache: ImageCache) -> Bundle:
    """One turn whole: the question as sent, what went along folded, the reply, the particulars.

    `cache` keeps the thumbnails.
    """
    turn = row.turn
    top = " · ".join(part for part in (f"Turn {row.number}", row.place, *_status(row)) if part)
    below = [
        " · ".join(_particulars(turn, row.known)),
        *(f"changed: {line}" for line in turn.healed),
    ]
    below += [_parameters(turn)] if turn.parameters else []
    pictures = _pictures(cache)
    replies = [drawn(_shortened(part), pictures) for part in parts_of(turn, tried=True)]
    shown = [
        box(line(top) + _role("user") + _question_html(turn, cache) + _role("assistant")),
        *(part["text/html"] for part in replies),
        box("".join(map(line, below))),
    ]
    text = [top, "--- user", *map(_block_text, turn.asked), "--- assistant"]
    text += [*(part["text/plain"] for part in replies), "---", *below]
    return {"text/html": STYLE + "".join(shown), "text/plain": plain("\n".join(text))}


def _pictures(cache: ImageCache) -> Callable[[Sequence[Block]], str]:
    """HTML of small images, and of one that is damaged on disk what it was."""
    return lambda blocks: "".join(_block_html(block, cache) for block in blocks)


def _question_html(turn: Turn, cache: ImageCache) -> str:
    """The blocks asked, those before the prompt folded."""
    at = _prompt_at(turn)
    blocks = [_block_html(block, cache) for block in turn.asked]
    before, asked = "".join(blocks[:at]), "".join(blocks[at:])
    if not before:
        return asked
    summary = f"<summary>{count(at, 'block')} before the question</summary>"
    return f'<details class="claude-magic-fold">{summary}{before}</details>{asked}'


def _tokens(turn: Turn) -> str:
    return "" if turn.written else f"{turn.usage.input:,} + {turn.usage.output:,}"


def _cost(row: HistoryRow) -> str:
    """What was paid; empty where nothing could be, or the price is not known."""
    spent = entry(row.turn, row.known)
    return "" if row.turn.written or spent.unpriced else dollars(spent.cost)


def _status(row: HistoryRow) -> list[str]:
    """The words that say what is special about a turn; none for one that ended well and counts."""
    turn = row.turn
    words = {
        turn.status: turn.status != "complete",
        "cut off": turn.status == "complete" and turn.stop_reason == "max_tokens",
        "replaced": row.retired,
        "alone": turn.alone,
        "written": turn.written,
        "offline": turn.server == OFFLINE,
        "shown again": bool(turn.copy_of),
        "stale": row.stale,
    }
    return [word for word, said in words.items() if said]


def _prompt_at(turn: Turn) -> int:
    """The index among the blocks asked at which the prompt begins; what went along is before it.

    That is the first text that begins as the prompt does, up to an expression in braces; else the
    last text.
    """
    lead = turn.prompt.split("{{")[0].strip()[:_LEAD]
    texts = [i for i, block in enumerate(turn.asked) if block.get("type") == "text"]
    if lead:
        for i in texts:
            if str(turn.asked[i].get("text", "")).lstrip().startswith(lead):
                return i
    if turn.parameters.get("emulated") is True and len(texts) > 1:
        texts.pop()  # the words that ask for the prefill
    return texts[-1] if texts else 0


def _block_html(block: Block, cache: ImageCache) -> str:
    if block.get("type") == "image":
        try:
            return thumbnails((block,), cache)
        except ImageError:
            pass  # damaged on disk: its line says what it was
    return f'<div class="claude-magic-pre">{escape(_block_text(block))}</div>'


def _block_text(block: Block) -> str:
    kind = block.get("type")
    if kind in ("image", "document"):
        return f"[{next(iter(attachments((block,))))}]"
    shown = str(block.get("text", "")) if kind == "text" else json.dumps(block)
    return _cut(shown, _SHOWN)


def _shortened(part: Part) -> Part:
    """The part, without the end of thinking that is very long."""
    return Thinking(_cut(part.text, _SHOWN)) if isinstance(part, Thinking) else part


def _particulars(turn: Turn, known: Catalogue) -> Iterator[str]:
    """Model, server, time, tokens, price, how it ended, digest: what is known of them."""
    yield turn.model or turn.requested
    yield turn.server or "not sent"
    yield datetime.fromtimestamp(turn.started).strftime("%Y-%m-%d %H:%M:%S")
    if not turn.written:
        yield footer_text(footer_of(turn, known))
    if turn.stop_reason == "end_turn":  # every other one is said by the footer
        yield turn.stop_reason
    if turn.digest:
        yield f"digest {turn.digest[:12]}"


def _parameters(turn: Turn) -> str:
    return " · ".join(
        f"{name}: {_cut(str(value), _PARAMETER)}" for name, value in turn.parameters.items()
    )


def _cut(text: str, most: int) -> str:
    rest = len(text) - most
    return text if rest <= 0 else f"{text[:most]}\n[… {rest:,} characters more]"


def _role(name: str) -> str:
    return f"<p><b>{name}</b></p>"
