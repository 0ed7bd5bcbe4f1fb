"""A conversation in forms that leave the notebook: a request body, a document, a script."""

from __future__ import annotations

import json
import pprint
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..messages import models
from ..messages.blocks import Block
from ..messages.request import CHOICE, DEFAULT_MAX_TOKENS, agreed
from ..rendering import literal, plain, reply_bundle
from ..rendering.reply import footer_text
from ..value_classes import frozen
from .reply_value import footer_of, header_of_turn, reply_as_shown
from .settings import ANTHROPIC_URL, OFFLINE, Settings
from .turns import Turn, messages, told

# What a turn remembers of its request and that is not a field of it, or needs more than a script:
# a tool that the model asks for has to be there.
_NOT_REPEATED = frozenset(
    (
        *("prefill", "emulated", "synthetic", "stream", "metadata", "cache_control"),
        *("tools", "tool_choice"),
    )
)


def as_messages(turns: Sequence[Turn], system: str = "") -> dict[str, Any]:
    """The conversation as a JSON-ready request body: append a question, and the API takes it.

    It ends with the last reply. Model, `max_tokens` and system prompt are those of the last turn
    that was asked; `system` takes the place of the latter.
    """
    asked = [turn for turn in turns if not turn.written]
    last = _parameters(asked[-1]) if asked else {"model": models.DEFAULT_MODEL}
    system = system or str(last.get("system", ""))
    return {
        "model": last["model"],
        "max_tokens": last.get("max_tokens", DEFAULT_MAX_TOKENS),
        **({"system": system} if system else {}),
        "messages": json.loads(json.dumps(agreed(messages(turns), cite=False))),
    }


def as_json(turns: Sequence[Turn]) -> str:
    """`as_messages` as text."""
    return json.dumps(as_messages(turns), indent=2, ensure_ascii=False) + "\n"


