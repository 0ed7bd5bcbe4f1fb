"""A worker in a process of its own: asks about images, drawing on the purse that it was sent.

purse_child.py FIRST COUNT, with the pickled RemoteServer on stdin; a line a answer on stdout.
"""

from __future__ import annotations

import asyncio
import pickle
import sys

from claude_magic.captions.datasets.remote import Answering
from claude_magic.captions.datasets.work import content_of
from claude_magic.captions.job import Wanted, job_of
from tests.captions.datasets.many_samples import coloured


async def main(first: int, count: int) -> None:
    reach = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own
    job = job_of(Wanted(), reach.access)
    answering = Answering(job, reach, 4)

    async def ask(number: int) -> None:
        answer = await answering.answer(lambda: content_of(job, coloured(number)))
        sys.stdout.write(f"{answer.cost or 0.0} {answer.error}\n")
        sys.stdout.flush()

    await asyncio.gather(*(ask(first + n) for n in range(count)))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
