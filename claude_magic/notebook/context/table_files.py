"""Files that hold tables, read by pandas or polars where one of them is installed.

What a file is is told by its bytes. pandas and polars are imported only for a file that is one of
these; whichever the notebook has loaded already comes first.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ...messages.errors import InputError
from ...messages.plain_text import in_a_line
from ...value_classes import frozen

_MOST_SHEETS = 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK = "Workbook".encode("utf-16-le")


@frozen
class TableFormat:
    """A format of tables: its name, and what to install where nothing here reads it.

    `pandas` and `polars` name the functions that read it, `engines` what pandas reads sheets with:
    named, since its own choice changes. With engines a file holds several tables.
    """

    name: str
    install: str
    pandas: str
    polars: str
    engines: tuple[str, ...] = ()


def _sheets(name: str, package: str, engine: str, polars: str = "read_excel") -> TableFormat:
    return TableFormat(name, f"pandas {package}", "read_excel", polars, (engine, "calamine"))


_PARQUET = TableFormat("Parquet", "pandas pyarrow", "read_parquet", "read_parquet")
_ARROW = TableFormat("Arrow", "pandas pyarrow", "read_feather", "read_ipc")
_STREAM = TableFormat("Arrow", "polars", "", "read_ipc_stream")
_XLSX = _sheets("Excel", "openpyxl", "openpyxl")
_XLS = _sheets("Excel", "xlrd", "xlrd")
_XLSB = _sheets("Excel", "pyxlsb", "pyxlsb")
_ODS = _sheets("OpenDocument", "odfpy", "odf", polars="read_ods")


def table_format(data: bytes) -> TableFormat | None:
    """The format of a file that holds tables; None of any other."""
    if len(data) > 12 and data[:4] == data[-4:] == b"PAR1":
        return _PARQUET
    if data[:6] == b"ARROW1" or data[:4] == b"FEA1":
        return _ARROW
    if data[:4] == b"\xff\xff\xff\xff" and b"\x00\x00" in data[4:8]:
        return _STREAM
    if data[:8] == _OLE and _WORKBOOK in data:
        return _XLS
    return _of_zip(data) if data[:4] == _ZIP else None


def _of_zip(data: bytes) -> TableFormat | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return None
    if b"opendocument.spreadsheet" in kind:
        return _ODS
    return _XLSB if "xl/workbook.bin" in names else _XLSX if "xl/workbook.xml" in names else None


def tables_in(data: bytes, found: TableFormat, said: str) -> Mapping[str, Any]:
    """The tables of a file by the names of its sheets, "" where it has none.

    `said` is how the user named it.

    Raises InputError where nothing here reads it, or it is damaged.
    """
    libraries = sorted(("pandas", "polars"), key=lambda name: name not in sys.modules)
    for library in libraries:
        for options in _ways(library, found):
            try:
                return _read(library, getattr(found, library), data, options)
            except ImportError:
                continue  # the library, or what it reads this format with, is not installed
            except Exception as error:
                # Code of another library, given a file that may be damaged: it may raise anything.
                raise InputError(
                    f"{said}: it cannot be read as {found.name} ({in_a_line(error)}); save it "
                    "again, or give a CSV file."
                ) from error
    raise InputError(
        f"{said}: to read {found.name}, pip install {found.install}; or give a CSV file."
    )


def _ways(library: str, found: TableFormat) -> list[dict[str, Any]]:
    """The options with which a library may read a format, one after the other."""
    if not getattr(found, library):
        return []
    if not found.engines:
        return [{}]
    if library == "pandas":
        return [{"sheet_name": None, "engine": engine} for engine in found.engines]
    engines = [{}] if found.polars == "read_ods" else [{"engine": e} for e in _POLARS_ENGINES]
    return [{"sheet_id": 0, **engine} for engine in engines]


_POLARS_ENGINES = ("calamine", "openpyxl")


def _read(library: str, name: str, data: bytes, options: dict[str, Any]) -> Mapping[str, Any]:
    read: Callable[..., Any] = getattr(import_module(library), name)
    found = read(io.BytesIO(data), **options)
    if not options:
        return {"": found}
    if len(found) > _MOST_SHEETS:
        raise ValueError(f"it has {len(found)} sheets, more than {_MOST_SHEETS}")
    return {str(sheet): table for sheet, table in found.items()}
