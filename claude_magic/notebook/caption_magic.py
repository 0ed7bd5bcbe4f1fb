"""`%claude_caption`: the figures that it is asked about, the question, where alt text is written.

A caption is asked for outside of the conversation: it neither needs it nor belongs to it. It is on
record like every reply, so that running the notebook again pays nothing twice.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..captions.caption import Caption
from ..captions.figures import NOT_READ, bundle_data, figure_data
from ..captions.job import CAPTION_PROMPT, CAPTION_SYSTEM, figure_along
from ..messages.blocks import text
from ..messages.errors import ImageError, InputError
from ..messages.images.plots import chart_kind, shown
from ..messages.plain_text import trim_middle
from ..value_classes import frozen
from .context.cell_blocks import names
from .context.named_values import is_file, page_of_file, value_of
from .context.outputs import Prepare, Rendered
from .context.page_digest import picture_digest
from .context.table_text import table_text
from .options import QuestionOptions, bare, several
from .page.question_place import NamedCells
from .page.recorder import CellRun, Output
from .question_builder import render_output

if TYPE_CHECKING:
    from ..conversation.asking.question import Question
    from ..conversation.reply_value import Reply
    from .notebook import Notebook
    from .page.front_end import FrontEnd
    from .page.question_place import PanelPlace

_LAST = re.compile(r"last(?::([1-9]\d*))?")
_HINT = "Give a variable, a path, an address or last."
_MOST_TABLES = 3
_TABLE_CHARACTERS = 2_000


@frozen
class ShownFigure:
    """One figure. `image` is what `prepare` takes, None where it cannot be drawn on this machine.

    `data` is what it was drawn from, `code` the cell that displayed it, `output` that output and
    `cell` the cell's id, as far as they are known. `changed`: it was changed since, so that its
    data are not those of the picture.
    """

    image: object
    data: str = ""
    code: str = ""
    output: Output | None = field(default=None, compare=False)
    cell: str | None = None
    changed: bool = False


class Figures:
    """Finds figures among `cells`, those of the page."""

    def __init__(
        self,
        cells: NamedCells,
        namespace: Mapping[str, object],
        *,
        evaluate: Callable[[str], object],
        render: Callable[[Output], Rendered],
        prepare: Prepare,
        redraw: Callable[[object, str], object],
    ) -> None:
        self._cells = cells
        self._namespace = namespace
        self._evaluate = evaluate
        self._render = render
        self._prepare = prepare
        self._redraw = redraw

    def named(self, choices: Sequence[str]) -> list[ShownFigure]:
        """The figures that `-i` names, in that order; the last one displayed where none is.

        Raises InputError for a choice that gives none.
        """
        wanted = [choice for choice in choices if choice not in ("auto", "none")] or ["last"]
        return [figure for choice in wanted for figure in self._of(choice)]

    def at(self, cell: str, image: str) -> ShownFigure | None:
        """The figure that a cell displays, whose picture is the text `image` in its bundle."""
        wanted = image_text(image)
        for run, output in self._displayed(reversed(self._cells.as_run)):
            held = (output.bundle or {}).values()
            if run.cell == cell and any(image_text(value) == wanted for value in held):
                return self._figure(run, output)
        return None

    def shown(self, output: Output, source: str) -> ShownFigure:
        """What an output shows that this kernel did not record, of a cell with that text.

        Raises ImageError where that is no figure that can be sent.
        """
        figure = self._figure(CellRun(0, None, source), output)
        if figure is None:
            raise ImageError("This output holds no figure that can be sent: run its cell again.")
        return figure

    def _of(self, choice: str) -> list[ShownFigure]:
        last = _LAST.fullmatch(choice)
        if last:
            return self._newest(int(last[1] or 1), choice)
        if choice.isdecimal():
            return self._shown_by(self._cells.of_counts(int(choice), int(choice), f"-i {choice}"))
        if choice.startswith("#"):
            return self._shown_by(self._cells.tagged(choice[1:], f"-i {choice}"))
        if re.match(r"(?i)https?://|data:", choice):
            return [ShownFigure(choice)]
        if is_file(choice):
            return [ShownFigure(Path(choice).expanduser())]
        if page := page_of_file(choice):
            return [ShownFigure(page)]
        value = value_of("-i", choice, self._evaluate, _HINT)
        found = value if isinstance(value, list | tuple) else [value]
        return [self._object(item, choice) for item in found]

    def _newest(self, number: int, choice: str) -> list[ShownFigure]:
        found: list[ShownFigure] = []
        for run, output in self._displayed(reversed(self._cells.as_run)):
            figure = self._figure(run, output)
            if figure is not None:
                found.insert(0, figure)
            if len(found) == number:
                return found
        raise InputError(
            f"-i {choice}: {len(found) or 'no'} figures were displayed in this kernel so far; "
            "run the cell that draws, or name a variable."
        )

    def _shown_by(self, runs: Sequence[CellRun]) -> list[ShownFigure]:
        outputs = reversed([*self._displayed(reversed(runs))])
        found = [f for run, output in outputs if (f := self._figure(run, output)) is not None]
        if not found:
            raise InputError("That cell displayed no figure; run it, or name another with -i.")
        return found

    def _object(self, value: object, choice: str) -> ShownFigure:
        """A figure that the notebook holds; where it was displayed, its cell's code goes along."""
        data, image = figure_data(value), value
        try:
            self._prepare(value)
        except ImageError as error:
            if not data or data.endswith(NOT_READ):
                raise ImageError(f"-i {choice}: {error}") from None
            image = None
        for run, output in self._displayed(reversed(self._cells.as_run)):
            if output.drawn() is value and self._is_as_shown(output):
                return ShownFigure(image, data, run.source, output, run.cell)
        return ShownFigure(image, data)

    def _figure(self, run: CellRun, output: Output) -> ShownFigure | None:
        """What an output shows; None where that is no figure."""
        blocks = self._render(output).blocks
        image = next((block for block in blocks if block.get("type") == "image"), None)
        # A chart's own specification came with it; a Matplotlib figure may have changed since.
        data = bundle_data(output.bundle or {})
        if image is None and not data:
            return None
        drawn = output.drawn()
        changed = not data and drawn is not None and not self._is_as_shown(output)
        if not data and not changed:
            data = (figure_data(drawn) if drawn is not None else "") or self._tables(run)
        return ShownFigure(image, data, run.source, output, run.cell, changed)

    def _is_as_shown(self, output: Output) -> bool:
        """Whether the figure, drawn again, gives the picture that the output shows."""
        bundle = output.bundle or {}
        if any(chart_kind(media_type) for media_type in bundle):
            return True
        kind = next((kind for kind in IMAGES if image_text(bundle.get(kind))), None)
        if kind is None:
            return False
        again = self._redraw(output.drawn(), kind)
        return bool(image_text(again)) and _pixels(kind, again) == _pixels(kind, bundle[kind])

    def _tables(self, run: CellRun) -> str:
        """The tables that the cell names, as they are now: what was plotted is likely of them."""
        found = []
        for name in dict.fromkeys(names(run.source)):
            shown = table_text(self._namespace.get(name), name)
            if shown is not None:
                found.append(trim_middle(shown, _TABLE_CHARACTERS))
        return "\n\n".join(found[:_MOST_TABLES])

    def _displayed(self, runs: Iterable[CellRun]) -> Iterator[tuple[CellRun, Output]]:
        """What the runs displayed, as they come, each run's newest first."""
        for run in runs:
            for output in reversed(run.outputs):
                if output.bundle is not None:
                    yield run, output


