"""The turns of the conversation as the panels have them: told once, then only what changes."""

from __future__ import annotations

import threading
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from ..conversation import export, reply_value
from ..conversation.asking.connection import Server
from ..conversation.export import question_text
from ..conversation.history import versions
from ..conversation.ledger import total
from ..conversation.visible_turns import places_of, stands_at
from ..messages import models
from ..messages.errors import ImageError, InputError
from ..messages.images.sniff import size_of_base64
from ..messages.plain_text import dollars
from ..notebook.display.history_table import HistoryRow, whole
from ..rendering import plain
from ..rendering.reply import Footer, Header, detail_text, footer_text, header_text
from . import protocol
from .live import parts_of

if TYPE_CHECKING:
    from ..conversation.asking.plan import Plan
    from ..conversation.asking.question import Question
    from ..conversation.session import Session
    from ..conversation.turns import Turn
    from ..messages.blocks import Block, ImageBlock
    from ..messages.catalogue import Catalogue
    from ..notebook.notebook import Notebook


class TurnViews:
    """Makes views of questions and turns of one session.

    `places` gives the short word for a cell; it is read anew for each view.
    """

    def __init__(self, session: Session, places: Mapping[str, str]) -> None:
        self._session = session
        self._places = places

    def asked(self, question: Question, plan: Plan | None) -> protocol.Asked:
        """A question that is about to be sent; `plan` is None if it could not be planned."""
        header = reply_value.header_of(plan) if plan else None
        return {
            "prompt": plain(question.prompt),
            "cell": question.cell or "",
            "place": self._places.get(question.cell or "", ""),
            "panel": question.panel,
            "images": self.images(question.sent, small=True),
            "above": header_text(header) if header else "",
            "notices": [plain(line) for line in (header.notices if header else ())],
            "started": 0.0,
        }

    def turn(
        self, turn: Turn, versions: Sequence[str] = (), *, small: bool = False
    ) -> protocol.PanelTurn:
        """A turn that is over; with `small` its images too, which takes a while for new ones."""
        header, footer = self._around(turn)
        when = datetime.fromtimestamp(turn.started).strftime("%Y-%m-%d %H:%M:%S")
        return {
            "id": turn.id,
            "asked": {
                "prompt": plain(question_text(turn)),
                "cell": turn.cell or "",
                "place": self._places.get(turn.cell or "", ""),
                "panel": turn.panel,
                "images": self.images(turn.asked, small=small),
                "above": header_text(header),
                "notices": [plain(n) for n in (*header.notices, *turn.healed)],
                "started": turn.started,
            },
            "parts": parts_of(reply_value.parts_of(turn), self.thumbnail),
            "status": turn.status,
            "below": "" if turn.written else footer_text(footer),
            "detail": f"{detail_text(footer)}\n{when}",
            "versions": list(versions),
        }

    def _around(self, turn: Turn) -> tuple[Header, Footer]:
        """What stands above and below the reply."""
        known = self._session.catalogue
        recorded = turn.id in self._session.history.replayed
        header = (
            Header("written by you") if turn.written else reply_value.header_of_turn(turn, known)
        )
        if recorded:  # what was said when it was asked is not true now
            header = replace(header, notices=())
        return header, reply_value.footer_of(turn, known, recorded=recorded)

    def images(self, blocks: Iterable[Block], *, small: bool = False) -> list[protocol.Image]:
        """The images among the blocks; with `small` as small images, else their size only."""
        found = [b for b in blocks if b.get("type") == "image"]
        return [self._image(block, number, small) for number, block in enumerate(found, 1)]

    def thumbnail(self, block: Block) -> str:
        """A small `data:` URI; "" for an image that the server fetches, or that is damaged."""
        from ..messages.images.prepare import thumbnail

        try:
            return thumbnail(cast("ImageBlock", block), cache=self._session.images) or ""
        except ImageError:
            return ""

    def _image(self, block: Block, number: int, small: bool) -> protocol.Image:
        source: Mapping[str, Any] = block.get("source", {})
        data = str(source.get("data", ""))
        width, height = (size_of_base64(data) if data else None) or (0, 0)
        return {
            "label": plain(str(source.get("url") or f"Image {number}")),
            "src": self.thumbnail(block) if small else "",
            "width": width,
            "height": height,
        }


