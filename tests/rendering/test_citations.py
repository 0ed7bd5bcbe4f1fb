"""Passages that cite carry the number of their source, and the sources are listed below."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.rendering import notes_bundle, plain, reply_bundle
from claude_magic.rendering.markdown import mark
from tests.rendering.attacks import ALL, BEACON
from tests.rendering.citing_samples import chars, cited, page, said, web
from tests.rendering.html_reading import Page, active_parts
from tests.rendering.test_reply_properties import gaps, pieces, syntax

FOOTNOTE = re.compile(r'<span class="claude-magic-footnote">\[(\d+)\]</span>')


def read(*blocks: dict[str, Any]) -> str:
    """The reply as it reads in a terminal."""
    return reply_bundle(cited(blocks).markdown)["text/plain"]


def notes(*blocks: dict[str, Any]) -> list[str]:
    """The list of sources as it reads in a terminal."""
    text = notes_bundle(cited(blocks).notes).get("text/plain", "")
    return text.split("\n") if text else []


def test_text_blocks_are_joined_and_each_cited_passage_is_followed_by_its_number() -> None:
    blocks = (
        said("Ants "),
        said("have six legs", chars()),
        said(", "),
        said("I read", web()),
        said("."),
    )
    assert read(*blocks) == "Ants have six legs[1], I read[2]."
    assert notes(*blocks) == [
        "[1] notes.txt · characters 1–5: “Six legs.”",
        "[2] Ants, https://example.org/ants · “Ants have six legs.”",
    ]


def test_a_source_has_one_number_in_the_order_of_first_use_and_lists_its_passages() -> None:
    blocks = (
        said("a", page(3, 4)),
        said(" b", chars(), page(3, 4)),
        said(" c", page(7, 10, cited_text="More.")),
    )
    assert read(*blocks) == "a[1] b[2][1] c[1]"
    assert notes(*blocks) == [
        "[1] paper.pdf · page 3: “Of six legs.” · pages 7–9: “More.”",
        "[2] notes.txt · characters 1–5: “Six legs.”",
    ]


def test_a_number_is_raised_in_the_notebook_and_plain_elsewhere() -> None:
    bundle = reply_bundle(cited([said("**Six.**", chars()), said(" *x*")]).markdown)
    assert bundle["text/html"] == (
        '<div class="claude-magic"><p><strong>Six.</strong>'
        '<span class="claude-magic-footnote">[1]</span> <em>x</em></p>\n</div>'
    )
    assert bundle["text/markdown"] == "**Six.**&#91;1&#93; *x*\n"


def test_a_reply_without_citations_has_no_footnotes() -> None:
    found = cited([said("Six.")])
    assert (found.markdown, found.notes) == ("Six.", ())
    assert notes_bundle(found.notes) == {}


def test_between_other_blocks_a_new_paragraph_begins() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    thinking = {"type": "thinking", "thinking": "", "signature": "x"}
    blocks = (thinking, said("I search. "), search, said("\n"), said("Found."), search)
    assert read(*blocks) == "I search.\n\n\nFound."


PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "one page": (page(3, 4), "page 3"),
    "pages": (page(3, 6), "pages 3–5"),
    "characters": (chars(0, 1_000), "characters 1–1,000"),
    "a block": (
        {"type": "content_block_location", "start_block_index": 1, "end_block_index": 2},
        "block 2",
    ),
    "blocks of a search result": (
        {"type": "search_result_location", "start_block_index": 0, "end_block_index": 3},
        "blocks 1–3",
    ),
    "nothing": (web(), ""),
    "no numbers": (page(3, 4, start_page_number="3"), ""),
    "a page before the first": (page(0, 4), ""),
}


@pytest.mark.parametrize(("citation", "place"), PLACES.values(), ids=PLACES)
def test_a_place_is_counted_from_one_with_both_ends_meant(
    citation: dict[str, Any], place: str
) -> None:
    (note,) = cited([said("a", citation)]).notes
    assert note.passages[0].place == place


TITLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a document": (chars(), "notes.txt", ""),
    "a document without a title": (chars(document_title=None), "Document 1", ""),
    "a page": (web(), "Ants", "https://example.org/ants"),
    "a page without a title": (
        web(title=None),
        "https://example.org/ants",
        "https://example.org/ants",
    ),
    "a page at no address": (web("javascript:alert(1)"), "Ants", ""),
    "a search result at an address": (
        {"type": "search_result_location", "source": "https://example.org", "title": "Ants"},
        "Ants",
        "https://example.org",
    ),
    "a search result elsewhere": (
        {"type": "search_result_location", "source": "shelf 4", "title": ""},
        "shelf 4",
        "",
    ),
    "another kind": ({"type": "dream_location"}, "A source without a title", ""),
}


@pytest.mark.parametrize(("citation", "title", "url"), TITLES.values(), ids=TITLES)
def test_a_source_is_called_what_it_is_known_as(
    citation: dict[str, Any], title: str, url: str
) -> None:
    (note,) = cited([said("a", citation)]).notes
    assert (note.title, note.url) == (title, url)


def test_long_titles_and_quotes_are_cut_and_stand_in_one_line() -> None:
    ((line),) = notes(said("a", chars(document_title="t\n" * 400, cited_text="q\n" * 400)))
    assert len(line) < 500
    assert line.endswith("q…”")


FETCHED = {
    "type": "web_fetch_tool_result",
    "tool_use_id": "s",
    "content": {
        "type": "web_fetch_result",
        "url": "https://example.org/page",
        "content": {
            "type": "document",
            "title": "notes.txt",
            "source": {"type": "text", "media_type": "text/plain", "data": "Six legs. And more."},
        },
    },
}


def test_a_fetched_page_that_is_quoted_is_linked_and_no_document_takes_its_address() -> None:
    quoted, other = chars(0, 9), chars(0, 9, cited_text="Our own.", document_index=1)
    own, page_of = cited([FETCHED, said("a", quoted), said("b", other)]).notes
    assert (own.url, page_of.url) == ("https://example.org/page", "")


LINES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "spaces after a passage": ([said("a.\n", web()), said("b")], "a.[1]\nb"),
    "a cell of a table": (
        [said("| a | b |\n|---|---|\n| 1 | 2 |\n", web()), said("| 3 | 4 |")],
        "| a | b |\n|---|---|\n| 1 | 2[1] |\n| 3 | 4 |",
    ),
    "the end of code": ([said("```\nx\n```", web()), said("\nb")], "```\nx\n```\n\n[1]\n\n\nb"),
    "within code": (
        [said("```\nx\n", web()), said("y\n```\nb")],
        "```\nx\ny\n```\n\n[1]\n\nb",
    ),
    "within code and at its end": (
        [said("~~~\nx\n", web()), said("y\n~~~", chars()), said("b")],
        "~~~\nx\ny\n~~~\n\n[1][2]\n\nb",
    ),
    "code in a list": (
        [said("- ```\n  x\n", web()), said("  ```\n- b")],
        "- ```\n  x\n  ```\n\n  [1]\n\n- b",
    ),
    "code in a quotation": (
        [said("> ```\n> x\n> ```", web()), said("\n\nb")],
        "> ```\n> x\n> ```\n>\n> [1]\n\n\n\nb",
    ),
    "code that never ends": ([said("```\nx\n", web())], "```\nx\n\n[1]"),
    "a formula": ([said("$$\nx\n$$", web()), said("b")], "$$\nx\n$$\n\n[1]\n\nb"),
    "a formula in brackets": ([said("\\[\nx\n\\]", web())], "\\[\nx\n\\]\n\n[1]"),
    "an environment": (
        [said("\\begin{align}\nx\n\\end{align}", web())],
        "\\begin{align}\nx\n\\end{align}\n\n[1]",
    ),
    "a formula in a line": ([said("so $x$", web()), said(" is")], "so $x$[1] is"),
    "a displayed formula in one line": ([said("$$x$$", web())], "$$x$$\n\n[1]"),
    "a heading's underline": ([said("T\n---", web()), said("b")], "T\n---\n\n[1]\n\nb"),
    "a rule": ([said("a\n\n***", web())], "a\n\n***\n\n[1]"),
    "a definition": ([said("[a]: https://b.c", web())], "[a]: https://b.c\n\n[1]"),
    "an empty passage": ([said("a"), said(" ", web()), said("b")], "a[1] b"),
    "nothing before it": ([said("", web()), said("b")], "[1]b"),
}


@pytest.mark.parametrize(("blocks", "expected"), LINES.values(), ids=LINES)
def test_a_number_breaks_nothing_that_a_line_means(
    blocks: list[dict[str, Any]], expected: str
) -> None:
    assert read(*blocks) == expected


def test_a_bare_address_ends_before_the_number() -> None:
    html = reply_bundle(cited([said("See https://example.org/a", web())]).markdown)["text/html"]
    assert 'href="https://example.org/a"' in html
    assert FOOTNOTE.search(html)


MALFORMED: list[Any] = [
    None,
    "text",
    3,
    [],
    {},
    {"type": None},
    {"type": ["a"], "title": {"a": 1}, "url": 7, "cited_text": None},
    {"type": "char_location", "document_index": [], "start_char_index": True},
    {"type": "page_location", "document_index": "x", "start_page_number": 10**400},
    {"type": "web_search_result_location", "url": "https://[::1", "title": "\ud800\x1b[31m"},
]


@pytest.mark.parametrize("citation", MALFORMED, ids=map(repr, range(len(MALFORMED))))
def test_a_malformed_citation_does_no_harm(citation: Any) -> None:
    for block in (said("a", citation), {**said("a"), "citations": citation}):
        found = cited([block, {"type": "text"}, {}])
        assert found.markdown.startswith("a")
        assert set(notes_bundle(found.notes)) <= {"text/html", "text/markdown", "text/plain"}


def test_a_reply_cannot_write_a_number_of_a_footnote() -> None:
    forged = mark(7)
    found = cited([said(f"a{forged}", web(title=f"b{forged}", cited_text=f"c{forged}"))])
    shown = reply_bundle(found.markdown)["text/html"] + notes_bundle(found.notes)["text/html"]
    assert [number[1] for number in FOOTNOTE.finditer(shown)] == ["1"]


@pytest.mark.parametrize("attack", ALL.values(), ids=ALL)
@pytest.mark.parametrize("field", ["title", "url", "cited_text", "document_title", "source"])
def test_whatever_a_citation_holds_is_shown_as_it_is(field: str, attack: str) -> None:
    citation = {"type": "search_result_location", "title": "t", field: attack}
    bundle = notes_bundle(cited([said("a", citation)]).notes)
    shown = Page(bundle["text/html"])
    assert shown.faults == []
    assert shown.formulas == []
    assert shown.links == []
    assert active_parts(bundle["text/markdown"]) == []
    assert not set(bundle["text/plain"]) & set("\x1b\x9b\x00")
    if field in ("title", "document_title") and BEACON in attack:
        assert BEACON in shown.text


ADDRESSES = {
    "https://host/a?b=1&copy=2": "https://host/a?b=1&copy=2",
    'https://host/"onmouseover=alert(1)': "https://host/%22onmouseover=alert(1)",
    "https://host/`a`$b$|c": "https://host/%60a%60%24b%24%7Cc",
    "https://host/a)[b](c": "https://host/a)%5Bb%5D(c",
    "https://host/&#58;&lt;b&gt;": "https://host/&#58;&lt;b&gt;",
    "HTTP://HOST/": "http://HOST/",
}


@pytest.mark.parametrize(("url", "target"), ADDRESSES.items())
def test_an_address_becomes_a_link_to_itself_with_its_host_beside_it(url: str, target: str) -> None:
    bundle = notes_bundle(cited([said("a", web(url))]).notes)
    shown = Page(bundle["text/html"])
    assert shown.faults == []
    assert [link.lower() for link in shown.links] == [target.lower()]
    assert "Ants (host)" in shown.text
    assert active_parts(bundle["text/markdown"]) == []


NO_LINKS = [
    "javascript:alert(1)",
    "data:text/html,x",
    "https://",
    "https://host/a b",
    "https://host/a\n[b](javascript:alert(1))",
    "https://host/<b>",
    "//host/",
    " https://host/",
    "mailto:a@b.c",
    "https://host/\x1b[31m",
]


@pytest.mark.parametrize("url", NO_LINKS)
def test_anything_else_than_a_web_address_is_no_link(url: str) -> None:
    bundle = notes_bundle(cited([said("a", web(url))]).notes)
    assert Page(bundle["text/html"]).links == []
    assert active_parts(bundle["text/markdown"]) == []


texts = st.text(max_size=20) | st.lists(syntax, max_size=8).map("".join)
citations = st.sampled_from([web(), web("https://example.com"), chars(), page(1, 2), None])
others = st.sampled_from([{"type": "server_tool_use"}, {"type": "thinking", "thinking": "x"}, {}])
replies = st.lists(st.builds(said, texts, citations) | texts.map(said) | others, max_size=8)


@given(replies)
@settings(max_examples=400)
def test_any_cited_reply_is_safe_html_and_inert_markdown(reply: list[Any]) -> None:
    bundle = reply_bundle(cited(reply).markdown)
    assert Page(bundle["text/html"]).faults == []
    assert active_parts(bundle["text/markdown"]) == []


@given(st.lists(texts, max_size=6))
@settings(max_examples=300)
def test_without_citations_the_text_is_the_text(parts: list[str]) -> None:
    joined = plain("".join(parts)).replace("\ufdd0", "").replace("\ufdd1", "")
    assert cited(map(said, parts)).markdown == joined.rstrip()


# What only the end of the text makes a formula or code is something else with a number behind it,
# in indented code the number stands within, and an empty item could be a heading's underline.
OTHERS = ("unclosed", "unfinished", "$$\na\n\nb\n$$", "    indented")
whole = pieces.filter(lambda piece: piece != "-" and not any(p in piece for p in OTHERS))
cited_documents = st.lists(
    st.tuples(whole, gaps.filter(lambda gap: gap.count("\n") > 1), citations),
    min_size=1,
    max_size=5,
)


def without_numbers(html: str) -> str:
    """The HTML as it is without footnotes, those that stand by themselves included."""
    return re.sub(r"\s+", " ", FOOTNOTE.sub("", html).replace("<p></p>", "")).replace("> <", "><")


@given(cited_documents)
@settings(max_examples=500)
def test_an_honest_reply_looks_the_same_but_for_the_numbers(
    parts: list[tuple[str, str, Any]],
) -> None:
    blocks = [said(piece + gap, citation) for piece, gap, citation in parts]
    bare = "".join(piece + gap for piece, gap, _ in parts).rstrip()
    shown = reply_bundle(cited(blocks).markdown)["text/html"]
    assert without_numbers(shown) == without_numbers(reply_bundle(bare)["text/html"])
