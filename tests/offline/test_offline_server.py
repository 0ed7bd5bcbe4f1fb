"""The offline server as the `anthropic` package, a client of its own making, sees it."""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import pytest
from offline_samples import (
    LOOKUP,
    NEWEST,
    PREFILLABLE,
    SCHEMA,
    assistant,
    base64_of,
    body,
    document,
    image,
    picture,
    text,
    tool_result,
    user,
)

from claude_magic.messages.errors import InputError
from claude_magic.messages.models import MODELS
from claude_magic.messages.usage import estimate_input
from claude_magic.offline import OfflineServer

ANT = "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"


@pytest.fixture
def plain(server: OfflineServer) -> Iterator[httpx.Client]:
    """A client that knows nothing of the API."""
    headers = {"anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=server.url, headers=headers) as made:
        yield made


def said(message: Any) -> str:
    """The text of a reply."""
    return "".join(block.text for block in message.content if block.type == "text")


def without_ids(message: Any) -> dict[str, Any]:
    """The fields of a message but for the ids, which count the requests of a server."""
    fields: dict[str, Any] = message.to_dict()
    for part in (fields, *fields["content"]):
        part.pop("id", None)
    return fields


def test_a_reply_says_that_no_model_was_asked_and_quotes_the_question(
    client: anthropic.Anthropic,
) -> None:
    reply = client.messages.create(**body(user("Hello, Claude")))
    assert "offline server" in said(reply)
    assert "> Hello, Claude" in said(reply)
    assert (reply.role, reply.model, reply.stop_reason) == ("assistant", NEWEST, "end_turn")


def test_the_same_request_gets_the_same_reply(client: anthropic.Anthropic) -> None:
    asked = body(user(image(), text("What is it?")))
    first, second = client.messages.create(**asked), client.messages.create(**asked)
    assert without_ids(first) == without_ids(second)
    assert first.id != second.id


def test_turns_are_counted_and_the_system_prompt_is_acknowledged(
    client: anthropic.Anthropic,
) -> None:
    reply = client.messages.create(**body(user("a"), assistant("b"), user("c"), system="x" * 120))
    assert "Turn 2 of this conversation; system prompt: 120 characters" in said(reply)


def test_input_tokens_are_the_estimate_that_count_tokens_gives(
    client: anthropic.Anthropic,
) -> None:
    asked = body(user(image(picture(1000, 1000)), text("What is it?")))
    counted = client.messages.count_tokens(model=NEWEST, messages=asked["messages"])
    assert counted.input_tokens == estimate_input(asked, MODELS[NEWEST])
    assert counted.input_tokens > 1296
    assert client.messages.create(**asked).usage.input_tokens == counted.input_tokens


def test_the_price_named_is_that_of_the_model(client: anthropic.Anthropic) -> None:
    asked = body(user(image(picture(1000, 1000)), text("?")), model="claude-opus-5")
    reply = client.messages.create(**asked)
    cost = reply.usage.input_tokens * 5 / 1e6
    assert f"${cost:.4f} with Opus 5" in said(reply)
    assert "$25 per million tokens" in said(reply)


def test_a_prefill_is_continued_with_the_last_choice(client: anthropic.Anthropic) -> None:
    asked = body(user(ANT), assistant("The answer is ("), model=PREFILLABLE, max_tokens=1)
    reply = client.messages.create(**asked)
    assert (said(reply), reply.stop_reason) == ("C", "max_tokens")
    assert reply.usage.output_tokens == 1


def test_a_prefill_is_taken_by_sonnet_4_5(client: anthropic.Anthropic) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the model is about to be retired
        reply = client.messages.create(
            **body(user(ANT), assistant("The answer is ("), model="claude-sonnet-4-5")
        )
    assert said(reply).startswith("C), the last choice: the offline server")


def test_a_prefill_is_refused_by_sonnet_5_5(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="does not support assistant message"):
        client.messages.create(**body(user(ANT), assistant("The answer is (")))


@pytest.mark.parametrize(
    ("opening", "goes_on"),
    [("{", '"offline": true}'), ("Here it is:\n```python", "\n# Written by the offline server")],
    ids=["json", "code"],
)
def test_a_prefill_that_opens_something_is_closed(
    client: anthropic.Anthropic, opening: str, goes_on: str
) -> None:
    reply = client.messages.create(**body(user("?"), assistant(opening), model=PREFILLABLE))
    assert said(reply).startswith(goes_on)


def test_an_opening_asked_for_in_words_begins_the_reply(client: anthropic.Anthropic) -> None:
    wish = "Begin your answer with exactly the text between the marks: «The answer is (»"
    reply = client.messages.create(**body(user(text(ANT), text(wish))))
    assert said(reply).startswith("The answer is (C), the last choice")


def test_an_image_is_looked_at(client: anthropic.Anthropic) -> None:
    blue = image(picture(640, 480, ink="blue"))
    reply = client.messages.create(**body(user(blue, text("What is it?"))))
    assert "Image 1: PNG, 640 x 480 pixels, mostly white with blue; 414 tokens" in said(reply)


def test_several_images_are_a_table(client: anthropic.Anthropic) -> None:
    red = image(picture(20, 10, kind="JPEG", ground="red"), "image/jpeg")
    reply = client.messages.create(**body(user(image(), red, text("Compare."))))
    assert "| 1 | PNG | 40 x 30 | 4 | all white |" in said(reply)
    assert "| 2 | JPEG | 20 x 10 | 1 | all red |" in said(reply)


def test_an_image_at_an_address_is_named_and_not_fetched(client: anthropic.Anthropic) -> None:
    url = "https://example.invalid/ant.jpg"
    block = {"type": "image", "source": {"type": "url", "url": url}}
    reply = client.messages.create(**body(user(block, text("What is in the above image?"))))
    assert f"Image 1: <{url}>, an address: the offline server fetches nothing" in said(reply)


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


def test_what_the_notebook_sent_along_is_counted(client: anthropic.Anthropic) -> None:
    data = "\n".join(f"<cell-0000000{n}>\nx\n</cell-0000000{n}>" for n in range(4))
    reply = client.messages.create(**body(user(text(data), text("Why?"))))
    assert "From the notebook: 4 cells" in said(reply)
    assert "> Why?" in said(reply)


@pytest.mark.parametrize(
    "question", ["Give me the code, please", "Plot the residuals", "A function that squares"]
)
def test_code_that_is_asked_for_is_valid_python(client: anthropic.Anthropic, question: str) -> None:
    reply = said(client.messages.create(**body(user(question))))
    source = reply.split("```python\n")[1].split("```")[0]
    compile(source, "reply", "exec")
    assert "offline server" in source


def test_no_code_comes_unasked(client: anthropic.Anthropic) -> None:
    reply = client.messages.create(**body(user("Why does the residual plot fan out?")))
    assert "```" not in said(reply)


def test_a_stop_sequence_ends_the_reply_before_it(client: anthropic.Anthropic) -> None:
    reply = client.messages.create(**body(stop_sequences=["nowhere", "Hello"]))
    assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "Hello")
    assert said(reply).endswith("> ")


