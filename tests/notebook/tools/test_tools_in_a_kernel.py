"""Tools in a real kernel, called by a server that says what the test has written down."""

from __future__ import annotations

import re

import pytest

from tests.conversation.scripted_server import ScriptedServer, calls, says
from tests.kernels import Kernel
from tests.notebook.tools.tool_questions import (
    AUTO,
    CANARY,
    RECORDER,
    ask,
    call,
    kinds,
    results,
    said,
)


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


def test_a_dry_run_lists_the_tools_that_would_be_offered(
    running: Kernel, server: ScriptedServer
) -> None:
    ran = ask(running, server, f"--tools lookup {AUTO} --dry-run")
    assert "--- tool lookup" in ran.shown()
    assert '"description": "The rows of a gene."' in ran.shown()
    assert server.bodies == []
