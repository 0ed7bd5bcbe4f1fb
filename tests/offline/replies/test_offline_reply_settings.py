"""What limits, thinking, streaming, tools and the cache do to a reply, as `anthropic` sees it."""

from __future__ import annotations

import json
import warnings
from typing import Any

import anthropic
import pytest

from tests.offline.offline_samples import (
    LOOKUP,
    PREFILLABLE,
    SCHEMA,
    assistant,
    body,
    document,
    image,
    said,
    text,
    tool_result,
    user,
    without_ids,
)


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


IN_WORDS = "Answer with one JSON value that fits the JSON schema below.\n"


@pytest.mark.parametrize(
    "asked",
    [
        [user(text("What is it?"), text(IN_WORDS + json.dumps(SCHEMA)))],
        [user(text("What is it?\n" + IN_WORDS + json.dumps(SCHEMA, indent=2)))],
        [
            user(text("What is it?"), text(IN_WORDS + json.dumps(SCHEMA))),
            assistant("nonsense"),
            user("This does not fit. Answer again with the corrected JSON only."),
        ],
    ],
    ids=["as a text of its own", "at the end of the question", "once more"],
)
def test_a_schema_may_be_given_in_words(client: anthropic.Anthropic, asked: list[Any]) -> None:
    """As a client asks that does not know whether a server has output_config."""
    by_parameter = client.messages.create(
        **body(
            user("What is it?"), output_config={"format": {"type": "json_schema", "schema": SCHEMA}}
        )
    )
    reply = client.messages.create(**body(messages=asked))
    assert json.loads(said(reply)) == json.loads(said(by_parameter))


@pytest.mark.parametrize(
    "words",
    [
        "What is a JSON schema? {}",
        "Explain the JSON schema {not json}",
        'A JSON schema: {"type": 3}',
    ],
)
def test_words_about_a_schema_that_is_none_are_a_question(
    client: anthropic.Anthropic, words: str
) -> None:
    assert "**offline server**" in said(client.messages.create(**body(user(words))))
