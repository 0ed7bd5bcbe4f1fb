"""`%claude why?` asks; IPython alone would look for help on `why`.

IPython takes a line that ends in a question mark as a request for help, magics included. Lines of
`%claude` that hold a question are turned into the call of the magic before it looks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_QUESTION = re.compile(r"^(\s*)%claude[ \t]+(\S.*\?)\s*$")


def ask_with_question_mark(lines: list[str]) -> list[str]:
    """The cell's lines, `%claude …?` among them as calls. `%claude?` itself stays help."""
    if lines and lines[0].startswith("%%"):
        return lines
    return [_as_call(line) for line in lines]


def _as_call(line: str) -> str:
    found = _QUESTION.match(line)
    if found is None or found[2].strip("?") == "":
        return line
    return f"{found[1]}get_ipython().run_line_magic('claude', {found[2]!r})\n"


def attach(shell: InteractiveShell) -> None:
    """Let `shell` ask where a line of `%claude` ends in a question mark."""
    shell.input_transformers_cleanup.append(ask_with_question_mark)


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    if ask_with_question_mark in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(ask_with_question_mark)
