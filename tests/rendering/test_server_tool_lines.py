"""Calls of the server's own tools as folded lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.rendering import drawn
from claude_magic.rendering.reply import ReplyFold, ServerCall, Unknown
from tests.rendering.attacks import ALL, BEACON
from tests.rendering.html_reading import Page, active_parts


def server_tool_lines(blocks: list[dict[str, Any]]) -> list[ServerCall]:
    """The calls at the server among the blocks."""
    fold = ReplyFold()
    for block in blocks:
        fold.block(block)
    return [part for part in fold.parts if isinstance(part, ServerCall)]


def bundle(part: ServerCall | Unknown) -> dict[str, str]:
    return drawn(part, lambda _: "")


def call(name: str, call_id: str = "s1", **given: Any) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": call_id, "name": name, "input": given}


def result(kind: str, content: Any, call_id: str = "s1") -> dict[str, Any]:
    return {"type": f"{kind}_tool_result", "tool_use_id": call_id, "content": content}


def found(
    title: str = "Ants", url: str = "https://example.org/ants", **more: Any
) -> dict[str, Any]:
    return {
        "type": "web_search_result",
        "title": title,
        "url": url,
        "encrypted_content": "EqgfCioIARgB",
        **more,
    }


def fetched(text: str = "Six legs.", title: str | None = "Ants") -> dict[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    document = {"type": "document", "source": source, "title": title}
    return {"type": "web_fetch_result", "url": "https://example.org/ants", "content": document}


def ran(stdout: str = "", stderr: str = "", code: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "type": "bash_code_execution_result",
        "stdout": stdout,
        "stderr": stderr,
        "return_code": code,
        "content": [],
        **more,
    }


SEARCH = call("web_search", query="ant names")
FETCH = call("web_fetch", url="https://example.org/ants")
BASH = call("bash_code_execution", command="python a.py")
FILE = {"type": "bash_code_execution_output", "file_id": "file_1"}
FOLDS: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "a search": (
        [SEARCH, result("web_search", [found(), found(page_age="May 1, 2026")])],
        "Searched the web: “ant names” · 2 results",
        "- [Ants](<https://example.org/ants>) (example.org)\n"
        "- [Ants](<https://example.org/ants>) (example.org) · May 1, 2026",
    ),
    "a search under way": ([SEARCH], "Searched the web: “ant names” …", ""),
    "a search whose words still come": (
        [{**SEARCH, "input": '{"query": "an'}],
        "Searched the web: “” …",
        "",
    ),
    "a search that failed": (
        [
            SEARCH,
            result(
                "web_search",
                {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
            ),
        ],
        "Searched the web: “ant names” · failed: max_uses_exceeded",
        "",
    ),
    "a page": (
        [FETCH, result("web_fetch", fetched())],
        "Read Ants",
        "[Ants](<https://example.org/ants>) (example.org)\n\n```\nSix legs.\n```",
    ),
    "a page without a title": (
        [FETCH, result("web_fetch", fetched(title=None))],
        "Read https://example.org/ants",
        "[The page](<https://example.org/ants>) (example.org)\n\n```\nSix legs.\n```",
    ),
    "code": (
        [
            call("code_execution", code="print(1)"),
            result("code_execution", {**ran("1\n"), "type": "code_execution_result"}),
        ],
        "Ran code",
        "```python\nprint(1)\n```\n\n```\n1\n```",
    ),
    "code that searched": (
        [
            call("code_execution", code="await web_search()"),
            result(
                "code_execution",
                {"type": "encrypted_code_execution_result", "encrypted_stdout": "x", "stderr": ""},
            ),
        ],
        "Ran code",
        "```python\nawait web_search()\n```",
    ),
    "a command that fails": (
        [BASH, result("bash_code_execution", ran("a", "no such file", 2))],
        "Ran python a.py · exit code 2",
        "```sh\npython a.py\n```\n\n```\na\n```\n\nstderr:\n\n```\nno such file\n```",
    ),
    "a command that makes a file": (
        [BASH, result("bash_code_execution", ran(content=[FILE]))],
        "Ran python a.py",
        "```sh\npython a.py\n```\n\n- file\\_1",
    ),
    "a file that is written": (
        [
            call("text_editor_code_execution", command="create", path="a.py", file_text="x = 1"),
            result("text_editor_code_execution", {"is_file_update": False}),
        ],
        "Wrote the file a.py",
        "```\nx = 1\n```",
    ),
    "a file that is changed": (
        [
            call("text_editor_code_execution", command="str_replace", path="a.py"),
            result("text_editor_code_execution", {"lines": ["-x", "+y"]}),
        ],
        "Changed the file a.py",
        "```\n-x\n+y\n```",
    ),
    "a tool that is not known": (
        [call("tarot", card="moon"), result("tarot", {"future": "bright"})],
        "Called tarot",
        '```json\n{\n "card": "moon"\n}\n```\n\n```json\n{\n "future": "bright"\n}\n```',
    ),
}


@pytest.mark.parametrize(("blocks", "line", "markdown"), FOLDS.values(), ids=FOLDS)
def test_a_call_is_a_line_with_what_it_gave_below(
    blocks: list[dict[str, Any]], line: str, markdown: str
) -> None:
    (fold,) = server_tool_lines(blocks)
    assert (fold.line, fold.markdown) == (line, markdown)
    assert fold.done == (len(blocks) > 1)
    assert bundle(fold)["text/plain"].split("\n")[0] == f"[{line}]"


def test_as_text_a_result_stands_below_its_line_and_a_page_does_not() -> None:
    texts = {
        "a search": "- Ants, https://example.org/ants\n"
        "- Ants, https://example.org/ants · May 1, 2026",
        "a page": "Ants, https://example.org/ants",
        "a command that fails": "python a.py\na\nstderr:\nno such file",
        "a command that makes a file": "python a.py\n- file_1",
    }
    for case, text in texts.items():
        (fold,) = server_tool_lines(FOLDS[case][0])
        assert fold.text == text
        assert bundle(fold)["text/plain"] == f"[{fold.line}]\n{text}"


def test_a_long_output_is_cut_and_that_is_said() -> None:
    (fold,) = server_tool_lines([BASH, result("bash_code_execution", ran("x" * 10_000))])
    assert "[… 2,000 characters more]" in fold.markdown


def test_a_result_in_another_reply_belongs_to_its_call() -> None:
    blocks = [FETCH, {"type": "tool_use", "id": "t"}, result("web_fetch", fetched())]
    assert [fold.done for fold in server_tool_lines(blocks)] == [True]


OPENED = '<div class="claude-magic"><details class="claude-magic-fold"><summary>'


def checked(fold: ServerCall | Unknown) -> Page:
    """What is folded, read as a browser does; nothing in it and in its line is active."""
    shown = bundle(fold)
    html = shown["text/html"]
    assert html.startswith(OPENED)
    line, inside = html.removeprefix(OPENED).split("</summary>", 1)
    assert Page(f"<span>{line}</span>").faults == []
    assert Page(line).formulas == []
    page = Page(inside.removesuffix("</details></div>"))
    assert page.faults == []
    assert page.formulas == []
    for markdown in (fold.markdown, shown["text/markdown"]):
        assert active_parts(markdown) == []
    assert not set(shown["text/plain"]) & set("\x1b\x9b\x00")
    assert "\n" not in fold.line
    return page


PLACES: dict[str, Any] = {
    "a query": lambda a: [call("web_search", query=a), result("web_search", [])],
    "a title": lambda a: [SEARCH, result("web_search", [found(a)])],
    "an age": lambda a: [SEARCH, result("web_search", [found(page_age=a)])],
    "a page's title": lambda a: [FETCH, result("web_fetch", fetched(title=a))],
    "a page": lambda a: [FETCH, result("web_fetch", fetched(a))],
    "a command": lambda a: [call("bash_code_execution", command=a)],
    "code": lambda a: [call("code_execution", code=a)],
    "what is printed": lambda a: [BASH, result("bash_code_execution", ran(a, a))],
    "a file's name": lambda a: [call("text_editor_code_execution", command="view", path=a)],
    "an error code": lambda a: [SEARCH, result("web_search", {"error_code": a})],
    "the name of a tool": lambda a: [call(a, card=a), result("x", {a: a})],
    "a made file": lambda a: [
        BASH,
        result("bash_code_execution", ran(content=[{**FILE, "file_id": a}])),
    ],
}


@pytest.mark.parametrize("attack", ALL.values(), ids=ALL)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_a_tool_gives_is_shown_as_it_is(place: str, attack: str) -> None:
    (fold,) = server_tool_lines(PLACES[place](attack))
    page = checked(fold)
    assert [link for link in page.links if BEACON in link or "script" in link] == []


@pytest.mark.parametrize("attack", ALL.values(), ids=ALL)
def test_an_address_that_is_none_is_no_link(attack: str) -> None:
    (fold,) = server_tool_lines([SEARCH, result("web_search", [found(url=attack)])])
    assert checked(fold).links == []
    (fold,) = server_tool_lines(
        [call("web_fetch", url=attack), result("web_fetch", {"url": attack})]
    )
    assert checked(fold).links == []


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "url", "title", "stdout", "lines", "query", "source"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
names = (
    st.sampled_from(["web_search", "web_fetch", "code_execution", "bash_code_execution", "x"])
    | values
)


@given(names, values, values)
@settings(max_examples=300)
def test_a_malformed_call_or_result_does_no_harm(name: Any, given_input: Any, content: Any) -> None:
    made = {"type": "server_tool_use", "id": "s1", "name": name, "input": given_input}
    blocks = [made, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": content}]
    (fold,) = server_tool_lines(json.loads(json.dumps(blocks)))
    checked(fold)
    assert fold.done


@pytest.mark.parametrize("attack", ALL.values(), ids=ALL)
def test_a_block_of_a_kind_that_is_not_known_is_shown_as_it_is(attack: str) -> None:
    fold = ReplyFold()
    fold.block({"type": attack, attack: [attack]})
    (part,) = fold.parts
    assert isinstance(part, Unknown)
    assert checked(part).links == []
