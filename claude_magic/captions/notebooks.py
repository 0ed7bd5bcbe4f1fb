"""The figures of some notebooks: which lack alt text, what is asked, what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block
from ..messages.errors import ImageError, InputError
from ..messages.image_sources import Link, Picture
from .asking import Answer, Asker, SameTrouble
from .guidance import figure_content
from .limit import Limit
from .notebook_file import Figure, NotebookFile
from .sources import image_key
from .threads import Threads
from .work import plain

if TYPE_CHECKING:
    from ..messages.cancel import Cancel
    from ..messages.client import Client
    from .job import Job
    from .purse import Purse

_HIDDEN = ".ipynb_checkpoints"


@dataclass
class Placed:
    """A figure of a notebook, and what came of it.

    `key` is that of its image, "" where it has none; figures with the same one are asked about
    once. `error` says why there is no answer.
    """

    file: NotebookFile
    figure: Figure
    key: str = ""
    picture: Picture | None = field(default=None, repr=False)
    answer: Answer | None = None
    error: str = ""

    @property
    def name(self) -> str:
        return f"{self.file.path}, {self.figure.name}"

    @property
    def alt(self) -> str:
        """The new alt text, in one line; "" without one."""
        value = self.value.get("alt_text", "")
        return " ".join(str(value).split())

    @property
    def value(self) -> Mapping[str, Any]:
        """The caption's properties; empty without an answer."""
        found = plain(self.answer.value) if self.answer else None
        return found if isinstance(found, Mapping) else {}


class Notebooks:
    """The figures of notebooks, those to ask about apart: with `redo` all but decorative ones.

    Raises InputError for what is no notebook, and where there is none.
    """

    def __init__(self, paths: Iterable[Path], *, redo: bool = False) -> None:
        self.files = [NotebookFile(path) for path in notebook_paths(paths)]
        self.placed = [Placed(file, figure) for file in self.files for figure in file.figures()]
        self.wanted = [p for p in self.placed if _is_wanted(p.figure, redo=redo)]

    def look(self) -> list[Placed]:
        """The figures to ask about, one for each image; the others of an image get its answer.

        One that cannot be read has an error.
        """
        first: dict[str, Placed] = {}
        for placed in self.wanted:
            try:
                placed.key, placed.picture = image_key(placed.figure.source)
            except ImageError as error:
                placed.error = str(error)
            else:
                first.setdefault(placed.key, placed)
        return list(first.values())

    def ask(self, client: Client, job: Job, purse: Purse, limit: Limit) -> None:
        """Ask about each figure that lacks alt text; answers stand in `wanted`, however it ends.

        Raises what concerns all figures, and KeyboardInterrupt.
        """
        asker, trouble, asked = Asker(client, job, purse), SameTrouble(), self.look()

        def work(placed: Placed, cancel: Cancel) -> None:
            try:
                content = question(placed, job)
            except ImageError as error:
                placed.error = str(error)
                return
            with limit.slot(cancel):
                answer = asker.ask(content, cancel)
            if not answer.error and not str(plain(answer.value)["alt_text"]).strip():
                answer = Answer(None, "the reply has no alt text", answer.usage, answer.cost)
            placed.answer, placed.error = answer, answer.error
            trouble.check(answer)

        try:
            Threads(work, 2 * limit.most).run(asked, lambda: None)
        finally:
            self._share({placed.key: placed for placed in asked})

    def write(self) -> int:
        """Write the new alt texts into the files; how many figures have one now.

        A notebook in which one cannot be written is left as it is, and its figures get the error.
        """
        count = 0
        for file in self.files:
            mine = [p for p in self.wanted if p.file is file and p.alt]
            try:
                if mine:
                    file.write(file.with_alts({_place(p): p.alt for p in mine}))
            except InputError as error:
                for placed in mine:
                    placed.error = str(error)
            else:
                count += len(mine)
        return count

    def _share(self, first: Mapping[str, Placed]) -> None:
        """Give each figure the answer about its image; what it cost is said once."""
        for placed in self.wanted:
            asked = first.get(placed.key)
            if asked is None or asked is placed:
                continue
            placed.error = asked.error
            if asked.answer is not None:
                placed.answer = Answer(asked.answer.value, asked.answer.error)


def notebook_paths(paths: Iterable[Path]) -> list[Path]:
    """The notebooks that paths name: files, and all those below a folder.

    Raises InputError where there is none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.ipynb"))
            found += [p for p in inside if _HIDDEN not in p.parts]
        else:
            found.append(path)
    if not found:
        raise InputError("There is no notebook there: name one, or a folder that has some.")
    return list(dict.fromkeys(found))


def question(placed: Placed, job: Job) -> Sequence[Block]:
    """The content of the question about a figure. Raises ImageError."""
    from ..messages.images import prepare

    picture = placed.picture
    source: object = picture
    if isinstance(picture, Link):
        source = {"type": "image", "source": dict(picture.source)}
    figure = placed.figure
    return figure_content(
        prepare(source, long_edge=job.long_edge).block,
        data=figure.data,
        source=figure.code,
        before=figure.before,
        after=figure.after,
        prompt=job.prompt,
    )


def priced(placed: Placed, job: Job) -> tuple[int, float | None]:
    """Tokens of the question about a figure, an estimate, and USD for it and its answer.

    Raises ImageError.
    """
    return job.estimate(job.request(question(placed, job)).body)


def _is_wanted(figure: Figure, *, redo: bool) -> bool:
    if figure.tagged or figure.alt == "":
        return False
    return redo or figure.alt is None


def _place(placed: Placed) -> tuple[int, int]:
    return placed.figure.cell, placed.figure.place


def decorated(file: NotebookFile, numbers: Sequence[tuple[int, int]]) -> str:
    """The file's text with these figures marked as decorative: alt text that is empty.

    Raises InputError for an image in Markdown, where an empty alt text says nothing.
    """
    for figure in file.figures():
        if figure.in_markdown and (figure.cell, figure.place) in numbers:
            raise InputError(
                f"{figure.name} stands in Markdown, which cannot say that it is decorative: "
                'give the cell the tag "decorative".'
            )
    return file.with_alts(dict.fromkeys(numbers, ""))
