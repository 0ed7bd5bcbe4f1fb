"""The chat panel's kernel side, driven by the messages of its comm in a real kernel."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.browser.replying_server import ReplyingServer, Said
from tests.kernels import SECONDS, Kernel, kernel
from tests.panel.panels import (
    NOWHERE,
    VIEW,
    Panel,
    asked,
    create_subshell,
    prompts,
    shown,
    text_of,
)

NOTEBOOK = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook"


def test_where_no_widget_can_be_shown_a_line_says_what_to_do(own: Kernel) -> None:
    (output,) = own.run("%claude_chat").outputs
    assert "%%claude" in output["data"]["text/plain"]
    assert output["data"][VIEW]["model_id"]
    assert "claude_magic" in output["metadata"], "it is not sent as something that was displayed"


@pytest.mark.parametrize("front_end", ["nothing known", "VS Code without anywidget"])
def test_where_no_panel_can_come_up_only_the_line_is_shown(tmp_path: Path, front_end: str) -> None:
    with kernel(tmp_path, JPY_SESSION_NAME="") as started:
        if front_end != "nothing known":
            started.run(
                "__vsc_ipynb_file__ = '/x.ipynb'; import sys; sys.modules['anywidget'] = None"
            )
        (output,) = started.run("%claude_chat").outputs
    assert VIEW not in output["data"]
    assert "%%claude" in output["data"]["text/plain"]


def test_what_is_asked_in_a_cell_appears_in_the_panel_and_the_other_way_round(
    panel: Panel, own: Kernel
) -> None:
    own.run("%%claude\nQuestion of a cell", cell="A")
    end = panel.until(lambda m: m["type"] == "end")
    assert end["turn"]["asked"]["prompt"] == "Question of a cell"
    assert not end["turn"]["asked"]["panel"]
    turn = panel.asked("Question of the panel", cell="A")
    assert turn["asked"]["panel"]
    assert turn["asked"]["place"] == "[3]"
    assert asked(own) == ["Question of a cell", "Question of the panel"]
    own.run("%%claude\nBelow", cell="B")
    assert asked(own) == ["Question of a cell", "Question of the panel", "Below"]
    assert prompts(panel) == ["Question of a cell", "Question of the panel", "Below"]


def test_a_cell_that_runs_again_leaves_what_the_panel_asked_below_it(
    panel: Panel, own: Kernel
) -> None:
    own.run("%%claude\nFirst", cell="A")
    panel.asked("In the panel", cell="A")
    own.run("%%claude\nFirst, changed", cell="A")
    turns = panel.until(lambda m: m["type"] == "turns" and len(m["order"]) == 2)
    assert set(prompts(panel)) == {"First, changed", "In the panel"}
    assert len(turns["order"]) == 2


def test_a_long_reply_comes_in_numbered_deltas_few_a_second_with_the_whole_at_its_end(
    panel: Panel, own: Kernel
) -> None:
    words = " ".join(f"word {n}" for n in range(4_000))
    with ReplyingServer(lambda _: Said(words, seconds=2.0)) as server:
        own.run(f"%claude_config base_url={server.url} model=test")
        turn = panel.asked("Go on")
    assert text_of(turn) == words
    run = panel.messages[-1]["run"] if panel.messages[-1]["type"] == "end" else ""
    deltas = [m for m in panel.messages if m["type"] == "delta" and m["run"] in (run, m["run"])]
    assert [m["n"] for m in deltas] == list(range(len(deltas)))
    assert "".join(part["text"] for m in deltas for _, part in m["parts"]) == words
    assert len(deltas) > 3
    for first, last in zip(panel.sent, panel.sent[21:], strict=False):
        assert (last - first).total_seconds() > 0.9, "over twenty in a second"


def test_it_answers_and_stops_while_a_cell_runs(panel: Panel, own: Kernel) -> None:
    subshell = create_subshell(own)
    panel.say(
        {"type": "preview", "cell": "", **NOWHERE}, subshell=subshell
    )  # it was used before the cell
    panel.one("carried")
    with ReplyingServer(lambda _: Said("Some words, and more of them. " * 40, hold=200)) as server:
        own.run(f"%claude_config base_url={server.url} model=test")
        own.client.execute("import time; print('begun'); time.sleep(600)")
        while own.client.get_iopub_msg(timeout=SECONDS)["content"].get("text") != "begun\n":
            pass
        request = panel.ask("While it runs?", subshell=subshell)
        run = panel.begun(request)["run"]
        panel.one("delta", run=run)
        panel.say({"type": "stop", "run": run}, subshell=subshell)
        end = panel.one("end", run=run)
        assert end["turn"]["status"] == "interrupted"
        assert text_of(end["turn"]).startswith("Some words")
        assert end["error"] == ""
    own.manager.interrupt_kernel()
    assert own.client.get_shell_msg(timeout=SECONDS)["content"]["ename"] == "KeyboardInterrupt", (
        "the cell was still at it"
    )


def test_two_panels_have_the_same_conversation_and_ask_at_once(panel: Panel, own: Kernel) -> None:
    other = shown(own)
    other.hello("view-2")
    with ReplyingServer(lambda t: Said(f"Answer to {t.splitlines()[-1]}", seconds=0.5)) as server:
        own.run(f"%claude_config base_url={server.url} model=test")
        one, two = panel.ask("One"), other.ask("Two")
        texts = {text_of(panel.ended(request)["turn"]) for request in (one, two)}
    assert texts == {"Answer to One", "Answer to Two"}
    assert sorted(prompts(panel)) == ["One", "Two"]


def test_a_view_that_comes_late_gets_what_is_under_way(panel: Panel, own: Kernel) -> None:
    with ReplyingServer(lambda _: Said("Half of it. The other half.", hold=12)) as server:
        own.run(f"%claude_config base_url={server.url} model=test")
        request = panel.ask("Slowly")
        run = panel.begun(request)["run"]
        panel.until(lambda m: m["type"] == "delta" and "Half" in str(m["parts"]))
        history = panel.hello("late")
        (live,) = history["live"]
        assert live["run"] == run
        assert live["parts"][-1]["text"].startswith("Half of it")
        server.go_on()
        after = [m for m in panel.messages[panel.messages.index(history) :] if m["type"] == "delta"]
        end = panel.one("end", run=run)
        after = [m for m in panel.messages[panel.messages.index(history) :] if m["type"] == "delta"]
    held = live["parts"][-1]["text"]
    more = "".join(part["text"] for m in after if m["n"] >= live["n"] for _, part in m["parts"])
    assert held + more == text_of(end["turn"]) == "Half of it. The other half."


def test_what_a_late_view_is_told_is_told_the_others_too(own: Kernel) -> None:
    own.run("%%claude\nOne", cell="A")
    own.run(
        "from claude_magic.panel.turns_told import Past\n"
        "from claude_magic.panel.turns_told import TurnViews\n"
        f"notebook = {NOTEBOOK}\n"
        "past = Past(notebook, TurnViews(notebook.session, {}))\n"
        "past.history('early', [])\n"
        "past.changes({}, wait=False)",
    )
    own.run("%%claude\nTwo", cell="A")
    own.run("late = past.history('late', [])\ntold = past.changes({}, wait=False)")
    assert own.value("[turn['asked']['prompt'] for turn in late['turns']]") == ["Two"]
    assert own.value("told and [turn['asked']['prompt'] for turn in told['turns']]") == ["Two"]


def test_after_a_restart_the_conversation_is_back_from_the_store(tmp_path: Path) -> None:
    here = {"JPY_SESSION_NAME": str(tmp_path / "page.ipynb")}
    (tmp_path / "page.ipynb").write_text(
        '{"cells": [{"id": "A", "cell_type": "code", "source": "1", "metadata": {}}]}'
    )
    with kernel(tmp_path, **here) as first:
        first.run("1", cell="A")
        before = shown(first)
        before.hello()
        before.asked("Remember 42", cell="A")
    with kernel(tmp_path, **here) as second:
        after = shown(second)
        history = after.hello()
        assert [turn["asked"]["prompt"] for turn in history["turns"]] == ["Remember 42"]
        after.asked("And now?", cell="A")
        assert asked(second) == ["Remember 42", "And now?"]


def test_the_model_chosen_in_the_panel_holds_there_and_not_in_cells(
    panel: Panel, own: Kernel
) -> None:
    state = panel.one("state")
    assert state["model"] == "claude-sonnet-5-5"
    assert "claude-opus-5-5" in [choice["model"] for choice in state["models"]]
    panel.asked("In the panel", model="claude-opus-5-5")
    own.run("%claude In a cell", cell="A")
    assert [r["model"] for r in own.requests()] == ["claude-opus-5-5", "claude-sonnet-5-5"]


def test_of_a_long_conversation_the_newest_turns_come_first(panel: Panel, own: Kernel) -> None:
    own.run(
        "for n in range(6):\n"
        "    line = f'--reply {\"x\" * 89_000} Question {n}'\n"
        "    get_ipython().run_line_magic('claude', line)"
    )
    history = panel.hello("again")
    assert history["earlier"] > 0
    assert len(history["turns"]) + history["earlier"] == 6
    panel.say({"type": "earlier", "before": history["turns"][0]["id"]})
    more = panel.one("earlier")
    assert len(more["turns"]) + more["earlier"] == history["earlier"]


def test_unloading_takes_the_panel_away_and_loading_brings_a_new_one(
    panel: Panel, own: Kernel
) -> None:
    own.run("%unload_ext claude_magic")
    threads = (
        "[t.name for t in __import__('threading').enumerate() if 'claude-magic-panel' in t.name]"
    )
    deadline = time.monotonic() + 60
    while own.value(threads) and time.monotonic() < deadline:
        pass
    assert own.value(threads) == []
    assert "claude_chat" not in own.value("list(get_ipython().magics_manager.magics['line'])")
    own.run("%load_ext claude_magic")
    again = shown(own)
    again.hello()
    assert "> Hi" in text_of(again.asked("Hi"))


def test_a_kernel_loaded_for_the_panel_is_as_one_that_is_not_to_its_cells(tmp_path: Path) -> None:
    with kernel(tmp_path, load=False) as started:
        started.run("from claude_magic.panel.chat_magic import ensure; ensure()")
        ran = started.run("%load_ext claude_magic")
        assert ran.printed == ""
        started.run("%claude Hi")
        assert len(started.requests()) == 1
