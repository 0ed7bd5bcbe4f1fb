"""What the referee lets through and refuses of searches: the tools, their calls and results."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from claude_magic.offline.replies.server_tools import call_id, sealed
from tests.offline.offline_samples import (
    BAD,
    CACHE,
    HEADERS,
    LOOKUP,
    assistant,
    body,
    text,
    tool_result,
    tool_use,
    user,
)

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
NEW_SEARCH = {"type": "web_search_20260209", "name": "web_search"}
CODE = {"type": "code_execution_20250825", "name": "code_execution"}
SEARCHED = {
    "type": "server_tool_use",
    "id": "srvtoolu_01",
    "name": "web_search",
    "input": {"query": "ants"},
}
PAGE = {
    "type": "web_search_result",
    "url": "https://example.org/ants",
    "title": "Ants",
    "encrypted_content": "EqgfCioIARgB",
    "page_age": None,
}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [PAGE]}
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.org/ants",
    "title": "Ants",
    "encrypted_index": "Eo8BCioIAhgB",
    "cited_text": "Ants are small.",
}
CITED = {"type": "text", "text": "Ants are small.", "citations": [CITATION]}
# What this server gave out, and what became of it.
OURS = {**SEARCHED, "id": call_id("000001_1", "web_search", SEARCHED["input"])}
OUR_PAGE = {**PAGE, "encrypted_content": sealed(PAGE["url"], PAGE["title"])}
OUR_CITATION = {
    **CITATION,
    "encrypted_index": sealed(CITATION["url"], CITATION["cited_text"]),
}


TAKEN = {
    "a web search tool": body(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
    "every setting of a search": body(
        tools=[
            {
                **SEARCH,
                "type": "web_search_20260318",
                "max_uses": 3,
                "blocked_domains": ["example.com/blog/*", "docs.example.org"],
                "user_location": {"type": "approximate", "city": "Basel"},
                "allowed_callers": ["direct"],
                "response_inclusion": "excluded",
                **CACHE,
            }
        ]
    ),
    "every setting of a fetch": body(
        tools=[
            {
                "type": "web_fetch_20260318",
                "name": "web_fetch",
                "max_uses": None,
                "allowed_domains": ["example.com"],
                "citations": {"enabled": True},
                "max_content_tokens": 1000,
                "use_cache": False,
                "url_sources": {"user_input": {"type": "all"}},
            }
        ]
    ),
    "a search that an old model calls itself": body(
        model="claude-haiku-4-5",
        tools=[{**NEW_SEARCH, "allowed_callers": ["direct"]}],
    ),
    "code execution": body(tools=[CODE]),
    "code execution with a newer search": body(
        tools=[NEW_SEARCH, {**CODE, "type": "code_execution_20260120"}]
    ),
    "a search and its result": body(user("a"), assistant(SEARCHED, FOUND), user("b")),
    "a search elsewhere": body(user("a"), assistant(SEARCHED, FOUND, CITED), user("b")),
    "a failed search": body(
        user("a"),
        assistant(
            SEARCHED,
            {
                **FOUND,
                "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            },
        ),
        user("b"),
    ),
    "a paused search": body(user("a"), assistant(SEARCHED), tools=[SEARCH]),
    "a search that waits for a tool": body(
        user("a"), assistant(SEARCHED, tool_use()), user(tool_result()), tools=[SEARCH, LOOKUP]
    ),
    "a search that waited for a tool": body(
        user("a"),
        assistant(SEARCHED, tool_use()),
        user(tool_result()),
        assistant(FOUND, text("b")),
        user("c"),
        tools=[SEARCH, LOOKUP],
    ),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "a server's tool of another name": (
        BAD,
        "name: Input should be 'web_search'",
        body(tools=[{**SEARCH, "name": "search"}]),
    ),
    "an unknown setting of a search": (BAD, "depth: Extra", body(tools=[{**SEARCH, "depth": 3}])),
    "a setting of a newer search": (
        BAD,
        "response_inclusion: Extra inputs",
        body(tools=[{**SEARCH, "response_inclusion": "full"}]),
    ),
    "a setting of a newer fetch": (
        BAD,
        "use_cache: Extra inputs",
        body(
            tools=[{"type": "web_fetch_20260209", "name": "web_fetch", "use_cache": False}],
        ),
    ),
    "no use of a search": (BAD, "max_uses", body(tools=[{**SEARCH, "max_uses": 0}])),
    "domains with a scheme": (
        BAD,
        "Invalid domain: 'https://example.com'",
        body(tools=[{**SEARCH, "allowed_domains": ["https://example.com"]}]),
    ),
    "domains with a wildcard": (
        BAD,
        "Invalid domain",
        body(tools=[{**SEARCH, "allowed_domains": ["*.example.com"]}]),
    ),
    "domains allowed and blocked": (
        BAD,
        "only one of `allowed_domains` and `blocked_domains`",
        body(tools=[{**SEARCH, "allowed_domains": ["a.com"], "blocked_domains": ["b.com"]}]),
    ),
    "a place without a place": (
        BAD,
        "at least one of city",
        body(tools=[{**SEARCH, "user_location": {"type": "approximate"}}]),
    ),
    "a search from code on a model that cannot": (
        BAD,
        'Set `allowed_callers` to ["direct"]',
        body(model="claude-haiku-4-5", tools=[NEW_SEARCH]),
    ),
    "an old code execution beside a newer search": (
        BAD,
        "code_execution_20260120 or later",
        body(tools=[NEW_SEARCH, CODE]),
    ),
    "a search without its result": (
        BAD,
        "`web_search` tool use with id `srvtoolu_01` was found without a corresponding "
        "`web_search_tool_result` block",
        body(user("a"), assistant(SEARCHED, text("b")), user("c"), tools=[SEARCH]),
    ),
    "text after the results that a search waits for": (
        BAD,
        "only `tool_result` blocks may answer",
        body(
            user("a"),
            assistant(SEARCHED, tool_use()),
            user(tool_result(), text("b")),
            tools=[SEARCH, LOOKUP],
        ),
    ),
    "a paused search without its tool": (
        BAD,
        "but no `web_search` tool was provided",
        body(user("a"), assistant(SEARCHED)),
    ),
    "a result of no search": (
        BAD,
        "unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_01",
        body(user("a"), assistant(FOUND), user("b")),
    ),
    "a search of another shape": (
        BAD,
        "query: Extra inputs",
        body(user("a"), assistant({**SEARCHED, "query": "ants"}, FOUND), user("b")),
    ),
    "a page without its sealed content": (
        BAD,
        "encrypted_content: String should have",
        body(
            user("a"),
            assistant(SEARCHED, {**FOUND, "content": [{**PAGE, "encrypted_content": ""}]}),
            user("b"),
        ),
    ),
    "a citation of another shape": (
        BAD,
        "encrypted_index: Field required",
        body(
            user("a"),
            assistant(
                SEARCHED,
                FOUND,
                text(
                    "b",
                    citations=[{k: v for k, v in CITATION.items() if k != "encrypted_index"}],
                ),
            ),
            user("b"),
        ),
    ),
    "a call of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant({**OURS, "input": {"query": "bees"}}, {**FOUND, "tool_use_id": OURS["id"]}),
            user("b"),
        ),
    ),
    "a page of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant(SEARCHED, {**FOUND, "content": [{**OUR_PAGE, "title": "Bees"}]}),
            user("b"),
        ),
    ),
    "a citation of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant(text("b", citations=[{**OUR_CITATION, "cited_text": "Bees."}])),
            user("b"),
        ),
    ),
}


@pytest.mark.parametrize(("outcome", "message", "asked"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_status_type_and_what_is_wrong(
    outcome: tuple[int, str], message: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert (refused.value.status, refused.value.error_type) == outcome
    assert message in refused.value.message
