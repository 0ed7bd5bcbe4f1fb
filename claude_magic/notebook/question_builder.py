"""Options and words become a `Question`: here, for every face of the package.

The magics, the panel, `ask` and `Conversation` are faces. What differs between them is whether
there is a notebook: a `Face` says what it brings to a question, a script's brings nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ..conversation.asking.question import Question
from ..messages.blocks import Block, text
from ..messages.errors import InputError
from ..messages.plain_text import count
from ..value_classes import frozen
from .context.cell_blocks import Context, Render
from .context.documents import file_blocks, given_files
from .context.interpolate import interpolate
from .context.named_values import Evaluate, no_name, pictures, preparing
from .context.outputs import Rendered, output_blocks
from .options import QuestionOptions, several
from .page.question_place import NamedCells, QuestionPlace

if TYPE_CHECKING:
    from ..conversation.asking.connection import Keys
    from ..conversation.asking.question import Shape, Toolbox
    from ..conversation.session import Session
    from ..messages.images.prepare import Prepared
    from .config import Settable
    from .page.recorder import Output


@frozen
class Brought:
    """What a face brings to a question: who asks, the cells that it can name, what goes along.

    `again` says that the cell was run twice in a row: it is meant to ask afresh. `notebook` says
    that it is asked in a notebook that a front end shows.
    """

    asker: QuestionPlace
    order: tuple[str, ...] = ()
    cells: NamedCells = field(default_factory=lambda: NamedCells(tuple, {}))
    context: Context = field(default_factory=Context)
    again: bool = False
    notebook: bool = False


class Face(Protocol):
    """Where a question is asked: a notebook, or a script.

    `empty` says how to give it words there. `evaluate` gives what a name or expression stands for
    and raises what that raises; where it is None they stand for nothing.
    """

    empty: str

    @property
    def session(self) -> Session: ...

    @property
    def settable(self) -> Settable: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def evaluate(self) -> Evaluate | None: ...

    def bring(
        self, options: QuestionOptions, prompt: str, render: Render, *, figures: bool
    ) -> Brought:
        """What goes along beside the options, with `figures` those of the cells too.

        Raises InputError for a cell that is not there.
        """

    def toolbox(self, options: QuestionOptions) -> Toolbox | None:
        """The tools of a question; None where the options and the settings name none."""


def build(
    face: Face, options: QuestionOptions, prompt: str, blocks: Sequence[Block] = ()
) -> Question:
    """The question that `options` and `prompt` ask, with all that it carries.

    `blocks` is what else stands before the question. Secrets are masked where the body is made.

    Raises InputError before anything leaves: empty prompt, unknown name, unreadable image.
    """
    if not prompt.strip():
        raise InputError(f"The question is empty: {face.empty}")
    prepare = prepare_for(options, face.session, face.settable)
    evaluate = face.evaluate
    raw = bool(options.get("raw"))
    asked = [text(prompt)] if raw else interpolate(prompt, evaluate or no_name, prepare=prepare)
    papers: list[Block] = []
    remarks: list[str] = []
    if "files" in options:
        papers, remarks = file_blocks(given_files(options["files"]), prepare, evaluate)
    render = partial(render_output, prepare=prepare)
    images = chosen_images(options, face.settable)
    figures = any(isinstance(image, str) and image == "auto" for image in images)
    brought = face.bring(options, prompt, render, figures=figures)
    context, cells, asker = brought.context, brought.cells, brought.asker
    shown, notices = pictures(
        images,
        cells,
        evaluate=evaluate,
        render=render,
        prepare=prepare,
    )
    given = sum(b.get("type") == "image" for b in (*shown, *asked))
    carried = ", ".join([*context.in_words, *_in_words(("image", given), ("file", len(papers)))])
    tools = _toolbox(face, options)
    return Question(
        content=(*papers, *shown, *blocks, *_opened(options), *asked),
        context=context.blocks,
        page=context.page,
        values=context.values,
        standing=context.standing,
        model=options.get("model"),
        system=options.get("system"),
        max_tokens=options.get("max_tokens"),
        stop=several(options.get("stop", ())),
        prefill=options.get("prefill") or "",
        effort=options.get("effort"),
        think=options.get("think"),
        cite=bool(options.get("cite")),
        tools=tools,
        shape=_shape(options.get("json"), face),
        alone=bool(options.get("alone")),
        fresh=bool(options.get("fresh")) or brought.again,
        cell=asker.cell,
        ordinal=asker.ordinal,
        run=asker.run,
        order=brought.order,
        panel=asker.panel,
        notebook=brought.notebook,
        source=asker.source,
        prompt=face.keys.mask(prompt),
        counts=cells.counts,
        carried=carried,
        notices=(*remarks, *cells.notices, *context.notices, *notices),
    )


def prepare_for(
    options: QuestionOptions, session: Session, settable: Settable
) -> Callable[[object], Prepared]:
    """What prepares an image of a question with these options."""
    hires = bool(options.get("hires") or settable.value("hires"))
    model = options.get("model") or settable.value("model")
    known = session.catalogue.lookup(model) if hires else None
    return preparing(known, lambda: session.images)


def chosen_images(options: QuestionOptions, settable: Settable) -> tuple[object, ...]:
    """What `-i` names and Python gives; what is set where that is nothing."""
    return several(options.get("images", ())) or (settable.value("images"),)


def render_output(output: Output, *, prepare: Callable[[object], Prepared]) -> Rendered:
    """What an output of a cell displayed, as blocks."""
    return output_blocks(output.bundle or {}, output.metadata, prepare=prepare)


def _toolbox(face: Face, options: QuestionOptions) -> Toolbox | None:
    said = several(options.get("tools", ())) or face.settable.value("tools")
    return face.toolbox(options) if said or options.get("app") is not None else None


def _in_words(*kinds: tuple[str, int]) -> list[str]:
    return [count(number, word) for word, number in kinds if number]


def _opened(options: QuestionOptions) -> list[Block]:
    """What the model is told of the program that `--app` opens; part of what was asked."""
    app = options.get("app")
    return [text(f"[Opened on the virtual desktop: {app}]")] if app else []


def _shape(said: object, face: Face) -> Shape | None:
    if said is None:
        return None
    from .context.named_values import wanted_shape

    return wanted_shape(said, face.evaluate, *face.keys.secrets())
