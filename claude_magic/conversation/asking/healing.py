"""Self-healing: what a refusal was about, and the request that the server can take instead.

A refusal is read with caution: what is not plainly about a block's content names no block, and
the error stands.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise, zip_longest
from typing import Any

from ...messages.blocks import Block, Message, content_blocks, text
from ...messages.body import all_blocks
from ...messages.errors import APIError, BadRequest
from ...messages.models import Model
from ...messages.usage import estimate_input
from ...value_classes import frozen

# The patterns of this module are compiled when first used, as `re` keeps them: few requests are
# refused.

# A placeholder cannot stand for these: text and thinking are the conversation itself, and of a
# call and its result each needs the other.
_KEPT = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "tool_result"})
# `messages.2.content.0.content.1`, also with `tool_result.` before the inner `content`, also with
# the brackets of other servers; then the path within the block.
_INDEX = r"[.\[](\d+)\]?"
_PATH = rf"\bmessages{_INDEX}\.content{_INDEX}(?:(?:\.tool_result)?\.content{_INDEX})?([\w.]*)"
# A fault of one of these fields is the request's, not the image's.
_SETTINGS = frozenset({"cache_control", "citations", "context", "title", "transformations"})
_UNKNOWN_TYPE = r"Input tag '([^']+)' found using 'type'"
# Where a block stands, or what it stands beside, is wrong, not the block.
_ORDER = r"\btool_(?:use|result)\b|\bprefill|\bcache_control\b"

_NO_IMAGES = r"(?i)\bimage inputs?\b|\bmultimodal\b|\bsupports? (?:images?|vision)\b"
_IMAGE = (
    r"(?i)could not process image|image exceeds|image dimensions|(?:unsupported|invalid) image"
    r"|image was specified using"
)
_DOWNLOAD = r"(?i)unable to download"
_PDF = r"(?i)could not process pdf|\bPDF specified\b|\bPDF pages\b"


def rejected(error: APIError, body: Mapping[str, Any]) -> frozenset[str]:
    """The keys of the blocks of `body` that the server refused; empty if it was something else.

    The blocks are those that `details.paths` or the message names. Where a message is about an
    image, a document or a download and names none, they are those of the last user message that
    holds any.
    """
    if not isinstance(error, BadRequest):
        return frozenset()
    found = _at_paths(error.details.get("paths"), body) or _named(str(error), body)
    return frozenset(block_key(block) for block in _with_partners(found, body))


@frozen
class ImageLimit:
    """The most that a server takes of an image: pixels a side, characters of base64."""

    side: int | None = None
    characters: int | None = None

    @property
    def in_words(self) -> str:
        """For example "2,000 pixels a side"."""
        if self.side is not None:
            return f"{self.side:,} pixels a side"
        return f"{(self.characters or 0) / 1024**2:.3g} MB"


_SIDE = (
    r"(?i)max(?:imum)? allowed size(?: for many-image requests)?: (\d[\d,]*) pixels",
    r"(?i)largest size (?:that fits|of this shape) is (\d+)x(\d+) pixels",
)
_BYTES = r"(?i)image exceeds [\d.]+ ?MB maximum: [\d,]+ bytes > ([\d,]+) bytes"


def image_limit(error: APIError) -> ImageLimit | None:
    """How large an image may be, as a refusal says; None where it does not say it."""
    side = error.details.get("max_side_length_pixels")
    if isinstance(side, int) and not isinstance(side, bool) and side > 0:
        return ImageLimit(side)
    words = str(error)
    for pattern in _SIDE:
        if found := re.search(pattern, words):
            return ImageLimit(max(_number(n) for n in found.groups()) or None)
    found = re.search(_BYTES, words)
    return ImageLimit(characters=_number(found[1])) if found else None


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))


def about_thinking(error: APIError) -> bool:
    """Whether the server refused thinking that was sent back to it: it is bound to what it saw."""
    words = str(error)
    return isinstance(error, BadRequest) and "thinking" in words and "signature" in words


def block_key(block: Block) -> str:
    """What a block is known by in later requests: SHA-256 hex of its source as canonical JSON.

    A block that is neither image nor document has no source that tells it from others: it is
    known by all of it.
    """
    known_by = block.get("source") if block.get("type") in ("image", "document") else block
    canonical = json.dumps(known_by, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()


def without(body: Mapping[str, Any], keys: Iterable[str]) -> tuple[Mapping[str, Any], int]:
    """The body with a line of text for each block of these keys, and how many these were.

    `body` is not changed. Messages and blocks that hold none of them are the same objects.
    """
    return _exchanged(body, frozenset(keys), _placeholder)


def with_copies(body: Mapping[str, Any], copies: Mapping[str, Block]) -> Mapping[str, Any]:
    """The body with the source of a copy in place of each block that has one, by its key.

    `body` is not changed.
    """

    def copied(block: Block) -> Block:
        return {**block, "source": copies[block_key(block)]["source"]}

    return _exchanged(body, frozenset(copies), copied)[0]


def image_blocks(body: Mapping[str, Any], keys: frozenset[str]) -> Sequence[Block]:
    """The images of these keys whose bytes the request holds."""
    return _blocks(
        body,
        lambda block: (
            _is_image(block)
            and block["source"].get("type") == "base64"
            and block_key(block) in keys
        ),
    )


def _exchanged(
    body: Mapping[str, Any], wanted: frozenset[str], exchange: Callable[[Block], Block]
) -> tuple[Mapping[str, Any], int]:
    messages, replaced = [], 0
    for message in body["messages"] if wanted else ():
        content, count = _replaced(message["content"], wanted, exchange)
        messages.append({**message, "content": content} if count else message)
        replaced += count
    return ({**body, "messages": messages}, replaced) if replaced else (body, 0)


def _replaced(
    content: Any, keys: frozenset[str], exchange: Callable[[Block], Block]
) -> tuple[Any, int]:
    """The content of a message or a tool result, the blocks of these keys exchanged; how many."""
    if isinstance(content, str) or content is None:
        return content, 0
    blocks: list[Block] = []
    replaced = 0
    for block in content:
        count = 0
        if block.get("type") == "tool_result":
            inner, count = _replaced(block.get("content"), keys, exchange)
            blocks.append({**block, "content": inner} if count else block)
        elif _healable(block) and block_key(block) in keys:
            count = 1
            blocks.append(exchange(block))
        else:
            blocks.append(block)
        replaced += count
    return blocks, replaced


def _placeholder(block: Block) -> Block:
    kind = block.get("type")
    known = {"image": "An image", "document": "A document"}
    what = known.get(str(kind), f"Something of type {kind}")
    return text(f"[{what} stood here; the server could not take it.]")


def _healable(block: Block) -> bool:
    return block.get("type") not in _KEPT


def _at_paths(paths: Any, body: Mapping[str, Any]) -> list[Block]:
    """The blocks at these paths of `details`, as far as they are there."""
    found = []
    for path in paths if isinstance(paths, list) else ():
        match = re.fullmatch(_PATH, path) if isinstance(path, str) else None
        block = _at(match, body) if match else None
        if block is not None and _healable(block):
            found.append(block)
    return found


def _named(words: str, body: Mapping[str, Any]) -> list[Block]:
    """The blocks that a message is about."""
    match = re.search(_PATH, words)
    if match is None:
        return _meant(words, body)
    block = _at(match, body)
    if block is None or not _healable(block) or _SETTINGS & set(match[4].split(".")):
        return []
    after = words[match.end() :]
    unknown = re.search(_UNKNOWN_TYPE, after)
    if unknown and unknown[1] == block.get("type"):
        # A type that the server does not know is refused wherever it stands.
        return _blocks(body, lambda other: other.get("type") == unknown[1])
    return [] if re.search(_ORDER, after) and not unknown else [block]


def _meant(words: str, body: Mapping[str, Any]) -> list[Block]:
    """The blocks that a message without a path must be about."""
    if re.search(_NO_IMAGES, words):
        return _blocks(body, _is_image)
    if re.search(_IMAGE, words):
        return _last(body, _is_image)
    if re.search(_DOWNLOAD, words):
        return _last(body, _is_address)
    if re.search(_PDF, words):
        return _last(body, lambda block: block.get("type") == "document")
    return []


def _is_image(block: Block) -> bool:
    return block.get("type") == "image"


def _is_address(block: Block) -> bool:
    source = block.get("source")
    return isinstance(source, Mapping) and source.get("type") == "url"


def _blocks(body: Mapping[str, Any], want: Callable[[Block], bool]) -> list[Block]:
    return [b for message in body["messages"] for b in all_blocks(message) if want(b)]


def _last(body: Mapping[str, Any], want: Callable[[Block], bool]) -> list[Block]:
    """The blocks wanted of the last user message that holds any."""
    for message in reversed(body["messages"]):
        found = [b for b in all_blocks(message) if want(b)] if message["role"] == "user" else []
        if found:
            return found
    return []


def _at(match: re.Match[str], body: Mapping[str, Any]) -> Block | None:
    """The block at a path, None where there is none. What a document holds is the document."""
    message = _item(body["messages"], match[1])
    block: Block | None = _item(message["content"], match[2]) if message else None
    if block is None or match[3] is None or block.get("type") == "document":
        return block
    inner: Block | None = _item(block.get("content"), match[3])
    return inner


def _item(items: Any, index: str) -> Any:
    return items[int(index)] if isinstance(items, list) and int(index) < len(items) else None


def _with_partners(found: list[Block], body: Mapping[str, Any]) -> list[Block]:
    """The blocks, and for the call of a server's tool its result, or the other way round."""
    calls = {block.get("id") or block.get("tool_use_id") for block in found} - {None}
    if not calls:
        return found
    return found + _blocks(
        body,
        lambda b: _healable(b) and bool(calls & {b.get("id"), b.get("tool_use_id")}),
    )


