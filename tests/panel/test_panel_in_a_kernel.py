"""The chat panel's kernel side, driven by the messages of its comm in a real kernel."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.replying_server import ReplyingServer, Said
from tests.kernels import SECONDS, Kernel, kernel
from tests.messages.image_samples import photo, saved
from tests.panel.panels import VIEW, Panel, create_subshell, shown, text_of

NOTEBOOK = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of its own, whose notebook is the file page.ipynb."""
    (tmp_path / "page.ipynb").write_text('{"cells": []}')
    with kernel(tmp_path, JPY_SESSION_NAME=str(tmp_path / "page.ipynb")) as started:
        yield started


@pytest.fixture
def panel(own: Kernel) -> Panel:
    """A panel that has said hello."""
    made = shown(own)
    made.hello()
    return made


def png(width: int, height: int) -> bytes:
    """A picture of this size, as a file holds it."""
    return saved(photo(width, height))


def prompts(panel: Panel, view: str = "look") -> list[str]:
    """The questions of the conversation as a new view gets them."""
    history = panel.hello(view)
    return [turn["asked"]["prompt"] for turn in history["turns"]]


def asked(kernel: Kernel) -> list[str]:
    """The last lines of the user messages of the last request."""
    found = []
    for message in kernel.requests()[-1]["messages"]:
        if message["role"] == "user":
            content = message["content"]
            found.append(content if isinstance(content, str) else content[-1]["text"])
    return [text.splitlines()[-1] for text in found]


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
    words = "".join(f"word {n} " for n in range(4_000))
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
    panel.say({"type": "preview", "cell": ""}, subshell=subshell)  # it was used before the cell
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
        "from claude_magic.panel.past import Past\n"
        "from claude_magic.panel.views import Views\n"
        f"notebook = {NOTEBOOK}\n"
        "past = Past(notebook, Views(notebook.session, {}))\n"
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


def test_what_goes_along_is_told_and_can_be_left_out(panel: Panel, own: Kernel) -> None:
    own.run("secret = 'height of the tower'", cell="A")
    own.run("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()", cell="B")
    told = panel.until(lambda m: m["type"] == "carried" and len(m["chips"]) == 3)
    first, second, figure = told["chips"]
    assert first["label"].endswith("secret = 'height of the tower'")
    assert (second["kind"], figure["kind"]) == ("cell", "figure")
    assert figure["src"].startswith("data:image/")
    panel.asked("Look", cell="B", without=[first["serial"], figure["serial"]])
    sent = str(own.requests()[-1])
    assert "height of the tower" not in sent
    assert "plt.plot" in sent
    assert "image/png" not in sent
    panel.asked("Again", cell="B")
    assert "plt.plot" not in str(own.requests()[-1]["messages"][-1]), "it went along before"


def test_a_cell_run_since_the_last_panel_question_goes_along_with_the_next(
    panel: Panel, own: Kernel
) -> None:
    own.run("first = 1", cell="A")
    panel.asked("One", cell="A")
    own.run("second = 2", cell="B")
    panel.asked("Two", cell="B")
    last = str(own.requests()[-1]["messages"][-1])
    assert "second = 2" in last
    assert "first = 1" not in last
    own.run("first = 10", cell="A")
    panel.asked("Three", cell="B")
    last = str(own.requests()[-1]["messages"][-1])
    assert "first = 10" in last
    assert "second = 2" not in last


def test_a_picture_is_shown_as_it_will_be_sent_and_goes_along(panel: Panel, own: Kernel) -> None:
    attach = {"type": "attach", "attachment": "a1", "label": "ant.png", "bundle": {}}
    panel.say(attach, png(60, 40))
    told = panel.one("attached", attachment="a1")
    assert told["src"].startswith("data:image/")
    assert told["problem"] == ""
    turn = panel.asked("What is it?", attachments=["a1"])
    assert "Image 1: PNG, 60 x 40 pixels" in text_of(turn)
    assert [(i["width"], i["height"]) for i in turn["asked"]["images"]] == [(60, 40)]
    assert turn["asked"]["images"][0]["src"].startswith("data:image/")
    panel.hello("late")
    small = panel.one("thumbnails", turn=turn["id"])
    assert small["images"] == turn["asked"]["images"]
    panel.say({"type": "picture", "turn": turn["id"], "index": 0})
    found = panel.one("picture", turn=turn["id"])
    assert found["media_type"] == "image/png"
    assert panel.buffers[found["buffer"]] == png(60, 40)


