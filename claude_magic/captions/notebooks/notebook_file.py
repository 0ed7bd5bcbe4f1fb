"""A notebook's file: its figures, which of them have alt text, and the alt text written into it.

Exporters look in an output's metadata, under the media type of the image: nbconvert's classic
template, nbsphinx and the template that comes with this package read
`{"image/png": {"alt": "..."}}`. An image in Markdown has its alt text there.
"""

from __future__ import annotations

import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from dataclasses import replace as with_fields
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ...files import replacing
from ...messages.errors import InputError
from ...value_classes import frozen
from ..figures import bundle_data
from .html_figures import seen_figures
from .json_edits import Edit, Node, Writer, applied, parse, raw_places
from .markdown_images import MarkdownImage, markdown_images, with_alts
from .notebook_paths import real_path


def read(path: Path) -> bytes:
    """The bytes of a file. Raises InputError, also for what is there and is none."""
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):  # reading a pipe would wait for whoever writes to it
            what = "a folder" if stat.S_ISDIR(kind) else "no file"
            raise InputError(f"{path} cannot be read (it is {what}).")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from None


def replace(path: Path, content: bytes) -> None:
    """Write beside the file, then move it there: a crash leaves the old one or the new one."""
    try:
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None


_MOST_AROUND = 2


class Around:
    """The text of the Markdown cells before and after a cell."""

    def __init__(self, cells: Sequence[Node], number: int) -> None:
        self._cells, self._number = cells, number

    @property
    def before(self) -> str:
        near = self._cells[max(0, self._number - _MOST_AROUND) : self._number]
        return "\n\n".join(_texts(near))

    @property
    def after(self) -> str:
        near = self._cells[self._number + 1 : self._number + 1 + _MOST_AROUND]
        return "\n\n".join(_texts(near))


def _texts(cells: Iterable[Node]) -> Iterator[str]:
    for cell in cells:
        if plain(cell.get("cell_type")) == "markdown":
            yield source_of(cell)


def cells_of(root: Node, path: Path) -> Sequence[Node]:
    if plain(root.get("worksheets")) is not None:
        raise InputError(
            f"{path} is a notebook of an old format: "
            f"jupyter nbconvert --to notebook --inplace {shlex.quote(str(path))}"
        )
    cells = root.get("cells")
    if cells is None or not isinstance(cells.value, list):
        raise InputError(f"{path} is no notebook: it has no cells.")
    return [cell for cell in cells.value if isinstance(cell.value, dict)]


def plain(node: Node | None) -> Any:
    return node.plain() if node is not None else None


def is_object(node: Node | None) -> bool:
    return node is not None and isinstance(node.value, dict)


def strings_of(source: Node | None) -> list[Node]:
    """The JSON strings that a source is written in: one, or one a line."""
    if source is None:
        return []
    items = source.value if isinstance(source.value, list) else [source]
    return [item for item in items if isinstance(item.value, str)]


def source_of(cell: Node) -> str:
    return "".join(string.value for string in strings_of(cell.get("source")))


def edits_in_strings(
    text: str, strings: Sequence[Node], edit: Edit, writer: Writer
) -> Iterator[Edit]:
    """An edit of the joined value of some JSON strings, as edits of the file's text."""
    at, new = 0, edit.new
    for string in strings:
        end = at + len(string.value)
        first, last = max(edit.start, at), min(edit.end, end)
        if at <= edit.start < end or first < last:
            places = raw_places(text, string, [first - at, last - at])
            yield Edit(places[first - at], places[last - at], writer.inside_string(new))
            new = ""
        at = end


# Objects and lists above an output: the notebook, cells, cell, outputs.
_DEPTH = 4


@frozen
class OutputPlace:
    """Where the alt text of an output stands, or will."""

    output: Node
    kinds: tuple[str, ...]

    def alt(self, of_cell: Any) -> str | None:
        """The alt text that exporters find: by media type, of the output, of the cell."""
        places = [self.output.get("metadata", kind, "alt") for kind in self.kinds]
        found = [plain(place) for place in (*places, self.output.get("metadata", "alt"))]
        return next((alt for alt in (*found, of_cell) if isinstance(alt, str)), None)

    def edits(self, writer: Writer, alt: str) -> Iterator[Edit]:
        """The edits that write `alt` for each media type of the image."""
        metadata = self.output.get("metadata")
        if metadata is None or not isinstance(metadata.value, dict):
            about: Any = {kind: {"alt": alt} for kind in self.kinds}
            if metadata is None:
                yield writer.member(self.output, "metadata", about, _DEPTH)
            return
        missing = [kind for kind in self.kinds if not is_object(metadata.get(kind))]
        for kind in self.kinds:
            about = metadata.get(kind)
            if about is None or kind in missing:
                continue
            old = about.get("alt")
            if old is not None:
                yield Edit(old.start, old.end, writer.string(alt))
            else:
                yield writer.member(about, "alt", alt, _DEPTH + 2)
        if missing:
            yield writer.members(metadata, {k: {"alt": alt} for k in missing}, _DEPTH + 1)


