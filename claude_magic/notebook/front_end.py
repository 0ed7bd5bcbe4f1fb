"""What the lab extension tells of the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SeenCell:
    id: str
    source: str
    outputs: tuple[Mapping[str, Any], ...]


class FrontEnd:
    def __init__(self, shell: Any, *, ran: Callable[[], Collection[str]]) -> None:
        self.path: Path | None = None
        self.conversation: str | None = None
        self.cells: tuple[str, ...] = ()
        self.seen: Mapping[str, SeenCell] = {}
        self.left_out = 0
        self.told = False

    def attach(self) -> None: ...
    def detach(self) -> None: ...
    def remember(self, conversation: str) -> None: ...
