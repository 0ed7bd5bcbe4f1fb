"""The tools of one notebook: which a question offers, who allows a call, how results are shown."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block, text
from ...messages.errors import InputError
from ...messages.once import Once
from ...messages.plain_text import terminal_text, trim_middle
from ...tools.approval import (
    Always,
    Approval,
    ByFunction,
    Decision,
    Nobody,
    drop_typed_ahead,
    rule_of,
)
from ...tools.calling import AsyncThread, Surroundings
from ...tools.function import function_tool
from ...tools.tool import Tool
from ...tools.toolbox import SERVER_TOOLS, FunctionToolbox
from ...value_classes import frozen
from ..context.describe import describe
from ..display import tool_calls
from ..display.output_slots import NOTHING, slots
from ..options import QuestionOptions, several
from ..running_shell import can_be_typed_into
from .built_in import BuiltIn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ...computer import ComputerTool, Workplace
    from ...messages.blocks import Block
    from ...messages.credentials import Secret
    from ...messages.images.prepare import Prepared
    from ...messages.transport.cancel import Cancel
    from ...tools.approval import Approver
    from ...tools.calling import Toolset
    from ...tools.results import Render
    from ...tools.tool import Tool
    from ..config import Settable
    from ..context.cell_blocks import Render as RenderOutput
    from ..page.front_end import FrontEnd
    from ..page.question_place import QuestionPlaces
    from ..page.recorder import Recorder

QUESTION = "Allow this call? [y]es, [a]lways for this tool, [n]o, or no with a reason: "
"""What is asked. Fixed: what is to be run stands above it, and is not part of it."""

QUESTION_OF_RUN = QUESTION.replace("for this tool", "for this run")
"""The same for a tool whose "always" ends with the question."""

# As it is when this is loaded: code of the notebook can give the name to something else.
_TYPED = input

_INSTEAD = (
    "--approve auto runs them without asking, --approve never denies them, and from Python "
    "approve= takes these words or a function that says."
)


class AskInCell:
    """Shows a call whole and asks by `input()`; only what the user types there allows it."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder) -> None:
        self._shell = shell
        self._recorder = recorder

    def check(self) -> None:
        """Nothing. Raises InputError where no answer can be typed, naming the options."""
        if threading.current_thread() is not threading.main_thread():
            where = "in a thread beside the cells,"
        elif not self._can_type():
            where = "here, where nothing can be typed,"
        else:
            return
        raise InputError(f"Nobody can be asked {where} whether a tool's call may run: {_INSTEAD}")

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:  # noqa: ARG002
        """What the user types to `call`. Raises KeyboardInterrupt where they interrupt instead."""
        self.check()
        question = QUESTION if tool.lasting else QUESTION_OF_RUN
        kernel: Any = getattr(self._shell, "kernel", None)
        if kernel is None:
            out = self._recorder.stdout
            out.write(tool_calls.asked(call, tool)["text/plain"] + "\n")
            out.flush()
            drop_typed_ahead()
            return _answered(_TYPED, question)
        slot = next(slots(self._shell.display_pub, {}))
        slot.show(tool_calls.asked(call, tool))
        try:
            return _answered(kernel.raw_input, question)
        finally:
            slot.show(NOTHING)  # what was run stands, folded, in the call's own line

    def _can_type(self) -> bool:
        if hasattr(self._shell, "get_parent"):
            return can_be_typed_into(self._shell)
        # A script that is piped in would answer with its next line.
        return sys.stdin is not None and sys.stdin.isatty()


def _answered(ask: Callable[[str], str], question: str) -> Decision:
    try:
        return decision(ask(question))
    except EOFError:
        return Decision(False)


def decision(typed: str) -> Decision:
    """What an answer means: all but a plain yes or always is a no, and its words the reason."""
    words = typed.strip()
    plain = words.lower()
    if plain in ("y", "yes"):
        return Decision(True)
    if plain in ("a", "always"):
        return Decision(True, always=True)
    for no in ("no", "n"):
        rest = words[len(no) :]
        if plain.startswith(no) and not rest[:1].isalnum():
            return Decision(False, rest.lstrip(" ,.:;-"))
    return Decision(False, words)


