"""Any question over the columns of a table: texts, images and documents of one row."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...conversation.asking.plan import about
from ...conversation.asking.shape import shape_of
from ...messages.blocks import Block, document_base64, text
from ...messages.errors import InputError
from ...messages.images.prepare import LONG_EDGE, prepare
from ...messages.images.sources import url_link
from ...messages.models import lookup
from ...messages.request import Options
from ..access import Access
from ..image_question import Job

_IMAGE_URL = re.compile(
    r"https?://[^\s?#]+\.(?:png|jpe?g|gif|webp)(?:[?#]\S*)?", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True)
class PromptWords:
    """The shape of an answer that is words."""

    name: str = "text"

    @property
    def schema(self) -> Mapping[str, Any]:
        return {}

    def read(self, text: str) -> Any:
        return text


def prompt_job(
    access: Access,
    model: str | None,
    wanted: object,
    system: str,
    *,
    max_tokens: int | None = None,
    effort: str | None = None,
    think: str | None = None,
    hires: bool = False,
) -> Job:
    """The job that asks for `wanted`, None for words. Raises InputError for what is no such thing.

    What is asked comes with each row.
    """
    settings, server = access.settings, access.asked
    catalogue = access.known.of(settings, server)
    chosen = catalogue.choose(model or settings.model, anthropic=server.anthropic)
    options = Options(
        system=system,
        max_tokens=max_tokens or settings.max_tokens or None,
        effort=effort or settings.effort,
        effort_named=effort is not None,
        think=think or settings.think,
    )
    known = lookup(chosen.id) if hires else None
    return Job(
        chosen,
        PromptWords() if wanted is None else shape_of(wanted),
        options,
        "",
        server.label,
        anthropic=server.anthropic,
        free=server.offline,
        long_edge=known.long_edge if known else LONG_EDGE,
        notices=tuple(about(chosen, catalogue, server)),
    )


def content_of(job: Job, parts: Sequence[Any]) -> Sequence[Block]:
    """The content of one row's question. Raises InputError for a part that is none of it."""
    content = [block for part in parts for block in _blocks(job, part)]
    if not content:
        raise InputError("there is nothing to ask in this row")
    return content


def _blocks(job: Job, part: Any) -> Iterator[Block]:
    if isinstance(part, str):
        if _IMAGE_URL.fullmatch(part):
            yield {"type": "image", "source": dict(url_link(part).source)}
        elif part.strip():  # the API refuses blank text
            yield text(part)
        return
    if type(part).__module__.partition(".")[0] == "daft":  # a File, whose bytes are elsewhere
        with part.open() as file:
            part = file.read()
    if isinstance(part, bytes) and part[:5] == b"%PDF-":
        yield document_base64("application/pdf", base64.b64encode(part).decode("ascii"))
        return
    yield prepare(part, long_edge=job.long_edge).block
