"""`%claude_caption`: the question about a figure, and where its alt text is written.

A caption is asked for outside of the conversation: it neither needs it nor belongs to it. It is on
record like every reply, so that running the notebook again pays nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..captions.caption import Caption
from ..captions.guidance import CAPTION_PROMPT, CAPTION_SYSTEM, figure_along
from .figures import Figure, Figures, image_text
from .options import QuestionOptions, bare, several
from .question_builder import render_output

if TYPE_CHECKING:
    from ..conversation.asking.question import Question
    from ..conversation.reply_value import Reply
    from .front_end import FrontEnd
    from .notebook import Notebook
    from .standing import Beside

IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")
"""The media types whose metadata exporters read alt text from."""
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


def figures(notebook: Notebook, options: QuestionOptions) -> list[Figure]:
    """The figures that a line names. Raises InputError for what is none."""
    return finder(notebook, options).named(several(options.get("images", ())))


def finder(notebook: Notebook, options: QuestionOptions, beside: Beside | None = None) -> Figures:
    """What finds the figures of a notebook."""
    notebook.standing.read()
    runs, prepare = notebook.standing.runs(), notebook.preparing(options)
    asker = notebook.standing.asker(notebook.session.history, beside)
    return Figures(
        runs,
        notebook.standing.named(runs, asker),
        notebook.shell.user_ns,
        evaluate=notebook.evaluate,
        render=partial(render_output, prepare=prepare),
        prepare=prepare,
    )


def caption_question(
    notebook: Notebook,
    options: QuestionOptions,
    figure: Figure,
    words: str = "",
    *,
    beside: Beside | None = None,
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
        blocks=figure_along(data=figure.data, source=figure.code),
        beside=beside,
    )
    if figure.image is not None:
        return question
    return replace(question, notices=(*question.notices, _FROM_DATA))


def alt_text(reply: Reply) -> str:
    """The short alternative of a reply, in one line."""
    return " ".join(str(reply.value.alt_text).split())


def write(notebook: Notebook, front_end: FrontEnd, figure: Figure, alt: str) -> str:
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
    asked: Sequence[Figure],
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
