"""Documents as they are sent, and citations on for all of a request or for none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages import models
from claude_magic.messages.blocks import document_base64, document_text, document_url, text
from claude_magic.messages.body import seal, sealed
from claude_magic.messages.errors import InputError
from claude_magic.messages.request import Options, agreed, build, switched
from claude_magic.offline.referee.referee import check

ON = {"enabled": True}
HEADERS = {"anthropic-version": "2023-06-01"}
FOUND = {
    "type": "web_search_result_location",
    "url": "https://example.org",
    "title": None,
    "encrypted_index": "x",
    "cited_text": "Six.",
}
CITED = {
    "type": "char_location",
    "cited_text": "Six.",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 4,
}
RESULT = {
    "type": "search_result",
    "source": "https://example.org",
    "title": "Ants",
    "content": [text("Six.")],
}


DOCUMENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "a text": (
        document_text("Six.", "notes", context="from 1902", cite=True),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Six."},
            "title": "notes",
            "context": "from 1902",
            "citations": ON,
        },
    ),
    "a PDF": (
        document_base64("application/pdf", "JVBERi0=", "a.pdf"),
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "a.pdf",
        },
    ),
    "an address": (
        document_url("https://example.org/a.pdf", cite=True),
        {
            "type": "document",
            "source": {"type": "url", "url": "https://example.org/a.pdf"},
            "citations": ON,
        },
    ),
    "half a surrogate pair": (
        document_text("a\ud83d", "b\ud83d", context="c\ud83d"),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "a\ufffd"},
            "title": "b\ufffd",
            "context": "c\ufffd",
        },
    ),
}


@pytest.mark.parametrize(("block", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_is_built_as_the_api_takes_it(block: Any, expected: dict[str, Any]) -> None:
    assert block == expected


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def enabled(messages: Any) -> list[bool]:
    """For each document, also in results of tools, whether its citations are on."""
    blocks = [block for message in messages for block in message["content"]]
    blocks += [inner for block in blocks for inner in block.get("content", ())]
    citable = [
        b for b in blocks if isinstance(b, dict) and b["type"] in ("document", RESULT["type"])
    ]
    return [b.get("citations") == ON for b in citable]


PLAIN, CITING = document_text("Six."), document_text("Seven.", cite=True)
RETURNED = {"type": "tool_result", "tool_use_id": "t", "content": [dict(RESULT), text("a")]}
CONVERSATIONS: dict[str, tuple[list[Any], bool, list[bool]]] = {
    "nobody cites": ([user(PLAIN, PLAIN)], False, [False, False]),
    "the question cites": ([user(PLAIN), assistant(text("a")), user(PLAIN)], True, [True, True]),
    "an earlier one cited": ([user(CITING), assistant(text("a")), user(PLAIN)], False, [True] * 2),
    "a later one cites": ([user(PLAIN), assistant(text("a")), user(CITING)], False, [True] * 2),
    "an earlier reply cites": (
        [user(PLAIN), assistant({**text("a"), "citations": [CITED]}), user(text("b"))],
        False,
        [True],
    ),
    "a search was cited": (
        [user(PLAIN), assistant({**text("a"), "citations": [FOUND]}), user(text("b"))],
        False,
        [False],
    ),
    "in the result of a tool": ([user(RETURNED), user(CITING)], False, [True, True]),
    "no document": ([user(text("a"))], False, []),
}


@pytest.mark.parametrize(
    ("messages", "cite", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS
)
def test_citations_are_on_for_all_documents_or_for_none(
    messages: list[Any], cite: bool, expected: list[bool]
) -> None:
    before = sealed(messages)
    after = agreed(before, cite=cite)
    assert enabled(after) == expected
    if enabled(before) == expected:
        assert are_same(after, before)
    assert are_same(agreed(after, cite=False), after)


def test_messages_that_need_no_change_are_the_same_objects_and_others_are_made_once() -> None:
    before = sealed([user(CITING), user(PLAIN), user(text("a"))])
    first, again = agreed(before, cite=False), agreed(before, cite=False)
    assert [new is old for new, old in zip(first, before, strict=True)] == [True, False, True]
    assert are_same(first, again)


def are_same(some: list[Any], others: list[Any]) -> bool:
    """Whether each message is the same object."""
    return all(one is other for one, other in zip(some, others, strict=True))


def test_a_reply_in_json_is_asked_for_without_citations() -> None:
    said = {**text("a"), "citations": [CITED, FOUND]}
    messages = [user(CITING), assistant(said, {**text("b"), "citations": [CITED]}), user(PLAIN)]
    after = agreed(sealed(messages), cite=False, allowed=False)
    assert enabled(after) == [False, False]
    assert [block.get("citations") for block in after[1]["content"]] == [[FOUND], None]
    request = build(
        _sonnet(), messages, [text("?")], Options(schema=_SCHEMA, cache=False), anthropic=True
    )
    check(request.body, HEADERS)


_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def _sonnet() -> models.Model:
    found = models.lookup("sonnet")
    assert found is not None
    return found


REFUSED = {
    "nothing to cite": ([text("a")], Options(cite=True), True, "add one, for example -f paper.pdf"),
    "in JSON": ([PLAIN], Options(cite=True, schema=_SCHEMA), True, "--json and --cite"),
    "of another server": ([PLAIN], Options(cite=True), False, "this server cites no documents"),
}


@pytest.mark.parametrize(("content", "options", "anthropic", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_cited_is_an_error_that_says_what_to_do(
    content: list[Any], options: Options, anthropic: bool, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(_sonnet(), [], content, options, anthropic=anthropic)
    assert says in str(caught.value)


def test_a_document_of_an_earlier_question_can_be_cited() -> None:
    history = [user(PLAIN, text("a")), assistant(text("b"))]
    request = build(_sonnet(), history, [text("?")], Options(cite=True), anthropic=True)
    assert enabled(request.body["messages"][:2]) == [True]


def test_a_choice_among_labels_is_left_out_where_the_reply_is_to_cite() -> None:
    question = [PLAIN, text("(A) six or (B) seven?")]
    options = Options(cite=True, prefill="The answer is (")
    request = build(_sonnet(), [], question, options, anthropic=True)
    assert request.emulated is True
    assert "format" not in request.body.get("output_config", {})


BLOCKS = st.sampled_from([PLAIN, CITING, RESULT, {**RESULT, "citations": ON}, text("a"), RETURNED])
SAID = st.sampled_from([text("a"), {**text("b"), "citations": [CITED]}])


@given(
    st.lists(st.tuples(st.lists(BLOCKS, min_size=1, max_size=3), SAID), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_whatever_a_conversation_holds_its_documents_agree(
    turns: list[Any], cite: bool, allowed: bool
) -> None:
    messages = [m for asked, said in turns for m in (user(*asked), assistant(said))]
    found = agreed(sealed(messages), cite=cite, allowed=allowed)
    assert len(set(enabled(found))) <= 1
    assert allowed or not any(enabled(found))
    for before, after in zip(messages, found, strict=True):
        assert switched(after, on=False) == switched(seal(before), on=False)