@pytest.mark.parametrize("most", [1, 18, 40])
def test_max_tokens_ends_the_reply_and_thinking_counts(
    client: anthropic.Anthropic, most: int
) -> None:
    reply = client.messages.create(**body(max_tokens=most))
    assert (reply.stop_reason, reply.usage.output_tokens) == ("max_tokens", most)
    thinking = reply.usage.output_tokens_details
    assert thinking is not None
    assert bool(said(reply)) == (most > thinking.thinking_tokens)


def test_nothing_is_said_when_only_the_cache_is_to_be_written(client: anthropic.Anthropic) -> None:
    reply = client.messages.create(**body(max_tokens=0))
    assert (reply.content, reply.stop_reason, reply.usage.output_tokens) == ([], "max_tokens", 0)


THINKING: dict[str, tuple[dict[str, Any], list[str]]] = {
    "on by default, omitted": ({}, ["thinking:", "text"]),
    "summarized": (
        {"thinking": {"type": "adaptive", "display": "summarized"}},
        ["thinking:The offline server does not think", "text"],
    ),
    "off between tools": ({"thinking": {"type": "between_tools"}}, ["text"]),
    "off by default": ({"model": "claude-opus-4-8"}, ["text"]),
    "manual, summarized by default": (
        {
            "model": PREFILLABLE,
            "max_tokens": 4000,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
        },
        ["thinking:The offline server does not think", "text"],
    ),
}


