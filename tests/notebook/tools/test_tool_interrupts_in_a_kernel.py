"""Tools that take long in a real kernel: interrupted, given up, asked for by a thread."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.conversation.scripted_server import ScriptedServer, calls, says
from tests.kernels import Interrupt, Kernel, Ran, shows
from tests.notebook.tools.tool_questions import AUTO, RECORDER, ask, call, results, said

# Seconds that an interrupt may take on a busy machine: far fewer than what it stops would go on.
PATIENCE = 10.0


def interrupted(
    kernel: Kernel, server: ScriptedServer, line: str, *called: Any, sign: str
) -> tuple[Ran, float]:
    """Ask, and interrupt once what is shown holds `sign`; the cell and how long it took to end."""
    interrupt = Interrupt(kernel, shows(sign))
    ran = ask(kernel, server, line, *called, ok=False, during=interrupt)
    return ran, interrupt.seconds


RUNNING = {
    "code": ("run_python", {"code": "print('begun')\ntime.sleep(30)"}, "begun"),
    "a function": ("sleeps", {}, "begun"),
}


@pytest.mark.parametrize("case", RUNNING)
def test_an_interrupt_while_a_tool_runs_stops_it_and_what_was_finished_stands(
    running: Kernel, server: ScriptedServer, case: str
) -> None:
    name, arguments, sign = RUNNING[case]
    two = calls(call("lookup", gene="a"), call(name, **arguments), call("lookup", gene="b"))
    ran, seconds = interrupted(
        running, server, f"--tools lookup,sleeps,run_python {AUTO}", two, sign=sign
    )
    assert ran.reply["ename"] == "Interrupted"
    assert "\n" not in ran.error
    assert seconds < PATIENCE
    assert len(server.bodies) == 1
    assert re.search(r"\[lookup · [\d.]+ s · ok\]", ran.shown())
    assert "The user stopped this call; a part of what it does may be done." in ran.shown()
    ask(running, server, f"--tools lookup {AUTO}", call("lookup", gene="c"))
    assert said(results(server)[0]) == '["c", "c", "c"]'


def test_an_interrupt_at_the_question_denies_and_stops_all(
    running: Kernel, server: ScriptedServer
) -> None:
    running.run("ran = []")

    def stops(prompt: str) -> None:
        running.manager.interrupt_kernel()

    two = calls(call("run_python", code="ran.append(1)"), call("run_python", code="ran.append(2)"))
    ran = ask(running, server, "--tools run_python", two, stdin=stops, ok=False)
    assert ran.reply["ename"] == "Interrupted"
    assert running.value("ran") == []
    assert len(server.bodies) == 1
    ask(running, server, "--tools run_python", call("run_python", code="ran.append(3)"), stdin="y")
    assert running.value("ran") == [3]


def test_an_interrupted_loop_is_sent_later_as_a_valid_conversation(
    running: Kernel, server: ScriptedServer
) -> None:
    server.script[:] = [calls(call("sleeps"), call("lookup", gene="a")), says("Done.")]
    interrupt = Interrupt(running, shows("sleeps"))
    stopped = f"%%claude --tools sleeps,lookup {AUTO}\nThe stopped one"
    assert (
        running.run(stopped, ok=False, during=interrupt, cell="s").reply["ename"] == "Interrupted"
    )
    running.run("%%claude\nGo on", cell="t")
    assert server.refused == []


def test_a_function_that_runs_too_long_is_given_up(running: Kernel, server: ScriptedServer) -> None:
    running.run("%claude_config tool_timeout=0.2")
    ask(running, server, f"--tools sleeps {AUTO}", call("sleeps"))
    running.run("%claude_config tool_timeout=")
    assert (
        said(results(server)[0])
        == "The call was given up: it ran longer than 0.2 s and was stopped."
    )


THREAD = """import threading
answers = []
def work():
    try:
        how = dict(tools='run_python', alone=True, fresh=True)
        answers.append(claude_magic.ask('Go on', approve='auto', **how).text)
    except BaseException as error:
        answers.append(type(error).__name__)
thread = threading.Thread(target=work)
thread.start()
"""


def until(kernel: Kernel, expression: str) -> None:
    """Return once an expression in the kernel is true."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if kernel.value(expression):
            return
    raise AssertionError(f"never true: {expression}")


def test_code_asked_for_by_a_thread_waits_for_the_main_thread_and_runs_there(
    running: Kernel, server: ScriptedServer
) -> None:
    code = "where = threading.current_thread() is threading.main_thread()\nprint('hi')\nover"
    server.script[:] = [calls(call("run_python", code=code)), says("Done.")]
    server.bodies.clear()
    # The cell ends some time after the call was made: by then it has waited.
    ran = running.run(f"over = False\n{THREAD}\ntime.sleep(1)\nover = True")
    until(running, "len(answers) == 1")
    assert running.value("answers") == ["Done."]
    assert running.value("where") is True
    assert said(results(server)[0]) == "hi\nTrue", "it ran when the cell was over"
    assert "hi" not in ran.printed, "what it shows has no place in a cell"
    sources = running.value(f"[run.source for run in {RECORDER}.runs]")
    assert not [source for source in sources if source.startswith("where =")], "it is no cell"


def test_a_thread_in_which_nobody_can_be_asked_sends_nothing(
    running: Kernel, server: ScriptedServer
) -> None:
    server.bodies.clear()
    running.run(THREAD.replace("approve='auto'", "approve='ask'") + "thread.join()", stdin="y")
    assert running.value("answers") == ["InputError"]
    assert server.bodies == []


STOPPABLE = """import threading
from claude_magic.conversation.events import Doing
from claude_magic.messages.transport.cancel import Cancel
notebook = get_ipython().magics_manager.registry['ClaudeMagics'].notebook
cancel, begun, answers, doing = Cancel(), [], [], []

def listen(event):
    match event:
        case Doing(_, what):
            doing.append(what)

def work():
    words = dict(tools=('run_python',), approve='auto', context=('none',), images=('none',))
    question = notebook.question(dict(alone=True, fresh=True, **words), 'Go on')
    try:
        notebook.session.ask(question, listen, cancel=cancel)
    except KeyboardInterrupt as error:
        answers.append(type(error).__name__)

def stop_once(signs):
    while not signs:
        time.sleep(0.01)
    cancel.set()

thread = threading.Thread(target=work)
"""
STOPPED = {
    "while it waits": ("thread.start()\nstop_once(doing)\nthread.join()", []),
    "while it runs": (
        "thread.start()\nthreading.Thread(target=stop_once, args=(begun,)).start()",
        [1],
    ),
}


@pytest.mark.parametrize("case", STOPPED)
def test_code_asked_for_by_a_thread_is_stopped(
    running: Kernel, server: ScriptedServer, case: str
) -> None:
    start, begun = STOPPED[case]
    code = "begun.append(1)\ntime.sleep(600)"
    server.script[:] = [calls(call("run_python", code=code)), says("Done.")]
    running.run(STOPPABLE + start)
    until(running, "answers")
    assert running.value("answers") == ["Interrupted"]
    assert running.value("begun") == begun
    assert running.value("doing") == ([] if begun else ["waits until no cell runs"])
    assert running.run("print('the next cell runs')").printed == "the next cell runs\n"
