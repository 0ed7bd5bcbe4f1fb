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
_OTHER_MAGIC = re.compile(r"^(\s*)[%!].*\n?$")


def ask_with_question_mark(lines: list[str]) -> list[str]:
    """The cell's lines, `%claude …?` among them as calls. `%claude?` itself stays help."""
    if lines and lines[0].startswith("%%"):
        return lines
    result = list(lines)
    for number, line in enumerate(lines):
        found = _QUESTION.match(line)
        if found and found[2].strip("?") and _starts_a_statement(result, number):
            result[number] = f"{found[1]}get_ipython().run_line_magic('claude', {found[2]!r})\n"
    return result


def _starts_a_statement(lines: list[str], number: int) -> bool:
    """Whether a line begins something, and does not stand within a string or a bracket."""
    from IPython.core.inputtransformer2 import make_tokens_by_line

    # Words of other magics are no Python: their quotes and brackets open nothing.
    before = [_OTHER_MAGIC.sub(r"\1pass\n", line) for line in lines[:number]]
    statements = make_tokens_by_line([*before, lines[number]])
    return any(
        token.start == (number + 1, len(token.line) - len(token.line.lstrip()))
        for statement in statements
        for token in statement[:2]  # an indent may come first
    )


def attach(shell: InteractiveShell) -> None:
    """Let `shell` ask where a line of `%claude` ends in a question mark."""
    shell.input_transformers_cleanup.append(ask_with_question_mark)


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    if ask_with_question_mark in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(ask_with_question_mark)
