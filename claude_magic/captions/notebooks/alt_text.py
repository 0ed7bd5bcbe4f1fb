"""The figures of some notebooks: which lack alt text, what is asked, what is written and told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block
from ...messages.errors import ImageError, InputError
from ...messages.images.sources import ImageLink, PictureSource
from ...messages.plain_text import count
from ...rendering import plain as visible
from ..datasets.rows import image_key
from ..datasets.work import plain
from ..image_question import ImageAnswer, ImageAsker, SameTrouble
from ..job import figure_content
from ..limits import Limit, Threads
from .notebook_file import NotebookFigure, NotebookFile
from .notebook_paths import Unread, notebook_paths

if TYPE_CHECKING:
    from ...messages.transport.cancel import Cancel
    from ...messages.transport.client import Client
    from ..image_question import Job, JobBudget


@dataclass
class PlacedFigure:
    """A figure of a notebook, and what came of it.

    `key` is that of its image, "" where it has none; figures with the same one are asked about
    once. `error` says why there is no answer.
    """

    file: NotebookFile
    figure: NotebookFigure
    key: str = ""
    picture: PictureSource | None = field(default=None, repr=False)
    answer: ImageAnswer | None = None
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

    `unread` are those that cannot be read. Raises InputError where there is no notebook.
    """

    def __init__(self, paths: Iterable[Path], *, redo: bool = False) -> None:
        self.files: list[NotebookFile] = []
        self.unread: list[Unread] = []
        for path in notebook_paths(paths):
            if isinstance(path, Unread):
                self.unread.append(path)
                continue
            try:
                self.files.append(NotebookFile(path))
            except InputError as error:
                self.unread.append(Unread.of(path, error))
        self.placed = [PlacedFigure(file, figure) for file in self.files for figure in file.figures()]
        self.wanted = [p for p in self.placed if _is_wanted(p.figure, redo=redo)]

    def look(self) -> list[PlacedFigure]:
        """The figures to ask about, one for each image; the others of an image get its answer.

        One that cannot be read has an error.
        """
        first: dict[str, PlacedFigure] = {}
        for placed in self.wanted:
            try:
                placed.key, placed.picture = image_key(placed.figure.source)
            except ImageError as error:
                placed.error = str(error)
            else:
                first.setdefault(placed.key, placed)
        return list(first.values())

    def ask(self, client: Client, job: Job, purse: JobBudget, limit: Limit) -> None:
        """Ask about each figure that lacks alt text; answers stand in `wanted`, however it ends.

        Raises what concerns all figures, and KeyboardInterrupt.
        """
        asker, trouble, asked = ImageAsker(client, job, purse), SameTrouble(), self.look()

        def work(placed: PlacedFigure, cancel: Cancel) -> None:
            try:
                content = question(placed, job)
            except ImageError as error:
                placed.error = str(error)
                return
            with limit.slot(cancel):
                answer = asker.ask(content, cancel)
            if not answer.error and not str(plain(answer.value)["alt_text"]).strip():
                answer = ImageAnswer(None, "the reply has no alt text", answer.usage, answer.cost)
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

    def _share(self, first: Mapping[str, PlacedFigure]) -> None:
        """Give each figure the answer about its image; what it cost is said once."""
        for placed in self.wanted:
            asked = first.get(placed.key)
            if asked is None or asked is placed:
                continue
            placed.error = asked.error
            if asked.answer is not None:
                placed.answer = ImageAnswer(asked.answer.value, asked.answer.error)


def question(placed: PlacedFigure, job: Job) -> Sequence[Block]:
    """The content of the question about a figure. Raises ImageError."""
    from ...messages.images.prepare import prepare

    picture = placed.picture
    source: object = picture
    if isinstance(picture, ImageLink):
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


def priced(placed: PlacedFigure, job: Job) -> tuple[int, float | None]:
    """Tokens of the question about a figure, an estimate, and USD for it and its answer.

    Raises ImageError.
    """
    return job.estimate(job.request(question(placed, job)).body)


def _is_wanted(figure: NotebookFigure, *, redo: bool) -> bool:
    if figure.tagged or figure.alt == "":
        return False
    return redo or figure.alt is None


def _place(placed: PlacedFigure) -> tuple[int, int]:
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


_COLUMNS = (
    "notebook", "cell", "figure", "kind", "alt_text", "description", "x_axis", "y_axis", "trend",
    "confidence", "warnings", "cost", "error",
)  # fmt: skip


def missing(notebooks: Notebooks) -> str:
    """A line for each figure without alt text, and how many there are of how many.

    A line for each notebook that cannot be read.
    """
    lines = [f"{placed.name}: no alt text" for placed in notebooks.wanted]
    total = f"{len(lines)} of {count(len(notebooks.placed), 'figure')} without alt text"
    if notebooks.unread:
        total += f", {count(len(notebooks.unread), 'notebook')} not read"
    return "\n".join([*lines, *map(str, notebooks.unread), total])


def as_markdown(placed: Sequence[PlacedFigure], unread: Sequence[Unread] = ()) -> str:
    """A section for each notebook, and one within it for each figure."""
    return "\n".join(_sections(placed, unread))


def as_json(placed: Sequence[PlacedFigure], unread: Sequence[Unread] = ()) -> str:
    """A list of objects, one a figure, and one for each notebook that cannot be read."""
    return json.dumps(_rows(placed, unread), ensure_ascii=False, indent=1)


def as_csv(placed: Sequence[PlacedFigure], unread: Sequence[Unread] = ()) -> str:
    """A row a figure, and one for each notebook that cannot be read; lists as JSON."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(placed, unread):
        writer.writerow(
            {
                k: json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v
                for k, v in row.items()
            }
        )
    return out.getvalue().rstrip("\n")


FORMATS: Mapping[str, Callable[[Sequence[PlacedFigure], Sequence[Unread]], str]] = {
    "md": as_markdown,
    "json": as_json,
    "csv": as_csv,
}


def _sections(placed: Sequence[PlacedFigure], unread: Sequence[Unread]) -> Iterator[str]:
    last = None
    for p in placed:
        if p.file is not last:
            yield f"# {p.file.path}\n"
            last = p.file
        kind = p.value.get("kind")
        yield f"## {p.figure.name.capitalize()}{f': {kind}' if kind else ''}\n"
        if p.error:
            yield visible(f"Not captioned: {p.error}\n")
            continue
        yield visible(f"**{p.alt}**\n")
        yield visible(f"{p.value.get('description', '')}\n")
        if warnings := p.value.get("warnings"):
            yield visible("\n".join(f"- {warning}" for warning in warnings) + "\n")
    for one in unread:
        yield visible(f"# {one.path}\n\nNot read: {one.why}\n")


def _rows(placed: Sequence[PlacedFigure], unread: Sequence[Unread]) -> list[dict[str, Any]]:
    nothing = dict.fromkeys(_COLUMNS)
    bad = [{**nothing, "notebook": str(u.path), "error": f"not read: {u.why}"} for u in unread]
    return [*map(_row, placed), *bad]


def _row(placed: PlacedFigure) -> dict[str, Any]:
    value, answer = placed.value, placed.answer
    return {
        "notebook": str(placed.file.path),
        "cell": placed.figure.cell,
        "figure": placed.figure.place,
        **{name: value.get(name) for name in _COLUMNS[3:11]},
        "alt_text": placed.alt or None,
        "cost": answer.cost if answer else None,
        "error": placed.error or None,
    }
