"""How the value of a reply in JSON is shown."""

from __future__ import annotations

import dataclasses
import datetime
import re
from enum import Enum
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, RootModel

from claude_magic.notebook.display.json_value import value_bundle


class Kind(Enum):
    BAND = "band"


class Band(BaseModel):
    weight: float
    kind: Kind = Kind.BAND


class Bands(RootModel[list[Band]]):
    pass


@dataclasses.dataclass
class Point:
    x: float
    y: float | None = None


class Size(NamedTuple):
    width: int
    height: int


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no")


@dataclasses.dataclass
class Computed:
    x: int

    def __getattribute__(self, name: str) -> Any:
        if name == "x":
            raise RuntimeError("no")
        return super().__getattribute__(name)


TEXTS: dict[str, tuple[Any, str]] = {
    "records": (
        [Band(weight=25), Band(weight=7.5)],
        "weight  kind\n    25  band\n   7.5  band",
    ),
    "a record": (Point(1, 2.25), "x     1\ny  2.25"),
    "a record with a text": ({"name": "gel", "lanes": 8}, "name   gel\nlanes  8"),
    "records that differ": ([{"a": 1}, {"b": "x"}], "a  b\n1\n   x"),
    "numbers": ([1, 2.50, None], "1, 2.5, None"),
    "a number": (3.0, "3"),
    "a text": ("two\nlines", "two\nlines"),
    "nothing": (None, "None"),
    "an empty list": ([], "empty"),
    "a root model": (Bands([Band(weight=1)]), "weight  kind\n     1  band"),
    "a named tuple": (Size(3, 4), "width   3\nheight  4"),
    "a set": ({"b", "a"}, "a, b"),
    "a day": ([datetime.date(2026, 11, 25)], "2026-11-25"),
    "a dict of records": (
        {"a": {"n": 1}, "b": {"n": 2}},
        "a: 1 field\n  n  1\nb: 1 field\n  n  2",
    ),
    "a tree": (
        {"gel": "A", "lanes": [{"n": 1, "bands": [{"w": 25}, {"w": 7}]}, {"n": 2, "bands": []}]},
        "gel: A\nlanes: 2 records\n  1: 2 fields\n    n: 1\n    bands: 2 records\n"
        "       w\n      25\n       7\n  2: 2 fields\n    n      2\n    bands  empty",
    ),
    "long texts": (["x" * 150, "y" * 150], "x" * 150 + "\n" + "y" * 150),
    "what cannot be shown": ([Odd()], "<Odd>"),
    "a record that cannot be read": (Computed(1), "Computed"),
}


@pytest.mark.parametrize(("value", "text"), TEXTS.values(), ids=TEXTS)
def test_a_value_reads_well_as_text(value: Any, text: str) -> None:
    shown = value_bundle(value)["text/plain"]
    assert shown == text or (text == "Computed" and "Computed" in shown)


def test_records_are_a_table_with_numbers_to_the_right() -> None:
    html = value_bundle([Band(weight=25)])["text/html"]
    right = ' class="claude-magic-right"'
    assert html == (
        f'<div class="claude-magic"><table><thead><tr><th{right}>weight</th><th>kind</th></tr>'
        f"</thead><tbody><tr><td{right}>25</td><td>band</td></tr></tbody></table></div>"
    )


def test_what_a_record_holds_is_folded_within_it() -> None:
    value = {"gel": "A", "lanes": [{"n": 1, "bands": [{"w": 25}, {"w": 7}]}]}
    html = value_bundle(value)["text/html"]
    assert re.findall(r"<details[^>]*?( open)?><summary>(.*?)</summary>", html) == [
        (" open", "1 record"),
        ("", "2 records"),
    ]
    assert "<tr><td>gel</td><td>A</td></tr>" in html


def test_a_long_list_is_cut_and_that_is_said() -> None:
    records = [{"n": n} for n in range(1234)]
    bundle = value_bundle(records)
    assert bundle["text/html"].count("<tr>") == 51
    for text in bundle.values():
        assert "… 1,184 more of 1,234" in text
    within = value_bundle({"a": [{"n": n} for n in range(1234)], "b": [{"m": [1]}]})
    for text in within.values():
        assert "1,234 records" in text
        assert "… 1,184 more of 1,234" in text


def test_a_long_text_is_cut_and_that_is_said() -> None:
    html = value_bundle({"a": "x" * 2000})["text/html"]
    assert "… 1,500 characters more" in html
    assert len(html) < 1000


def test_the_markdown_is_a_table_or_a_list() -> None:
    assert value_bundle([Point(1), Point(2.5, 3)])["text/markdown"] == (
        "| x | y |\n| --: | --: |\n| 1 | None |\n| 2.5 | 3 |\n"
    )
    assert value_bundle({"a": [{"b": [{"c": 1}]}], "d": 2})["text/markdown"] == (
        "- a: 1 record\n  - 1: 1 field\n    - b: 1 record\n      - 1: 1 field\n        - c: 1\n"
        "- d: 2\n"
    )


def test_a_value_nested_without_end_is_shown_all_the_same() -> None:
    value: list[Any] = []
    value.append({"again": value})
    assert "again" in value_bundle(value)["text/plain"]
