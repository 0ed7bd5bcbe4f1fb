"""A reply is untrusted text: whatever it holds, nothing runs, loads or leaves the page's look."""

from __future__ import annotations

import re

import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from claude_magic.rendering import TerminalFilter, code_bundle, plain, reply_bundle
from tests.rendering.attacks import ALL, BEACON, CODE, HTML, IMAGES, LINKS
from tests.rendering.html_reading import Page, active_parts


def each(attacks: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("markdown", attacks.values(), ids=attacks.keys())


@each(ALL)
def test_the_html_holds_only_allowed_tags_attributes_classes_and_schemes(markdown: str) -> None:
    assert Page(reply_bundle(markdown)["text/html"]).faults == []


@each(ALL)
def test_every_start_of_an_attack_is_as_harmless_as_its_whole(markdown: str) -> None:
    """A tag may be cut anywhere between the chunks of a stream."""
    for end in range(0, min(len(markdown), 120)):
        bundle = reply_bundle(markdown[:end])
        assert Page(bundle["text/html"]).faults == []


@each(ALL)
def test_the_typesetter_is_given_no_command_that_leaves_mathematics(markdown: str) -> None:
    formulas = Page(reply_bundle(markdown)["text/html"]).formulas
    assert not any("\\" in formula[2:-2] or len(formula) > 5000 for formula in formulas), formulas


@each(HTML | IMAGES)
def test_the_text_of_an_attack_stays_visible(markdown: str) -> None:
    page = Page(reply_bundle(markdown)["text/html"])
    for word in ("alert(1)", BEACON):
        assert (word in page.text) == (word in markdown)


@each(LINKS)
def test_only_web_and_mail_addresses_are_links(markdown: str) -> None:
    links = Page(reply_bundle(markdown)["text/html"]).links
    assert all(link.startswith("https://host/") for link in links)


@each(ALL)
def test_the_markdown_is_inert_in_parsers_that_trust_it(markdown: str) -> None:
    source = reply_bundle(markdown)["text/markdown"]
    assert active_parts(source) == []
    nbconvert = Page(markdown2html_mistune(source))
    active = {"tag img", "tag script", "tag svg", "tag iframe", "tag form", "tag style"}
    assert not active & set(nbconvert.faults)
    assert not any(re.match("attribute .* (on.*|style|data-.*)$", f) for f in nbconvert.faults)


def test_no_mermaid_block_reaches_a_front_end_that_draws_it() -> None:
    bundle = reply_bundle(CODE["mermaid"])
    assert "mermaid" not in bundle["text/markdown"]
    assert "graph TD" in Page(bundle["text/html"]).text


LITERAL = {
    "path": "/etc/passwd",
    "dot": ".",
    "address": "https://x",
    "home": "~/.ssh/id_rsa",
    "file address": "file:///etc/passwd",
}


@each(LITERAL)
def test_a_reply_that_reads_like_a_path_or_address_is_shown_literally(markdown: str) -> None:
    bundle = reply_bundle(markdown)
    assert Page(bundle["text/html"]).text.strip() == markdown
    assert bundle["text/plain"] == markdown


TERMINAL = {
    "colour": ("a\x1b[31mb\x1b[0mc", "abc"),
    "clear screen": ("\x1b[2J\x1b[Ha", "a"),
    "private mode": ("\x1b[?1049ha", "a"),
    "intermediate byte": ("\x1b[1 qa", "a"),
    "title, BEL": ("\x1b]0;evil\x07a", "a"),
    "title, ST": ("\x1b]0;evil\x1b\\a", "a"),
    "clipboard": ("\x1b]52;c;cm0gLXJm\x07a", "a"),
    "hyperlink": ("\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"),
    "device control": ("\x1bP$qm\x1b\\a", "a"),
    "privacy message": ("\x1b^x\x1b\\a", "a"),
    "application command": ("\x1b_Gf=100;AAAA\x1b\\a", "a"),
    "8-bit CSI": ("\x9b31ma", "a"),
    "8-bit OSC": ("\x9d0;evil\x9ca", "a"),
    "8-bit DCS": ("\x90q\x9ca", "a"),
    "character set": ("\x1b(0a", "a"),
    "reset": ("\x1bca", "a"),
    "unterminated OSC ends with its line": ("\x1b]0;evil\nnext", "\nnext"),
    "unterminated CSI": ("a\x1b[31", "a"),
    "CSI ended by what it cannot hold": ("\x1b[3é", "é"),
    "ESC at the end": ("a\x1b", "a"),
    "ESC before a control sequence": ("\x1b\x1b[31ma", "a"),
    "sequence within a string": ("\x1b]0;x\x1b[31ma", "a"),
    "carriage return overwrites": ("honest\rforged", "honest\nforged"),
    "CRLF": ("a\r\nb\r\r\nc", "a\nb\n\nc"),
    "backspace": ("ab\b\bcd", "abcd"),
    "bell, NUL, DEL": ("a\x07\x00\x7fb", "ab"),
    "bidi override": ("a\u202eb\u2066c\u2069\u202c", "abc"),
    "tab and newline stay": ("a\tb\nc", "a\tb\nc"),
    "marks of right-to-left text stay": ("\u05d0\u200f.", "\u05d0\u200f."),
    "lone surrogate": ("a\ud800b", "a\ufffdb"),
}
terminal_cases = pytest.mark.parametrize(
    ("source", "shown"), TERMINAL.values(), ids=TERMINAL.keys()
)


@terminal_cases
def test_a_terminal_gets_text_without_escapes(source: str, shown: str) -> None:
    assert TerminalFilter().feed(source) == shown


@terminal_cases
def test_an_escape_split_over_chunks_is_removed_all_the_same(source: str, shown: str) -> None:
    for size in (1, 2, 3):
        screen = TerminalFilter()
        chunks = [source[i : i + size] for i in range(0, len(source), size)]
        assert "".join(screen.feed(chunk) for chunk in chunks) == shown


@terminal_cases
def test_no_part_of_a_bundle_holds_an_escape(source: str, shown: str) -> None:
    bundle = reply_bundle(source)
    assert bundle["text/plain"] == shown
    for text in bundle.values():
        assert not set(text) & set("\x1b\x9b\x9d\x90\x07\u202e\r")


@each(ALL)
def test_code_that_is_an_attack_stays_in_its_block(markdown: str) -> None:
    for code in (markdown, f"```\n{markdown}", f"{markdown}\n````\n~~~\n"):
        bundle = code_bundle(code, "json")
        page = Page(bundle["text/html"])
        assert page.faults == []
        assert page.formulas == []
        assert active_parts(bundle["text/markdown"]) == []
        assert bundle["text/plain"] == plain(code)
        assert bundle["text/html"].count("<pre>") == 1
