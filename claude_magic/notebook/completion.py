"""Tab completion on the lines of `%claude` and `%claude_caption`: options, models, names, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .notebook import Notebook

_CAPTION = "%claude_caption"
_COMMANDS = ("%claude", "%%claude", _CAPTION)
_MOST_FILES = 200


def attach(shell: InteractiveShell) -> None:
    """Complete the magics' lines in `shell`."""
    hooks: Any = shell

    def completed(_: Any, event: Any) -> list[str]:
        from .json_option import shapes
        from .option_completion import complete
        from .tool_words import NAMES, offered

        hidden = shell.user_ns_hidden
        is_caption = event.line.lstrip().startswith(_CAPTION)
        own = {n: v for n, v in shell.user_ns.items() if n not in hidden}
        return complete(
            event.text_until_cursor,
            event.symbol,
            models=_models(shell),
            variables=[n for n in own if not n.startswith("_")],
            files=_files(event.symbol),
            tools=offered(own, [*NAMES]),
            shapes=shapes(own),
            magic="claude_caption" if is_caption else "claude",
        )

    for command in _COMMANDS:
        hooks.set_hook("complete_command", completed, str_key=command)


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    completers: Any = shell.strdispatchers.get("complete_command")
    for command in _COMMANDS:
        if completers is not None:
            completers.strs.pop(command, None)


def _models(shell: InteractiveShell) -> list[str]:
    """Aliases and ids: of the server in use as far as they are known, and the user's own."""
    from ..messages.catalogue import BUILT_IN
    from ..messages.errors import InputError

    magics: Any = shell.magics_manager.registry.get("ClaudeMagics")
    notebook: Notebook | None = getattr(magics, "_notebook", None)
    try:
        return (notebook.session.catalogue if notebook else BUILT_IN).names()
    except InputError:  # a setting that does not fit, which the next question will say
        return BUILT_IN.names()


def _files(typed: str) -> list[str]:
    """Paths that begin with the last word typed; folders end in a slash."""
    from glob import escape, iglob
    from itertools import islice
    from pathlib import Path

    word = typed.rpartition(",")[2].rpartition("=")[2].lstrip("\"'")
    found = islice(iglob(f"{escape(word)}*"), _MOST_FILES)  # noqa: PTH207 - keeps "./" as typed
    return sorted(f"{path}/" if Path(path).is_dir() else path for path in found)