NAMES: Mapping[str, str] = {
    "run_python": "run code in this kernel, as a cell would",
    "read_cells": "read the notebook's cells and what they displayed",
    "inspect_variable": "look at the notebook's variables",
    "insert_cell": "put a new cell below the question",
    "edit_cell": "change a cell's text, in JupyterLab",
    "computer": "use a virtual desktop: look at it, click, type",
}
"""What each does, by the name that `--tools` takes."""

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@frozen
class Chosen:
    """The tools of a question, by where they run."""

    tools: tuple[Tool, ...] = ()
    at_server: tuple[str, ...] = ()
    toolsets: tuple[Toolset, ...] = ()


def chosen(
    words: Sequence[object],
    namespace: Mapping[str, object],
    built_in: Mapping[str, Callable[[], Tool | Toolset]],
) -> Chosen:
    """The tools that `words` name, or are: functions, tool objects, lists of them.

    A name of the notebook counts before a built-in one, as in Python. Only attributes are looked
    up in a dotted name; nothing is called. Raises InputError for a name that is not known, and for
    what is no function.
    """
    tools: list[Tool] = []
    at_server: list[str] = []
    toolsets: list[Toolset] = []
    for found in _found(words, namespace, built_in):
        if isinstance(found, str):
            at_server.append(found)
        elif isinstance(found, Tool):
            tools.append(found)
        else:
            toolsets.append(found)
    return Chosen(tuple(tools), tuple(dict.fromkeys(at_server)), tuple(dict.fromkeys(toolsets)))


def _found(
    words: Sequence[object],
    namespace: Mapping[str, object],
    built_in: Mapping[str, Callable[[], Tool | Toolset]],
) -> Iterator[Tool | Toolset | str]:
    for word in words:
        if not isinstance(word, str):
            yield from _made(word, "", "tools=")
            continue
        if word == "none":
            continue
        first = word.partition(".")[0]
        own = first in namespace and (
            "." in word or callable(namespace[first]) or word not in {*built_in, *SERVER_TOOLS}
        )
        if own and _DOTTED.fullmatch(word):
            yield from _made(_looked_up(word, namespace), word.rpartition(".")[2], word)
        elif word in built_in:
            yield built_in[word]()
        elif word in SERVER_TOOLS:
            yield word
        else:
            raise _unknown(word, namespace, built_in)


def _made(value: Any, name: str, said: str) -> Iterator[Tool | Toolset]:
    if isinstance(value, Tool) or _is_toolset(value):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _made(item, "", said)
    elif callable(value):
        yield function_tool(value, name)
    else:
        raise InputError(
            f"--tools {said}: a {type(value).__name__} is no tool; give a function, or its name."
        )


def _is_toolset(value: object) -> bool:
    return hasattr(type(value), "definitions") and hasattr(type(value), "takes")


def _looked_up(word: str, namespace: Mapping[str, object]) -> object:
    first, *rest = word.split(".")
    value = namespace[first]
    for number, name in enumerate(rest):
        try:
            value = getattr(value, name)
        except AttributeError:
            owner = ".".join([first, *rest[:number]])
            near = get_close_matches(name, dir(value), n=1)
            hint = f"did you mean {owner}.{near[0]}?" if near else f"see dir({owner})"
            raise InputError(f"--tools {word}: {owner} has no {name}; {hint}") from None
    return value


def offered(namespace: Mapping[str, object], built_in: Sequence[str]) -> list[str]:
    """The names that can follow `--tools`: functions of the notebook, then what is built in."""
    own = [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and callable(value) and not isinstance(value, type)
    ]
    return [*sorted(own), *built_in, *SERVER_TOOLS]


def _unknown(word: str, namespace: Mapping[str, object], built_in: Mapping[str, Any]) -> InputError:
    if not namespace:
        return InputError(
            f"tools={word[:64]!r}: give the function itself, or computer, web or code."
        )
    near = get_close_matches(word[:64], offered(namespace, list(built_in)), n=1)
    hint = f"did you mean {near[0]}?" if near else "define the function, and run its cell, first"
    built = ", ".join((*built_in, *SERVER_TOOLS))
    return InputError(f"--tools {word[:64]}: there is no such tool; {hint} (built in: {built})")


RESULT_CHARACTERS = 20_000
"""The longest text of one result; more is left out of its middle, and said."""


