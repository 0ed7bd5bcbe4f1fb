"""What must not happen on a page, and who sees it when it does."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from claude_magic.rendering import STYLE


class Beacon:
    """A server on loopback that notes the path of every request, of whatever kind."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        handler = type("Handler", (_Noting,), {"paths": self.paths})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Noting(BaseHTTPRequestHandler):
    paths: list[str]

    def handle_one_request(self) -> None:
        line = self.rfile.readline(65537).decode("latin-1")
        if line:
            self.paths.append(line.split(" ")[1] if " " in line else line)
            self.wfile.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the paths are kept."""


@dataclass(frozen=True)
class Seen:
    """What happened on a page that should not have: all empty when nothing did."""

    requests: list[str] = field(default_factory=list)
    ran: bool = False
    dialogs: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)


# Notes active parts as soon as they stand within an output, even if they go away again. What the
# typesetter makes is its own, and so is the style sheet of ours. In the chat panel the buttons over
# a code block are ours, and what shows names or whole lines has no markup at all.
_NOTE = """(style) => {
  window.alert = () => { top.__pwned = true; };
  if (window !== top) return;
  const tags = 'script, img, picture, iframe, object, embed, form, input, button, textarea, select,'
    + 'link, meta, base, svg, video, audio, math, style';
  const found = (window.__found = new Set());
  const outputs = '.jp-OutputArea-output, .claude-chat-text';
  const own = 'mjx-container, .MathJax, .MathJax_Preview, .claude-chat-text math';
  const texts = '.claude-chat-line, .claude-chat-prompt, .claude-chat-title, .claude-chat-status,'
    + ' .claude-chat-fold-body, .claude-chat-fold > summary, .claude-chat-header option';
  const attributes = (e) => [...e.attributes].map((a) => a.name)
    .filter((n) => /^(on|data-commandlinker|style$|src|srcdoc$|ping$|background$)/.test(n));
  const look = (e) => {
    if (e.parentElement?.closest(texts)) found.add('markup in a line');
    if (e.closest(own) || e.closest('.claude-chat-code-bar') || !e.closest(outputs)) return;
    // A style sheet may come in pieces: each is looked at, with what came before it.
    const sheet = e.matches('style') && style.startsWith(e.textContent);
    if (e.matches(tags) && !sheet) found.add(e.tagName.toLowerCase());
    attributes(e).forEach((n) => found.add(n));
    const address = e.getAttribute('href') ?? e.getAttribute('xlink:href');
    if (address !== null && !/^(https?:|mailto:)/.test(address)) {
      if (!e.matches('.jp-InternalAnchorLink, .anchor-link')) found.add('address ' + address);
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      const written = change.target.parentElement;
      if (change.type === 'characterData' && written?.matches('style')) look(written);
      for (const node of change.addedNodes) {
        if (node.nodeType === 3 && change.target.matches?.('style')) look(change.target);
        if (node.nodeType !== 1) continue;
        look(node);
        node.querySelectorAll('*').forEach(look);
      }
      if (change.type === 'attributes') look(change.target);
    }
  }).observe(document, {
    childList: true, subtree: true, attributes: true, characterData: true,
  });
}"""

_LAST_REQUEST = """(address) => new Promise((resolve) => {
  const image = new Image();
  image.onload = image.onerror = () => requestAnimationFrame(() => resolve());
  image.src = address;
})"""


class Watch:
    """A page that is watched from its first script on.

    `quiet` is the address of something on loopback that asks for nothing: no page that comes from
    elsewhere, nor about:blank, may reach the beacon in Chromium.
    """

    def __init__(self, page: Any, beacon: Beacon, quiet: str) -> None:
        self.page = page
        self._beacon = beacon
        self._quiet = quiet
        self.dialogs: list[str] = []
        self._asked = 0
        style = STYLE.removeprefix("<style>").removesuffix("</style>")
        page.add_init_script(script=f"({_NOTE})({json.dumps(style)})")
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        if dialog.type == "beforeunload":  # the front end's own, of a notebook not saved
            dialog.accept()
            return
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def seen(self) -> Seen:
        """What happened since the last call; asks the beacon for something of its own last."""
        self._asked += 1
        own = f"/own{self._asked}"
        self.page.evaluate(_LAST_REQUEST, self._beacon.url + own)
        assert own in self._beacon.paths, "the beacon cannot be reached from the page"
        seen = Seen(
            requests=[path for path in self._beacon.paths if path != own],
            ran=bool(self.page.evaluate("window.__pwned === true")),
            dialogs=[*self.dialogs],
            parts=sorted(self.page.evaluate("[...window.__found]")),
        )
        self._beacon.paths.clear()
        self.dialogs.clear()
        self.page.evaluate("window.__pwned = false; window.__found.clear()")
        return seen

    @property
    def asked(self) -> set[str]:
        """The paths for which the beacon was asked since the last call of `seen`."""
        return set(self._beacon.paths)

    def forget(self) -> None:
        """Leave the page, so that what it asks for late is not taken for the next one's."""
        self.page.goto(self._quiet)
        self.seen()
