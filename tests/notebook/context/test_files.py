"""What goes along as a document: files, addresses, objects of the notebook."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from claude_magic.messages.errors import ImageError, InputError
from claude_magic.messages.images.prepare import prepare
from claude_magic.notebook.context.documents import MOST_BYTES, MOST_TABLE, Given, file_blocks

PDF = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj\n"


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(out, "PNG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluator(**names: object) -> Callable[[str], object]:
    return lambda expression: eval(expression, names)  # noqa: S307 - what the notebook does


def documents(*choices: Any, **names: object) -> list[Any]:
    return file_blocks(choices, prepare, evaluator(**names))[0]


def notes(*choices: Any, **names: object) -> list[str]:
    return file_blocks(choices, prepare, evaluator(**names))[1]


def said(block: Any) -> tuple[str | None, str]:
    """Title and text of a document."""
    return block.get("title"), block["source"]["data"]


FRAME = pd.DataFrame({"gene": ["TP53", "A,B"], "fold": [1.5, None]})
CSV = 'gene,fold\nTP53,1.5\n"A,B",\n'
TABLES: dict[str, tuple[object, str]] = {
    "a frame": (FRAME, CSV),
    "a frame with an index": (FRAME.set_index("gene"), 'gene,fold\nTP53,1.5\n"A,B",\n'),
    "a part of a frame": (FRAME[1:], ',gene,fold\n1,"A,B",\n'),
    "a series": (FRAME.fold, 'fold\n1.5\n""\n'),
    "an array": (np.array([[1, 2], [3, 4]]), "1,2\n3,4\n"),
    "an array of one axis": (np.array([0.5, 1.0]), "0.5\n1.0\n"),
}


@pytest.mark.parametrize(("value", "csv"), TABLES.values(), ids=TABLES)
def test_a_table_is_csv_under_the_variables_name(value: object, csv: str) -> None:
    (block,) = documents("table", table=value)
    assert said(block) == ("table", csv)


def test_a_long_table_is_cut_after_a_row_and_that_is_said() -> None:
    frame = pd.DataFrame({"n": range(100_000), "text": "some words\nin two lines"})
    (block,) = documents("frame", frame=frame)
    text = said(block)[1]
    assert MOST_TABLE - 100 < len(text) <= MOST_TABLE
    read = pd.read_csv(pd.io.common.StringIO(text))
    assert read.equals(frame[: len(read)])
    assert notes("frame", frame=frame) == [
        f"frame: the first {len(read):,} of 100,000 rows go along"
    ]
    assert notes("frame", frame=frame[:100]) == []


VALUES: dict[str, tuple[object, tuple[str | None, str]]] = {
    "a text": ("Ants have\nsix legs.", ("value", "Ants have\nsix legs.")),
    "a short text": ("Ants.", ("value", "Ants.")),
    "bytes of a text": ("Ämter".encode("utf-8-sig"), ("value", "Ämter")),
    "a text that names a file": ("notes.txt", ("notes.txt", "Noted.")),
    "a path": (Path("notes.txt"), ("notes.txt", "Noted.")),
    "a text about an address": (
        "https://a.example is down",
        ("value", "https://a.example is down"),
    ),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_a_variable_is_what_it_holds(
    here: Path, value: object, expected: tuple[str | None, str]
) -> None:
    (here / "notes.txt").write_text("Noted.", encoding="utf-8")
    (block,) = documents("value", value=value)
    assert said(block) == expected


def test_the_bytes_of_a_pdf_and_of_an_image_are_known() -> None:
    pdf, image = documents("papers['a']", "picture", papers={"a": PDF}, picture=bytearray(png()))
    assert pdf["source"]["media_type"] == "application/pdf"
    assert pdf["title"] == "papers['a']"
    assert image["type"] == "image"


def test_a_list_is_a_document_for_each_item() -> None:
    blocks = documents("both", both=["One.", FRAME])
    assert [said(block)[0] for block in blocks] == ["both[0]", "both[1]"]


def test_a_file_goes_before_a_variable_of_its_name(here: Path) -> None:
    (here / "df").write_text("of the file", encoding="utf-8")
    assert said(documents("df", df="of the variable")[0]) == ("df", "of the file")
    (here / "df").unlink()
    assert said(documents("df", df="of the variable")[0]) == ("df", "of the variable")
    (here / "df").mkdir()
    assert said(documents("df", df="of the variable")[0]) == ("df", "of the variable")


def test_an_address_is_left_to_the_server() -> None:
    for block in documents("https://example.org/a.pdf", "url", url="https://example.org/a.pdf"):
        assert block == {
            "type": "document",
            "source": {"type": "url", "url": "https://example.org/a.pdf"},
        }


def test_an_object_that_was_given_has_the_title_that_it_was_given_with() -> None:
    blocks = documents(
        Given(FRAME), Given(FRAME, "Genes"), Given(b"Text."), Given("Text.", "t" * 300)
    )
    assert [block.get("title") for block in blocks] == ["DataFrame", "Genes", None, "t" * 200]


REFUSED: dict[str, tuple[str, object, str]] = {
    "neither file nor variable": (
        "no.txt",
        None,
        "-f no.txt: no such file, and name 'no' is not defined. Give the path of",
    ),
    "no expression": ("a b.txt", None, "no such file, and not a Python expression"),
    "a folder": ("..", None, "not a file, and not a Python expression"),
    "an expression that fails": ("1 / 0", None, "ZeroDivisionError: division by zero"),
    "another object": ("value", {"a": 1}, "no document can be made of an object of type dict"),
    "an object in a list": ("value", ["a", 3], "-f value[1]: no document can be made"),
    "an array of three axes": ("value", np.zeros((2, 2, 2)), "of an object of type ndarray"),
    "an empty text": ("value", " \n", "-f value: it is empty"),
    "an empty list": ("value", [], "-f value: it is empty"),
    "an empty table": ("value", FRAME[:0], "-f value: the table has no rows"),
    "a row that is too long": (
        "value",
        pd.DataFrame({"a": ["x" * (MOST_TABLE + 1)]}),
        "one row of it is over 200,000 characters",
    ),
    "bytes of nothing known": (
        "value",
        b"\xff\xfe\x00",
        "neither UTF-8 text, PDF, image nor table",
    ),
    "a large text": ("value", "x" * (MOST_BYTES + 1), "-f value: over 24 MB"),
    "a path to nothing": ("value", Path("gone.pdf"), "-f value: No such file or directory"),
}


@pytest.mark.parametrize(("choice", "value", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_document_is_an_error_that_says_what_to_give(
    choice: str, value: object, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        documents(choice, value=value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_image_is_named() -> None:
    with pytest.raises(ImageError, match="-f value: "):
        documents("value", value=png()[:40])


def test_a_file_that_may_not_be_read_is_named(here: Path) -> None:
    (here / "secret.txt").write_text("x", encoding="utf-8")
    (here / "secret.txt").chmod(0)
    if os.access(here / "secret.txt", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match=r"-f secret\.txt: Permission denied"):
        documents("secret.txt")
