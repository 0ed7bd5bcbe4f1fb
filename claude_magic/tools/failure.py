"""What went wrong in the user's code, as text for a model to read."""

from __future__ import annotations

import traceback
from pathlib import Path

_LIBRARY = Path(traceback.__file__).parent
# What only calls the user's code: this package, and what an async function comes back through.
_AROUND = tuple(
    str(path)
    for path in (Path(__file__).parent.parent, _LIBRARY / "asyncio", _LIBRARY / "concurrent")
)


def traceback_text(error: BaseException) -> str:
    """The traceback of `error`, from the first frame of the notebook on; else without our frames.

    The files of cells, whose names hold the process id, are called "<cell>".
    """
    frames = traceback.TracebackException.from_exception(error)
    stack = frames.stack
    in_cell = _is_cell(getattr(frames, "filename", None) or "")
    if in_cell:  # a SyntaxError: the cell itself never ran, all frames are the kernel's
        frames.filename = "<cell>"
    nowhere = len(stack) if in_cell else _past_ours(stack)
    first = next((i for i, f in enumerate(stack) if _is_cell(f.filename)), nowhere)
    for frame in stack[first:]:
        if _is_cell(frame.filename):
            frame.filename = "<cell>"
    frames.stack = traceback.StackSummary.from_list(list(stack[first:]))
    return "".join(frames.format())


def _past_ours(stack: traceback.StackSummary) -> int:
    """How many frames at the start only called what failed."""
    outside = (i for i, f in enumerate(stack) if not f.filename.startswith(_AROUND))
    return next(outside, len(stack))


def _is_cell(filename: str) -> bool:
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<cell"))
