"""The panel by keyboard and by screen reader: named, reachable, read out, legible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chat import Chat
from tests.browser.conftest import picture
from tests.browser.lab import Notebook
from tests.browser.replying_server import ReplyingServer, Said

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
# All that is ours on the page.
OURS = ".claude-chat-dock, .claude-magic-edit, .claude-magic-error-buttons"
LOAD = "%load_ext claude_magic\n%claude_config base_url={}"
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);"
OFFLINE = "%claude_config base_url=offline tools=run_python\n1 / 0"
CALL = "Call run_python(code='answered = 6 * 7; answered')"
REPLY = """## Finding

A [link](https://example.org/), `code`, *stress*, $x^2$ and a table:

| a | b |
|---|--:|
| 1 | 2 |

> quoted

```python
# a comment
for n in range(3):
    print("a long line that has to scroll sideways in a panel as narrow as this one", n)
```

$$\\int_0^1 x\\,dx = \\tfrac12$$

1. one
2. two
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ReplyingServer]:
    with ReplyingServer(lambda _: Said(REPLY, thinking="First this.")) as running:
        yield running


def found(page: Any) -> list[str]:
    """What axe finds in ours that is serious or critical, with the elements."""
    result = page.evaluate(
        "(ours) => axe.run({include: [...document.querySelectorAll(ours)]},"
        " {resultTypes: ['violations']})",
        OURS,
    )
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in result["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_a_conversation_is_named_legible_and_goes_by_keyboard(
    notebook: Notebook, server: ReplyingServer
) -> None:
    chat, page = Chat(notebook), notebook.page
    notebook.open("axe.ipynb", [LOAD.format(server.url), PLOT, OFFLINE])
    notebook.run(0)
    chat.open()
    page.evaluate(AXE.read_text("utf-8"))
    assert found(page) == [], "with three examples"
    assert chat.find(".claude-chat-example").count() == 3
    notebook.run(1)
    chat.find(".claude-chat-chip img").wait_for()
    chat.ask("What stands out?")
    for read_out in ("Finding", "quoted"):
        chat.find("[role='log']", has_text=read_out).wait_for(state="attached")
    notebook.run(2)
    chat.write(CALL)
    chat.button("Allow").wait_for()
    notebook.command("claude-magic:edit-cell")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        # Colours that are on their way to others are no colours to judge.
        page.evaluate(
            "document.getAnimations().forEach((animation) =>"
            " animation.effect.getComputedTiming().endTime < Infinity && animation.finish())"
        )
        picture(page, f"panel {theme}")
        assert found(page) == [], f"while a call waits, in {theme}"
    by_keyboard(chat)
    narrow(chat)


def by_keyboard(chat: Chat) -> None:
    """A call allowed, a word found, a menu gone through, without a mouse."""
    page = chat.page
    chat.button("Allow").focus()
    page.keyboard.press("Enter")
    chat.composer.and_(page.locator(":focus")).wait_for()
    chat.turn(CALL).and_(page.locator("[aria-busy='false']")).wait_for()
    assert chat.notebook.value("answered") == "42"
    page.keyboard.press("Control+f")
    page.keyboard.type("quoted")
    chat.find(".claude-chat-search [role='status']").get_by_text("1 of 1").wait_for()
    assert found(page) == [], "while it is searched"
    page.keyboard.press("Escape")
    chat.composer.and_(page.locator(":focus")).wait_for()
    more = chat.button("More", chat.find(".claude-chat-header"))
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.textContent === 'Export as JSON for the API'")
    assert found(page) == [], "with its menu"
    page.keyboard.press("Escape")
    more.and_(page.locator(":focus")).wait_for()


def narrow(chat: Chat) -> None:
    """At its narrowest nothing is cut off, and the page does not scroll sideways."""
    assert chat.page.locator(chat.scope).evaluate("e => e.clientWidth") == 320
    over = chat.page.locator(chat.scope).evaluate(
        "panel => [...panel.querySelectorAll('*')].filter((e) => e.checkVisibility()"
        " && e.getBoundingClientRect().right > panel.getBoundingClientRect().right + 1"
        " && !e.closest('pre, table, math, .claude-chat-hidden')).map((e) => e.className)"
    )
    assert over == []
    assert chat.find(".claude-chat-list").evaluate("e => e.scrollWidth - e.clientWidth") == 0
