"""Web search, web fetch and code execution as the server answers them: made up, and well formed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from claude_magic.offline import OfflineServer
from tests.offline.offline_samples import (
    LOOKUP,
    SCHEMA,
    assistant,
    body,
    document,
    text,
    tool_result,
    user,
)

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FETCH = {"type": "web_fetch_20250910", "name": "web_fetch"}
CODE = {"type": "code_execution_20250825", "name": "code_execution"}
NEW_SEARCH = {"type": "web_search_20260318", "name": "web_search"}
NEW_FETCH = {"type": "web_fetch_20260318", "name": "web_fetch"}
PAGE = "https://example.org/paper"
Ask = Callable[..., Message]


@pytest.fixture
def ask(client: anthropic.Anthropic) -> Ask:
    """Asks, and has the package's own types judge every field of the reply."""

    def asked(*messages: Any, **more: Any) -> Message:
        reply = client.messages.create(**body(*messages, **more))
        return Message.model_validate(reply.to_dict())

    return asked


def kinds(message: Message) -> list[str]:
    """The types of the blocks but for thinking, neighbours of one type once."""
    every = [block.type for block in message.content if block.type != "thinking"]
    return [kind for kind, _ in itertools.groupby(every)]


def blocks(message: Message, kind: str) -> list[dict[str, Any]]:
    return [block.to_dict() for block in message.content if block.type == kind]


def cited(message: Message) -> Iterator[dict[str, Any]]:
    for block in message.content:
        if block.type == "text":
            yield from (citation.to_dict() for citation in block.citations or ())


