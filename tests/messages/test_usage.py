"""What a reply used and cost, and what an image will cost, as the API reckons it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.models import MODELS, unknown
from claude_magic.messages.usage import Usage, estimate_input, image_tokens, patches, scaled_size

STANDARD = MODELS["claude-opus-4-5"]
HIGH = MODELS["claude-sonnet-5-5"]
HAIKU = MODELS["claude-haiku-5-5"]
TIERS = pytest.mark.parametrize("model", [STANDARD, HIGH], ids=["standard", "high"])

# Source: the examples of the vision page.
IMAGES = {
    "1000x1000": ((1000, 1000), ((1000, 1000), 1296), ((1000, 1000), 1296)),
    "1092x1092": ((1092, 1092), ((1092, 1092), 1521), ((1092, 1092), 1521)),
    "1920x1080": ((1920, 1080), ((1456, 819), 1560), ((1920, 1080), 2691)),
    "1080x1920": ((1080, 1920), ((819, 1456), 1560), ((1080, 1920), 2691)),
    "3840x2160": ((3840, 2160), ((1456, 819), 1560), ((2576, 1449), 4784)),
    "200x200": ((200, 200), ((200, 200), 64), ((200, 200), 64)),
    "8000x1": ((8000, 1), ((1568, 1), 56), ((2576, 1), 92)),
    "1x1": ((1, 1), ((1, 1), 1), ((1, 1), 1)),
}


@pytest.mark.parametrize(("size", "standard", "high"), IMAGES.values(), ids=IMAGES)
def test_an_image_is_scaled_and_paid_as_the_api_says(
    size: tuple[int, int],
    standard: tuple[tuple[int, int], int],
    high: tuple[tuple[int, int], int],
) -> None:
    for model, (seen, tokens) in ((STANDARD, standard), (HIGH, high)):
        assert scaled_size(*size, model) == seen
        assert image_tokens(*size, model) == tokens


@TIERS
@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_a_scaled_image_is_within_both_limits_and_never_enlarged(
    model: Any, width: int, height: int
) -> None:
    seen = scaled_size(width, height, model)
    assert max(seen) <= model.long_edge
    assert patches(*seen) <= model.image_token_cap
    assert seen[0] <= width
    assert seen[1] <= height
    if max(width, height) <= model.long_edge and patches(width, height) <= model.image_token_cap:
        assert seen == (width, height)


@TIERS
@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_no_larger_size_of_the_same_shape_would_fit(model: Any, width: int, height: int) -> None:
    long, short = max(width, height), min(width, height)
    edge = max(scaled_size(width, height, model))
    if edge < long:
        larger = edge + 1
        other = max(1, round(larger * short / long))
        assert larger > model.long_edge or patches(larger, other) > model.image_token_cap


WIRE: dict[str, tuple[Any, Usage]] = {
    "nothing": (None, Usage()),
    "empty": ({}, Usage()),
    "the two counts": ({"input_tokens": 9, "output_tokens": 5}, Usage(fresh=9, output=5)),
    "nulls": ({"input_tokens": 9, "cache_read_input_tokens": None}, Usage(fresh=9)),
    "not numbers": ({"input_tokens": "9", "server_tool_use": "x"}, Usage()),
    "everything": (
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "output_tokens": 4,
            "output_tokens_details": {"thinking_tokens": 5},
            "server_tool_use": {"web_search_requests": 6},
            "service_tier": "standard",
        },
        Usage(1, 2, 3, 4, 5, 6),
    ),
}


@pytest.mark.parametrize(("wire", "expected"), WIRE.values(), ids=WIRE)
def test_usage_is_read_whatever_is_missing(wire: Any, expected: Usage) -> None:
    assert Usage.from_wire(wire) == expected


def test_all_input_is_fresh_written_and_read() -> None:
    assert Usage(fresh=1, written=2, read=3).input == 6


def test_usages_add_up() -> None:
    assert Usage(1, 2, 3, 4, 5, 6) + Usage(10, 20, 30, 40, 50, 60) == Usage(11, 22, 33, 44, 55, 66)


M = 1_000_000
COSTS = {
    "fresh input": (HIGH, Usage(fresh=M), 2.0),
    "a cache write": (HIGH, Usage(written=M), 2.5),
    "a cache read": (HIGH, Usage(read=M), 0.1),
    "output": (HIGH, Usage(output=M), 10.0),
    "thinking is part of the output": (HIGH, Usage(output=M, thinking=M), 10.0),
    "web searches": (HIGH, Usage(web_searches=3), 0.03),
    "a prompt at the limit": (HAIKU, Usage(fresh=100_000, output=1000), 0.0105),
    "a prompt over the limit": (HAIKU, Usage(fresh=100_001, output=1000), 0.0525005),
    "cached input counts towards the limit": (HAIKU, Usage(fresh=1, read=100_000), 0.0050005),
}


@pytest.mark.parametrize(("model", "usage", "dollars"), COSTS.values(), ids=COSTS)
def test_a_reply_costs_what_its_tokens_cost(model: Any, usage: Usage, dollars: float) -> None:
    assert usage.cost(model) == pytest.approx(dollars)


def test_an_unknown_model_has_no_cost() -> None:
    assert Usage(fresh=1).cost(unknown("llama")) is None


def test_every_part_of_a_request_counts() -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello there"}]}
    base = estimate_input(body, HIGH)
    more = {
        "system": "Be brief.",
        "tools": [{"name": "a", "input_schema": {"type": "object"}}],
        "messages": [*body["messages"], {"role": "assistant", "content": "Yes?"}],
    }
    for name, value in more.items():
        assert estimate_input({**body, name: value}, HIGH) > base


def test_a_newer_tokenizer_makes_more_tokens_of_the_same_text() -> None:
    body = {"messages": [{"role": "user", "content": "word " * 100}]}
    assert estimate_input(body, HIGH) > estimate_input(body, STANDARD)
