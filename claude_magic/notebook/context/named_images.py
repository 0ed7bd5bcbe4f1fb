"""The images that `-i` names: outputs, variables and expressions, paths, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...messages.blocks import Block, text
from ...messages.errors import ImageError, InputError
from ..page.question_place import NamedCells
from ..page.recorder import CellRun, Output
from .named_values import Evaluate, is_file, no_name, value_of

if TYPE_CHECKING:
    from ...messages.images.prepare import ImageCache, Prepared
    from ...messages.models import Model
    from .outputs import Rendered

_HINT = "Give a variable, a path, an address or last."
_LAST = re.compile(r"last(?::([1-9]\d*))?")


def preparing(hires: Model | None, cache: ImageCache) -> Callable[[object], Prepared]:
    """What prepares an image for sending: long edge 1568, with `hires` that model's own limit."""
    from ...messages.images.prepare import prepare

    return partial(prepare, long_edge=hires.long_edge if hires else 1568, cache=cache)


def pictures(
    choices: Sequence[object],
    runs: Sequence[CellRun],
    cells: NamedCells,
    *,
    evaluate: Evaluate | None,
    render: Callable[[Output], Rendered],
    prepare: Callable[[object], Prepared],
) -> tuple[list[Block], list[str]]:
    """The image blocks that `choices` name or are, and notices about them.

    `runs` are all runs of the kernel, `cells` the newest of each cell, for counts and tags. Without
    `evaluate` a text is no expression, and first of all the path of a file.

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
            _add(_named(choice, no_name, prepare), blocks, notices)
        elif found:
            blocks += _newest(runs, int(found[1] or 1), choice, render)
        elif choice.isdecimal():
            named = cells.of_counts(int(choice), int(choice), f"-i {choice}")
            blocks += _shown_by(named, choice, render)
        elif choice.startswith("#"):
            blocks += _shown_by(cells.tagged(choice[1:], f"-i {choice}"), choice, render)
        else:
            _add(_named(choice, evaluate or no_name, prepare), blocks, notices)
    return _labelled(blocks), notices


def _add(found: Iterable[Prepared], blocks: list[Block], notices: list[str]) -> None:
    for prepared in found:
        blocks.append(prepared.block)
        notices += [prepared.note] if prepared.note else []


def _newest(
    runs: Sequence[CellRun], number: int, choice: str, render: Callable[[Output], Rendered]
) -> list[Block]:
    found: list[Block] = []
    for output in _outputs(reversed(runs)):
        found[:0] = _images(render(output))
        if len(found) >= number:
            return found[-number:]
    raise InputError(
        f"-i {choice}: {len(found) or 'no'} images were displayed in this kernel so far; "
        "run the cell that draws, or name a variable."
    )


def _shown_by(
    runs: Sequence[CellRun], choice: str, render: Callable[[Output], Rendered]
) -> list[Block]:
    found = [
        b for run in runs for o in run.outputs if o.bundle is not None for b in _images(render(o))
    ]
    if not found:
        raise InputError(f"-i {choice}: that cell displayed no image; run it, or name another.")
    return found


def _outputs(runs: Iterable[CellRun]) -> Iterator[Output]:
    """Outputs of the runs as they come, each run's newest first."""
    for run in runs:
        yield from (o for o in reversed(run.outputs) if o.bundle is not None)


def _images(rendered: Rendered) -> list[Block]:
    return [b for b in rendered.blocks if b.get("type") == "image"]


def _named(
    choice: str, evaluate: Evaluate, prepare: Callable[[object], Prepared]
) -> list[Prepared]:
    try:
        if re.match(r"(?i)https?://|data:", choice):
            return [prepare(choice)]
        if is_file(choice):
            return [prepare(Path(choice).expanduser())]
        value = value_of("-i", choice, evaluate, _HINT)
        many = value if isinstance(value, list | tuple) else [value]
        found = [prepare(item) for item in many]
    except ImageError as error:
        raise ImageError(f"-i {choice}: {error}") from None
    if not found:
        raise InputError(f"-i {choice}: it is empty; give one that holds images, or leave it out.")
    return found


def _labelled(blocks: list[Block]) -> list[Block]:
    """Several images are told apart by a label before each."""
    if len(blocks) < 2:
        return blocks
    return [b for n, block in enumerate(blocks, 1) for b in (text(f"Image {n}:"), block)]
