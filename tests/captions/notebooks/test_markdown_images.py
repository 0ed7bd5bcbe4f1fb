"""Images in Markdown: found where a reader sees them, given alt text without changing the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.captions.notebooks.json_edits import applied
from claude_magic.captions.notebooks.markdown_images import markdown_images, with_alts

AWKWARD = r"A [b] *c* _d_ `e` $5 <i>f</i> & g | h \ ! ~ i"

FOUND = {
    "an image": ("![bee](b.png)", [("b.png", "bee")]),
    "without alt text": ("![](b.png)", [("b.png", None)]),
    "with markup in its alt text": ("![a *b* `c` &amp; d](b.png)", [("b.png", "a b c & d")]),
    "with a title": ("![bee](b.png 'A bee')", [("b.png", "bee")]),
    "an attachment": ("![bee](attachment:b.png)", [("attachment:b.png", "bee")]),
    "the name that JupyterLab puts": ("![b.png](attachment:b.png)", [("attachment:b.png", None)]),
    "the name of the file": ("![Plot 1](figures/Plot%201.png)", [("figures/Plot%201.png", None)]),
    "a word that says nothing": ("![image](b.png)", [("b.png", None)]),
    "two in a line": ("![a b](1.png) and ![](2.png)", [("1.png", "a b"), ("2.png", None)]),
    "a reference": ("![bee][r]\n\n[r]: b.png", [("b.png", "bee")]),
    "a short reference": ("![bee]\n\n[bee]: x.png", [("x.png", "bee")]),
    "a short reference with words": ("![a bee]\n\n[a bee]: b.png", [("b.png", "a bee")]),
    "over two lines": ("![a\nbee](b.png)", [("b.png", "a bee")]),
    "in a list": ("1. one\n   - ![bee](x.png)", [("x.png", "bee")]),
    "in a quotation": ("> a\n> ![bee](x.png)", [("x.png", "bee")]),
    "in a heading": ("## ![bee](x.png) ##", [("x.png", "bee")]),
    "in a table": ("|a|b|\n|-|-|\n|![](x.png)|![](x.png)|", [("x.png", None), ("x.png", None)]),
    "in a link": ("[![bee](x.png)](https://e.org)", [("x.png", "bee")]),
    "an image in an image's words": ("![a ![b](1.png)](2.png)", [("2.png", "a b")]),
    "HTML": ('<img src="b.png" alt="a bee">', [("b.png", "a bee")]),
    "HTML without alt text": ("text <img src=b.png width=9>", [("b.png", None)]),
    "HTML that says decorative": ('<img alt="" src="b.png"/>', [("b.png", "")]),
    "HTML in a block": ("<p>\n<IMG SRC='b.png'>\n</p>", [("b.png", None)]),
    "HTML with an entity": ('<img src="b.png" alt="a &amp; b">', [("b.png", "a & b")]),
    "HTML with a > in a value": ('<img title="a > b" src="b.png">', [("b.png", None)]),
    "code": ("`![a](b.png)`", []),
    "a fence": ("```\n![a](b.png)\n<img src=a.png>\n```", []),
    "indented code": ("    ![a](b.png)", []),
    "an escaped one": (r"\![a](b.png)", []),
    "a link": ("[a](b.png)", []),
    "a script's address": ("![a](javascript:alert(1))", []),
    "another element": ('<imgs src="b.png">', []),
    "a comment": ("<!-- <img -->", []),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_is_found(case: str) -> None:
    text, images = FOUND[case]
    assert [(image.url, image.alt) for image in markdown_images(text)] == images


@pytest.mark.parametrize("case", [case for case, (_, images) in FOUND.items() if images])
@pytest.mark.parametrize("alt", ["Two words", AWKWARD, "two\nlines", '"quoted"', "ends in \\"])
def test_an_alt_text_is_read_as_it_was_given(case: str, alt: str) -> None:
    text, _ = FOUND[case]
    image = markdown_images(text)[-1]
    edits = with_alts(text, [(image, alt)])
    assert edits is not None
    new = applied(text, edits)
    (*others, changed) = markdown_images(new)
    assert changed.alt == " ".join(alt.split())
    assert [o.alt for o in others] == [i.alt for i in markdown_images(text)[:-1]]


def test_only_the_words_in_the_brackets_change() -> None:
    text = "a  \n> - ![old](b.png 't')  <b>\n\n\tcode\n"
    (image,) = markdown_images(text)
    edits = with_alts(text, [(image, "new")])
    assert edits is not None
    assert applied(text, edits) == text.replace("old", "new")


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("![r]\n\n[r]: b.png", "![new][r]\n\n[r]: b.png"),
        ("![r][]\n\n[r]: b.png", "![new][r]\n\n[r]: b.png"),
        ("![x][r]\n\n[r]: b.png", "![new][r]\n\n[r]: b.png"),
        ("<img src='b.png'>", "<img alt=\"new\" src='b.png'>"),
        ("<img src=b.png alt=x />", '<img src=b.png alt="new" />'),
        ("<img src=b.png alt>", '<img src=b.png alt="new">'),
    ],
)
def test_each_form_stays_what_it_is(text: str, new: str) -> None:
    image = markdown_images(text)[0]
    edits = with_alts(text, [(image, "new")])
    assert edits is not None
    assert applied(text, edits) == new


def test_windows_line_ends_stay() -> None:
    text = "a\r\n![](b.png)\r\nc"
    edits = with_alts(text, [(markdown_images(text)[0], "new")])
    assert edits is not None
    assert applied(text, edits) == "a\r\n![new](b.png)\r\nc"


PIECES = st.sampled_from(
    ["![", "]", "(a.png)", "[r]", "\n", "\n\n", "> ", "- ", "1. ", "    ", "`", "```\n",
     "<img src=", "b.png", ">", "alt=", '"', "|", "|-|\n", "*", "\\", "text", "\t", "\r\n",
     "&amp;", "# ", "\n\n[r]: c.png\n", "![x](y.png)", "![](z.png)",
     '<img src="q.png">', "é", "\U0001f41d", "<p>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=20), st.data())
def test_any_text_changes_in_the_alt_text_of_one_image_alone(
    text: str, alt: str, data: st.DataObject
) -> None:
    """Where that cannot be, nothing is changed at all."""
    images = markdown_images(text)
    if not images or not alt.strip() or not alt.isprintable():
        return
    image = data.draw(st.sampled_from(images))
    edits = with_alts(text, [(image, alt)])
    if edits is None:
        return
    (edit,) = edits
    assert image.start <= edit.start <= edit.end <= image.end
    after = markdown_images(applied(text, edits))
    assert [i.url for i in after] == [i.url for i in images]


@given(st.lists(PIECES, max_size=25).map("".join))
def test_every_image_stands_where_it_is_said_to(text: str) -> None:
    for image in markdown_images(text):
        source = text[image.start : image.end]
        assert source.startswith("![") or source.lower().startswith("<img")
        assert source.endswith((")", "]", ">"))
