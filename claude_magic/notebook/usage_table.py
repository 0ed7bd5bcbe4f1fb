"""The table of `%claude_usage`: what was spent, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..conversation.export import question_text
from ..conversation.ledger import Entry, by_day, by_model, by_turn, total
from . import lines
from .listings import Bundle, table

if TYPE_CHECKING:
    from ..conversation.turns import Turn
    from ..messages import plain_text
from ..messages.catalogue import Catalogue

_DAYS = 7
_COLUMNS = ("", "turns", "in", "cached", "out", "cost")


def usage_table(
    notebook: Sequence[Turn],
    everywhere: Sequence[Turn],
    spent: float,
    budget: float,
    known: Catalogue,
) -> Bundle:
    """This kernel, this notebook, all notebooks, each model, the last days.

    `spent` and `budget` of this kernel are in USD; `known` says what models cost.
    """
    mine, all_of_it = total(notebook, known), total(everywhere, known)
    rows = [_row("this notebook", mine), _row("all notebooks", all_of_it)]
    rows += [_row(f"model {name}", entry) for name, entry in by_model(everywhere, known).items()]
    days = list(by_day(everywhere, known=known).items())[-_DAYS:]
    rows += [_row(f"{day:%Y-%m-%d}", entry) for day, entry in reversed(days)]
    below = [
        f"This kernel: {plain_text.dollars(spent)} of a budget of {plain_text.dollars(budget)}"
    ]
    below += _apart(all_of_it)
    return table(_COLUMNS, rows, right=range(1, 6), below=" · ".join(below))


def turns_table(turns: Sequence[Turn], known: Catalogue) -> Bundle:
    """What each turn of this notebook cost, in the order asked."""
    entries = by_turn(turns, known)
    rows = []
    for number, turn in enumerate(turns, 1):
        start = lines.start(question_text(turn))
        rows.append([str(number), start, *_row("", entries[turn.id])[2:]])
    below = " · ".join(_apart(total(turns, known)))
    return table(("#", "question", *_COLUMNS[2:]), rows, right=(0, 2, 3, 4, 5), below=below)


def distinct(turns: Iterable[Turn]) -> list[Turn]:
    """Each turn once: a copied notebook holds those of the notebook that it was copied from."""
    return list({turn.id: turn for turn in turns}.values())


def _row(name: str, entry: Entry) -> list[str]:
    usage = entry.usage
    cost = plain_text.dollars(entry.cost) if entry.turns else "$0"
    return [
        name,
        f"{entry.turns + entry.free:,}",
        f"{usage.input:,}",
        f"{usage.read:,}",
        f"{usage.output:,}",
        f"{cost}+?" if entry.unpriced else cost,
    ]


def _apart(entry: Entry) -> list[str]:
    """What the sums leave out."""
    said = []
    if entry.free:
        said.append(
            f"{plain_text.count(entry.free, 'turn')} answered offline or from the record: free"
        )
    if entry.unpriced:
        said.append(f"{plain_text.count(entry.unpriced, 'turn')} of models without a known price")
    return said
