"""Message Batches of the offline server as the `anthropic` package sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import anthropic
import httpx
import pytest

from claude_magic.offline import OfflineServer
from claude_magic.offline.server_batches import check_params
from tests.offline.offline_samples import HEADERS, PREFILLABLE, assistant, body, image, user


def batch_of(*bodies: Any) -> Any:
    """Requests for a batch, named by their place."""
    return [{"custom_id": f"n-{n}", "params": params} for n, params in enumerate(bodies)]


def ended(client: anthropic.Anthropic, name: str) -> Any:
    """The batch, once it has ended."""
    deadline = time.monotonic() + 60
    while (batch := client.messages.batches.retrieve(name)).processing_status != "ended":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return batch


def results(client: anthropic.Anthropic, name: str) -> dict[str, Any]:
    return {line.custom_id: line.result for line in client.messages.batches.results(name)}


def test_a_batch_is_answered_request_by_request_and_in_another_order(
    client: anthropic.Anthropic,
) -> None:
    wanted = [body(user(f"Say {n}")) for n in range(4)]
    begun = client.messages.batches.create(requests=batch_of(*wanted))
    assert (begun.processing_status, begun.results_url) == ("in_progress", None)
    assert begun.request_counts.processing == 4
    over = ended(client, begun.id)
    assert (over.request_counts.processing, over.request_counts.succeeded) == (0, 4)
    lines = list(client.messages.batches.results(begun.id))
    assert [line.custom_id for line in lines] == ["n-1", "n-3", "n-0", "n-2"]
    (first,) = (line.result for line in lines if line.custom_id == "n-0")
    assert first.type == "succeeded" and first.message.usage.service_tier == "batch"
    alone = client.messages.create(**wanted[0])
    assert first.message.content == alone.content


def test_what_is_wrong_with_a_request_is_its_result_and_the_referee_s_word(
    client: anthropic.Anthropic,
) -> None:
    wrong = body(user(image(b"no picture")))
    prefilled = body(user("Go"), assistant("on "), model=PREFILLABLE)
    begun = client.messages.batches.create(requests=batch_of(body(), wrong, prefilled))
    assert ended(client, begun.id).request_counts.errored == 2
    found = results(client, begun.id)
    assert found["n-0"].type == "succeeded"
    for name, bad in {"n-1": wrong, "n-2": prefilled}.items():
        with pytest.raises(anthropic.BadRequestError) as alone:
            client.messages.create(**bad)
        assert found[name].error.error.message == alone.value.body["error"]["message"]  # type: ignore[index]


NOT_IN_A_BATCH = {
    "a stream": {"stream": True},
    "fast mode": {"speed": "fast"},
    "fallbacks": {"fallbacks": [{"model": PREFILLABLE}]},
    "no tokens": {"max_tokens": 0},
}


@pytest.mark.parametrize("case", NOT_IN_A_BATCH)
def test_what_only_single_requests_may_be(client: anthropic.Anthropic, case: str) -> None:
    begun = client.messages.batches.create(requests=batch_of({**body(), **NOT_IN_A_BATCH[case]}))
    ended(client, begun.id)
    assert results(client, begun.id)["n-0"].error.error.type == "invalid_request_error"
    check_params(body())


NO_BATCH: dict[str, tuple[Any, str]] = {
    "no requests": ([], "at least 1 item"),
    "the same id twice": ([*batch_of(body()), *batch_of(body())], "'n-0' is not unique"),
    "an id with other characters": ([{"custom_id": "a b", "params": body()}], "match pattern"),
    "an id that is too long": ([{"custom_id": "a" * 65, "params": body()}], "match pattern"),
    "a field more": ([{"custom_id": "a", "params": body(), "model": "x"}], "Extra inputs"),
    "no params": ([{"custom_id": "a"}], "params: Field required"),
    "too many": ([{"custom_id": str(n), "params": {}} for n in range(100_001)], "at most 100000"),
}


@pytest.mark.parametrize("case", NO_BATCH)
def test_what_is_no_batch_is_refused_at_once(client: anthropic.Anthropic, case: str) -> None:
    requests, said = NO_BATCH[case]
    with pytest.raises(anthropic.BadRequestError, match=said):
        client.messages.batches.create(requests=requests)
    assert client.messages.batches.list().data == []


def test_a_body_over_256_mb_is_refused(server: OfflineServer) -> None:
    def pieces() -> Any:
        for _ in range(257):
            yield b" " * (1024 * 1024)

    answer = httpx.post(
        f"{server.url}/v1/messages/batches", content=pieces(), headers=HEADERS, timeout=60
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")


def test_batches_are_listed_in_pages_the_newest_first(client: anthropic.Anthropic) -> None:
    names = [client.messages.batches.create(requests=batch_of(body())).id for _ in range(5)]
    first = client.messages.batches.list(limit=2)
    assert [batch.id for batch in first.data] == names[:2:-1] and first.has_more
    assert [batch.id for batch in first] == names[::-1]
    before = client.messages.batches.list(limit=2, before_id=names[0])
    assert [batch.id for batch in before.data] == [names[2], names[1]]


def test_a_canceled_batch_ends_with_what_it_has(client: anthropic.Anthropic) -> None:
    with OfflineServer(batch_pace=0.05) as slow:
        client = client.with_options(base_url=slow.url)
        begun = client.messages.batches.create(requests=batch_of(*[body()] * 500))
        told = client.messages.batches.cancel(begun.id)
        assert told.processing_status == "canceling" and told.cancel_initiated_at
        counts = ended(client, begun.id).request_counts
        assert counts.canceled + counts.succeeded == 500 and counts.canceled > 400
        with pytest.raises(anthropic.BadRequestError, match="has ended"):
            client.messages.batches.cancel(begun.id)


def test_only_a_batch_that_has_ended_has_results_or_can_be_deleted() -> None:
    with (
        OfflineServer(batch_pace=30) as slow,
        anthropic.Anthropic(base_url=slow.url, api_key="offline", max_retries=0) as client,
        httpx.Client(base_url=slow.url, headers=HEADERS) as plain,
    ):
        name = client.messages.batches.create(requests=batch_of(body())).id
        assert plain.get(f"/v1/messages/batches/{name}/results").status_code == 404
        with pytest.raises(anthropic.BadRequestError, match="cancel it"):
            client.messages.batches.delete(name)
        client.messages.batches.cancel(name)
        ended(client, name)
        assert client.messages.batches.delete(name).type == "message_batch_deleted"
        for ask in (client.messages.batches.retrieve, client.messages.batches.cancel):
            with pytest.raises(anthropic.NotFoundError):
                ask(name)


BEHAVED: dict[str, Callable[[Any], bool]] = {
    "overloaded": lambda result: result.error.error.type == "overloaded_error",
    "expired": lambda result: bool(result.type == "expired"),
    "refusal": lambda result: bool(result.message.stop_reason == "refusal"),
    "normal": lambda result: bool(result.type == "succeeded"),
}


def test_a_request_in_a_batch_behaves_as_told(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave(*BEHAVED)
    begun = client.messages.batches.create(requests=batch_of(*[body()] * len(BEHAVED)))
    ended(client, begun.id)
    found = results(client, begun.id)
    for place, (name, fits) in enumerate(BEHAVED.items()):
        assert fits(found[f"n-{place}"]), name


def test_a_batch_may_be_refused_or_taken_without_a_word(
    server: OfflineServer, client: anthropic.Anthropic
) -> None:
    server.behave("batch_refused", "batch_lost")
    with pytest.raises(anthropic.RateLimitError, match="processing queue"):
        client.messages.batches.create(requests=batch_of(body()))
    assert client.messages.batches.list().data == []
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.batches.create(requests=batch_of(body()))
    assert len(client.messages.batches.list().data) == 1


def test_large_batches_are_not_remembered_and_a_stop_ends_their_work() -> None:
    big = [body(user("x" * 200_000)) for _ in range(8)]
    with OfflineServer(batch_pace=30) as server:
        with anthropic.Anthropic(base_url=server.url, api_key="offline") as client:
            client.messages.batches.create(requests=batch_of(*big))
        (asked,) = server.requests
        assert asked.path == "/v1/messages/batches" and asked.body == b""
    assert not [t for t in threads() if "offline server" in t]


def threads() -> Sequence[str]:
    return [thread.name for thread in threading.enumerate()]
