"""A key that is known here leaves in no part of a request, and comes back in no part of a reply."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.asking.shape import shape_of
from claude_magic.conversation.events import Event, Received
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.messages.blocks import text
from claude_magic.messages.body import sealed
from claude_magic.messages.credentials import FoundKey, Incoming, Secret, mask, masked_body
from tests.conversation.desk_and_scales import WEIGH, Scales
from tests.conversation.scripted_server import Says, ScriptedServer, calls, says

CANARY = "canary-of-a-gateway-0123456789"
SECRET = Secret(CANARY)
SAID = f"Use {CANARY} for it"


def of_text(words: str) -> Mapping[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": words}
    return {"type": "document", "source": source, "title": words, "context": words}


class Weighing(Scales):
    """Scales whose every word holds the key."""

    def definitions(self, *_: Any, **__: Any) -> Sequence[Mapping[str, Any]]:
        told = {"type": "string", "description": SAID, "enum": [CANARY, "x"]}
        schema = {**WEIGH["input_schema"], "properties": {"sample": told}}
        return [{**WEIGH, "description": SAID, "input_schema": schema}]


# What of a question can hold the key, by the part of the request that it comes to.
PARTS: dict[str, dict[str, Any]] = {
    "the text": {"content": (text(SAID),)},
    "a document": {"content": (of_text(SAID), text("Read it."))},
    "the system prompt": {"system": SAID},
    "a stop text": {"stop": (CANARY,)},
    "a prefill": {"prefill": f"{CANARY} is"},
    "a tool": {"tools": Weighing()},
    "a result of a tool": {"tools": Scales(lambda _: SAID)},
    "a schema": {
        "shape": shape_of(
            {"type": "object", "properties": {"x": {"type": "string", "description": SAID}}}
        )
    },
}


class Kept:
    """A session whose turns are kept in a folder, at a server that says what a test gives."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.store = folder / "store"
        kept = Conversations(self.store)
        settings = Settings(base_url=server.url, model="claude-haiku-4-5")
        self.session = Session(
            lambda: settings,
            history=lambda: kept.open(Whereabouts("here", kind="name")),
            find=lambda: FoundKey(SECRET, bearer=False, source="a test"),
            secrets=lambda: (SECRET,),
        )

    @property
    def written(self) -> str:
        return "".join(p.read_text("utf-8") for p in self.store.rglob("*.jsonl"))


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Callable[..., tuple[Kept, ScriptedServer]]]:
    made: list[tuple[Kept, ScriptedServer]] = []

    def start(*script: Says) -> tuple[Kept, ScriptedServer]:
        server = ScriptedServer(*script)
        server.__enter__()
        made.append((Kept(tmp_path, server), server))
        return made[-1]

    yield start
    for kept, server in made:
        kept.session.close()
        server.__exit__(None, None, None)


@pytest.mark.parametrize("part", PARTS)
def test_a_known_key_leaves_in_no_part_of_a_request(
    at: Callable[..., tuple[Kept, ScriptedServer]], part: str
) -> None:
    said = says('{"x": "y"}')
    with_tool = (calls(("t1", "weigh", {"sample": "x"})), said)
    kept, server = at(*(with_tool if "tool" in part else (said,)))
    asked = replace(Question(content=(text("Hello"),)), **PARTS[part])
    kept.session.ask(asked)
    kept.session.ask(Question(content=(text("And now?"),)))
    assert len(server.bodies) == (3 if "tool" in part else 2)
    assert "canary" not in json.dumps(server.bodies)
    assert "[key]" in json.dumps(server.bodies[:2])
    assert "canary" not in kept.written


REPLIES = {
    "text": says(f"It is {CANARY}."),
    "a call": calls(("t1", "weigh", {"sample": CANARY})),
    "thinking": Says([{"type": "thinking", "thinking": SAID}, text("Yes.")]),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_that_echoes_the_key_is_neither_shown_nor_stored_with_it(
    at: Callable[..., tuple[Kept, ScriptedServer]], kind: str
) -> None:
    kept, _ = at(REPLIES[kind])
    heard: list[Event] = []
    kept.session.ask(Question(content=(text("Hello"),)), heard.append)
    (turn,) = kept.session.turns
    shown = "".join(
        str(part)
        for happened in heard
        if isinstance(happened, Received) and happened.event["type"] == "content_block_delta"
        for part in happened.event["delta"].values()
    )
    for place in (shown, json.dumps(turn.to_json()), kept.written):
        assert "canary" not in place
        assert "gateway" not in place
    assert "[key]" in json.dumps(turn.to_json())


KINDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 29, 30, 31, 200])
def test_a_key_is_masked_wherever_its_deltas_are_cut(kind: str, size: int) -> None:
    whole = f"can {CANARY}{CANARY} canary-of-a-gate {CANARY} canary-of"
    masking = Incoming((SECRET,))
    came = []
    for start in range(0, len(whole), size):
        delta = {"type": kind, KINDS[kind]: whole[start : start + size]}
        event = {"type": "content_block_delta", "index": 0, "delta": delta}
        came += masking.feed(event)
    came += masking.feed({"type": "content_block_stop", "index": 0})
    assert came[-1]["type"] == "content_block_stop"
    shown = "".join(event["delta"][KINDS[kind]] for event in came[:-1])
    assert shown == mask(whole, SECRET) == "can [key][key] canary-of-a-gate [key] canary-of"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("key", ["canacanacan1", "aaaaaaaaab", "abababababac"])
