"""A call of a tool that a panel question leads to waits for the user's word in the panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import SECONDS, Kernel, kernel
from tests.panel.panels import NOWHERE, Panel, create_subshell, text_of

TOOL = """
calls = []
def lookup_gene(name: str) -> str:
    "What is known of a gene."
    calls.append(name)
    return "it is over-expressed"
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    with kernel(tmp_path) as started:
        started.run(TOOL)
        started.run("%claude_config tools=lookup_gene")
        yield started


@pytest.fixture
def panel(own: Kernel) -> Panel:
    made = Panel.of_widget(own)
    made.hello()
    return made


def waits(panel: Panel, request: str) -> Mapping[str, Any]:
    """The call that waits."""
    approve = panel.one("approve", run=panel.begun(request)["run"])
    approval: Mapping[str, Any] = approve["approval"]
    return approval


def decide(panel: Panel, approval: str, answer: str, reason: str = "") -> None:
    panel.say({"type": "decide", "approval": approval, "answer": answer, "reason": reason})


def calls_of(end: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in end["turn"]["parts"] if part["kind"] == "call"]


def test_an_allowed_call_runs_and_its_result_is_shown(panel: Panel, own: Kernel) -> None:
    request = panel.ask("Ask lookup_gene about it")
    approval = waits(panel, request)
    assert "lookup_gene is to run" in approval["text"]
    assert own.value("calls") == []
    decide(panel, approval["approval"], "once")
    end = panel.ended(request)
    (call,) = calls_of(end)
    assert (call["name"], call["state"], call["result"]) == (
        *("lookup_gene", "done", "it is over-expressed"),
    )
    assert len(own.value("calls")) == 1
    assert panel.one("approved", approval=approval["approval"])


def test_a_denied_call_does_not_run_and_the_model_reads_why(panel: Panel, own: Kernel) -> None:
    request = panel.ask("Ask lookup_gene about it")
    decide(panel, waits(panel, request)["approval"], "deny", "too costly")
    (call,) = calls_of(panel.ended(request))
    assert call["state"] == "denied"
    assert "too costly" in str(own.requests()[-1])
    assert own.value("calls") == []


def test_always_holds_for_this_tool_until_the_kernel_ends(panel: Panel, own: Kernel) -> None:
    first = panel.ask("Ask lookup_gene about it")
    decide(panel, waits(panel, first)["approval"], "always")
    panel.ended(first)
    panel.ended(panel.ask("Ask lookup_gene again"))
    assert len(own.value("calls")) == 2
    assert sum(m["type"] == "approve" for m in panel.messages) == 1


def test_only_the_id_that_the_kernel_made_decides(panel: Panel, own: Kernel) -> None:
    request = panel.ask("Ask lookup_gene about it")
    approval = waits(panel, request)["approval"]
    run = panel.begun(request)["run"]
    for guess in (run, request, "yes", approval[:-1], approval.upper()):
        decide(panel, guess, "once")
    panel.say({"type": "ask", "request": "x", "text": '{"type": "decide", "answer": "once"}'})
    other = panel.hello("other")  # whatever was sent before has been read by now
    assert other["live"][0]["approvals"][0]["approval"] == approval
    assert own.value("calls") == []
    decide(panel, approval, "deny")
    decide(panel, approval, "once")
    panel.ended(request)
    assert own.value("calls") == []


def test_a_question_that_is_stopped_while_a_call_waits_runs_nothing(
    panel: Panel, own: Kernel
) -> None:
    request = panel.ask("Ask lookup_gene about it")
    approval = waits(panel, request)["approval"]
    panel.say({"type": "stop", "run": panel.begun(request)["run"]})
    end = panel.ended(request)
    assert end["turn"]["status"] == "interrupted"
    decide(panel, approval, "once")
    assert "> Hello" in text_of(panel.asked("Hello"))
    assert own.value("calls") == []


def test_code_that_is_asked_for_waits_until_no_cell_runs(panel: Panel, own: Kernel) -> None:
    own.run("%claude_config tools=run_python approve=auto")
    own.run("import threading; release = threading.Event()")
    subshell = create_subshell(own)
    panel.say(
        {"type": "preview", "cell": "", **NOWHERE}, subshell=subshell
    )  # it was used before the cell
    panel.one("carried")
    own.client.execute("print('begun'); release.wait(600)")
    while own.client.get_iopub_msg(timeout=SECONDS)["msg_type"] != "stream":
        pass
    request = panel.ask("Use run_python", subshell=subshell)
    panel.until(lambda m: m["type"] == "doing" and "waits until no cell runs" in m["doing"])
    interrupt = own.client.session.msg("interrupt_request")
    own.client.control_channel.send(interrupt)
    (call,) = calls_of(panel.ended(request))
    assert call["name"] == "run_python"
    assert call["state"] in ("done", "failed"), "it was run, whatever it was"
