"""How a server is asked from wherever a query runs: this process, or one on another machine.

What travels are settings and the address, never a key: another process finds its own, in its
environment or its keyring.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block
from ...messages.credentials import find_key, keyring_key
from ...messages.errors import InputError
from ...messages.transport.cancel import Cancel
from ...value_classes import frozen
from ..image_question import ImageAnswer, ImageAsker, JobBudget
from ..job import Access
from .purse import LeasedBudget, PurseAddress, PurseServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...conversation.asking.connection import Server
    from ...conversation.settings import Settings
    from ..image_question import ImageAnswer, Job

THREADS_A_SLOT = 2
"""Who waits for the server lends its slot to another thread: there are more than slots."""


class Answering:
    """Answers the question of a job about whatever coroutines bring, at most `most` at once.

    Its connections are closed once nobody has it any more.
    """

    def __init__(self, job: Job, reach: RemoteServer, most: int) -> None:
        if most < 1:
            raise InputError("concurrency must be at least 1.")
        stack = ExitStack()
        client, limit = stack.enter_context(reach.access.client(most))
        if isinstance(reach.purse, LeasedBudget):
            reach.purse.joined(limit)
        self._asker = ImageAsker(client, job, reach.purse, limit)
        self._cancel = Cancel()
        self._pool = ThreadPoolExecutor(THREADS_A_SLOT * most, "claude-magic-row")
        weakref.finalize(self, _end, self._cancel, self._pool, stack)

    async def answer(self, content: Callable[[], Sequence[Block]]) -> ImageAnswer:
        """The answer about `content`, which is made in a thread too.

        What concerns this content alone is an error in it. Raises what concerns all.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, content)

    def _ask(self, content: Callable[[], Sequence[Block]]) -> ImageAnswer:
        try:
            blocks = content()
        except InputError as error:
            return ImageAnswer(error=str(error))
        return self._asker.ask(blocks, self._cancel)


def _end(cancel: Cancel, pool: ThreadPoolExecutor, stack: ExitStack) -> None:
    cancel.set()
    pool.shutdown(wait=False, cancel_futures=True)
    stack.close()


# A query's plan holds what it was given as bytes; in the process that made it the very access with
# its key is found again by this.
_here: weakref.WeakValueDictionary[str, RemoteServer] = weakref.WeakValueDictionary()
_lock = threading.Lock()


@frozen
class _At:
    """An offline server that runs in another process."""

    url: str


class RemoteServer:
    """Whom to ask, and what may be spent; `is_here` says that the process is the one of the user.

    Other processes draw what they spend from `purse`, which lends while this lives. Here `keep` is
    told the key of an image and the answer about it, as soon as it is there. Pickled it is without
    `keep`, and without the API key.
    """

    def __init__(self, access: Access, purse: JobBudget, *, is_here: bool = True) -> None:
        self.access = access
        self.purse = purse
        self.is_here = is_here
        self.keep: Callable[[str, ImageAnswer], None] | None = None
        self._lender: PurseServer | None = None
        self._token = uuid.uuid4().hex
        with _lock:
            _here[self._token] = self

    def __repr__(self) -> str:
        return f"Reach({self.access.asked.host!r})"

    def __reduce__(self) -> Any:
        access = self.access
        with _lock:
            if self._lender is None:
                self._lender = PurseServer(self.purse)
        url = access.offline.url if access.offline is not None else ""
        there, budget = self._lender.address, self.purse.budget
        return _reached, (self._token, access.settings, access.asked, url, (there, budget))


def _reached(
    token: str,
    settings: Settings,
    server: Server,
    url: str,
    lent: tuple[PurseAddress, float | None],
) -> RemoteServer:
    with _lock:
        found = _here.get(token)
    if found is not None:
        return found
    key = None if server.offline else find_key(None, keyring_lookup=keyring_key)
    access = Access(settings, key, server=server, offline=_At(url) if url else None)
    return RemoteServer(access, LeasedBudget(*lent), is_here=False)