@pytest.mark.parametrize(("settings", "expected"), THINKING.values(), ids=THINKING)
def test_thinking_is_there_as_the_model_and_the_request_have_it(
    client: anthropic.Anthropic, settings: dict[str, Any], expected: list[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the package advises against `enabled`
        reply = client.messages.create(**body(**settings))
    kinds = []
    for block in reply.content:
        thought = f":{block.thinking.split(':')[0]}" if block.type == "thinking" else ""
        kinds.append(block.type + thought)
        assert block.type != "thinking" or block.signature
    assert kinds == expected


STREAMED: dict[str, dict[str, Any]] = {
    "text": {},
    "summarized thinking": {"thinking": {"type": "adaptive", "display": "summarized"}},
    "a tool call": {"tools": [LOOKUP], "messages": [user("Use lookup_gene on `BRCA1`")]},
    "JSON": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "citations": {"messages": [user(document("Gel.", citations={"enabled": True}), text("And?"))]},
    "a stop sequence": {"stop_sequences": ["Hello"]},
    "a cut": {"max_tokens": 30},
    "thinking only": {"max_tokens": 2},
    "line separators": {"messages": [user("one\u2028two\u0085three \U0001f41c")]},
}


@pytest.mark.parametrize("asked", STREAMED.values(), ids=STREAMED)
def test_a_streamed_message_equals_the_one_that_comes_at_once(
    client: anthropic.Anthropic, asked: dict[str, Any]
) -> None:
    at_once = client.messages.create(**body(**asked))
    with client.messages.stream(**body(**asked)) as stream:
        streamed = stream.get_final_message()
    assert without_ids(streamed) == without_ids(at_once)


def test_tools_make_a_round_trip(client: anthropic.Anthropic) -> None:
    question = user("Use lookup_gene on `BRCA1`")
    first = client.messages.create(**body(question, tools=[LOOKUP]))
    assert first.stop_reason == "tool_use"
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("lookup_gene", {"gene": "BRCA1", "limit": 3})
    answered = tool_result(call.id, [text("over-expressed"), image()])
    echoed = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
    second = client.messages.create(**body(question, echoed, user(answered), tools=[LOOKUP]))
    assert second.stop_reason == "end_turn"
    assert '`lookup_gene` returned a result: 14 characters, "over-expressed"' in said(second)
    assert "image: PNG, 40 x 30 pixels" in said(second)


def test_a_tool_that_is_not_named_is_offered_and_not_called(client: anthropic.Anthropic) -> None:
    reply = client.messages.create(**body(tools=[LOOKUP]))
    assert reply.stop_reason == "end_turn"
    assert "Tools: `lookup_gene`" in said(reply)


def test_a_forced_tool_is_called(client: anthropic.Anthropic) -> None:
    forced = {"tools": [LOOKUP], "tool_choice": {"type": "any"}, "model": "claude-opus-5"}
    assert client.messages.create(**body(**forced)).stop_reason == "tool_use"


def test_thinking_bound_to_a_changed_conversation_is_refused(client: anthropic.Anthropic) -> None:
    question = user("Use lookup_gene on `BRCA1`")
    first = client.messages.create(**body(question, tools=[LOOKUP]))
    echoed = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
    result = user(tool_result(f"{first.content[-1].to_dict()['id']}"))
    client.messages.create(**body(question, echoed, result, tools=[LOOKUP]))
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        client.messages.create(**body(user("Another"), echoed, result, tools=[LOOKUP]))


def test_json_output_fits_the_schema(client: anthropic.Anthropic) -> None:
    wanted = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    assert json.loads(said(client.messages.create(**body(**wanted)))) == {"kind": "bar"}


def test_a_prefix_is_written_once_and_then_read(client: anthropic.Anthropic) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    long = user("word " * 1000)
    first = client.messages.create(**body(long, **mark)).usage
    again = client.messages.create(**body(long, **mark)).usage
    longer = client.messages.create(**body(long, assistant("b"), user("c"), **mark)).usage
    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (1859, 0)
    assert (again.cache_creation_input_tokens, again.cache_read_input_tokens) == (0, 1859)
    assert longer.cache_read_input_tokens == 1859
    assert longer.cache_creation_input_tokens == 10
    other = client.messages.create(**body(long, system="Another", **mark)).usage
    assert other.cache_read_input_tokens == 0


def test_a_short_prefix_is_not_cached(client: anthropic.Anthropic) -> None:
    usage = client.messages.create(**body(cache_control={"type": "ephemeral"})).usage
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)
    assert usage.input_tokens > 0


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
