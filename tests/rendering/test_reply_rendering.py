"""What a reply's Markdown becomes: HTML, inert Markdown, plain text, code, parts of a stream."""

from __future__ import annotations

import subprocess
import sys

import pytest

from claude_magic.rendering import (
    STYLE,
    CodeBlock,
    TerminalFilter,
    code_blocks,
    escape,
    plain,
    reply_bundle,
    split_point,
)
from claude_magic.rendering.bundle import words_of
from claude_magic.rendering.markdown import LIST_MAXIMUM
from tests.rendering.html_reading import Page

DOLLAR = "<span>$</span>"
BACKSLASH = "<span>\\</span>"
LINK = 'target="_blank" rel="noopener noreferrer"'

HTML = {
    "emphasis": ("*a* **b** ~~c~~", "<p><em>a</em> <strong>b</strong> <s>c</s></p>"),
    "heading": ("## a", "<h2>a</h2>"),
    "list that starts at 3": ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
    "link": ("[a](https://b.c 'title')", f'<p><a href="https://b.c" {LINK}>a</a></p>'),
    "mail": ("<a@b.c>", f'<p><a href="mailto:a@b.c" {LINK}>a@b.c</a></p>'),
    "bare address": (
        "(see https://b.c/d_e_f).",
        f'<p>(see <a href="https://b.c/d_e_f" {LINK}>https://b.c/d_e_f</a>).</p>',
    ),
    "address in code": ("`https://b.c`", "<p><code>https://b.c</code></p>"),
    "address within a word": ("xhttps://b.c", "<p>xhttps://b.c</p>"),
    "image": ("![a *b*](https://c.d/e)", "<p>[image: a *b* (https://c.d/e)]</p>"),
    "image without alt": ("![](https://c.d/e)", "<p>[image: https://c.d/e]</p>"),
    "image of nothing": ("![a]()", "<p>[image: a]</p>"),
    "link to nowhere": (
        "[*a*]() b [c](https://d.e)",
        f'<p>[<em>a</em>]() b <a href="https://d.e" {LINK}>c</a></p>',
    ),
    "relative link": ("[a](b.csv)", "<p>[a](b.csv)</p>"),
    "html is text": ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
    "unclosed emphasis": ("**a", "<p>**a</p>"),
    "unclosed code": ("`a", "<p>`a</p>"),
    "unclosed fence": (
        "```\n**a",
        '<div class="highlight"><pre><code>**a</code></pre></div>',
    ),
    "unknown language": (
        "```nosuch\n<a>\n```",
        '<div class="highlight"><pre><code>&lt;a&gt;\n</code></pre></div>',
    ),
    "highlighted": (
        "```Python\nif\n```",
        '<div class="highlight"><pre><code><span class="k">if</span>'
        '<span class="w">\n</span></code></pre></div>',
    ),
    "column sides": (
        "|a|b|c|\n|--:|:-:|:--|",
        '<table>\n<thead>\n<tr>\n<th class="claude-magic-right">a</th>\n'
        '<th class="claude-magic-center">b</th>\n<th>c</th>\n</tr>\n</thead>\n</table>',
    ),
    "unfinished formula": ("$$\n- a", f"<p>{DOLLAR}{DOLLAR}\n- a</p>"),
}


@pytest.mark.parametrize(("markdown", "html"), HTML.values(), ids=HTML.keys())
def test_markdown_becomes_this_html(markdown: str, html: str) -> None:
    assert reply_bundle(markdown)["text/html"] == f'<div class="claude-magic">{html}\n</div>'


