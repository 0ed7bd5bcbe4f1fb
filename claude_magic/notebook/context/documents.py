"""What goes along as a document (`-f`): files, addresses, tables and texts of the notebook."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block, document_base64, document_text, document_url
from ...messages.errors import ImageError, InputError
from ...value_classes import frozen
from .named_values import Evaluate, is_address, is_file, no_name, value_of
from .table_files import table_format, tables_in

if TYPE_CHECKING:
    from ...messages.images.prepare import Prepared

MOST_BYTES = 24_000_000
"""The largest file that goes along: as base64 this fills the API's 32 MB request."""
MOST_TABLE = 200_000
"""The longest table in characters: about 75,000 tokens."""
_LONGEST_TITLE = 200
_ROWS_AT_ONCE = 1_000


@frozen
class Made:
    """A document or image block, what is said of it to the model, and to the user.

    `note` is a line about what was left out or changed.
    """

    block: Block
    note: str | None = None
    said: tuple[Block, ...] = ()


def made_of(
    value: object, title: str | None, said: str, prepare: Callable[[object], Prepared]
) -> list[Made]:
    """`value` as a document, or as an image where it is the bytes of one; none of other objects.

    The bytes of a file of several sheets are several documents. `said` is how the user named it,
    for errors. A long table is cut after a row.

    Raises InputError for what is empty, too large or not to be read, ImageError for an image.
    """
    if isinstance(value, str):
        return [Made(_text(value, title, said))]
    if isinstance(value, bytes | bytearray | memoryview):
        return made_of_bytes(bytes(value), title, said, prepare)
    table = _table(value)
    return [_csv(table, title or type(value).__name__, said)] if table is not None else []


def _text(value: str, title: str | None, said: str) -> Block:
    if not value.strip():
        raise InputError(f"{said}: it is empty; give one that holds something.")
    if len(value) > MOST_BYTES:
        raise _too_large(said)
    return document_text(value, title and title[:_LONGEST_TITLE])


def made_of_bytes(
    data: bytes, title: str | None, said: str, prepare: Callable[[object], Prepared]
) -> list[Made]:
    """The bytes of a file of tables as CSV, a document a sheet; of any other file as one.

    Raises as `made_of` does.
    """
    if len(data) > MOST_BYTES:
        raise _too_large(said)
    found = table_format(data)
    if found is None:
        return [_whole(data, title, said, prepare)]
    made = []
    for sheet, value in tables_in(data, found, said).items():
        table = _table(value)
        named = f"{title or found.name}, sheet {sheet}" if sheet else title or found.name
        if table is not None and (table.rows or not sheet):  # sheets are often empty
            made.append(_csv(table, named, said))
    if not made:
        raise InputError(f"{said}: no sheet of it has rows; give one that has some.")
    return made


def _whole(
    data: bytes, title: str | None, said: str, prepare: Callable[[object], Prepared]
) -> Made:
    """The bytes of a PDF or of UTF-8 text as a document, those of an image as an image.

    Raises as `made_of` does.
    """
    from ...messages.images.sniff import media_type

    kind = media_type(data)
    if kind == "application/pdf":
        encoded = base64.b64encode(data).decode("ascii")
        return Made(document_base64(kind, encoded, title and title[:_LONGEST_TITLE]))
    if kind is not None and kind.startswith("image/") and kind != "image/svg+xml":
        try:
            prepared = prepare(data)
        except ImageError as error:
            raise ImageError(f"{said}: {error}") from None
        return Made(prepared.block, prepared.note, prepared.blocks[1:])
    try:
        return Made(_text(data.decode("utf-8-sig"), title, said))
    except UnicodeDecodeError:
        pass
    try:
        prepared = prepare(data)  # of an image that only its decoder knows
    except ImageError:
        raise InputError(
            f"{said}: neither UTF-8 text, PDF, image nor table; convert it, or send its text by "
            "{{ }}."
        ) from None
    return Made(prepared.block, prepared.note, prepared.blocks[1:])


def _too_large(said: str) -> InputError:
    return InputError(f"{said}: over {MOST_BYTES // 1_000_000} MB; send a part of it.")


@frozen
class _Table:
    """A table of `rows` rows; `csv(start, stop)` writes some of them, the first with a header."""

    rows: int
    csv: Callable[[int, int], str]


