"""How a turn answers its question: what the text stands for where JSON was asked for."""

from __future__ import annotations

from dataclasses import replace

from ..messages.blocks import joined_text
from ..messages.errors import InvalidReply
from .plan import Plan
from .reply import Reply
from .turns import Turn


def reply_to(plan: Plan, turn: Turn, notices: tuple[str, ...], *, replayed: bool = False) -> Reply:
    """The reply of a turn, with its value where JSON was asked for."""
    tools, shape = plan.question.tools, plan.question.shape
    made = () if tools is None else tools.ended(turn.answered)
    reply = Reply(turn, notices, replayed, known=plan.known, steps=tuple(made))
    if shape is None or turn.status != "complete":
        return reply
    try:
        return replace(reply, value=shape.read(joined_text(turn.reply)))
    except ValueError as error:
        return replace(reply, problem=str(error) or "it is no such value")


def checked(plan: Plan, reply: Reply) -> Reply:
    """The reply. Raises InvalidReply where JSON was asked for and it is not that."""
    shape = plan.question.shape
    if shape is None or (reply.turn.status == "complete" and not reply.problem):
        return reply
    if reply.stop_reason == "max_tokens":
        why = "it was cut off: raise --max-tokens"
    elif reply.turn.status == "refused":
        why = "the model declined to answer: ask otherwise, or another model"
    else:
        why = f"{reply.problem} Ask again with --fresh, or ask for less"
    raise InvalidReply(f"The reply is no {shape.name}: {why}. It is kept as it came.")
