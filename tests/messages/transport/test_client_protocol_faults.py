"""Whatever events a stream is made of, the user gets the reply or one of our errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claude_magic.messages import errors
from claude_magic.messages.transport.stream import runnable
from tests.messages.transport.fault_outcomes import (
    Outcome,
    broken,
    play,
    resets_once_shown,
    retried,
    violation,
    whole,
)
from tests.messages.transport.fault_server import (
    BEGUN,
    BLOCK,
    BLOCK_STOP,
    ENDING,
    PING,
    REST,
    START,
    STOP,
    STREAM_HEAD,
    WHOLE,
    Script,
    delta,
    event,
    streams,
)

TOOL = {"type": "tool_use", "id": "t1", "name": "rm", "input": {}}
CUT_TOOL = event("content_block_start", index=1, content_block=TOOL) + event(
    "content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"p": "/'}
)
CUT_OFF = event("message_delta", delta={"stop_reason": "max_tokens"}, usage={})
UNKNOWN = {"type": "hologram", "beam": [1, None, {"x": "y"}]}
OVERLOADED = event("error", error={"type": "overloaded_error", "message": "BODY Overloaded"})


def overloaded_to_the_end(outcome: Outcome) -> None:
    """Tried for two minutes, then our error with the status that the event stands for."""
    assert isinstance(outcome.error, errors.ServerError)
    assert (outcome.error.status, outcome.error.error_type) == (529, "overloaded_error")
    assert outcome.error.request_id == "req_1"
    assert 100 < outcome.slept <= 120


def broken_by_overload(outcome: Outcome) -> None:
    broken(outcome)
    assert isinstance(outcome.error, errors.BrokenReply)
    assert (outcome.error.status, outcome.error.error_type) == (529, "overloaded_error")


def unknown_block_kept(outcome: Outcome) -> None:
    whole(outcome)
    assert outcome.snapshot["content"][1] == UNKNOWN


def tool_not_run(outcome: Outcome) -> None:
    whole(outcome, "Hel")
    block = outcome.snapshot["content"][1]
    assert block["input"] == '{"p": "/'
    assert not runnable(block)


def violation_after_the_words(outcome: Outcome) -> None:
    """A protocol error; what stood before it in the same read has come."""
    assert isinstance(outcome.error, errors.ProtocolError)
    assert outcome.text == "Hello"


PROTOCOL: dict[str, tuple[Script, Callable[[Outcome], None]]] = {
    "unknown event": (streams(BEGUN, event("weather", sun=1), REST), whole),
    "unknown block type": (
        streams(BEGUN, event("content_block_start", index=1, content_block=UNKNOWN), REST),
        unknown_block_kept,
    ),
    "events without a type": (
        streams(BEGUN, b"event: ping\ndata: {}\n\ndata: [DONE]\n\ndata: 7\n\n", REST),
        whole,
    ),
    "a ping that is no JSON": (streams(BEGUN, b"event: ping\ndata: pong\n\n", REST), whole),
    "bad JSON after words in one read": (
        streams(BEGUN + delta("lo") + b"data: {oops\n\n"),
        violation_after_the_words,
    ),
    "usage missing": (
        streams(
            event("message_start", message={"role": "assistant", "content": []}),
            BLOCK + delta("Hello"),
            event("message_delta", delta={"stop_reason": "end_turn"}) + STOP,
        ),
        whole,
    ),
    "the same block index twice": (streams(BEGUN, BLOCK), violation),
    "a delta before its start": (streams(START, delta("BODY")), violation),
    "index out of range": (streams(BEGUN, delta("BODY", index=7)), violation),
    "a block's index out of range": (
        streams(BEGUN, BLOCK.replace(b'"index": 0', b'"index": 99')),
        violation,
    ),
    "no message_start": (streams(BLOCK, delta("BODY"), ENDING, STOP), violation),
    "two message_start": (streams(BEGUN, START), violation),
    "events after message_stop": (streams(WHOLE, PING, delta("BODY"), START, b"[DONE"), whole),
    "event: line missing": (
        streams(b"".join(line for line in WHOLE.splitlines(True) if line[:6] != b"event:")),
        whole,
    ),
    "tool input cut off": (streams(BEGUN, CUT_TOOL, CUT_OFF, STOP), tool_not_run),
    "error event first": (streams(OVERLOADED), overloaded_to_the_end),
    "error event after the start": (streams(START, PING, OVERLOADED), overloaded_to_the_end),
    "error event of another kind": (
        streams(event("error", error={"type": "api_error", "message": "oops"})),
        retried(errors.ServerError),
    ),
    "overloaded mid-stream": (streams(BEGUN, OVERLOADED), broken_by_overload),
    "a stop_reason, then EOF": (streams(BEGUN, delta("lo"), BLOCK_STOP, ENDING), whole),
    "a stop_reason, then RST": (
        resets_once_shown(STREAM_HEAD, BEGUN + delta("lo") + ENDING),
        whole,
    ),
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("case", PROTOCOL)
def test_a_stream_that_breaks_the_protocol_ends_as_it_should(case: str) -> None:
    play(*PROTOCOL[case])
