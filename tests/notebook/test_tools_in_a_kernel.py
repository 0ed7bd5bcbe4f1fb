"""Tools in a real kernel, called by a server that says what the test has written down."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from claude_magic.notebook.approval import QUESTION
from tests.conversation.scripted_server import Says, ScriptedServer, calls, says
from tests.kernels import Kernel, Ran, kernel

CANARY = "sk-canary-tools-0123456789"
# Seconds that an interrupt may take on a busy machine: far fewer than what it stops would go on.
PATIENCE = 10.0
DEFINED = """import time
import matplotlib.pyplot as plt
import pandas as pd
import claude_magic

def lookup(gene: str, most: int = 3) -> list[str]:
    "The rows of a gene."
    return [gene] * most

def plot():
    "A figure."
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    plt.close(figure)
    return {"figure": figure, "mean": 1.5}

def table():
    "A table."
    return pd.DataFrame({"gene": ["tp53"], "count": [3]})

def fails():
    "Fails."
    raise ValueError("no such gene")

def sleeps():
    "Takes long."
    print("begun", flush=True)
    time.sleep(30)

async def later(word: str):
    "Comes later."
    return word.upper()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(says("Done.")) as started:
        yield started


@pytest.fixture(scope="module")
def running(server: ScriptedServer, shared_folder: Path) -> Iterator[Kernel]:
    """A kernel whose questions go to the scripted server."""
    environment = {"CLAUDE_MAGIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": CANARY}
    with kernel(shared_folder, **environment) as started:
        started.run(DEFINED, cell="defined")
        yield started


_NUMBERS = itertools.count(1)


def call(name: str, /, **arguments: Any) -> tuple[str, str, Mapping[str, Any]]:
    """A call, with an id that no other one of the conversation has."""
    return f"toolu_{next(_NUMBERS)}", name, arguments


def ask(
    kernel: Kernel,
    server: ScriptedServer,
    line: str,
    *called: tuple[str, str, Mapping[str, Any]] | Says,
    **how: Any,
) -> Ran:
    """Ask with these options; the model makes these calls, one reply each, and then is done."""
    replies = [c if isinstance(c, Says) else calls(c) for c in called]
    server.script[:] = [*replies, says("Done.")]
    server.bodies.clear()
    return kernel.run(f"%%claude --alone --fresh -c none {line}\nGo on", **how)


def results(server: ScriptedServer) -> Sequence[Mapping[str, Any]]:
    """The results that went back in the last request."""
    found = server.bodies[-1]["messages"][-1]["content"]
    return [block for block in found if block["type"] == "tool_result"]


def said(result: Mapping[str, Any]) -> str:
    return "\n".join(b["text"] for b in result["content"] if b["type"] == "text")


def kinds(result: Mapping[str, Any]) -> list[str]:
    return [block["type"] for block in result["content"]]


AUTO = "--approve auto"
RECORDER = "get_ipython().magics_manager.registry['ClaudeMagics'].recorder"


def test_a_function_of_the_notebook_is_called_and_its_result_goes_back(
    running: Kernel, server: ScriptedServer
) -> None:
    ran = ask(running, server, f"--tools lookup {AUTO}", call("lookup", gene="tp53"))
    assert said(results(server)[0]) == '["tp53", "tp53", "tp53"]'
    assert server.bodies[0]["tools"][0]["description"] == "The rows of a gene."
    assert re.search(r"\[lookup · [\d.]+ s · ok\]", ran.shown())
    assert ran.shown().rstrip().split("\n")[-3] == "Done."


def test_figures_and_tables_go_back_as_outputs_of_cells_do(
    running: Kernel, server: ScriptedServer
) -> None:
    ask(running, server, f"--tools plot,table {AUTO}", calls(call("plot"), call("table")))
    plot, table = results(server)
    assert kinds(plot) == ["text", "image", "text", "text"]
    assert said(plot) == "figure:\nmean:\n1.5"
    assert "gene" in said(table)
    assert "tp53" in said(table)


