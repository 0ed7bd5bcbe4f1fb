"""`claude_magic.ask`: the Python face of the path that the magics take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .messages.errors import InputError

if TYPE_CHECKING:
    from .conversation.reply import Reply
    from .notebook.notebook import Notebook


def ask(
    prompt: str,
    *,
    images: object = (),
    files: str | Sequence[str] = (),
    model: str | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
    stop: str | Sequence[str] = (),
    prefill: str = "",
    effort: str | None = None,
    think: str | None = None,
    alone: bool = False,
    hires: bool = False,
) -> Reply:
    """The reply to `prompt`, as a turn of this notebook's conversation.

    `images` are whatever `-i` takes and the objects themselves: figures, PIL images, arrays,
    bytes, paths, addresses. One image, file or stop text needs no list. Nothing else of the
    notebook goes along: name what should. `{{ }}` is not evaluated; Python has f-strings. Shows
    nothing while it runs; the reply renders itself as the last expression of a cell.

    Raises the errors of `claude_magic.messages.errors`; InputError where the extension is not
    loaded.
    """
    from .conversation.watcher import Silent
    from .notebook.options import RequestOptions

    notebook = current_notebook()
    options = RequestOptions(
        image=("none",),
        context=("none",),
        file=_several(files),
        model=model,
        system=system,
        max_tokens=max_tokens,
        stop=_several(stop),
        prefill=prefill,
        effort=effort,
        think=think,
        alone=alone,
        hires=hires,
        raw=True,
    )
    return notebook.ask(notebook.question(options, prompt, _several(images)), Silent())


def _several(given: Any) -> tuple[Any, ...]:
    """`given` as a tuple; what is one thing, though Python could go through its parts, as one."""
    one = isinstance(given, str | bytes | bytearray) or hasattr(given, "__array_interface__")
    return (given,) if one or not hasattr(given, "__iter__") else tuple(given)


def current_notebook() -> Notebook:
    """The notebook of the running shell. Raises InputError where the extension is not loaded."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    magics = shell.magics_manager.registry.get("ClaudeMagics") if shell else None
    if magics is None:
        raise InputError("Load the extension first: %load_ext claude_magic")
    notebook: Notebook = magics.notebook
    return notebook