MATHS = {
    "money": ("$5 to $10", []),
    "money in a sentence": ("it costs $5 and $10 too", []),
    "money at a line's end": ("from $5\nto $10", []),
    "money with a name before": ("US$5 and CA$7", []),
    "money, then maths": ("$5 and $x$", ["\\(x\\)"]),
    "shell variables": ("$HOME/bin:$PATH", []),
    "one dollar": ("a $ b", []),
    "spaces inside": ("$ x $", []),
    "space at the end": ("$x $", []),
    "escaped dollars": ("\\$x\\$", []),
    "in code": ("`$x$`", []),
    "in a fence": ("```\n$x$ \\(y\\)\n```", []),
    "inline": ("a $x_1*y*z$ b", ["\\(x_1*y*z\\)"]),
    "before a suffix": ("the $n$th", ["\\(n\\)"]),
    "after a letter of another script": ("函数$f$是", ["\\(f\\)"]),
    "in a link": ("[$x$](https://a.b)", ["\\(x\\)"]),
    "in a table": ("| $x$ |\n|---|", ["\\(x\\)"]),
    "parentheses": ("\\(a<b\\)", ["\\(a< b\\)"]),
    "brackets": ("\\[ a \\]", ["\\[a\\]"]),
    "escaped brackets of a link": ("\\[a\\](https://b.c)", []),
    "escaped backslash": ("\\\\(a\\\\)", []),
    "display": ("$$x$$", ["\\[x\\]"]),
    "display within a line": ("so $$x$$ is", ["\\[x\\]"]),
    "display over lines": ("$$\na\n= b\n- c\n$$", ["\\[a\n= b\n- c\\]"]),
    "display in a list": ("- a\n\n  $$\n  x\n  $$", ["\\[x\\]"]),
    "display ends a paragraph": ("a\n$$\nx\n$$\nb", ["\\[x\\]"]),
    "no display past a blank line": ("$$\na\n\nb\n$$", []),
    "environment": (
        "\\begin{align}\na &= b\n\\end{align}",
        ["\\[\\begin{align}\na &= b\n\\end{align}\\]"],
    ),
    "environment that is no maths": ("\\begin{itemize}\na\n\\end{itemize}", []),
    "environment within a line": ("a \\begin{align}b\\end{align}", []),
    "label": ("$$x \\label{eq:1}$$", ["\\[x\\]"]),
    "label after a line break": ("$$x \\\\\\label{a} y$$", ["\\[x \\\\ y\\]"]),
    "space at a formula's end": ("\\(x\\ \\)", ["\\(x\\ \\)"]),
    "braces that do not match": ("$a{b$", []),
    "reference": ("\\ref{a}", []),
    "a command that is none": ("$\\hrefs$ $\\stylex$", ["\\(\\hrefs\\)", "\\(\\stylex\\)"]),
}


@pytest.mark.parametrize(("markdown", "formulas"), MATHS.values(), ids=MATHS.keys())
def test_the_typesetter_finds_these_formulas_and_no_others(
    markdown: str, formulas: list[str]
) -> None:
    assert Page(reply_bundle(markdown)["text/html"]).formulas == formulas


def test_a_formula_that_may_not_be_typeset_is_shown_as_code() -> None:
    html = reply_bundle("a $\\href{b}{c}$")["text/html"]
    assert "<code>$\\href{b}{c}$</code>" in html


HONEST = [
    "# Title\n\nA *b* **c** `d` [e](https://f.g/h?i=1&j=2) snake_case 2 * 3 a[0] &amp; x \\* y\n",
    "- a\n- b\n  - c\n\n1. d\n2. e\n   ```python\n   f = 1\n\n   g = 2\n   ```\n",
    "- a\n\n- b\n\n> q\n> r\n\n---\n\n| a | b |\n| --- | --: |\n| 1 | 2 |\n",
    "Inline $x_1$ and\n\n$$\n\\frac{a}{b}\n$$\n",
    "````\n```\ncode\n```\n````\n",
]


@pytest.mark.parametrize("markdown", HONEST)
def test_markdown_that_holds_nothing_active_stays_as_it_was_written(markdown: str) -> None:
    assert reply_bundle(markdown)["text/markdown"] == markdown


