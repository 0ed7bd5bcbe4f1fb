"""A reply's wire, folded into parts: the same whether it streams or is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.messages.request import completed
from claude_magic.messages.transport.stream import Snapshot, accumulate
from claude_magic.rendering.citations import Note, Passage
from claude_magic.rendering.markdown import mark
from claude_magic.rendering.reply import (
    Call,
    Change,
    Grew,
    Part,
    Remark,
    ReplyFold,
    ServerCall,
    Sources,
    Text,
    Thinking,
    Unknown,
)
from tests.rendering.citing_samples import chars, said, web

CALL = {"type": "tool_use", "id": "c1", "name": "look\x1b[31m", "input": {"a": 1}}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "ants"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "s1",
    "content": [{"type": "web_search_result", "title": "Ants", "url": "https://a.example"}],
}
RAN = {"type": "server_tool_use", "id": "r1", "name": "code_execution", "input": {"code": "1+1"}}
GAVE = {
    "type": "code_execution_tool_result",
    "tool_use_id": "r1",
    "content": {"type": "code_execution_result", "stdout": "2\n", "stderr": "", "return_code": 0},
}
IMAGE = {"type": "image", "source": {"type": "base64", "data": ""}}
SEARCHED = ServerCall(
    "s1",
    "Searched the web: “ants” · 1 result",
    "- [Ants](<https://a.example>) (a.example)",
    "- Ants, https://a.example",
    done=True,
)
ANTS = Note(1, "Ants", "https://example.org/ants", (Passage("", "Ants have six legs."),))


def thought(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": "s"}


def folded(*blocks: Mapping[str, Any], prefill: str = "", emulated: Any = False) -> Sequence[Part]:
    fold = ReplyFold(prefill, emulated)
    for block in blocks:
        fold.block(block)
    fold.end()
    return fold.parts


REPLIES: dict[str, tuple[list[dict[str, Any]], list[Part]]] = {
    "nothing": ([], []),
    "text": ([said("Hello.")], [Text("Hello.")]),
    "text that is only spaces": ([said(" \n")], []),
    "a sentence in several blocks": ([said("The "), said("grass.")], [Text("The grass.")]),
    "a sentence that cites": (
        [said("Six", web()), said(" legs.")],
        [Text(f"Six{mark(1)} legs."), Sources((ANTS,))],
    ),
    "thinking, then text": (
        [thought("Let me see"), said("Yes")],
        [Thinking("Let me see"), Text("Yes")],
    ),
    "thinking twice": ([thought("One"), thought("Two")], [Thinking("One\n\nTwo")]),
    "thinking that is not shown": ([thought(""), said("Yes")], [Text("Yes")]),
    "thinking that is sealed": ([{"type": "redacted_thinking", "data": "x"}], []),
    "a tool that runs here": (
        [said("I look. "), CALL],
        [Text("I look."), Call("c1", "look", {"a": 1})],
    ),
    "a search": (
        [said("I look."), SEARCH, FOUND, said("So")],
        [Text("I look."), SEARCHED, Text("So")],
    ),
    "a search that has no result": (
        [SEARCH],
        [ServerCall("s1", "Searched the web: “ants” …")],
    ),
    "code at the server": (
        [RAN, GAVE],
        [ServerCall("r1", "Ran code", "```python\n1+1\n```\n\n```\n2\n```", "1+1\n2", done=True)],
    ),
    "a failed search": (
        [SEARCH, {**FOUND, "content": {"error_code": "unavailable"}}],
        [
            ServerCall(
                "s1", "Searched the web: “ants” · failed: unavailable", done=True, failed=True
            )
        ],
    ),
    "a border that stands behind a mark": (
        [said("| a | b |\n|--|--|\n| 1 | 2 |", web()), CALL],
        [
            Text(f"| a | b |\n|--|--|\n| 1 | 2{mark(1)} |"),
            Call("c1", "look", {"a": 1}),
            Sources((ANTS,)),
        ],
    ),
    "a result without its call": (
        [{"type": "web_search_tool_result", "tool_use_id": "other", "content": []}],
        [
            Unknown(
                "Not known here: web_search_tool_result",
                '```json\n{\n "type": "web_search_tool_result",\n "tool_use_id": "other",\n '
                '"content": []\n}\n```',
                '{\n "type": "web_search_tool_result",\n "tool_use_id": "other",\n '
                '"content": []\n}',
            )
        ],
    ),
    "escape sequences": ([said("a\x1b[31"), said("mb\x9b2Jc\r\nd")], [Text("abc\nd")]),
}


@pytest.mark.parametrize(("blocks", "parts"), REPLIES.values(), ids=REPLIES)
def test_the_wire_becomes_parts(blocks: list[dict[str, Any]], parts: list[Part]) -> None:
    assert list(folded(*blocks)) == parts


def test_a_kind_that_is_not_known_is_kept_and_said() -> None:
    _, part, _ = folded(said("One"), {"type": "novelty", "rays": 2}, said("Two"))
    assert isinstance(part, Unknown)
    assert part.line == "Not known here: novelty"
    assert '"rays": 2' in part.markdown


RESULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "texts and images": (
        {"content": [{"type": "text", "text": "7"}, IMAGE]},
        {"outcome": "ok", "texts": ("7",), "images": (IMAGE,)},
    ),
    "one text": ({"content": "7"}, {"outcome": "ok", "texts": ("7",)}),
    "nothing": ({}, {"outcome": "ok"}),
    "an error": ({"content": "No", "is_error": True}, {"outcome": "error", "texts": ("No",)}),
    "not allowed": (
        {"content": "This call was not allowed by the user.", "is_error": True},
        {"outcome": "denied", "texts": ("This call was not allowed by the user.",)},
    ),
    "nonsense": ({"content": {"a": 1}}, {"outcome": "ok"}),
}


@pytest.mark.parametrize(("result", "expected"), RESULTS.values(), ids=RESULTS)
def test_a_call_holds_what_it_gave(result: dict[str, Any], expected: dict[str, Any]) -> None:
    fold = ReplyFold()
    fold.block(CALL)
    fold.result({"type": "tool_result", "tool_use_id": "c1", **result}, 1.5)
    assert fold.parts == (Call("c1", "look", {"a": 1}, seconds=1.5, **expected),)


def test_a_result_of_no_call_changes_nothing() -> None:
    assert ReplyFold().result({"type": "tool_result", "tool_use_id": "c1"}) == []


def test_a_call_that_came_in_no_stream_is_shown_once_it_ended() -> None:
    fold = ReplyFold()
    ended = {"type": "tool_result", "tool_use_id": "c1", "content": "7"}
    fold.called(CALL, ended, None)
    fold.called(CALL, ended, 2.0)
    assert fold.parts == (Call("c1", "look", {"a": 1}, "ok", 2.0, ("7",)),)


def test_it_says_what_the_model_does_as_long_as_a_block_is_open() -> None:
    fold, found = ReplyFold(), []
    for event in streamed([thought("Hm"), said("So"), CALL], 3):
        fold.event(event)
        found.append(fold.doing)
    assert list(dict.fromkeys(found)) == ["", "thinking", "writing"]
    assert found[-1] == ""


def test_the_text_of_another_reply_is_another_part_unless_the_server_paused() -> None:
    for stop, parts in (("tool_use", [Text("One"), Text("two")]), ("pause_turn", [Text("Onetwo")])):
        fold = ReplyFold()
        fold.event({"type": "message_start"})
        fold.block(said("One"))
        fold.event({"type": "message_delta", "delta": {"stop_reason": stop}})
        fold.event({"type": "message_start"})
        fold.block(said("two"))
        fold.end()
        assert list(fold.parts) == parts


def test_what_went_back_to_the_model_stands_between_its_replies() -> None:
    fold = ReplyFold()
    fold.block(said("{"))
    fold.remark("It does not fit.")
    fold.block(said("{}"))
    fold.end()
    assert list(fold.parts) == [Text("{"), Remark("It does not fit."), Text("{}")]


def test_numbers_go_on_over_the_parts_and_the_sources_stand_once_at_the_end() -> None:
    fold = ReplyFold()
    for block in (said("a", web()), SEARCH, FOUND, said("b", chars(), web())):
        fold.block(block)
    fold.end()
    fold.end()
    first, _, second, sources = fold.parts
    assert (first, second) == (Text(f"a{mark(1)}"), Text(f"b{mark(2)}{mark(1)}"))
    assert isinstance(sources, Sources)
    assert [note.title for note in sources.notes] == ["Ants", "notes.txt"]


PREFILLS: dict[str, tuple[Any, str, str]] = {
    "sent": (False, "C)", "It is (C)"),
    "asked for in words, repeated": (True, " It is (C)", "It is (C)"),
    "asked for in words, not repeated": (True, "C)", "It is (C)"),
    "asked for in words, cut off": (True, "It i", "It is ("),
    "a choice": ("choice", '{"answer": "C"}', "It is (C"),
    "a choice under way": ("choice", '{"answ', "It is ("),
    "a choice answered in words": ("choice", "It is (C)", "It is (C)"),
}


@pytest.mark.parametrize(("emulated", "received", "shown"), PREFILLS.values(), ids=PREFILLS)
def test_a_prefill_begins_the_first_text_once(emulated: Any, received: str, shown: str) -> None:
    asked = {"prefill": "It is (", "emulated": emulated}
    assert folded(thought("Hm"), said(received), **asked) == (Thinking("Hm"), Text(shown))
    assert completed(received, "It is (", emulated) == shown
    fold = ReplyFold(**asked)
    for letter in received:
        fold.block(said(letter))
    fold.end()
    assert fold.parts == (Text(shown),)


def test_a_prefill_of_a_reply_without_text_is_shown() -> None:
    assert folded(CALL, prefill="It is (")[-1] == Text("It is (")


def streamed(blocks: Sequence[Mapping[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    """The blocks as the events of a stream, in deltas of so many characters."""
    yield {"type": "message_start", "message": {}}
    for index, block in enumerate(blocks):
        kind = block.get("type")
        first, deltas = dict(block), []
        if kind in ("text", "thinking"):
            words = str(block.get(kind, ""))
            first |= {kind: ""}
            cited = first.pop("citations", ())
            name = f"{kind}_delta"
            deltas = [{"type": name, kind: words[n : n + size]} for n in range(0, len(words), size)]
            deltas += [{"type": "citations_delta", "citation": one} for one in cited]
        elif kind in ("tool_use", "server_tool_use"):
            raw = json.dumps(block.get("input", {}))
            first |= {"input": {}}
            pieces = [raw[n : n + size] for n in range(0, len(raw), size)]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield {"type": "content_block_start", "index": index, "content_block": first}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "ping"}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    yield {"type": "message_stop"}


def applied(parts: list[Part], changes: Sequence[Change]) -> None:
    """Take over what changed, as a face does that knows nothing else."""
    for change in changes:
        if isinstance(change, Grew):
            match parts[change.number]:
                case Text(words):
                    parts[change.number] = Text(words + change.text)
                case Thinking(words):
                    parts[change.number] = Thinking(words + change.text)
                case Call():
                    pass  # its input as it comes; it stands there whole at the end
                case other:
                    raise AssertionError(other)
        else:
            assert change.number <= len(parts)
            parts[change.number : change.number + 1] = [change.part]


texts = st.text(max_size=20) | st.lists(
    st.sampled_from(
        ["a", " ", "\n", "|", "```\n", "~~~", "- ", "$$", "\x1b[3", "1m", "\r", "{", "It"]
    )
).map("".join)
citations = st.sampled_from([web(), web("https://b.example"), chars(), None, {}])
blocks_of = st.lists(
    st.builds(said, texts, citations)
    | texts.map(said)
    | texts.map(thought)
    | st.sampled_from(
        [CALL, SEARCH, FOUND, RAN, GAVE, {"type": "x", "a": 1}, {"type": "redacted_thinking"}]
    ),
    max_size=8,
)
openings = st.sampled_from([("", False), ("It is (", False), ("It is (", True), ("(", "choice")])


@given(blocks_of, st.integers(1, 7), openings)
@settings(max_examples=500)
def test_a_stream_cut_anywhere_gives_the_parts_of_the_whole_reply(
    blocks: list[dict[str, Any]], size: int, opening: tuple[str, Any]
) -> None:
    fold, added, snapshot = ReplyFold(*opening), list[Part](), Snapshot()
    for event in streamed(blocks, size):
        applied(added, fold.event(event))
        snapshot = accumulate(snapshot, event)
    applied(added, fold.end())
    assert tuple(added) == fold.parts
    stored = snapshot.message["content"]
    assert fold.parts == folded(*stored, prefill=opening[0], emulated=opening[1])


@given(blocks_of, st.integers(1, 7), st.integers(0, 60))
@settings(max_examples=300)
def test_a_stream_that_breaks_off_gives_the_parts_of_what_came(
    blocks: list[dict[str, Any]], size: int, count: int
) -> None:
    fold, snapshot = ReplyFold(), Snapshot()
    for _, event in zip(range(count), streamed(blocks, size), strict=False):
        fold.event(event)
        snapshot = accumulate(snapshot, event)
    fold.end()
    assert [part for part in fold.parts if not isinstance(part, Call)] == [
        part for part in folded(*snapshot.message.get("content", ())) if not isinstance(part, Call)
    ]


wild: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "content_block", "delta", "text", "content", "id", "tool_use_id"]
            )
            | st.text(max_size=3),
            inner
            | st.sampled_from(
                [
                    "content_block_start",
                    "content_block_delta",
                    "text",
                    "tool_use",
                    "input_json_delta",
                ]
            ),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["type", "index", "content_block", "delta"]), wild))
)
@settings(max_examples=300)
def test_events_of_any_shape_do_no_harm(events: list[dict[str, Any]]) -> None:
    fold, added = ReplyFold(), list[Part]()
    for event in events:
        applied(added, fold.event(event))
    applied(added, fold.end())
    assert tuple(added) == fold.parts


def test_a_long_reply_is_folded_in_linear_time() -> None:
    """What a delta brings is copied, not what came before: the changes are as long as the text."""
    fold, length = ReplyFold(), 0
    fold.event({"type": "content_block_start", "content_block": said("")})
    for _ in range(5_000):
        delta = {"type": "text_delta", "text": "word\n"}
        for change in fold.event({"type": "content_block_delta", "delta": delta}):
            length += len(change.text if isinstance(change, Grew) else change.part.markdown)  # type: ignore[union-attr]
    assert length <= 5_000 * len("word\n")
