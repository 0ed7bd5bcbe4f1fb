"""A run over notebooks: each is read in its turn, asked about, and written when it is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ...messages.errors import ImageError, InputError
from ..datasets.work import plain
from ..image_question import OVER_BUDGET, ImageAnswer, ImageAsker, SameTrouble
from ..limits import Limit, Threads
from .alt_text import Notebooks, OpenNotebook, PlacedFigure, question

if TYPE_CHECKING:
    from ...messages.transport.cancel import Cancel
    from ...messages.transport.client import Client
    from ..image_question import GoOn, Job, JobBudget
    from .caption_journal import Journal

_THREADS_A_SLOT = 2
"""While some wait for the server, others read notebooks, prepare figures and write."""


class NotebookRun:
    """Asks the question of a job about the figures of notebooks that lack alt text.

    A picture is asked about once, wherever it stands, and not at all if the journal has it. A
    context manager: at its end what has come is written, however it ends. `written` counts the
    figures that have alt text now, `kept` those whose answer was paid for by an earlier run.
    """

    def __init__(
        self, notebooks: Notebooks, job: Job, journal: Journal, *, write: bool = False
    ) -> None:
        self.notebooks = notebooks
        self.written = self.kept = 0
        self._job, self._journal, self._write = job, journal, write
        self._lock = threading.Lock()
        self._answers: dict[str, ImageAnswer] = {}
        # By picture those that wait for the answer about it; by notebook how many have none yet.
        self._waiting: dict[str, list[PlacedFigure]] = {}
        self._open: dict[Path, OpenNotebook] = {}
        self._left: dict[Path, int] = {}
        self._to_ask: Iterator[PlacedFigure] = self._claimed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for path in list(self._open):
            self._close(path)
        if kind is None and self._write:
            self._journal.finished()

    def is_needed(self) -> bool:
        """Whether there is a figure to ask about. What comes before it is done already."""
        first = next(self._to_ask, None)
        if first is None:
            return False
        self._to_ask = chain([first], self._to_ask)
        return True

    def ask(
        self, client: Client, purse: JobBudget, limit: Limit, go_on: GoOn | None = None
    ) -> None:
        """Ask about each figure that lacks alt text; `go_on` where the same goes wrong with many.

        Raises what concerns all figures, and KeyboardInterrupt.
        """
        asker, trouble = ImageAsker(client, self._job, purse, limit), SameTrouble()

        def work(placed: PlacedFigure, cancel: Cancel) -> None:
            def keep(answer: ImageAnswer) -> None:
                answer = _with_alt(answer)
                if not answer.error:
                    self._journal.add(placed.key, answer)
                self._settle(placed.key, answer)
                trouble.check(answer)

            try:
                content = question(placed, self._job)
            except ImageError as error:
                self._settle(placed.key, ImageAnswer(error=str(error)))
                return
            answer = asker.ask(content, cancel, begin=trouble.wait, keep=keep)
            if answer.error == OVER_BUDGET:
                self._settle(placed.key, answer)

        threads = Threads(work, _THREADS_A_SLOT * limit.most)
        if go_on is not None:
            trouble.go_on = partial(threads.in_front, go_on)
        threads.run(self._to_ask, lambda: None)

    def _claimed(self) -> Iterator[PlacedFigure]:
        """The figures to ask about, each picture once, as notebooks are read."""
        for opened in self.notebooks.each():
            self._open[opened.path] = opened
            self._left[opened.path] = len(opened.wanted)
            for placed in opened.wanted:
                if self._is_new(placed):
                    yield placed
            if not opened.wanted:
                self._close(opened.path)

    def _is_new(self, placed: PlacedFigure) -> bool:
        """Whether its picture is to be asked about; else it has its answer, or waits for it."""
        try:
            placed.look()
        except ImageError as error:
            self._answer(placed, ImageAnswer(error=str(error)))
            return False
        with self._lock:
            known = self._answers.get(placed.key)
            if known is None and placed.key in self._waiting:
                self._waiting[placed.key].append(placed)
                return False
            if known is None and (known := self._journal.get(placed.key)) is None:
                self._waiting[placed.key] = [placed]
                return True
            self.kept += placed.key not in self._answers
        self._answer(placed, ImageAnswer(known.value, known.error))
        return False

    def _settle(self, key: str, answer: ImageAnswer) -> None:
        """Give the answer about a picture to all that show it; the first bears what it cost."""
        with self._lock:
            waiting = self._waiting.pop(key)
            self._answers[key] = answer
        for place, placed in enumerate(waiting):
            self._answer(placed, ImageAnswer(answer.value, answer.error) if place else answer)

    def _answer(self, placed: PlacedFigure, answer: ImageAnswer) -> None:
        placed.answer, placed.error = answer, answer.error
        with self._lock:
            self._left[placed.path] -= 1
            done = not self._left[placed.path]
        if done:
            self._close(placed.path)

    def _close(self, path: Path) -> None:
        """Write the new alt texts of a notebook into it, and forget what is large of it.

        One in which a text cannot be written is left as it is, and its figures get the error.
        """
        with self._lock:
            opened = self._open.pop(path)
        described = [placed for placed in opened.wanted if placed.alt]
        if self._write and described:
            try:
                opened.write(described)
            except InputError as error:
                for placed in described:
                    placed.error = str(error)
            else:
                with self._lock:
                    self.written += len(described)
        opened.release()


def _with_alt(answer: ImageAnswer) -> ImageAnswer:
    """The answer, which is an error where it says nothing."""
    if answer.error or str(plain(answer.value)["alt_text"]).strip():
        return answer
    why = "the reply has no alt text"
    return ImageAnswer(None, why, answer.usage, answer.cost, trouble=why)
