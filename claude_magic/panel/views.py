"""Questions and turns as the panel shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ..conversation import reply_value
from ..conversation.asking.connection import Server
from ..conversation.export import question_text
from ..conversation.ledger import total, written
from ..messages import models
from ..messages.errors import ImageError
from ..messages.images.sniff import size_of_base64
from ..messages.plain_text import dollars
from ..rendering import plain
from ..rendering.reply import Footer, Header, detail_text, footer_text, header_text
from . import protocol
from .parts import parts_of

if TYPE_CHECKING:
    from ..conversation.asking.plan import Plan
    from ..conversation.asking.question import Question
    from ..conversation.session import Session
    from ..conversation.turns import Turn
    from ..messages.blocks import Block, ImageBlock
    from ..messages.catalogue import Catalogue
    from ..notebook.notebook import Notebook


class Views:
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
            "images": self.images(question.content, small=True),
            "above": header_text(header) if header else "",
            "notices": [plain(line) for line in (header.notices if header else ())],
            "started": 0.0,
        }

    def turn(
        self, turn: Turn, versions: Sequence[str] = (), *, small: bool = False
    ) -> protocol.Turn:
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
            "below": "" if written(turn) else footer_text(footer),
            "detail": f"{detail_text(footer)}\n{when}",
            "versions": list(versions),
        }

    def _around(self, turn: Turn) -> tuple[Header, Footer]:
        """What stands above and below the reply."""
        known = self._session.catalogue
        header = (
            Header("written by you") if written(turn) else reply_value.header_of_turn(turn, known)
        )
        return header, reply_value.footer_of(turn, known)

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


def state(notebook: Notebook, title: str) -> protocol.State:
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
