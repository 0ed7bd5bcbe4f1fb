"""The Python face of captions: `claude_magic.caption`, in a notebook and in a script."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .api import current_notebook, in_ipython

if TYPE_CHECKING:
    from .captions.access import Access


def caption(
    images: object,
    *,
    schema: object = None,
    prompt: str = "",
    out: str | os.PathLike[str] | None = None,
    concurrency: int = 16,
    budget: float | None = None,
    engine: Literal["threads", "batches", "daft"] = "threads",
    model: str | None = None,
    max_tokens: int | None = None,
    effort: str | None = None,
    think: str | None = None,
    hires: bool = False,
    progress: bool = True,
) -> Any:
    """A DataFrame, one row an image in their order: its source, what was asked for, tokens, cost.

    `images`: a folder, a pattern such as "scans/*.png", a list or a column of pandas or polars
    with paths, addresses, bytes, PIL images, figures. Without `schema` the columns are those of a
    caption (`alt_text`, `description`, `kind`, axes, `trend`, `confidence`, `warnings`); `schema`
    is a pydantic model, a dataclass or a JSON schema of your own, and `prompt` says what to do.

    `out` is a file for the table, `.parquet`, `.csv` or `.jsonl`. Beside it each answer is kept as
    it comes: a job that was killed goes on where it was, and pays for nothing twice. The same
    image is asked about once. A row that failed has an `error`; the next run asks it again.

    At most `concurrency` requests are under way, fewer where the server's rate limits say so.
    `budget` in USD: what would pass it is not asked; by default what is left of the kernel's.
    `engine="batches"` asks by Message Batches, which cost half and may take hours, at most a day.
    If the kernel ends, run it again, and it goes on waiting; an interrupt cancels the batches.
    `engine="daft"` runs on Daft, on many machines where Daft runs on Ray (extra `scale`).

    Example: `claude_magic.caption(df["path"], out="captions.parquet")`

    Raises the errors of `claude_magic.messages.errors`.
    """
    from .captions.datasets.caption_job import Wanted
    from .captions.datasets.caption_run import CaptionRun, How, check, frame

    access, left = access_here()
    wanted = Wanted(
        schema, prompt, model, max_tokens, effort, think, long_edge(hires, model, access)
    )
    path = Path(out) if out is not None else None
    how = check(How(path, concurrency, left if budget is None else budget, progress, engine))
    with CaptionRun(images, wanted, how, access) as run:
        for line in run.job.notices:
            warnings.warn(line, stacklevel=2)
        run.ask()
        return frame(run)


def long_edge(hires: bool, model: str | None, access: Access) -> int:
    """The most pixels of an image's longer side: 1568, with `hires` the model's own limit."""
    from .messages import models
    from .messages.images.prepare import LONG_EDGE

    found = models.lookup(model or access.settings.model) if hires else None
    return found.long_edge if found else LONG_EDGE


def access_here() -> tuple[Access, float]:
    """Whose settings and key count here, the notebook's or the environment's, and what is left.

    The latter in USD: of the kernel's budget, which these requests count towards.
    """
    from .captions.access import Access

    if in_ipython():
        notebook = current_notebook()
        settings, session = notebook.settable.session_settings(), notebook.session
        access = Access(
            settings, notebook.keys.find(), spend=session.spending.add, offline=session.offline
        )
        return access, max(0.0, settings.budget - session.spending.spent)
    from .messages.credentials import find_key, keyring_key
    from .notebook.config import Settable

    settings = Settable().session_settings()
    return Access(settings, find_key(None, keyring_lookup=keyring_key)), settings.budget
