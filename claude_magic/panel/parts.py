"""The parts of a reply as a panel is told of them.

Text and names are a model's, and come to the panel filtered of control characters. What the panel
makes of them is its own concern: nothing here is markup but the Markdown of what is folded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from ..messages.blocks import Block
from ..rendering import plain, reply
from ..rendering.citations import notes_markdown
from ..rendering.part_bundles import given_to
from .protocol import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of the result of one call this much is shown: all of it stands in the conversation.
_MOST_RESULT = 20_000

State = Literal["asked", "running", "done", "denied", "failed"]
_STATES: Mapping[str, State] = {"ok": "done", "denied": "denied", "error": "failed"}


def parts_of(parts: Iterable[reply.Part], thumbnail: Callable[[Block], str]) -> list[Part]:
    """The parts of a reply that is over; `thumbnail` gives an image's `data:` URI, "" for none."""
    return [part_of(part, thumbnail) for part in parts]


def part_of(part: reply.Part, thumbnail: Callable[[Block], str], standing: State = "asked") -> Part:
    """One part; `standing` says how a call stands that has no result yet."""
    match part:
        case reply.Text(text):
            return {"kind": "text", "text": text}
        case reply.Thinking(text):
            return {"kind": "thinking", "text": text}
        case reply.Call():
            return _call(part, thumbnail, standing)
        case reply.ServerCall(line=line, markdown=markdown):
            done: State = "failed" if part.failed else "done"
            state = done if part.done else "running"
            return {"kind": "server", "text": line, "result": markdown, "state": state}
        case reply.Unknown(line=line, markdown=markdown):
            return {"kind": "server", "text": line, "result": markdown, "state": "done"}
        case reply.Sources(notes):
            return {"kind": "sources", "text": notes_markdown(notes)}
        case reply.Remark(text):
            return {"kind": "server", "text": plain(text), "result": "", "state": "done"}


def _call(call: reply.Call, thumbnail: Callable[[Block], str], standing: State) -> Part:
    _, given = given_to(call.name, call.input)
    part: Part = {
        "kind": "call",
        "name": call.name,
        "text": plain(given),
        "state": _STATES.get(call.outcome, standing),
    }
    if call.outcome:
        part["result"] = _cut(plain("\n".join(call.texts)))
        part["images"] = [src for image in call.images if (src := thumbnail(image))]
    if call.seconds is not None:
        part["seconds"] = round(call.seconds, 2)
    return part


def _cut(text: str) -> str:
    rest = len(text) - _MOST_RESULT
    return text if rest <= 0 else f"{text[:_MOST_RESULT]}\n[… {rest:,} characters more]"
