"""Long conversations and a server that answers at once, for benchmarks/conversation.py."""

from __future__ import annotations

import base64
import http.server
import io
import random
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import Block, image_base64, text
from claude_magic.messages.usage import Usage

IMAGE_BYTES = 300_000
WHERE = Whereabouts(conversation="c")
REPLY = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
    b'"role":"assistant","model":"claude-sonnet-5-5","content":[],"stop_reason":null,'
    b'"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"It is a line."}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":5}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def picture(chance: random.Random) -> str:
    """Base64 of a PNG of about 300 kB."""
    from PIL import Image

    side = round((IMAGE_BYTES / 3) ** 0.5)
    made = io.BytesIO()
    Image.frombytes("RGB", (side, side), chance.randbytes(3 * side * side)).save(made, "png")
    return base64.b64encode(made.getvalue()).decode()


def cell(number: int) -> str:
    return f"{number:08x}-5c2e-4f3a-9d71-0123456789ab"


def page(number: int, cells: int, *, grows: bool) -> tuple[str, ...]:
    """The cells as they stand when turn `number` is asked."""
    return tuple(map(cell, range(number + 1 if grows else cells)))


def fill(root: Path, turns: int, *, images: int, grows: bool) -> None:
    """Write a conversation as a session does: a turn as it is asked, then as it ended."""
    chance = random.Random(1)  # noqa: S311
    pictures = [picture(chance) for _ in range(images)]
    history = Conversations(root).open(WHERE)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(turns)]
    for number, turn_id in enumerate(ids):
        asked: list[Block] = [text(f"In [{number}]: plot(x)\n" * 20)]
        if images and number % (turns // images) == 0:
            asked.append(image_base64("image/png", pictures[number // (turns // images)]))
        turn = Turn(
            id=turn_id,
            asked=(*asked, text("What is it?")),
            reply=(),
            model="claude-sonnet-5-5",
            server="http://127.0.0.1",
            parameters={"max_tokens": 32000, "output_config": {"effort": "medium"}},
            status="broken",
            cell=cell(number),
            saw=tuple(ids[:number]),
            order=page(number, turns, grows=grows),
            started=1e9 + number,
            ended=1e9 + number,
            digest=f"{chance.getrandbits(256):064x}",
            prompt="What is it?",
            requested="claude-sonnet-5-5",
            source=f"{number:064x}",
            shown={"left_out": 0, "standing": number, "first": False, "carried": "", "notices": []},
        )
        history.start(turn)
        reply = (text(f"It is figure {number}. " * 60),)
        usage = Usage(fresh=1000, output=300)
        history.end(
            replace(turn, reply=reply, usage=usage, status="complete", stop_reason="end_turn")
        )


def held(turns: list[Turn]) -> int:
    """Bytes of what was said: the text of all turns, and the base64 of each image once."""
    found: dict[str, int] = {}

    def count(value: Any) -> int:
        if isinstance(value, str):
            return len(value.encode()) if len(value) < IMAGE_BYTES else found.setdefault(value, 0)
        inner = value.values() if isinstance(value, dict) else value
        return sum(map(count, inner)) if isinstance(inner, list | tuple | type({}.values())) else 0

    said = sum(count(turn.asked) + count(turn.reply) for turn in turns)
    return said + sum(map(len, found))


def records(root: Path) -> int:
    """Bytes on disk, without the images."""
    return sum(path.stat().st_size for path in root.rglob("*.jsonl"))


def serve(told: Connection) -> None:
    """Answers every request at once."""

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(REPLY)))
            self.end_headers()
            self.wfile.write(REPLY)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    told.send(server.server_port)
    server.serve_forever()
