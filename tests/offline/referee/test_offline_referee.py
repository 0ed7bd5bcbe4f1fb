"""What the referee lets through and refuses of a request's model, settings and headers."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.messages.models import MODELS
from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.offline.offline_samples import (
    BAD,
    HEADERS,
    MISSING,
    NEWEST,
    PREFILLABLE,
    assistant,
    body,
    document,
    text,
    tool_choice,
    user,
)

TAKEN = {
    "a first question": body(),
    "a dated model id": body(model="claude-opus-4-5-20251101"),
    "adaptive thinking": body(thinking={"type": "adaptive", "display": "summarized"}),
    "manual thinking": body(
        model=PREFILLABLE, max_tokens=5000, thinking={"type": "enabled", "budget_tokens": 1024}
    ),
    "thinking off between tools": body(thinking={"type": "between_tools"}),
    "thinking disabled": body(model="claude-opus-5", thinking={"type": "disabled"}),
    "effort": body(output_config={"effort": "xhigh"}),
    "the default temperature": body(temperature=1.0),
    "a temperature on an old model": body(model=PREFILLABLE, temperature=0.2),
    "pre-warming": body(max_tokens=0),
    "fast": body(model="claude-opus-5-5", speed="fast"),
    "every small setting": body(
        stop_sequences=["END"],
        metadata={"user_id": None},
        service_tier="auto",
        inference_geo="us",
        container=None,
        diagnostics={"previous_message_id": None},
        stream=False,
    ),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


@pytest.mark.parametrize("model", MODELS)
def test_every_known_model_is_taken(model: str) -> None:
    assert check(body(model=model), HEADERS).model.id == model


REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "no model": (BAD, "model: Field required", body(model=...)),
    "no max_tokens": (BAD, "max_tokens: Field required", body(max_tokens=...)),
    "no messages": (BAD, "messages: Field required", body(messages=...)),
    "an unknown key": (BAD, "seed: Extra inputs are not permitted", body(seed=1)),
    "a beta key without its header": (BAD, "thread: Extra inputs", body(thread={})),
    "an unknown model": (MISSING, "model: gpt", body(model="gpt")),
    "an alias": (MISSING, "model: sonnet", body(model="sonnet")),
    "a retired model": (MISSING, "model: claude-3-opus", body(model="claude-3-opus")),
    "max_tokens as text": (BAD, "max_tokens: Input should be", body(max_tokens="9")),
    "max_tokens as a boolean": (BAD, "max_tokens: Input should be", body(max_tokens=True)),
    "negative max_tokens": (BAD, "max_tokens: Input should be", body(max_tokens=-1)),
    "too many max_tokens": (BAD, "128001 > 128000", body(max_tokens=128_001)),
    "too many for an old model": (
        BAD,
        "64001 > 64000",
        body(model=PREFILLABLE, max_tokens=64_001),
    ),
    "a thinking block from elsewhere": (
        BAD,
        "Invalid `signature` in `thinking` block",
        body(
            user("a"),
            assistant({"type": "thinking", "thinking": "", "signature": "eA=="}, text("b")),
            user("c"),
        ),
    ),
    "manual thinking on a new model": (
        BAD,
        '"thinking.type.enabled" is not supported for this model.',
        body(thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=5000),
    ),
    "a thinking budget below the least": (
        BAD,
        "budget_tokens",
        body(model=PREFILLABLE, thinking={"type": "enabled", "budget_tokens": 1000}),
    ),
    "a thinking budget over max_tokens": (
        BAD,
        "greater than `thinking.budget_tokens`",
        body(model=PREFILLABLE, thinking={"type": "enabled", "budget_tokens": 2000}),
    ),
    "adaptive thinking on an old model": (
        BAD,
        "adaptive thinking is not supported on this model",
        body(model=PREFILLABLE, thinking={"type": "adaptive"}),
    ),
    "thinking disabled where it is always on": (
        BAD,
        '"thinking.type.disabled" is not supported',
        body(model="claude-opus-5-5", thinking={"type": "disabled"}),
    ),
    "thinking disabled by the wrong word": (
        BAD,
        'To turn thinking off on this model, send "thinking": {"type": "between_tools"}',
        body(thinking={"type": "disabled"}),
    ),
    "between_tools elsewhere": (
        BAD,
        '"thinking.type.between_tools" is not supported for this model.',
        body(model="claude-opus-5", thinking={"type": "between_tools"}),
    ),
    "between_tools with display": (
        BAD,
        "display: Extra inputs",
        body(thinking={"type": "between_tools", "display": "omitted"}),
    ),
    "between_tools at the highest effort": (
        BAD,
        "'max' is not supported when thinking is disabled",
        body(thinking={"type": "between_tools"}, output_config={"effort": "max"}),
    ),
    "disabled at a high effort": (
        BAD,
        "'xhigh' is not supported when thinking is disabled",
        body(
            model="claude-haiku-5-5",
            thinking={"type": "disabled"},
            output_config={"effort": "xhigh"},
        ),
    ),
    "effort where there is none": (
        BAD,
        "effort",
        body(model="claude-haiku-4-5", output_config={"effort": "low"}),
    ),
    "an effort the model does not have": (
        BAD,
        "'xhigh' is not supported",
        body(model="claude-opus-4-6", output_config={"effort": "xhigh"}),
    ),
    "a temperature on a new model": (
        BAD,
        "temperature: Extra inputs are not permitted",
        body(temperature=0.5),
    ),
    "top_k on a new model": (BAD, "top_k: Extra inputs are not permitted", body(top_k=5)),
    "a temperature over 1": (BAD, "temperature: range", body(model=PREFILLABLE, temperature=1.5)),
    "temperature with top_p": (
        BAD,
        "cannot both be specified",
        body(model=PREFILLABLE, temperature=0.5, top_p=0.9),
    ),
    "a blank stop sequence": (BAD, "stop_sequences", body(stop_sequences=["\n"])),
    "pre-warming a stream": (BAD, "max_tokens: 0", body(max_tokens=0, stream=True)),
    "fast where there is none": (BAD, "speed", body(speed="fast")),
    "a place for an old model": (BAD, "inference_geo", body(model=PREFILLABLE, inference_geo="us")),
    "a prompt over the context": (
        BAD,
        "prompt is too long",
        body(user("word " * 200_000), model=PREFILLABLE),
    ),
}


@pytest.mark.parametrize(("outcome", "message", "asked"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_status_type_and_what_is_wrong(
    outcome: tuple[int, str], message: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert (refused.value.status, refused.value.error_type) == outcome
    assert message in refused.value.message


STRICT = {**HEADERS, "anthropic-version": "2026-10-21"}
HEADER_CASES = {
    "no version": (400, {"content-type": "application/json"}, body()),
    "an unknown version": (400, {"anthropic-version": "2024-01-01"}, body()),
    "an unknown beta": (400, {**HEADERS, "anthropic-beta": "pdfs-2024-09-25,x"}, body()),
    "the refused key": (401, {**HEADERS, "x-api-key": "invalid"}, body()),
    "the refused bearer": (401, {**HEADERS, "authorization": "Bearer invalid"}, body()),
    "a temperature under the newer version": (400, STRICT, body(temperature=1)),
    "a document by the assistant under the newer version": (
        400,
        STRICT,
        body(user("a"), assistant(document("b"), text("c")), user("d")),
    ),
    "citations by the user under the newer version": (
        400,
        STRICT,
        body(user(text("a", citations=[{}]), text("b"))),
    ),
    "an old computer tool without its beta": (
        400,
        HEADERS,
        body(model=PREFILLABLE, tools=[{"type": "computer_20251124", "name": "computer"}]),
    ),
}


@pytest.mark.parametrize(("status", "headers", "asked"), HEADER_CASES.values(), ids=HEADER_CASES)
def test_headers_are_judged_as_well(
    status: int, headers: dict[str, str], asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, headers)
    assert refused.value.status == status


def test_a_key_that_is_not_the_refused_one_is_as_good_as_none() -> None:
    check(body(), {**HEADERS, "x-api-key": "sk-anything"})


def test_a_beta_header_admits_its_fields() -> None:
    headers = {**HEADERS, "anthropic-beta": "message-threads-2026-08-12"}
    check(body(thread={"type": "create"}), headers)


def test_counting_takes_neither_max_tokens_nor_stream() -> None:
    check(body(max_tokens=...), HEADERS, counting=True)
    with pytest.raises(Refusal, match="max_tokens: Extra inputs"):
        check(body(), HEADERS, counting=True)


def test_counting_applies_the_rules_of_the_model() -> None:
    asked = body(max_tokens=..., **tool_choice("any"))
    with pytest.raises(Refusal, match="tool_choice"):
        check(asked, HEADERS, counting=True)


def test_the_default_model_of_these_tests_is_known() -> None:
    assert NEWEST in MODELS
