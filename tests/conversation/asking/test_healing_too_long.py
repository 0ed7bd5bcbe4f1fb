"""What a refusal said of the length, and how many of the oldest turns are left out for it."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.conversation.asking.healing import (
    TooLong,
    how_many_oldest,
    too_long,
    without_oldest,
)
from claude_magic.messages.blocks import text
from claude_magic.messages.models import unknown
from claude_magic.messages.usage import estimate_input
from tests.conversation.asking.message_samples import (
    LAST,
    PLAIN,
    ROUNDS,
    SONNET,
    assistant,
    body,
    call,
    refused,
    result,
    user,
)

LENGTHS = {
    "prompt is too long: 210000 tokens > 200000 maximum": TooLong(210_000, 200_000),
    "prompt is too long": TooLong(),
    "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input "
    "length or `max_tokens` and try again": TooLong(190_000, 168_000),
    "input length and `max_tokens` exceed context limit: 900 + 3000 > 2000": TooLong(900, 0),
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 "
    "in the messages, 1000 in the completion).": TooLong(8000, 7192),
    "This model's maximum context length is 32,768 tokens. However, your request has 40,000 input "
    "tokens.": TooLong(40_000, 32_768),
    "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it": (
        TooLong(9000, 4096)
    ),
    "the request exceeds the available context size": TooLong(),
    "The context window exceeded": TooLong(),
    "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens": None,
    "messages.0.content.0.image.source.base64: image exceeds 10 MB maximum": None,
    "temperature: Extra inputs are not permitted": None,
}


@pytest.mark.parametrize("message", LENGTHS)
def test_what_the_server_said_of_the_length_is_read(message: str) -> None:
    assert too_long(refused(message)) == LENGTHS[message]


def test_a_request_of_too_many_bytes_is_too_long() -> None:
    error = refused("Request exceeds the maximum size", status=413, kind="request_too_large")
    assert too_long(error) == TooLong()


def test_only_a_refusal_of_the_request_is_about_its_length() -> None:
    assert too_long(refused("prompt is too long", status=500, kind="api_error")) is None


PREFILLED = [user("three"), user("really"), assistant("It is")]


@pytest.mark.parametrize("last", [LAST, PREFILLED], ids=["a question", "a prefill"])
def test_the_oldest_turns_are_left_out_whole_and_never_the_last_question(
    last: list[dict[str, Any]],
) -> None:
    asked = body(*PLAIN, *ROUNDS, *last, system="Be brief.")
    kept = [without_oldest(asked, count)["messages"] for count in range(5)]
    assert kept == [[*PLAIN, *ROUNDS, *last], [*ROUNDS, *last], last, last, last]
    assert without_oldest(asked, 0) is asked
    assert without_oldest(asked, 1)["system"] == "Be brief."
    assert len(asked["messages"]) == len(PLAIN + ROUNDS + last)


def test_a_question_with_results_before_it_stays_with_its_turn() -> None:
    asked = body(user("one"), assistant(call()), user(result(), text("And?")))
    assert without_oldest(asked, 1) is asked


WORDS = "word " * 1000
LONG = body(*[m for n in range(9) for m in (user(f"{n} {WORDS}"), assistant("ok"))], user("last"))
ESTIMATE = estimate_input(LONG, SONNET)


@pytest.mark.parametrize("factor", [1, 1.5, 0.5])
def test_as_many_turns_go_as_the_limit_asks_for(factor: float) -> None:
    """The server counts otherwise than the estimate, and the estimate is put right by that."""
    tokens = int(ESTIMATE * factor)
    limit = tokens * 2 // 3
    count = how_many_oldest(LONG, TooLong(tokens, limit), SONNET)
    assert count == 4
    left = estimate_input(without_oldest(LONG, count), SONNET) * factor
    one_more = estimate_input(without_oldest(LONG, count - 1), SONNET) * factor
    assert left <= limit * 0.95 < one_more


def test_at_least_one_turn_goes() -> None:
    assert how_many_oldest(LONG, TooLong(100_001, 100_000), SONNET) == 1


def test_all_earlier_turns_go_if_less_is_not_enough() -> None:
    assert how_many_oldest(LONG, TooLong(ESTIMATE, 10), SONNET) == 9


def test_without_numbers_the_request_is_halved() -> None:
    for model in (SONNET, unknown("llama")):
        assert how_many_oldest(LONG, TooLong(), model) == 5


def test_a_count_within_the_limit_means_that_the_reply_counts_too() -> None:
    tokens = ESTIMATE
    asked = {**LONG, "max_tokens": tokens // 3}
    assert how_many_oldest(asked, TooLong(tokens, tokens), SONNET) == 4


NO_HELP = {
    "no earlier turn": (body(user(WORDS)), TooLong(9000, 2000)),
    "no earlier turn and no numbers": (body(user(WORDS), assistant("It")), TooLong()),
    "one turn of many calls": (
        body(user("x"), assistant(call()), user(result())),
        TooLong(9, 5),
    ),
    "a reply that may be longer than all": (LONG, TooLong(900, 0)),
    "the same, as other servers say it": ({**LONG, "max_tokens": 8192}, TooLong(500, 8192)),
}


@pytest.mark.parametrize("case", NO_HELP)
def test_where_leaving_turns_out_cannot_help_none_goes(case: str) -> None:
    asked, long = NO_HELP[case]
    assert how_many_oldest(asked, long, SONNET) == 0
