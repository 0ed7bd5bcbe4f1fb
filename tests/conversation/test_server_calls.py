"""Calls of the server's own tools in a conversation: what later requests hold of them."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.conversation.export import as_markdown, as_messages, as_python
from claude_magic.conversation.reply_value import Reply
from claude_magic.conversation.turns import Step, Turn, messages, unanswered
from claude_magic.messages.blocks import document_text, text
from claude_magic.offline.referee.referee import check

HEADERS = {"anthropic-version": "2023-06-01"}
SEARCHED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
RUN = {"type": "server_tool_use", "id": "srvtoolu_0", "name": "code_execution", "input": {}}
CALLER = {"caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_0"}}
RAN = {
    "type": "code_execution_tool_result",
    "tool_use_id": "srvtoolu_0",
    "content": {
        "type": "encrypted_code_execution_result",
        "encrypted_stdout": "x",
        "stderr": "",
        "return_code": 0,
        "content": [],
    },
}
CALLED = {"type": "tool_use", "id": "toolu_1", "name": "weigh", "input": {}}
WEIGHED = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("3 g")]}


def turn(*reply: Any, steps: tuple[Step, ...] = (), **more: Any) -> Turn:
    return Turn("id", (text("Search"),), reply, "claude-sonnet-5-5", "offline", steps=steps, **more)


def kinds(given: Turn) -> list[str]:
    """The types of the blocks that later requests hold of the replies."""
    later = messages([given])
    contents = [m["content"] for m in later if m["role"] == "assistant"]
    blocks = [b for c in contents for b in ([text(c)] if isinstance(c, str) else c)]
    return [str(block["type"]) for block in blocks]


def accepted(*turns: Turn) -> None:
    """The next question after these turns is one that the server takes."""
    asked = [*messages(turns), {"role": "user", "content": "And?"}]
    check({"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": asked}, HEADERS)


STOPPED: dict[str, tuple[Turn, list[str]]] = {
    "a search that came": (
        turn(SEARCHED, FOUND, text("a")),
        ["server_tool_use", "web_search_tool_result", "text"],
    ),
    "in a search": (turn(text("a"), SEARCHED, status="interrupted"), ["text", "text"]),
    "in the input of a search": (
        turn(text("a"), {**SEARCHED, "input": '{"que'}, status="interrupted"),
        ["text", "text"],
    ),
    "in code that has searched": (
        turn(text("a"), RUN, {**SEARCHED, **CALLER}, {**FOUND, **CALLER}, status="interrupted"),
        ["text", "text"],
    ),
    "after code that searched": (
        turn(
            text("a"), RUN, {**SEARCHED, **CALLER}, {**FOUND, **CALLER}, RAN, status="interrupted"
        ),
        [
            *("text", "server_tool_use", "server_tool_use"),
            *("web_search_tool_result", "code_execution_tool_result", "text"),
        ],
    ),
    "before the search that waited for a tool": (
        turn(steps=(Step("tools", (SEARCHED, CALLED), (WEIGHED,)),), status="interrupted"),
        ["tool_use", "text"],
    ),
    "after the search that waited for a tool": (
        turn(FOUND, text("a"), steps=(Step("tools", (SEARCHED, CALLED), (WEIGHED,)),)),
        ["server_tool_use", "tool_use", "web_search_tool_result", "text"],
    ),
    "in a pause": (
        turn(steps=(Step("pause", (text("a"), SEARCHED)),), status="interrupted"),
        ["text", "text"],
    ),
}


@pytest.mark.parametrize(("stopped", "expected"), STOPPED.values(), ids=STOPPED)
def test_a_call_that_came_to_nothing_is_not_sent_again(stopped: Turn, expected: list[str]) -> None:
    assert kinds(stopped) == expected
    accepted(stopped)


def test_calls_without_results_are_found_by_their_ids() -> None:
    assert unanswered([RUN, SEARCHED, FOUND, CALLED]) == {"srvtoolu_0"}


def test_an_exported_conversation_has_citations_on_for_all_documents_or_none() -> None:
    first = Turn("1", (document_text("Six."), text("a")), (text("b"),), "m", "offline")
    second = Turn("2", (document_text("Six.", cite=True), text("a")), (text("b"),), "m", "offline")
    body = as_messages([first, second])
    question = {"role": "user", "content": "And?"}
    check(
        {**body, "model": "claude-sonnet-5-5", "messages": [*body["messages"], question]}, HEADERS
    )
    script = as_python([first, second])
    assert script.count("'citations': {'enabled': True}") == 2
    compile(script, "script", "exec")


CITED = {
    "type": "text",
    "text": "Six legs",
    "citations": [
        {
            "type": "web_search_result_location",
            "url": "https://example.org/ants",
            "title": "Ants",
            "encrypted_index": "x",
            "cited_text": "Ants have six legs.",
        }
    ],
}
FOUND_ANTS = {
    **FOUND,
    "content": [
        {
            "type": "web_search_result",
            "url": "https://example.org/ants",
            "title": "Ants",
            "encrypted_content": "x",
        }
    ],
}
ANSWERED = turn(text("I search."), SEARCHED, FOUND_ANTS, CITED, text(", I read."))


def test_a_reply_shows_searches_numbers_and_sources_and_keeps_its_bare_text() -> None:
    reply = Reply(ANSWERED)
    assert reply.text == "I search.Six legs, I read."
    bundle, _ = reply._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "I search.\n\n[Searched the web: “” · 1 result]\n- Ants, https://example.org/ants\n\n"
        "Six legs[1], I read.\n\n"
        "[1] Ants, https://example.org/ants · “Ants have six legs.”"
    )
    assert "<summary>Searched the web: “” · 1 result</summary>" in bundle["text/html"]
    assert '<span class="claude-magic-footnote">[1]</span>' in bundle["text/html"]
    assert bundle["text/html"].count('href="https://example.org/ants"') == 2


def test_an_exported_document_holds_the_sources() -> None:
    document = as_markdown([ANSWERED])
    assert "Six legs&#91;1&#93;, I read." in document
    assert "&#91;1&#93; [Ants](https://example.org/ants) (example.org)" in document
    assert "&#91;Searched the web: “” · 1 result&#93;" in document


def test_a_prefill_begins_the_first_text() -> None:
    opened = turn(
        SEARCHED,
        FOUND_ANTS,
        text("B)"),
        parameters={"prefill": "The answer is (", "emulated": False},
    )
    bundle, _ = Reply(opened)._repr_mimebundle_()
    assert bundle["text/plain"].endswith("ants\n\nThe answer is (B)")
    nothing = turn(parameters={"prefill": "The answer is (", "emulated": False})
    assert Reply(nothing)._repr_mimebundle_()[0]["text/plain"] == "The answer is ("


def test_a_try_that_did_not_fit_is_not_shown() -> None:
    again = turn(text("2"), steps=(Step("retry", (text("1"),), (text("No."),)),))
    assert Reply(again)._repr_mimebundle_()[0]["text/plain"] == "2"
