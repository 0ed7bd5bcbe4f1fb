"""What goes along as a document (`-f`): files, addresses, objects of the notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, document_url
from ..messages.errors import InputError
from .choices import Evaluate, is_address, is_file, no_name, value_of
from .documents import MOST_BYTES, Made, made_of, made_of_bytes

if TYPE_CHECKING:
    from ..messages.images.prepare import Prepared

_HINT = "Give the path of a text, PDF or image file, an address, or a variable."
_KINDS = "Give a table, a text, the bytes of a PDF, or the path of a file."


@dataclass(frozen=True)
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
    return [item.block for item in made], [item.note for item in made if item.note]


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
        yield _file(Path(choice), f"-f {choice}", prepare)
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
        yield _file(Path(value), said, prepare)
    else:
        made = made_of(value, title, said, prepare)
        if made is None:
            raise InputError(f"{said}: no document can be made of {_kind(value)}. {_KINDS}")
        yield made


def _kind(value: object) -> str:
    return f"an object of type {type(value).__name__}"


def _file(path: Path, said: str, prepare: Callable[[object], Prepared]) -> Made:
    try:
        path = path.expanduser()
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise InputError(f"{said}: {reason}. {_HINT}") from None
    if data is None:
        raise InputError(f"{said}: over {MOST_BYTES // 1_000_000} MB; send a part of it.")
    return made_of_bytes(data, path.name, said, prepare)
