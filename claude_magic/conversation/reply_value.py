"""A reply as the user holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, joined_text
from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.plain_text import count
from ..messages.usage import Usage
from ..rendering import ReplyFold, drawn, stacked
from ..rendering.reply import Footer, Header, Part, Thinking
from ..value_classes import frozen
from .ledger import model_of
from .settings import ANTHROPIC_URL, OFFLINE
from .turns import Turn

if TYPE_CHECKING:
    from ..rendering import CodeBlock
    from .asking.plan import Plan


@frozen
class Reply:
    """What came back. Shows as rendered Markdown where it is the last expression of a cell.

    `notices` are lines that the user should read: a model about to be retired, a prefill that had
    to be asked for in words, an image that was left out. `replayed` says that nothing was sent.
    `value` is what the text stands for where JSON was asked for; `problem` why it stands for
    nothing. `known` are the models whose prices are known. `steps` are those of a run on a virtual
    desktop, each with its `line` in words, its `picture` as PNG bytes or None, and its `error`.
    """

    turn: Turn
    notices: tuple[str, ...] = ()
    replayed: bool = False
    value: Any = None
    problem: str = ""
    known: Catalogue = BUILT_IN
    steps: Sequence[Any] = ()

    @property
    def text(self) -> str:
        """The text, all of it, a prefill included."""
        return self.turn.text

    @property
    def blocks(self) -> Sequence[Block]:
        """The content blocks as received, of all replies where tools ran in between."""
        return self.turn.blocks

    @property
    def code_blocks(self) -> Sequence[CodeBlock]:
        """The fenced code blocks of the text, each with `language` and `code`."""
        from ..rendering import code_blocks

        return code_blocks(self.text)

    @property
    def usage(self) -> Usage:
        """Tokens in and out."""
        return self.turn.usage

    @property
    def cost(self) -> float | None:
        """USD; None when the model's price is not known."""
        model = self.known.priced(self.turn.model, self.turn.requested)
        return self.turn.cost(model) if model else None

    @property
    def stop_reason(self) -> str | None:
        """Why the reply ended, as the API says it."""
        return self.turn.stop_reason

    @property
    def seconds(self) -> float:
        """Wall time from sending to the last byte."""
        return self.turn.ended - self.turn.started

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        start = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return f"Reply({start!r}, {self.turn.status}, {self.turn.model})"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        from ..rendering import STYLE, code_bundle

        is_json = self.value is not None
        bundle = dict(code_bundle(self.text, "json") if is_json else reply_as_shown(self.turn))
        bundle["text/html"] = STYLE + bundle["text/html"]
        # The mark keeps a reply from being sent back as something that the notebook displayed.
        return bundle, {"claude_magic": {}}


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
    if plan.left_out and plan.recorded is None:
        notices.append(f"{count(plan.left_out, 'turn')} answered offline: not sent to this server")
    if plan.first and not plan.server.loopback and plan.recorded is None:
        notices.append(
            f"First question to {plan.server.host}: what stands between two questions (code, "
            "outputs, figures) goes there too, and a short system prompt. Off: "
            "%claude_config context=none system= · Look first: --dry-run"
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


def footer_of(turn: Turn, known: Catalogue = BUILT_IN, *, recorded: bool = False) -> Footer:
    """What stands below the reply; `recorded` says that it is shown from the record, for nothing.

    A copy of a turn has no price: only the first one was paid.
    """
    model = model_of(turn, known)
    priced = model is not None and not turn.written and not turn.copy_of
    return Footer(
        turn.model,
        turn.usage,
        turn.cost(model) if model and priced else None,
        turn.server == OFFLINE,
        turn.ended - turn.started if turn.ended >= turn.started else None,
        turn.status,
        turn.stop_reason,
        recorded,
    )
