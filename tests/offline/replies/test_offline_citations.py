"""What the offline server quotes and cites, as the `anthropic` package sees it."""

from __future__ import annotations

import zlib
from typing import Any

import anthropic
import pytest

from tests.offline.offline_samples import (
    LOOKUP,
    assistant,
    base64_of,
    body,
    document,
    image,
    text,
    tool_result,
    user,
)


def citations(message: Any) -> list[tuple[str, dict[str, Any]]]:
    """Each cited passage with its citation."""
    return [
        (block.text, citation.to_dict())
        for block in message.content
        if block.type == "text"
        for citation in block.citations or ()
    ]


CITING = {"citations": {"enabled": True}}
BLOCKS = {"type": "content", "content": [image(), text("Lane 1."), text("Lane 2.")]}
PDF = (
    b"%PDF-1.4\n3 0 obj <</Type /Page>> endobj\n4 0 obj <</Length 40>>\nstream\n"
    b"BT [(The gel \\(ran\\)) -250 (well.)] TJ ET\nendstream endobj\n"
)
PACKED_PDF = PDF.split(b"BT")[0] + zlib.compress(b"BT (Packed words) Tj ET") + b"\nendstream"
RESULT = {
    "type": "search_result",
    "source": "https://example.org/gels",
    "title": "Gels",
    "content": [text("Gels are run."), text("They may smile.")],
}


def pdf(data: bytes, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": base64_of(data)}
    return {"type": "document", "source": source, **more}


DOCUMENTS: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]] = {
    "a text": (
        document("\n The gel ran well.\nMore.", title="n", **CITING),
        [
            ("The gel ran well.", {"start_char_index": 2, "end_char_index": 19}),
            ("More.", {"start_char_index": 20, "end_char_index": 25}),
        ],
    ),
    "blocks": (
        {"type": "document", "source": BLOCKS, "title": "n", **CITING},
        [("Lane 1.", {"start_block_index": 1, "end_block_index": 2})],
    ),
    "a PDF": (
        pdf(PDF, title="n", **CITING),
        [("The gel (ran) well.", {"start_page_number": 1, "end_page_number": 2})],
    ),
    "a packed PDF": (
        pdf(PACKED_PDF, title="n", **CITING),
        [("Packed words", {"start_page_number": 1, "end_page_number": 2})],
    ),
    "a PDF without words": (pdf(b"%PDF-1.4\n", title="n", **CITING), []),
}


@pytest.mark.parametrize(("block", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_is_quoted_and_cited(
    client: anthropic.Anthropic, block: dict[str, Any], expected: list[Any]
) -> None:
    reply = client.messages.create(**body(user(block, text("And?"))))
    found = citations(reply)
    assert [quote for quote, _ in found] == [quote for quote, _ in expected]
    for (quote, citation), (_, place) in zip(found, expected, strict=True):
        assert citation["cited_text"] == quote
        assert (citation["document_index"], citation["document_title"]) == (0, "n")
        assert {name: citation[name] for name in place} == place
    silent = {name: value for name, value in block.items() if name != "citations"}
    assert citations(client.messages.create(**body(user(silent, text("And?"))))) == []


def test_documents_are_numbered_over_the_whole_request(client: anthropic.Anthropic) -> None:
    first, second = document("One.", **CITING), document("Two.", **CITING)
    reply = client.messages.create(
        **body(user(first, text("a")), assistant("b"), user(second, text("c")))
    )
    ((quote, citation),) = citations(reply)
    assert (quote, citation["document_index"]) == ("Two.", 1)


def test_a_search_result_is_cited_wherever_it_stands(client: anthropic.Anthropic) -> None:
    cited = {**RESULT, **CITING}
    asked = user("Use lookup_gene on `A`")
    call = client.messages.create(**body(asked, tools=[LOOKUP]))
    returned = user(tool_result(f"{call.content[-1].to_dict()['id']}", [cited]))
    echoed = assistant(*[block.to_dict() for block in call.content])
    for messages in ([user(cited, text("And?"))], [asked, echoed, returned]):
        reply = client.messages.create(**body(*messages, tools=[LOOKUP]))
        ((quote, citation),) = citations(reply)
        assert quote == citation["cited_text"] == "Gels are run."
        assert (citation["source"], citation["title"]) == ("https://example.org/gels", "Gels")
        assert (citation["start_block_index"], citation["end_block_index"]) == (0, 1)
