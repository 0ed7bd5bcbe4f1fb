"""The requests by which a server is tried: each small, each asking for one thing.

A probe returns what to say of it, raises `NotFollowed` where the server took the request and did
not do what it asks for, and lets the client's errors pass where it did not take it.
"""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, Message, image_base64, joined_text, message, text
from ..messages.models import Model
from ..messages.request import Options, Request, build
from ..messages.transport.stream import runnable
from ..messages.usage import Usage

if TYPE_CHECKING:
    from ..messages.transport.client import Client

LONGEST = 2_048
"""The most tokens of each reply: a word is enough, but hidden thinking counts."""

_CODE = "7319"
_WORD = "pelican"
_SIDE = 224
_COLOURS = ("red", "green", "blue")
_TOOL = {
    "name": "look_up_code",
    "description": "Gives the code that belongs to a name.",
    "input_schema": {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    },
}
_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": list(_COLOURS)}},
    "required": ["colour"],
    "additionalProperties": False,
}
_HELLO = "Say hello in one word."
_TOMATO = "Which colour has a ripe tomato?"
_CHOICE = "What is latin for ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"
_FENCE = re.compile(r"^```\w*\n(.*)\n```$", re.DOTALL)


class NotFollowed(Exception):  # noqa: N818 - an answer, not a fault
    """The server took the request, and did not do what it asks for; says what it did."""


@dataclass
class Patient:
    """A server under examination: what is asked of it, and what later probes need of earlier.

    `anthropic` says that it is Anthropic's, or the offline server.
    """

    client: Client
    model: Model
    anthropic: bool
    called: list[Message] = field(default_factory=list)

    def request(
        self, *content: Block, history: Sequence[Message] = (), fields: bool = False, **said: Any
    ) -> Request:
        """A request with these options; `fields` writes it as for Anthropic's own server."""
        quick = {"effort": "low", "think": "off"} if self.anthropic else {}
        options = Options(**{"max_tokens": LONGEST, "cache": False, **quick, **said})
        return build(self.model, history, content, options, anthropic=self.anthropic or fields)

    def ask(self, request: Request) -> Mapping[str, Any]:
        """The reply, streamed. Raises NotFollowed if there is not a word in it."""
        with self.client.stream(request.body, betas=request.betas) as reply:
            for _ in reply:
                pass
        return reply.snapshot


def whole_message(patient: Patient) -> str:
    """The words of a reply that comes in one piece."""
    request = patient.request(text(_HELLO))
    return f'"{_start(_words(patient.client.message(request.body)))}"'


def stream(patient: Patient) -> str:
    """How soon the first words of a stream came."""
    body = patient.request(text(_HELLO)).body
    began, first = time.monotonic(), 0.0
    with patient.client.stream(body) as reply:
        for event in reply:
            if event["type"] == "content_block_delta" and not first:
                first = time.monotonic() - began
    _words(reply.snapshot)
    used = Usage.from_wire(reply.snapshot.get("usage"))
    counted = "" if used.output else ", no tokens counted"
    return f"first words after {first:.1f} s{counted}"


def system_prompt(patient: Patient) -> str:
    """Nothing, where the system prompt was followed."""
    system = f"Answer whatever is asked with the single word {_WORD}."
    said = _words(patient.ask(patient.request(text("What is two and two?"), system=system)))
    return _expect(_WORD in said.lower(), said)


def image(patient: Patient) -> str:
    """Nothing, where the colour of the image was seen."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), "red").save(out, "PNG")
    picture = image_base64("image/png", base64.b64encode(out.getvalue()).decode("ascii"))
    question = text("Which colour is this image? Answer with one word.")
    said = _words(patient.ask(patient.request(picture, question)))
    return _expect("red" in said.lower(), said)


def tool_call(patient: Patient) -> str:
    """The arguments with which a tool was called; the call is kept for the next probe."""
    question = text("Call the tool look_up_code for the name ant, and tell me the code.")
    request = patient.request(question, tools=[_TOOL])
    content = patient.ask(request).get("content", ())
    calls = [block for block in content if block.get("type") == "tool_use"]
    if not calls:
        raise NotFollowed(f"answered without a call: {_start(joined_text(content))}")
    if not all(runnable(call) and isinstance(call.get("id"), str) for call in calls):
        raise NotFollowed("called, without an id or with arguments that are no JSON object")
    patient.called = [message("user", [question]), message("assistant", content)]
    return f"called with {_start(json.dumps(calls[0]['input']))}"


def tool_result(patient: Patient) -> str:
    """Nothing, where the reply holds what the tool gave."""
    if not patient.called:
        raise NotFollowed("not tried: there was no call to answer")
    calls = [b for b in patient.called[1]["content"] if isinstance(b, Mapping)]
    results: list[Block] = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": f"The code is {_CODE}."}
        for call in calls
        if call.get("type") == "tool_use"
    ]
    said = _words(patient.ask(patient.request(*results, history=patient.called, tools=[_TOOL])))
    return _expect(_CODE in said, said)


def json_by_schema(patient: Patient) -> str:
    """Nothing, where `output_config.format` was kept to."""
    return _colour(patient.ask(patient.request(text(_TOMATO), schema=_SCHEMA, fields=True)))


def json_by_words(patient: Patient) -> str:
    """Nothing, where the words that ask for JSON were kept to."""
    asked = replace(patient, anthropic=False)
    return _colour(asked.ask(asked.request(text(_TOMATO), schema=_SCHEMA)))


def count_tokens(patient: Patient) -> str:
    """How many tokens the server counts for a short question."""
    return (
        f"{patient.client.count_tokens(patient.request(text(_HELLO)).body):,} for a short question"
    )


def prefill(patient: Patient) -> str:
    """Nothing, where the reply went on from a prefill."""
    taking = replace(patient, model=replace(patient.model, prefill=True))
    said = _words(taking.ask(taking.request(text(_CHOICE), prefill="The answer is (")))
    return _expect(re.match(r"\s*\(?[ABC]\)?", said) is not None, said)


PROBES: Mapping[str, Callable[[Patient], str]] = {
    "message": whole_message,
    "stream": stream,
    "system prompt": system_prompt,
    "image": image,
    "tool call": tool_call,
    "tool result": tool_result,
    "JSON by schema": json_by_schema,
    "JSON by words": json_by_words,
    "count_tokens": count_tokens,
    "prefill": prefill,
}
"""Every probe by its name, in the order in which they are made."""

FREE = ("count_tokens",)
"""Those for which no server charges."""


def needless(patient: Patient, name: str) -> str | None:
    """Why a probe is not made, though others would be; None where it is."""
    if name == "prefill" and patient.anthropic and not patient.model.prefill:
        return f"{patient.model.name} takes none"
    return None


def _words(reply: Mapping[str, Any]) -> str:
    said = joined_text(reply.get("content", ()))
    if said.strip():
        return said
    if reply.get("stop_reason") == "max_tokens":
        raise NotFollowed(f"no word within {LONGEST:,} tokens: it may think without showing it")
    raise NotFollowed("a reply without a word")


def _expect(followed: bool, said: str) -> str:
    if not followed:
        raise NotFollowed(f'answered "{_start(said)}"')
    return ""


def _colour(reply: Mapping[str, Any]) -> str:
    said = joined_text(reply.get("content", ())).strip()
    fenced = _FENCE.match(said)
    try:
        value = json.loads(fenced[1] if fenced else said)
        fits = value["colour"] in _COLOURS
    except (ValueError, TypeError, KeyError):
        fits = False
    return _expect(fits, _words(reply))


def _start(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
