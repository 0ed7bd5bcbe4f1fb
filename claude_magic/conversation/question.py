"""What is asked, and the plan that says what would be sent for it."""

from __future__ import annotations

from dataclasses import dataclass

from ..messages.blocks import Block
from ..messages.models import Model
from ..messages.request import Request
from ..messages.usage import Usage
from .connection import Server

# A reply's length is not known beforehand; a budget that allowed for the longest possible one
# would stop every question. This many tokens of output are reckoned with.
_EXPECTED_OUTPUT = 1_000


@dataclass(frozen=True)
class Question:
    """One question, its content ready to send; None means "as the session is set".

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
    alone: bool = False
    cell: str | None = None
    ordinal: int = 0
    carried: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What would be sent, and what it would cost, before anything leaves.

    `tokens` is an estimate of the input; `price` in USD for that and a reply of about a thousand
    tokens, None when the model's price is not known. `left_out` counts earlier turns that this
    server must not see; `first` says that this kernel has sent nothing to this server yet.
    """

    question: Question
    server: Server
    model: Model
    request: Request
    saw: tuple[str, ...]
    tokens: int
    left_out: int = 0
    first: bool = False
    notices: tuple[str, ...] = ()

    @property
    def price(self) -> float | None:
        return Usage(fresh=self.tokens, output=_EXPECTED_OUTPUT).cost(self.model)
