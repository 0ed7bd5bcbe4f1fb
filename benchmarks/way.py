"""How far a question goes through the code: `%claude -c none What is it?` in a terminal's shell.

Counted are the files of the package that are entered, and the changes of file (a call into another
file than the one that the calls before it were in), before the request's bytes leave, and for each
further delta of the reply. The server is one of loopback with a fixed reply; what is imported is
counted as it is entered, but module bodies are not. How a value is made is no step on the way, as
little as where `dataclass` writes the methods: with it, the changes stand in brackets.

    python benchmarks/way.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

DELTAS = 200


class Way:
    """A profiler that notes which files are entered, one after the other, in all threads."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.before: list[str] = []
        self.after: list[str] = []
        self.left = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        ours = code.co_filename.startswith(self.package)
        if event == "call" and ours and code.co_name != "<module>":
            (self.after if self.left else self.before).append(code.co_filename)


VALUES = "value_classes.py"


def changes(entered: list[str], *, values: bool = False) -> int:
    """How often the file is another one than that before; with `values`, to make values, too."""
    steps = [path for path in entered if values or Path(path).name != VALUES]
    return sum(new != old for old, new in pairwise(steps))


def reply(deltas: int) -> list[bytes]:
    """The events of a reply of so many deltas."""
    usage = {"input_tokens": 9, "output_tokens": deltas}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "model": "claude-sonnet-5-5"}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "word "},
            }
            for _ in range(deltas)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


class Fixed(BaseHTTPRequestHandler):
    """Answers each question with the same reply, and says that its bytes have come."""

    way: Way
    deltas = 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.way.left = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in reply(type(self).deltas):
            self.wfile.write(event)
            self.wfile.flush()

    def log_message(self, *_: object) -> None: ...


def measured(deltas: int) -> Way:
    """One first question in a shell of its own."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    import claude_magic

    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    way = Way(str(Path(claude_magic.__file__).parent))
    Fixed.way, Fixed.deltas = way, deltas
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shell.run_line_magic("load_ext", "claude_magic")
    address = f"http://127.0.0.1:{server.server_port}"
    shell.run_cell(f"%claude_config base_url={address} store=off", store_history=False)
    threading.setprofile(way)
    sys.setprofile(way)
    try:
        shell.run_cell("%claude -c none What is it?", store_history=True)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        server.shutdown()
    return way


def main() -> None:
    nowhere = contextlib.redirect_stdout(io.StringIO())
    with tempfile.TemporaryDirectory() as folder, nowhere:
        os.environ |= {"JUPYTER_DATA_DIR": folder, "IPYTHONDIR": folder}
        for name in [n for n in os.environ if n.startswith(("CLAUDE_MAGIC_", "ANTHROPIC_"))]:
            del os.environ[name]
        few, many = (measured(deltas) for deltas in (DELTAS, 2 * DELTAS))
    first = set(few.before)
    print(f"files entered before the request's bytes leave: {len(first)}")
    whole = changes(few.before, values=True)
    print(f"changes of file before them: {changes(few.before)} ({whole})")
    each, made = (
        (changes(many.after, values=values) - changes(few.after, values=values)) / DELTAS
        for values in (False, True)
    )
    print(f"changes of file for each further delta: {each:.1f} ({made:.1f})")
    if "--files" in sys.argv:
        for path in sorted(first):
            print(f"  {Path(path).relative_to(few.package)}  {few.before.count(path)}")


if __name__ == "__main__":
    main()