def image_text(value: object) -> str:
    """An image of a mimebundle as a front end has it, line breaks left out; "" for anything else.

    Some libraries display bytes, which the kernel sends as base64.
    """
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return "".join(value.split()) if isinstance(value, str) else ""


def _pixels(kind: str, value: object) -> str:
    """The digest of a picture of a mimebundle, whatever is noted beside its pixels."""
    words = image_text(value)
    data = str(value).encode() if kind == "image/svg+xml" else b64decode(words)
    return picture_digest(kind, data)


IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")
"""The media types whose metadata exporters read alt text from."""
_CHANGED = (
    "The figure was changed after this picture of it was displayed: the data behind it are not "
    "those of the picture, and were left out."
)
_FROM_DATA = "the figure cannot be drawn on this machine: captioned from its data alone"
_WRITTEN = "The alt text is in the output's metadata: save the notebook to keep it."
_NOT_DISPLAYED = (
    "Not written: no output of this notebook shows it. Display the figure in a cell, and "
    "caption it with -i last --write."
)
_NO_PICTURE = (
    "Not written: that output holds no image for exporters to describe, only what the browser "
    "draws it from. Display it as PNG, and caption it again."
)
_NO_PAGE = (
    "Not written: no JupyterLab with this extension shows the notebook. Save it, and let "
    "claude-magic caption {} --write do it in a shell; that asks anew."
)


