"""Images, and runs of jobs against an offline server, for tests of many images."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from claude_magic.captions.datasets.caption_run import CaptionRun, How, check, frame
from claude_magic.captions.job import Access, Wanted
from claude_magic.conversation.asking.connection import Server
from claude_magic.conversation.settings import Settings
from claude_magic.messages.credentials import FoundKey, Secret
from claude_magic.messages.transport.retry import Clock
from claude_magic.offline import OfflineServer

COLUMNS = [
    "source", "kind", "alt_text", "description", "x_axis", "y_axis", "trend", "confidence",
    "warnings", "input_tokens", "output_tokens", "cost", "error",
]  # fmt: skip


def coloured(number: int, kind: str = "PNG") -> bytes:
    """A small image that no other number gives."""
    out = io.BytesIO()
    colour = (number % 256, number // 256 % 256, number // 65_536)
    Image.new("RGB", (40, 30), colour).save(out, kind)
    return out.getvalue()


def folder_of(folder: Path, count: int) -> Path:
    """A folder with so many images."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number:04}.png").write_bytes(coloured(number))
    return folder


def access(server: OfflineServer, clock: Clock | None = None, **settings: Any) -> Access:
    """Whoever asks an offline server that runs already."""
    return Access(Settings(base_url="offline", **settings), offline=server, clock=clock)


def paying(server: OfflineServer, **more: Any) -> Access:
    """The same, but what it answers has to be paid."""
    named = Server(server.url, "offline", anthropic=True, loopback=True)
    found = FoundKey(Secret("sk-ant-canary-0123456789"), False, "a test")
    return Access(Settings(), found, server=named, **more)


def ran(images: object, asks: Access, wanted: Wanted | None = None, **how: Any) -> Any:
    """The table of one run, without a bar."""
    checked = check(How(**{"progress": False, "concurrency": 4, **how}))
    with CaptionRun(images, wanted or Wanted(), checked, asks) as run:
        run.ask()
        return frame(run)


def questions(server: OfflineServer) -> list[Mapping[str, Any]]:
    """The bodies of the questions that the server was asked."""
    return [r.json for r in server.requests if r.path == "/v1/messages"]
