"""What the reply calls, with values of the question made to fit the schema of a tool's input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

from ...messages.blocks import Block
from ...value_classes import frozen
from ..referee.model_rules import resolve
from ..referee.request_checks import CheckedRequest, RequestTurn
from .reading import Reading, ToolOrder, literal, orders
from .schema_values import kind_of, value_for
from .server_tools import SERVER_TOOLS, is_server_tool, server_calls

NOTHING: Any = object()
"""No value fits."""


def arguments(order: ToolOrder, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The input of the call that `order` asks for: it fits `schema`.

    Arguments that are written out come first, then fenced code for a property named `code`, then
    what stands in backticks, as `key=value` or alone. A property without any of these gets a value
    that fits; one that need not be there and has a default is left out.
    """
    root = {"type": "object", **schema}
    properties: Mapping[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or ()
    found = _written_out(order, properties, root)
    if order.codes and "code" in properties and "code" not in found:
        found |= _fitting({"code": order.codes[0]}, properties, root)
    marks = list(order.marks)
    found |= _keyed(marks, properties, root, found)
    found |= _unkeyed(marks, properties, root, found)
    for name, value in _others(root).items():
        default = name not in required and "default" in _part(properties.get(name), root)
        if name not in found and not default:
            found[name] = value
    return {name: found[name] for name in (*required, *properties) if name in found}


def _others(root: Mapping[str, Any]) -> Mapping[str, Any]:
    made = value_for(root)
    return made if isinstance(made, Mapping) else {}


def _written_out(
    order: ToolOrder, properties: Mapping[str, Any], root: Mapping[str, Any]
) -> dict[str, Any]:
    positional = dict(zip(properties, order.values, strict=False))
    return _fitting({**positional, **order.named}, properties, root)


def _fitting(
    values: Mapping[str, Any], properties: Mapping[str, Any], root: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of `values` that belong to a property and fit it, as they fit."""
    fitted = {
        name: fit(value, properties[name], root)
        for name, value in values.items()
        if name in properties
    }
    return {name: value for name, value in fitted.items() if value is not NOTHING}


def _keyed(
    marks: list[str],
    properties: Mapping[str, Any],
    root: Mapping[str, Any],
    found: Mapping[str, Any],
) -> dict[str, Any]:
    """The marks of the form `key=value`, taken out of `marks`."""
    keyed: dict[str, Any] = {}
    for mark in list(marks):
        name, equals, value = mark.partition("=")
        if equals and name.strip() in properties and name.strip() not in found:
            marks.remove(mark)
            keyed |= _fitting({name.strip(): _unquoted(value.strip())}, properties, root)
    return keyed


def _unkeyed(
    marks: list[str],
    properties: Mapping[str, Any],
    root: Mapping[str, Any],
    found: Mapping[str, Any],
) -> dict[str, Any]:
    """The other marks, each for the first property that it fits; free strings come last."""
    open_names = [name for name in properties if name not in found]
    fitted: dict[str, Any] = {}
    for name in sorted(open_names, key=lambda name: _takes_any_text(properties[name], root)):
        for mark in marks:
            value = fit(mark, properties[name], root)
            if value is not NOTHING:
                fitted[name] = value
                marks.remove(mark)
                break
    return fitted


def _takes_any_text(schema: Any, root: Mapping[str, Any]) -> bool:
    return fit("any text at all", schema, root) is not NOTHING


def fit(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """`value` as `schema` takes it, a text read as a number or the like; NOTHING if it does not.

    `root` is the schema in which references are looked up.
    """
    if not isinstance(schema, Mapping):
        return NOTHING if schema is False else value
    part = _part(schema, root)
    for key in ("anyOf", "oneOf"):
        if part.get(key):
            rest = {name: said for name, said in part.items() if name != key}
            return _first(fit(value, {**rest, **_part(choice, root)}, root) for choice in part[key])
    if "const" in part or "enum" in part:
        allowed = [part["const"]] if "const" in part else part["enum"]
        return _first(one if value in (one, str(one)) else NOTHING for one in allowed)
    if not part.keys() & {"type", "properties", "items"}:
        return value
    kinds = part.get("type")
    listed = kinds if isinstance(kinds, list) else [kind_of(part)]
    return _first(_as_kind(value, {**part, "type": kind}, root) for kind in listed)


def _first(fitted: Iterable[Any]) -> Any:
    return next((value for value in fitted if value is not NOTHING), NOTHING)


def _part(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the schema with its reference, if it is one, followed."""
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return resolve(root, str(schema["$ref"])) or {}
    return schema


def _as_kind(value: Any, part: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    kind = str(part["type"])
    if kind == "string":
        return _string(value, part)
    read = literal(value) if isinstance(value, str) else value
    match kind:
        case "integer" if _is_number(read) and read == int(read):
            return _within(int(read), part)
        case "number" if _is_number(read):
            return _within(read, part)
        case "boolean" if isinstance(read, bool):
            return read
        case "null" if read is None:
            return None
        case "array" if isinstance(read, list | tuple | set):
            return _all(list(read), lambda item: fit(item, part.get("items", {}), root))
        case "object" if isinstance(read, Mapping):
            return _object(read, part, root)
    return NOTHING


def _string(value: Any, part: Mapping[str, Any]) -> Any:
    if isinstance(value, list | tuple | set | Mapping | bool) or value is None:
        return NOTHING
    text = str(value)
    short_enough = len(text) <= part.get("maxLength", len(text))
    long_enough = len(text) >= part.get("minLength", 0)
    return text if short_enough and long_enough and _matches(text, part) else NOTHING


def _matches(text: str, part: Mapping[str, Any]) -> bool:
    try:
        return "pattern" not in part or re.search(part["pattern"], text) is not None
    except re.error:
        return False


def _within(number: float, part: Mapping[str, Any]) -> Any:
    low, high = part.get("minimum", number), part.get("maximum", number)
    above, below = part.get("exclusiveMinimum"), part.get("exclusiveMaximum")
    fits = (
        low <= number <= high
        and (above is None or number > above)
        and (below is None or number < below)
    )
    return number if fits else NOTHING


def _all(items: Sequence[Any], fitted: Callable[[Any], Any]) -> Any:
    made = [fitted(item) for item in items]
    return NOTHING if NOTHING in made else made


def _object(value: Mapping[str, Any], part: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    properties = part.get("properties") or {}
    missing = set(part.get("required") or ()) - set(value)
    unknown = set(value) - set(properties) if part.get("additionalProperties") is False else ()
    if missing or unknown:
        return NOTHING
    made = {name: fit(item, properties.get(name, {}), root) for name, item in value.items()}
    return NOTHING if NOTHING in made.values() else made


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _unquoted(text: str) -> Any:
    """What a quoted text says; anything else as it is written."""
    read = literal(text)
    return read if isinstance(read, str) else text


UNKNOWN_TOOL = "no_such_tool"
"""The name that a reply calls which was told to call an unknown tool."""
WRONG_ARGUMENTS = {"no_such_argument": "offline server"}
"""The input of a call that was told to have wrong arguments."""
CALLS = {
    "one_call": 1,
    "two_calls": 2,
    "three_calls": 3,
    "endless_calls": 1,
    "unknown_tool": 1,
    "wrong_arguments": 1,
    "cut_tool_input": 1,
    "broken_tool_input": 1,
    "refused_call": 1,
}
"""The behaviours that call a tool whatever the question says, and how many calls they make.

Without a tool to call, or with `tool_choice` none, they change nothing.
"""


@frozen
class WantedCalls:
    """What is to be called.

    `unfinished` are the calls of the server's tools that an earlier reply left open, `server` the
    server's next ones, `client` those that the reply ends with. `waiting` are calls of the server's
    tools in the same step as those: they wait for the client's results.
    """

    unfinished: Sequence[Block] = ()
    server: Sequence[ToolOrder] = ()
    waiting: Sequence[ToolOrder] = ()
    client: Sequence[Mapping[str, Any]] = ()


def calling(
    asked: CheckedRequest, reading: Reading, number: int, behaviour: str | None
) -> WantedCalls:
    """The calls of the `number`-th reply."""
    tools = {tool["name"]: tool for tool in asked.body.get("tools", []) if _callable(tool)}
    since = _since_question(asked)
    unfinished = _unfinished(since)
    choice = asked.body.get("tool_choice", {"type": "auto"})
    if choice["type"] == "none":
        return WantedCalls(unfinished)
    steps = orders(reading.question, list(tools))
    client_tools = [name for name in tools if name not in SERVER_TOOLS]
    if behaviour in CALLS and client_tools:
        called = [order for step in steps for order in step if order.tool in client_tools]
        wanted = islice(cycle(called or [ToolOrder(client_tools[0])]), CALLS[behaviour])
        return WantedCalls(unfinished, client=_calls(list(wanted), tools, number, behaviour))
    if choice.get("disable_parallel_tool_use"):
        steps = [[order] for step in steps for order in step]
    if choice["type"] == "tool":
        name = choice["name"]
        found = [order for step in steps for order in step if order.tool == name]
        steps = [found[:1] or [ToolOrder(name)]] if name in tools else []
    elif choice["type"] == "auto" or steps:
        steps = _to_do(steps, since)
    if choice["type"] == "any" and not steps:
        steps = (
            orders(reading.question, list(tools))[:1] or [[ToolOrder(name)] for name in tools][:1]
        )
    server: list[ToolOrder] = []
    for step in steps:
        own = [order for order in step if order.tool in SERVER_TOOLS]
        client = [order for order in step if order.tool not in SERVER_TOOLS]
        if client:
            return WantedCalls(unfinished, server, own, _calls(client, tools, number))
        server += own
    return WantedCalls(unfinished, server)


def _callable(tool: Mapping[str, Any]) -> bool:
    return "input_schema" in tool or is_server_tool(tool)


def _since_question(asked: CheckedRequest) -> Sequence[RequestTurn]:
    """The turns after the last question: calls of tools and their results."""
    questions = [
        n
        for n, turn in enumerate(asked.turns)
        if turn.role == "user" and not turn.of("tool_result")
    ]
    return asked.turns[questions[-1] + 1 if questions else 1 :]


def _unfinished(since: Sequence[RequestTurn]) -> list[Block]:
    """The calls of the server's tools that the last reply left open."""
    replies = [turn for turn in since if turn.role == "assistant"]
    if not replies:
        return []
    done = {placed.block.get("tool_use_id") for placed in replies[-1].blocks}
    return [call for call in server_calls(replies[-1]) if call["id"] not in done]


def _to_do(
    steps: Sequence[Sequence[ToolOrder]], since: Sequence[RequestTurn]
) -> list[list[ToolOrder]]:
    """The steps after those that the replies since the question have done."""
    rounds = sum(turn.role == "assistant" and bool(turn.of("tool_use")) for turn in since)
    ends = [n for n, step in enumerate(steps) if any(o.tool not in SERVER_TOOLS for o in step)]
    if rounds > len(ends):
        return []
    rest = [list(step) for step in steps[ends[rounds - 1] + 1 if rounds else 0 :]]
    # A paused reply has done some of them; the server's tools are called one after the other.
    paused = server_calls(since[-1]) if since and since[-1].role == "assistant" else []
    for _ in paused:
        place = (
            next((n for n, o in enumerate(rest[0]) if o.tool in SERVER_TOOLS), None)
            if rest
            else None
        )
        if place is None:
            break
        del rest[0][place]
        rest = [step for step in rest if step]
    return rest


def _calls(
    wanted: Sequence[ToolOrder],
    tools: Mapping[str, Mapping[str, Any]],
    number: int,
    behaviour: str | None = None,
) -> list[dict[str, Any]]:
    calls = []
    for index, order in enumerate(wanted, 1):
        name, given = order.tool, arguments(order, tools[order.tool]["input_schema"])
        if behaviour == "unknown_tool":
            name = UNKNOWN_TOOL
        if behaviour == "wrong_arguments":
            given = dict(WRONG_ARGUMENTS)
        identity = f"toolu_offline_{number:06}_{index}"
        calls.append({"type": "tool_use", "id": identity, "name": name, "input": given})
    return calls