def figures(notebook: Notebook, options: QuestionOptions) -> list[ShownFigure]:
    """The figures that a line names. Raises InputError for what is none."""
    return finder(notebook, options).named(several(options.get("images", ())))


def finder(
    notebook: Notebook, options: QuestionOptions, beside: PanelPlace | None = None
) -> Figures:
    """What finds the figures of a notebook."""
    notebook.standing.read()
    prepare = notebook.preparing(options)
    asker = notebook.standing.asker(notebook.session.history, beside)
    return Figures(
        notebook.standing.named(asker),
        notebook.shell.user_ns,
        evaluate=notebook.evaluate,
        render=partial(render_output, prepare=prepare),
        prepare=prepare,
        redraw=partial(_redrawn, notebook),
    )


def _redrawn(notebook: Notebook, drawn: object, kind: str) -> object:
    """A figure as the shell would display it now, in one media type; None where it cannot."""
    formatters: Any = notebook.shell.display_formatter
    try:
        found = formatters.formatters[kind](drawn) if kind in formatters.formatters else None
        found = shown(drawn).get(kind) if found is None else found
    except Exception:  # another library's code: what it cannot draw again is not compared
        return None
    return found[0] if isinstance(found, tuple) else found


def caption_question(
    notebook: Notebook,
    options: QuestionOptions,
    figure: ShownFigure,
    words: str = "",
    *,
    beside: PanelPlace | None = None,
) -> Question:
    """The question about one figure, by the guidance, with the data and the code behind it.

    The user's `words` go along.

    Raises InputError, ImageError where it cannot be asked.
    """
    asked: QuestionOptions = {
        **options,
        "system": CAPTION_SYSTEM,
        "images": () if figure.image is None else (figure.image,),
        "tools": ("none",),
        "json": Caption,
        "alone": True,
    }
    question = notebook.question(
        bare(**asked),
        f"{CAPTION_PROMPT} {words.strip()}".strip(),
        blocks=[
            *figure_along(data=figure.data, source=figure.code),
            *([text(_CHANGED)] if figure.changed else []),
        ],
        beside=beside,
    )
    # What a caption is made from goes along by itself, and is not shown below a cell.
    question = replace(question, notebook=False)
    if figure.changed:
        question = replace(question, notices=(*question.notices, _CHANGED))
    if figure.image is not None:
        return question
    return replace(question, notices=(*question.notices, _FROM_DATA))


def alt_text(reply: Reply) -> str:
    """The short alternative of a reply, in one line."""
    return " ".join(str(reply.value.alt_text).split())


def write(notebook: Notebook, front_end: FrontEnd, figure: ShownFigure, alt: str) -> str:
    """Have the open notebook hold the alt text; what came of it, or what to do instead."""
    if figure.output is None:
        return _NOT_DISPLAYED
    bundle = figure.output.bundle or {}
    kind = next((kind for kind in IMAGES if image_text(bundle.get(kind))), None)
    if kind is None:
        return _NO_PICTURE
    image = image_text(bundle[kind])
    cell = figure.cell
    if cell is not None and front_end.describe(cell, kind=kind, image=image, alt=alt):
        return _WRITTEN
    path = notebook.standing.path
    return _NO_PAGE.format(path.name if path else "NOTEBOOK")


def captioned(
    notebook: Notebook,
    front_end: FrontEnd,
    options: QuestionOptions,
    asked: Sequence[ShownFigure],
    words: str,
) -> tuple[Any, list[str]]:
    """Ask about each figure and show the captions: the value for `-o`, and lines to be said.

    One figure gives its caption, several a list of them.
    """
    found, said = [], []
    for figure in asked:
        question = caption_question(notebook, options, figure, words)
        reply = notebook.ask(question, notebook.display(quiet=options.get("quiet", False)))
        found.append(reply.value)
        if options.get("write"):
            said.append(write(notebook, front_end, figure, alt_text(reply)))
    return (found[0] if len(found) == 1 else found), list(dict.fromkeys(said))
