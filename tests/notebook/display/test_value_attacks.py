"""A value of a reply in JSON is untrusted text: whatever it holds, it is shown as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from claude_magic.notebook.display.json_value import value_bundle
from tests.rendering.attacks import ALL
from tests.rendering.html_reading import Page, active_parts

PLACES: dict[str, Callable[[str], Any]] = {
    "by itself": lambda text: text,
    "in a list": lambda text: [text, "x" * 300],
    "in a short list": lambda text: [text, 1],
    "in a record": lambda text: {"a": text},
    "as a name": lambda text: {text: 1},
    "in a table": lambda text: [{"a": text, "b": 1}, {"a": 2}],
    "as a column": lambda text: [{text: 1}, {text: 2}],
    "folded": lambda text: {"a": {"b": [{"c": text}, {text: [{"d": text}]}]}},
    "in a list of lists": lambda text: [[[text, {}], 1], [2]],
}
# A column's numbers are aligned by a style of the exporter's own.
ACTIVE = re.compile(r"tag (img|script|svg|iframe|form|style)|attribute (?!t[hd] style)|link ")
each = pytest.mark.parametrize("attack", ALL.values(), ids=ALL.keys())


class Tags(HTMLParser):
    """The tags of an HTML text with their attributes, but for the elements that shield `$` and
    a backslash."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "span" or attrs:
            self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag != "span":
            self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(value: Any) -> str:
    return str(value_bundle(value)["text/html"])


@each
def test_no_text_of_a_value_becomes_html(attack: str) -> None:
    harmless = "x" * len(attack)
    for name, place in PLACES.items():
        assert Tags(html(place(attack))).found == Tags(html(place(harmless))).found, name


@each
def test_no_text_of_a_value_is_typeset(attack: str) -> None:
    for name, place in PLACES.items():
        assert Page(html(place(attack))).formulas == [], name


@each
def test_the_markdown_of_a_value_is_inert(attack: str) -> None:
    for name, place in PLACES.items():
        source = str(value_bundle(place(attack))["text/markdown"])
        assert active_parts(source) == [], name
        exported = Page(markdown2html_mistune(source)).faults
        assert [fault for fault in exported if ACTIVE.match(fault)] == [], name


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_terminal_gets_no_escapes(place: Callable[[str], Any]) -> None:
    for text in value_bundle(place("a\x1b]0;evil\x07\x9b31m\u202eb\rc\x00\ud800")).values():
        assert not set(text) & set("\x1b\x9b\x07\u202e\r\x00\ud800")


SYNTAX = """# - + * _ ` ``` ~~~ | --- > 1. 2) [ ]( ) ![ <b> & $ $$ \\( \\) \\ : = a"""
pieces = st.sampled_from([*SYNTAX.split(), " ", "\n"])
words = st.lists(pieces, max_size=6).map("".join) | st.text(max_size=6)
parts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(parts)
@settings(max_examples=300)
def test_any_value_is_shown_and_nothing_of_it_is_active(value: Any) -> None:
    bundle = value_bundle(value)
    page = Page(bundle["text/html"])
    ours = {"tag details", "tag summary", "attribute details class", "attribute details open"}
    ours |= {"class claude-magic-fold", "class claude-magic-line"}
    assert set(page.faults) <= ours
    assert page.formulas == []
    assert active_parts(bundle["text/markdown"]) == []
