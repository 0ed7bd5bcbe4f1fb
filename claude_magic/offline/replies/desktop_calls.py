"""The offline server at a desktop: it does what a question spells out, and says what came of it.

A question that names the desktop is answered in three replies: one that takes a screenshot, one
that carries out the question's orders and looks again, one that says what was done. An order is
"click at 120, 80", "drag from 1, 2 to 3, 4", "scroll down by 3", "type `text`", "press `ctrl+s`",
"hold `shift` for 2", "wait 2", "zoom into 0, 0 to 100, 50", "move to 3, 4".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...messages.blocks import Block, joined_text
from ...messages.images.sniff import size_of_base64
from ...messages.usage import image_tokens
from ...value_classes import frozen
from ..referee.request_checks import CheckedRequest, PlacedBlock
from .reading import Reading, image_bytes, look

_NAMES_IT = re.compile(r"\bdesktop\b", re.IGNORECASE)
_AT = r"\(?(\d+)\s*,\s*(\d+)\)?"
_QUOTED = r"(?:`([^`]+)`|\"([^\"]+)\"|“([^”]+)”)"
_ORDER = re.compile(
    r"(?P<click>\b(?:(?:left|right|middle|double|triple)[- ])?click\b)"
    rf"(?:\s+(?:at|on))?(?:\s+{_AT})?"
    rf"|(?P<drag>\bdrag\b)\s+from\s+{_AT}\s+to\s+{_AT}"
    rf"|(?P<move>\bmove\b)\s+(?:[a-z ]*?\bto\s+)?{_AT}"
    rf"|(?P<scroll>\bscroll\b)\s+(up|down|left|right)(?:\s+by)?(?:\s+(\d+))?(?:\s+at\s+{_AT})?"
    rf"|(?P<zoom>\bzoom\b)\s+(?:into\s+)?{_AT}\s+to\s+{_AT}"
    rf"|(?P<type>\btype\b)\s+{_QUOTED}"
    rf"|(?P<key>\bpress\b)\s+{_QUOTED}(?:\s+(\d+)\s+times)?"
    rf"|(?P<hold_key>\bhold\b)\s+{_QUOTED}\s+for\s+(\d+)"
    r"|(?P<wait>\bwait\b)(?:\s+for)?\s+(\d+)",
    re.IGNORECASE,
)
_SCREENSHOT = ("screenshot", dict[str, Any]())
_QUOTE = 120
_OPENING = "This is the **offline server**: no model has looked at the desktop. "
_HINT = (
    "The question gives no orders. It takes those such as: click at 120, 80, type `text`, "
    "press `ctrl+s`, scroll down by 3.\n\n"
)

Order = tuple[str, Mapping[str, Any]]
"""An action of the computer tool, and its parameters."""


@frozen
class AtDesktop:
    """What is said and which calls are made in one reply."""

    text: str
    calls: Sequence[Mapping[str, Any]] = ()


def at_desktop(asked: CheckedRequest, reading: Reading, number: int) -> AtDesktop | None:
    """The reply to a question for the desktop, the `number`-th of its server; None for others."""
    tool = next((t for t in asked.body.get("tools", []) if _is_computer(t)), None)
    allowed = asked.body.get("tool_choice", {}).get("type") != "none"
    if tool is None or not allowed or not _NAMES_IT.search(reading.question):
        return None
    done = _done(asked)
    if not done:
        return AtDesktop(
            "The offline server looks at the desktop.", _calls([_SCREENSHOT], tool, number)
        )
    orders = _orders(reading.question, done)
    failed = any(result.get("is_error") for _, result in done)
    if len(done) == 1 and orders and not failed:
        calls = _calls([*orders, _SCREENSHOT], tool, number)
        return AtDesktop("The offline server does what the question spells out.", calls)
    return AtDesktop(_report(asked, done, bool(orders)))


def _is_computer(tool: Mapping[str, Any]) -> bool:
    return str(tool.get("type")).startswith("computer_")


def _done(asked: CheckedRequest) -> list[tuple[Order, Block]]:
    """The calls made for the newest question, each with its result."""
    turns = list(asked.turns)
    asking = [n for n, t in enumerate(turns) if t.role == "user" and not t.of("tool_result")]
    since = turns[asking[-1] + 1 :] if asking else []
    results = {
        placed.block["tool_use_id"]: placed.block
        for turn in since
        for placed in turn.of("tool_result")
    }
    return [
        (_order(placed), results[placed.block["id"]])
        for turn in since
        for placed in turn.of("tool_use")
        if placed.block["id"] in results
    ]


def _order(placed: PlacedBlock) -> Order:
    given = dict(placed.block["input"])
    if placed.block.get("toolset_name") is not None:
        return placed.block["name"], given
    return str(given.pop("action", placed.block["name"])), given


def _orders(question: str, done: Sequence[tuple[Order, Block]]) -> list[Order]:
    """What the question spells out, in its order."""
    middle = _middle(done)
    return [_read(found, middle) for found in _ORDER.finditer(question)]


def _middle(done: Sequence[tuple[Order, Block]]) -> list[int]:
    """The middle of the first screenshot, for a click that names no place."""
    for image in _images(done[0][1]):
        size = size_of_base64(image["source"].get("data", ""))
        if size is not None:
            return [size[0] // 2, size[1] // 2]
    return [0, 0]


def _read(found: re.Match[str], middle: list[int]) -> Order:
    kind = next(name for name, verb in found.groupdict().items() if verb)
    # What the order says after its verb: numbers, a direction, a quoted text.
    said = [part for part in found.groups()[found.re.groupindex[kind] :] if part is not None]
    numbers = [int(part) for part in said if part.isdecimal()]
    match kind:
        case "click":
            button = found[kind].lower().removesuffix("click").strip("- ") or "left"
            return f"{button}_click", {"coordinate": numbers or middle}
        case "drag":
            return "left_click_drag", {
                "start_coordinate": numbers[:2],
                "coordinate": numbers[2:],
            }
        case "move":
            return "mouse_move", {"coordinate": numbers}
        case "scroll":
            amount, *at = numbers if len(numbers) in (1, 3) else [3, *numbers]
            where = {"coordinate": at} if at else {}
            return kind, {"scroll_direction": said[0].lower(), "scroll_amount": amount, **where}
        case "zoom":
            return kind, {"region": numbers}
        case "wait":
            return kind, {"duration": numbers[0]}
        case "key":
            repeat = {"repeat": int(said[1])} if len(said) > 1 else {}
            return kind, {"text": said[0], **repeat}
        case "hold_key":
            return kind, {"text": said[0], "duration": int(said[1])}
    return kind, {"text": said[0]}


def _calls(
    orders: Sequence[Order], tool: Mapping[str, Any], number: int
) -> list[Mapping[str, Any]]:
    return [
        {"type": "tool_use", "id": f"toolu_offline_{number:06}_{index}", **_form(order, tool)}
        for index, order in enumerate(orders, 1)
    ]


def _form(order: Order, tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """The call in the form that the offered tool has."""
    name, given = order
    if "_toolset_" in tool["type"]:
        return {"name": name, "toolset_name": "computer", "input": given}
    return {"name": "computer", "input": {"action": name, **given}}


def _report(asked: CheckedRequest, done: Sequence[tuple[Order, Block]], ordered: bool) -> str:
    lines = [
        f"{n}. `{name}`{_given(given)}: {_came(result, asked)}"
        for n, ((name, given), result) in enumerate(done, 1)
    ]
    opening = "It did what the question spells out, and this is what came back:\n\n"
    return _OPENING + (opening if ordered else _HINT) + "\n".join(lines) + "\n"


def _given(given: Mapping[str, Any]) -> str:
    return f" `{json.dumps(given, ensure_ascii=False)}`" if given else ""


def _came(result: Block, asked: CheckedRequest) -> str:
    content: Any = result.get("content", "")
    text = content if isinstance(content, str) else joined_text(content)
    parts = [" ".join(text.split())[:_QUOTE]] if text else []
    for image in _images(result):
        data = image_bytes(image)
        if data is not None:
            seen = look(data)
            parts.append(f"{seen}; {image_tokens(seen.width, seen.height, asked.model):,} tokens")
    error = "an error, " if result.get("is_error") else ""
    return error + ("; ".join(parts) or "nothing")


def _images(result: Block) -> list[Block]:
    content = result.get("content")
    return [b for b in content if b["type"] == "image"] if isinstance(content, list) else []