def said(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def echo(message: Message) -> dict[str, Any]:
    return assistant(*[block.to_dict() for block in message.content])


def test_a_search_is_made_up_says_so_and_is_cited(ask: Ask) -> None:
    reply = ask(user("Search the web for ant names."), tools=[SEARCH])
    assert kinds(reply) == ["text", "server_tool_use", "web_search_tool_result", "text"]
    (call,), (result,) = blocks(reply, "server_tool_use"), blocks(reply, "web_search_tool_result")
    assert (call["name"], call["input"]) == ("web_search", {"query": "ant names"})
    assert result["tool_use_id"] == call["id"]
    urls = [page["url"] for page in result["content"]]
    assert urls == [f"https://example.{end}/offline/ant-names" for end in ("org", "com")]
    assert [citation["url"] for citation in cited(reply)] == urls
    assert {citation["type"] for citation in cited(reply)} == {"web_search_result_location"}
    assert "what the server's own tools return is made up" in said(reply)
    assert reply.usage.server_tool_use is not None
    assert reply.usage.server_tool_use.web_search_requests == 1
    assert reply.stop_reason == "end_turn"


def test_a_newer_search_is_called_from_code_unless_the_request_says_otherwise(ask: Ask) -> None:
    asked = user("Search for ants")
    reply = ask(asked, tools=[NEW_SEARCH])
    outer, inner = blocks(reply, "server_tool_use")
    assert (outer["name"], inner["name"]) == ("code_execution", "web_search")
    assert inner["caller"] == {"type": "code_execution_20260120", "tool_id": outer["id"]}
    (ended,) = blocks(reply, "code_execution_tool_result")
    assert ended["content"]["type"] == "encrypted_code_execution_result"
    direct = ask(asked, tools=[{**NEW_SEARCH, "allowed_callers": ["direct"]}])
    assert [call["name"] for call in blocks(direct, "server_tool_use")] == ["web_search"]


def test_the_lists_of_domains_are_kept_to(ask: Ask) -> None:
    asked = user("Search for ants")
    for lists, ends in (
        ({"allowed_domains": ["example.com"]}, ["com"]),
        ({"blocked_domains": ["example.com"]}, ["org"]),
        ({"allowed_domains": ["nature.com"]}, []),
    ):
        (result,) = blocks(ask(asked, tools=[{**SEARCH, **lists}]), "web_search_tool_result")
        assert [
            page["url"].split("/")[2].removeprefix("example.") for page in result["content"]
        ] == (ends)


def test_what_is_called_too_often_is_an_error_in_the_result(ask: Ask) -> None:
    reply = ask(
        user("web_search('ants') and web_search('bees')"), tools=[{**SEARCH, "max_uses": 1}]
    )
    first, second = blocks(reply, "web_search_tool_result")
    assert len(first["content"]) == 2
    assert second["content"] == {
        "type": "web_search_tool_result_error",
        "error_code": "max_uses_exceeded",
    }
    assert "`web_search` failed: `max_uses_exceeded`" in said(reply)
    assert reply.usage.server_tool_use is not None
    assert reply.usage.server_tool_use.web_search_requests == 1


def test_a_page_is_fetched_and_cited_if_the_tool_is_to(ask: Ask) -> None:
    asked = user(document("Notes"), text(f"Fetch {PAGE}."))
    reply = ask(asked, tools=[{**FETCH, "citations": {"enabled": True}}])
    (result,) = blocks(reply, "web_fetch_tool_result")
    page = result["content"]["content"]
    assert "made up by the offline server" in page["source"]["data"]
    (citation,) = cited(reply)
    start, end = citation["start_char_index"], citation["end_char_index"]
    assert page["source"]["data"][start:end] == citation["cited_text"]
    assert citation["document_index"] == 1
    assert list(cited(ask(asked, tools=[FETCH]))) == []


UNFETCHABLE = {
    "https://www.nature.com/ants": ("url_not_accessible", {}),
    "https://example.com/ants": ("url_not_allowed", {"allowed_domains": ["example.org"]}),
    f"https://example.com/{'a' * 250}": ("url_too_long", {}),
}


@pytest.mark.parametrize("url", UNFETCHABLE)
def test_a_page_that_nobody_can_make_up_is_an_error(ask: Ask, url: str) -> None:
    code, more = UNFETCHABLE[url]
    (result,) = blocks(
        ask(user(f"Fetch {url}"), tools=[{**FETCH, **more}]), "web_fetch_tool_result"
    )
    assert result["content"] == {"type": "web_fetch_tool_result_error", "error_code": code}


def test_code_is_written_to_a_file_and_not_run(ask: Ask) -> None:
    reply = ask(user("Use code_execution:\n```python\nprint(6 * 7)\n```"), tools=[CODE])
    write, run = blocks(reply, "server_tool_use")
    assert write["input"]["file_text"] == "print(6 * 7)\n"
    assert run["input"] == {"command": f"python {write['input']['path']}"}
    (result,) = blocks(reply, "bash_code_execution_tool_result")
    assert result["content"]["stdout"] == "The offline server runs nothing.\n"
    assert reply.container is not None
    again = ask(
        user("Use code_execution"),
        tools=[{**CODE, "type": "code_execution_20250522"}],
        container=reply.container.id,
    )
    (result,) = blocks(again, "code_execution_tool_result")
    assert result["content"]["type"] == "code_execution_result"
    assert again.container is not None
    assert again.container.id == reply.container.id


def test_no_tool_is_called_where_the_request_forbids_it(ask: Ask) -> None:
    reply = ask(user("Search for ants"), tools=[SEARCH], tool_choice={"type": "none"})
    assert kinds(reply) == ["text"]


def test_a_search_may_come_before_json(ask: Ask) -> None:
    wanted = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    reply = ask(user("Search for ants"), tools=[SEARCH], **wanted)
    assert kinds(reply) == ["server_tool_use", "web_search_tool_result", "text"]
    assert said(reply) == '{"kind": "bar"}'


@pytest.mark.parametrize("tools", [[SEARCH, FETCH], [NEW_SEARCH, NEW_FETCH]], ids=["old", "new"])
def test_a_paused_reply_goes_on_where_it_stopped(
    ask: Ask, server: OfflineServer, tools: list[Any]
) -> None:
    question = user(f"Search for ants, then fetch {PAGE}")
    server.behave("pause_turn", "pause_turn")
    first = ask(question, tools=tools)
    assert first.stop_reason == "pause_turn"
    assert kinds(first)[-1] == "server_tool_use"
    second = ask(question, echo(first), tools=tools)
    assert second.stop_reason == "pause_turn"
    third = ask(question, echo(first), echo(second), tools=tools)
    assert third.stop_reason == "end_turn"
    parts = [*first.content, *second.content, *third.content]
    calls = [block.id for block in parts if block.type == "server_tool_use"]
    results = [block.tool_use_id for block in parts if block.type.endswith("_tool_result")]
    assert sorted(calls) == sorted(results)
    assert len(set(calls)) == len(calls)
    # A client may put the parts of a reply into one message.
    whole = assistant(*[block.to_dict() for block in parts])
    assert ask(question, whole, user("Thanks"), tools=tools).stop_reason == "end_turn"


def test_a_reply_pauses_without_a_reason_where_it_can(ask: Ask, server: OfflineServer) -> None:
    server.behave("pause_turn", "pause_turn")
    assert ask(user("Hello"), tools=[SEARCH]).stop_reason == "pause_turn"
    assert ask(user("Hello"), tools=[LOOKUP]).stop_reason == "end_turn"


def test_a_server_can_be_told_that_its_tools_fail(ask: Ask, server: OfflineServer) -> None:
    for tool in (SEARCH, FETCH, CODE):
        server.behave("server_tool_error")
        reply = ask(user("Hello"), tools=[tool])
        (error,) = [b for b in map(dict, _contents(reply)) if "error_code" in b]
        assert error["error_code"] == "unavailable"
        assert reply.usage.server_tool_use is None


def _contents(message: Message) -> Iterator[Any]:
    for block in message.content:
        content = block.to_dict().get("content")
        if isinstance(content, dict):
            yield content


def test_a_call_beside_one_of_a_client_waits_for_the_clients_result(ask: Ask) -> None:
    question = user(f"Fetch {PAGE} and use lookup_gene on `BRCA1`")
    first = ask(question, tools=[FETCH, LOOKUP])
    assert kinds(first) == ["text", "server_tool_use", "tool_use"]
    assert first.stop_reason == "tool_use"
    result = user(tool_result(blocks(first, "tool_use")[0]["id"]))
    second = ask(question, echo(first), result, tools=[FETCH, LOOKUP])
    assert kinds(second)[0] == "web_fetch_tool_result"
    assert "`lookup_gene` returned a result" in said(second)
    assert second.stop_reason == "end_turn"
    later = ask(question, echo(first), result, echo(second), user("And?"), tools=[FETCH, LOOKUP])
    assert later.stop_reason == "end_turn"


def test_steps_are_taken_one_after_the_other(ask: Ask) -> None:
    question = user(
        f"Search for ants, then lookup_gene on `A`, then fetch {PAGE} and then lookup_gene('B')."
    )
    tools = [SEARCH, FETCH, LOOKUP]
    messages, seen = [question], []
    for _ in range(3):
        reply = ask(*messages, tools=tools)
        seen.append([block["name"] for block in map(_dict, reply.content) if "name" in block])
        results = [tool_result(call["id"]) for call in blocks(reply, "tool_use")]
        messages += [echo(reply), user(*results)] if results else []
    assert seen == [["web_search", "lookup_gene"], ["web_fetch", "lookup_gene"], []]
    assert reply.stop_reason == "end_turn"


def _dict(block: Any) -> dict[str, Any]:
    made: dict[str, Any] = block.to_dict()
    return made


def test_a_streamed_search_equals_the_one_that_comes_at_once(client: anthropic.Anthropic) -> None:
    asked = body(user("Use code_execution, then search for ants"), tools=[NEW_SEARCH, NEW_CODE])
    at_once = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        events = [event for event in stream if event.type == "message_start"]
        streamed = stream.get_final_message()
    assert _without_ids(streamed) == _without_ids(at_once)
    assert events[0].message.usage.input_tokens < at_once.usage.input_tokens
    assert events[0].message.usage.server_tool_use is None


NEW_CODE = {"type": "code_execution_20260521", "name": "code_execution"}


def _without_ids(value: Any) -> Any:
    """The message without the ids in it, which count the requests of a server."""
    if isinstance(value, anthropic.BaseModel):
        value = value.to_dict()
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = ("id", "tool_use_id", "tool_id", "encrypted_stdout", "signature")
    return {key: _without_ids(item) for key, item in value.items() if key not in named}
