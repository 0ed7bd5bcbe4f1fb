"""What holds for every reply, however it is written or cut."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from claude_magic.rendering import (
    ReplyFold,
    TerminalFilter,
    code_blocks,
    plain,
    reply_bundle,
    split_point,
)
from claude_magic.rendering.reply import Thinking
from tests.rendering.html_reading import Page, active_parts

# Markdown's own characters far more often than chance would give them.
SYNTAX = r"""# ## - + * ** _ ` `` ``` ~~~ ~~ > [ ] ( ) ![ ]( ]: < > <img </ & &amp; &#36; $ $$ { }
\ \( \) \[ \] \\ \$ | |- :-: \begin{align} \end{align} \href \label{a} 1. 2) === --- *** : ! ? .
https:// http://a.b javascript: a b 1 é"""
CONTROL = ["\u00a0", "\x1b[", "\x1b]", "\x07", "\x9b", "\u202e", "\r"]
syntax = st.sampled_from(SYNTAX.split() + CONTROL) | st.sampled_from(
    [" ", "    ", "\t", "\n", "\n\n", "\n  ", "\n> ", "\n- "]
)
anything = st.text(max_size=60) | st.lists(syntax, max_size=40).map("".join)


@given(anything)
@example("`a\n\n`<b>`")
@example("$a \\ $ $a}{b$ \\(a{\\)")
@settings(max_examples=600)
def test_any_text_gives_safe_html_and_nothing_but_our_formulas_is_typeset(text: str) -> None:
    html = reply_bundle(text)["text/html"]
    page = Page(html)
    assert page.faults == []
    ours = [run for run in page.runs if run[:2] in ("\\(", "\\[") and len(run) > 2]
    assert page.formulas == ours


@given(anything)
@settings(max_examples=300)
def test_any_text_is_parsed_and_not_shown_by_way_of_the_fallback(text: str) -> None:
    from claude_magic.rendering.bundle import to_markdown
    from claude_magic.rendering.html import to_html
    from claude_magic.rendering.markdown import parsed

    to_html(parsed(plain(text)))
    to_markdown(parsed(plain(text)))


@given(anything)
@settings(max_examples=600)
def test_any_text_gives_markdown_that_is_inert_where_html_is_allowed(text: str) -> None:
    source = reply_bundle(text)["text/markdown"]
    assert active_parts(source) == []


words = st.sampled_from(
    ["The slope is 2.", "*em* and **bold**", "`code $x$`", "$x_1$ costs $5", "[a](https://b.c)"]
)
item = st.lists(words, min_size=1, max_size=2).map(" ".join)
pieces = st.one_of(
    item,
    st.lists(item, min_size=2, max_size=3).map("\n".join),
    item.map("## {}".format),
    item.map("{}\n===".format),
    st.lists(item, min_size=1, max_size=3).map(lambda rows: "\n".join(f"- {r}" for r in rows)),
    st.lists(item, min_size=1, max_size=3).map(lambda rows: "\n\n".join(f"- {r}" for r in rows)),
    st.lists(item, min_size=1, max_size=3).map(
        lambda rows: "\n".join(f"{n}. {r}" for n, r in enumerate(rows, 1))
    ),
    item.map("* outer\n\n  {}\n\n  ```python\n  x = 1\n\n  y = 2\n  ```".format),
    item.map("1. a\n   - {}\n\n     more".format),
    item.map("2. {}".format),
    item.map("> {}\n>\n> - b\nlazy".format),
    item.map("| a | b |\n|---|--:|\n| {} | 1 |".format),
    st.sampled_from(
        [
            "```python\ndef f():\n\n    return 1\n```",
            "~~~~\n```\n\n~~~\n~~~~",
            "```\nunclosed\n\n- x",
            "$$\na\n- b\n$$",
            "$$\na\n\nb\n$$",
            "$$\nunfinished",
            "\\[\nx\n\\]",
            "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
            "<div>\n\n<b>x</b>\n\n</div>",
            "    indented\n\n    code",
            "  lead\n\n   three",
            "***",
            "text\n***\ntext",
            "-",
            "- \n\n  late",
        ]
    ),
)
gaps = st.sampled_from(["\n", "\n\n", "\n\n\n", "\n  \n", " \n\n"])
documents = st.lists(st.tuples(pieces, gaps), min_size=1, max_size=7).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)


def body(markdown: str) -> str:
    html = reply_bundle(markdown)["text/html"]
    return html.removeprefix('<div class="claude-magic">').removesuffix("</div>")


@given(documents, st.integers(1, 200), st.data())
@settings(max_examples=800)
def test_two_parts_cut_at_a_split_point_render_as_they_do_together(
    text: str, minimum: int, data: st.DataObject
) -> None:
    """The cut is chosen when only a start of the text is there, and holds for all of it."""
    seen = text[: data.draw(st.integers(0, len(text)))]
    cut = split_point(seen, minimum)
    if cut is not None:
        assert minimum <= cut <= len(seen)
        assert body(text[:cut]) + body(text[cut:]) == body(text)


@given(documents)
@settings(max_examples=500)
def test_the_inert_markdown_of_an_honest_reply_renders_as_the_reply_does(text: str) -> None:
    bundle = reply_bundle(text)
    again = reply_bundle(bundle["text/markdown"])
    squeeze = re.compile(r"\s+")
    assert squeeze.sub(" ", again["text/html"]) == squeeze.sub(" ", bundle["text/html"])


@given(documents)
@settings(max_examples=300)
def test_cutting_a_reply_neither_loses_nor_splits_its_code(text: str) -> None:
    cut = split_point(text, 1)
    if cut is not None:
        assert code_blocks(text[:cut]) + code_blocks(text[cut:]) == code_blocks(text)


escapes = st.sampled_from(["\x1b", "\x9b", "\x9d", "[", "]", "31m", ";", "\x07", "\\", "\x9c", "P"])
terminal_text = st.lists(escapes | st.text(max_size=4) | st.sampled_from("\r\n"), max_size=20)


@given(terminal_text)
@settings(max_examples=600)
def test_terminal_text_is_the_same_however_it_is_cut_and_holds_no_control_character(
    chunks: list[str],
) -> None:
    screen = TerminalFilter()
    shown = "".join(screen.feed(chunk) for chunk in chunks)
    assert shown == plain("".join(chunks))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", shown)
    assert plain(shown) == shown


@given(terminal_text)
@settings(max_examples=300)
def test_a_reply_holds_no_control_character_however_its_words_are_cut(chunks: list[str]) -> None:
    folded = ReplyFold()
    for chunk in chunks:
        delta = {"type": "thinking_delta", "thinking": chunk}
        folded.event({"type": "content_block_delta", "index": 0, "delta": delta})
    folded.end()
    thoughts = plain("".join(chunks)).lstrip()
    assert folded.parts == ((Thinking(thoughts),) if thoughts else ())