def as_markdown(turns: Iterable[Turn], title: str | None = None) -> str:
    """The turns as a Markdown document in which nothing is active, whoever wrote it.

    Each question in the user's own words, quoted, what images and files went along, the reply
    with its sources, and a line with model, date, tokens, price, and how it ended if not well.
    """
    parts = [f"# {literal(_one_line(title))}"] if title else []
    for number, turn in enumerate(turns, 1):
        question = _markdown(question_text(turn))
        attached = "\n".join(f"[{literal(words)}]" for words in attachments(turn.asked))
        quoted = "\n\n".join(part for part in (question, attached) if part)
        parts += [
            f"## Question {number}",
            _quoted(quoted),
            reply_as_shown(turn)["text/markdown"],
            f"*{_about(turn)}*",
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def question_text(turn: Turn) -> str:
    """The question in the user's own words; of a turn that does not know them, its last text."""
    if turn.prompt:
        return turn.prompt
    texts = [str(b.get("text", "")) for b in turn.asked if b.get("type") == "text"]
    if turn.parameters.get("emulated") is True and len(texts) > 1:
        texts.pop()  # the words that ask for the prefill
    return texts[-1] if texts else ""


def attachments(blocks: Iterable[Block]) -> Iterator[str]:
    """A few words on each block that is not text: "image, image/png, 34 kB"."""
    for block in blocks:
        if block.get("type") == "text":
            continue
        source = block.get("source")
        source = source if isinstance(source, Mapping) else {}
        data = str(source.get("data", ""))
        size = len(data) * 3 // 4 if source.get("type") == "base64" else len(data.encode())
        about = (
            block.get("type"),
            block.get("title"),
            source.get("url") or source.get("media_type"),
            _bytes(size) if data else None,
        )
        yield _one_line(", ".join(str(word) for word in about if word))


def _about(turn: Turn) -> str:
    """Who answered, when, for how much, and how it ended."""
    when = datetime.fromtimestamp(turn.started).strftime("%Y-%m-%d %H:%M")
    if turn.written:
        return literal(f"written by the user · {when}")
    header = header_of_turn(turn)
    said = (header.model, header.server, when, footer_text(footer_of(turn)))
    return literal(_one_line(" · ".join(word for word in said if word)))


def _markdown(text: str) -> str:
    return reply_bundle(text)["text/markdown"].rstrip("\n")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _bytes(size: int) -> str:
    """A size in words: "812 B", "34 kB", "1.2 MB"."""
    if size < 1_000:
        return f"{size} B"
    return f"{round(size / 1_000):,} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"


def as_python(turns: Iterable[Turn], *, base_url: str | None = None) -> str:
    """A Python script that has the conversation again with httpx, and prints the replies.

    Each question is asked anew, after the replies that came this time; what the user wrote as a
    reply stays as it is. Images stand in the script; the key comes from the environment. It asks
    `base_url`, else the server of the last turn (Anthropic's, if that was the offline one). Turns
    that are no part of the conversation are left out, and so are tools.
    """
    kept = told(turns)
    servers = [turn.server for turn in kept if turn.server not in ("", OFFLINE)]
    url = base_url or (servers[-1] if servers else ANTHROPIC_URL)
    constants: dict[str, _Constant] = {}
    sent = iter(agreed(messages(kept), cite=False))
    listed = [
        _named(_question(turn, [next(sent) for _ in turn.sealed]), constants) for turn in kept
    ]
    named = "".join(f"{c.name} = {data!r}\n" for data, c in constants.items())
    return (
        f"{_OPENING}\n"
        f"URL = {url.rstrip('/') + '/v1/messages'!r}\n"
        f"VERSION = {Settings.api_version!r}\n"
        f"{named}\n"
        f"TURNS = {pprint.pformat(listed, indent=1, width=96, sort_dicts=False)}\n"
        f"{_ASKING}"
    )


def _question(turn: Turn, sent: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the script has to know of a turn; `sent` are its messages, the question first."""
    question: dict[str, Any] = {"content": sent[0]["content"]}
    if turn.written:
        return {**question, "reply": sent[1]["content"]}
    question["parameters"] = _parameters(turn)
    prefill = turn.parameters.get("prefill")
    emulated = turn.parameters.get("emulated")
    if prefill and emulated is not True:
        question["prefill"] = prefill
    if emulated == CHOICE:
        question["choice"] = True
    return question


def _parameters(turn: Turn) -> dict[str, Any]:
    """The request without its messages, as the turn remembers it."""
    fields = {k: v for k, v in turn.parameters.items() if k not in _NOT_REPEATED}
    model = models.resolve(turn.requested or turn.model)
    return {"model": model, "max_tokens": DEFAULT_MAX_TOKENS, **fields}


@frozen
class _Constant:
    """A name of the script: its repr is the name."""

    name: str

    def __repr__(self) -> str:
        return self.name


def _named(value: Any, constants: dict[str, _Constant]) -> Any:
    """`value` with the base64 data of images and files replaced by names, each once."""
    if isinstance(value, list | tuple):
        return [_named(item, constants) for item in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: _named(item, constants) for key, item in value.items()}
    data = made.get("data")
    if made.get("type") == "base64" and isinstance(data, str):
        made["data"] = constants.setdefault(data, _Constant(f"DATA_{len(constants) + 1}"))
    return made


_OPENING = '''"""A conversation of a notebook, had again: run it with ANTHROPIC_API_KEY set."""

import json
import os

import httpx
'''

_ASKING = '''
HEADERS = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": VERSION}
HIDDEN = ("thinking", "redacted_thinking")


def ask(content, parameters, prefill="", choice=False):
    """The blocks of the reply to a question that stands after the messages so far."""
    asked = [*messages, {"role": "user", "content": content}]
    if prefill and not choice:
        asked.append({"role": "assistant", "content": prefill})
    body = {**parameters, "messages": asked}
    response = httpx.post(URL, headers=HEADERS, json=body, timeout=600)
    if response.is_error:
        raise SystemExit(f"{response.status_code}: {response.text}")
    reply = response.json()
    if reply["stop_reason"] == "refusal":
        return []
    if choice:
        said = "".join(block["text"] for block in reply["content"] if block["type"] == "text")
        return [{"type": "text", "text": prefill + json.loads(said)["answer"]}]
    blocks = [{"type": "text", "text": prefill}] if prefill else []
    for block in reply["content"]:
        if block["type"] not in HIDDEN and (block["type"] != "text" or block["text"].strip()):
            blocks.append(block)
    return blocks or [{"type": "text", "text": "[This reply held no text.]"}]


messages = []
for turn in TURNS:
    reply = turn["reply"] if "reply" in turn else ask(**turn)
    if isinstance(reply, str):
        reply = [{"type": "text", "text": reply}]
    print("".join(b["text"] for b in reply if b["type"] == "text") or "[declined]", end="\\n\\n")
    if reply:
        messages.append({"role": "user", "content": turn["content"]})
        messages.append({"role": "assistant", "content": reply})
'''
