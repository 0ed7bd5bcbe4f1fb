"""The turns of the conversation as the panels have them: told once, then only what changes."""

from __future__ import annotations

import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from ..conversation import export
from ..conversation.history import versions
from ..conversation.visible_turns import on_page
from ..messages.errors import InputError
from ..notebook.display.history_table import HistoryRow, whole
from . import protocol
from .views import Views

if TYPE_CHECKING:
    from ..conversation.turns import Turn
    from ..notebook.notebook import Notebook

# In characters of text: so much of a long conversation comes at once, the newest turns first.
_PAGE = 200_000
_FEWEST = 3
# Seconds for which a new turn may still be told by the question that it ends.
_PATIENCE = 0.5


class Past:
    """What was told of the conversation's turns; `views` makes what is told.

    Safe to use from several threads.
    """

    def __init__(self, notebook: Notebook, views: Views) -> None:
        self._notebook = notebook
        self._views = views
        self._told: set[str] = set()
        self._without_images: list[str] = []
        self._order: list[str] = []
        self._places: dict[str, str] = {}
        self._versions: dict[str, list[str]] = {}
        self._waiting: dict[str, float] = {}
        self._lock = threading.RLock()

    def history(self, view: str, live: Sequence[protocol.Live]) -> protocol.History:
        """The newest turns, for a view that knows nothing yet."""
        with self._lock:
            standing = self._standing()
            if not self._told:  # else another view waits for what is new to this one as well
                self._order = [turn.id for turn in standing]
                self._told = set(self._order)
                self._versions = self._all_versions(standing)
            page = _page(standing)
            return {
                "type": "history",
                "view": view,
                "turns": self._views_of(page),
                "earlier": len(standing) - len(page),
                "live": list(live),
            }

    def earlier(self, before: str) -> protocol.Earlier:
        """The turns before this one."""
        with self._lock:
            standing = self._standing()
            ids = [turn.id for turn in standing]
            above = standing[: ids.index(before)] if before in ids else standing
            page = _page(above)
            return {
                "type": "earlier",
                "turns": self._views_of(page),
                "earlier": len(above) - len(page),
            }

    def told(self, turn: Turn) -> protocol.Turn:
        """A turn as the question that it ends tells it."""
        with self._lock:
            self._told.add(turn.id)
            found = versions(self._notebook.session.turns, turn) if turn.panel else []
            others = [t.id for t in found] if len(found) > 1 else ()
            return self._views.turn(turn, others, small=True)

    def changes(
        self, places: Mapping[str, str], *, wait: bool
    ) -> protocol.Turns | Literal["later"] | None:
        """How the turns stand, if that was not told yet.

        With `wait` a turn that is quite new is left to the question that it ends: then "later".
        """
        with self._lock:
            standing = self._standing()
            new = [turn for turn in standing if turn.id not in self._told]
            now = time.monotonic()
            self._waiting = {turn.id: self._waiting.get(turn.id, now) for turn in new}
            if wait and any(now - since < _PATIENCE for since in self._waiting.values()):
                return "later"
            order, found = [turn.id for turn in standing], self._all_versions(standing)
            used = {turn.cell: places.get(turn.cell, "") for turn in standing if turn.cell}
            if not new and (order, found, used) == (self._order, self._versions, self._places):
                return None
            self._order, self._versions, self._places = order, found, used
            # A panel forgets what does not stand any more: should it come back, it is told again.
            self._told = self._told.intersection(order) | {turn.id for turn in new}
            return {
                "type": "turns",
                "order": order,
                "turns": self._views_of(new),
                "versions": found,
                "places": used,
            }

    def thumbnails(self) -> Iterator[protocol.Thumbnails]:
        """The small images of the turns told without them, the newest first."""
        while True:
            with self._lock:
                if not self._without_images:
                    return
                turn_id = self._without_images.pop()
            if turn_id in self._notebook.session.history:
                turn = self._notebook.session.history[turn_id]
                images = self._views.images(turn.asked, small=True)
                yield {"type": "thumbnails", "turn": turn_id, "images": images}

    def turn(self, turn_id: str) -> Turn:
        """The turn with this id. Raises InputError where there is none."""
        history = self._notebook.session.history
        if turn_id not in history:
            raise InputError("That turn is not there any more.")
        return history[turn_id]

    def picture(self, turn_id: str, index: int) -> tuple[str, bytes]:
        """The media type and the bytes of one image of a turn. Raises InputError for none."""
        images = [b for b in self.turn(turn_id).asked if b.get("type") == "image"]
        source = images[index]["source"] if 0 <= index < len(images) else {}
        if source.get("type") != "base64":
            raise InputError("That image is not here: the server fetched it.")
        return str(source["media_type"]), b64decode(source["data"])

    def sent(self, turn_id: str) -> str:
        """All that was sent with a turn, as text."""
        shown = whole(HistoryRow(self.turn(turn_id), 0, ""), self._notebook.session.images)
        asked, _, _ = shown["text/plain"].partition("\n--- assistant")
        return asked.partition("\n--- user\n")[2]

    def export(self, form: str, title: str) -> tuple[str, str]:
        """A file's name and text: the conversation as Markdown, JSON or a script."""
        turns = self._standing()
        if not turns:
            raise InputError("There is no turn to write yet: ask first.")
        text = {
            "md": lambda: export.as_markdown(turns, title or None),
            "json": lambda: export.as_json(turns),
            "py": lambda: export.as_python(turns),
        }[form]()
        return f"{title or 'conversation'}.{form}", text

    def _standing(self) -> list[Turn]:
        """The turns that count, in the order asked.

        A kernel whose cells have no ids starts with an empty conversation, as its questions do.
        """
        history, page = self._notebook.session.history, self._notebook.standing.page
        found = on_page(list(history.turns), history.retired, page.order)
        if not any(turn.cell for turn in found):
            found = [turn for turn in found if turn.id in history.asked]
        return sorted(found, key=lambda turn: turn.started)

    def _all_versions(self, standing: Sequence[Turn]) -> dict[str, list[str]]:
        turns = list(self._notebook.session.turns)
        found = {t.id: versions(turns, t) for t in standing if t.panel}
        return {i: [t.id for t in each] for i, each in found.items() if len(each) > 1}

    def _views_of(self, turns: Sequence[Turn]) -> list[protocol.Turn]:
        found = [self._views.turn(turn, self._versions.get(turn.id, ())) for turn in turns]
        self._without_images += [v["id"] for v in found if v["asked"]["images"]]
        return found


def _page(turns: Sequence[Turn]) -> list[Turn]:
    """The newest turns whose text fits a page, in their order; a few in any case."""
    room = _PAGE
    found: list[Turn] = []
    for turn in reversed(turns):
        room -= len(turn.text) + len(turn.prompt)
        if room < 0 and len(found) >= _FEWEST:
            break
        found.append(turn)
    return found[::-1]
