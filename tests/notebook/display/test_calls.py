"""A call as it is shown: folded when it is over, whole and visible when it is to be allowed."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from claude_magic.messages.blocks import NOT_ALLOWED, Block, image_base64, text
from claude_magic.messages.images.prepare import ImageCache
from claude_magic.notebook.display import tool_calls
from claude_magic.notebook.display.header_footer import thumbnails
from claude_magic.notebook.tools.toolboxes import decision
from claude_magic.rendering import ReplyFold, drawn
from claude_magic.tools.approval import Decision
from claude_magic.tools.function import function_tool
from claude_magic.tools.tool import Tool
from tests.messages.images.image_samples import photo, saved
from tests.rendering import attacks


def call(name: str = "lookup", **arguments: Any) -> Block:
    return {"type": "tool_use", "id": "toolu_1", "name": name, "input": arguments}


def result(*content: Block, **more: Any) -> Block:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content), **more}


def bundle(made: Block, given: Block, seconds: float = 1.24) -> dict[str, str]:
    """The call as it is drawn with its result."""
    fold = ReplyFold()
    fold.block(made)
    fold.result(given, seconds)
    (part,) = fold.parts
    return drawn(part, lambda blocks: thumbnails(blocks, ImageCache()))


def shown(made: Block, given: Block, seconds: float = 1.24) -> str:
    return bundle(made, given, seconds)["text/html"]


def lookup(gene: str) -> str:
    """A row."""
    return gene


def tool(**changed: Any) -> Tool:
    return replace(function_tool(lookup), **changed)


OUTCOMES = {
    "ok": result(text("1")),
    "error": result(text("ValueError: no"), is_error=True),
    "denied": result(text(f"{NOT_ALLOWED} by the user: no"), is_error=True),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_line_of_a_call_says_name_time_and_outcome(outcome: str) -> None:
    html = shown(call(gene="tp53"), OUTCOMES[outcome])
    assert f"<summary>lookup · 1.2 s · {outcome}</summary>" in html
    drawn_call = bundle(call(gene="tp53"), OUTCOMES[outcome])
    assert drawn_call["text/plain"].startswith(f'[lookup · 1.2 s · {outcome}]\n{{\n "gene": "tp53"')


def test_code_is_shown_as_code_and_other_arguments_as_json() -> None:
    html = shown(call("run_python", code="x = 1"), result(text("done")))
    assert '<span class="n">x</span>' in html
    assert "&quot;code&quot;" not in html
    assert "&quot;gene&quot;" in shown(call(gene="tp53"), result(text("1")))


def test_a_function_of_the_notebook_that_is_called_as_ours_is_shown_with_what_it_got() -> None:
    html = shown(call("run_python", code="x", more=1), result(text("1")))
    assert "&quot;more&quot;" in html


def test_texts_of_a_result_stand_on_lines_of_their_own_and_pictures_small_within_the_fold() -> None:
    picture = image_base64("image/png", base64.b64encode(saved(photo(60, 40))).decode())
    html = shown(call(), result(text("one"), picture, text("two")))
    inside = html.split("</summary>", 1)[1]
    assert "one\ntwo" in inside
    assert "data:image" in inside
    assert html.count("<details") == 2
    drawn_call = bundle(call(), result(text("one"), picture))
    assert drawn_call["text/plain"].endswith("one\n[1 image]")


def test_a_long_result_is_trimmed_where_it_is_shown() -> None:
    html = shown(call(), result(text("a" * 1_000_000)))
    assert len(html) < 20_000
    assert "characters left out …]" in html


def test_arguments_that_were_cut_off_are_shown_as_they_came() -> None:
    html = shown({**call(), "input": '{"gene": "tp'}, result(text("cut"), is_error=True))
    assert "{&quot;gene&quot;: &quot;tp" in html


def test_a_result_without_content_is_shown() -> None:
    assert "<summary>" in shown(call(), {"type": "tool_result", "tool_use_id": "toolu_1"})


@pytest.mark.parametrize("attack", attacks.ALL)
def test_what_a_call_or_its_result_holds_is_only_shown(attack: str) -> None:
    hostile = attacks.ALL[attack]
    for made in (call(hostile, gene=hostile), call("run_python", code=hostile)):
        html = shown(made, result(text(hostile), is_error=True))
        asked = tool_calls.asked(made, tool())["text/html"].split("</style>", 1)[1]
        for form in (html, asked):
            tags = set(_tags(form))
            assert tags <= {"div", "details", "summary", "pre", "code", "span"}, tags
    drawn_call = bundle(call(hostile), result(text(hostile)))
    assert "\x1b" not in drawn_call["text/plain"]


def _tags(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)
            assert not {name for name, _ in attrs} - {"class"}

    Reader().feed(html)
    return found


def test_a_call_that_is_to_be_allowed_is_shown_whole() -> None:
    code = "\n".join(f"step_{n}()" for n in range(2_000)) + "\nlast()"
    asked = tool_calls.asked(
        call("run_python", code=code), tool(preview=lambda given: ("python", given["code"]))
    )
    assert "run_python is to run, 2,001 lines:" in asked["text/html"]
    assert "step_1234" in asked["text/html"]
    assert asked["text/plain"].endswith("last()")


INVISIBLE = {
    "bidi override": ("\u202e", "\\u202e"),
    "zero width": ("\u200b", "\\u200b"),
    "escape": ("\x1b[8m", "\\x1b[8m"),
    "carriage return": ("\r", "\\r"),
    "line separator": ("\u2028", "\\u2028"),
    "lone surrogate": ("\ud800", "\\ud800"),
    "tag character": ("\U000e0041", "\\U000e0041"),
}


@pytest.mark.parametrize("case", INVISIBLE)
def test_what_cannot_be_seen_of_a_call_is_written_out_before_it_is_allowed(case: str) -> None:
    character, written = INVISIBLE[case]
    code = call("run_python", code=f"a{character}b")
    asked = tool_calls.asked(code, tool(preview=lambda given: ("python", given["code"])))
    assert f"a{written}b" in asked["text/plain"]
    assert f"a{written}b" in re.sub("<[^>]*>", "", asked["text/html"])


def test_letters_and_signs_of_all_languages_are_shown_as_they_are() -> None:
    words = "größe — 数据 नमस्ते 𝛼\t\n"
    assert tool_calls.visible(words) == words


ANSWERS = {
    "y": Decision(True),
    " YES ": Decision(True),
    "a": Decision(True, always=True),
    "always": Decision(True, always=True),
    "n": Decision(False),
    "No.": Decision(False),
    "": Decision(False),
    "no, use the other table": Decision(False, "use the other table"),
    "n: too slow": Decision(False, "too slow"),
    "use the other table": Decision(False, "use the other table"),
    "not now": Decision(False, "not now"),
    "yes!": Decision(False, "yes!"),
    "y\ny": Decision(False, "y\ny"),
}


@pytest.mark.parametrize("typed", ANSWERS)
def test_only_a_plain_yes_or_always_allows(typed: str) -> None:
    assert decision(typed) == ANSWERS[typed]
