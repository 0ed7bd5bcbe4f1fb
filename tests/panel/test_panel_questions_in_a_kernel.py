"""Questions of the panel: what goes along, asked again, edited, branched, about a cell."""

from __future__ import annotations

import base64

import pytest

from tests.kernels import Kernel
from tests.messages.images.image_samples import photo, saved
from tests.panel.panels import Panel, asked, prompts, text_of


def png(width: int, height: int) -> bytes:
    """A picture of this size, as a file holds it."""
    return saved(photo(width, height))


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


def test_what_was_sent_and_the_whole_conversation_can_be_had_as_text(panel: Panel) -> None:
    turn = panel.asked("Say it")
    panel.say({"type": "sent", "turn": turn["id"]})
    assert panel.one("sent")["text"] == "Say it"
    for form, start in (("md", "# page"), ("json", "{"), ("py", '"""')):
        panel.say({"type": "export", "form": form})
        said = panel.one("exported", name=f"page.{form}")
        assert said["text"].lstrip().startswith(start), said["text"][:80]