def test_three_calls_of_which_one_fails_are_answered_in_one_message(
    running: Kernel, server: ScriptedServer
) -> None:
    three = calls(call("lookup", gene="a"), call("fails"), call("later", word="b"))
    ran = ask(running, server, f"--tools lookup,fails,later {AUTO}", three)
    one, two, three = results(server)
    assert said(one) == '["a", "a", "a"]'
    assert said(two).startswith('Traceback (most recent call last):\n  File "<cell>", line 23')
    assert said(two).endswith("ValueError: no such gene")
    assert said(three) == "B"
    assert [r.get("is_error", False) for r in results(server)] == [False, True, False]
    assert re.search(r"\[fails · [\d.]+ s · error\]", ran.shown())
    assert ran.status == "ok"


def test_wrong_unknown_and_cut_calls_get_results_that_say_so(
    running: Kernel, server: ScriptedServer
) -> None:
    cut = ("toolu_cut", "lookup", '{"gene": "tp')
    wrong = calls(call("lookup", gen="a"), call("looku", gene="a"), cut)
    ask(running, server, f"--tools lookup {AUTO}", wrong)
    one, two, three = results(server)
    assert said(one).startswith("Wrong arguments for lookup: gene: Field required; gen: Extra")
    assert "Did you mean lookup?" in said(two)
    assert "cut off" in said(three)


def test_the_key_is_in_no_result_and_no_output(running: Kernel, server: ScriptedServer) -> None:
    code = "import os\nprint(dict(os.environ)['ANTHROPIC_API_KEY'])"
    ask(running, server, f"--tools run_python,lookup {AUTO}", call("run_python", code=code))
    assert said(results(server)[0]) == "[key]"
    running.run("def leak(): raise ValueError(__import__('os').environ['ANTHROPIC_API_KEY'])")
    ran = ask(running, server, f"--tools leak {AUTO}", call("leak"))
    assert said(results(server)[0]).endswith("ValueError: [key]")
    assert CANARY not in str(ran.messages)


def test_code_runs_in_the_notebook_and_what_it_shows_stands_in_the_cell_and_goes_back(
    running: Kernel, server: ScriptedServer
) -> None:
    running.run("x = 41")
    code = "print('hi')\nplt.plot([1, 2])\nplt.show()\ny = x + 1\ny"
    ran = ask(running, server, f"--tools run_python {AUTO}", call("run_python", code=code))
    result = results(server)[0]
    assert kinds(result) == ["text", "image", "text"]
    assert said(result) == "hi\n42"
    assert running.value("y") == 42
    assert ran.printed == "hi\n"
    assert sum("image/png" in output["data"] for output in ran.outputs) == 1
    (folded,) = [o["data"]["text/html"] for o in ran.outputs if "<details" in str(o["data"])]
    assert '<span class="n">x</span>' in folded, "the code is highlighted"
    assert "data:image" in folded, "the figure stands there small"


def test_a_figure_that_was_drawn_is_looked_at_and_drawn_better(
    running: Kernel, server: ScriptedServer
) -> None:
    draw = "plt.figure(figsize=(2, 2), dpi=50)\nplt.plot([1, 2])\n{}plt.show()"
    first = call("run_python", code=draw.format(""))
    better = call("run_python", code=draw.format("plt.title('Now with a title')\n"))
    ran = ask(running, server, f"--tools run_python {AUTO}", first, better)
    drawn = [
        [b["source"]["data"] for b in result["content"] if b["type"] == "image"]
        for message in server.bodies[-1]["messages"]
        for result in message["content"]
        if not isinstance(result, str) and result["type"] == "tool_result"
    ]
    assert [len(figures) for figures in drawn] == [1, 1]
    assert drawn[0] != drawn[1]
    (seen,) = results(server)
    assert str(drawn[0][0]) in str(server.bodies[1]), "it was looked at before the second call"
    assert drawn[1][0] in str(seen)
    assert sum("image/png" in output["data"] for output in ran.outputs) == 2
    assert ran.shown().rstrip().split("\n")[-3] == "Done."


FAILING = {
    "an error": ("def f():\n    return 1 / 0\nf()", 'File "<cell>", line 3'),
    "code that is none": ("x = = 1", "SyntaxError: invalid syntax"),
    "await at the top": ("import asyncio\nawait asyncio.sleep(0)", "'await' outside function"),
    "a magic that is used wrongly": ("%matplotlib nowhere_at_all", "nowhere_at_all"),
}


