"""What a reply would say and call with no limit on its length, and in which words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...messages.blocks import Block, joined_text
from ...messages.models import Model
from ...messages.usage import Usage, estimate_input, image_tokens
from ...value_classes import frozen
from ..referee.request_checks import CheckedRequest
from .called_tools import CALLS, WantedCalls, calling
from .desktop_calls import at_desktop
from .quotes import ReplyPassage, joined, quoted, quoted_document, quoted_result
from .reading import Reading, Result, ToolOrder, image_bytes, look, paused, read
from .schema_values import value_for
from .server_tools import ReplyPiece, ServerTools, is_server_tool

_QUOTE = 300
_SHORT_QUOTE = 120
# A question about a plot is no request for one: an order begins with the verb.
_CODE_WORDS = re.compile(
    r"\b(code|function|script|snippet|python)\b|^\W*(please\s+)?(plot|draw)\b", re.IGNORECASE
)
_PLOT_WORDS = re.compile(r"\b(plots?|draw)\b", re.IGNORECASE)
_CODE = """\
```python
# Written by the offline server, so that there is code to try.
def squares(count):
    return [n * n for n in range(count)]


squares(5)
```
"""
_PLOT = """\
```python
# Written by the offline server, so that there is code to try.
import matplotlib.pyplot as plt

plt.plot([n * n for n in range(5)])
plt.title("From the offline server")
plt.show()
```
"""


def answer_text(asked: CheckedRequest, reading: Reading) -> list[ReplyPassage]:
    """The whole free-text answer in pieces; joined they are Markdown."""
    if reading.opening:
        goes_on = continuation(reading)
        return [ReplyPassage(reading.opening + goes_on if reading.repeated else goes_on)]
    passages = [ReplyPassage(introduction(reading)), *summary(asked, reading)]
    code = code_for(reading.question)
    return joined([*passages, ReplyPassage("\n" + code)] if code else passages)


def summary(asked: CheckedRequest, reading: Reading, *, called: bool = False) -> list[ReplyPassage]:
    """What was read, in a list, with the price; `called` says that tools were called already."""
    passages: list[ReplyPassage] = []
    for item in _items(asked, reading, called=called):
        passages += [ReplyPassage("- "), *item, ReplyPassage("\n")]
    if len(reading.images) > 1:
        passages.append(ReplyPassage("\n" + _image_table(reading.images, asked.model)))
    return passages


def continuation(reading: Reading) -> str:
    """How the answer goes on after its opening."""
    opening = reading.opening
    if opening.endswith("(") and reading.choices:
        return f"{reading.choices[-1]}), the last choice: the offline server always takes that one."
    if opening.endswith("{"):
        return '"offline": true}'
    if opening.endswith("["):
        return '"offline server"]'
    if re.search(r"```\w*$", opening):
        return "\n" + _CODE.split("\n", 1)[1]
    return (
        " ... and here the offline server goes on, which can only say what it read: "
        f"a question of {len(reading.question):,} characters."
    )


def code_for(question: str) -> str:
    """A fenced block of Python if the question asks for code, else nothing."""
    if not _CODE_WORDS.search(question):
        return ""
    return _PLOT if _PLOT_WORDS.search(question) else _CODE


def introduction(reading: Reading) -> str:
    """Who answers, and what of it is to be expected."""
    if reading.results:
        return (
            "This is the **offline server**: no model reads what the tools returned. "
            "This is what came back:\n\n"
        )
    return (
        "This is the **offline server**: no model has read your question. "
        "It shows what was sent and what that would cost.\n\n"
        f"> {quoted(reading.question, _QUOTE)}\n\n"
    )


def _items(
    asked: CheckedRequest, reading: Reading, *, called: bool
) -> Iterator[list[ReplyPassage]]:
    for result in reading.results:
        yield [ReplyPassage(_result_line(result, asked.model))]
    yield [ReplyPassage(_conversation(asked, reading))]
    if reading.data:
        pieces = ", ".join(_count(number, name) for name, number in reading.data.items())
        yield [
            ReplyPassage(f"From the notebook: {pieces}; {reading.characters:,} characters in all")
        ]
    if len(reading.images) == 1:
        yield [ReplyPassage(f"Image 1: {_image_line(reading.images[0], asked.model)}")]
    for number, (index, block) in enumerate(reading.documents, 1):
        yield quoted_document(number, index, block)
    for number, (index, block) in enumerate(reading.search_results, 1):
        yield quoted_result(number, index, block)
    if reading.choices:
        listed = ", ".join(f"({letter})" for letter in reading.choices)
        yield [ReplyPassage(f"Choices {listed}: the offline server takes the last one")]
    names = [f"`{tool['name']}`" for tool in asked.body.get("tools", []) if "name" in tool]
    if names and not reading.results and not called:
        yield [ReplyPassage(f"Tools: {', '.join(names)}; name one in a question and it is called")]
    yield [ReplyPassage(_price(asked))]


def _conversation(asked: CheckedRequest, reading: Reading) -> str:
    system = joined_text(_system_blocks(asked.body))
    said = f"; system prompt: {len(system):,} characters" if system else ""
    return f"Turn {reading.turn} of this conversation{said}"


def _system_blocks(body: Mapping[str, Any]) -> Sequence[Block]:
    system = body.get("system", [])
    return [{"type": "text", "text": system}] if isinstance(system, str) else system


def _image_line(block: Block, model: Model) -> str:
    data = image_bytes(block)
    if data is None:
        return f"<{block['source']['url']}>, an address: the offline server fetches nothing"
    seen = look(data)
    return f"{seen}; {image_tokens(seen.width, seen.height, model):,} tokens"


def _image_table(images: Sequence[Block], model: Model) -> str:
    rows = ["| image | format | pixels | tokens | colours |", "|--:|---|---|--:|---|"]
    for number, block in enumerate(images, 1):
        data = image_bytes(block)
        if data is None:
            rows.append(f"| {number} | address | not fetched | | |")
            continue
        seen = look(data)
        paid = image_tokens(seen.width, seen.height, model)
        rows.append(
            f"| {number} | {seen.format} | {seen.width} x {seen.height} | {paid:,} "
            f"| {seen.in_colours} |"
        )
    return "\n".join(rows) + "\n"


def _result_line(result: Result, model: Model) -> str:
    parts = []
    if result.text:
        parts.append(f'{len(result.text):,} characters, "{quoted(result.text, _SHORT_QUOTE)}"')
    parts += [f"image: {_image_line(image, model)}" for image in result.images]
    kind = "an error" if result.is_error else "a result"
    return f"`{result.tool}` returned {kind}: {'; '.join(parts) or 'nothing'}"


def _price(asked: CheckedRequest) -> str:
    tokens, model = estimate_input(asked.body, asked.model), asked.model
    cost, price = Usage(fresh=tokens).cost(model), model.price
    if cost is None or price is None:
        return f"About {tokens:,} tokens in; the price of {model.name} is not known"
    if model.long_prompt and tokens > model.long_prompt[0]:
        price = model.long_prompt[1]
    return (
        f"About {tokens:,} tokens in: {_dollars(cost)} with {model.name}, uncached; "
        f"an answer costs ${price.output:g} per million tokens"
    )


def _dollars(amount: float) -> str:
    if amount < 0.0001:
        return "under $0.0001"
    return f"${amount:.2f}" if amount >= 0.01 else f"${amount:.4f}"


def _count(number: int, name: str) -> str:
    if name.endswith("s"):
        return name
    return f"{number} {name}{'' if number == 1 else 's'}"


SERVER_TOOL_BEHAVIOURS = ("pause_turn", "server_tool_error")
"""The behaviours that call one of the server's tools, if one is offered."""
BAD_JSON = "bad_json"
"""The behaviour that leaves the last character of a reply in JSON out."""
_MAKES_UP = (
    "This is the **offline server**: no model has read your question, and what the server's own "
    "tools return is made up.\n\n"
)