DECORATIVE = "decorative"
"""The tag of a cell whose figures say nothing that has to be told."""

_QUARTO = "fig-alt"
_OWN_WORDS = re.compile(r"^#\|[ \t]*fig-alt[ \t]*:", re.MULTILINE)
_ELSEWHERE = re.compile(r"https?://|data:", re.IGNORECASE)
_IMAGES = ("image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif")


@frozen
class NotebookFigure:
    """One figure of a notebook.

    `cell` counts from 1, `place` within it too; `source` is what `images.prepare` takes. `alt` is
    None without alt text, "" for a decorative one. `refused` says why the picture may not be sent,
    if that is so; `what` is a figure that holds no picture to send. `code`, `before`, `after` and
    `data` are what goes along with the question.
    """

    cell: int
    place: int
    source: object = field(repr=False)
    alt: str | None
    in_markdown: bool = False
    tagged: bool = False
    refused: str = ""
    what: str = ""
    code: str = field(default="", repr=False)
    before: str = field(default="", repr=False)
    after: str = field(default="", repr=False)
    data: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """`cell 4, figure 1`; what a user finds it by."""
        return f"cell {self.cell}, {'image' if self.in_markdown else 'figure'} {self.place}"

    @property
    def described(self) -> bool:
        """Whether nothing is missing: it has alt text, or is decorative."""
        return self.alt is not None or self.tagged


