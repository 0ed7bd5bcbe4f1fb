"""Why a question was not answered from the record, though it was asked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..messages.blocks import Block
from .plan import Plan, parameters, parameters_for
from .turns import Turn

HISTORY = "an earlier turn"


def changes(plan: Plan, before: Turn, history: Mapping[str, Turn]) -> list[str]:
    """What is not as it was when `before` was asked, in words; `history` has the turns by id."""
    found = []
    if before.server != plan.server.label:
        found.append("the server")
    if before.requested and before.requested != plan.model.id:
        found.append("the model")
    asked = parameters(plan.request)
    names = sorted(
        name
        for name in {*asked, *before.parameters}
        if asked.get(name) != before.parameters.get(name)
    )
    found += [f"the option {name}" for name in names]
    if before.prompt != plan.question.prompt:
        found.append("the question")
    else:
        found += _content(before.asked, plan.asked)
    if plan.saw != before.saw and _told(plan.saw, history) != _told(before.saw, history):
        found.append(HISTORY)
    return found


def same_options(plan: Plan, before: Turn) -> bool:
    """Whether `before` asked the same words with the same options, whatever went along.

    What nobody chose is not an option: a default that is another one elsewhere.
    """
    if before.prompt != plan.question.prompt:
        return False
    asked, there = dict(before.parameters), (before.server, before.requested)
    return asked in (parameters(plan.request), parameters_for(plan, *there))


def _content(before: Sequence[Block], now: Sequence[Block]) -> list[str]:
    """Which kinds of blocks that go along differ."""
    found = []
    for kind, words in (
        ("image", "a figure or image that goes along"),
        ("document", "a file that goes along"),
        ("text", "a cell, an output or a value that goes along"),
    ):
        if _of(kind, before) != _of(kind, now):
            found.append(words)
    return found


def _of(kind: str, blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if block.get("type") == kind]


def _told(saw: Sequence[str], history: Mapping[str, Turn]) -> list[object]:
    """What those turns said, as digests; the same words asked again count as the same."""
    return [
        [part.digest for part in history[turn_id].sealed] if turn_id in history else turn_id
        for turn_id in saw
    ]


def line(reasons: Sequence[str], below: int, price: float | None) -> str:
    """The line for the user: why it is asked again, and what else will be."""
    said = f"Asked again: {_listed(reasons)} changed since it was answered."
    if below:
        cost = "" if price is None else f", {_dollars(price)}"
        questions = "question below sees" if below == 1 else "questions below see"
        said += f" {below} {questions} this one and will be asked again when run{cost}."
    return said


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _dollars(amount: float) -> str:
    return f"about ${amount:.2f}" if amount >= 0.005 else "less than $0.01"
