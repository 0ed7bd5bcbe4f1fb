"""A real kernel, driven through jupyter_client as a front end drives it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from claude_magic.offline.server import JOURNAL

SECONDS = 60
Stdin = str | Callable[[str], str | None]
# What the tests' own machine may have set must not reach the kernels they start.
_FOREIGN = ("ANTHROPIC_", "CLAUDE_MAGIC_")


@dataclass
class Ran:
    """What one cell gave back: its messages in order, and what a front end then shows."""

    messages: list[Mapping[str, Any]] = field(default_factory=list)
    reply: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.reply["status"])

    @property
    def error(self) -> str:
        """The one line that the user reads, empty where the cell ended well."""
        return "\n".join(
            "\n".join(m["content"]["traceback"]) for m in self.messages if m["msg_type"] == "error"
        )

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The cell's outputs as they stand at the end: updates applied, empty ones dropped."""
        shown: list[dict[str, Any]] = []
        by_id: dict[str, dict[str, Any]] = {}
        for message in self.messages:
            content, kind = message["content"], message["msg_type"]
            display_id = content.get("transient", {}).get("display_id")
            if kind == "update_display_data" and display_id in by_id:
                by_id[display_id].update(data=content["data"], metadata=content["metadata"])
            elif kind in ("display_data", "execute_result"):
                output = {"data": content["data"], "metadata": content["metadata"]}
                shown.append(output)
                if display_id:
                    by_id[display_id] = output
        return [o for o in shown if any(o["data"].values())]

    def shown(self, mime: str = "text/plain") -> str:
        """All outputs of one type, joined by line breaks."""
        return "\n".join(str(o["data"].get(mime, "")) for o in self.outputs)

    @property
    def printed(self) -> str:
        return "".join(m["content"]["text"] for m in self.messages if m["msg_type"] == "stream")


class Kernel:
    """One kernel with the extension loaded and the offline server as its base URL."""

    def __init__(self, client: BlockingKernelClient, manager: KernelManager) -> None:
        self.client = client
        self.manager = manager
        self._others: list[BlockingKernelClient] = []

    def another_client(self) -> BlockingKernelClient:
        """A client that gets all that the kernel publishes, whatever the first one reads."""
        client = self.manager.blocking_client()
        client.start_channels(stdin=False, hb=False, control=False)
        self._others.append(client)
        client.wait_for_ready(timeout=SECONDS)
        return client

    def close(self) -> None:
        """End the other clients."""
        for client in self._others:
            client.stop_channels()

    def run(
        self,
        code: str,
        *,
        cell: str | None = None,
        during: Callable[[Mapping[str, Any]], None] | None = None,
        stdin: Stdin | None = None,
        ok: bool = True,
    ) -> Ran:
        """Run one cell, with a cell id if given; `during` sees each message as it comes.

        `stdin` is what is typed where the cell asks, or gives that for each prompt: None types
        nothing. `ok` asserts that the cell ended well.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": stdin is not None,
            "stop_on_error": True,
        }
        message = self.client.session.msg("execute_request", content)
        if cell is not None:
            message["metadata"]["cellId"] = cell
        self.client.shell_channel.send(message)
        ran = Ran()
        while True:
            found = self._next(message["header"]["msg_id"], stdin)
            if found is None:
                continue
            if during is not None:
                during(found)
            if found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
                break
            ran.messages.append(found)
        while True:
            reply = self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                ran.reply = reply["content"]
                break
        if ok:
            assert ran.status == "ok", ran.error
        return ran

    def _next(self, request: str, stdin: Stdin | None) -> Mapping[str, Any] | None:
        if stdin is not None:
            try:
                asked = self.client.get_stdin_msg(timeout=0.05)
            except Empty:
                pass
            else:
                typed = stdin(asked["content"]["prompt"]) if callable(stdin) else stdin
                if typed is not None:
                    self.client.input(typed)
        try:
            message = self.client.get_iopub_msg(timeout=0.1 if stdin is not None else SECONDS)
        except Empty:
            if stdin is None:
                raise
            return None
        return message if message["parent_header"].get("msg_id") == request else None

    def value(self, expression: str) -> Any:
        """The value of a JSON-ready expression in the kernel, with no cell recorded for it."""
        code = f"import json as _json; _value = _json.dumps({expression})"
        reply = self.client.execute(
            code, silent=True, user_expressions={"value": "_value"}, reply=True, timeout=SECONDS
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        shown = reply["content"]["user_expressions"]["value"]["data"]["text/plain"]
        import ast

        return json.loads(ast.literal_eval(shown))

    def requests(self) -> list[dict[str, Any]]:
        """The bodies that the kernel's offline server received, oldest first."""
        found: list[dict[str, Any]] = self.value(
            "[r.json for r in get_ipython().magics_manager.registry['ClaudeMagics']"
            ".notebook.session.offline.requests if r.path == '/v1/messages']"
        )
        return found


class Interrupt:
    """Interrupts a kernel at the first message that is ripe, and never again.

    A second signal may reach ipykernel when the cell is over and its reply is not sent yet: it
    drops the reply then.
    """

    def __init__(self, kernel: Kernel, ripe: Callable[[Mapping[str, Any]], bool]) -> None:
        self.kernel = kernel
        self.ripe = ripe
        self.at: float | None = None

    def __call__(self, message: Mapping[str, Any]) -> None:
        if self.at is None and self.ripe(message):
            self.at = time.monotonic()
            self.kernel.manager.interrupt_kernel()

    @property
    def seconds(self) -> float:
        """The time since the kernel was interrupted, which must have been."""
        assert self.at is not None, "the moment to interrupt never came"
        return time.monotonic() - self.at


def shows(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a message shows or prints a text."""
    return lambda m: text in f"{m['content'].get('data')}{m['content'].get('text')}"


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the machine may have set for us."""
    return {k: v for k, v in environment.items() if not k.startswith(_FOREIGN) or k == JOURNAL}


# How a kernel is started; jupyter_client puts the file's name in.
IPYKERNEL = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
XEUS_PYTHON = (sys.executable, "-m", "xpython_launcher", "-f", "{connection_file}")


@contextmanager
def kernel(
    folder: Path,
    *,
    load: bool = True,
    command: Sequence[str] = IPYKERNEL,
    log: Path | None = None,
    **environment: str,
) -> Iterator[Kernel]:
    """A fresh kernel in `folder`, stopped at the end; `log` gets what its process writes itself."""
    env = without_settings(os.environ)
    env |= {
        "CLAUDE_MAGIC_BASE_URL": "offline",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **environment,
    }
    manager = KernelManager(kernel_name="python3")
    manager.kernel_cmd = list(command)
    with nullcontext() if log is None else log.open("wb") as written:
        manager.start_kernel(
            cwd=str(folder),
            env={k: v for k, v in env.items() if v},
            stdout=written,
            stderr=written,
        )
    client = manager.blocking_client()
    client.start_channels()
    started = Kernel(client, manager)
    try:
        client.wait_for_ready(timeout=SECONDS)
        if load:
            started.run("%load_ext claude_magic")
        yield started
    finally:
        started.close()
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
