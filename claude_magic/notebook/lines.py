"""The quiet lines around a reply, as text: what was asked of whom, what it used, how it ended."""

from __future__ import annotations

from ..conversation.plan import Plan
from ..conversation.reply import Reply
from ..rendering import plain

_START = 60
# A reason that is not known here is the server's word.
_LONGEST_REASON = 60
_ENDINGS = {
    "interrupted": "interrupted; what came is kept",
    "broken": "broken off; what came is kept, and not sent later",
    "refused": "declined by the model; not sent later",
}


def header(plan: Plan) -> str:
    """For example "Sonnet 5.5 · 4 cells, 2 figures"."""
    parts = [plan.model.name]
    if plan.server.offline:
        parts.append("offline server")
    elif not plan.server.anthropic:
        parts.append(plan.server.host)
    if len(plan.saw) + plan.left_out < plan.standing and not plan.question.alone:
        parts.append(f"sees {len(plan.saw)} of {count(plan.standing, 'turn')}")
    if plan.question.carried:
        parts.append(plan.question.carried)
    return " · ".join(parts)


def notices(plan: Plan) -> list[str]:
    """Lines that the user should read before the reply."""
    lines = list(plan.notices)
    if plan.left_out:
        lines.append(f"{count(plan.left_out, 'turn')} answered offline: not sent to this server")
    if plan.first and not plan.server.loopback:
        lines.append(
            f"First question to {plan.server.host}: what stands between two questions (code, "
            "outputs, figures) goes there too. Off: %claude_config context=none. "
            "Look first: --dry-run"
        )
    return lines


def footer(plan: Plan, reply: Reply) -> str:
    """For example "1,551 in (1,200 cached) · 71 out · $0.004 · 3.1 s"."""
    usage = reply.usage
    cached = f" ({usage.read:,} cached)" if usage.read else ""
    parts = [f"{usage.input:,} in{cached}", f"{usage.output:,} out"]
    cost = usage.cost(plan.model)
    if cost is not None:
        parts.append(f"would cost {dollars(cost)}" if plan.server.offline else dollars(cost))
    parts.append(f"{reply.seconds:.1f} s")
    if reply.turn.status != "complete":
        parts.append(_ENDINGS[reply.turn.status])
    elif reply.stop_reason == "max_tokens":
        parts.append("max_tokens: cut at the limit, raise it with --max-tokens")
    elif reply.stop_reason not in ("end_turn", None):
        parts.append(str(reply.stop_reason)[:_LONGEST_REASON])
    return " · ".join(parts)


def detail(plan: Plan, reply: Reply) -> str:
    """The footer's tooltip: model, token kinds, status."""
    usage = reply.usage
    lines = [
        f"model {reply.turn.model}",
        f"input {usage.fresh:,}, cache written {usage.written:,}, cache read {usage.read:,}",
        f"output {usage.output:,}" + (f", thinking {usage.thinking:,}" if usage.thinking else ""),
        f"status {reply.turn.status}, stop reason {reply.stop_reason}",
        f"sent to {plan.server.host}",
    ]
    return "\n".join(lines)


def carried(*kinds: tuple[str, int]) -> str:
    """What goes along, in words: "4 cells, 2 figures"; empty when nothing does."""
    return ", ".join(count(number, word) for word, number in kinds if number)


def start(text: str) -> str:
    """How a text begins, in one line of at most 60 characters."""
    line = " ".join(plain(text[: 20 * _START]).split())
    return line if len(line) <= _START else line[: _START - 1].rstrip() + "…"


def count(number: int, word: str) -> str:
    """For example "1 cell", "4 cells"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def dollars(amount: float) -> str:
    """USD with the digits that matter: "$0.004", "$1.25"."""
    if amount >= 0.995:
        return f"${amount:,.2f}"
    if amount >= 0.0005:
        return f"${amount:.3f}"
    return "$0" if amount == 0 else f"${amount:.5f}"