def state(notebook: Notebook, title: str) -> protocol.StateMessage:
    """The line at the top: model in force, models to choose, what was spent."""
    settings, known = notebook.session.settings(), notebook.session.catalogue
    spent, budget = notebook.session.spending.spent, settings.budget
    usage = total(notebook.session.turns, known).usage
    server = Server.of(settings.base_url)
    return {
        "type": "state",
        "title": title,
        "model": known.resolve(settings.model),
        "models": [
            {"model": m.id, "name": m.name, "price": _price(m)}
            for m in _choice(known, settings.model, anthropic=server.anthropic)
        ],
        "spent": dollars(spent),
        "detail": (
            f"This kernel: {dollars(spent)} of a budget of {dollars(budget)}\n"
            f"This notebook: {usage.input:,} tokens in, {usage.output:,} out"
        ),
        "server": "" if server.anthropic and not server.offline else server.host,
    }


def _choice(known: Catalogue, model: str, *, anthropic: bool) -> Iterable[models.Model]:
    """The models to choose from; of another server, whose list is not known, the one in force."""
    names = known.names() if anthropic or known.listed is not None else []
    ids = dict.fromkeys(known.resolve(name) for name in (*names, model))
    for model_id in ids:
        found = known.lookup(model_id)
        if found is None or not found.deprecated:
            yield replace(found or models.unknown(model_id), id=model_id)


def _price(model: models.Model) -> str:
    if model.price is None:
        return ""
    return f"${model.price.input:g} in, ${model.price.output:g} out per million tokens"


# In characters of text: so much of a long conversation comes at once, the newest turns first.
_PAGE = 200_000
_FEWEST = 3
# Seconds for which a new turn may still be told by the question that it ends.
_PATIENCE = 0.5


class Past:
    """What was told of the conversation's turns; `views` makes what is told.

    Safe to use from several threads.
    """

    def __init__(self, notebook: Notebook, views: TurnViews) -> None:
        self._notebook = notebook
        self._views = views
        self._told: set[str] = set()
        self._without_images: list[str] = []
        self._order: list[str] = []
        self._places: dict[str, str] = {}
        self._versions: dict[str, list[str]] = {}
        self._waiting: dict[str, float] = {}
        self._lock = threading.RLock()

    def history(self, view: str, live: Sequence[protocol.Live]) -> protocol.HistoryMessage:
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

    def told(self, turn: Turn) -> protocol.PanelTurn:
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

    def below(self, question: Question) -> str:
        """The id of the first turn that stands below where a question is asked; "" for none."""
        places = places_of(self._notebook.standing.page.order)
        here = places.get(question.cell)
        if here is None:
            return ""
        for turn in self._standing():
            at = stands_at(turn, places)
            if at is None or at > here or (at == here and turn.panel and not question.panel):
                return turn.id
        return ""

    def _standing(self) -> list[Turn]:
        """The turns that count, in the order in which a question below them all sends them.

        A kernel whose cells have no ids starts with an empty conversation, as its questions do.
        """
        return self._notebook.session.history.on_page(self._notebook.standing.page.order)

    def _all_versions(self, standing: Sequence[Turn]) -> dict[str, list[str]]:
        turns = list(self._notebook.session.turns)
        found = {t.id: versions(turns, t) for t in standing if t.panel}
        return {i: [t.id for t in each] for i, each in found.items() if len(each) > 1}

    def _views_of(self, turns: Sequence[Turn]) -> list[protocol.PanelTurn]:
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