# What is left out is reckoned by estimates: a little more goes than need be.
_FULL = 0.95
_HALF = 0.5

_HAVE, _OUT, _LIMIT = r"(?P<have>\d[\d,]*)", r"(?P<out>\d[\d,]*)", r"(?P<limit>\d[\d,]*)"
_COUNTED = (
    rf"too long: {_HAVE} tokens > {_LIMIT} maximum",
    rf"context limit: {_HAVE} \+ {_OUT} > {_LIMIT}",
    # vLLM and the servers that repeat its words, then llama.cpp.
    rf"maximum context length is {_LIMIT} tokens.*\({_HAVE} in the messages, {_OUT} in the",
    rf"maximum context length is {_LIMIT} tokens.* has {_HAVE} input tokens",
    rf"\({_HAVE} tokens\) exceeds the available context size \({_LIMIT} tokens\)",
)
_UNCOUNTED = (
    r"(?i)prompt is too long|exceeds? (?:the )?(?:available |model'?s? )?context"
    r"|maximum context length|context (?:length|window) exceeded|too many input tokens"
)


@frozen
class TooLong:
    """Tokens of input that the server counted, and the most that it takes; None: it did not say.

    Where the reply's length counts too, and the server said how much of it, `limit` is what is
    left for the input.
    """

    tokens: int | None = None
    limit: int | None = None