INERT = {
    "image": ("![a](https://b.c)", "&#91;image: a (https\\://b.c)&#93;\n"),
    "html": ("a <b>c</b> < d", "a \\<b>c\\</b> < d\n"),
    "html in code stays": ("`<b>` and\n\n    <i>", "`<b>` and\n\n```\n<i>\n```\n"),
    "bad link": ("[a](javascript:b)", "[a]&#40;javascript:b)\n"),
    "reference": ("[a][b]\n\n[b]: https://c.d", "[a](https://c.d)\n"),
    "money": ("$5 to $10", "\\$5 to \\$10\n"),
    "bare address": ("https://a.b", "<https://a.b>\n"),
    "line of a quote that would be a heading": ("> a\n===", "> a\n> \\===\n"),
    "empty fence": ("~~~\n~~~", "```\n```\n"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("markdown", "inert"), INERT.values(), ids=INERT.keys())
def test_what_could_be_active_is_escaped_in_the_markdown(markdown: str, inert: str) -> None:
    assert reply_bundle(markdown)["text/markdown"] == inert


PATHOLOGICAL = {
    "brackets": "[",
    "images": "![",
    "stars": "*a_ ",
    "quotes": "> ",
    "lists": "- ",
    "list items": "* a\n",
    "parentheses of formulas": "\\(",
    "openers of formulas": "\\[ a\n",
    "lone openers of formulas": "\\[\n",
    "dollars": "$a ",
    "addresses": "://",
    "tables": "|a\n|-\n",
    "entities": "&#1",
    "escapes": "\x1b]0;x\n",
}


@pytest.mark.parametrize("unit", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_text_made_to_be_slow_is_shown_in_bounded_time(unit: str) -> None:
    """The suite's timeout is the bound; a quadratic rule takes minutes."""
    markdown = unit * (40_000 // len(unit)) + "the end"
    page = Page(reply_bundle(markdown)["text/html"])
    assert page.faults == []
    assert "the end" in page.text
    split_point(markdown, 2500)


@pytest.mark.parametrize("language", ["java", "python", "cpp"])
def test_code_made_to_be_slow_is_shown_in_bounded_time(language: str) -> None:
    for code in ("a b " * 4000, "\n" * 16_000 + "x", ("a b " * 100 + "\n") * 39):
        page = Page(reply_bundle(f"```{language}\n{code}\n```")["text/html"])
        assert code in page.text


def test_what_is_nested_too_deep_to_parse_is_shown_as_written() -> None:
    markdown = "> " * 200 + "the end <b>"
    bundle = reply_bundle(markdown)
    assert Page(bundle["text/html"]).text == markdown
    assert bundle["text/markdown"] == f"```\n{markdown}\n```"


ESCAPED = {
    "markup": ("<b> & \"'", "&lt;b&gt; &amp; &quot;&#x27;"),
    "dollars": ("$5", f"{DOLLAR}5"),
    "delimiters": ("\\(x\\)", f"{BACKSLASH}(x{BACKSLASH})"),
    "escape sequences": ("\x1b[31ma\x07", "a"),
}


@pytest.mark.parametrize(("text", "html"), ESCAPED.values(), ids=ESCAPED.keys())
def test_our_own_lines_show_text_as_it_is(text: str, html: str) -> None:
    assert escape(text) == html
    assert Page(escape(text)).formulas == []


CODE = {
    "top level": ("a\n\n```python\nx = 1\n\ny\n```", [CodeBlock("python", "x = 1\n\ny")]),
    "in a list": ("1. a\n   ~~~~ R\n   x\n   ~~~~", [CodeBlock("r", "x")]),
    "attributes": ("```{.python #id}\nx\n```", [CodeBlock("python", "x")]),
    "no language": ("```\nx\n```", [CodeBlock("", "x")]),
    "indented code is none": ("    x", []),
    "a code span is none": ("`x`", []),
    "two": ("```a\n1\n```\n```b\n2\n```", [CodeBlock("a", "1"), CodeBlock("b", "2")]),
    "cut off": ("```python\nx", [CodeBlock("python", "x")]),
    "bidi override": ("```python\nx = 1\u202e\n```", [CodeBlock("python", "x = 1")]),
}


@pytest.mark.parametrize(("markdown", "blocks"), CODE.values(), ids=CODE.keys())
def test_the_fenced_code_of_a_reply_is_found(markdown: str, blocks: list[CodeBlock]) -> None:
    assert code_blocks(markdown) == blocks


# `^` marks where the text may be cut.
SPLITS = {
    "between paragraphs": "a\n\n^b\n",
    "the last place counts": "a\n\nb\n\n^c\n",
    "no blank line": "a\n# b\n",
    "the block after has only begun": "a\n\nb",
    "before a list": "a\n\n^- b\n\n- c\n",
    "after a list": "- b\n\n^c\n",
    "a list that goes on": "- b\n\n- c\n",
    "a list that may go on": "1. b\n\n2",
    "within a list item": "- b\n\n  c\n",
    "within a fence": "```\na\n\nb\n",
    "after a fence": "```\na\n\n```\n\n^b\n",
    "within a longer fence": "````\n```\n\n```\n\na\n",
    "within a fence in a list": "- a\n  ~~~\n  b\n\n  c\n",
    "within indented code": "    a\n\n    b\n",
    "within a table": "| a |\n|---|\n| b |\n",
    "between quotes": "> a\n\n^> b\n",
    "within a quote": "> a\n>\n> b\n",
    "within a formula": "$$\na\nb\n",
    "after a formula": "$$\na\n$$\n\n^b\n",
    "after a definition": "[a]: https://b.c\n\n^d\n",
    "CRLF": "a\r\n\r\n",
    "nothing": "",
}


@pytest.mark.parametrize("marked", SPLITS.values(), ids=SPLITS.keys())
def test_a_streamed_text_is_cut_only_between_blocks(marked: str) -> None:
    place = marked.find("^")
    assert split_point(marked.replace("^", ""), 1) == (None if place < 0 else place)


def test_a_cut_leaves_at_least_the_minimum_before_it() -> None:
    text = "a\n\nb\n\nc\n"
    assert split_point(text, 6) == 6
    assert split_point(text, 7) is None


def test_a_list_without_end_is_cut_between_its_items_once_it_is_long() -> None:
    item = "1. " + "x" * 96 + "\n"
    assert split_point(item * (LIST_MAXIMUM // 100 - 1), 2500) is None
    long = item * (LIST_MAXIMUM // 100 + 1)
    assert split_point(long, 2500) == len(long) - 100


def test_a_reference_finds_its_definition_only_within_its_part() -> None:
    """Else it is shown as written: a part that is frozen does not change any more."""
    text, definition = "[a][b]\n\n", "[b]: https://c.d\n\n"
    assert Page(reply_bundle(text + definition)["text/html"]).links == ["https://c.d"]
    assert Page(reply_bundle(text)["text/html"]).text.strip() == "[a][b]"


def test_plain_text_is_returned_as_it_is() -> None:
    assert plain("a\n\tb é 函") == "a\n\tb é 函"
    assert TerminalFilter().feed("") == ""


def test_the_style_sheet_touches_nothing_outside_our_classes() -> None:
    rules = STYLE.removeprefix("<style>").removesuffix("</style>").split("}")
    for rule in rules[:-1]:
        for selector in rule.split("{")[0].split(","):
            assert ".claude-magic" in selector, selector
    assert "url(" not in STYLE and "@import" not in STYLE and "#" not in STYLE


def test_importing_the_layer_loads_no_parser_sanitiser_or_highlighter() -> None:
    code = (
        "import sys, claude_magic.rendering as r; r.plain('a'), r.escape('a'), r.STYLE;"
        "print([m for m in ('markdown_it', 'nh3', 'pygments', 'IPython') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_text_without_code_loads_no_lexer() -> None:
    code = (
        "import sys, claude_magic.rendering as r; r.reply_bundle('*a* $b$');"
        "print([m for m in sys.modules if m.startswith('pygments.lexer')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_layer_has_these_public_names() -> None:
    import claude_magic.rendering as layer

    assert set(layer.__all__) == {
        "STYLE",
        "CodeBlock",
        "ReplyFold",
        "TerminalFilter",
        "code_blocks",
        "code_bundle",
        "drawn",
        "escape",
        "literal",
        "notes_bundle",
        "plain",
        "reply_bundle",
        "split_point",
        "stacked",
    }
    assert all(hasattr(layer, name) for name in layer.__all__)
    assert not hasattr(layer, "no_such_name")


WORDS = {
    "An **insect**, *small*.": "An insect, small.",
    "# Title\n\n- one\n- `two`": "Title one two",
    "[a](https://b.c) and https://d.e": "a and https://d.e",
    "a_b costs $5\nor $x^2$": "a_b costs $5 or x^2",
    "| a | b |\n|---|---|\n| 1 | 2 |": "a b 1 2",
    "```python\nx = 1\n```": "x = 1",
    ">" * 100 + " deep": ">" * 100 + " deep",
}


@pytest.mark.parametrize("markdown", WORDS)
def test_the_words_of_a_reply_are_without_its_marks(markdown: str) -> None:
    assert words_of(markdown) == WORDS[markdown]
