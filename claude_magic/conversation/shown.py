"""A turn as it is shown: the parts of its reply, and what stands above and below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..messages.blocks import Block, joined_text
from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.plain_text import count
from ..rendering import ReplyFold, drawn, stacked
from ..rendering.reply import Footer, Header, Part, Thinking
from .ledger import model_of, written
from .settings import ANTHROPIC_URL, OFFLINE
from .turns import Turn

if TYPE_CHECKING:
    from .plan import Plan

_OFFLINE_SERVER = "offline server"


def parts_of(turn: Turn, *, tried: bool = False) -> tuple[Part, ...]:
    """The parts of the reply, of all the requests that it took.

    A try that did not have the shape that was asked for is among them only with `tried`.
    """
    given = turn.parameters
    fold = ReplyFold(str(given.get("prefill") or ""), given.get("emulated") or False)
    for step in turn.steps:
        if step.kind == "retry" and not tried:
            continue
        for block in step.reply:
            fold.block(block)
        for block in step.answer:
            fold.result(block)
        if step.kind == "retry":
            fold.remark(joined_text(step.answer))
        elif step.kind == "tools":
            fold.apart()
    for block in turn.reply:
        fold.block(block)
    fold.end()
    return fold.parts


def reply_as_shown(
    turn: Turn, pictures: Callable[[Sequence[Block]], str] = lambda _: ""
) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of the reply, in which nothing is active.

    Thinking is left out. `pictures` gives HTML for the images that tools gave.
    """
    parts = (part for part in parts_of(turn) if not isinstance(part, Thinking))
    return stacked(drawn(part, pictures) for part in parts)


def header_of(plan: Plan) -> Header:
    """What stands above the reply to a question that is planned."""
    notices = list(plan.notices)
    if plan.left_out:
        notices.append(f"{count(plan.left_out, 'turn')} answered offline: not sent to this server")
    if plan.first and not plan.server.loopback:
        notices.append(
            f"First question to {plan.server.host}: what stands between two questions (code, "
            "outputs, figures) goes there too. Off: %claude_config context=none. "
            "Look first: --dry-run"
        )
    server = "" if plan.server.anthropic else plan.server.host
    sees = len(plan.saw)
    all_seen = plan.question.alone or sees + plan.left_out >= plan.standing
    return Header(
        plan.model.name,
        _OFFLINE_SERVER if plan.server.offline else server,
        None if all_seen else sees,
        plan.standing,
        plan.question.carried,
        tuple(notices),
    )


def header_of_turn(turn: Turn, known: Catalogue = BUILT_IN) -> Header:
    """What stands above the reply of a turn that is over."""
    model, carried = model_of(turn, known), turn.shown.get("carried")
    server = "" if turn.server == ANTHROPIC_URL else turn.server
    notices = turn.shown.get("notices", ())
    return Header(
        model.name if model else turn.model or turn.requested,
        _OFFLINE_SERVER if turn.server == OFFLINE else server.partition("://")[2] or server,
        carried=carried if isinstance(carried, str) else "",
        notices=tuple(map(str, notices if isinstance(notices, list | tuple) else ())),
    )


def footer_of(turn: Turn, known: Catalogue = BUILT_IN, *, again: bool = False) -> Footer:
    """What stands below the reply.

    A recorded reply that is shown again has no price, as it was not paid twice; with `again` it has
    that of the first time, so that it looks the same.
    """
    model = model_of(turn, known)
    priced = model is not None and not written(turn) and (again or not turn.copy_of)
    return Footer(
        turn.model,
        turn.usage,
        turn.cost(model) if model and priced else None,
        turn.server == OFFLINE,
        turn.ended - turn.started if turn.ended >= turn.started else None,
        turn.status,
        turn.stop_reason,
    )