def too_long(error: APIError) -> TooLong | None:
    """What the server said of the request's length; None if it refused something else."""
    if error.status == 413:
        return TooLong()
    if not isinstance(error, BadRequest):
        return None
    words = str(error)
    for pattern in _COUNTED:
        if match := re.search(pattern, words, re.IGNORECASE):
            number = {name: int(n.replace(",", "")) for name, n in match.groupdict().items()}
            return TooLong(number["have"], max(0, number["limit"] - number.get("out", 0)))
    return TooLong() if re.search(_UNCOUNTED, words) else None


def without_oldest(body: Mapping[str, Any], count: int) -> Mapping[str, Any]:
    """The body without its first `count` turns, but with the last question in any case.

    A turn is a question with all that follows before the next one: calls of tools, their results,
    the reply. A prefill belongs to the last question. `body` is not changed.
    """
    messages = body["messages"]
    starts = _starts(messages)
    if count < 1 or len(starts) < 2:
        return body
    return {**body, "messages": list(messages[starts[min(count, len(starts) - 1)] :])}


def how_many_oldest(body: Mapping[str, Any], long: TooLong, model: Model) -> int:
    """How many of the oldest turns to leave out, so that the server may take the rest.

    All but the last question where less does not seem enough; 0 where leaving turns out cannot
    help. Where the server gave no numbers, the request is cut to half its size.
    """
    messages = body["messages"]
    # What stands before the first question goes with it.
    bounds = [0, *_starts(messages)[1:]]
    earlier = [messages[start:end] for start, end in pairwise(bounds)]
    if long.tokens is None or long.limit is None:
        whole, sizes = _size(body), [_size(turn) for turn in earlier]
        room = _HALF * whole
    else:
        # Counted within the limit and refused all the same: the reply's length counts too.
        fits = long.tokens <= long.limit
        limit = long.limit - (body.get("max_tokens", 0) if fits else 0)
        if limit <= 0:
            return 0
        whole = estimate_input(body, model)
        sizes = [estimate_input({"messages": turn}, model) for turn in earlier]
        # The estimate errs alike for all of a request: the server's count puts it right.
        room = _FULL * limit * whole / max(1, long.tokens)
    for count, left_out in enumerate(accumulate(sizes), 1):
        if whole - left_out <= room:
            return count
    return len(earlier)


