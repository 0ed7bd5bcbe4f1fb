"""The offline server's words: what was read, what it would cost, and that no model was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..messages.blocks import Block, joined_text
from ..messages.models import Model
from ..messages.usage import Usage, estimate_input, image_tokens
from .asked import Asked
from .passages import Passage, joined, quoted
from .pixels import look
from .quotes import quoted_document, quoted_result
from .reading import Reading, Result, image_bytes

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


def answer_text(asked: Asked, reading: Reading) -> list[Passage]:
    """The whole free-text answer in pieces; joined they are Markdown."""
    if reading.opening:
        goes_on = continuation(reading)
        return [Passage(reading.opening + goes_on if reading.repeated else goes_on)]
    passages = [Passage(introduction(reading)), *summary(asked, reading)]
    code = code_for(reading.question)
    return joined([*passages, Passage("\n" + code)] if code else passages)


def summary(asked: Asked, reading: Reading, *, called: bool = False) -> list[Passage]:
    """What was read, in a list, with the price; `called` says that tools were called already."""
    passages: list[Passage] = []
    for item in _items(asked, reading, called=called):
        passages += [Passage("- "), *item, Passage("\n")]
    if len(reading.images) > 1:
        passages.append(Passage("\n" + _image_table(reading.images, asked.model)))
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


def _items(asked: Asked, reading: Reading, *, called: bool) -> Iterator[list[Passage]]:
    for result in reading.results:
        yield [Passage(_result_line(result, asked.model))]
    yield [Passage(_conversation(asked, reading))]
    if reading.data:
        pieces = ", ".join(_count(number, name) for name, number in reading.data.items())
        yield [Passage(f"From the notebook: {pieces}; {reading.characters:,} characters in all")]
    if len(reading.images) == 1:
        yield [Passage(f"Image 1: {_image_line(reading.images[0], asked.model)}")]
    for number, (index, block) in enumerate(reading.documents, 1):
        yield quoted_document(number, index, block)
    for number, (index, block) in enumerate(reading.search_results, 1):
        yield quoted_result(number, index, block)
    if reading.choices:
        listed = ", ".join(f"({letter})" for letter in reading.choices)
        yield [Passage(f"Choices {listed}: the offline server takes the last one")]
    names = [f"`{tool['name']}`" for tool in asked.body.get("tools", []) if "name" in tool]
    if names and not reading.results and not called:
        yield [Passage(f"Tools: {', '.join(names)}; name one in a question and it is called")]
    yield [Passage(_price(asked))]


def _conversation(asked: Asked, reading: Reading) -> str:
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


def _price(asked: Asked) -> str:
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