@pytest.mark.parametrize("case", FAILING)
def test_code_that_fails_is_an_error_result_and_the_cell_ends_well(
    running: Kernel, server: ScriptedServer, case: str
) -> None:
    code, says = FAILING[case]
    ran = ask(running, server, f"--tools run_python {AUTO}", call("run_python", code=code))
    assert results(server)[0]["is_error"] is True
    assert says in said(results(server)[0])
    assert ran.status == "ok"
    assert not [m for m in ran.messages if m["msg_type"] == "error"]


def test_the_code_that_ran_is_no_cell_and_goes_along_with_no_later_question(
    running: Kernel, server: ScriptedServer
) -> None:
    server.script[:] = [calls(call("run_python", code="print('what ' + 'ran')")), says("Done.")]
    running.run("%%claude --tools run_python --approve auto\nGo on", cell="asks")
    server.bodies.clear()
    running.run("%%claude\nAnd now?", cell="asks-next")
    question = str(server.bodies[0]["messages"][-1])
    assert "what ran" not in question
    assert "'what '" not in question
    sources = running.value(f"[run.source for run in {RECORDER}.runs]")
    assert not [source for source in sources if source.startswith("print('what")]


class Typing:
    """Types its answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.prompts: list[str] = []
        self._answers = list(answers)

    def __call__(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        return self._answers.pop(0)


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


def interrupted(
    kernel: Kernel, server: ScriptedServer, line: str, *called: Any, sign: str
) -> tuple[Ran, float]:
    """Ask, and interrupt once what is shown holds `sign`; the cell and how long it took to end."""
    at: list[float] = []

    def watch(message: Mapping[str, Any]) -> None:
        content = message["content"]
        if not at and sign in f"{content.get('data')}{content.get('text')}":
            at.append(time.monotonic())
            kernel.manager.interrupt_kernel()

    ran = ask(kernel, server, line, *called, ok=False, during=watch)
    assert at, "the moment to interrupt never came"
    return ran, time.monotonic() - at[0]


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

    def watch(message: Mapping[str, Any]) -> None:
        if "sleeps" in str(message["content"].get("data")):
            running.manager.interrupt_kernel()

    running.run(
        f"%%claude --tools sleeps,lookup {AUTO}\nThe stopped one", ok=False, during=watch, cell="s"
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


def test_a_huge_result_is_trimmed_and_that_is_said(running: Kernel, server: ScriptedServer) -> None:
    running.run("def huge():\n    return 'a' * 10_000_000")
    ask(running, server, f"--tools huge {AUTO}", call("huge"))
    assert "characters left out …]" in said(results(server)[0])
    assert len(said(results(server)[0])) < 25_000


def test_cells_are_read_with_what_they_showed(running: Kernel, server: ScriptedServer) -> None:
    running.run("print('needle 1')\nplt.plot([2, 1]);", cell="needle")
    running.run("'needle 2' + ' #'", cell="other")
    find = call("read_cells", search="NEEDLE", count=2)
    ask(running, server, "--tools read_cells", find, cell="reads")
    shown = results(server)[0]
    assert '"needle"' in said(shown)
    assert "print('needle 1')" in said(shown)
    assert "needle 2 #" in said(shown)
    assert "image" in kinds(shown)
    ask(running, server, "--tools read_cells", call("read_cells", first=900), cell="reads")
    assert said(results(server)[0]).startswith("No cell that is known here fits; known are 1-")


def test_variables_are_looked_at_and_secrets_are_not(
    running: Kernel, server: ScriptedServer
) -> None:
    running.run("frame = table()\napi_token = 'hush'")
    looks = calls(
        call("inspect_variable", name="frame"),
        call("inspect_variable", name="api_token"),
        call("inspect_variable", name="fram"),
        call("inspect_variable", name="frame.to_csv('x')"),
        call("inspect_variable"),
    )
    ask(running, server, "--tools inspect_variable", looks)
    frame, token, unknown, expression, every = map(said, results(server))
    assert "tp53" in frame
    assert "hush" not in token
    assert "Did you mean frame?" in unknown
    assert expression.startswith("There is no variable")
    assert "frame: DataFrame, 1 row x 2 columns" in every


def test_a_cell_is_put_below_where_no_page_listens(running: Kernel, server: ScriptedServer) -> None:
    two = calls(call("insert_cell", source="a = 1"), call("insert_cell", source="b = 2"))
    ran = ask(
        running, server, f"--tools insert_cell {AUTO}", two, call("edit_cell", cell="x", source="")
    )
    assert [p["text"] for p in ran.reply["payload"]] == ["a = 1\n\nb = 2"]
    ask(running, server, f"--tools edit_cell {AUTO}", call("edit_cell", cell="needle", source="1"))
    assert "JupyterLab with its extension only" in said(results(server)[0])


def test_settings_offer_tools_with_every_question_and_none_takes_them_back(
    running: Kernel, server: ScriptedServer
) -> None:
    running.run("%claude_config tools=lookup,table approve=auto steps=1")
    ask(running, server, "", call("lookup", gene="a"))
    assert server.bodies[-1]["tool_choice"] == {"type": "none"}, "one round, and then it sums up"
    assert [tool["name"] for tool in server.bodies[0]["tools"]] == ["lookup", "table"]
    ask(running, server, "--tools none")
    assert "tools" not in server.bodies[0]
    running.run("%claude_config tools= approve= steps=")


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


UNKNOWN = {
    "--tools lokup": "did you mean lookup?",
    "--tools run_pyton": "did you mean run_python?",
    "--tools pd.DataFram": "did you mean pd.DataFrame?",
    "--tools frame": "a DataFrame is no tool",
    "--tools nothing_like_it": "define the function, and run its cell, first",
    "--approve maybe": "choose one of ask, auto, never",
    "--steps 0": "not a whole number from 1 on",
}


@pytest.mark.parametrize("line", UNKNOWN)
def test_a_tool_that_is_none_is_refused_before_anything_leaves(
    running: Kernel, server: ScriptedServer, line: str
) -> None:
    running.run("frame = table()")
    ran = ask(running, server, line, ok=False)
    assert UNKNOWN[line] in ran.error
    assert "\n" not in ran.error
    assert server.bodies == []


NAMED = {
    "a method": ("path.with_suffix", "with_suffix", {"suffix": ".csv"}, "notes.csv"),
    "an alias": ("found", "found", {"gene": "a"}, "a"),
    "a list": ("several", "lookup", {"gene": "a"}, "a"),
    "a tool object": ("made", "half", {"x": 3}, "1.5"),
}


@pytest.mark.parametrize("case", NAMED)
def test_tools_are_found_by_name(running: Kernel, server: ScriptedServer, case: str) -> None:
    word, name, arguments, says = NAMED[case]
    running.run(
        "from pathlib import Path\npath = Path('notes.txt')\nfound = lookup\n"
        "several = [lookup, table]\n"
        "from claude_magic.tools.function import function_tool\n"
        "made = function_tool(lambda x: x / 2, 'half')"
    )
    ask(running, server, f"--tools {word} {AUTO}", call(name, **arguments))
    assert says in said(results(server)[0])


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
from claude_magic.conversation.watcher import Silent
from claude_magic.messages.cancel import Cancel
from claude_magic.notebook.options import RequestOptions
notebook = get_ipython().magics_manager.registry['ClaudeMagics'].notebook
cancel, begun, answers, doing = Cancel(), [], [], []

class Watching(Silent):
    def doing(self, call, what):
        doing.append(what)

def work():
    words = dict(tools=('run_python',), approve='auto', context=('none',), image=('none',))
    question = notebook.question(RequestOptions(alone=True, fresh=True, **words), 'Go on')
    try:
        notebook.session.ask(question, Watching(), cancel=cancel)
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


def test_a_dry_run_lists_the_tools_that_would_be_offered(
    running: Kernel, server: ScriptedServer
) -> None:
    ran = ask(running, server, f"--tools lookup {AUTO} --dry-run")
    assert "--- tool lookup" in ran.shown()
    assert '"description": "The rows of a gene."' in ran.shown()
    assert server.bodies == []