@frozen
class Draft:
    """Passages and the blocks of the server's tools in their order, then what is to be called."""

    parts: Sequence[ReplyPiece]
    calls: Sequence[Block] = ()
    thought: bool = False
    stop_reason: str = "end_turn"


def draft(asked: CheckedRequest, number: int, behaviour: str | None = None) -> Draft:
    """The draft of the `number`-th reply of a server."""
    reading = read(asked)
    goes_on = paused(asked.turns[-1])
    desktop = None if behaviour else at_desktop(asked, reading, number)
    if desktop is not None:
        ending = "tool_use" if desktop.calls else "end_turn"
        return Draft([ReplyPassage(desktop.text)], desktop.calls, _thinks(asked), ending)
    wanted = calling(asked, reading, number, behaviour)
    # Thinking is bound to where it stands, and a client may put both parts of a reply together.
    thought = _thinks(asked) and not goes_on and not wanted.unfinished
    if behaviour in SERVER_TOOL_BEHAVIOURS:
        wanted = _with_a_server_call(wanted, asked)
    tools = ServerTools(asked, number, fails=behaviour == "server_tool_error")
    parts = [part for call in wanted.unfinished for part in tools.finish(call)]
    parts += [part for order in wanted.server for part in tools.call(order)]
    if wanted.server and not goes_on:
        parts.insert(0, ReplyPassage(_MAKES_UP))
    if behaviour == "pause_turn" and wanted.server:
        return Draft(joined(_until_last_call(parts)), (), thought, "pause_turn")
    if wanted.client:
        waiting = [block for order in wanted.waiting for block in tools.open(order)]
        parts.append(ReplyPassage(_why(wanted, asked, behaviour)))
        return Draft(joined(parts), [*waiting, *wanted.client], thought, _ending(behaviour))
    if reading.schema is not None:
        value = json.dumps(value_for(reading.schema, choices=reading.choices), ensure_ascii=False)
        if behaviour == BAD_JSON:
            value = value[:-1]
        blocks = [part for part in parts if not isinstance(part, ReplyPassage)]
        return Draft([*blocks, ReplyPassage(value)], thought=thought)
    if parts and reading.results:
        parts.append(ReplyPassage(introduction(reading)))
    parts += summary(asked, reading, called=True) if parts else answer_text(asked, reading)
    return Draft(joined(parts), thought=thought)


