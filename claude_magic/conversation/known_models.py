"""What this kernel knows of models: the table, the user's file, the lists of servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..messages.catalogue import BUILT_IN, Catalogue
from .connection import Server
from .settings import Settings


class KnownModels:
    """The catalogue of each server, as far as it is known.

    A server's list is remembered once it was asked for: it then says which models there are, and
    how each takes thinking and effort. No question waits for that. The user's file is read again
    when it has changed.
    """

    def __init__(self) -> None:
        self._listed: dict[str, Catalogue] = {}
        self._file: tuple[tuple[object, ...], Catalogue] = ((), BUILT_IN)

    def of(self, settings: Settings, server: Server) -> Catalogue:
        """The catalogue of `server`. Raises InputError for a file of models that does not fit."""
        return self.listed_by(server, self._own(settings.models_file))

    def listed_by(self, server: Server, own: Catalogue) -> Catalogue:
        """The user's `own` catalogue with what `server` lists, where that is known."""
        listed = self._listed.get(server.label, BUILT_IN)
        return replace(own, listed=listed.listed, server_rows=listed.server_rows)

    def knows(self, server: Server) -> bool:
        """Whether `server` was asked for its list."""
        return server.label in self._listed

    def learn(self, server: Server, items: Iterable[Mapping[str, Any]] | None) -> None:
        """Remember what `server` lists; None: it was asked, and gave no list."""
        self._listed[server.label] = BUILT_IN if items is None else BUILT_IN.with_list(items)

    def _own(self, name: str) -> Catalogue:
        if not name:
            return BUILT_IN
        path = Path(name).expanduser()
        try:
            stat = path.stat()
            state: tuple[object, ...] = (path, stat.st_mtime_ns, stat.st_size)
        except OSError:
            state = (path,)
        if state != self._file[0]:
            from ..messages.catalogue import read_models

            self._file = state, read_models(path)
        return self._file[1]
