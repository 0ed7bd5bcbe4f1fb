"""What a question is recognised by: what its page holds, and nothing of how that is told."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from claude_magic.messages.images.prepare import prepare
from claude_magic.notebook.context.page_digest import page_digests
from claude_magic.notebook.context.question_context import CarriedCell, gather
from claude_magic.notebook.page.recorder import Output, StreamText
from claude_magic.notebook.question_builder import render_output

SVG = '<svg id="{0}"><clipPath id="{1}"/><path clip-path="url(#{1})"/></svg>'


def png(red: int, note: bytes = b"") -> str:
    """A picture of one pixel, base64; `note` is a text chunk in it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    noted = chunk(b"tEXt", b"Software\0" + note) if note else b""
    pixels = zlib.compress(bytes((0, red, 0, 0)))
    parts = (chunk(b"IHDR", head), noted, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def printed(*pieces: str) -> list[Output]:
    found = []
    for piece in pieces:
        stream = StreamText()
        stream.write(piece)
        found.append(Output(0, text=stream))
    return found


def shown(**bundle: Any) -> list[Output]:
    return [Output(0, bundle={name.replace("_", "/"): value for name, value in bundle.items()})]


def of(
    outputs: Sequence[Output], source: str = "", *, kind: str = "code", figures: bool = True
) -> tuple[str, ...]:
    return page_digests([CarriedCell(0, source, outputs, kind)], figures=figures)


def a_picture(media_type: str, data: str) -> list[Output]:
    return [Output(0, bundle={media_type: data})]


def html(words: str) -> list[Output]:
    return [Output(0, bundle={"text/html": words, "text/plain": "<Styler at 0x7f0011223344>"})]


# Two times the same, told otherwise.
SAME: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "colours": (of(printed("\x1b[31mred\x1b[0m")), of(printed("red"))),
    "a progress bar": (of(printed("1%\r100%\n")), of(printed("100%"))),
    "printed in pieces": (of(printed("one\n", "two\n")), of(printed("one\ntwo\n"))),
    "an object's address": (
        of(printed("<Thing at 0x7f0000000001>")),
        of(printed("<Thing at 0x7f0000000002>")),
    ),
    "a repr's address": (
        of(shown(text_plain="<Thing at 0x7f0000000001>")),
        of(shown(text_plain="<Thing at 0x7f0000000002>")),
    ),
    "a text chunk": (
        of(a_picture("image/png", png(7, b"Matplotlib 3.9"))),
        of(a_picture("image/png", png(7, b"Matplotlib 3.10"))),
    ),
    "a file's line breaks": (
        of(a_picture("image/png", png(7))),
        of(a_picture("image/png", png(7)[:40] + "\n" + png(7)[40:] + "\n")),
    ),
    "a list of lines": (of(shown(text_plain=["a\n", "b"])), of(shown(text_plain="a\nb"))),
    "the names in an SVG": (
        of(a_picture("image/svg+xml", SVG.format("p1", "p2f3a"))),
        of(a_picture("image/svg+xml", SVG.format("q7", "q8cc1"))),
    ),
    "the date of an SVG": (
        of(a_picture("image/svg+xml", "<svg><metadata>1 May</metadata><g/></svg>")),
        of(a_picture("image/svg+xml", "<svg><metadata>2 May</metadata><g/></svg>")),
    ),
    "the order of a specification": (
        of([Output(0, bundle={"application/vnd.plotly.v1+json": {"data": [], "layout": {}}})]),
        of([Output(0, bundle={"application/vnd.plotly.v1+json": {"layout": {}, "data": []}})]),
    ),
    "the frames above an error": (
        of([Output(0, error="Traceback:\n  line 1\nValueError: no")]),
        of([Output(0, error="\x1b[31mValueError\x1b[0m  Traceback\nValueError: no\n")]),
    ),
    "the extension loaded twice": (
        of(
            printed(
                "The claude_magic extension is already loaded. To reload it, use:\n"
                "  %reload_ext claude_magic\n"
            )
        ),
        (),
    ),
    "the line break at a cell's end": (of([], "x = 1\n"), of([], "x = 1")),
    "nothing": (of(printed("  \n")), ()),
}


