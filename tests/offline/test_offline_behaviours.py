"""The stream on the wire, the faults on demand, and the clients that go away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx
import pytest

from claude_magic.offline import OfflineServer
from claude_magic.offline.journal import BEHAVIOURS
from tests.offline.offline_samples import (
    LOOKUP,
    SCHEMA,
    assistant,
    body,
    image,
    text,
    tool_result,
    tool_use,
    user,
)

WAIT = 10


@contextmanager
def raw_answer(url: str, asked: dict[str, Any]) -> Iterator[Any]:
    """The bytes of an answer as a file, asked for by hand over a socket."""
    content = json.dumps(asked).encode()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), WAIT) as connection:
        connection.sendall(
            b"POST /v1/messages HTTP/1.1\r\nHost: offline\r\nanthropic-version: 2023-06-01\r\n"
            b"Content-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(content) + content
        )
        with connection.makefile("rb") as answer:
            yield answer


def unchunked(answer: Any) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of a chunked answer, read to its proper end."""
    status = answer.readline().decode().strip()
    headers = {}
    while line := answer.readline().decode().strip():
        name, value = line.split(": ", 1)
        headers[name.lower()] = value
    content = b""
    while size := int(answer.readline(), 16):
        content += answer.read(size)
        answer.readline()
    return status, headers, content


def events_of(content: bytes) -> list[dict[str, Any]]:
    """The events; each must be an `event:` line, a `data:` line and an empty line."""
    events = []
    for part in content.decode().removesuffix("\n\n").split("\n\n"):
        name, data = part.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def streamed(server: OfflineServer, **more: Any) -> list[dict[str, Any]]:
    with raw_answer(server.url, body(stream=True, **more)) as answer:
        return events_of(unchunked(answer)[2])


def test_a_stream_has_the_shape_and_order_of_the_api(server: OfflineServer) -> None:
    with raw_answer(server.url, body(stream=True)) as answer:
        status, headers, content = unchunked(answer)
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["request-id"] == "req_offline_000001"
    events = events_of(content)
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    short = [kind for n, kind in enumerate(kinds) if n == 0 or kind != kinds[n - 1]]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert short == ["message_start", *block, *block, "message_delta", "message_stop"]
    started = events[0]["message"]
    assert (started["content"], started["stop_reason"]) == ([], None)
    assert started["usage"]["input_tokens"] > 0
    assert {"type": "ping"} in events


def test_a_signature_comes_once_and_just_before_its_block_ends(server: OfflineServer) -> None:
    events = [event for event in streamed(server) if event["type"] != "ping"]
    (place,) = [
        n
        for n, event in enumerate(events)
        if event.get("delta", {}).get("type") == "signature_delta"
    ]
    assert events[place + 1] == {"type": "content_block_stop", "index": 0}


def test_text_comes_in_small_deltas(server: OfflineServer) -> None:
    deltas = [e["delta"] for e in streamed(server) if e["type"] == "content_block_delta"]
    texts = [delta["text"] for delta in deltas if delta["type"] == "text_delta"]
    assert len(texts) > 20
    assert max(map(len, texts)) < 30


REFUSALS = {
    "overloaded": (529, "overloaded_error"),
    "rate_limited": (429, "rate_limit_error"),
    "busy": (429, "rate_limit_error"),
    "server_error": (500, "api_error"),
    "unauthorized": (401, "authentication_error"),
}


@pytest.mark.parametrize("behaviour", REFUSALS)
def test_a_server_can_be_told_to_refuse_and_is_normal_again_after_that(
    server: OfflineServer, client: anthropic.Anthropic, behaviour: str
) -> None:
    server.behave(behaviour)
    with pytest.raises(anthropic.APIStatusError) as refused:
        client.messages.create(**body())
    assert (refused.value.status_code, refused.value.type) == REFUSALS[behaviour]
    wait = refused.value.response.headers.get("retry-after")
    assert wait == {"rate_limited": "0.2", "busy": "30"}.get(behaviour)
    assert client.messages.create(**body()).stop_reason == "end_turn"


