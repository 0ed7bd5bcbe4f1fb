"""Outputs of a cell that change while a reply streams into it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from ...rendering import reply_bundle, split_point, stacked
from ..page.recorder import OURS

SEGMENT = 2_500
"""Characters after which a finished part of a reply is frozen."""
NOTHING = {"text/html": "", "text/plain": ""}
"""Shown in place of an output that is not needed any more."""
# With header, thinking and tail this stays at twelve outputs; front ends fold longer lists.
_MOST_SEGMENTS = 8


class Publisher(Protocol):
    """The shell's display publisher."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
    ) -> None: ...


class Slot:
    """One output; showing it again replaces it."""

    def __init__(self, publisher: Publisher, display_id: str, marks: Mapping[str, Any]) -> None:
        self._publisher = publisher
        self._marks = marks
        self._display_id = display_id
        self._shown = False

    def show(self, bundle: Mapping[str, str]) -> None:
        """Publish `bundle`, marked as ours so that it is not taken for the notebook's own."""
        self._publisher.publish(
            dict(bundle),
            {OURS: dict(self._marks)},
            transient={"display_id": self._display_id},
            update=self._shown,
        )
        self._shown = True


def slots(publisher: Publisher, marks: Mapping[str, Any]) -> Iterator[Slot]:
    """New slots without end, with display ids that no other reply has.

    `marks` stand in the metadata of each output, and may change until it is shown.
    """
    name = secrets.token_hex(8)
    return (Slot(publisher, f"claude-magic-{name}-{n}", marks) for n in itertools.count())


class Segments:
    """A growing Markdown text as frozen parts and one tail that is shown again as it grows."""

    def __init__(self, new_slot: Callable[[], Slot]) -> None:
        self._new_slot = new_slot
        self.tail = new_slot()
        self._start = 0
        self._count = 0
        self._shown = ""

    @property
    def tail_length(self) -> int:
        """Characters that the tail shows."""
        return len(self._shown)

    def show(self, text: str) -> None:
        """Show `text`, which begins with all that was shown before."""
        cut = split_point(text[self._start :], self._least())
        if cut is not None and self._count < _MOST_SEGMENTS:
            self.tail.show(reply_bundle(text[self._start : self._start + cut]))
            self._start += cut
            self._count += 1
            self.tail = self._new_slot()
            self._shown = ""
        part = text[self._start :]
        if part.strip() and part != self._shown:
            # While it grows, only what is looked at; the other forms come when it is frozen.
            self.tail.show({"text/html": reply_bundle(part)["text/html"]})
            self._shown = part

    def put_above(self, bundle: Mapping[str, str]) -> None:
        """Show `bundle` where the tail stands; the text goes on below it."""
        self.tail.show(bundle)
        self.tail = self._new_slot()

    def finish(
        self,
        text: str,
        header: Mapping[str, str],
        footer: Mapping[str, str],
        *,
        body: Mapping[str, str] | None = None,
    ) -> None:
        """Show what is left of `text`, `header` above and `footer` below it in one output.

        `body` is shown in place of the text.
        """
        part = text[self._start :]
        if body is None:
            body = reply_bundle(part) if part.strip() else {}
        self.tail.show(stacked([header, body, footer]) or NOTHING)

    def _least(self) -> int:
        # Later parts grow, so that a very long reply still ends within the number of segments.
        return SEGMENT << max(0, self._count - 3)
