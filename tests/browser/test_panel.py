"""The chat panel as somebody uses it, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said
from tests.browser.test_conversation import Page
from tests.messages.images.image_samples import photo, saved

PICTURE = base64.b64encode(saved(photo(60, 40))).decode()
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);"
LOAD = "%load_ext claude_magic"


@pytest.fixture
def chat(notebook: Notebook) -> Chat:
    return Chat(notebook)


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    """A server whose replies hold code, or stand still until they are let go."""
    with ReplyingServer(answer) as running:
        yield running


def answer(question: str) -> Said:
    last = question.splitlines()[-1]
    if "mended" in question or "changed cell" in question:
        return Said("It divides by zero.\n\n```python\nx = 1\ny = x / 2\nprint(y)\n```\n")
    if "book" in last:
        return Said("One word and another.\n\n" * 2_500, size=1_000)
    if "code" in last:
        return Said("Here:\n\n```python\nanswer = 6 * 7\nprint(answer)\n```\n\nRun it.")
    if "slowly" in last:
        return Said("One line.\n\n" * 400, seconds=120)
    if "long" in last:
        return Said("\n\n".join(f"Paragraph {n}." for n in range(60)))
    return Said(f"You said: {last}")


# How far the first turn that is called so stands below the top of its list, in pixels.
_PLACE = """([scope, prompt]) => {
  const list = document.querySelector(`${scope} .claude-chat-list`);
  const turn = [...list.querySelectorAll('.claude-chat-turn')]
    .find((t) => t.querySelector('.claude-chat-prompt').textContent === prompt);
  return turn.getBoundingClientRect().top - list.getBoundingClientRect().top;
}"""


def test_what_is_read_stays_in_its_place_when_earlier_turns_are_shown(
    chat: Chat, server: ReplyingServer
) -> None:
    notebook = chat.notebook
    asks = "for n in range(6): get_ipython().run_line_magic('claude', f'Write a book, part {n}')"
    notebook.open("panel-earlier.ipynb", [load(server), asks])
    notebook.run(0)
    notebook.run(1)
    chat.open()
    earlier = chat.button("Show earlier turns")
    earlier.wait_for()
    before = chat.prompts
    assert 0 < len(before) < 6
    here = [chat.scope, before[0]]
    chat.until_at_end()
    chat.find(".claude-chat-list").evaluate("list => { list.scrollTop = 0; }")
    notebook.until_true(lambda: chat.page.evaluate(_PLACE, here) >= 0)
    place = chat.page.evaluate(_PLACE, here)
    earlier.click()
    notebook.until_true(lambda: len(chat.prompts) > len(before))
    notebook.until_true(lambda: abs(chat.page.evaluate(_PLACE, here) - place) < 3)
    picture(chat.page, "panel earlier")


# Whether the end of a turn is what is last seen of its list, and whether more comes below that.
_SEEN = """([scope, prompt]) => {
  const list = document.querySelector(`${scope} .claude-chat-list`);
  const turn = [...list.querySelectorAll('.claude-chat-turn')]
    .find((t) => t.querySelector('.claude-chat-prompt').textContent === prompt);
  const end = turn.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom;
  const below = list.scrollHeight - list.scrollTop - list.clientHeight;
  return end < 2 && end > -60 && below > 100;
}"""


def test_a_question_below_a_cell_further_up_is_answered_there_unless_it_is_to_see_all(
    chat: Chat, server: ReplyingServer
) -> None:
    notebook = chat.notebook
    notebook.open("panel-place.ipynb", [load(server), "a = 1", "b = 2"])
    for cell in range(3):
        notebook.run(cell)
    chat.open()
    notebook.select(2)
    chat.ask("My number is 4711, a long one")
    sees = chat.find(".claude-chat-sees")
    sees.filter(has_text="sees 1 turn · below [3]").wait_for()
    notebook.select(1)
    sees.filter(has_text="sees 0 of 1 turn · below [2]").wait_for()
    picture(chat.page, "panel sees part")
    chat.ask("Which long number?")
    assert chat.prompts == ["Which long number?", "My number is 4711, a long one"]
    assert "4711" not in str(server.requests[-1]["messages"])
    notebook.until_true(lambda: chat.page.evaluate(_SEEN, [chat.scope, "Which long number?"]))
    picture(chat.page, "panel in its place")
    chat.button("See all").click()
    sees.filter(has_text="sees all 2 turns · below [3]").wait_for()
    chat.ask("And now?")
    assert chat.prompts[-1] == "And now?"
    assert "4711" in str(server.requests[-1]["messages"])
    chat.until_at_end()
    picture(chat.page, "panel sees all")
    chat.button("See less").click()
    sees.filter(has_text="sees 1 of 3 turns · below [2]").wait_for()
    notebook.select(2)
    notebook.command("notebook:move-cell-up")
    chat.composer.focus()
    chat.until_prompts("My number is 4711, a long one", "And now?", "Which long number?")
    sees.filter(has_text="sees 2 of 3 turns · below [3]").wait_for()


def load(server: ReplyingServer) -> str:
    return f"{LOAD}\n%claude_config base_url={server.url} model=claude-sonnet-5-5"


def shows(application: str, row: str) -> Any:
    """An application, and what the test shows of it."""
    marks = [pytest.mark.front_end(row, column) for column in ("answers", "figures", "panel")]
    return pytest.param(application, marks=marks)


@pytest.mark.parametrize(
    "application", [shows("lab/tree", "JupyterLab"), shows("notebooks", "Notebook 7")]
)
def test_a_cells_question_stands_in_the_panel_and_the_panel_sees_the_last_figure(
    chat: Chat, application: str
) -> None:
    notebook = chat.notebook
    name = f"panel-{application[:3]}.ipynb"
    notebook.open(name, [LOAD, "%claude Asked in a cell", PLOT], application=application)
    notebook.run(0)
    notebook.run(1)
    chat.open()
    chat.until_prompts("Asked in a cell")
    chat.turn("Asked in a cell").locator(".claude-chat-place", has_text="[2]").wait_for()
    notebook.run(2)
    chat.find(".claude-chat-chip img").wait_for()
    turn = chat.ask("What stands out in the last figure?")
    image = notebook.drawn(turn.locator(".claude-chat-thumbnail img"))
    assert image.evaluate("i => i.clientHeight") == 48
    assert "Image 1: PNG" in turn.inner_text()
    image.click()
    whole = chat.find("dialog img")
    assert whole.evaluate("i => i.decode().then(() => i.naturalWidth)") > 400
    chat.page.keyboard.press("Escape")
    notebook.run(1)
    chat.until_prompts("Asked in a cell", "What stands out in the last figure?")
    picture(chat.page, f"panel {application[:3]}")


def test_a_pasted_picture_goes_along_and_its_question_is_edited_and_branched(chat: Chat) -> None:
    page = Page(chat.notebook)
    page.notebook.open("panel-ask.ipynb", [LOAD])
    page.notebook.run(0)
    chat.open()
    chat.drop(PICTURE)
    chat.button("Leave out dropped.png").click()
    chat.paste(PICTURE)
    chat.chips.locator("img").wait_for()
    assert chat.chips.all_inner_texts() == ["pasted.png"]
    chat.ask("What is this?").locator(".claude-chat-thumbnail img").wait_for()
    page.notebook.until_true(lambda: chat.chips.count() == 0)
    chat.ask("And then?")
    first, second = page.requests()
    assert pictures(first) == pictures(second) == [PICTURE]

    chat.button("Edit the question", chat.turn("What is this?")).click()
    chat.chips.locator("img").wait_for()
    assert chat.composer.input_value() == "What is this?"
    chat.ask("What is that?")
    chat.until_prompts("What is that?")
    assert pictures(page.requests()[-1]) == [PICTURE]
    assert page.asked() == ["What is that?"]
    assert "2 / 2" in chat.turn("What is that?").inner_text()
    picture(chat.page, "panel edited")
    chat.button("Version before", chat.turn("What is that?")).click()
    chat.until_prompts("What is this?", "And then?")

    chat.choose(chat.turn("What is this?"), "Branch off here")
    picture(chat.page, "panel branching")
    chat.ask("Or else?")
    chat.until_prompts("What is this?", "Or else?")
    assert page.asked() == ["What is this?", "Or else?"]


def pictures(request: Any) -> list[str]:
    """The images of a request, base64."""
    blocks = [block for message in request["messages"] for block in message["content"]]
    return [b["source"]["data"] for b in blocks if isinstance(b, dict) and b["type"] == "image"]


TOOL = f"""{LOAD}
calls = []
def lookup_gene(name: str) -> str:
    "What is known of a gene."
    calls.append(name)
    return "it is over-expressed"