def test_an_output_goes_along_by_the_same_path_as_a_cells_own(panel: Panel, own: Kernel) -> None:
    figure = base64.b64encode(png(30, 20)).decode()
    bundle = {"image/png": figure, "text/plain": "<Figure>"}
    panel.say({"type": "attach", "attachment": "a1", "label": "output of [3]", "bundle": bundle})
    assert panel.one("attached", attachment="a1")["src"]
    table = {"text/plain": "a  b\n1  2"}
    panel.say({"type": "attach", "attachment": "a2", "label": "output", "bundle": table})
    panel.one("attached", attachment="a2")
    turn = panel.asked("These?", attachments=["a1", "a2"])
    assert "30 x 20 pixels" in text_of(turn)
    assert "a  b" in str(own.requests()[-1])


NOT_SENDABLE = {
    "no image": b"not an image at all",
    "nothing": b"",
    "cut off": png(60, 40)[:60],
}


@pytest.mark.parametrize("case", NOT_SENDABLE)
def test_what_cannot_be_sent_is_said_as_it_is_attached(panel: Panel, case: str) -> None:
    attach = {"type": "attach", "attachment": "a1", "label": "x", "bundle": {}}
    panel.say(attach, NOT_SENDABLE[case])
    told = panel.one("attached", attachment="a1")
    assert told["problem"]
    request = panel.ask("With it", attachments=["a1"])
    assert "attach it again" in panel.one("notice", request=request)["text"]


def test_a_question_asked_again_takes_the_place_of_the_first_and_both_can_be_looked_at(
    panel: Panel, own: Kernel
) -> None:
    first = panel.asked("Roll the dice", cell="")
    panel.asked("And then?")
    request = "again-1"
    panel.say({"type": "again", "request": request, "turn": first["id"], "model": ""})
    second = panel.ended(request)["turn"]
    assert panel.begun(request)["instead"][0] == first["id"]
    assert second["versions"] == [first["id"], second["id"]]
    assert len(own.requests()) == 3, "it was really asked again"
    assert asked(own) == ["Roll the dice"]
    assert prompts(panel, "a") == ["Roll the dice"]
    panel.say({"type": "switch", "turn": first["id"]})
    panel.until(lambda m: m["type"] == "turns" and first["id"] in m["order"])
    assert prompts(panel, "b") == ["Roll the dice", "And then?"]


def test_an_edited_question_carries_what_the_first_one_did(panel: Panel, own: Kernel) -> None:
    own.run("height = 3", cell="A")
    panel.say({"type": "attach", "attachment": "a1", "label": "x", "bundle": {}}, png(60, 40))
    panel.one("attached", attachment="a1")
    first = panel.asked("What?", cell="A", attachments=["a1"])
    second = panel.asked("What exactly?", cell="A", instead=first["id"], keep=[0])
    content = own.requests()[-1]["messages"][-1]["content"]
    assert "height = 3" in str(content)
    assert sum(block["type"] == "image" for block in content) == 1
    assert content[-1]["text"] == "What exactly?"
    assert second["versions"] == [first["id"], second["id"]]
    third = panel.asked("What now?", cell="A", instead=second["id"], keep=[])
    content = own.requests()[-1]["messages"][-1]["content"]
    assert sum(block["type"] == "image" for block in content) == 0
    assert len(third["versions"]) == 3
    assert prompts(panel) == ["What now?"]


def test_a_branch_goes_on_from_an_earlier_turn(panel: Panel, own: Kernel) -> None:
    first = panel.asked("One")
    second = panel.asked("Two")
    other = panel.asked("Two, another way", after=first["id"])
    assert asked(own) == ["One", "Two, another way"]
    assert other["versions"] == [second["id"], other["id"]]
    assert prompts(panel) == ["One", "Two, another way"]


def test_a_turn_can_be_taken_out(panel: Panel, own: Kernel) -> None:
    first = panel.asked("One")
    panel.say({"type": "remove", "turn": first["id"]})
    panel.until(lambda m: m["type"] == "turns" and m["order"] == [])
    panel.asked("Two")
    assert asked(own) == ["Two"]


def test_a_cells_question_cannot_be_edited_in_the_panel(panel: Panel, own: Kernel) -> None:
    own.run("%%claude\nFirst", cell="A")
    turn = panel.until(lambda m: m["type"] == "end")["turn"]
    request = panel.ask("Other", instead=turn["id"])
    assert "A cell asked this" in panel.one("notice", request=request)["text"]


def test_the_error_of_a_cell_is_fixed_and_explained_with_what_it_names(
    panel: Panel, own: Kernel
) -> None:
    source = "numbers = [1, 2]\nnumbers[5]"
    own.run(source, cell="A", ok=False)
    about = {"task": "fix", "cell": "A", "source": source, "error": "IndexError"}
    turn = panel.asked("", cell="A", about=about)
    sent = str(own.requests()[-1]["messages"][-1])
    assert turn["asked"]["prompt"] == "Fix the error of cell [3]"
    assert "numbers[5]" in sent
    assert "IndexError: list index out of range" in sent, "the traceback as it was recorded"
    assert "numbers: list, 2 items" in sent
    explained = panel.asked("", cell="A", about={**about, "task": "explain"})
    assert explained["asked"]["prompt"] == "Explain the error of cell [3]"