class Toolboxes:
    """Makes the toolbox of a question; holds what lives as long as the kernel.

    That is what the user has allowed always, and the loop in which async functions run.
    """

    def __init__(
        self,
        settable: Settable,
        secrets: Callable[[], tuple[Secret, ...]],
        prepare: Callable[[object], Prepared],
    ) -> None:
        self._settable = settable
        self._secrets = secrets
        self.render: Render = partial(shown_to_model, prepare=prepare)
        self._loop = AsyncThread()
        self._always = Always()
        self._workplaces: dict[tuple[int, int], Workplace] = {}

    def box(
        self,
        options: QuestionOptions,
        find: Callable[[Sequence[object]], Chosen],
        approver: Approver,
    ) -> FunctionToolbox | None:
        """The tools that `options`, or else the settings, name; None where they name none.

        Raises InputError for a name that is not known and for what cannot be a tool.
        """
        words = _words(options.get("tools", ())) or _words(self._settable.value("tools"))
        if options.get("app") is not None and "computer" not in words:
            raise InputError("--app opens a program on the virtual desktop: add --tools computer.")
        found = find(words)
        if not (found.tools or found.at_server or found.toolsets):
            return None
        said = options.get("approve") or self._settable.value("approve")
        return FunctionToolbox(
            found.tools,
            Approval(
                rule_of(said),
                ByFunction(said) if callable(said) else approver,
                self._always,
            ),
            Surroundings(
                self.render, self._secrets, self._loop, float(self._settable.value("tool_timeout"))
            ),
            at_server=found.at_server,
            toolsets=found.toolsets,
            most_steps=options.get("steps") or self._settable.value("steps"),
        )

    def close(self) -> None:
        """End the loop of async functions, and the desktop."""
        self._loop.close()
        for workplace in self._workplaces.values():
            workplace.close()

    def computer(self, options: QuestionOptions) -> ComputerTool:
        """The desktop of the size that is set, for one question; one of another size is ended."""
        from ...computer import ComputerTool, Workplace, parse_size

        size = parse_size(self._settable.value("screen"))
        for other, workplace in self._workplaces.items():
            if other != size:
                workplace.close()
        workplace = self._workplaces.setdefault(size, Workplace(size=size))
        return ComputerTool(workplace, app=options.get("app") or "")


class NotebookTools:
    """The toolboxes of a shell's notebook, with the tools that are built in."""

    def __init__(
        self,
        boxes: Toolboxes,
        shell: InteractiveShell,
        recorder: Recorder,
        *,
        standing: QuestionPlaces,
        front_end: FrontEnd,
        render_output: RenderOutput,
    ) -> None:
        self._boxes = boxes
        self._shell = shell
        self._asks = AskInCell(shell, recorder)
        make = partial(
            BuiltIn,
            shell,
            recorder,
            standing,
            front_end,
            render=boxes.render,
            render_output=render_output,
        )
        self._built_in = Once(make)

    def box(
        self, options: QuestionOptions, approver: Approver | None = None
    ) -> FunctionToolbox | None:
        """The tools of a question; who is asked is whoever sits at the cell, or `approver`."""
        built_in: dict[str, Callable[[], Tool | Toolset]] = {
            name: partial(self._built_in().__getitem__, name) for name in NAMES
        }
        built_in["computer"] = partial(self._boxes.computer, options)
        find = partial(chosen, namespace=self._shell.user_ns, built_in=built_in)
        return self._boxes.box(options, find, approver or self._asks)

    def close(self) -> None:
        """End what the tools have left running."""
        self._boxes.close()


def script_box(boxes: Toolboxes, options: QuestionOptions) -> FunctionToolbox | None:
    """The tools of a script's question: functions, the desktop, and those at the server."""
    built_in = {"computer": partial(boxes.computer, options)}
    return boxes.box(options, partial(chosen, namespace={}, built_in=built_in), Nobody())


def shown_to_model(
    value: object, *, prepare: Callable[[object], Prepared] | None = None
) -> Sequence[Block]:
    """A value's blocks as the result of a call: text or images, trimmed to RESULT_CHARACTERS."""
    if isinstance(value, str):
        return [text(trim_middle(terminal_text(value), RESULT_CHARACTERS))]
    return describe(value, prepare=prepare, limit=RESULT_CHARACTERS)


def _words(given: object) -> tuple[object, ...]:
    """The functions and names that `tools` holds; names may stand in one text with commas."""
    words = (t.split(",") if isinstance(t, str) else [t] for t in several(given))
    found = [t.strip() if isinstance(t, str) else t for ts in words for t in ts]
    return tuple(t for t in found if not (isinstance(t, str) and t == ""))