%claude_config tools=lookup_gene"""


def test_a_tools_call_is_allowed_and_another_one_denied_by_the_panels_buttons(chat: Chat) -> None:
    page = Page(chat.notebook)
    page.notebook.open("panel-tools.ipynb", [TOOL])
    page.notebook.run(0)
    chat.open()
    waiting = chat.find(".claude-chat-approval")
    chat.write("Call lookup_gene(name='abc')")
    chat.button("Allow", waiting).wait_for()
    assert "lookup_gene is to run" in waiting.inner_text()
    assert "abc" in waiting.inner_text()
    chat.turn("Call lookup_gene").get_by_text("lookup_gene · wanted").first.wait_for()
    picture(chat.page, "panel approval")
    assert page.value("calls") == []
    chat.button("Allow", waiting).click()
    turn = chat.answered("Call lookup_gene(name='abc')")
    assert "lookup_gene · done" in turn.inner_text()
    assert page.value("calls") == ["abc"]

    chat.write("Call lookup_gene(name='def')")
    waiting.get_by_label("Reason for not allowing it").fill("too costly")
    chat.button("Deny", waiting).click()
    turn = chat.answered("Call lookup_gene(name='def')")
    assert "lookup_gene · denied" in turn.inner_text()
    assert "too costly" in str(page.requests()[-1]["messages"][-1])
    assert page.value("calls") == ["abc"]
    page.notebook.until_true(lambda: waiting.count() == 0)


def test_a_search_at_the_server_and_the_sources_of_an_answer_are_read_as_in_a_cell(
    chat: Chat,
) -> None:
    notebook = chat.notebook
    notebook.open("panel-web.ipynb", [LOAD, "%%claude --tools web\nSearch for ants."])
    notebook.run(0)
    chat.open()
    notebook.run(1)
    turn = chat.answered("Search for ants.")
    search = turn.locator("details", has_text="Searched the web: “ants")
    search.locator("summary").click()
    found = search.locator("a").first
    found.wait_for()
    number = turn.locator(".claude-chat-footnote").first
    sources = turn.locator(".claude-chat-sources")
    picture(chat.page, "panel sources")
    assert number.inner_text() == "[1]"
    assert sources.inner_text().startswith("[1] ")
    assert sources.locator("a").first.get_attribute("href").startswith("https://")
    words = "() => document.querySelector('.jp-Notebook .claude-magic-footnotes').textContent"
    assert " ".join(sources.inner_text().split()) == " ".join(chat.page.evaluate(words).split())
    assert "tool_result" not in turn.inner_text()


def test_an_answer_is_stopped_and_another_one_comes_while_a_cell_runs(
    chat: Chat, server: ReplyingServer
) -> None:
    notebook = chat.notebook
    running = "import pathlib, time\nwhile not pathlib.Path('panel-go').exists(): time.sleep(0.05)"
    notebook.open("panel-stop.ipynb", [load(server), running])
    notebook.run(0)
    chat.open()
    notebook.start(1)
    chat.write("Say it slowly")
    turn = chat.turn("Say it slowly")
    turn.get_by_text("One line.").first.wait_for()
    picture(chat.page, "panel live")
    chat.stop()
    assert 0 < turn.get_by_text("One line.").count() < 400
    assert "interrupted; what came is kept" in turn.locator(".claude-chat-below").inner_text()
    chat.ask("Go on quickly")
    messages = server.requests[-1]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert "One line." in str(messages[1])
    assert notebook.js("[...model.cells][1].executionState") == "running", "all the while"
    chat.until_at_end()
    (notebook.lab.folder / "panel-go").touch()
    notebook.until_idle()
    chat.until_prompts("Say it slowly", "Go on quickly")


def test_the_conversation_stays_when_the_notebook_is_renamed_reloaded_and_restarted(
    chat: Chat,
) -> None:
    page = Page(chat.notebook)
    notebook = page.notebook
    notebook.open("panel-old.ipynb", [LOAD, "%claude One"])
    notebook.run_all()
    chat.open()
    chat.find(".claude-chat-title", has_text="panel-old").wait_for()
    chat.ask("Two")
    notebook.js("panel.context.rename('panel-new.ipynb')")
    chat.find(".claude-chat-title", has_text="panel-new").wait_for()
    chat.ask("Three")
    notebook.command("docmanager:save")
    notebook.reload()
    notebook.until_idle()
    chat.open()  # where JupyterLab had no time to keep its layout the panel is closed
    chat.until_prompts("One", "Two", "Three")
    chat.ask("Four")
    assert page.asked() == ["One", "Two", "Three", "Four"]

    notebook.js("panel.sessionContext.restartKernel()")
    notebook.until_idle()
    chat.find(".claude-chat-status", has_text="The kernel was restarted").wait_for()
    chat.until_at_end()
    picture(chat.page, "panel restarted")
    chat.ask("Five")
    chat.until_prompts("One", "Two", "Three", "Four", "Five")
    assert page.asked() == ["One", "Two", "Three", "Four", "Five"]
    notebook.theme("JupyterLab Light")
    assert all(text < 0.4 and ground > 0.8 for text, ground in lightness(chat))
    notebook.theme("JupyterLab Dark")
    picture(chat.page, "panel dark")
    assert all(text > 0.6 and ground < 0.3 for text, ground in lightness(chat))
    notebook.theme("JupyterLab Light")


# The lightness of a text's own colour and of the ground that is seen below it, from 0 to 1.
_LIGHTNESS = """(node) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  let ground = node;
  while (/^rgba\\(.*, 0\\)$/.test(getComputedStyle(ground).backgroundColor)) {
    ground = ground.parentElement;
  }
  return [light(getComputedStyle(node).color), light(getComputedStyle(ground).backgroundColor)];
}"""


def lightness(chat: Chat) -> list[tuple[float, float]]:
    """Of the panel's texts, the lightness of each and of its ground."""
    texts = ".claude-chat-prompt, .claude-chat-text p, .claude-chat-title, textarea, select"
    nodes = chat.find(f":is({texts})").all()
    assert len(nodes) > 5
    return [tuple(node.evaluate(_LIGHTNESS)) for node in nodes]


def test_two_notebooks_side_by_side_have_a_conversation_each(chat: Chat) -> None:
    notebook = chat.notebook
    notebook.write("panel-right.ipynb", [LOAD])
    notebook.open("panel-left.ipynb", [LOAD])
    notebook.run(0)
    chat.open()
    chat.ask("On the left")
    notebook.command("docmanager:open", path="panel-right.ipynb", options={"mode": "split-right"})
    notebook.until_idle()
    notebook.run(0)
    chat.find(".claude-chat-title", has_text="panel-right").wait_for()
    chat.ready()
    chat.ask("On the right")
    chat.until_prompts("On the right")
    picture(chat.page, "panel side by side")
    tabs = chat.page.locator(".lm-DockPanel .lm-TabBar-tab")
    tabs.filter(has_text="panel-left").click()
    chat.until_prompts("On the left")
    chat.ask("Again on the left")
    chat.until_prompts("On the left", "Again on the left")
    tabs.filter(has_text="panel-right").click()
    chat.until_prompts("On the right")
