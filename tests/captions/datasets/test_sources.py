"""What images may be given as, and which of them are one and the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from claude_magic.captions.datasets.rows import image_key, rows_of
from claude_magic.messages.errors import ImageError, InputError
from tests.captions.datasets.many_samples import coloured, folder_of

FORMS: dict[str, Callable[[Path], Any]] = {
    "a folder as text": str,
    "a folder as a path": Path,
    "a pattern": lambda folder: f"{folder}/*.png",
    "a pattern through folders": lambda folder: f"{folder.parent}/**/*.png",
    "a list of paths": lambda folder: sorted(folder.iterdir()),
    "a tuple of texts": lambda folder: tuple(str(p) for p in sorted(folder.iterdir())),
    "a generator": lambda folder: (p for p in sorted(folder.iterdir())),
    "a pandas column": lambda folder: pd.Series([str(p) for p in sorted(folder.iterdir())]),
    "a pandas index": lambda folder: pd.Index([str(p) for p in sorted(folder.iterdir())]),
    "a polars column": lambda folder: pl.Series([str(p) for p in sorted(folder.iterdir())]),
    "an array of texts": lambda folder: np.array([str(p) for p in sorted(folder.iterdir())]),
    "a dict's values": lambda folder: dict(enumerate(sorted(folder.iterdir()))).values(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_images_of_a_folder_in_any_form_are_the_same_rows(tmp_path: Path, form: str) -> None:
    folder = folder_of(tmp_path / "scans", 3)
    rows = list(rows_of(FORMS[form](folder)))
    assert [row.index for row in rows] == [0, 1, 2]
    assert [row.label for row in rows] == [str(p) for p in sorted(folder.iterdir())]
    assert [image_key(row.source)[0] for row in rows] == [
        image_key(coloured(n))[0] for n in range(3)
    ]


SINGLE: dict[str, Any] = {
    "bytes": coloured(1),
    "a PIL image": Image.new("RGB", (9, 9)),
    "an array of pixels": np.zeros((9, 9, 3), np.uint8),
    "an address": "https://e.org/a.png",
    "a data: address": "data:image/png;base64,iVBORw0KGgo=",
    "an output": {"image/png": "iVBORw0KGgo="},
    "SVG text": "<svg xmlns='http://www.w3.org/2000/svg'/>",
}


@pytest.mark.parametrize("form", SINGLE)
def test_one_image_is_one_row(form: str) -> None:
    rows = rows_of(SINGLE[form])
    assert rows.count == len(list(rows)) == 1


def test_a_figure_is_one_row() -> None:
    from matplotlib.figure import Figure

    assert rows_of(Figure()).count == 1


def test_a_folder_is_read_with_all_below_it_and_only_images_of_it(tmp_path: Path) -> None:
    folder_of(tmp_path / "a", 1)
    folder_of(tmp_path / "b", 1)
    (tmp_path / "a" / "notes.txt").write_text("x")
    (tmp_path / "b" / "UPPER.JPG").write_bytes(coloured(2, "JPEG"))
    names = [Path(row.label).relative_to(tmp_path).as_posix() for row in rows_of(tmp_path)]
    assert names == ["a/0000.png", "b/0000.png", "b/UPPER.JPG"]


def test_what_has_no_name_is_numbered() -> None:
    images = [coloured(1), Image.new("L", (5, 5)), "data:image/png;base64,iVBORw0KGgo="]
    assert [row.label for row in rows_of(images)] == ["#1", "#2", "#3"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT], ids=str)
def test_a_missing_image_is_a_row_without_one(missing: object) -> None:
    (row,) = rows_of([missing])
    assert row.source is None


def test_the_count_is_known_where_it_can_be() -> None:
    assert rows_of(["a.png"] * 3).count == 3
    assert rows_of(iter(["a.png"])).count is None


EMPTY: dict[str, tuple[Callable[[Path], Any], str]] = {
    "an empty folder": (lambda folder: folder, "has no images in it"),
    "a pattern that fits nothing": (lambda folder: f"{folder}/*.png", "No file fits"),
    "a path that is not there": (lambda folder: folder / "x.png", "is not there"),
    "an empty list": (lambda _: [], "no images in it"),
    "a pandas table": (lambda _: pd.DataFrame({"a": ["b"]}), "give one column"),
    "a polars table": (lambda _: pl.DataFrame({"a": ["b"]}), "give one column"),
    "a lazy polars table": (lambda _: pl.LazyFrame({"a": ["b"]}), "give one column"),
    "a number": (lambda _: 3, "int holds no images"),
    "nothing": (lambda _: None, "NoneType holds no images"),
}


@pytest.mark.parametrize("case", EMPTY)
def test_what_holds_no_images_is_said(tmp_path: Path, case: str) -> None:
    make, said = EMPTY[case]
    with pytest.raises(InputError, match=said):
        rows_of(make(tmp_path))


def test_the_same_image_in_two_files_has_one_key(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(coloured(1))
    (tmp_path / "c.png").write_bytes(coloured(2))
    keys = [image_key(tmp_path / name)[0] for name in ("a.png", "b.png", "c.png")]
    assert keys[0] == keys[1] == image_key(coloured(1))[0] != keys[2]


def test_pictures_with_the_same_pixels_have_one_key() -> None:
    one, two = (Image.new("RGB", (9, 9), "red") for _ in range(2))
    assert image_key(one)[0] == image_key(two)[0] != image_key(Image.new("RGB", (9, 9)))[0]


def test_an_address_is_its_own_key() -> None:
    assert image_key("https://e.org/a.png")[0] != image_key("https://e.org/b.png")[0]


@pytest.mark.parametrize("thing", [3, "no such file.png", object(), {}])
def test_what_is_no_image_is_said(thing: object) -> None:
    with pytest.raises(ImageError):
        image_key(thing)


@pytest.mark.met("N14")
def test_a_folder_lists_what_it_skips(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "scans", 2)
    (folder / "below").mkdir()
    for name in ("a.dcm", "b.NEF", "below/c.heic", "notes", ".DS_Store"):
        (folder / name).write_text("")
    rows = rows_of(folder)
    assert rows.count == 2
    assert rows.skipped == f"{folder}: .dcm, .heic, .nef, notes: 4 files skipped, no images"
    assert rows_of(f"{folder}/*.png").skipped == ""


@pytest.mark.met("N14")
def test_a_folder_of_nothing_else_names_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_text("")
    with pytest.raises(InputError, match=r"no images in it \(\.dcm: 1 file skipped, no images\)"):
        rows_of(tmp_path)
