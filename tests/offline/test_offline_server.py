"""The offline server's models, errors and port as `anthropic` and a plain HTTP client see them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import httpx
import pytest

from claude_magic.messages.errors import InputError
from claude_magic.messages.models import MODELS
from claude_magic.offline import OfflineServer
from tests.offline.offline_samples import body, user


@pytest.fixture
def plain(server: OfflineServer) -> Iterator[httpx.Client]:
    """A client that knows nothing of the API."""
    headers = {"anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=server.url, headers=headers) as made:
        yield made


def test_models_are_listed_in_pages_newest_first(client: anthropic.Anthropic) -> None:
    first = client.models.list(limit=5)
    assert first.has_more
    assert [model.id for model in first] == list(MODELS)
    before = client.models.list(before_id=list(MODELS)[3], limit=2)
    assert [model.id for model in before.data] == list(MODELS)[1:3]


def test_a_model_tells_what_it_can_do(client: anthropic.Anthropic) -> None:
    model = client.models.retrieve("claude-opus-4-5")
    assert (model.max_input_tokens, model.max_tokens, model.line) == (200_000, 64_000, "opus")
    assert model.capabilities is not None
    assert model.capabilities.thinking.types.enabled.supported
    assert not model.capabilities.thinking.types.adaptive.supported
    assert not model.capabilities.effort.max.supported
    assert model.created_at.year == 2025


def test_every_model_but_one_has_a_release_date(client: anthropic.Anthropic) -> None:
    unknown = [model.id for model in client.models.list() if model.created_at.year < 2025]
    assert unknown == ["claude-mythos-preview"]


def test_a_model_that_is_not_there_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: gpt"):
        client.models.retrieve("gpt")
    with pytest.raises(anthropic.NotFoundError, match="model: gpt"):
        client.messages.create(**body(model="gpt"))


def test_a_refused_key_is_an_authentication_error(server: OfflineServer) -> None:
    wrong = anthropic.Anthropic(base_url=server.url, api_key="invalid", max_retries=0)
    with wrong as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**body())


def test_an_error_has_the_shape_and_the_request_id_of_the_api(client: anthropic.Anthropic) -> None:
    client.models.list()
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**body(user(" ")))
    assert refused.value.request_id == "req_offline_000002"
    assert refused.value.body == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "messages.0: text content blocks must contain non-whitespace text",
        },
        "request_id": "req_offline_000002",
    }


HTTP_CASES: dict[str, tuple[int, str, tuple[str, str, bytes | None]]] = {
    "another path": (404, "not_found_error", ("GET", "/v1/elsewhere", None)),
    "another method": (405, "invalid_request_error", ("GET", "/v1/messages", None)),
    "a method that does not exist": (405, "invalid_request_error", ("BREW", "/v1/models", None)),
    "no JSON": (400, "invalid_request_error", ("POST", "/v1/messages", b"{")),
    "no object": (400, "invalid_request_error", ("POST", "/v1/messages", b"[]")),
    "not a number": (400, "invalid_request_error", ("POST", "/v1/messages", b'{"a": NaN}')),
    "half a surrogate pair": (
        400,
        "invalid_request_error",
        ("POST", "/v1/messages", b'["\\ud83d"]'),
    ),
    "brackets without end": (400, "invalid_request_error", ("POST", "/v1/messages", b"[" * 99_999)),
    "a body over 32 MB": (
        413,
        "request_too_large",
        ("POST", "/v1/messages", b" " * (32 * 1024 * 1024 + 1)),
    ),
    "a page that is too long": (400, "invalid_request_error", ("GET", "/v1/models?limit=0", None)),
    "a page after nothing": (404, "not_found_error", ("GET", "/v1/models?after_id=gpt", None)),
}


@pytest.mark.parametrize(("status", "kind", "asked"), HTTP_CASES.values(), ids=HTTP_CASES)
def test_what_is_no_request_of_the_api_gets_an_error_of_the_api(
    plain: httpx.Client, status: int, kind: str, asked: tuple[str, str, bytes | None]
) -> None:
    method, path, content = asked
    headers = {"content-type": "application/json"}
    answer = plain.request(method, path, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind
    assert answer.json()["request_id"] == answer.headers["request-id"] == "req_offline_000001"


@pytest.mark.parametrize("missing", ["anthropic-version", "content-type"])
def test_a_required_header_that_is_missing_is_refused(plain: httpx.Client, missing: str) -> None:
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    del headers[missing]
    plain.headers.pop("anthropic-version")
    answer = plain.post("/v1/messages", content=json.dumps(body()), headers=headers)
    assert answer.status_code == 400
    assert missing in answer.json()["error"]["message"]


def test_requests_are_remembered_as_they_came(server: OfflineServer, plain: httpx.Client) -> None:
    plain.post("/v1/messages", json=body(), headers={"X-Mark": "yes"})
    (recorded,) = server.requests
    assert (recorded.method, recorded.path) == ("POST", "/v1/messages")
    assert recorded.headers["x-mark"] == "yes"
    assert recorded.json == json.loads(recorded.body) == body()


def test_only_the_last_requests_are_kept() -> None:
    with OfflineServer(keep=2) as server:
        for path in "abc":
            httpx.get(f"{server.url}/{path}")
        assert [recorded.path for recorded in server.requests] == ["/b", "/c"]


def test_the_server_listens_on_loopback_only(server: OfflineServer) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_a_taken_port_is_one_line_that_says_what_to_do(server: OfflineServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(InputError, match=f"Port {port} cannot be used .* choose another"):
        OfflineServer(port).start()


def test_a_stopped_server_is_gone_and_may_be_stopped_again(server: OfflineServer) -> None:
    server.stop()
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
