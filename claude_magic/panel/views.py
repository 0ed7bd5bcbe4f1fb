"""Questions and turns as the panel shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ..conversation.connection import Server
from ..conversation.export import ending, question_text
from ..conversation.ledger import entry, model_of, total, written
from ..conversation.settings import ANTHROPIC_URL, OFFLINE
from ..messages import models
from ..messages.errors import ImageError
from ..messages.sniff import size_of_base64
from ..notebook import lines
from ..rendering import plain
from . import protocol
from .parts import parts_of

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.question import Question
    from ..conversation.session import Session
    from ..conversation.turns import Turn
    from ..messages.blocks import Block, ImageBlock
    from ..messages.catalogue import Catalogue
    from ..notebook.notebook import Notebook

_ENDINGS = {
    "interrupted": "stopped; what came is kept",
    "broken": "broken off; what came is kept, and not sent later",
    "refused": "declined by the model; not sent later",
}


class Views:
    """Makes views of questions and turns of one session.

    `places` gives the short word for a cell; it is read anew for each view.
    """

    def __init__(self, session: Session, places: Mapping[str, str]) -> None:
        self._session = session
        self._places = places

    def asked(self, question: Question, plan: Plan | None) -> protocol.Asked:
        """A question that is about to be sent; `plan` is None if it could not be planned."""
        return {
            "prompt": plain(question.prompt),
            "cell": question.cell or "",
            "place": self._places.get(question.cell or "", ""),
            "panel": question.panel,
            "images": self.images(question.content, small=True),
            "above": plain(lines.header(plan)) if plan else "",
            "notices": [plain(line) for line in (lines.notices(plan) if plan else ())],
            "started": 0.0,
        }

    def turn(
        self, turn: Turn, versions: Sequence[str] = (), *, small: bool = False
    ) -> protocol.Turn:
        """A turn that is over; with `small` its images too, which takes a while for new ones."""
        known = self._session.catalogue
        return {
            "id": turn.id,
            "asked": {
                "prompt": plain(question_text(turn)),
                "cell": turn.cell or "",
                "place": self._places.get(turn.cell or "", ""),
                "panel": turn.panel,
                "images": self.images(turn.asked, small=small),
                "above": _above(turn, known),
                "notices": [plain(str(n)) for n in (*_notices(turn), *turn.healed)],
                "started": turn.started,
            },
            "parts": parts_of(turn, self.thumbnail),
            "status": turn.status,
            "below": _below(turn, known),
            "detail": _detail(turn),
            "versions": list(versions),
        }

    def images(self, blocks: Iterable[Block], *, small: bool = False) -> list[protocol.Image]:
        """The images among the blocks; with `small` as small images, else their size only."""
        found = [b for b in blocks if b.get("type") == "image"]
        return [self._image(block, number, small) for number, block in enumerate(found, 1)]

    def thumbnail(self, block: Block) -> str:
        """A small `data:` URI; "" for an image that the server fetches, or that is damaged."""
        from ..messages.images import thumbnail

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
        "spent": lines.dollars(spent),
        "detail": (
            f"This kernel: {lines.dollars(spent)} of a budget of {lines.dollars(budget)}\n"
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


def _notices(turn: Turn) -> Iterable[object]:
    notices = turn.shown.get("notices", ())
    return notices if isinstance(notices, list | tuple) else ()


def _above(turn: Turn, known: Catalogue) -> str:
    """Who answered, and what went along: "Sonnet 5.5 · 4 cells, 2 figures"."""
    if written(turn):
        return "written by you"
    model = model_of(turn, known)
    said = [model.name if model else turn.model or turn.requested]
    if turn.server == OFFLINE:
        said.append("offline server")
    elif turn.server != ANTHROPIC_URL:
        said.append(turn.server.partition("://")[2] or turn.server)
    carried = turn.shown.get("carried")
    if isinstance(carried, str) and carried:
        said.append(carried)
    return plain(" · ".join(said))


def _below(turn: Turn, known: Catalogue) -> str:
    """For example "1,551 in (1,200 cached) · 71 out · $0.004 · 3.1 s"."""
    if written(turn):
        return ""
    usage, spent, model = turn.usage, entry(turn, known), model_of(turn, known)
    cached = f" ({usage.read:,} cached)" if usage.read else ""
    said = [f"{usage.input:,} in{cached}", f"{usage.output:,} out"]
    if spent.turns and not spent.unpriced:
        said.append(lines.dollars(spent.cost))
    elif turn.server == OFFLINE and model is not None:
        said.append(f"would cost {lines.dollars(turn.cost(model) or 0.0)}")
    said.append(f"{turn.ended - turn.started:.1f} s")
    said.append(_ENDINGS.get(turn.status, ending(turn)))
    return plain(" · ".join(part for part in said if part))


def _detail(turn: Turn) -> str:
    usage = turn.usage
    said = [
        f"model {turn.model}",
        f"input {usage.fresh:,}, cache written {usage.written:,}, cache read {usage.read:,}",
        f"output {usage.output:,}" + (f", thinking {usage.thinking:,}" if usage.thinking else ""),
        f"status {turn.status}, stop reason {turn.stop_reason}",
        datetime.fromtimestamp(turn.started).strftime("%Y-%m-%d %H:%M:%S"),
    ]
    return plain("\n".join(said))
