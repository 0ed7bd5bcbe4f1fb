"""Where the rows of a job come from: folders, patterns, lists, and the columns of a table."""

from __future__ import annotations

import base64
import glob
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from ...conversation.asking.plan import about
from ...conversation.asking.shape import shape_of
from ...messages.blocks import Block, document_base64, text
from ...messages.errors import InputError
from ...messages.images.prepare import LONG_EDGE, prepare
from ...messages.images.sniff import media_type
from ...messages.images.sources import (
    ImageLink,
    PictureSource,
    images_within,
    picture,
    url_link,
)
from ...messages.models import lookup
from ...messages.request import Options
from ...value_classes import frozen
from ..image_question import Job
from ..job import Access

_URL = re.compile(r"https?://|data:", re.IGNORECASE)


@frozen
class ImageRow:
    """One image: `label` is what the table calls it, `source` what `images.prepare` takes."""

    index: int
    label: str
    source: object = field(repr=False)


@frozen
class ImageRows:
    """The rows of a job. `count` is None where it is not known before the end.

    `skipped` is a line on what of a folder is no image, "" where there is nothing to say.
    """

    rows: Iterable[ImageRow]
    count: int | None
    names: Any = None
    """The index of a pandas column."""
    polars: bool = False
    again: Callable[[], Iterator[ImageRow]] | None = None
    """Gives the rows from the start once more, where they can be had twice."""
    skipped: str = ""

    def __iter__(self) -> Iterator[ImageRow]:
        return iter(self.rows)


def rows_of(images: object) -> ImageRows:
    """The rows that `images` stands for; what is read of an image is read when its turn comes.

    A folder (with all below it), a pattern, a path, an address, image bytes, a picture or figure;
    a list, a generator or a pandas or polars column of them.

    Raises InputError where there is nothing in it.
    """
    if isinstance(images, str | Path):
        found, skipped = _named(images)
        once_more = partial(_labelled, found)
        return ImageRows(_labelled(found), len(found), again=once_more, skipped=skipped)
    if _is_one(images):
        return ImageRows(_labelled([images]), 1, again=partial(_labelled, [images]))
    kind = type(images).__module__.partition(".")[0]
    if type(images).__name__ == "DataFrame" or (kind == "polars" and hasattr(images, "collect")):
        raise InputError('A whole table has no images: give one column, as in df["path"].')
    if not isinstance(images, Iterable):
        kind = type(images).__name__
        raise InputError(f"{kind} holds no images: give a folder, a pattern, a list or a column.")
    count = len(images) if isinstance(images, Sized) else None
    if count == 0:
        raise InputError("There are no images in it.")
    names = getattr(images, "index", None) if kind == "pandas" else None
    again = partial(_labelled, images) if count is not None else None
    return ImageRows(_labelled(images), count, names, polars=kind == "polars", again=again)


def image_key(source: object) -> tuple[str, PictureSource]:
    """A digest of the image itself, SHA-256 in hex, and the picture, which is not looked at yet.

    The same image in two files has the same key. An image that the server fetches is its address.
    Raises ImageError for what is no image.
    """
    found = picture(source)
    if isinstance(found, bytes):
        return hashlib.sha256(found).hexdigest(), found
    if isinstance(found, ImageLink):
        return hashlib.sha256(b"link " + found.name.encode(errors="replace")).hexdigest(), found
    from ...messages.images.depth import Shown
    from ...messages.images.pixels import fingerprint
    from ...messages.images.structure import check_size

    check_size(*found.size)
    return fingerprint(found if isinstance(found, Shown) else Shown(found)), found


def _named(name: str | Path) -> tuple[Sequence[object], str]:
    """The files that a folder or a pattern stands for, sorted; one path or address as it is.

    And a line on what of a folder is skipped.
    """
    text = str(name)
    if isinstance(name, str) and (_URL.match(text) or text.lstrip().startswith("<")):
        return [name], ""
    path = Path(text).expanduser()
    if path.is_dir():
        found = images_within(path, below=True)
        skipped = f"{text}: {found.skipped}" if found.skipped else ""
        if not found.files:
            said = f" ({found.skipped})" if found.skipped else ""
            raise InputError(f"{text} has no images in it{said}: give another, or a pattern.")
        return found.files, skipped
    if not path.exists() and glob.has_magic(text):
        # Not pathlib's: the pattern may be absolute, and begin with what is none.
        matches = sorted(Path(p) for p in glob.iglob(str(path), recursive=True))  # noqa: PTH207
        files: list[object] = [p for p in matches if p.is_file()]
        if not files:
            raise InputError(f"No file fits {text}.")
        return files, ""
    if not path.exists():
        raise InputError(f"{text} is not there: give a folder, a pattern, a file or an address.")
    return [path], ""


def _is_one(thing: object) -> bool:
    """Whether this is one image, though Python could go through its parts."""
    if isinstance(thing, bytes | bytearray | memoryview | dict):
        return True
    kinds = {cls.__module__.partition(".")[0] for cls in type(thing).__mro__}
    if "numpy" in kinds:
        return getattr(thing, "dtype", None) is not None and thing.dtype.kind not in "OUS"  # type: ignore[attr-defined]
    return bool(kinds & {"PIL", "matplotlib", "plotly", "altair", "seaborn"}) and not isinstance(
        thing, list | tuple
    )


def _labelled(things: Iterable[object]) -> Iterator[ImageRow]:
    for index, thing in enumerate(things):
        # A picture written out in the text is no name for it.
        named = isinstance(thing, str | Path) and not re.match(r"(?i)\s*<|data:", str(thing))
        label = str(thing) if named else f"#{index + 1}"
        yield ImageRow(index, label, None if _is_missing(thing) else thing)


def _is_missing(thing: object) -> bool:
    """None, NaN and pandas' NA, which columns hold where there is no image."""
    if thing is None or type(thing).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(thing, float) and math.isnan(thing)


_IMAGE_URL = re.compile(
    r"https?://[^\s?#]+\.(?:png|jpe?g|gif|webp)(?:[?#]\S*)?", re.IGNORECASE | re.ASCII
)


@frozen
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
    if isinstance(part, bytes) and media_type(part) == "application/pdf":
        yield document_base64("application/pdf", base64.b64encode(part).decode("ascii"))
        return
    yield from prepare(part, long_edge=job.long_edge).blocks
