"""A notebook's file and the kernels that run its cells, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kernels import SECONDS, Kernel, Ran, kernel

SESSION = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session"
SERVER = f"{SESSION}.offline"


class Page:
    """A saved notebook; `cells` holds their texts by id, from top to bottom.

    Nothing is saved by itself: call `save` after a change, as a user does. `conversation` is the
    id that the lab extension would have written into the metadata.
    """

    def __init__(self, path: Path, *asking: str, **cells: str) -> None:
        """`asking` are the ids of cells that each ask a question named after it."""
        self.path = path
        self.cells = {cell: question(f"Question {cell}") for cell in asking} | cells
        self.conversation: str | None = None
        self.save()

    def save(self) -> None:
        metadata = {"claude_magic": {"conversation": self.conversation}}
        made = [
            {"id": cell, "cell_type": "code", "source": source, "metadata": {}, "outputs": []}
            for cell, source in self.cells.items()
        ]
        notebook = {"metadata": metadata if self.conversation else {}, "cells": made}
        self.path.write_text(json.dumps(notebook), encoding="utf-8")

    @contextmanager
    def kernel(self, **environment: str) -> Iterator[Kernel]:
        """A fresh kernel of this notebook."""
        with kernel(
            self.path.parent, **{"JPY_SESSION_NAME": str(self.path), **environment}
        ) as started:
            yield started

    def run(self, kernel: Kernel, *cells: str, ok: bool = True) -> Ran:
        """Run these cells, else all of them; what the last one gave back."""
        for cell in cells or tuple(self.cells):
            ran = kernel.run(self.cells[cell], cell=cell, ok=ok)
        return ran

    def run_all(self, kernel: Kernel) -> dict[str, Ran]:
        """Run all cells from top to bottom."""
        return {cell: self.run(kernel, cell) for cell in self.cells}


def question(prompt: str, options: str = "") -> str:
    """A cell that asks, with nothing of the notebook."""
    return f"%%claude {options}".rstrip() + f"\n{prompt}"


def ask(kernel: Kernel, prompt: str, cell: str | None = None, *, ok: bool = True) -> Ran:
    return kernel.run(question(prompt), cell=cell, ok=ok)


def behave(kernel: Kernel, *behaviours: str) -> None:
    """Have the kernel's offline server answer the next questions so; no cell is run for it."""
    kernel.value(f"{SERVER}.behave(*{behaviours!r})")


def requests(kernel: Kernel) -> list[Any]:
    """The requests that the kernel has sent; none where it did not need its server at all."""
    return kernel.requests() if kernel.value(f"{SERVER} is not None") else []


def prompts(request: Mapping[str, Any]) -> list[str]:
    """The last lines of a request's user messages."""
    return [_text(m).splitlines()[-1] for m in request["messages"] if m["role"] == "user"]


def replies(request: Mapping[str, Any]) -> list[str]:
    """The texts of a request's assistant messages."""
    return [_text(m) for m in request["messages"] if m["role"] == "assistant"]


def history(kernel: Kernel, options: str = "") -> str:
    """The table of `%claude_history` as text."""
    return kernel.run(f"%claude_history {options}").shown()


def row(kernel: Kernel, prompt: str, options: str = "") -> str:
    """The one line of `%claude_history` on a question."""
    (line,) = [line for line in history(kernel, options).splitlines() if prompt in line]
    return line


def number(kernel: Kernel, prompt: str, options: str = "--old") -> int:
    """The number of a turn in `%claude_history`."""
    return int(row(kernel, prompt, options).split()[0])


def bundles(ran: Ran) -> list[Any]:
    """What a cell showed, without what stands in the metadata."""
    return [output["data"] for output in ran.outputs]


def told(shown: list[Any]) -> tuple[list[str], str]:
    """The text of what a cell showed without the footer of its reply, and that footer."""
    texts = [bundle["text/plain"] for bundle in shown]
    last, _, footer = texts[-1].rstrip("\n").rpartition("\n")
    return [*texts[:-1], last], footer


def send(kernel: Kernel, code: str, cell: str, **metadata: Any) -> str:
    """Send a cell with metadata as a front end does, and do not wait; the message's id."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    message = kernel.client.session.msg("execute_request", content)
    message["metadata"] |= {"cellId": cell, **metadata}
    kernel.client.shell_channel.send(message)
    return str(message["header"]["msg_id"])


def wait(kernel: Kernel, message: str) -> None:
    """Wait until the cell that was sent has ended."""
    while True:
        reply = kernel.client.get_shell_msg(timeout=SECONDS)
        if reply["parent_header"].get("msg_id") == message:
            assert reply["content"]["status"] == "ok", reply["content"]
            return


def conversations(folder: Path) -> set[str]:
    """The ids of the conversations that are kept in the data folder of the kernels in `folder`."""
    kept = folder / "jupyter" / "claude_magic"
    return {p.name for p in kept.iterdir() if p.name[0] != "."} if kept.exists() else set()


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(b.get("text", "") for b in content)