def _thinks(asked: CheckedRequest) -> bool:
    if asked.thinking is None:
        return asked.model.thinking_default
    return asked.thinking in ("adaptive", "enabled")


def _with_a_server_call(wanted: WantedCalls, asked: CheckedRequest) -> WantedCalls:
    """At least one call of a server's tool, if one is offered."""
    offered = [
        ToolOrder(tool["name"]) for tool in asked.body.get("tools", []) if is_server_tool(tool)
    ]
    return replace(wanted, server=wanted.server or offered[:1])


def _until_last_call(parts: Sequence[ReplyPiece]) -> list[ReplyPiece]:
    calls = [
        place
        for place, part in enumerate(parts)
        if not isinstance(part, ReplyPassage) and part["type"] == "server_tool_use"
    ]
    return list(parts[: calls[-1] + 1])


def _why(wanted: WantedCalls, asked: CheckedRequest, behaviour: str | None) -> str:
    names = list(dict.fromkeys(f"`{call['name']}`" for call in wanted.client))
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    forced = asked.body.get("tool_choice", {}).get("type") in ("any", "tool")
    why = "the question names it"
    if behaviour in CALLS:
        why = "it was told to"
    elif forced:
        why = "the request demands it"
    return f"The offline server calls {listed}, because {why}."


def _ending(behaviour: str | None) -> str:
    return {"cut_tool_input": "max_tokens", "refused_call": "refusal"}.get(
        behaviour or "", "tool_use"
    )
