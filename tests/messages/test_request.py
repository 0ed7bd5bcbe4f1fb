"""The exact body that goes on the wire, founding examples first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from claude_magic.messages import models
from claude_magic.messages.blocks import document_base64, document_text, image_base64, text
from claude_magic.messages.errors import InputError
from claude_magic.messages.request import Options, Request, build
from tests.image_blocks import image_url

ANT = "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"
ANT_URL = "https://upload.wikimedia.org/wikipedia/commons/a/a7/Camponotus_flavomarginatus_ant.jpg"
PICTURE = "What is in the above image?"


def model(name: str) -> models.Model:
    found = models.lookup(name)
    assert found is not None
    return found


def ask(name: str, content: list[Any], history: list[Any] | None = None, **said: Any) -> Request:
    said.setdefault("cache", False)
    return build(model(name), history or [], content, Options(**said), anthropic=True)


FOUNDING = {
    "basic request": (
        ask("claude-sonnet-4-5", [text("Hello, Claude")], max_tokens=1024),
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "messages": [{"role": "user", "content": "Hello, Claude"}],
        },
    ),
    "multi-turn": (
        ask(
            "claude-sonnet-4-5",
            [text("Can you describe LLMs to me?")],
            [
                {"role": "user", "content": "Hello, Claude"},
                {"role": "assistant", "content": "Hello!"},
            ],
            max_tokens=1024,
        ),
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "messages": [
                {"role": "user", "content": "Hello, Claude"},
                {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": "Can you describe LLMs to me?"},
            ],
        },
    ),
    "prefill": (
        ask("claude-sonnet-4-5", [text(ANT)], max_tokens=1, prefill="The answer is ("),
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1,
            "messages": [
                {"role": "user", "content": ANT},
                {"role": "assistant", "content": "The answer is ("},
            ],
        },
    ),
    "vision by base64": (
        ask(
            "claude-sonnet-4-5",
            [image_base64("image/jpeg", "/9j/4AAQ"), text(PICTURE)],
            max_tokens=1024,
        ),
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/jpeg",
                                "data": "/9j/4AAQ",
                            },
                        },
                        {"type": "text", "text": PICTURE},
                    ],
                }
            ],
        },
    ),
    "vision by URL": (
        ask("claude-sonnet-4-5", [image_url(ANT_URL), text(PICTURE)], max_tokens=1024),
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "url", "url": ANT_URL}},
                        {"type": "text", "text": PICTURE},
                    ],
                }
            ],
        },
    ),
}


@pytest.mark.parametrize("example", FOUNDING)
def test_a_founding_example_is_sent_exactly_as_documented(example: str) -> None:
    request, documented = FOUNDING[example]
    assert request.body == documented


def test_a_question_by_default_has_effort_caching_and_room_to_think() -> None:
    request = build(model("sonnet"), [], [text("Hello")], Options(effort="medium"), anthropic=True)
    assert request.body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 32000,
        "messages": [{"role": "user", "content": "Hello"}],
        "output_config": {"effort": "medium"},
        "cache_control": {"type": "ephemeral"},
    }


def test_another_server_gets_basic_fields_only() -> None:
    request = build(
        models.unknown("llama3"), [], [text("Hello")], Options(effort="medium"), anthropic=False
    )
    assert request.body == {
        "model": "llama3",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "Hello"}],
    }


def test_another_server_gets_what_the_user_names() -> None:
    options = Options(effort="high", effort_named=True, think="show")
    request = build(models.unknown("llama3"), [], [text("Hello")], options, anthropic=False)
    assert request.body["output_config"] == {"effort": "high"}
    assert request.body["thinking"] == {"type": "enabled", "budget_tokens": 4096}


def test_another_server_gets_the_text_of_a_document_as_text() -> None:
    """Ollama and llama.cpp pass over document blocks without a word."""
    llama = models.unknown("llama3")
    asked = [document_text("Ants have six legs.", "notes.txt"), text("How many?")]
    request = build(llama, [], asked, Options(), anthropic=False)
    document, question = request.body["messages"][0]["content"]
    assert document["type"] == "text"
    assert re.fullmatch(
        r'<(document-\w{8}) name="notes.txt">\nAnts have six legs.\n</\1>', document["text"]
    )
    assert question == text("How many?")
    pdf = [document_base64("application/pdf", "JVBERg=="), text("How many?")]
    request = build(llama, [], pdf, Options(), anthropic=False)
    assert request.body["messages"][0]["content"] == pdf
    assert request.notices == ("A PDF goes along: not every server reads one, nor says so",)


def test_a_prefill_is_asked_for_in_words_where_the_model_takes_none() -> None:
    request = ask("sonnet", [text(ANT)], prefill="In short:", max_tokens=10)
    assert request.emulated is True
    assert [m["role"] for m in request.body["messages"]] == ["user"]
    assert "«In short:»" in request.body["messages"][0]["content"][-1]["text"]
    assert request.remarks == ("Sonnet 5.5 takes no prefill: asked for in words",)
    assert request.notices == ()
    assert request.body["max_tokens"] == 10 + len("In short:"), "it comes back in the reply"


def test_a_prefill_that_a_choice_completes_is_asked_for_as_one_of_the_choices() -> None:
    request = ask("sonnet", [text(ANT)], prefill="The answer is (", max_tokens=1, effort="medium")
    about = "What stands next in an answer that begins: The answer is ("
    assert request.body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": ANT}],
        "thinking": {"type": "between_tools"},
        "output_config": {
            "effort": "low",
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {
                        "answer": {"type": "string", "enum": ["A", "B", "C"], "description": about}
                    },
                    "required": ["answer"],
                    "additionalProperties": False,
                },
            },
        },
    }
    assert request.emulated == "choice"
    assert request.remarks == ("Sonnet 5.5 takes no prefill: asked for as one of A, B, C",)
    assert request.notices == ()


def test_a_choice_is_asked_for_with_the_effort_and_the_thinking_that_the_user_names() -> None:
    said = {"prefill": "The answer is (", "effort": "max", "effort_named": True, "think": "show"}
    body = ask("sonnet", [text(ANT)], **said).body
    assert body["output_config"]["effort"] == "max"
    assert body["thinking"]["type"] == "adaptive"
    assert body["max_tokens"] == 64_000


def test_a_choice_says_nothing_of_thinking_to_a_model_that_always_thinks() -> None:
    request = ask("opus", [text(ANT)], prefill="The answer is (")
    assert "thinking" not in request.body
    assert request.notices == ()


def test_another_server_is_asked_for_a_choice_in_words() -> None:
    options = Options(prefill="The answer is (")
    request = build(model("sonnet"), [], [text(ANT)], options, anthropic=False)
    assert request.emulated is True
    assert "output_config" not in request.body


def test_a_choice_is_asked_for_in_words_where_a_model_may_call_tools_before_it_answers() -> None:
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    request = ask("sonnet", [text(ANT)], prefill="The answer is (", tools=tools)
    assert request.emulated is True
    assert "output_config" not in request.body


def test_a_prefill_stands_aside_where_thinking_comes_first() -> None:
    request = ask("claude-sonnet-4-5", [text(ANT)], prefill="The answer is (", think="show")
    assert request.emulated == "choice"
    assert request.body["thinking"]["type"] == "enabled"
    assert request.remarks == ("Sonnet 4.5 takes no prefill here: asked for as one of A, B, C",)


def test_a_prefill_ends_without_white_space_which_the_api_refuses() -> None:
    request = ask("claude-sonnet-4-5", [text(ANT)], prefill="The answer is \n")
    assert request.body["messages"][-1]["content"] == "The answer is"


THINKING = [
    ("sonnet", "show", {"type": "adaptive", "display": "summarized"}),
    ("sonnet", "off", {"type": "between_tools"}),
    ("haiku", "off", {"type": "disabled"}),
    ("opus", "off", None),
    ("claude-opus-4-8", "off", None),
    ("claude-haiku-4-5", "show", {"type": "enabled", "budget_tokens": 8000}),
    ("sonnet", "auto", None),
]


@pytest.mark.parametrize(("name", "think", "sent"), THINKING)
def test_thinking_takes_the_form_that_the_model_knows(
    name: str, think: str, sent: dict[str, Any] | None
) -> None:
    assert ask(name, [text("Hi")], think=think).body.get("thinking") == sent


def test_a_model_that_always_thinks_says_so() -> None:
    assert ask("opus", [text("Hi")], think="off").notices == (
        "Opus 5.5 always thinks: --think off has no effect",
    )


REFUSED = {
    "an effort the model does not have": ("claude-opus-4-5", {"effort": "max"}),
    "the highest effort without thinking": ("sonnet", {"effort": "xhigh", "think": "off"}),
    "thinking that leaves no room": ("claude-haiku-4-5", {"think": "show", "max_tokens": 100}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_combination_that_the_model_refuses_is_refused_before_sending(case: str) -> None:
    name, said = REFUSED[case]
    with pytest.raises(InputError):
        ask(name, [text("Hi")], effort_named=True, **said)


def test_an_effort_that_the_model_does_not_know_is_left_out_with_a_notice() -> None:
    request = ask("claude-sonnet-4-5", [text("Hi")], effort="low", effort_named=True)
    assert "output_config" not in request.body
    assert request.notices == ("Sonnet 4.5 has no effort setting: left out",)


def test_max_tokens_stays_within_what_the_model_can() -> None:
    assert ask("claude-sonnet-4-5", [text("Hi")], max_tokens=500_000).body["max_tokens"] == 64_000
