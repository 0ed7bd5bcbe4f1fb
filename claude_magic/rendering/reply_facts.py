"""What stands above and below a reply, as facts and in words: the same on every face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..messages.plain_text import count, dollars
from ..messages.usage import Usage
from .terminal import plain

# A reason that is not known here is the server's word.
_LONGEST_REASON = 60
_ENDINGS: Mapping[str, str] = {
    "interrupted": "interrupted; what came is kept",
    "broken": "broken off; what came is kept, and not sent later",
    "refused": "declined by the model; not sent later",
}


@dataclass(frozen=True)
class Header:
    """Who was asked, and with what.

    `server` is "" for Anthropic's own. `sees` is how many of the `standing` turns went along, None
    where that need not be said; `carried` says in words what of the notebook did. `notices` are
    lines that the user should read before the reply.
    """

    model: str
    server: str = ""
    sees: int | None = None
    standing: int = 0
    carried: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Footer:
    """What a reply took, and how it ended.

    `cost` is in USD, None where it is not known or nothing was paid; with `unpaid` it is what it
    would have been. `seconds` is None where it is not known. `status` and `stop_reason` are those
    of the turn.
    """

    model: str
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    unpaid: bool = False
    seconds: float | None = None
    status: str = "complete"
    stop_reason: str | None = None


def header_text(header: Header) -> str:
    """For example "Sonnet 5.5 · sees 3 of 7 turns · 4 cells, 2 figures"."""
    turns = "" if header.sees is None else f"sees {header.sees} of {count(header.standing, 'turn')}"
    return _joined(header.model, header.server, turns, header.carried)


def footer_text(footer: Footer, raise_by: str = "") -> str:
    """For example "1,551 in (1,200 cached) · 71 out · $0.004 · 3.1 s".

    `raise_by` names what raises the limit that a reply was cut at.
    """
    usage = footer.usage
    cached = f" ({usage.read:,} cached)" if usage.read else ""
    price = "" if footer.cost is None else dollars(footer.cost)
    return _joined(
        f"{usage.input:,} in{cached}",
        f"{usage.output:,} out",
        f"would cost {price}" if price and footer.unpaid else price,
        "" if footer.seconds is None else f"{footer.seconds:.1f} s",
        _ending(footer, raise_by),
    )


def detail_text(footer: Footer) -> str:
    """The particulars of a footer, a line each: model, kinds of tokens, how it ended."""
    usage = footer.usage
    thinking = f", thinking {usage.thinking:,}" if usage.thinking else ""
    lines = (
        f"model {footer.model}",
        f"input {usage.fresh:,}, cache written {usage.written:,}, cache read {usage.read:,}",
        f"output {usage.output:,}{thinking}",
        f"status {footer.status}, stop reason {footer.stop_reason}",
    )
    return plain("\n".join(lines))


def _ending(footer: Footer, raise_by: str) -> str:
    if footer.status != "complete":
        return _ENDINGS.get(footer.status, footer.status)
    if footer.stop_reason == "max_tokens":
        return "max_tokens: cut at the limit" + (f", raise it with {raise_by}" if raise_by else "")
    if footer.stop_reason in ("end_turn", None):
        return ""
    return str(footer.stop_reason)[:_LONGEST_REASON]


def _joined(*said: str) -> str:
    return plain(" · ".join(part for part in said if part))
