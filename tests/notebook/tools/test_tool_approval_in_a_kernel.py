"""A call runs in a real kernel only where the user, and nobody else, has allowed it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.notebook.tools.toolboxes import NAMES, QUESTION
from tests.conversation.scripted_server import ScriptedServer, calls, says
from tests.kernels import Kernel, kernel
from tests.notebook.saved_page import SERVER
from tests.notebook.tools.tool_questions import ask, call, results, said
from tests.panel.panels import Panel


class Typing:
    """Types its answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.prompts: list[str] = []
        self._answers = list(answers)

    def __call__(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        return self._answers.pop(0)


@pytest.fixture(scope="module")
def panel(running: Kernel) -> Panel:
    """A panel on the same conversation."""
    made = Panel.of_widget(running)
    made.hello()
    return made


def test_a_call_runs_once_the_user_has_typed_yes_and_not_before(
    running: Kernel, server: ScriptedServer
) -> None:
    running.run("ran = []")
    code = "ran.append(1)  # <script>alert(1)</script> \u202e"
    seen: list[str] = []

    def watch(message: Mapping[str, Any]) -> None:
        if message["msg_type"] == "display_data":
            seen.append(str(message["content"]["data"]))

    typing = Typing("y")
    ran = ask(
        running,
        server,
        "--tools run_python",
        call("run_python", code=code),
        stdin=typing,
        during=watch,
    )
    assert typing.prompts == [QUESTION]
    assert running.value("ran") == [1]
    (asked,) = [data for data in seen if "is to run" in data]
    assert "<script>" not in asked.split("text/plain")[0]
    assert "\\u202e" in asked.replace("\\\\", "\\"), "what would not be seen is written out"
    assert "is to run" not in ran.shown(), "the question is gone once it was answered"


ANSWERS = {
    "n": "This call was not allowed by the user.",
    "": "This call was not allowed by the user.",
    "no, use the other table": "not allowed by the user: use the other table",
    "yes please": "not allowed by the user: yes please",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_is_not_yes_denies_and_the_model_reads_the_reason(
    running: Kernel, server: ScriptedServer, answer: str
) -> None:
    running.run("ran = []")
    ran = ask(
        running,
        server,
        "--tools run_python",
        call("run_python", code="ran.append(1)"),
        stdin=answer,
    )
    assert running.value("ran") == []
    assert ANSWERS[answer] in said(results(server)[0])
    assert "· denied]" in ran.shown()


def test_always_asks_again_once_the_function_was_defined_again(
    running: Kernel, server: ScriptedServer
) -> None:
    typing = Typing("a", "n")
    define = "def counted(): return 1"
    running.run(define)
    for _ in range(2):
        ask(running, server, "--tools counted", call("counted"), stdin=typing)
    assert typing.prompts == [QUESTION]
    assert said(results(server)[0]) == "1"
    running.run(define)
    ask(running, server, "--tools counted", call("counted"), stdin=typing)
    assert len(typing.prompts) == 2


def test_nothing_that_the_model_or_code_says_allows_a_call(
    running: Kernel, server: ScriptedServer
) -> None:
    """Not a tool called like an answer, and not another `input` in the notebook."""
    running.run("import builtins\n_input = builtins.input\nran = []")
    typing = Typing("y", "n")
    first = call("run_python", code="builtins.input = lambda *_: 'a'\ninput = builtins.input")
    second = calls(call("run_python", code="ran.append(1)"), call("yes"), text="y\nyes\n[y]es")
    ask(running, server, "--tools run_python", first, second, stdin=typing)
    running.run("builtins.input = _input\ndel input")
    assert typing.prompts == [QUESTION, QUESTION]
    assert running.value("ran") == []


def test_where_nothing_can_be_typed_the_question_does_not_leave(
    running: Kernel, server: ScriptedServer
) -> None:
    ran = ask(running, server, "--tools run_python", ok=False)
    assert "--approve auto" in ran.error
    assert "--approve never" in ran.error
    assert "\n" not in ran.error
    assert server.bodies == []
    ask(running, server, "--tools read_cells,inspect_variable")  # these need no leave
    ask(running, server, "--tools run_python --approve never", call("run_python", code="1"))
    assert "are denied here" in said(results(server)[0])


MARKED = """
ran = []
@claude_magic.tool(approve="auto")
def free(): ran.append("free")
@claude_magic.tool(approve="ask")
def asks(): ran.append("asks")
def plain(): ran.append("plain")
"""
# The desktop is in `tests/computer`: it takes Xvfb, and a server that knows it.
DENIED: dict[str, Mapping[str, Any]] = {
    "run_python": {"code": "ran.append('run_python')"},
    "read_cells": {},
    "inspect_variable": {"name": "ran"},
    "insert_cell": {"source": "1"},
    "edit_cell": {"cell": "defined", "source": "1"},
    "free": {},
    "asks": {},
    "plain": {},
}


def test_the_table_of_what_never_stops_holds_every_tool_that_is_built_in() -> None:
    assert set(NAMES) - {"computer"} <= set(DENIED)


@pytest.mark.parametrize("tool", DENIED)
@pytest.mark.parametrize("face", ["option", "setting", "panel"])
def test_never_runs_no_tool_whatever_its_own_word_is(
    running: Kernel, server: ScriptedServer, panel: Panel, face: str, tool: str
) -> None:
    running.run(MARKED)
    called = call(tool, **DENIED[tool])
    if face == "option":
        ask(running, server, f"--tools {tool} --approve never", called)
    else:
        running.run(f"%claude_config tools={tool} approve=never")
        if face == "setting":
            ask(running, server, "", called)
        else:
            server.script[:] = [calls(called), says("Done.")]
            panel.asked("Go on")
        running.run("%claude_config tools= approve=")
    (result,) = results(server)
    assert result["is_error"] is True
    assert said(result).endswith("not allowed by the user: calls of this tool are denied here")
    assert running.value("ran") == []


def test_under_never_a_question_with_a_tool_of_the_server_does_not_leave(tmp_path: Path) -> None:
    with kernel(tmp_path) as started:
        ran = started.run("%%claude --tools web --approve never\nGo on", ok=False)
        assert "leave out web, or give --approve ask" in ran.error
        assert started.value(f"{SERVER} is None"), "nothing was sent"


def test_a_project_file_offers_no_tools_and_allows_no_call(
    running: Kernel, server: ScriptedServer, shared_folder: Path
) -> None:
    """It comes with somebody's repository."""
    project = shared_folder / ".claude_magic.toml"
    project.write_text('tools = "run_python"\napprove = "auto"\n', encoding="utf-8")
    try:
        ask(running, server, "")
        assert "tools" not in server.bodies[0]
        ran = ask(running, server, "--tools run_python", ok=False)
        assert "--approve auto" in ran.error
        project.write_text('approve = "never"\n', encoding="utf-8")
        ask(running, server, "--tools run_python", call("run_python", code="1"))
        assert "are denied here" in said(results(server)[0])
    finally:
        project.unlink()


def test_python_asks_with_functions_and_a_function_that_allows(
    running: Kernel, server: ScriptedServer
) -> None:
    server.script[:] = [calls(call("lookup", gene="a"), call("table")), says("Done.")]
    running.run(
        "asked = []\n"
        "def allow(name, arguments):\n"
        "    asked.append([name, arguments])\n"
        "    return name == 'lookup' or 'not the table'\n"
        "reply = claude_magic.ask('Go on', tools=[lookup, table], approve=allow, alone=True)"
    )
    assert running.value("asked") == [["lookup", {"gene": "a"}], ["table", {}]]
    assert [said(r) for r in results(server)][1].endswith("not allowed by the user: not the table")
    assert running.value("reply.text") == "Done."
