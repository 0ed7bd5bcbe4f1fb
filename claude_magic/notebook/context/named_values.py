"""What `-i`, `-f` and `--json` name: a file, or else a Python expression of the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block, image_label, is_image_note
from ...messages.credentials import Secret, mask
from ...messages.errors import ImageError, InputError
from ...messages.plain_text import in_a_line
from ..page.question_place import NamedCells
from ..page.recorder import CellRun, Output

if TYPE_CHECKING:
    from ...conversation.asking.question import Shape
    from ...messages.images.prepare import ImageCache, Prepared
    from ...messages.images.sources import Page
    from ...messages.models import Model
    from .outputs import Rendered

Evaluate = Callable[[str], object]
"""Gives the value of an expression. Only the user's own words are any: see `no_name`."""

_ADDRESS = re.compile(r"(?i)https?://\S+")


def is_address(choice: str) -> bool:
    """Whether a choice is a web address."""
    return _ADDRESS.fullmatch(choice) is not None


def is_file(choice: str) -> bool:
    """Whether a choice is the path of a file that is there."""
    try:
        return Path(choice).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long for a path, NUL, no such user
        return False


def no_name(choice: str) -> object:
    """Raises NameError: what Python code gives as a text may be data, and is never evaluated."""
    short = choice if len(choice) <= 80 else f"{choice[:60]}..."
    raise NameError(f"{short!r} is no address; give the object itself, not its name")


def value_of(option: str, choice: str, evaluate: Evaluate, hint: str) -> object:
    """The value of a choice that is no file; `hint` says what else can be given.

    Raises InputError that says why it is neither.
    """
    try:
        return evaluate(choice)
    except SyntaxError:
        problem = f"{_no_file(choice)}, and not a Python expression"
    except NameError as error:
        problem = f"{_no_file(choice)}, and {error}"
    except Exception as error:  # whatever the user's own expression raises
        problem = in_a_line(error)
    raise InputError(f"{option} {choice}: {problem}. {hint}") from None


def _no_file(choice: str) -> str:
    try:
        there = Path(choice).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        there = False
    return "not a file" if there else "no such file"


_HINT = "Give a type such as Finding or list[Finding], a schema as a dict, or a .json file."
# Of models, dataclasses, TypedDicts and enums.
_MARKS = ("model_json_schema", "__dataclass_fields__", "__required_keys__", "__members__")
_MOST_BYTES = 1_000_000


def wanted_shape(said: object, evaluate: Evaluate | None, *secrets: Secret) -> Shape | None:
    """The shape that the text `said` names, or that `said` itself is; None for None.

    Without `evaluate` a text is a file's path, and no expression.

    Raises InputError for what is no shape, for one that the API cannot take, and for a schema that
    holds one of `secrets`.
    """
    if said is None:
        return None
    from ...conversation.asking.shape import shape_of

    if isinstance(said, str):
        try:
            shape = shape_of(_named(said.strip(), evaluate or _no_name), said.strip())
        except InputError as error:
            told = str(error)
            raise InputError(told if told.startswith("--json") else f"--json {told}") from None
    else:
        shape = shape_of(_of_file(said) if isinstance(said, Path) else said)
    text = json.dumps(shape.schema)
    if mask(text, *secrets) != text:
        raise InputError(f"--json {shape.name}: its schema holds your API key: take it out.")
    return shape


def shapes(namespace: Mapping[str, object]) -> list[str]:
    """The names in a namespace that `--json` may take: classes with fields, enums, schemas."""
    return [name for name, value in namespace.items() if name[:1] != "_" and _is_shape(value)]


def _no_name(name: str) -> object:
    raise NameError(f"{name!r} is a text: give the type itself, not its name")


def _named(said: str, evaluate: Evaluate) -> Any:
    if is_file(said) or said.endswith(".json"):
        return _of_file(Path(said))
    value = value_of("--json", said, evaluate, _HINT)
    return _of_file(value) if isinstance(value, Path) else value


def _of_file(path: Path) -> Any:
    try:
        path = path.expanduser()
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"--json {path}: over 1 MB; a schema is smaller.")
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it holds no JSON"
        raise InputError(
            f"--json {path}: {reason}. Give a file that holds a JSON schema."
        ) from None
    if not isinstance(found, dict):
        raise InputError(f"--json {path}: it holds no JSON schema, which is an object.")
    return found


def _is_shape(value: object) -> bool:
    if isinstance(value, dict):
        from ...conversation.asking.shape import is_schema

        return is_schema(value)
    try:
        return isinstance(value, type) and any(hasattr(value, name) for name in _MARKS)
    except Exception:  # a foreign class may have attributes that are computed
        return False


# Of a file whose name does not end so.
_PAGE = re.compile(r"(?P<path>.+)\[(?P<number>\d{1,9})\]", re.DOTALL)
_MOST_OF_FOLDER = 20
_IMAGE_HINT = "Give a variable, a path, an address or last."
_LAST = re.compile(r"last(?::([1-9]\d*))?")


def preparing(hires: Model | None, cache: Callable[[], ImageCache]) -> Callable[[object], Prepared]:
    """What prepares an image for sending: long edge 1568, with `hires` that model's own limit."""
    long_edge = hires.long_edge if hires else 1568

    def prepared(image: object) -> Prepared:
        from ...messages.images.prepare import prepare

        return prepare(image, long_edge=long_edge, cache=cache())

    return prepared


