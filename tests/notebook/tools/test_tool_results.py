"""What a function returned, as the model reads it: by the same path as outputs of cells."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from claude_magic.messages.blocks import Block, image_base64, text
from claude_magic.messages.images.prepare import prepare
from claude_magic.notebook.tools.toolboxes import RESULT_CHARACTERS, shown_to_model
from claude_magic.tools.results import MOST_IMAGES, ToolAnswer, answer, result
from tests.messages.images.image_samples import photo, saved


def blocks(value: object) -> Sequence[Block]:
    found = answer(value, lambda v: shown_to_model(v, prepare=prepare))
    content: Sequence[Block] = result({"id": "toolu_1"}, found)["content"]
    return content


def words(value: object) -> str:
    return "\n".join(str(b.get("text", "[image]")) for b in blocks(value))


def figure() -> Figure:
    made = Figure()
    made.subplots().plot([1, 2])
    return made


class Strand(enum.Enum):
    PLUS = "+"


@dataclasses.dataclass
class Region:
    start: int
    strand: Strand = Strand.PLUS


class Gene(pydantic.BaseModel):
    name: str
    region: Region | None = None


class Rich:
    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/markdown": "**rich**", "text/plain": "poor"}


class Broken:
    def __repr__(self) -> str:
        raise ValueError


SHOWN = {
    "nothing": (None, "The call is done; it returned nothing (None)."),
    "a text": ("as it is\n", "as it is\n"),
    "an empty text": ("", "(an empty text)"),
    "colours of a terminal": ("\x1b[31mred\x1b[0m", "red"),
    "a lone surrogate": ("a\ud800", "a\N{REPLACEMENT CHARACTER}"),
    "a number": (0.5, "0.5"),
    "infinity": (math.inf, '"inf"'),
    "a truth": (True, "true"),
    "a numpy number": (np.float32(0.5), "0.5"),
    "a dict": ({"b": 1, "a": [None, {"c": (1, 2)}]}, '{"b": 1, "a": [null, {"c": [1, 2]}]}'),
    "a set, in an order that stays": ({"b", "a", "c"}, '["a", "b", "c"]'),
    "a dataclass": (Region(3), '{"start": 3, "strand": "+"}'),
    "a pydantic model": (
        Gene(name="tp53", region=Region(1)),
        '{"name": "tp53", "region": {"start": 1, "strand": "+"}}',
    ),
    "a date and an amount": (
        [datetime.date(2026, 11, 25), Decimal("1.50"), PurePosixPath("a/b")],
        '["2026-11-25", "1.50", "a/b"]',
    ),
    "keys that are no text": ({1: "a", Strand.PLUS: "b"}, '{"1": "a", "+": "b"}'),
    "what shows itself": (Rich(), "**rich**"),
    "words of other languages": (["größe"], '["größe"]'),
    "a repr that raises": (Broken(), "<Broken: its repr raised ValueError>"),
    "an answer of ours": (ToolAnswer((text("said"),)), "said"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_a_value_is_shown_as(case: str) -> None:
    value, expected = SHOWN[case]
    assert words(value) == expected


IMAGES = {
    "a figure": figure(),
    "axes": figure().axes[0],
    "a PIL image": photo(40, 30),
    "the bytes of an image": saved(photo(40, 30)),
}


@pytest.mark.parametrize("case", IMAGES)
def test_a_picture_is_an_image(case: str) -> None:
    assert [block["type"] for block in blocks(IMAGES[case])] == ["image"]


def test_tables_and_arrays_say_their_shape_and_first_values() -> None:
    assert "2 rows x 1 column" in words(pd.DataFrame({"count": [1, 2]}))
    assert "(3, 4)" in words(np.zeros((3, 4)))


def test_a_container_with_pictures_is_shown_part_by_part() -> None:
    found = blocks({"plot": figure(), "mean": 1.5, "table": pd.DataFrame({"a": [1]})})
    assert [b["type"] for b in found] == ["text", "image", "text", "text", "text", "text"]
    assert [b["text"] for b in found if b["type"] == "text"][:3] == ["plot:", "mean:", "1.5"]
    assert [b["type"] for b in blocks([figure(), figure()])] == ["text", "image"] * 2


def test_of_many_pictures_the_last_ones_go_along_and_that_is_said() -> None:
    picture = image_base64("image/png", "AAAA")
    found = result({"id": "1"}, ToolAnswer((picture,) * (MOST_IMAGES + 2)))["content"]
    assert [b["type"] for b in found] == ["text"] * 2 + ["image"] * MOST_IMAGES
    assert "left out" in found[0]["text"]


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


HUGE = {
    "a text": "a" * 10_000_000,
    "a list": list(range(10_000_000)),
    "a dict": dict.fromkeys(range(100_000), "x" * 100),
    "a deep list": deep(5_000),
}


@pytest.mark.parametrize("case", HUGE)
def test_a_huge_result_is_trimmed(case: str) -> None:
    assert len(words(HUGE[case])) < RESULT_CHARACTERS + 1_000


def test_a_list_that_holds_itself_is_shown() -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    assert words(endless)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
        max_leaves=20,
    )
)
def test_whatever_a_function_returns_the_result_is_one_that_the_api_takes(value: object) -> None:
    found = blocks(value)
    assert found
    for block in found:
        assert block["type"] in ("text", "image")
        if block["type"] == "text":
            assert block["text"].strip()
            block["text"].encode()