def _table(value: Any) -> _Table | None:
    """A table or series of pandas or polars, or an array of one or two axes; they are loaded."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas and isinstance(value, pandas.DataFrame | pandas.Series):
        frame = value.to_frame() if isinstance(value, pandas.Series) else value
        plain = frame.index.name is None and frame.index.equals(pandas.RangeIndex(len(frame)))
        return _Table(
            len(frame),
            lambda start, stop: str(
                frame.iloc[start:stop].to_csv(header=start == 0, index=not plain)
            ),
        )
    if type(value).__module__.partition(".")[0] == "polars" and hasattr(value, "slice"):
        frame = value.to_frame() if hasattr(value, "to_frame") else value
        if hasattr(frame, "write_csv"):
            return _Table(
                len(frame),
                lambda start, stop: str(
                    frame.slice(start, stop - start).write_csv(include_header=start == 0)
                ),
            )
    if numpy and isinstance(value, numpy.ndarray) and value.ndim in (1, 2):
        return _Table(len(value), lambda start, stop: _array_csv(value[start:stop]))
    return None


def _array_csv(rows: Any) -> str:
    import csv
    from io import StringIO

    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(row if isinstance(row, list) else [row] for row in rows.tolist())
    return out.getvalue()


def _csv(table: _Table, title: str, said: str) -> Made:
    """As many rows as fit into MOST_TABLE characters."""
    if not table.rows:
        raise InputError(f"{said}: the table has no rows; give one that holds some.")
    pieces = list(_fitting(table))
    if not pieces:
        raise InputError(f"{said}: one row of it is over {MOST_TABLE:,} characters; drop columns.")
    kept = pieces[-1][0]
    note = f"{title}: the first {kept:,} of {table.rows:,} rows go along"
    block = _text("".join(text for _, text in pieces), title, said)
    return Made(block, note if kept < table.rows else None)


def _fitting(table: _Table) -> Iterator[tuple[int, str]]:
    """Pieces of the table, each with the number of rows so far, until no further row fits."""
    room, start, count = MOST_TABLE, 0, _ROWS_AT_ONCE
    while start < table.rows and count:
        stop = min(start + count, table.rows)
        piece = table.csv(start, stop)
        if len(piece) > room:
            count //= 2
            continue
        yield stop, piece
        room -= len(piece)
        start = stop


_HINT = "Give the path of a text, PDF, table or image file, an address, or a variable."
_KINDS = "Give a table, a text, the bytes of a PDF, or the path of a file."


@frozen
class Given:
    """An object that was given itself, not by its name; `title` is what to call it."""

    value: object
    title: str | None = None


def given_files(given: Any) -> list[str | Given]:
    """What to send as documents: a text is a path, an address or a name, but in a dict itself."""
    if isinstance(given, Mapping):
        return [Given(value, str(title)) for title, value in given.items()]
    several = given if isinstance(given, list | tuple) else (given,)
    return [item if isinstance(item, str) else Given(item) for item in several]


def file_blocks(
    choices: Sequence[str | Given],
    prepare: Callable[[object], Prepared],
    evaluate: Evaluate | None,
) -> tuple[list[Block], list[str]]:
    """Each choice as a document, or as an image where it is one. Notices.

    A choice that is a text is an address (of a PDF, which the server fetches), the path of a file,
    or else an expression, whose value `evaluate` gives: a table, a text, bytes, a path, a list of
    these; without `evaluate` it is none. Raises InputError, ImageError for what cannot be read, is
    too large or is no document.
    """
    made = [item for choice in choices for item in _chosen(choice, prepare, evaluate or no_name)]
    blocks = [block for item in made for block in (item.block, *item.said)]
    return blocks, [item.note for item in made if item.note]


def _chosen(
    choice: str | Given,
    prepare: Callable[[object], Prepared],
    evaluate: Evaluate,
) -> Iterator[Made]:
    if isinstance(choice, Given):
        named = choice.title or type(choice.value).__name__
        yield from _objects(choice.value, choice.title, f"files, {named}", prepare)
    elif is_address(choice):
        yield Made(document_url(choice))
    elif is_file(choice):
        yield from _file(Path(choice), f"-f {choice}", prepare)
    else:
        said = f"-f {choice}"
        value = value_of("-f", choice, evaluate, _HINT)
        found = list(_objects(value, choice, said, prepare))
        if not found:
            raise InputError(f"{said}: it is empty; give one that holds something.")
        yield from found


def _objects(
    value: object, title: str | None, said: str, prepare: Callable[[object], Prepared]
) -> Iterator[Made]:
    """A value as a document; a list as one for each of its items."""
    if isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _objects(item, title and f"{title}[{number}]", f"{said}[{number}]", prepare)
        return
    if isinstance(value, str) and is_address(value):
        yield Made(document_url(value))
    elif isinstance(value, Path) or (isinstance(value, str) and is_file(value)):
        yield from _file(Path(value), said, prepare)
    else:
        made = made_of(value, title, said, prepare)
        if not made:
            raise InputError(f"{said}: no document can be made of {_kind(value)}. {_KINDS}")
        yield from made


def _kind(value: object) -> str:
    return f"an object of type {type(value).__name__}"


def _file(path: Path, said: str, prepare: Callable[[object], Prepared]) -> list[Made]:
    try:
        path = path.expanduser()
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise InputError(f"{said}: {reason}. {_HINT}") from None
    if data is None:
        raise InputError(f"{said}: over {MOST_BYTES // 1_000_000} MB; send a part of it.")
    return made_of_bytes(data, path.name, said, prepare)
