"""TIFF files of any depth and sign, written here: Pillow and Matplotlib write only some."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(array: Any, *, order: str = "<", photometric: int | None = None) -> bytes:
    """An uncompressed TIFF of one strip that holds height x width, or height x width x colours."""
    values = np.asarray(array)
    values = np.ascontiguousarray(values, values.dtype.newbyteorder(order))
    height, width, *colours = values.shape
    count = colours[0] if colours else 1
    bits, form = 8 * values.dtype.itemsize, _SAMPLE_FORMATS[values.dtype.kind]
    if photometric is None:
        photometric = 2 if count >= 3 else 1
    entries: list[tuple[int, int, tuple[int, ...]]] = [
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (bits,) * count),
        (259, 3, (1,)),
        (262, 3, (photometric,)),
        (273, 4, (0,)),
        (277, 3, (count,)),
        (278, 4, (height,)),
        (279, 4, (values.nbytes,)),
        *([(338, 3, (2,))] if count == 4 else []),
        (339, 3, (form,) * count),
    ]
    at = 8 + 2 + 12 * len(entries) + 4
    tail, rows = b"", []
    for tag, kind, numbers in entries:
        packed = struct.pack(f"{order}{len(numbers)}{'HI'[kind == 4]}", *numbers)
        if len(packed) > 4:
            tail += packed
            packed = struct.pack(f"{order}I", at + len(tail) - len(packed))
        rows.append((tag, kind, len(numbers), packed.ljust(4, b"\0")))
    start = struct.pack(f"{order}I", at + len(tail))
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    directory = struct.pack(f"{order}H", len(rows)) + b"".join(
        struct.pack(f"{order}HHI", tag, kind, count) + (start if tag == 273 else packed)
        for tag, kind, count, packed in rows
    )
    return head + directory + bytes(4) + tail + values.tobytes()
