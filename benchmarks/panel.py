"""The chat panel in a real JupyterLab and Chromium: how soon it shows what comes, what that takes.

    python benchmarks/panel.py [rounds]

The reply has 2,000 chunks, 26 kB, 80 formulas, 5 ms apart. Each round is a notebook with a kernel
of its own; the figures are medians over the rounds. Server and page have the same clock. The CPU
is that of all of Chromium's processes, JupyterLab's own part included.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for what the browser tests have as well

from tests.browser.chat import Chat  # noqa: E402 - after the path
from tests.browser.conftest import launch_args, running_lab  # noqa: E402
from tests.browser.lab import Lab, Notebook  # noqa: E402

CHUNKS = 2_000
PAUSE = 0.005
LIMITS = {
    "panel opens, s": 0.6,
    "first text after first delta, ms": 100,
    "end after last chunk, s": 0.5,
    "browser CPU, s": 3.0,
    "iopub, MB": 0.3,
    "stopped after, s": 0.3,
    "approved after, s": 0.3,
    "bundle, kB": 400,
    "bundle gzipped, kB": 130,
}

# When the panel is there, when its first text is, and when the turn is over.
_NOTE = """() => {
  window.__times = {};
  const seen = (name, is) => { if (!(name in __times) && is) __times[name] = Date.now() / 1000; };
  const look = window.__look = () => {
    const turn = document.querySelector('.claude-chat-turn:last-child');
    seen('open', document.querySelector('.claude-chat-empty:not([hidden])'));
    seen('text', turn?.querySelector('.claude-chat-text')?.textContent);
    seen('end', turn?.getAttribute('aria-busy') === 'false');
    seen('allowed', '__allow' in window && !document.querySelector('.claude-chat-approval'));
  };
  const all = {childList: true, subtree: true, attributes: true, characterData: true};
  new MutationObserver(look).observe(document.querySelector('.claude-chat-dock'), all);
}"""
# Presses a button on the page itself, and notes when.
_PRESS = """([label, name]) => {
  const find = (b) => (b.getAttribute('aria-label') ?? b.textContent) === label;
  const button = [...document.querySelectorAll('.claude-chat button')].find(find);
  delete __times.end;
  delete __times.allowed;
  window.__allow = true;
  __times[name] = Date.now() / 1000;
  button.click();
  __look();
}"""


def reply() -> str:
    """26 kB of Markdown with 80 formulas."""
    blocks = []
    for n in range(80):
        blocks.append(f"### Step {n}\n\n- the **residual** of point {n}, with `model[{n}]`\n")
        blocks.append(
            f"Here is $\\hat y_{{{n}}} = \\beta_0 + \\beta_1 x_{{{n}}}$ in the words of a "
        )
        blocks.append("reply that goes on for a while, as replies do, to say what it means.\n\n")
        if n % 10 == 0:
            blocks.append(f"```python\nmodel = fit(data[{n}])\nprint(model.summary())\n```\n\n")
    text = "".join(blocks)
    return text + "And so on, to the end. " * ((26_000 - len(text)) // 23)


class Server:
    """Streams the reply, and notes when its first and its last chunk left."""

    def __init__(self) -> None:
        text = reply()
        size = -(-len(text) // CHUNKS)
        self.pieces = [text[i : i + size] for i in range(0, len(text), size)]
        self.first = self.last = 0.0
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def events(self) -> Iterator[dict[str, Any]]:
        usage = {"input_tokens": 9, "output_tokens": 1}
        message = {"id": "m", "type": "message", "role": "assistant", "model": "test"}
        yield {
            "type": "message_start",
            "message": {**message, "content": [], "stop_reason": None, "usage": usage},
        }
        block = {"type": "text", "text": ""}
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        self.first = time.time()
        for number, piece in enumerate(self.pieces):
            due = self.first + number * PAUSE
            time.sleep(max(0.0, due - time.time()))
            delta = {"type": "text_delta", "text": piece}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        self.last = time.time()
        yield {"type": "content_block_stop", "index": 0}
        usage = {"output_tokens": CHUNKS}
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
        yield {"type": "message_stop"}


class _Handler(BaseHTTPRequestHandler):
    server_of: Server

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            for event in self.server_of.events():
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        except ConnectionError:
            pass  # it was stopped

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def cpu() -> float:
    """Seconds of CPU of the Chromium that stands below this process."""
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, rest = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue  # it has ended
            fields = rest.split()
            parents[int(entry.name)] = int(fields[1])
            if "chrom" in name:
                used[int(entry.name)] = int(fields[11]) + int(fields[12])
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(used.get(pid, 0) for pid in below) / os.sysconf("SC_CLK_TCK")


class Round:
    """One notebook, from the opening of its panel on."""

    def __init__(self, lab: Lab, page: Any, server: Server, number: int) -> None:
        self.page, self.server = page, server
        self.notebook = Notebook(lab, page)
        self.chat = Chat(self.notebook)
        self.received = 0
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.webSocketFrameReceived", self._frame)
        load = f"%load_ext claude_magic\n%claude_config base_url={server.url} model=test"
        offline = "%claude_config base_url=offline tools=run_python model=sonnet"
        self.notebook.open(f"panel-{number}.ipynb", [load, offline])
        self.notebook.run(0)
        page.evaluate(_NOTE)

    def figures(self) -> dict[str, float]:
        began = self.page.evaluate("Date.now() / 1000")
        self.chat.open()
        found = {"panel opens, s": self._time("open") - began}
        self.page.wait_for_timeout(1_500)  # what loads behind it is no part of the stream
        found |= self._stream()
        self.chat.write("Once more")
        self.page.wait_for_function("document.querySelectorAll('.claude-chat-turn').length > 1")
        self.chat.find(".claude-chat-turn:last-child .claude-chat-text").wait_for()
        found["stopped after, s"] = self._pressed("Stop", "end")
        self.notebook.run(1)
        self.chat.write("Call run_python(code='import time; time.sleep(2)')")
        self.chat.button("Allow").wait_for()
        found["approved after, s"] = self._pressed("Allow", "allowed")
        return found

    def _stream(self) -> dict[str, float]:
        self.received, used = 0, cpu()
        self.chat.write("Go on")
        end = self._time("end")
        spent = cpu() - used
        shown = self.chat.find(".claude-chat-text")
        assert shown.locator("math").count() == 80, "not all is shown"  # noqa: S101 - as above
        return {
            "first text after first delta, ms": (self._time("text") - self.server.first) * 1_000,
            "end after last chunk, s": end - self.server.last,
            "browser CPU, s": spent,
            "iopub, MB": self.received / 1e6,
        }

    def _pressed(self, label: str, until: str) -> float:
        self.page.evaluate(_PRESS, [label, "pressed"])
        return self._time(until) - self._time("pressed")

    def _time(self, name: str) -> float:
        self.page.wait_for_function("(name) => name in __times", arg=name)
        return float(self.page.evaluate("(name) => __times[name]", name))

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        size = len(response["payloadData"])
        self.received += size * 3 // 4 if response["opcode"] == 2 else size


def bundle() -> dict[str, float]:
    built = (ROOT / "claude_magic" / "panel" / "static" / "panel.js").read_bytes()
    return {
        "bundle, kB": len(built) / 1_000,
        "bundle gzipped, kB": len(gzip.compress(built, 9)) / 1_000,
    }


def main() -> None:
    from playwright.sync_api import sync_playwright

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    server = Server()
    all_of_it: dict[str, list[float]] = {name: [value] for name, value in bundle().items()}
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**launch_args())
        for number in range(rounds + 1):
            page = browser.new_context().new_page()
            found = Round(lab, page, server, number).figures()
            page.context.close()
            for name, value in found.items() if number else ():  # the first fills the caches
                all_of_it.setdefault(name, []).append(value)
        browser.close()
    print(f"{'':34}{'median':>9}{'least':>9}{'most':>9}{'limit':>9}")
    for name, limit in LIMITS.items():
        values = all_of_it[name]
        columns = (statistics.median(values), min(values), max(values), limit)
        print(f"{name:34}" + "".join(f"{column:9.2f}" for column in columns))


if __name__ == "__main__":
    main()
