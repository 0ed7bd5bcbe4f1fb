"""`%claude why?` asks; IPython alone would look for help on `why`.

IPython takes a line that ends in a question mark as a request for help, magics included. Lines of
`%claude` that hold a question are turned into the call of the magic before it looks. It reads a
cell whole before it runs it: in the one that loads the extension, its calls for help are caught.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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


class _FirstCell:
    """What the cell that loads the extension was read as, and what its lines say now.

    For as long as that cell runs, its calls for help that are questions ask.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._cell = str(shell.history_manager.input_hist_raw[-1]) if shell.history_manager else ""
        self._read = self._transformed()
        # By the magic for help and its word: the questions in their order, None for help.
        self._meant: dict[tuple[str, str], list[str | None]] = {}

    def attach(self) -> None:
        """Catch calls for help, if the cell as it is read now holds questions in their place."""
        lines, asking = self._read.splitlines(), self._transformed().splitlines()
        if lines == asking or len(lines) != len(asking):  # an open bracket joins lines
            return
        for was, now in zip(lines, asking, strict=True):
            called = _magic_called(was)
            if called is not None:
                meant = _magic_called(now) if was != now else None
                self._meant.setdefault(called, []).append(meant[1] if meant else None)
        vars(self._shell)["run_line_magic"] = self._run
        self._shell.events.register("post_execute", self._detach)

    def _transformed(self) -> str:
        transform: Callable[[str], str] = self._shell.transform_cell
        return transform(self._cell)

    def _run(self, name: str, line: str, _stack_depth: int = 1) -> Any:
        in_order = self._meant.get((name, line), [None])
        question = in_order.pop(0) if len(in_order) > 1 else in_order[0]
        if question is not None:
            name, line = "claude", question
        return type(self._shell).run_line_magic(self._shell, name, line, _stack_depth + 1)

    def _detach(self) -> None:
        vars(self._shell).pop("run_line_magic", None)
        self._shell.events.unregister("post_execute", self._detach)


def _magic_called(line: str) -> tuple[str, str] | None:
    """Name and words of the magic that a line calls, as IPython has read it; None for Python."""
    try:
        match ast.parse(line.strip()).body:
            case [
                ast.Expr(
                    ast.Call(
                        ast.Attribute(attr="run_line_magic"),
                        [ast.Constant(str(name)), ast.Constant(str(words))],
                    )
                )
            ]:
                return name, words
    except SyntaxError:  # part of a longer statement
        pass
    return None


def attach(shell: InteractiveShell) -> None:
    """Let `shell` ask where a line of `%claude` ends in a question mark, from this cell on."""
    first = _FirstCell(shell)
    shell.input_transformers_cleanup.append(ask_with_question_mark)
    first.attach()


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    if ask_with_question_mark in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(ask_with_question_mark)