class NotebookFile:
    """One `.ipynb` as text, by whatever name. What it shows of files is confined to `root`.

    Raises InputError where it cannot be read or is no notebook.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self.path = path
        self._root_folder = root
        self._real = real_path(path)  # what a link leads to is read and replaced, not the link
        try:
            self._bytes = read(self._real)
        except InputError as error:
            raise InputError(str(error).replace(str(self._real), str(path), 1)) from None
        try:
            self.text = self._bytes.decode()
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8: save it again in Jupyter.") from None
        if not self.text.strip():
            raise InputError(f"{path} is empty: restore the file, or save it again.")
        try:
            self._root = parse(self.text)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        self._cells = cells_of(self._root, path)

    def figures(self) -> list[NotebookFigure]:
        """All figures, from the top of the notebook to its end."""
        return [figure for number in range(len(self._cells)) for figure, _ in self._of(number)]

    def with_alts(self, alts: Mapping[tuple[int, int], str]) -> str:
        """The text with alt texts for figures, named by cell and place; all else as it was.

        Raises InputError for a figure that the notebook does not have, or that cannot be written.
        """
        edits: list[Edit] = []
        left = dict(alts)
        for number in range(len(self._cells)):
            wanted = [
                (place, left.pop((figure.cell, figure.place)))
                for figure, place in self._of(number)
                if (figure.cell, figure.place) in left
            ]
            edits += self._edits(number, wanted)
        if left:
            cell, place = next(iter(left))
            raise InputError(f"{self.path.name} has no figure {place} in cell {cell}.")
        return applied(self.text, edits)

    def write(self, text: str) -> None:
        """Put `text` in the file's place, at once or not at all, unless it changed meanwhile.

        Raises InputError.
        """
        if read(self._real) != self._bytes:
            raise InputError(f"{self.path.name} was saved meanwhile: run this again.")
        replace(self._real, text.encode())

    def _of(self, number: int) -> Iterator[tuple[NotebookFigure, OutputPlace | MarkdownImage]]:
        """The figures of one cell, with where their alt text is written."""
        cell = self._cells[number]
        tags = plain(cell.get("metadata", "tags"))
        tagged = DECORATIVE in tags if isinstance(tags, list) else False
        around = Around(self._cells, number)
        if plain(cell.get("cell_type")) == "markdown":
            yield from self._markdown(cell, number, around, tagged=tagged)
        elif plain(cell.get("cell_type")) == "code":
            yield from self._outputs(cell, number, around, tagged=tagged)

    def _outputs(
        self, cell: Node, number: int, around: Around, *, tagged: bool
    ) -> Iterator[tuple[NotebookFigure, OutputPlace]]:
        place = 0
        outputs = cell.get("outputs")
        for output in outputs.value if outputs and isinstance(outputs.value, list) else ():
            data = output.get("data")
            if data is None or not isinstance(data.value, dict):
                continue
            kinds = [kind for kind in _IMAGES if kind in data.value]
            if not kinds:
                for figure, at in self._unpictured(cell, output, number):
                    place += 1
                    yield with_fields(figure, place=place, tagged=tagged), at
                continue
            place += 1
            bundle = data.plain()
            found = OutputPlace(output, tuple(kinds))
            figure = NotebookFigure(
                number + 1,
                place,
                {kind: bundle[kind] for kind in kinds},
                found.alt(plain(cell.get("metadata", "alt"))),
                tagged=tagged,
                code=source_of(cell),
                before=around.before,
                after=around.after,
                data=bundle_data(bundle),
            )
            yield figure, found

    def _unpictured(
        self, cell: Node, output: Node, number: int
    ) -> Iterator[tuple[NotebookFigure, OutputPlace]]:
        """What a reader sees of an output that holds no picture."""
        data = output.get("data")
        kind, seen = seen_figures(data.plain() if data is not None else {})
        at = OutputPlace(output, (kind,))
        said = at.alt(plain(cell.get("metadata", "alt")))
        for one in seen:
            alt = said if said is not None else one.alt
            yield NotebookFigure(number + 1, 0, None, alt, what=one.what), at

    def _markdown(
        self, cell: Node, number: int, around: Around, *, tagged: bool
    ) -> Iterator[tuple[NotebookFigure, MarkdownImage]]:
        source = source_of(cell)
        attachments = plain(cell.get("attachments"))
        for place, image in enumerate(markdown_images(source), 1):
            picture, refused = self._picture(image.url, attachments)
            figure = NotebookFigure(
                number + 1,
                place,
                picture,
                image.alt,
                refused=refused,
                in_markdown=True,
                tagged=tagged,
                before=source[: image.start].strip() or around.before,
                after=source[image.end :].strip() or around.after,
            )
            yield figure, image

    def _picture(self, url: str, attachments: Any) -> tuple[object, str]:
        """What `images.prepare` takes for the address of an image, and why it is not to be sent."""
        if url.startswith("attachment:"):
            bundle = attachments.get(unquote(url[11:])) if isinstance(attachments, dict) else None
            held = bundle if isinstance(bundle, dict) else {}
            return {kind: held[kind] for kind in _IMAGES if kind in held}, ""
        if _ELSEWHERE.match(url):
            return url, ""
        path = self.path.parent / _local(url)
        if "\0" in str(path):
            return path, ""
        real = real_path(path)
        root = self._root_folder
        if root is None or real.is_relative_to(root):
            return real, ""
        return None, f"{url!r} leads outside of {root}: --allow-outside has it sent"

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.text, self._root)

    def _edits(
        self, number: int, wanted: Sequence[tuple[OutputPlace | MarkdownImage, str]]
    ) -> Iterator[Edit]:
        images = [(p, alt) for p, alt in wanted if isinstance(p, MarkdownImage)]
        outputs = [(p, alt) for p, alt in wanted if isinstance(p, OutputPlace)]
        for place, alt in outputs:
            yield from place.edits(self._writer, alt)
        if outputs:
            new = {id(place.output): alt for place, alt in outputs}
            yield from self._for_quarto(self._cells[number], new)
        if images:
            yield from self._markdown_edits(number, images)

    def _for_quarto(self, cell: Node, new: Mapping[int, str]) -> Iterator[Edit]:
        """The alt texts of all outputs as a list in the cell's metadata: Quarto reads no others.

        `new` are those that are written now, by output. What the user wrote for it stays.
        """
        metadata, outputs = cell.get("metadata"), cell.get("outputs")
        if _OWN_WORDS.search(source_of(cell)) or metadata is None or not is_object(metadata):
            return
        before = metadata.get(_QUARTO)
        if before is not None and not isinstance(before.value, list):
            return
        alts = [
            new.get(id(output), OutputPlace(output, _IMAGES).alt(None) or "")
            for output in (outputs.value if outputs is not None else ())
        ]
        if before is None:
            yield self._writer.member(metadata, _QUARTO, alts, _DEPTH - 1)
        elif before.plain() != alts:
            yield Edit(before.start, before.end, self._writer.strings(alts, _DEPTH))

    def _markdown_edits(
        self, number: int, images: Sequence[tuple[MarkdownImage, str]]
    ) -> Iterator[Edit]:
        source = source_of(self._cells[number])
        edits = with_alts(source, images)
        if edits is None:
            raise InputError(
                f"{self.path.name}, cell {number + 1}: the Markdown around the image would read "
                "otherwise with this alt text; write it by hand."
            )
        strings = strings_of(self._cells[number].get("source"))
        for edit in edits:
            yield from edits_in_strings(self.text, strings, edit, self._writer)


def _local(url: str) -> str:
    """The path that the address of an image in Markdown stands for."""
    if url[:5].lower() != "file:":
        return unquote(url.partition("?")[0].partition("#")[0])
    parts = urlsplit(url)
    there = "" if parts.netloc.lower() in ("", "localhost") else f"//{parts.netloc}"
    return there + url2pathname(parts.path)
