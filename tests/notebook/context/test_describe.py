"""Python objects as a model reads them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import image_base64, image_note
from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import Prepared
from claude_magic.notebook.context.describe import describe, summary_line, trim_middle

mpl.use("agg")


def words(value: object, name: str | None = None, **options: Any) -> str:
    (block,) = describe(value, name, **options)
    return str(block["text"])


class Raises:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Rich:
    def _repr_html_(self) -> str:
        return "<p>in HTML</p>"


class RichMarkdown(Rich):
    def _repr_markdown_(self) -> str:
        return "**in Markdown**"


class RichBroken(Rich):
    def _repr_markdown_(self) -> str:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        return "in text"


class AnswersEverything:
    def __getattr__(self, name: str) -> Any:
        return lambda *args: "anything"

    def __repr__(self) -> str:
        return "AnswersEverything()"


def documented(x: int, y: int = 2) -> int:
    """The sum of both."""
    return x + y


cyclic: list[object] = [1]
cyclic.append(cyclic)

PLAIN = {
    "text": ("as 'it' is\n", "as 'it' is\n"),
    "a surrogate": ("a\ud800b", "a\ufffdb"),
    "an integer": (7, "7"),
    "a float": (0.1, "0.1"),
    "None": (None, "None"),
    "a bool": (True, "True"),
    "a decimal": (Decimal("1.50"), "1.50"),
    "a time": (datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00"),
    "a path": (Path("a/b.txt"), str(Path("a/b.txt"))),
    "a number of numpy": (np.float32(0.1), "0.1"),
    "a list": ([1, "a", (2,), ()], "[1, 'a', (2,), ()]"),
    "a dict": ({"a": {"b": None}}, "{'a': {'b': None}}"),
    "a set, sorted": ({"c", "a", "b"}, "{'a', 'b', 'c'}"),
    "an empty set": (set(), "set()"),
    "a frozen set": (frozenset({1}), "frozenset({1})"),
    "a list in itself": (cyclic, "[1, [...]]"),
    "bytes": (b"abc", "b'abc'"),
    "an address": (object(), "<object object at 0x…>"),
    "an address within": ([object()], "[<object object at 0x…>]"),
    "a repr that raises": (Raises(), "<Raises: its repr raised RuntimeError>"),
    "a repr that raises, within": ([Raises()], "[<Raises: its repr raised RuntimeError>]"),
    "Markdown before HTML": (RichMarkdown(), "**in Markdown**"),
    "HTML of an object": (Rich(), "in HTML"),
    "the text of what also has HTML": (RichBroken(), "in text"),
    "an object with any attribute": (AnswersEverything(), "AnswersEverything()"),
    "a class with display methods": (SimpleNamespace(a=1), "namespace(a=1)"),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN)
def test_a_value_is_shown_in_the_words_of_a_notebook(value: object, expected: str) -> None:
    assert words(value) == expected


def test_a_short_function_is_its_source() -> None:
    assert words(documented).startswith("def documented(x: int, y: int = 2) -> int:")


def test_a_long_or_built_in_one_is_its_signature_and_documentation() -> None:
    assert words(len).startswith("len(obj, /)\nReturn the number of items")
    assert words(pd.DataFrame).startswith("class DataFrame(data=None, ")


def test_a_long_list_says_its_length_and_what_was_left_out() -> None:
    text = words(list(range(1_000_000)))
    assert text.startswith("list of 1,000,000 items:\n[0, 1, 2,")
    assert text.endswith("999998, 999999]")
    assert "characters left out …]" in text
    assert len(text) < 8_200


def test_a_deep_list_and_a_huge_string_within_are_bounded() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert "[...]" in words(deep)
    assert len(words(["x" * 10_000_000])) < 8_200


def test_a_set_gives_the_same_bytes_in_every_kernel() -> None:
    code = (
        "from claude_magic.notebook.context.describe import describe;"
        "print(describe({'a': {str(i) for i in range(9000)}, 'b': object()})[0]['text'])"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(shown) == 1


FRAME = pd.DataFrame(
    {
        "a": range(12),
        "b": [1.5, None] * 6,
        "c": ["x,y", 'q"', "two\nlines"] * 4,
        "d": pd.date_range("2020-01-01", periods=12),
    }
)


def test_a_table_is_its_shape_types_missing_counts_and_first_rows() -> None:
    assert words(FRAME, "df").split("\n")[:9] == [
        "DataFrame df: 12 rows x 4 columns",
        "columns:",
        "  a: int64",
        "  b: float64, 6 missing",
        f"  c: {FRAME.dtypes['c']}",
        f"  d: {FRAME.dtypes['d']}",
        "first 10 rows (CSV):",
        "a,b,c,d",
        '0,1.5,"x,y",2020-01-01 00:00:00',
    ]
    assert "2,1.5,two lines," in words(FRAME)
    assert len(words(FRAME).split("\n")) == 18


def test_an_index_that_says_something_goes_along() -> None:
    dated = FRAME.set_index("d")[["a"]].head(2)
    assert words(dated).endswith(
        "all rows (CSV):\nd,a\n2020-01-01 00:00:00,0\n2020-01-02 00:00:00,1"
    )
    grouped = FRAME.groupby(["c", "b"])[["a"]].sum()
    assert "c,b,a\n" in words(grouped)


def test_a_wide_table_shows_twenty_columns_and_names_sixty() -> None:
    text = words(pd.DataFrame(np.zeros((2, 100))))
    assert "first 20 columns (CSV):\n0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19\n" in text
    assert "  59: float64\n  … 40 more columns\n" in text


TABLES = {
    "no rows": (pd.DataFrame({"a": []}), "DataFrame: 0 rows x 1 column\ncolumns:\n  a: "),
    "nothing": (pd.DataFrame(), "DataFrame: 0 rows x 0 columns"),
    "the same name twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "(CSV):\na,a\n1,2"),
    "labels of two levels": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "('a', 'b')",
    ),
    "objects in cells": (pd.DataFrame({"a": [object(), Raises()]}), "<object object at 0x…>"),
    "long cells": (pd.DataFrame({"a": ["x" * 1000]}), "x" * 79 + "…"),
    "a category": (pd.DataFrame({"a": pd.Categorical(["u"])}), "a: category"),
    "integers with gaps": (pd.DataFrame({"a": pd.array([1, None])}), "a: Int64, 1 missing"),
    "a series": (
        pd.Series([1.0, None, 3.0], name="v"),
        "Series: 3 values, float64, 1 missing; min 1, mean 2, max 3\nall rows (CSV):\nv\n1\nnan\n3",
    ),
    "a series of text": (pd.Series(["a"], index=["i"]), "(CSV):\nindex,value\ni,a"),
    "an empty series": (pd.Series([], dtype=float), "Series: 0 values, float64, 0 missing"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), TABLES.values(), ids=TABLES)
def test_tables_of_every_kind(value: object, expected: str) -> None:
    assert expected in words(value)


class DataFrame:
    """What polars has of the methods used; the real one has them too."""

    __module__ = "polars.dataframe.frame"
    schema = {"a": "Int64", "b": "String"}  # noqa: RUF012 - a fake
    height, width = 3, 2

    def null_count(self) -> Any:
        return SimpleNamespace(row=lambda i: (0, 2))

    def select(self, names: list[str]) -> DataFrame:
        assert names == ["a", "b"]
        return self

    def head(self, count: int) -> Any:
        return SimpleNamespace(rows=lambda: [(1, "x"), (2, None), (3, None)])


def test_a_polars_table_is_read_as_a_pandas_one() -> None:
    assert words(DataFrame(), "df") == (
        "polars DataFrame df: 3 rows x 2 columns\ncolumns:\n  a: Int64\n  b: String, 2 missing\n"
        "all rows (CSV):\na,b\n1,x\n2,None\n3,None"
    )


class LazyFrame:
    """A polars query that has not run: asking for its columns would plan it."""

    __module__ = "polars.lazyframe.frame"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __repr__(self) -> str:
        return "a plan"


def test_a_polars_query_is_not_run() -> None:
    assert words(LazyFrame()) == "a plan"


ARRAYS = {
    "one dimension": (
        np.arange(6), "ndarray: shape (6,), int64, min 0, mean 2.5, max 5\n[0, 1, 2, 3, 4, 5]",
    ),
    "what is not a number": (
        np.array([1.0, np.nan, np.inf]), "float64, 1 NaN, 1 infinite, min 1, mean 1, max 1",
    ),
    "nothing but gaps": (np.array([np.nan]), "float64, 1 NaN\n[nan]"),
    "empty": (np.zeros((0, 3)), "shape (0, 3), float64"),
    "bools": (np.array([True, False]), "bool, 1 True\n[ True, False]"),
    "text": (np.array(["a"]), "shape (1,), <U1\n['a']"),
    "times": (np.array(["2020-01-01"], dtype="M8[D]"), "datetime64[D]\n['2020-01-01']"),
    "objects": (np.array([object()]), "<object object at 0x…>"),
    "half floats do not overflow": (np.full(9, 6e4, np.float16), "mean 60000"),
    "a scalar in an array": (np.array(5), "shape (), int64"),
    "a record": (np.zeros(1, dtype=[("u", "i4")]), "[(0,)]"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_every_kind(value: object, expected: str) -> None:
    assert expected in words(value)


def test_a_large_array_shows_a_corner_and_keeps_the_users_print_options_out() -> None:
    array = np.zeros((50, 4, 100, 100))
    with np.printoptions(precision=1, threshold=10**9):
        text = words(array, "x")
    assert text.startswith(
        "ndarray x: shape (50, 4, 100, 100), float64, 0 NaN, min 0, mean 0, max 0\n"
    )
    assert text.count("0, 0, 0, 0, 0, 0") == 6


@pytest.fixture
def figure() -> Any:
    from matplotlib import pyplot as plt

    made, axes = plt.subplots(figsize=(2, 1))
    axes.plot([1, 2])
    yield made
    plt.close(made)


def pictures(figure: Any) -> dict[str, object]:
    from PIL import Image

    image = Image.new("RGB", (4, 3))
    return {
        "a figure": figure,
        "its axes": figure.axes[0],
        "a picture": image,
        "bytes of one": image._repr_png_(),
    }


@pytest.mark.parametrize("kind", ["a figure", "its axes", "a picture", "bytes of one"])
def test_what_shows_a_picture_becomes_an_image_block(kind: str, figure: Any) -> None:
    (block,) = describe(pictures(figure)[kind])
    assert block["type"] == "image"


def test_a_subfigure_is_sent_as_its_whole_figure() -> None:
    from matplotlib import pyplot as plt

    made = plt.figure(figsize=(2, 1))
    sent: list[object] = []

    def prepare(source: object) -> Any:
        sent.append(source)
        return Prepared(image_base64("image/png", ""), 0, 0, "", "first of 2 frames")

    blocks = describe(made.subfigures(1, 1), prepare=prepare)
    assert sent == [made]
    assert blocks == [image_base64("image/png", ""), image_note("first of 2 frames")]
    plt.close(made)


def test_a_picture_that_cannot_be_sent_is_honest_text(figure: Any) -> None:
    def prepare(source: object) -> Any:
        raise ImageError("it has no pixels")

    assert words(figure, "fig", prepare=prepare) == "[fig could not be sent: it has no pixels]"


def test_charts_are_pictures_or_their_spec() -> None:
    altair, plotly = pytest.importorskip("altair"), pytest.importorskip("plotly.graph_objects")
    chart = altair.Chart({"values": [{"a": 1}]}).mark_point().encode(x="a:Q")
    (block,) = describe(chart)
    assert block["type"] == "image"
    (block,) = describe(plotly.Figure(plotly.Scatter(y=[1, 2], name="heights")))
    assert block["type"] == "image" or "heights" in block["text"]


def test_a_styled_table_is_its_words() -> None:
    assert words(pd.DataFrame({"a": [1]}).style) == "| a\n0 | 1"


@dataclass
class Model:
    token: str

    def __repr__(self) -> str:
        raise AssertionError("a repr was called")

    def __len__(self) -> int:
        raise AssertionError("a length was asked for")


def fitted(rows: int, *, secret: str = "hunter2") -> None:  # noqa: S107 - the canary
    """Its default must not be shown."""


fitted.__module__ = Model.__module__ = "__main__"

SUMMARIES = {
    "a table": (FRAME[["a", "b"]], "v: DataFrame, 12 rows x 2 columns: a int64, b float64"),
    "a series": (FRAME["a"], "v: Series, 12 values, int64"),
    "an array": (np.zeros((2, 3)), "v: numpy.ndarray, shape (2, 3), float64"),
    "text": ("hunter2", "v: str, 7 characters"),
    "a number": (12345, "v: int"),
    "nothing": (None, "v: NoneType"),
    "a list": (["hunter2"], "v: list, 1 item"),
    "a dict": ({"hunter2": 1, "b": 2}, "v: dict, 2 items"),
    "an object": (Model("hunter2"), "v: Model"),
    "a library's object": (Decimal("1.5"), "v: decimal.Decimal"),
    "a function": (fitted, "v: function(rows, secret)"),
    "a class": (Model, "v: class"),
    "a module": (sys, None),
    "a library's function": (trim_middle, None),
    "a library's class": (Path, None),
    "a built-in": (len, None),
}


@pytest.mark.parametrize(("value", "expected"), SUMMARIES.values(), ids=SUMMARIES)
def test_a_summary_says_type_and_shape_and_never_a_value(
    value: object, expected: str | None
) -> None:
    assert summary_line("v", value) == expected


@pytest.mark.parametrize("name", ["_", "__name__", "_i3", "In", "Out"])
def test_private_names_and_those_of_ipython_have_no_summary(name: str) -> None:
    assert summary_line(name, 1) is None


def test_the_summary_of_a_wide_table_is_capped() -> None:
    line = summary_line("df", pd.DataFrame(np.zeros((1, 500)), columns=["x" * 99] * 500))
    assert line is not None
    assert line.endswith("… 470 more")
    assert len(line) < 1_800


def test_a_short_text_is_not_trimmed() -> None:
    assert trim_middle("a" * 8_000) == "a" * 8_000


def test_a_long_text_is_cut_at_lines_and_what_is_left_out_is_counted() -> None:
    text = "".join(f"line {i}\n" for i in range(10_000))
    head, rest = trim_middle(text, 1_000).split("\n[… ")
    count, tail = rest.split(" characters left out …]\n")
    assert count == f"{len(text) - len(head) - len(tail):,}"
    assert text.startswith(head + "\n")
    assert tail.startswith("line ")
    assert text.endswith(tail)


@given(st.text(st.sampled_from("ab \n")), st.integers(12, 60))
def test_trimming_keeps_both_ends_and_counts_right(text: str, limit: int) -> None:
    trimmed = trim_middle(text, limit)
    if len(text) <= limit:
        assert trimmed == text
        return
    head, rest = trimmed.split("\n[… ")
    count, tail = rest.split(" characters left out …]\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    kept = len(text) - int(count.replace(",", ""))
    assert text[len(head) : kept - len(tail)].strip() == ""
    assert len(head) + len(tail) <= limit


def test_what_was_left_out_before_is_counted_in() -> None:
    once = trim_middle("x" * 1_000_000, 10_000)
    assert "[… 996,001 characters left out …]" in trim_middle(once, 4_000)
