"""A reply is untrusted text: whatever it holds, nothing runs, loads or leaves the page's look."""

from __future__ import annotations

import re

import pytest
from html_reading import Page, active_parts
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from claude_magic.rendering import TerminalFilter, reply_bundle

BEACON = "http://127.0.0.1:9/beacon"

HTML = {
    "script": "<script>alert(1)</script>",
    "script in a block": "<div>\n\n<script>\nfetch('" + BEACON + "')\n</script>\n\n</div>",
    "event handler": "<b onmouseover=alert(1)>x</b>",
    "image with onerror": "<img src=x onerror=alert(1)>",
    "image in html": f'<img src="{BEACON}">',
    "style element": "<style>body { background: url(" + BEACON + ") }</style>",
    "style attribute": f'<p style="background: url({BEACON})">x</p>',
    "svg": "<svg onload=alert(1)><image href='" + BEACON + "'/></svg>",
    "svg in a link": "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "iframe": f'<iframe src="{BEACON}" srcdoc="<script>alert(1)</script>"></iframe>',
    "form": f'<form action="{BEACON}"><input name=key><button>Approve</button></form>',
    "command linker": '<a data-commandlinker-command="apputils:delete" href="#">x</a>',
    "comment": "<!-- --!><img src=x onerror=alert(1)> -->",
    "cdata": "<![CDATA[<script>alert(1)</script>]]>",
    "processing instruction": "<?xml-stylesheet href='" + BEACON + "'?>",
    "doctype": "<!DOCTYPE html><base href='" + BEACON + "'>",
    "closing our container": "</div></div><script>alert(1)</script>",
    "unclosed tag": "text <img src=" + BEACON + " ",
    "unclosed script": "<script>alert(1)",
    "html in a table": "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "html in a link": "[<img src=x onerror=alert(1)>](https://host/)",
    "html in a heading": "# <script>alert(1)</script>",
    "html after an odd backtick": "`a\n\n<img src=x onerror=alert(1)>`",
    "html between formulas": "\\(`\\) `<img src=x onerror=alert(1)>`",
    "html in a formula": "$<img src=x onerror=alert(1)>$",
    "html in an entity": "&lt;img src=x onerror=alert(1)&gt;",
    "html in an autolink": '<https://x"onmouseover=alert(1)>',
    "html in a table cell split by code": "| `a | <img src=x onerror=alert(1)>` |\n|---|---|",
    "template in a meta": "<meta http-equiv=refresh content='0;url=" + BEACON + "'>",
    "link element": f"<link rel=stylesheet href='{BEACON}'>",
    "math element": "<math><maction actiontype='statusline' xlink:href='javascript:a()'>x",
    "control characters within a tag": "<scr\x00ipt>alert(1)</scr\x1b[31mipt>",
}
LINKS = {
    "javascript link": "[x](javascript:alert(1))",
    "javascript link, mixed case": "[x](JaVaScRiPt:alert(1))",
    "javascript link, entity": "[x](javascript&#58;alert(1))",
    "javascript link, named entity": "[x](javascript&colon;alert(1))",
    "javascript link, tab": "[x](java&#9;script:alert(1))",
    "javascript link, control character": "[x](\x01javascript:alert(1))",
    "javascript link in brackets": "[x](<javascript:alert(1)>)",
    "javascript autolink": "<javascript:alert(1)>",
    "javascript reference": "[x]\n\n[x]: javascript:alert(1)",
    "javascript full reference": "[y][x]\n\n[x]: <javascript:alert(1)> 'y'",
    "data link": "[x](data:text/html,<script>alert(1)</script>)",
    "vbscript link": "[x](vbscript:msgbox(1))",
    "file link": "[x](file:///etc/passwd)",
    "relative link": "[x](/lab/api/sessions)",
    "link without scheme": "[x](//host/x)",
    "link to the page itself": "[x]() [x](<>) [x](<> 'title') [y]\n\n[y]: <>",
    "fragment link": "[x](#approve)",
    "attribute in a link's title": "[x](https://host/ '\" onmouseover=alert(1) \"')",
    "link of an image": "![x](https://host/)(javascript:alert(1))",
    "link after an image in brackets": "[a]![b](https://host/)(javascript:alert(1))",
}
IMAGES = {
    "image, inline": f"![x]({BEACON})",
    "image, reference": f"![x][ref]\n\n[ref]: {BEACON}",
    "image, collapsed reference": f"![x][]\n\n[x]: {BEACON}",
    "image, shortcut reference": f"![x]\n\n[x]: {BEACON}",
    "image, reference defined first": f"[ref]: {BEACON}\n\n![x][ref]",
    "image, data": "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "image, relative": "![x](attachment:x.png)",
    "image in a link": f"[![x]({BEACON})](https://host/)",
    "image in a table": f"| a |\n|---|\n| ![x]({BEACON}) |",
    "image in an image": f"![![x]({BEACON})]({BEACON})",
    "image of a link": f"!\\[x]({BEACON}) !&#91;x]({BEACON})",
}
MATHS = {
    "href in maths": r"$\href{javascript:alert(1)}{x}$",
    "href in display maths": "$$\n\\href{javascript:alert(1)}{x}\n$$",
    "href in brackets": r"\[\href{javascript:alert(1)}{x}\] and \(\href{a}{x}\)",
    "href in an environment": "\\begin{align}\n\\href{javascript:alert(1)}{x}\n\\end{align}",
    "href in text, environment": r"a \begin{align}\href{javascript:alert(1)}{x}\end{align}",
    "require": r"$\require{html}x$",
    "class": r"$\class{jp-Button}{x}$",
    "style": r"$\style{background: url(" + BEACON + r")}{x}$",
    "cssId": r"$\cssId{main}{x}$",
    "htmlData": r"$\htmlData{commandlinker-command=x}{x}$",
    "unicode": r"$\unicode[a; background: red]{65}$",
    "bbox": r"$\bbox[background: url(" + BEACON + r")]{x}$",
    "definition": r"$\def\x{\x\x}\x$",
    "new command": r"$\newcommand{\a}{\a\a}$",
    "let": r"$\let\frac\href$",
    "includegraphics": r"$\includegraphics{" + BEACON + "}$",
    "very long formula": "$" + "x+" * 3000 + "x$",
    "very deep formula": "$" + "{" * 100 + "x" + "}" * 100 + "$",
    "reference to an equation": r"\ref{a} \eqref{b}",
    "dollars that are not ours": r"$ \href{javascript:alert(1)}{x} $ $ x",
    "escaped dollars": r"\$\href{javascript:alert(1)}{x}\$",
    "escaped backslash": r"\\(\href{javascript:alert(1)}{x}\\) \\[ \href{a}{b} \\]",
    "dollars as entities": r"&#36;\href{javascript:alert(1)}{x}&#36;",
    "backslash as an entity": r"&#92;(&#92;href{javascript:alert(1)}{x}&#92;)",
    "dollars in a link": r"[$ \href{a}{b} $](https://host/$x$)",
    "dollars over emphasis": r"$*\href{javascript:alert(1)}{x}*$ 1",
    "dollars in an image": r"![$\href{a}{b}$](https://host/)",
}
CODE = {
    "mermaid": '```mermaid\ngraph TD; A-->B; click A href "javascript:alert(1)"\n```',
    "html in a fence's info": "```<img/src=x/onerror=alert(1)>\nx\n```",
}
ALL = HTML | LINKS | IMAGES | MATHS | CODE


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