def _starts(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """The index of each turn's first message.

    Neighbouring user messages are one question, and a message with results of tools goes on with
    the turn that called them.
    """
    return [
        index
        for index, message in enumerate(messages)
        if message["role"] == "user"
        and not _holds_results(message)
        and (index == 0 or messages[index - 1]["role"] != "user")
    ]


def _holds_results(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return not isinstance(content, str) and any(b.get("type") == "tool_result" for b in content)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))


_NO_RESULT = "This call was interrupted; it gave no result."
_NO_CALL = "[The result of a tool stood here; its call is gone.]"


def mended_tools(messages: Sequence[Message]) -> list[Message]:
    """The messages with a result for each call of a tool, and a call for each result.

    A call without its result gets one that says so, first in the user message that follows, or in
    a new one. Of a result without its call, or a call's second one, nothing stays; a message that
    held nothing else is dropped, or holds a line of text where roles would not take turns without
    it. Results that stand behind other blocks come first. A server's own tools are left alone.
    Messages with nothing wrong are the same objects.
    """
    # The API reads neighbouring messages of one role as one turn.
    runs = [list(run) for _, run in groupby(messages, key=lambda message: message["role"])]
    mended: list[Message] = []
    end: list[Message] = []
    calls: Mapping[str, Block] = {}
    for run, following in zip_longest(runs, runs[1:], fillvalue=end):
        if run[0]["role"] == "user":
            mended += _user_turn(run, calls)
            calls = {}
            continue
        calls, last = _calls(run), run
        if not calls.keys() & {_call_id(block) for block in _results(following)}:
            # None of them is answered: each message with calls gets its answer at once.
            for message in run[:-1]:
                mended += [message, *_answers(_calls([message]))]
            last = run[-1:]
            calls = _calls(last)
        mended += last
        if not following or following[0]["role"] != "user":
            mended += _answers(calls)
    return mended


def _user_turn(run: Sequence[Message], calls: Mapping[str, Block]) -> Sequence[Message]:
    """Neighbouring user messages, as they may follow an assistant's that made these calls."""
    results = _results(run)
    blocks = [block for message in run for block in content_blocks(message)]
    if sorted(map(_call_id, results)) == sorted(calls) and blocks[: len(results)] == results:
        return run
    found: dict[str, Block] = {}
    for block in results:
        if _call_id(block) in calls:
            found.setdefault(_call_id(block), block)
    opening = [no_result(call) for i, call in calls.items() if i not in found]
    opening += found.values()
    return list(_rebuilt(run, opening)) or [{"role": "user", "content": _NO_CALL}]


def _rebuilt(run: Sequence[Message], opening: Sequence[Block]) -> Iterator[Message]:
    """The messages with `opening` first and no other results; those left empty are dropped."""
    for message in run:
        blocks = content_blocks(message)
        others = [block for block in blocks if block.get("type") != "tool_result"]
        if len(others) == len(blocks) and not opening:
            yield message
        elif opening or others:
            yield {"role": "user", "content": [*opening, *others]}
        opening = ()


def _calls(run: Iterable[Message]) -> dict[str, Block]:
    """The calls in an assistant's messages by their ids."""
    return {
        str(block.get("id")): block
        for message in run
        for block in content_blocks(message)
        if block.get("type") == "tool_use"
    }


def _results(run: Iterable[Message]) -> list[Block]:
    blocks = (block for message in run for block in content_blocks(message))
    return [block for block in blocks if block.get("type") == "tool_result"]


def _call_id(result: Block) -> str:
    return str(result.get("tool_use_id"))


def _answers(calls: Mapping[str, Block]) -> list[Message]:
    """A user message with a result for each call; none where there are no calls."""
    blocks = [no_result(call) for call in calls.values()]
    return [{"role": "user", "content": blocks}] if blocks else []


def no_result(call: Block) -> Block:
    """The result of a call that was interrupted."""
    result = {
        "type": "tool_result",
        "tool_use_id": call.get("id"),
        "content": [text(_NO_RESULT)],
        "is_error": True,
    }
    # A toolset's result echoes the name that its call carries.
    toolset = call.get("toolset_name")
    return result if toolset is None else {**result, "toolset_name": toolset}


__all__ = [
    "ImageLimit",
    "TooLong",
    "about_thinking",
    "block_key",
    "how_many_oldest",
    "image_blocks",
    "image_limit",
    "mended_tools",
    "no_result",
    "rejected",
    "too_long",
    "with_copies",
    "without",
    "without_oldest",
]
