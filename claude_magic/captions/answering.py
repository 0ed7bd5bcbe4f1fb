"""Questions of coroutines, answered by threads: retries and rate limits as in any other job."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..messages.blocks import Block
from ..messages.cancel import Cancel
from ..messages.errors import InputError
from .asking import Answer, Asker

if TYPE_CHECKING:
    from .job import Job
    from .reach import Reach

THREADS_A_SLOT = 2
"""Who waits for the server lends its slot to another thread: there are more than slots."""


class Answering:
    """Answers the question of a job about whatever coroutines bring, at most `most` at once.

    Its connections are closed once nobody has it any more.
    """

    def __init__(self, job: Job, reach: Reach, most: int) -> None:
        if most < 1:
            raise InputError("concurrency must be at least 1.")
        stack = ExitStack()
        client, self._limit = stack.enter_context(reach.access.client(most))
        self._asker = Asker(client, job, reach.purse)
        self._cancel = Cancel()
        self._pool = ThreadPoolExecutor(THREADS_A_SLOT * most, "claude-magic-row")
        weakref.finalize(self, _end, self._cancel, self._pool, stack)

    async def answer(self, content: Callable[[], Sequence[Block]]) -> Answer:
        """The answer about `content`, which is made in a thread too.

        What concerns this content alone is an error in it. Raises what concerns all.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, content)

    def _ask(self, content: Callable[[], Sequence[Block]]) -> Answer:
        try:
            blocks = content()
        except InputError as error:
            return Answer(error=str(error))
        with self._limit.slot(self._cancel):
            return self._asker.ask(blocks, self._cancel)


def _end(cancel: Cancel, pool: ThreadPoolExecutor, stack: ExitStack) -> None:
    cancel.set()
    pool.shutdown(wait=False, cancel_futures=True)
    stack.close()
