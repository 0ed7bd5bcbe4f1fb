"""A line of our magics may end in a question mark.

IPython takes a line that ends in one as a request for help, magics included, assigned or not. Lines
that give a magic of ours words are turned into its call before IPython looks. It reads a cell whole
before it runs it: in the one that loads the extension, its calls for help are caught.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..value_classes import frozen

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Compiled when first used, as `re` keeps them: loading the extension waits for none of these.
_QUESTION = (
    r"(?P<before>\s*(?:[^%\n]*=[ \t]*)?)%(?P<name>claude(?:_\w+)?)[ \t]+(?P<words>\S.*\?)\s*"
)
_OTHER_MAGIC = r"^(\s*)(?:[^%!\n\"'#]*=[ \t]*)?[%!].*\n?$"
_CONTINUED = r"\\\s*$"


def ask_with_question_mark(lines: list[str]) -> list[str]:
    """The cell's lines, `%claude …?` among them as calls. `%claude?` itself stays help."""
    if lines and lines[0].startswith("%%"):
        return lines
    result: list[str] = []
    left = list(lines)
    while left:
        many = 1
        while many < len(left) and "%claude" in left[0] and re.search(_CONTINUED, left[many - 1]):
            many += 1
        # Continued lines are one, as IPython joins them.
        line = " ".join(
            [*(re.sub(_CONTINUED, "", part) for part in left[: many - 1]), left[many - 1]]
        )
        found = re.fullmatch(_QUESTION, line) if "?" in line else None
        if found and found["words"].strip("?") and _is_code(result, found["before"]):
            called = f"get_ipython().run_line_magic({found['name']!r}, {found['words']!r})\n"
            result.append(found["before"] + called)
        else:
            result += left[:many]
        del left[:many]
    return result


def _is_code(above: list[str], before: str) -> bool:
    """Whether what follows `before` is code that begins a statement, or is assigned by it.

    Else it stands within a string or a bracket that is open.
    """
    if not above and not before.strip():
        return True  # without what reading Python costs the first time
    from IPython.core.inputtransformer2 import make_tokens_by_line

    # Words of other magics are no Python: their quotes and brackets open nothing.
    lines = [re.sub(_OTHER_MAGIC, r"\1pass\n", line) for line in above]
    statements = make_tokens_by_line([*lines, f"{before}claude\n"])
    row, start = len(above) + 1, len(before) - len(before.lstrip())
    for statement in statements:
        if any(token.start == (row, start) for token in statement[:2]):  # an indent may come first
            words = [token.string for token in statement]
            opened = sum(word in ("(", "[", "{") for word in words)
            closed = sum(word in (")", "]", "}") for word in words)
            there = any(token.start == (row, len(before)) for token in statement)
            return there and opened == closed
    return False


@frozen
class _Call:
    """The call of a magic, and the name that its value is bound to."""

    magic: str
    words: str
    bound: str | None = None


class _FirstCell:
    """What the cell that loads the extension was read as, and what its lines say now.

    For as long as that cell runs, its calls for help that are questions ask.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._cell = str(shell.history_manager.input_hist_raw[-1]) if shell.history_manager else ""
        self._read = self._transformed()
        # By the magic for help and its word: the calls meant, in their order, None for help.
        self._meant: dict[tuple[str, str], list[_Call | None]] = {}

    def attach(self) -> None:
        """Catch calls for help, if the cell as it is read now holds questions in their place."""
        lines, asking = self._read.splitlines(), self._transformed().splitlines()
        if lines == asking or len(lines) != len(asking):  # an open bracket joins lines
            return
        for was, now in zip(lines, asking, strict=True):
            called = _magic_called(was)
            if called is not None:
                meant = _magic_called(now) if was != now else None
                self._meant.setdefault((called.magic, called.words), []).append(meant)
        vars(self._shell)["run_line_magic"] = self._run
        self._shell.events.register("post_execute", self._detach)

    def _transformed(self) -> str:
        transform: Callable[[str], str] = self._shell.transform_cell
        return transform(self._cell)

    def _run(self, name: str, line: str, _stack_depth: int = 1) -> Any:
        in_order = self._meant.get((name, line), [None])
        meant = in_order.pop(0) if len(in_order) > 1 else in_order[0]
        if meant is not None:
            name, line = meant.magic, meant.words
        run = type(self._shell).run_line_magic
        value = run(self._shell, name, line, _stack_depth + 1)
        if meant is not None and meant.bound:
            self._shell.user_ns[meant.bound] = value
        return value

    def _detach(self) -> None:
        vars(self._shell).pop("run_line_magic", None)
        self._shell.events.unregister("post_execute", self._detach)


def _magic_called(line: str) -> _Call | None:
    """The magic that a line calls, as IPython has read it; None for Python."""
    try:
        read = ast.parse(line.strip()).body
    except SyntaxError:  # part of a longer statement
        return None
    match read:
        case [ast.Expr(ast.Call() as call)]:
            bound = None
        case [ast.Assign([ast.Name(str(bound))], ast.Call() as call)]:
            pass
        case _:
            return None
    match call:
        case ast.Call(
            ast.Attribute(attr="run_line_magic"),
            [ast.Constant(str(magic)), ast.Constant(str(words))],
        ):
            return _Call(magic, words, bound)
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
