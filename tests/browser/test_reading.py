"""A reply in a real JupyterLab as its reader has it: maths, code, thumbnails, long texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import picture
from tests.browser.lab import Lab, Notebook
from tests.browser.replying_server import ReplyingServer, Said

MATHS = "Here $x^2$ and \\(a\\) stand, and\n\n$$\n\\int_0^1 x\\,dx\n$$\n\nIt costs $5 to $10."
CODE = """A loop:

```python
for name in ["a", "b"]:  # a comment
    print(name, 1)
```

Inline `code` and a list:

1. one
   ```sql
   SELECT a FROM b
   ```
2. two

| name | value |
|---|---:|
| a | 1 |
| b | 20 |

> A quote with a [link](https://example.org).
"""


def long_reply() -> str:
    """About 26 kB, with lists, code, tables and formulas, each block numbered."""
    kinds = (
        "Block {n} is a paragraph. " + "It goes on with words of which there are many. " * 6,
        "- Block {n} is a list\n- with two items",
        "```python\nblock = {n}\n\nfor i in range(block):\n    print(i)\n```",
        "| Block {n} | value |\n|---|---|\n| a | $x_{{{n}}}$ |",
        "## Block {n}\n\n$$\n\\sum_{{i=1}}^{{{n}}} i\n$$",
    )
    blocks = [kinds[n % len(kinds)].format(n=n) for n in range(270)]
    return "\n\n".join(blocks) + "\n"


LONG = long_reply()
TORN = "The beginning.\n\n" + "A paragraph between. " * 200 + "\n\nThe end."
REPLIES = {
    "maths": Said(MATHS),
    "code": Said(CODE),
    "figure": Said("A red rectangle.", thinking="Red it is."),
    "long": Said(LONG, size=len(LONG) // 400 + 1, seconds=3.0),
    "torn": Said(TORN, size=100, hold=2000),
}
NAMES = ("maths", "code", "figure", "long")
FIRST = 2  # the cell of the first question
SETUP = "%load_ext claude_magic\n%claude_config base_url={} model=test context=none"


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    with ReplyingServer(lambda question: REPLIES[question.split()[-1]]) as replying:
        yield replying


@pytest.fixture(scope="module")
def reading(
    lab: Lab, browser: Any, browser_context_args: dict[str, Any], server: ReplyingServer
) -> Iterator[Notebook]:
    """A notebook in which every question has been answered."""
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    notebook = Notebook(lab, page)
    figure = "from PIL import Image\nImage.new('RGB', (400, 300), 'red')"
    asked = [f"%claude {'-i last ' * (name == 'figure')}{name}" for name in NAMES]
    notebook.open("reading.ipynb", [SETUP.format(server.url), figure, *asked])
    notebook.run_all()
    yield notebook
    context.close()


def reply(notebook: Notebook, name: str) -> Any:
    return notebook.output(FIRST + NAMES.index(name))


def test_formulas_are_typeset_and_money_is_not(reading: Notebook) -> None:
    shown = reply(reading, "maths")
    shown.locator("mjx-container").nth(2).wait_for()
    assert shown.locator("mjx-container").count() == 3
    assert shown.locator("mjx-container[display='true']").count() == 1
    assert shown.get_by_text("It costs $5 to $10.").count() == 1


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_code_has_the_colours_of_the_theme_and_no_ground_of_its_own(
    reading: Notebook, theme: str
) -> None:
    reading.theme(theme)
    shown = reply(reading, "code")
    keyword, comment = (
        shown.evaluate(
            """(output, variable) => {
              const probe = output.appendChild(document.createElement('span'));
              probe.style.color = `var(--jp-mirror-editor-${variable}-color)`;
              const color = getComputedStyle(probe).color;
              probe.remove();
              return color;
            }""",
            variable,
        )
        for variable in ("keyword", "comment")
    )
    color = "e => getComputedStyle(e).color"
    assert shown.locator(".highlight .k").first.evaluate(color) == keyword
    assert shown.locator(".highlight .c1").first.evaluate(color) == comment
    assert keyword != comment
    grounds = shown.locator(".highlight code").evaluate_all(
        "codes => codes.map(e => [e, e.parentElement].map(x => getComputedStyle(x)))"
        ".map(([code, pre]) => [code.backgroundColor, pre.backgroundColor])"
    )
    assert len(grounds) == 2
    for code, pre in grounds:
        assert code in (pre, "rgba(0, 0, 0, 0)")
    shown.scroll_into_view_if_needed()
    picture(reading.page, f"reading {theme}")


@pytest.mark.parametrize("way", ["click", "keyboard"])
def test_a_thumbnail_opens_and_closes(reading: Notebook, way: str) -> None:
    details = reply(reading, "figure").locator("details.claude-magic-thumbnail")
    image = details.locator("img")

    def toggle() -> None:
        if way == "click":
            image.click()
        else:
            details.locator("summary").focus()
            reading.page.keyboard.press("Space")

    assert image.evaluate("i => i.clientHeight") == 48
    toggle()
    details.and_(reading.page.locator("[open]")).wait_for()
    assert image.evaluate("i => i.clientHeight") > 48
    picture(reading.page, f"reading thumbnail {way}")
    toggle()
    details.and_(reading.page.locator(":not([open])")).wait_for()


def test_the_footer_tells_its_detail_on_hover(reading: Notebook) -> None:
    footer = reply(reading, "maths").locator(".claude-magic-line[title]")
    assert footer.count() == 1
    assert "stop reason end_turn" in footer.get_attribute("title")


def parts(notebook: Notebook, cell: int) -> list[dict[str, str]]:
    """The mimebundles of a cell's outputs, as JupyterLab holds them."""
    outputs: list[dict[str, Any]] = notebook.page.evaluate(
        "(n) => jupyterapp.shell.currentWidget.content.widgets[n].model.outputs.toJSON()", cell
    )
    return [output["data"] for output in outputs]


def test_a_long_reply_is_whole_and_within_twelve_outputs(reading: Notebook) -> None:
    cell = FIRST + NAMES.index("long")
    outputs = parts(reading, cell)
    assert 4 <= len(outputs) <= 12
    whole = "".join(o["text/plain"] for o in outputs[1:])
    assert whole.split()[: len(LONG.split())] == LONG.split()
    shown = reply(reading, "long").inner_text()
    numbers = [int(n) for n in re.findall(r"\b[Bb]lock(?: =)? (\d+)", shown)]
    assert numbers == list(range(270))


def test_a_reply_torn_by_a_reload_is_whole_when_its_cell_runs_again(
    notebook: Notebook, server: ReplyingServer
) -> None:
    page = notebook.page
    page.on("dialog", lambda dialog: dialog.accept())  # leaving a notebook that is not saved
    notebook.open("torn.ipynb", [SETUP.format(server.url), "%claude torn"])
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    shown, end = notebook.output(1), notebook.output(1).get_by_text("The end.")
    shown.get_by_text("The beginning.").wait_for()
    assert end.count() == 0
    notebook.reload()
    server.go_on()
    notebook.until_idle()
    notebook.run_all()
    end.wait_for()
    assert end.count() == shown.get_by_text("The beginning.").count() == 1
    whole = "".join(part["text/plain"] for part in parts(notebook, 1)[1:])
    assert whole.split("\n\n")[:3] == TORN.split("\n\n")
