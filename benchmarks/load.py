"""How soon a question leaves: after `%load_ext`, at once, a little later, and when all is warm.

Each figure is the median over fresh processes, the kinds taken in turn; all have a shell of
IPython's already, and their byte code compiled. A request counts from its line in the cell until a
server on loopback (http, for all of them) has read the last byte of its body.

    python benchmarks/load.py [ROUNDS]

- `load_ext`: what `%load_ext claude_magic` takes, and `import httpx; httpx.Client()` beside it.
- `at once`: `%load_ext` and a question right after it; the same question asked by importing httpx
  or anthropic.
- `later`: a question half a second after `%load_ext`, in which the event loop ran as in a kernel.
- `warm`: the questions after the first one, the median of ten in each process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROUNDS = 15
KINDS = ("ours", "ours later", "httpx", "anthropic")

START = """
import asyncio, json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
url, starts, loads = sys.argv[1], [], []

def run(*cells):
    starts.append(time.monotonic())
    for cell in cells:
        done = shell.run_cell(cell)
        assert done.success, done.error_in_exec
"""
END = """
print("\\n" + json.dumps([starts, loads]))
"""
QUESTION = "%claude --quiet --fresh -c none What is it?"
OURS = f"""
def load():
    begun = time.perf_counter()
    shell.run_line_magic("load_ext", "claude_magic")
    loads.append(time.perf_counter() - begun)

shell.push({{"load": load}})
run("load()", "{QUESTION}")
for _ in range(10):
    run("{QUESTION}")
"""
LATER = f"""
async def main():
    shell.run_line_magic("load_ext", "claude_magic")
    await asyncio.sleep(0.5)
    run("{QUESTION}")
asyncio.run(main())
"""
BODY = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 32000,
    "messages": [{"role": "user", "content": "What is it?"}],
}
HTTPX = f"""
begun = time.perf_counter()
run('''
import httpx, ssl
client = httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
''' + (ask := '''
body = {{**{BODY!r}, "stream": True}}
headers = {{"x-api-key": "key", "anthropic-version": "2023-06-01"}}
with client.stream("POST", {{url}} + "/v1/messages", json=body, headers=headers) as reply:
    reply.read()
'''.replace("{{url}}", repr(url))))
for _ in range(10):
    run(ask)
"""
ANTHROPIC = f"""
run('''
import anthropic, ssl
http = anthropic.DefaultHttpxClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
client = anthropic.Anthropic(api_key="key", base_url={{url}}, http_client=http)
'''.replace("{{url}}", repr(url)) + (ask := '''
with client.messages.stream(**{BODY!r}) as reply:
    reply.get_final_message()
'''))
for _ in range(10):
    run(ask)
"""
CLIENT = """
begun = time.perf_counter()
import httpx
httpx.Client()
loads.append(time.perf_counter() - begun)
"""
PROGRAMS = {
    "ours": OURS,
    "ours later": LATER,
    "httpx": HTTPX,
    "anthropic": ANTHROPIC,
    "httpx.Client()": CLIENT,
}


class Server(BaseHTTPRequestHandler):
    """Answers each question with one word, and notes when it had come whole."""

    protocol_version = "HTTP/1.1"
    arrivals: list[float]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).arrivals.append(time.monotonic())
        usage = {"input_tokens": 9, "output_tokens": 1}
        message = {"id": "m", "type": "message", "role": "assistant", "content": [], "usage": usage}
        text = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": "It."}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**message, "model": BODY["model"]}},
            {"type": "content_block_start", "index": 0, "content_block": text},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
            {"type": "message_stop"},
        ]
        body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def measured(kind: str, url: str, folder: str) -> tuple[list[float], list[float]]:
    """Milliseconds of each request until it had arrived, and of each load."""
    Server.arrivals = []
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env |= {
        "CLAUDE_MAGIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "key",
        "JUPYTER_DATA_DIR": folder,
        "IPYTHONDIR": folder,
    }
    out = subprocess.run(
        [sys.executable, "-c", START + PROGRAMS[kind] + END, url],
        capture_output=True,
        text=True,
        check=True,
        env=env,
        cwd=folder,
    ).stdout
    starts, loads = json.loads(out.splitlines()[-1])
    waits = [b - a for a, b in zip(starts, Server.arrivals, strict=True)]
    return [w * 1000 for w in waits], [s * 1000 for s in loads]


def main(rounds: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    first: dict[str, list[float]] = {kind: [] for kind in PROGRAMS}
    warm: dict[str, list[float]] = {kind: [] for kind in PROGRAMS}
    load: dict[str, list[float]] = {kind: [] for kind in PROGRAMS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for kind in PROGRAMS:
                waits, loads = measured(kind, url, folder)
                if number:  # the first round writes the byte code
                    first[kind] += waits[:1]
                    warm[kind] += [statistics.median(waits[1:])] if waits[1:] else []
                    load[kind] += loads
    middle = statistics.median
    print(f"{'ms':16}{'load':>8}{'first':>8}{'warm':>8}")
    for kind in PROGRAMS:
        row = (f"{middle(c[kind]):8.1f}" if c[kind] else " " * 8 for c in (load, first, warm))
        print(f"{kind:16}{''.join(row)}")
    print(f"at once: {middle(first['ours']) / middle(first['httpx']):.2f} times httpx (1.9)")
    later = middle(first["ours later"]) - middle(warm["httpx"])
    print(f"later:   {later:.1f} ms over a warm httpx (25)")
    warmer = middle(warm["ours"]) - middle(warm["httpx"])
    print(f"warm:    {warmer:.1f} ms over httpx (2)")
    share = middle(load["ours"]) / middle(load["httpx.Client()"])
    print(f"load:    {share:.2f} of import httpx; httpx.Client() (0.1)")
    server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
