"""How a server is reached from wherever a query runs: this process, or one on another machine.

What travels are settings and the address, never a key: another process finds its own, in its
environment or its keyring.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..messages.credentials import find_key, keyring_key
from .access import Access
from .purse import Purse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..conversation.connection import Server
    from ..conversation.settings import Settings
    from .asking import Answer

# A query's plan holds what it was given as bytes; in the process that made it the very access with
# its key is found again by this.
_here: weakref.WeakValueDictionary[str, Reach] = weakref.WeakValueDictionary()
_lock = threading.Lock()


@dataclass(frozen=True)
class _At:
    """An offline server that runs in another process."""

    url: str


class Reach:
    """Whom to ask, and what may be spent; `is_here` says that the process is the one of the user.

    There `keep` is told the key of an image and the answer about it, as soon as it is there.
    Pickled it is without `keep`, and without the API key.
    """

    def __init__(self, access: Access, purse: Purse, *, is_here: bool = True) -> None:
        self.access = access
        self.purse = purse
        self.is_here = is_here
        self.keep: Callable[[str, Answer], None] | None = None
        self._token = uuid.uuid4().hex
        with _lock:
            _here[self._token] = self

    def __repr__(self) -> str:
        return f"Reach({self.access.asked.host!r})"

    def __reduce__(self) -> Any:
        access, budget = self.access, self.purse.budget
        left = None if budget is None else max(0.0, budget - self.purse.spent)
        url = access.offline.url if access.offline is not None else ""
        return _reached, (self._token, access.settings, access.asked, url, left)


def _reached(
    token: str, settings: Settings, server: Server, url: str, budget: float | None
) -> Reach:
    with _lock:
        found = _here.get(token)
    if found is not None:
        return found
    key = None if server.offline else find_key(None, keyring_lookup=keyring_key)
    access = Access(settings, key, server=server, offline=_At(url) if url else None)
    return Reach(access, Purse(budget), is_here=False)
