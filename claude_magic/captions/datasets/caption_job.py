"""What is asked about every image of a job, from the words and the settings that say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...conversation.asking.plan import about
from ...conversation.asking.shape import shape_of
from ...messages.request import Options
from ..access import Access
from ..guidance import CAPTION_PROMPT, CAPTION_SYSTEM, FIELDS_PROMPT, FIELDS_SYSTEM
from ..image_question import Job

if TYPE_CHECKING:
    from ..image_question import Job


@dataclass(frozen=True)
class Wanted:
    """What is asked about each image. `schema` None: a caption.

    `prompt` is the question, "" the one that goes with the schema. None means "as is set".
    """

    schema: object = None
    prompt: str = ""
    model: str | None = None
    max_tokens: int | None = None
    effort: str | None = None
    think: str | None = None
    long_edge: int = 1568


def job_of(wanted: Wanted, access: Access, discount: float = 1.0) -> Job:
    """The job that asks `wanted`. Raises InputError for a schema or a model that is none."""
    settings, server = access.settings, access.asked
    if wanted.schema is None:
        from ..caption import Caption

        shape, system, prompt = shape_of(Caption), CAPTION_SYSTEM, CAPTION_PROMPT
    else:
        shape, system, prompt = shape_of(wanted.schema), FIELDS_SYSTEM, FIELDS_PROMPT
    options = Options(
        system=system,
        max_tokens=wanted.max_tokens or settings.max_tokens or None,
        effort=wanted.effort or settings.effort,
        effort_named=wanted.effort is not None,
        think=wanted.think or settings.think,
    )
    catalogue = access.known.of(settings, server)
    model = catalogue.choose(wanted.model or settings.model, anthropic=server.anthropic)
    return Job(
        model,
        shape,
        options,
        wanted.prompt.strip() or prompt,
        server.label,
        anthropic=server.anthropic,
        free=server.offline,
        long_edge=wanted.long_edge,
        discount=discount,
        notices=tuple(about(model, catalogue, server)),
    )