def pictures(
    choices: Sequence[object],
    cells: NamedCells,
    *,
    evaluate: Evaluate | None,
    render: Callable[[Output], Rendered],
    prepare: Callable[[object], Prepared],
) -> tuple[list[Block], list[str]]:
    """The image blocks that `choices` name or are, and notices about them.

    `cells` are those of the page. Without `evaluate` a text is no expression, and first of all
    the path of a file.

    Raises InputError for a name, path or count that gives no image, saying which.
    """
    blocks: list[Block] = []
    notices: list[str] = []
    for choice in choices:
        if not isinstance(choice, str):
            _add([prepare(choice)], blocks, notices)
            continue
        if choice in ("auto", "none"):
            continue
        found = _LAST.fullmatch(choice)
        if evaluate is None and is_file(choice):
            _add(_images_of(choice, no_name, prepare), blocks, notices)
        elif found:
            blocks += _newest(cells.as_run, int(found[1] or 1), choice, render)
        elif choice.isdecimal():
            named = cells.of_counts(int(choice), int(choice), f"-i {choice}")
            blocks += _shown_by(named, choice, render)
        elif choice.startswith("#"):
            blocks += _shown_by(cells.tagged(choice[1:], f"-i {choice}"), choice, render)
        elif _is_folder(choice):
            _add(_images_within(choice, prepare, notices), blocks, notices)
        else:
            _add(_images_of(choice, evaluate or no_name, prepare), blocks, notices)
    return _labelled(blocks), notices


def _add(found: Iterable[Prepared], blocks: list[Block], notices: list[str]) -> None:
    for prepared in found:
        blocks += prepared.blocks
        notices += [prepared.note] if prepared.note else []


def _newest(
    runs: Sequence[CellRun], number: int, choice: str, render: Callable[[Output], Rendered]
) -> list[Block]:
    found: list[list[Block]] = []
    for output in _outputs(reversed(runs)):
        found[:0] = _images(render(output))
        if len(found) >= number:
            return [block for image in found[-number:] for block in image]
    raise InputError(
        f"-i {choice}: {len(found) or 'no'} images were displayed in this kernel so far; "
        "run the cell that draws, or name a variable."
    )


def _shown_by(
    runs: Sequence[CellRun], choice: str, render: Callable[[Output], Rendered]
) -> list[Block]:
    outputs = [o for run in runs for o in run.outputs if o.bundle is not None]
    found = [block for output in outputs for image in _images(render(output)) for block in image]
    if not found:
        raise InputError(f"-i {choice}: that cell displayed no image; run it, or name another.")
    return found


def _outputs(runs: Iterable[CellRun]) -> Iterator[Output]:
    """Outputs of the runs as they come, each run's newest first."""
    for run in runs:
        yield from (o for o in reversed(run.outputs) if o.bundle is not None)


def _images(rendered: Rendered) -> list[list[Block]]:
    """Each image of an output, with what is said of it."""
    found: list[list[Block]] = []
    for block in rendered.blocks:
        if block.get("type") == "image":
            found.append([block])
        elif found and is_image_note(block):
            found[-1].append(block)
    return found


def _images_of(
    choice: str, evaluate: Evaluate, prepare: Callable[[object], Prepared]
) -> list[Prepared]:
    try:
        if re.match(r"(?i)https?://|data:", choice):
            return [prepare(choice)]
        if is_file(choice):
            return [prepare(Path(choice).expanduser())]
        if page := page_of_file(choice):
            return [prepare(page)]
        value = value_of("-i", choice, evaluate, _IMAGE_HINT)
        many = value if isinstance(value, list | tuple) else [value]
        found = [prepare(item) for item in many]
    except ImageError as error:
        raise ImageError(f"-i {choice}: {error}") from None
    if not found:
        raise InputError(f"-i {choice}: it is empty; give one that holds images, or leave it out.")
    return found


def page_of_file(choice: str) -> Page | None:
    """The page that a choice such as `stack.tif[3]` names, where there is such a file."""
    found = _PAGE.fullmatch(choice)
    if found is None or not is_file(found["path"]):
        return None
    from ...messages.images.sources import Page

    return Page(Path(found["path"]).expanduser(), int(found["number"]))


def _is_folder(choice: str) -> bool:
    """Whether a choice is meant as a folder: a name of the notebook is written without a slash."""
    try:
        return "/" in choice and Path(choice).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):  # as in is_file()
        return False


def _images_within(
    choice: str, prepare: Callable[[object], Prepared], notices: list[str]
) -> Iterator[Prepared]:
    """The images of a folder, without those in folders below it; a notice of what is skipped."""
    from ...messages.images.sources import images_within

    found = images_within(Path(choice).expanduser())
    if not 0 < len(found.files) <= _MOST_OF_FOLDER:
        raise InputError(
            f"-i {choice}: {len(found.files) or 'no'} images are in it; name up to "
            f"{_MOST_OF_FOLDER}, or use claude_magic.caption for many."
        )
    notices += [f"{choice}: {found.skipped}"] if found.skipped else []
    for file in found.files:
        try:
            yield prepare(file)
        except ImageError as error:
            raise ImageError(f"-i {file}: {error}") from None


def _labelled(blocks: list[Block]) -> list[Block]:
    """Several images are told apart by a label before each."""
    if sum(block.get("type") == "image" for block in blocks) < 2:
        return blocks
    labels = map(image_label, count(1))
    return [
        b
        for block in blocks
        for b in ([next(labels), block] if block.get("type") == "image" else [block])
    ]
