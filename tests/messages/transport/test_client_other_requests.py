"""Requests beside a streamed question: tokens counted, a message in one piece, the models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from claude_magic.messages import errors
from tests.messages.transport.client_requests import BODY, KEY, Connect
from tests.messages.transport.fault_server import FaultServer, Peer, answers
from tests.messages.transport.quick_clock import QuickClock


def as_json(value: Any, status: int = 200) -> Callable[[Peer], None]:
    return answers(status, json.dumps(value).encode(), {"content-type": "application/json"})


def test_counting_tokens_sends_what_the_server_counts(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"input_tokens": 42}))
    body = {**BODY, "system": "s", "stop_sequences": ["x"], "temperature": 1}
    assert connect(server).count_tokens(body) == 42
    (request,) = server.requests
    assert request.path == "/v1/messages/count_tokens"
    assert request.json == {"model": "m", "messages": BODY["messages"], "system": "s"}


def test_a_message_in_one_piece_is_asked_for_without_a_stream(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"content": [{"type": "text", "text": "Hello"}]}))
    assert connect(server).message(BODY)["content"][0]["text"] == "Hello"
    assert server.requests[0].json == BODY


@pytest.mark.parametrize("answer", [{}, {"content": None}, {"content": "Hello"}, {"content": [1]}])
def test_what_is_no_message_is_said(
    server: FaultServer, connect: Connect, answer: dict[str, Any]
) -> None:
    server.play(as_json(answer))
    with pytest.raises(errors.ProtocolError, match="answered without a message"):
        connect(server).message(BODY)


def test_the_models_of_all_pages_are_listed(server: FaultServer, connect: Connect) -> None:
    server.play(
        as_json({"data": [{"id": "a"}, {"id": "b&c"}], "has_more": True, "last_id": "b&c"}),
        as_json({"data": [{"id": "d"}], "has_more": False, "last_id": "d"}),
    )
    assert [model["id"] for model in connect(server).models()] == ["a", "b&c", "d"]
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/models?limit=1000", "/v1/models?limit=1000&after_id=b%26c"]
    assert server.requests[0].headers["x-api-key"] == KEY


def test_the_list_of_another_server_needs_no_paging_fields(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"object": "list", "data": [{"id": "llama"}, "odd"]}))
    assert connect(server).models() == [{"id": "llama"}]


def test_a_list_that_never_ends_is_left(server: FaultServer, connect: Connect) -> None:
    server.play(as_json({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}))
    assert len(connect(server).models()) == len(server.requests) == 50


def test_a_server_without_a_list_of_models_raises_not_found(
    server: FaultServer, connect: Connect
) -> None:
    server.play(answers(404, b"404 page not found", {"content-type": "text/plain"}))
    with pytest.raises(errors.NotFound):
        connect(server).models()


@pytest.mark.parametrize("answer", [{}, {"data": 1, "input_tokens": "x"}, [1], "text"], ids=str)
def test_an_answer_of_another_shape_is_a_protocol_error(
    server: FaultServer, answer: Any, connect: Connect
) -> None:
    server.play(as_json(answer))
    with pytest.raises(errors.ProtocolError):
        connect(server).count_tokens(BODY)
    with pytest.raises(errors.ProtocolError):
        connect(server).models()


def test_other_requests_are_retried_too(server: FaultServer, connect: Connect) -> None:
    server.play(
        lambda peer: peer.reset(),
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"),
        as_json({"input_tokens": 42}),
    )
    assert connect(server, clock=QuickClock()).count_tokens(BODY) == 42
    assert len(server.requests) == 3