def test_a_client_that_tries_again_gets_its_answer() -> None:
    with (
        OfflineServer(behaviours=["overloaded", "rate_limited"]) as server,
        anthropic.Anthropic(base_url=server.url, api_key="offline", max_retries=2) as client,
    ):
        assert client.messages.create(**body()).stop_reason == "end_turn"
        assert len(server.requests) == 3


IMAGES = {
    "messages.0.content.1.image.source.base64.data": (user(text("Look:"), image(), image()),),
    "messages.2.content.0.content.0.image.source.base64.data": (
        user("Look it up"),
        assistant(tool_use()),
        user(tool_result(content=[image()])),
    ),
    "messages.0.content.0.image.source.url": (
        user({"type": "image", "source": {"type": "url", "url": "https://example.org/ant.jpg"}}),
    ),
}


@pytest.mark.parametrize("path", IMAGES)
def test_a_server_can_be_told_to_reject_images_and_names_the_first_one(
    server: OfflineServer, client: anthropic.Anthropic, path: str
) -> None:
    server.behave("reject_images", "reject_images")
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**body(*IMAGES[path], stream=True))
    assert refused.value.type == "invalid_request_error"
    assert refused.value.body["error"]["message"] == f"{path}: Could not process image"
    # The same server takes what holds no image, and is normal again after that.
    assert client.messages.create(**body()).stop_reason == "end_turn"
    assert client.messages.create(**body(*IMAGES[path])).stop_reason == "end_turn"


def test_a_server_can_be_told_to_have_a_small_context(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    asked = body(user("word " * 2000))
    tokens = client.messages.count_tokens(model=asked["model"], messages=asked["messages"])
    server.behave("small_context", "small_context")
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**asked)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.body["error"]["message"] == (
        f"prompt is too long: {tokens.input_tokens} tokens > 2000 maximum"
    )
    # The same server takes what is short, and is normal again after that.
    assert client.messages.create(**body()).stop_reason == "end_turn"
    assert client.messages.create(**asked).stop_reason == "end_turn"