def test_a_cell_is_edited_and_explained(panel: Panel, own: Kernel) -> None:
    about = {"task": "edit", "cell": "A", "source": "x = 1", "error": ""}
    turn = panel.asked("Make it 2", cell="A", about=about)
    assert turn["asked"]["prompt"].endswith("Make it 2")
    assert "x = 1" in str(own.requests()[-1]["messages"][-1])
    request = panel.ask("  ", cell="A", about=about)
    assert "Say what to change" in panel.one("notice", request=request)["text"]
    panel.asked("", cell="A", about={**about, "task": "explain"})
    assert "Explain what this cell does" in str(own.requests()[-1]["messages"][-1])


def test_the_model_chosen_in_the_panel_holds_there_and_not_in_cells(
    panel: Panel, own: Kernel
) -> None:
    state = panel.one("state")
    assert state["model"] == "claude-sonnet-5-5"
    assert "claude-opus-5-5" in [choice["model"] for choice in state["models"]]
    panel.asked("In the panel", model="claude-opus-5-5")
    own.run("%claude In a cell", cell="A")
    assert [r["model"] for r in own.requests()] == ["claude-opus-5-5", "claude-sonnet-5-5"]


def test_what_was_sent_and_the_whole_conversation_can_be_had_as_text(panel: Panel) -> None:
    turn = panel.asked("Say it")
    panel.say({"type": "sent", "turn": turn["id"]})
    assert panel.one("sent")["text"] == "Say it"
    for form, start in (("md", "# page"), ("json", "{"), ("py", '"""')):
        panel.say({"type": "export", "form": form})
        said = panel.one("exported", name=f"page.{form}")
        assert said["text"].lstrip().startswith(start), said["text"][:80]


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


ERRORS = {
    "an unknown name": ("{{ no_such_name }}", "no_such_name"),
    "an empty question": ("   ", "The question is empty"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_question_that_cannot_be_asked_comes_back_with_a_line(panel: Panel, case: str) -> None:
    words, said = ERRORS[case]
    assert said in panel.one("notice", request=panel.ask(words))["text"]


def test_a_server_that_refuses_is_said_in_one_line_and_nothing_is_kept(
    panel: Panel, own: Kernel
) -> None:
    own.run("%claude_config base_url=http://127.0.0.1:9 model=test")
    end = panel.ended(panel.ask("Anybody?"))
    assert end["turn"] is None
    assert "\n" not in end["error"]
    assert "127.0.0.1" in end["error"]
    assert prompts(panel) == []


NONSENSE: dict[str, Any] = {
    "no message": None,
    "a list": [1],
    "no type": {"view": "x"},
    "unknown type": {"type": "approve_everything"},
    "ask without the rest": {"type": "ask", "request": "r", "text": "Hi"},
    "ask with a wrong type": {"type": "ask", "request": 1, "text": "Hi"},
    "a view that is no id": {"type": "hello", "view": "<script>"},
    "decide on nothing": {"type": "decide", "approval": "x", "answer": "once", "reason": ""},
    "stop of nothing": {"type": "stop", "run": "x"},
    "a turn that is not there": {"type": "switch", "turn": "x"},
    "a picture that is not there": {"type": "picture", "turn": "x", "index": -5},
    "a strange bundle": {
        "type": "attach",
        "attachment": "a",
        "label": "x",
        "bundle": {"image/png": 5, "text/plain": [1], "application/json": {"a": "b"}},
    },
}


@pytest.mark.parametrize("case", NONSENSE)
def test_whatever_comes_in_the_next_question_works(running_panel: Panel, case: str) -> None:
    running_panel.say_raw(NONSENSE[case])
    assert "> Still there?" in text_of(running_panel.asked("Still there?"))


@pytest.fixture(scope="module")
def running_panel(running_kernel: Kernel) -> Panel:
    made = Panel.of_widget(running_kernel)
    made.hello()
    return made


def test_the_key_is_in_no_message(tmp_path: Path) -> None:
    with kernel(tmp_path, ANTHROPIC_API_KEY="sk-ant-canary-0123456789") as started:
        panel = Panel.of_widget(started)
        panel.hello()
        started.run("key = 'sk-ant-canary-0123456789'", cell="A")
        turn = panel.asked("Is sk-ant-canary-0123456789 my key?", cell="A")
        panel.say({"type": "sent", "turn": turn["id"]})
        panel.one("sent")
        assert "canary" not in str(started.requests())
    said = [m for m in panel.messages if m["type"] not in ("carried",)]
    assert "canary" not in str(said)


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
        started.run("from claude_magic.panel.magics import ensure; ensure()")
        ran = started.run("%load_ext claude_magic")
        assert ran.printed == ""
        started.run("%claude Hi")
        assert len(started.requests()) == 1
