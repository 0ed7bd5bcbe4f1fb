"""The chat panel in the browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.browser.lab import Notebook

DOCK = ".claude-chat-docked:not(.lm-mod-hidden) .claude-chat"
IN_CELL = ".jp-OutputArea-output .claude-chat"

# A paste as the browser makes it, which no page can make itself.
_PASTE = """async ([selector, base64, type]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], 'pasted.png', {type}));
  const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
  document.querySelector(selector).dispatchEvent(event);
}"""
_DROP = """async ([selector, base64, type]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], 'dropped.png', {type}));
  const target = document.querySelector(selector);
  for (const name of ['dragover', 'drop']) {
    const how = {dataTransfer: data, bubbles: true, cancelable: true};
    target.dispatchEvent(new DragEvent(name, how));
  }
}"""
# Milliseconds from the click until no turn is under way, without the way to the browser.
_STOP = """async (scope) => {
  const began = performance.now();
  document.querySelector(`${scope} .claude-chat-stop`).click();
  while (document.querySelector(`${scope} .claude-chat-turn[aria-busy=true]`)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - began;
}"""


class Chat:
    """One panel on the page, at the right or where `scope` says."""

    def __init__(self, notebook: Notebook, scope: str = DOCK) -> None:
        self.notebook = notebook
        self.scope = scope

    @property
    def page(self) -> Any:
        return self.notebook.page

    def find(self, selector: str, **which: Any) -> Any:
        """Elements within the panel, `which` as for Playwright's own locators."""
        return self.page.locator(f"{self.scope} {selector}", **which)

    def button(self, name: str, within: Any = None) -> Any:
        """A button by the name that a screen reader says."""
        place = self.page.locator(self.scope) if within is None else within
        return place.get_by_role("button", name=name, exact=True)

    def open(self) -> None:
        """Open the panel of this notebook, and wait until it has the conversation."""
        self.notebook.command("claude-magic:open-chat")
        self.ready()

    def ready(self) -> None:
        """Wait until the panel has the conversation."""
        self.find(":is(.claude-chat-empty, .claude-chat-turn):visible").first.wait_for()

    @property
    def composer(self) -> Any:
        return self.find("textarea")

    def write(self, text: str) -> None:
        """Write a question, and send it by the keyboard."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def ask(self, text: str) -> Any:
        """Ask, and wait until it is answered: the turn."""
        self.write(text)
        return self.answered(text)

    def answered(self, text: str) -> Any:
        """The turn whose question holds this text, once nothing more comes of it."""
        self.page.wait_for_function(
            "([scope, text]) => [...document.querySelectorAll(`${scope} .claude-chat-turn`)].some("
            "(t) => t.getAttribute('aria-busy') === 'false'"
            " && t.querySelector('.claude-chat-prompt').textContent.includes(text))",
            arg=[self.scope, text],
        )
        return self.turn(text)

    def turn(self, text: str) -> Any:
        """The turn whose question holds this text."""
        prompt = self.page.locator(".claude-chat-prompt", has_text=text)
        return self.find(".claude-chat-turn").filter(has=prompt).last

    def until_at_end(self) -> None:
        """Wait until the end of the conversation is in view."""
        self.page.wait_for_function(
            "(scope) => { const list = document.querySelector(`${scope} .claude-chat-list`);"
            " return list.scrollHeight - list.scrollTop - list.clientHeight < 2; }",
            arg=self.scope,
        )

    @property
    def prompts(self) -> list[str]:
        """The questions that stand there, from top to bottom."""
        texts: list[str] = self.find(".claude-chat-turn .claude-chat-prompt").all_text_contents()
        return texts

    def until_prompts(self, *prompts: str) -> None:
        """Wait until these questions stand there, and no others."""
        self.page.wait_for_function(
            "([scope, wanted]) => JSON.stringify([...document.querySelectorAll("
            "`${scope} .claude-chat-turn .claude-chat-prompt`)].map((p) => p.textContent))"
            " === JSON.stringify(wanted)",
            arg=[self.scope, list(prompts)],
        )

    def stop(self) -> float:
        """Press Stop, and wait until nothing more comes: the seconds until then."""
        return float(self.page.evaluate(_STOP, self.scope)) / 1000

    def paste(self, base64: str, kind: str = "image/png") -> None:
        """Paste a picture into the composer."""
        self.page.evaluate(_PASTE, [f"{self.scope} textarea", base64, kind])

    def drop(self, base64: str, kind: str = "image/png") -> None:
        """Drop a picture onto the panel."""
        self.page.evaluate(_DROP, [self.scope, base64, kind])

    @property
    def chips(self) -> Any:
        """What would go along."""
        return self.find(".claude-chat-chip")

    def choose(self, turn: Any, *entries: str) -> None:
        """Choose an entry of a turn's menu."""
        turn.hover()
        self.button("More", turn).click()
        for entry in entries:
            self.page.get_by_role("menuitem", name=entry, exact=True).click()


def ids(messages: Iterable[Any]) -> list[str]:
    """The ids of some turns."""
    return [str(message["id"]) for message in messages]