def test_a_key_that_begins_within_itself_is_masked_wherever_its_deltas_are_cut(
    key: str, size: int
) -> None:
    whole = f"{key[:-1]}{key} {key[:4]}{key}{key[1:]}{key} {key[:-1]}"
    masking, secret = Incoming((Secret("another-key"), Secret(key))), Secret(key)
    came = []
    for start in range(0, len(whole), size):
        delta = {"type": "text_delta", "text": whole[start : start + size]}
        came += masking.feed({"type": "content_block_delta", "index": 0, "delta": delta})
    came += masking.end()
    assert "".join(event["delta"]["text"] for event in came) == mask(whole, secret)


def test_only_what_may_be_the_start_of_a_key_waits() -> None:
    masking = Incoming((SECRET,))
    plain = {"type": "text_delta", "text": "No key at al"}
    event = {"type": "content_block_delta", "index": 0, "delta": plain}
    (passed,) = masking.feed(event)
    assert passed is event
    ends = {**event, "delta": {**plain, "text": "It is can"}}
    assert [e["delta"]["text"] for e in masking.feed(ends)] == ["It is "]
    assert [e["delta"]["text"] for e in masking.end()] == ["can"]


SIGNED = [
    {"type": "thinking", "thinking": SAID, "signature": f"sk-ant-{CANARY}"},
    {"type": "redacted_thinking", "data": f"sk-ant-{CANARY}"},
]
PIXELS = base64.b64encode(b"x" * 99).decode()


def test_what_is_signed_and_the_data_of_images_are_left_as_they_are() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png",
             "data": PIXELS}}  # fmt: skip
    content = [*SIGNED, image, text("Hello")]
    body = {"model": "m", "messages": sealed([{"role": "user", "content": content}])}
    assert masked_body(body, (SECRET, Secret(PIXELS))) is body
    signature = {"type": "signature_delta", "signature": f"sk-ant-{CANARY}"}
    event = {"type": "content_block_delta", "index": 0, "delta": signature}
    assert list(Incoming((SECRET,)).feed(event)) == [event]


def test_of_a_conversation_only_the_messages_that_hold_a_key_change() -> None:
    messages = sealed({"role": "user", "content": [text(said)]} for said in ("a", SAID, "b"))
    body = {"model": "m", "messages": messages, "max_tokens": 9}
    masked = masked_body(body, (SECRET,))
    assert list(masked) == list(body)
    assert [new is old for new, old in zip(masked["messages"], messages, strict=True)] == [
        True,
        False,
        True,
    ]


SHAPES = {
    "Anthropic": "sk-ant-api03-abcDEF_123",
    "OpenAI": "sk-" + "a1B2" * 12,
    "OpenAI, of a project": "sk-proj-" + "a1_B2-" * 8,
    "GitHub": "ghp_" + "a1B2" * 9,
    "GitHub, fine-grained": "github_pat_11ABCDEFG0" + "a1B2_" * 8,
    "AWS": "AKIAIOSFODNN7EXAMPLE",
    "Slack": "xoxb-123456789012-abcdefABCDEF",
    "Google": "AIza" + "a1B2-" * 7,
}
PLAIN = ["sk-learn", "task-force-of-ten", "risk-" + "a" * 40, "AKIA", "ghp_short", "AIza", "xoxb-"]


@pytest.mark.parametrize("kind", SHAPES)
def test_what_has_the_shape_of_a_key_is_masked(kind: str) -> None:
    assert mask(f"key={SHAPES[kind]}, and so on") == "key=[key], and so on"


@pytest.mark.parametrize("words", PLAIN)
def test_other_words_stay(words: str) -> None:
    assert mask(words) == words
