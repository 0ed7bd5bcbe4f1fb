"""Files that hold tables go along as CSV, whichever library reads them; a PDF by its header."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from claude_magic.messages.errors import InputError
from claude_magic.messages.images.prepare import prepare
from claude_magic.messages.images.sniff import media_type
from claude_magic.notebook.context.documents import Given, file_blocks
from claude_magic.notebook.context.named_values import no_name
from claude_magic.notebook.context.table_files import table_format

FRAME = pd.DataFrame({"gene": ["TP53", "A,B"], "fold": [1.5, -2.25], "n": [3, 40_000_000_000]})
CSV = 'gene,fold,n\nTP53,1.5,3\n"A,B",-2.25,40000000000\n'


def excel(**sheets: pd.DataFrame) -> bytes:
    pytest.importorskip("openpyxl")
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return out.getvalue()


def open_document(**sheets: pd.DataFrame) -> bytes:
    pytest.importorskip("odf")
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="odf") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return out.getvalue()


def written(write: Callable[[Any], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


ONE_TABLE: dict[str, Callable[[], bytes]] = {
    "data.parquet": lambda: written(FRAME.to_parquet),
    "polars.parquet": lambda: written(pl.from_pandas(FRAME).write_parquet),
    "data.feather": lambda: written(FRAME.to_feather),
    "data.arrow": lambda: written(pl.from_pandas(FRAME).write_ipc),
    "stream.arrow": lambda: written(pl.from_pandas(FRAME).write_ipc_stream),
    "no suffix": lambda: written(FRAME.to_parquet),
}
SHEETS: dict[str, Callable[..., bytes]] = {"book.xlsx": excel, "book.ods": open_document}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def documents(*choices: Any) -> list[tuple[str, str]]:
    """Title and text of each document."""
    blocks, _ = file_blocks(choices, prepare, no_name)
    return [(block["title"], block["source"]["data"]) for block in blocks]


@pytest.mark.met("N17")
@pytest.mark.parametrize("name", ONE_TABLE)
def test_a_file_of_one_table_goes_along_as_csv(here: Path, name: str) -> None:
    (here / name).write_bytes(ONE_TABLE[name]())
    assert documents(name) == [(name, CSV)]


@pytest.mark.met("N17")
@pytest.mark.parametrize("name", SHEETS)
def test_a_file_of_sheets_is_a_document_a_sheet(here: Path, name: str) -> None:
    other = pd.DataFrame({"dose": [5, 10]})
    (here / name).write_bytes(SHEETS[name](first=FRAME, empty=pd.DataFrame(), second=other))
    (title, csv), second = documents(name)
    assert title == f"{name}, sheet first"
    assert pd.read_csv(io.StringIO(csv)).equals(FRAME)
    assert second == (f"{name}, sheet second", "dose\n5\n10\n")


@pytest.mark.met("N17")
def test_the_bytes_of_a_table_are_one_too() -> None:
    data = ONE_TABLE["data.parquet"]()
    assert documents(Given(data, "mine")) == [("mine", CSV)]
    assert documents(Given(data)) == [("Parquet", CSV)]


@pytest.mark.met("N17")
def test_a_long_table_is_cut_and_that_is_said(here: Path) -> None:
    pd.DataFrame({"n": range(100_000)}).to_parquet(here / "long.parquet")
    _, notes = file_blocks(["long.parquet"], prepare, no_name)
    assert len(notes) == 1
    assert "of 100,000 rows go along" in notes[0]


READ_BY = """
import sys
from pathlib import Path
for name in {without!r}:
    sys.modules[name] = None  # as if it were not installed
from claude_magic.messages.errors import InputError
from claude_magic.notebook.context.documents import file_blocks
from claude_magic.notebook.context.named_values import no_name
try:
    blocks, _ = file_blocks([sys.argv[1]], None, no_name)
    print(blocks[0]["source"]["data"], end="")
except InputError as error:
    print(error, end="")
"""


def read_without(path: Path, *without: str) -> str:
    """What a process in which these packages are not there makes of a file."""
    program = READ_BY.format(without=without)
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.met("N17")
@pytest.mark.parametrize("without", ["pandas", "polars", "pyarrow"])
def test_either_library_reads_it(here: Path, without: str) -> None:
    path = here / "data.parquet"
    path.write_bytes(ONE_TABLE["data.parquet"]())
    assert read_without(path, without) == CSV


@pytest.mark.met("N17")
@pytest.mark.parametrize(
    ("name", "make", "install"),
    [
        ("data.parquet", ONE_TABLE["data.parquet"], "Parquet, pip install pandas pyarrow"),
        ("data.feather", ONE_TABLE["data.feather"], "Arrow, pip install pandas pyarrow"),
        ("book.xlsx", lambda: excel(first=FRAME), "Excel, pip install pandas openpyxl"),
        ("book.ods", lambda: open_document(first=FRAME), "OpenDocument, pip install pandas odfpy"),
    ],
)
def test_where_nothing_reads_it_the_line_names_what_to_install(
    here: Path, name: str, make: Callable[[], bytes], install: str
) -> None:
    path = here / name
    path.write_bytes(make())
    said = read_without(path, "pandas", "polars")
    assert said == f"-f {path}: to read {install}; or give a CSV file."


@pytest.mark.met("N17")
@pytest.mark.parametrize("name", ["data.parquet", "data.feather"])
def test_a_damaged_table_is_one_line(here: Path, name: str) -> None:
    data = ONE_TABLE[name]()
    (here / name).write_bytes(data[:6] + b"\xff" * (len(data) - 12) + data[-6:])
    with pytest.raises(InputError, match=r"cannot be read as .*; save it again, or give a CSV"):
        documents(name)


@pytest.mark.met("N17")
@pytest.mark.parametrize("data", [b"PK\x03\x04 no archive", b"PAR1", b"", b"\xd0\xcf\x11\xe0",
                                  b"gene,fold\nA,1\n"])  # fmt: skip
def test_other_bytes_are_no_table(data: bytes) -> None:
    assert table_format(data) is None


PDF = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj\nstartxref\n0\n%%EOF\n"
PDFS = {
    "its header first": PDF,
    "a line before it": b"\r\n" + PDF,
    "a header of a printer before it": b"\x1b%-12345X@PJL JOB\r\n" + PDF,
    "junk of a kilobyte before it": b"\x00\xff" * 500 + PDF,
    "a byte order mark before it": b"\xef\xbb\xbf" + PDF,
}


@pytest.mark.met("N17")
@pytest.mark.parametrize("data", PDFS.values(), ids=PDFS)
@pytest.mark.parametrize("name", ["paper.pdf", "paper.txt", "paper"])
def test_a_pdf_is_told_by_its_header_whatever_its_name(here: Path, name: str, data: bytes) -> None:
    (here / name).write_bytes(data)
    ((block,), _) = file_blocks([name], prepare, no_name)
    assert block["source"]["media_type"] == "application/pdf"
    assert base64.b64decode(block["source"]["data"]) == data


@pytest.mark.met("N17")
@pytest.mark.parametrize(
    "data",
    [
        b"A PDF begins with %PDF-1.7, and its objects with 1 0 obj.",
        b"x" * 2000 + PDF,
        b"if data.startswith(b'%PDF-'):",
    ],
)
def test_a_text_about_pdf_is_a_text(data: bytes) -> None:
    assert media_type(data) is None
