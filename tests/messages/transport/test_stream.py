"""Bytes to events, and events to the message they make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.errors import BrokenReply, ProtocolError
from claude_magic.messages.transport.stream import (
    EventDecoder,
    LineSplitter,
    Snapshot,
    accumulate,
    parse_json,
    runnable,
)

USAGE = {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 7}
START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    },
}
END: list[dict[str, Any]] = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


def begin(block: Mapping[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def text(value: str, index: int = 0) -> dict[str, Any]:
    return delta(index, type="text_delta", text=value)


TEXT = {"type": "text", "text": ""}
TOOL = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}


def folded(events: Sequence[Mapping[str, Any]]) -> Snapshot:
    snapshot = Snapshot()
    for event in events:
        snapshot = accumulate(snapshot, event)
    return snapshot


def wire(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


# Lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        pytest.param([b"a\nb\n"], [b"a", b"b"], id="LF"),
        pytest.param([b"a\r\nb\r\n"], [b"a", b"b"], id="CRLF"),
        pytest.param([b"a\rb\r"], [b"a", b"b"], id="CR"),
        pytest.param([b"a\r", b"\nb\n"], [b"a", b"b"], id="CRLF split over chunks"),
        pytest.param([b"a\r", b"", b"\nb\n"], [b"a", b"b"], id="CRLF split around an empty chunk"),
        pytest.param([b"a\r", b"b\n"], [b"a", b"b"], id="CR at a chunk's end"),
        pytest.param([b"a\r", b"\n", b"\n"], [b"a", b""], id="CRLF, then an empty line"),
        pytest.param([b"\n\n"], [b"", b""], id="empty lines"),
        pytest.param([b"a", b"b", b"c\nd"], [b"abc"], id="a line in three chunks"),
        pytest.param([b"\xef\xbb\xbfa\n"], [b"a"], id="BOM"),
        pytest.param([b"\xef", b"\xbb\xbf", b"a\n"], [b"a"], id="BOM split over chunks"),
        pytest.param(
            [b"a\n\xef\xbb\xbfb\n"], [b"a", b"\xef\xbb\xbfb"], id="BOM further on is kept"
        ),
        pytest.param(
            ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\0h\n".encode()],
            ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\0h".encode()],
            id="what other splitters break at",
        ),
    ],
)
def test_a_line_ends_at_lf_crlf_and_cr_only(chunks: list[bytes], lines: list[bytes]) -> None:
    splitter = LineSplitter()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines


@given(st.text(alphabet="ab\r\n\u2028é", max_size=40), st.lists(st.integers(0, 80), max_size=8))
def test_lines_do_not_depend_on_where_chunks_are_cut(content: str, cuts: list[int]) -> None:
    data = content.encode()
    whole, cut = LineSplitter(), LineSplitter()
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert [line for p in pieces for line in cut.feed(p)] == whole.feed(data)


def test_an_endless_line_is_given_up_at_the_size_cap() -> None:
    splitter = LineSplitter(max_bytes=100)
    splitter.feed(b"x" * 60)
    splitter.feed(b"")
    assert len(splitter.feed(b"x\n")) == 1  # the size is that of one line
    splitter.feed(b"x" * 100)
    with pytest.raises(ProtocolError, match="over"):
        splitter.feed(b"x")


# Events


@pytest.mark.parametrize(
    ("body", "types"),
    [
        pytest.param(b'event: ping\ndata: {"type": "ping"}\n\n', ["ping"], id="plain"),
        pytest.param(b'data: {"type": "ping"}\n\n', ["ping"], id="no event line"),
        pytest.param(b'event: message\ndata: {"type": "new"}\n\n', ["new"], id="JSON's type wins"),
        pytest.param(b"event: ping\ndata: {}\n\n", ["ping"], id="the type by the event line alone"),
        pytest.param(b"event: ping\n\ndata: {}\n\n", [], id="a name of the event before"),
        pytest.param(b'data:{"type": "ping"}\n\n', ["ping"], id="no space after the colon"),
        pytest.param(b'data:  {"type": "ping"} \n\n', ["ping"], id="more blanks"),
        pytest.param(b'data: {"type":\ndata: "ping"}\n\n', ["ping"], id="two data lines"),
        pytest.param(b': hello\n\ndata: {"type": "ping"}\n\n', ["ping"], id="comment"),
        pytest.param(b"event: ping\n\n", [], id="no data"),
        pytest.param(b"data:\n\n", [], id="empty data"),
        pytest.param(b'id: 1\nretry: 5\ndata: {"type": "ping"}\n\n', ["ping"], id="other fields"),
        pytest.param(b'data: {"type": "ping"}\n', [], id="no blank line yet"),
        pytest.param(b'\xef\xbb\xbfdata: {"type": "ping"}\r\n\r\n', ["ping"], id="BOM and CRLF"),
        pytest.param(b"data: {}\n\n", [], id="an empty object"),
        pytest.param(b"data: [1]\n\n", [], id="not an object"),
        pytest.param(b"data: null\n\n", [], id="null"),
        pytest.param(b'data: {"kind": 1}\n\n', [], id="no type"),
        pytest.param(b'event: ping\ndata: {"type": 1}\n\n', [], id="type is no text"),
        pytest.param(b"data: [DONE]\n\n", [], id="the end mark of another API"),
        pytest.param(b"event: keepalive\ndata: still here\n\n", [], id="another name, no JSON"),
        pytest.param(b"event: ping\ndata: pong\n\n", [], id="a ping, no JSON"),
    ],
)
def test_an_event_is_the_json_of_its_data_lines(body: bytes, types: list[str]) -> None:
    assert [event["type"] for event in EventDecoder().feed(body)] == types


PING = b'data: {"type": "ping"}\n\n'


NO_JSON = "The server sent an event that is not JSON; is base_url a Messages API server?"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"{oops", NO_JSON, id="bad JSON"),
        pytest.param(b'{"type": NaN}', NO_JSON, id="NaN"),
        pytest.param(
            b'{"type": "\xff"}',
            "The server's answer is not UTF-8; is base_url right?",
            id="invalid UTF-8",
        ),
        pytest.param(b"[" * 200_000, NO_JSON, id="nested too deeply"),
    ],
)
def test_data_that_is_no_event_is_a_protocol_error(data: bytes, why: str) -> None:
    for name in (b"", b"event: content_block_delta\n"):
        came = EventDecoder().feed(PING + name + b"data: " + data + b"\n\n" + PING)
        assert next(came) == {"type": "ping"}, "what came before it is there"
        with pytest.raises(ProtocolError) as fault:
            next(came)
        assert str(fault.value) == why


@pytest.mark.parametrize(
    ("value", "why"),
    [("[" * 200_000, "nested too deeply"), ("[NaN]", "NaN is not JSON"), ("oops", "Expecting")],
)
def test_what_is_no_json_says_why(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        parse_json(value)


@pytest.mark.parametrize(("sizes", "fits"), [([60, 40], True), ([60, 41], False), ([101], False)])
def test_an_event_over_the_size_cap_is_given_up(sizes: list[int], fits: bool) -> None:
    lines = b"".join(b"data: " + b"[" * size + b"\n" for size in sizes)
    decoder = EventDecoder(max_bytes=100)
    for _ in range(2):  # the size is that of one event
        assert list(decoder.feed(b'data: ["of this event"]\n\n')) == []
    if fits:
        assert list(decoder.feed(lines)) == []
        with pytest.raises(ProtocolError, match="over"):
            list(decoder.feed(b"data: [\n"))
    else:
        with pytest.raises(ProtocolError, match="over"):
            list(decoder.feed(lines))


@pytest.mark.parametrize(("limit", "said"), [(2**20, "1"), (2**21 + 2**19, "2.5")])
def test_what_is_too_large_is_said_in_megabytes(limit: int, said: str) -> None:
    with pytest.raises(ProtocolError) as fault:
        EventDecoder(limit).feed(b"x" * (limit + 1)).__next__()
    assert str(fault.value) == (
        f"The server sent an event of over {said} MB; the reply was given up. Ask for less at once."
    )


def test_lines_that_are_whole_come_before_the_size_cap_does() -> None:
    splitter = LineSplitter(max_bytes=100)
    assert splitter.feed(b"whole\n" + b"x" * 101) == [b"whole"]
    with pytest.raises(ProtocolError, match="over"):
        splitter.feed(b"x")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_text_is_exact_wherever_its_bytes_are_cut(size: int) -> None:
    value = "é\u2028\u0085\0 \U0001f600 漢"
    decoder = EventDecoder()
    events = [e for piece in in_pieces(wire(text(value)), size) for e in decoder.feed(piece)]
    assert events == [text(value)]


# Folding


def test_a_reply_is_the_message_that_its_events_make() -> None:
    snapshot = folded([START, begin(TEXT), text("Hel"), text("lo"), stop(), *END])
    assert snapshot.message == {
        **START["message"],
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {**USAGE, "output_tokens": 5},
    }
    assert (snapshot.text, snapshot.complete, snapshot.stop_reason) == ("Hello", True, "end_turn")


def test_the_events_themselves_are_left_as_they_are() -> None:
    events = [START, begin(TOOL), delta(type="input_json_delta", partial_json="{}"), stop(), *END]
    before = json.dumps(events)
    assert folded(events).message
    assert json.dumps(events) == before


@pytest.mark.parametrize(
    ("given_usage", "expected"),
    [
        pytest.param(
            {"output_tokens": 5}, {**USAGE, "output_tokens": 5}, id="missing says nothing"
        ),
        pytest.param(
            {"output_tokens": 5, "cache_read_input_tokens": None},
            {**USAGE, "output_tokens": 5},
            id="null says nothing",
        ),
        pytest.param(
            {"input_tokens": 90, "server_tool_use": {"web_search_requests": 1}},
            {**USAGE, "input_tokens": 90, "server_tool_use": {"web_search_requests": 1}},
            id="totals overwrite",
        ),
        pytest.param(None, USAGE, id="null as a whole"),
    ],
)
def test_usage_is_overwritten_and_never_added(given_usage: Any, expected: Any) -> None:
    event = {"type": "message_delta", "delta": {}, "usage": given_usage}
    assert folded([START, event]).message["usage"] == expected


def test_a_message_without_usage_has_none() -> None:
    head = {k: v for k, v in START["message"].items() if k != "usage"}
    start = {"type": "message_start", "message": head}
    assert "usage" not in folded([start]).message


def test_a_later_message_delta_does_not_erase_the_stop_reason() -> None:
    later = {"type": "message_delta", "delta": {"stop_reason": None}, "container": {"id": "c"}}
    snapshot = folded([START, END[0], later])
    assert snapshot.stop_reason == "end_turn"
    assert snapshot.message["container"] == {"id": "c"}


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        pytest.param(["", '{"a"', ": 1}"], {"a": 1}, id="whole"),
        pytest.param([""], {}, id="empty is no arguments"),
        pytest.param([], {}, id="nothing streamed"),
        pytest.param(['{"a": celsius}'], '{"a": celsius}', id="not JSON"),
        pytest.param(['{"a": NaN}'], '{"a": NaN}', id="NaN is not JSON"),
        pytest.param(["[1]"], "[1]", id="not an object"),
    ],
)
def test_a_tools_input_is_an_object_only_if_it_is_one(fragments: list[str], expected: Any) -> None:
    parts = [delta(type="input_json_delta", partial_json=f) for f in fragments]
    (block,) = folded([START, begin(TOOL), *parts, stop()]).blocks
    assert block["input"] == expected
    assert runnable(block) == isinstance(expected, dict)


@pytest.mark.parametrize(
    ("start", "fragments", "raw"),
    [
        pytest.param({}, ['{"path": "/tm'], '{"path": "/tm', id="cut within"),
        pytest.param({}, ['{"path": "/"}'], '{"path": "/"}', id="whole but not ended"),
        pytest.param({}, [], "", id="cut before the first fragment"),
        pytest.param({"a": 1}, [], '{"a": 1}', id="given at the start but not ended"),
    ],
)
def test_a_tools_input_that_was_cut_off_cannot_be_run(
    start: dict[str, Any], fragments: list[str], raw: str
) -> None:
    parts = [delta(type="input_json_delta", partial_json=f) for f in fragments]
    cut = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}
    snapshot = folded([START, begin({**TOOL, "input": start}), *parts, cut, END[1]])
    (block,) = snapshot.blocks
    assert block == {**TOOL, "input": raw}
    assert not runnable(block)


def test_a_call_that_begins_without_input_has_what_is_streamed() -> None:
    bare = {"type": "tool_use", "id": "t1", "name": "look"}
    part = delta(type="input_json_delta", partial_json='{"a": 1}')
    assert folded([START, begin(bare), part, stop()]).blocks == [{**bare, "input": {"a": 1}}]
    assert folded([START, begin(bare), stop()]).blocks == [bare]
    (empty,) = folded([START, begin({**bare, "input": None}), stop()]).blocks
    assert empty["input"] == {}


def test_input_that_another_server_sends_whole_at_the_start_is_kept() -> None:
    (block,) = folded([START, begin({**TOOL, "input": {"a": 1}}), stop()]).blocks
    assert block["input"] == {"a": 1}


def test_thinking_grows_and_its_signature_is_replaced() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    events = [
        begin(thinking),
        delta(type="thinking_delta", thinking="Let "),
        delta(type="thinking_delta", thinking="me see"),
        delta(type="signature_delta", signature="first"),
        delta(type="signature_delta", signature="second"),
        stop(),
    ]
    (block,) = folded([START, *events]).blocks
    assert block == {"type": "thinking", "thinking": "Let me see", "signature": "second"}


@pytest.mark.parametrize("known", [None, []], ids=["null", "empty"])
def test_citations_are_appended_to_their_block(known: Any) -> None:
    events = [
        begin({**TEXT, "citations": known}),
        delta(type="citations_delta", citation={"cited_text": "a"}),
        text("x"),
        delta(type="citations_delta", citation={"cited_text": "b"}),
    ]
    (block,) = folded([START, *events]).blocks
    assert block["citations"] == [{"cited_text": "a"}, {"cited_text": "b"}]


def test_a_block_of_an_unknown_kind_is_kept_as_it_is() -> None:
    unknown = {"type": "hologram", "beam": {"phase": [1, None]}, "text": "as sent"}
    assert folded([START, begin(unknown), stop()]).blocks == [unknown]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "ping"}, id="ping"),
        pytest.param({"type": "weather", "index": 99}, id="unknown event"),
        pytest.param(delta(type="scent_delta", scent="rose"), id="unknown delta"),
        pytest.param(delta(type=["text_delta"]), id="delta type that is no text"),
    ],
)
def test_what_is_not_known_is_ignored(event: dict[str, Any]) -> None:
    snapshot = folded([START, begin(TEXT), event, text("a"), stop(), *END])
    assert (snapshot.text, snapshot.complete) == ("a", True)


@pytest.mark.parametrize(
    "event",
    [{"type": "ping"}, START, begin(TEXT), text("more"), {"type": "weather"}],
    ids=lambda event: str(event["type"]),
)
def test_events_after_the_end_are_ignored(event: dict[str, Any]) -> None:
    whole = [START, begin(TEXT), text("a"), stop(), *END]
    assert folded([*whole, event]).message == folded(whole).message


def test_blocks_stand_in_the_order_of_their_index() -> None:
    snapshot = folded([START, begin(TEXT, 1), begin(TEXT, 0), text("b", 1), text("a", 0)])
    assert snapshot.text == "ab"


def test_a_left_out_index_does_no_harm() -> None:
    snapshot = folded([START, begin(TEXT, 1), text("a", 1), begin(TEXT, 3), text("b", 3)])
    assert snapshot.text == "ab"


def test_a_surrogate_pair_cut_in_two_deltas_is_one_character_again() -> None:
    assert folded([START, begin(TEXT), text("\ud83d"), text("\ude00")]).text == "\U0001f600"


def test_a_lone_surrogate_is_replaced_so_that_the_text_can_be_sent_back() -> None:
    assert folded([START, begin(TEXT), text("a\ud83db")]).text == "a�b"


@pytest.mark.parametrize(
    ("events", "why"),
    [
        pytest.param(
            [START, begin(TEXT), begin(TEXT)],
            "the same block index twice",
            id="the same index twice",
        ),
        pytest.param(
            [START, text("a")], "a block without its start", id="a delta before its start"
        ),
        pytest.param([START, stop()], "a block without its start", id="a stop before its start"),
        pytest.param(
            [START, begin(TEXT), stop(), text("a")],
            "a delta after its block's end",
            id="a delta after its block",
        ),
        pytest.param(
            [START, begin(TEXT, 7)], "a block index out of range", id="index far out of range"
        ),
        pytest.param([START, begin(TEXT, -1)], "a block index out of range", id="negative index"),
        pytest.param([START, begin(TEXT, 10**30)], "a block index out of range", id="huge index"),
        pytest.param(
            [START, begin(TEXT, True)], "a block index out of range", id="index that is no number"
        ),
        pytest.param(
            [START, begin(TEXT, [0])], "a block index out of range", id="index that is a list"
        ),  # type: ignore[arg-type]
        pytest.param(
            [START, begin(TEXT), text("a", 7)],
            "a block without its start",
            id="a delta out of range",
        ),
        pytest.param(
            [START, begin(TEXT), text("a", {})],
            "a block without its start",
            id="a delta index that is an object",
        ),  # type: ignore[arg-type]
        pytest.param([begin(TEXT)], "no message_start", id="no message_start"),
        pytest.param([END[0]], "no message_start", id="message_delta first"),
        pytest.param([END[1]], "no message_start", id="message_stop first"),
        pytest.param([START, START], "two message_start events", id="two message_start"),
        pytest.param(
            [{"type": "message_start"}],
            "a message_start without a message",
            id="message_start without a message",
        ),
        pytest.param(
            [START, {"type": "content_block_start", "index": 0}],
            "a content_block_start without a block",
            id="start, no block",
        ),
        pytest.param(
            [START, begin(TEXT), {**text("a"), "delta": None}],
            "a delta without content",
            id="delta of null",
        ),
        pytest.param(
            [START, begin(TEXT), delta(type="text_delta")],
            "a text_delta without text",
            id="text_delta without text",
        ),
    ],
)
def test_an_event_that_cannot_stand_where_it_does_is_a_protocol_error(
    events: list[Any], why: str
) -> None:
    with pytest.raises(ProtocolError) as fault:
        folded(events)
    assert str(fault.value) == f"The server's stream breaks the protocol ({why}). Ask again."


@pytest.mark.parametrize(
    ("indexes", "fits"),
    [([0], True), ([3], True), ([4], False), ([1, 5], False), ([1, 4], True), ([3, 0, 2], True)],
)
def test_an_index_may_be_three_further_than_the_blocks_that_came(
    indexes: list[int], fits: bool
) -> None:
    events = [START, *(begin(TEXT, index) for index in indexes)]
    if fits:
        assert len(folded(events).blocks) == len(indexes)
    else:
        with pytest.raises(ProtocolError, match="index out of range"):
            folded(events)


# The end


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([START, *END], id="message_stop"),
        pytest.param([START, END[0]], id="a stop_reason and no message_stop"),
        pytest.param([START, END[1]], id="message_stop and no stop_reason"),
    ],
)
def test_a_reply_is_complete_after_its_stop_or_a_stop_reason(events: list[Any]) -> None:
    snapshot = folded(events)
    snapshot.end()
    assert snapshot.complete


def test_a_reply_that_ends_without_either_is_broken_and_keeps_what_came() -> None:
    snapshot = folded([START, begin(TEXT), text("Hel")])
    with pytest.raises(BrokenReply) as caught:
        snapshot.end()
    assert str(caught.value) == "The server ended the reply part way. Ask again."
    assert caught.value.partial == snapshot.message
    assert snapshot.text == "Hel"
    assert not snapshot.complete


def test_no_message_at_all_is_a_protocol_error() -> None:
    assert Snapshot().message == {}
    with pytest.raises(ProtocolError) as fault:
        Snapshot().end()
    assert str(fault.value) == (
        "The server's answer held no message; is base_url a Messages API server?"
    )


def test_a_reply_of_20000_deltas_keeps_every_one() -> None:
    count = 20_000
    snapshot = folded([START, begin(TEXT), *(text(f"{n} ") for n in range(count)), stop(), *END])
    assert snapshot.text.split() == [str(n) for n in range(count)]