@pytest.mark.parametrize("case", SAME)
def test_what_is_the_same_on_the_page_has_the_same_digest(case: str) -> None:
    one, other = SAME[case]
    assert one == other


# One thing of each kind, and the same with another content.
OTHER: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "source": (of([], "x = 1"), of([], "x = 2")),
    "kind of cell": (of([], "x"), of([], "x", kind="markdown")),
    "printed": (of(printed("1")), of(printed("2"))),
    "displayed": (of(shown(text_plain="1")), of(shown(text_plain="2"))),
    "error": ((of([Output(0, error="E: 1")])), of([Output(0, error="E: 2")])),
    "picture": (of(a_picture("image/png", png(1))), of(a_picture("image/png", png(2)))),
    "damaged picture": (of(a_picture("image/png", "AAAA")), of(a_picture("image/png", "BBBB"))),
    "svg": (
        of(a_picture("image/svg+xml", "<svg><g/></svg>")),
        of(a_picture("image/svg+xml", "<svg><a/></svg>")),
    ),
    "specification": (
        of([Output(0, bundle={"application/vnd.plotly.v1+json": {"data": [1]}})]),
        of([Output(0, bundle={"application/vnd.plotly.v1+json": {"data": [2]}})]),
    ),
    "picture in HTML": (
        of(html(f'<img src="data:image/png;base64,{png(1)}">')),
        of(html(f'<img src="data:image/png;base64,{png(2)}">')),
    ),
    "words in HTML": (of(html("<b>1</b>")), of(html("<b>2</b>"))),
    "far within a long text": (
        of(printed("a" * 50_000 + "1" + "a" * 50_000)),
        of(printed("a" * 50_000 + "2" + "a" * 50_000)),
    ),
    "unknown": (
        of([Output(0, bundle={"application/pdf": "AAAA"})]),
        of([Output(0, bundle={"application/x-other": "AAAA"})]),
    ),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_is_another_thing_on_the_page_has_another_digest(case: str) -> None:
    one, other = OTHER[case]
    assert len(one) == len(other) == 1
    assert one != other


def test_things_stand_in_their_order_each_with_its_kind() -> None:
    outputs = [*printed("1"), *a_picture("image/png", png(1)), *printed("2")]
    cells = [CarriedCell(0, "plot()", outputs), CarriedCell(0, "# Then", (), "markdown")]
    found = page_digests(cells)
    assert [digest.partition("-")[0] for digest in found] == [
        *("code", "output", "picture", "output", "markdown")
    ]
    assert found[0] == of([], "plot()")[0]
    without = page_digests(cells, figures=False)
    assert without == tuple(d for d in found if not d.startswith("picture"))


def test_what_finds_no_room_is_covered_all_the_same() -> None:
    pieces = [
        *(CarriedCell(n, f"x{n} = {n}", printed("a" * 30_000)) for n in range(9)),
        CarriedCell(9, "plot()", [o for n in range(9) for o in a_picture("image/png", png(n))]),
    ]
    context = gather(pieces, "?", {"x1": 1}, lambda o: render_output(o, prepare=prepare), tokens=20)
    assert context.cells < len(pieces)
    assert context.page == page_digests(pieces)
    assert len(context.page) == 9 * 2 + 1 + 9
    assert set(context.values) == {"x1"}


def test_values_are_recognised_by_what_is_said_of_them() -> None:
    def values(**namespace: object) -> Mapping[str, str]:
        return gather([], "a and b?", namespace, lambda o: render_output(o, prepare=prepare)).values

    assert values(a=1, b="two") == values(a=2, b="too"), "no value is told"
    assert values(a=1, b="two")["a"] == values(a=1)["a"]
    assert values(a=1)["a"] != values(a="1")["a"]
