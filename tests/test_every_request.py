"""Every request that these tests have sent is one that the API's own types allow.

The offline server writes down what it found good; this runs after all other tests. A run of this
file alone checks what the last run of others left, such as that of the notebooks.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta.message_create_params import MessageCreateParamsNonStreaming as WithBetas
from anthropic.types.beta.messages.batch_create_params import BatchCreateParams as BatchWithBetas
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages.batch_create_params import BatchCreateParams

from claude_magic.offline.server import JOURNAL
from tests.request_types import misfit

# Fields of headers in these types, and a field that says how the reply comes.
_NOT_IN_THE_BODY = ("betas", "stream")
# Not in these types any more, but still in the API for models up to 4.6 where a user asks for it.
_LEGACY = ("temperature", "top_p", "top_k")


def body_of(request: dict[str, object]) -> dict[str, object]:
    body = request["body"]
    assert isinstance(body, dict)
    return {k: v for k, v in body.items() if k not in (*_NOT_IN_THE_BODY, *_LEGACY)}


def sent(request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """What was sent, and the type that it has to be of; one of a batch as a batch of one."""
    body, beta = body_of(request), request["beta"]
    if "custom_id" not in request:
        return body, WithBetas if beta else MessageCreateParamsNonStreaming
    batch = {"requests": [{"custom_id": request["custom_id"], "params": body}]}
    return batch, BatchWithBetas if beta else BatchCreateParams


def test_a_request_with_a_field_that_nobody_knows_is_found() -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}
    assert misfit(body, MessageCreateParamsNonStreaming) is None
    assert misfit({**body, "extra": 1}, MessageCreateParamsNonStreaming)
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png"}}
    without_data = {**body, "messages": [{"role": "user", "content": [image]}]}
    assert "lacks ['data']" in str(misfit(without_data, MessageCreateParamsNonStreaming))
    batch = {"requests": [{"custom_id": "a", "params": body}, {"custom_id": "b", "params": {}}]}
    assert "requests.1.params: lacks" in str(misfit(batch, BatchCreateParams))


@pytest.mark.timeout(600)
def test_every_request_is_of_the_api() -> None:
    file = Path(os.environ[JOURNAL])
    if not file.exists():
        pytest.skip("no other test has sent a request")
    wrong: dict[str, None] = {}
    count = 0
    with file.open(encoding="ascii") as lines:
        for line in lines:
            request = json.loads(line)
            count += 1
            said = misfit(*sent(request))
            if said:
                wrong[said] = None
    assert list(wrong)[:20] == [], f"of {count} requests"
