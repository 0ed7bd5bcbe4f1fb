"""The figures of some notebooks: which lack alt text, what is asked, what is written and told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ...messages.blocks import Block
from ...messages.errors import ImageError, InputError
from ...messages.images.sources import ImageLink, PictureSource
from ...messages.plain_text import count
from ...rendering import plain as visible
from ..datasets.rows import image_key
from ..datasets.work import plain
from ..image_question import ImageAnswer
from ..job import figure_content
from .notebook_file import NotebookFigure, NotebookFile
from .notebook_paths import Unread, notebook_paths

if TYPE_CHECKING:
    from ..image_question import Job
    from .caption_journal import Journal


@dataclass
class PlacedFigure:
    """A figure of a notebook, and what came of it.

    `key` is that of its image, "" where it has none; figures with the same one are asked about
    once. `error` says why there is no answer.
    """

    path: Path
    figure: NotebookFigure
    key: str = ""
    picture: PictureSource | None = field(default=None, repr=False)
    answer: ImageAnswer | None = None
    error: str = ""

    @property
    def name(self) -> str:
        return f"{self.path}, {self.figure.name}"

    def look(self) -> None:
        """Find the key of its image, and the picture. Raises ImageError."""
        if self.figure.refused:
            raise ImageError(self.figure.refused)
        self.key, self.picture = image_key(self.figure.source)

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


class OpenNotebook:
    """A notebook as it was read, with its figures, those to ask about apart."""

    def __init__(self, file: NotebookFile, *, redo: bool) -> None:
        self.path = file.path
        self._file: NotebookFile | None = file
        self.placed = [PlacedFigure(file.path, figure) for figure in file.figures()]
        wanted = [p for p in self.placed if _is_wanted(p.figure, redo=redo)]
        self.wanted = [p for p in wanted if not p.figure.what]
        self.unpictured = [p for p in wanted if p.figure.what]

    def write(self, described: Sequence[PlacedFigure]) -> None:
        """Write the new alt texts of these figures into the file. Raises InputError."""
        if self._file is not None:
            alts = {(p.figure.cell, p.figure.place): p.alt for p in described}
            self._file.write(self._file.with_alts(alts))

    def release(self) -> None:
        """Forget the file's text and the pictures: of a folder of notebooks few are in memory."""
        self._file = None
        for placed in self.placed:
            placed.picture = None
            placed.figure = replace(
                placed.figure, source=None, code="", before="", after="", data=""
            )


class Notebooks:
    """The figures of notebooks, those to ask about apart: with `redo` all but decorative ones.

    `placed`, `wanted`, `unpictured` (figures without alt text that hold no picture to ask about)
    and `unread` (what cannot be read) are those met so far. With `outside` a notebook may be, and
    show, what is outside of the folder that was named. Raises InputError where
    there is no notebook.
    """

    def __init__(self, paths: Iterable[Path], *, redo: bool = False, outside: bool = False) -> None:
        self.placed: list[PlacedFigure] = []
        self.wanted: list[PlacedFigure] = []
        self.unpictured: list[PlacedFigure] = []
        self.unread: list[Unread] = []
        self._places = notebook_paths(paths, outside=outside)
        self._redo = redo

    def each(self) -> Iterator[OpenNotebook]:
        """The notebooks, each read when its turn comes. Those of them that can be."""
        for place in self._places:
            if isinstance(place, Unread):
                self.unread.append(place)
                continue
            try:
                opened = OpenNotebook(NotebookFile(place.path, place.root), redo=self._redo)
            except InputError as error:
                self.unread.append(Unread.of(place.path, error))
                continue
            self.placed += opened.placed
            self.wanted += opened.wanted
            self.unpictured += opened.unpictured
            yield opened

    def read(self) -> Self:
        """All of them, without their pictures."""
        for opened in self.each():
            opened.release()
        return self


def question(placed: PlacedFigure, job: Job) -> Sequence[Block]:
    """The content of the question about a figure. Raises ImageError."""
    from ...messages.images.prepare import prepare

    picture = placed.picture
    source: object = picture
    if isinstance(picture, ImageLink):
        source = {"type": "image", "source": dict(picture.source)}
    figure = placed.figure
    return figure_content(
        prepare(source, long_edge=job.long_edge).blocks,
        data=figure.data,
        source=figure.code,
        before=figure.before,
        after=figure.after,
        prompt=job.prompt,
    )


def estimates(
    notebooks: Notebooks, job: Job, journal: Journal
) -> Iterator[tuple[PlacedFigure, int, float | None]]:
    """The figures to ask about, one for each image that the journal does not have.

    With each the tokens of the question, an estimate, and USD for it and its answer. One that
    cannot be read has an error.
    """
    seen: set[str] = set()
    for opened in notebooks.each():
        for placed in opened.wanted:
            try:
                placed.look()
                if placed.key not in seen and journal.get(placed.key) is None:
                    yield (placed, *job.estimate(job.request(question(placed, job)).body))
            except ImageError as error:
                placed.error = str(error)
            seen.add(placed.key)
        opened.release()


def _is_wanted(figure: NotebookFigure, *, redo: bool) -> bool:
    if figure.tagged or figure.alt == "":
        return False
    return redo or figure.alt is None


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
    without = {id(placed) for placed in (*notebooks.wanted, *notebooks.unpictured)}
    lines = [
        f"{placed.name}{f' ({placed.figure.what})' if placed.figure.what else ''}: no alt text"
        for placed in notebooks.placed
        if id(placed) in without
    ]
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
        if p.path != last:
            yield f"# {p.path}\n"
            last = p.path
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
        "notebook": str(placed.path),
        "cell": placed.figure.cell,
        "figure": placed.figure.place,
        **{name: value.get(name) for name in _COLUMNS[3:11]},
        "alt_text": placed.alt or None,
        "cost": answer.cost if answer else None,
        "error": placed.error or None,
    }
