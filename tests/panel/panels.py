"""A chat panel driven as a front end drives it: by the messages of its comm."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from queue import Empty
from typing import Any

from claude_magic.notebook.page.page_messages import checked
from claude_magic.panel.protocol import KernelMessage
from tests.kernels import SECONDS as KERNEL_SECONDS
from tests.kernels import Kernel

SECONDS = 60
VIEW = "application/vnd.jupyter.widget-view+json"

# Where a question stands of which nothing is said but the cell.
NOWHERE = {"page": "", "whole": False, "instead": "", "after": ""}


class Panel:
    """A panel that `%claude_chat` has shown, or whatever widget has this model id."""

    def __init__(self, kernel: Kernel, model: str) -> None:
        self.model = model
        self._client = kernel.another_client()
        self.messages: list[Mapping[str, Any]] = []
        self.sent: list[datetime] = []
        self.buffers: list[bytes] = []

    @classmethod
    def of_widget(cls, kernel: Kernel) -> Panel:
        """A panel made by its class, as in a kernel whose front end is not known."""
        made = "__import__('claude_magic').ClaudeChat()"
        return cls(kernel, kernel.value(f"(globals().setdefault('panel', {made}).model_id)"))

    def say_raw(self, content: object) -> None:
        """Send anything as what a view says."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": self.model, "data": data})
        self._client.shell_channel.send(message)

    def say(self, content: Mapping[str, Any], *buffers: bytes, subshell: str | None = None) -> None:
        """Send what a view says, through a subshell if one is given."""
        data = {"method": "custom", "content": dict(content)}
        message = self._client.session.msg("comm_msg", {"comm_id": self.model, "data": data})
        if subshell:
            message["header"]["subshell_id"] = subshell
        socket = self._client.shell_channel.socket
        self._client.session.send(socket, message, buffers=list(buffers))

    def until(self, found: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The first message that fits, of those that came or are still to come.

        Raises UnfitError for one that is not as it was agreed.
        """
        at = 0
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for message in self.messages[at:]:
                if found(message):
                    return message
            at = len(self.messages)
            self._receive()
        raise AssertionError(f"it never came; what came: {[m['type'] for m in self.messages]}")

    def one(self, kind: str, **said: Any) -> Mapping[str, Any]:
        """The first message of this type with these values."""
        return self.until(
            lambda m: m["type"] == kind and all(m.get(key) == said[key] for key in said)
        )

    def hello(self, view: str = "view-1", **how: Any) -> Mapping[str, Any]:
        """The history, as a view that knows nothing gets it."""
        self.say({"type": "hello", "view": view}, **how)
        return self.one("history", view=view)

    def ask(self, text: str, **said: Any) -> str:
        """Ask; the id of the request."""
        request = uuid.uuid4().hex
        message = {"type": "ask", "request": request, "text": text, "model": "", "cell": ""}
        message |= {"attachments": [], "without": [], "keep": [], **NOWHERE}
        subshell = said.pop("subshell", None)
        self.say({**message, "about": None, **said}, subshell=subshell)
        return request

    def begun(self, request: str) -> Mapping[str, Any]:
        """The question as it began."""
        begin = self.until(lambda m: m["type"] == "begin" and m["live"]["request"] == request)
        live: Mapping[str, Any] = begin["live"]
        return live

    def ended(self, request: str) -> Mapping[str, Any]:
        """How the question ended."""
        return self.one("end", run=self.begun(request)["run"])

    def asked(self, text: str, **said: Any) -> Mapping[str, Any]:
        """The turn that a question came to."""
        end = self.ended(self.ask(text, **said))
        assert end["turn"], end["error"]
        turn: Mapping[str, Any] = end["turn"]
        return turn

    def _receive(self) -> None:
        try:
            message = self._client.get_iopub_msg(timeout=1)
        except Empty:
            return
        content = message["content"]
        if message["msg_type"] == "comm_msg" and content["comm_id"] == self.model:
            said = content["data"]
            if said["method"] == "custom":
                self.sent.append(message["header"]["date"])
                told = said["content"]["messages"]
                self.messages += told
                for each in told:
                    checked(each, KernelMessage)
                self.buffers += message.get("buffers", [])


def shown(kernel: Kernel, line: str = "%claude_chat") -> Panel:
    """The panel that a cell shows."""
    data = kernel.run(line).outputs[-1]["data"]
    return Panel(kernel, data[VIEW]["model_id"])


def text_of(turn: Mapping[str, Any]) -> str:
    """The text of a turn's reply."""
    return "".join(part["text"] for part in turn["parts"] if part["kind"] == "text")


def prompts(panel: Panel, view: str = "look") -> list[str]:
    """The questions of the conversation as a new view gets them."""
    history = panel.hello(view)
    return [turn["asked"]["prompt"] for turn in history["turns"]]


def asked(kernel: Kernel) -> list[str]:
    """The last lines of the user messages of the last request."""
    found = []
    for message in kernel.requests()[-1]["messages"]:
        if message["role"] == "user":
            content = message["content"]
            found.append(content if isinstance(content, str) else content[-1]["text"])
    return [text.splitlines()[-1] for text in found]


def create_subshell(kernel: Kernel) -> str:
    """A subshell, as JupyterLab makes one for widgets."""
    message = kernel.client.session.msg("create_subshell_request")
    kernel.client.control_channel.send(message)
    reply = kernel.client.get_control_msg(timeout=KERNEL_SECONDS)
    return str(reply["content"]["subshell_id"])