def test_a_small_context_takes_what_just_fits(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("small_context")
    # 2.7 characters a token, and 7 tokens around them.
    reply = client.messages.create(**body(user("x" * int(1993 * 2.7))))
    assert reply.usage.input_tokens == 2000


def test_a_refusal_is_a_reply_with_the_reason(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("refusal", "refusal")
    with client.messages.stream(**body()) as stream:
        streamed_reply = stream.get_final_message()
    for reply in (client.messages.create(**body()), streamed_reply):
        assert reply.stop_reason == "refusal"
        assert reply.stop_details is not None
        assert reply.stop_details.category == "general_harms"


def test_a_reply_can_be_made_to_run_into_max_tokens(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("max_tokens")
    reply = client.messages.create(**body())
    assert (reply.stop_reason, reply.usage.output_tokens) == ("max_tokens", 40)


def test_a_cut_stream_ends_after_some_text_without_its_end(server: OfflineServer) -> None:
    server.behave("cut")
    events = streamed(server)
    assert events[-1]["delta"]["type"] == "text_delta"
    assert "message_stop" not in [event["type"] for event in events]


def test_an_error_can_come_in_the_middle_of_a_stream(server: OfflineServer) -> None:
    server.behave("error_mid_stream")
    *before, last = streamed(server)
    assert "text_delta" in [event.get("delta", {}).get("type") for event in before]
    assert last == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
    }


def test_a_slow_stream_begins_with_pings_and_is_whole(server: OfflineServer) -> None:
    server.behave("slow")
    events = streamed(server, max_tokens=30)
    kinds = [event["type"] for event in events]
    assert kinds[:4] == ["message_start", "ping", "ping", "ping"]
    assert kinds[-1] == "message_stop"


def test_a_paced_stream_is_the_same_stream(server: OfflineServer) -> None:
    with OfflineServer(pace=0.001) as paced:
        assert streamed(paced, max_tokens=30) == streamed(server, max_tokens=30)


def test_a_stalled_stream_waits_until_the_client_goes_and_that_is_noticed(
    server: OfflineServer,
) -> None:
    server.behave("stall")
    with raw_answer(server.url, body(stream=True)) as answer:
        for line in answer:
            if b"text_delta" in line:
                break
        assert server.disconnects == 0
    assert server.disconnected.wait(WAIT)
    assert server.disconnects == 1


def test_a_silent_stream_begins_and_then_says_nothing(server: OfflineServer) -> None:
    server.behave("silent")
    with raw_answer(server.url, body(stream=True)) as answer:
        named = (line for line in answer if line.startswith(b"event: "))
        seen = [next(named), next(named)]
    assert seen == [b"event: message_start\n", b"event: ping\n"]
    assert server.disconnected.wait(WAIT)


def test_a_client_that_goes_away_from_a_paced_stream_is_noticed() -> None:
    with OfflineServer(pace=0.05) as server:
        with raw_answer(server.url, body(stream=True)) as answer:
            for line in answer:
                if b"text_delta" in line:
                    break
        assert server.disconnected.wait(WAIT)
        assert server.disconnects == 1


def test_a_client_that_reads_to_the_end_has_not_gone_away(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    for _ in range(5):
        with client.messages.stream(**body()) as stream:
            for event in stream:
                if event.type == "message_stop":
                    break
    client.models.list()
    assert server.disconnects == 0


def test_stopping_ends_a_stalled_stream_and_blames_no_client() -> None:
    server = OfflineServer(behaviours=["stall"]).start()
    with raw_answer(server.url, body(stream=True)) as answer:
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        server.stop()
        answer.read()
    assert server.disconnects == 0


def test_another_client_is_served_while_a_stream_stalls(server: OfflineServer) -> None:
    server.behave("stall")
    with raw_answer(server.url, body(stream=True)) as answer:
        answer.readline()
        headers = {"anthropic-version": "2023-06-01"}
        assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 200


def test_one_request_can_be_let_through(server: OfflineServer, client: anthropic.Anthropic) -> None:
    server.behave("normal", "refusal")
    replies = [client.messages.create(**body()) for _ in range(2)]
    assert [reply.stop_reason for reply in replies] == ["end_turn", "refusal"]


CALLS = {
    "one_call": ["lookup_gene"],
    "two_calls": ["lookup_gene", "lookup_gene"],
    "three_calls": ["lookup_gene", "lookup_gene", "lookup_gene"],
    "unknown_tool": ["no_such_tool"],
    "wrong_arguments": ["lookup_gene"],
}


@pytest.mark.parametrize("behaviour", CALLS)
def test_a_server_can_be_told_to_call_tools_that_nobody_named(
    server: OfflineServer, client: anthropic.Anthropic, behaviour: str
) -> None:
    server.behave(behaviour)
    reply = client.messages.create(**body(tools=[LOOKUP]))
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert reply.stop_reason == "tool_use"
    assert [call.name for call in calls] == CALLS[behaviour]
    assert len({call.id for call in calls}) == len(calls)
    fits = all("gene" in call.input for call in calls)
    assert fits == (behaviour != "wrong_arguments")


def test_parallel_calls_go_to_different_tools_where_there_are_several(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("three_calls")
    other = {**LOOKUP, "name": "weigh"}
    question = user("Use weigh on `A`, then lookup_gene on `B`")
    reply = client.messages.create(**body(question, tools=[LOOKUP, other]))
    calls = [(b.name, b.input["gene"]) for b in reply.content if b.type == "tool_use"]
    assert calls == [("weigh", "A"), ("lookup_gene", "B"), ("weigh", "A")]


@pytest.mark.parametrize("more", [{}, {"tools": [LOOKUP], "tool_choice": {"type": "none"}}])
def test_without_a_tool_to_call_a_server_that_was_told_to_call_answers(
    server: OfflineServer, client: anthropic.Anthropic, more: dict[str, Any]
) -> None:
    server.behave("endless_calls")
    assert client.messages.create(**body(**more)).stop_reason == "end_turn"


def test_calls_can_be_made_to_go_on_for_ever(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("endless_calls")
    messages = [user("Hello")]
    for _ in range(5):
        reply = client.messages.create(**body(*messages, tools=[LOOKUP]))
        assert reply.stop_reason == "tool_use"
        content = [block.to_dict() for block in reply.content]
        messages += [assistant(*content), user(tool_result(content[-1]["id"]))]
    server.behave("refusal")
    assert client.messages.create(**body(*messages, tools=[LOOKUP])).stop_reason == "refusal"
    assert client.messages.create(**body(*messages, tools=[LOOKUP])).stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("behaviour", "ends", "stop_reason"),
    [("cut_tool_input", False, "max_tokens"), ("broken_tool_input", True, "tool_use")],
)
def test_a_tools_input_can_be_made_to_come_in_part(
    server: OfflineServer, behaviour: str, ends: bool, stop_reason: str
) -> None:
    server.behave(behaviour)
    events = streamed(server, tools=[LOOKUP], messages=[user("Use lookup_gene on `BRCA1`")])
    raw = "".join(event.get("delta", {}).get("partial_json", "") for event in events)
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw)
    assert raw.startswith("{")
    opened = {event["index"] for event in events if event["type"] == "content_block_start"}
    closed = {event["index"] for event in events if event["type"] == "content_block_stop"}
    assert len(opened - closed) == (not ends)
    last, stop = events[-2:]
    assert (last["delta"]["stop_reason"], stop["type"]) == (stop_reason, "message_stop")


def test_a_reply_can_be_refused_after_it_called_a_tool(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("refused_call")
    reply = client.messages.create(**body(tools=[LOOKUP]))
    assert [block.type for block in reply.content][-1] == "tool_use"
    assert reply.stop_reason == "refusal"
    assert reply.stop_details is not None


def test_a_reply_in_json_can_be_made_to_lack_its_end(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("bad_json")
    wanted = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    broken, whole = (client.messages.create(**body(**wanted)) for _ in "ab")
    (block,) = [block for block in broken.content if block.type == "text"]
    assert broken.stop_reason == "end_turn"
    with pytest.raises(json.JSONDecodeError):
        json.loads(block.text)
    json.loads("".join(b.text for b in whole.content if b.type == "text"))


def test_every_tenth_question_can_be_refused_until_another_behaviour_is_asked_for(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("every_tenth")
    statuses = []
    for _ in range(40):
        try:
            client.messages.create(**body())
            statuses.append(200)
        except anthropic.APIStatusError as refused:
            statuses.append(refused.status_code)
    assert statuses == ([200] * 9 + [429] + [200] * 9 + [529]) * 2
    server.behave("normal")
    assert [client.messages.create(**body()).stop_reason for _ in range(20)] == ["end_turn"] * 20


def test_an_unknown_behaviour_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="no behaviour 'explode': use one of overloaded"):
        OfflineServer(behaviours=["explode"])


def test_every_behaviour_has_a_test_here() -> None:
    tested = {"refusal", "max_tokens", "cut", "slow", "error_mid_stream", "stall", "silent"}
    tested |= {"reject_images", "small_context", "normal", "endless_calls", "refused_call"}
    tested |= {"cut_tool_input", "broken_tool_input", "bad_json", "every_tenth"}
    elsewhere = {"pause_turn", "server_tool_error", "expired", "batch_lost", "batch_refused"}
    assert set(BEHAVIOURS) == tested | elsewhere | set(REFUSALS) | set(CALLS)
