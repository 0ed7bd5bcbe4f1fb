"""What `-i` names: objects, files, addresses, expressions, and what cells displayed."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from claude_magic.messages.blocks import image_base64, image_note, text
from claude_magic.messages.errors import ImageError, InputError
from claude_magic.messages.images.prepare import ImageCache, Prepared
from claude_magic.messages.images.sniff import size_of_base64
from claude_magic.notebook.context.named_values import no_name, pictures, preparing
from claude_magic.notebook.context.outputs import Rendered
from claude_magic.notebook.page.question_place import NamedCells
from claude_magic.notebook.page.recorder import CellRun, Output, StreamText

URL = "https://example.org/ant.png"
NAMES = {"fig": "a figure", "two": ["one", "other"], "pair": ("left", "right"), "none_of": []}


def shows(serial: int, *images: str) -> Output:
    return Output(serial, bundle={"images": images})


def ran(count: int, *outputs: Output, **said: Any) -> CellRun:
    return CellRun(count * 10, f"cell{count}", "x", list(outputs), count=count, **said)


PRINTED = Output(31, text=StreamText())
RUNS = (
    ran(1, shows(11, "a"), tags=frozenset({"plot"})),
    ran(2, shows(21, "b", "c"), shows(22), shows(23, "d")),
    ran(3, PRINTED),
    ran(4, shows(41, "e"), tags=frozenset({"plot"})),
)


def render(output: Output) -> Rendered:
    assert output.bundle is not None
    images = [image_base64("image/png", name) for name in output.bundle["images"]]
    return Rendered((text("beside"), *images), ("of a cell",))


def prepare(value: object) -> Any:
    """Each value as a picture that says what it is."""
    if value == "broken":
        raise ImageError("it is cut off")
    note = "first frame" if value == "moving" else None
    name = value.name if isinstance(value, Path) else value
    return Prepared(image_base64("image/png", f"<{name}>"), 0, 0, "", note)


def evaluate(said: str) -> object:
    return NAMES[said] if said in NAMES else eval(said, {})  # noqa: S307


def chosen(*choices: object, evaluate: Any = evaluate) -> tuple[str, list[str]]:
    """The pictures that go along, with their labels, and the notices."""
    cells = NamedCells(lambda: RUNS, {})
    blocks, notices = pictures(choices, cells, evaluate=evaluate, render=render, prepare=prepare)
    words = [str(b["text"]) if b["type"] == "text" else str(b["source"]["data"]) for b in blocks]
    return " ".join(words), notices


@pytest.mark.parametrize(
    ("choices", "shown"),
    [
        ([], ""),
        (["auto"], ""),
        (["none"], ""),
        (["last"], "e"),
        (["last:2"], "Image 1: d Image 2: e"),
        (["last:3"], "Image 1: c Image 2: d Image 3: e"),
        (["last:5"], "Image 1: a Image 2: b Image 3: c Image 4: d Image 5: e"),
        (["1"], "a"),
        (["2"], "Image 1: b Image 2: c Image 3: d"),
        (["#plot"], "Image 1: a Image 2: e"),
        (["fig"], "<a figure>"),
        (["two"], "Image 1: <one> Image 2: <other>"),
        (["pair"], "Image 1: <left> Image 2: <right>"),
        (["'a' + 'b'"], "<ab>"),
        ([URL], f"<{URL}>"),
        (["HTTPS://example.org"], "<HTTPS://example.org>"),
        (["data:image/png;base64,AAAA"], "<data:image/png;base64,AAAA>"),
        ([7], "<7>"),  # an object itself is no count
        ([["x"]], "<['x']>"),
        (["auto", "fig", "none", "1", 7], "Image 1: <a figure> Image 2: a Image 3: <7>"),
        (
            ["last", "#plot", "2"],
            "Image 1: e Image 2: a Image 3: e Image 4: b Image 5: c Image 6: d",
        ),
    ],
)
def test_pictures_are_named_by_what_they_are_or_by_the_cell_that_showed_them(
    choices: Sequence[object], shown: str
) -> None:
    assert chosen(*choices) == (shown, [])


def test_a_file_is_taken_before_an_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("fig", "last"):
        (tmp_path / name).write_text("")
    assert chosen(str(tmp_path / "fig"))[0] == "<fig>"
    assert chosen("fig")[0] == "<fig>"
    # Without expressions a word is first of all a file.
    assert chosen("last", evaluate=None)[0] == "<last>"
    assert chosen("last")[0] == "e"
    assert chosen("1", evaluate=None)[0] == "a"


def test_what_is_not_shown_of_a_picture_is_said() -> None:
    said = "[Of the image above: first frame.]"
    assert chosen("'moving'") == (f"<moving> {said}", ["first frame"])
    assert chosen("'moving'", "fig")[0] == f"Image 1: <moving> {said} Image 2: <a figure>"
    assert chosen("'moving'", "fig", "['moving', 'x']")[1] == ["first frame", "first frame"]
    assert chosen("moving", evaluate=lambda name: name)[1] == ["first frame"]
    assert pictures(
        [Path("moving"), "none"],
        NamedCells(lambda: RUNS, {}),
        evaluate=None,
        render=render,
        prepare=lambda _: prepare("moving"),
    )[1] == ["first frame"]


NOT_SHOWN = (
    "images were displayed in this kernel so far; run the cell that draws, or name a variable."
)
NO_IMAGE = "that cell displayed no image; run it, or name another."
HINT = "Give a variable, a path, an address or last."


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ("last:6", f"5 {NOT_SHOWN}"),
        ("3", NO_IMAGE),
        ("9", "no cell of this kernel has that execution count."),
        ("none_of", "it is empty; give one that holds images, or leave it out."),
        ("'broken'", "it is cut off"),
        ("nobody", f"no such file, and name 'nobody' is not defined. {HINT}"),
        ("a b", f"no such file, and not a Python expression. {HINT}"),
        (".", f"not a file, and not a Python expression. {HINT}"),
        ("1/0", f"ZeroDivisionError: division by zero. {HINT}"),
        ("\0", f"no such file, and not a Python expression. {HINT}"),
    ],
)
def test_a_choice_that_gives_no_picture_is_refused_with_the_reason(choice: str, why: str) -> None:
    with pytest.raises((InputError, ImageError)) as fault:
        chosen(choice)
    assert str(fault.value) in (f"-i {choice}: {why}", f"-i {choice}: source code {why}")


def test_where_nothing_was_displayed_the_last_is_refused() -> None:
    with pytest.raises(InputError) as fault:
        pictures(
            ["last"],
            NamedCells(lambda: [ran(3, PRINTED)], {}),
            evaluate=evaluate,
            render=render,
            prepare=prepare,
        )
    assert str(fault.value) == f"-i last: no {NOT_SHOWN}"


@pytest.mark.parametrize("length", [3, 80, 81, 500])
def test_a_text_that_is_no_address_is_never_evaluated(length: int) -> None:
    said = "a" * length
    with pytest.raises(NameError) as fault:
        no_name(said)
    short = said if length <= 80 else "a" * 60 + "..."
    assert str(fault.value) == f"{short!r} is no address; give the object itself, not its name"
    with pytest.raises(InputError, match=r"no such file, and 'aaa.* is no address"):
        chosen(said, evaluate=None)


@pytest.mark.parametrize(("hires", "edge"), [(None, 1568), (SimpleNamespace(long_edge=2576), 2576)])
def test_a_picture_is_made_as_large_as_its_model_sees_it(hires: Any, edge: int) -> None:
    cache = ImageCache()
    prepared = preparing(hires, lambda: cache)(Image.new("RGB", (3000, 30)))
    assert size_of_base64(prepared.block["source"]["data"]) == (edge, round(edge / 100))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TIFF of three pages, red, blue and lime, in the working folder."""
    monkeypatch.chdir(tmp_path)
    pages = [Image.new("RGB", (6, 4), colour) for colour in COLOURS]
    pages[0].save("stack.tif", save_all=True, append_images=pages[1:])
    pages[0].save("moving.gif", save_all=True, append_images=pages[1:], duration=100)
    pages[0].save("moving.webp", save_all=True, append_images=pages[1:], lossless=True)
    pages[0].save("moving.png", save_all=True, append_images=pages[1:])
    pages[0].save("one.png")
    return tmp_path


COLOURS = ((255, 0, 0), (0, 0, 255), (0, 255, 0))


def sent(choice: object, evaluate: Any = evaluate) -> tuple[list[Any], list[str]]:
    """The blocks that go along, and the notices, as they really are prepared."""
    return pictures(
        [choice],
        NamedCells(lambda: RUNS, {}),
        evaluate=evaluate,
        render=render,
        prepare=preparing(None, ImageCache),
    )


def colour_of(block: Any) -> object:
    image = Image.open(io.BytesIO(base64.b64decode(block["source"]["data"])))
    return image.convert("RGB").getpixel((1, 1))


@pytest.mark.met("N14")
@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stack.tif", "page {} of 3"),
        ("moving.gif", "frame {} of 3"),
        ("moving.webp", "frame {} of 3"),
        ("moving.png", "frame {} of 3"),
    ],
)
@pytest.mark.parametrize("expressions", [True, False])
def test_a_page_of_a_file_is_named_behind_its_path_and_said(
    stack: Path, name: str, said: str, page: int, expressions: bool
) -> None:
    (image, note), notices = sent(f"{name}[{page}]", evaluate if expressions else None)
    assert colour_of(image) == COLOURS[page - 1]
    expected = "first of 3 frames" if page == 1 and "frame" in said else said.format(page)
    assert notices == [expected]
    assert note == image_note(expected)


@pytest.mark.met("N14")
def test_of_a_stack_the_first_page_goes_along_and_this_is_said(stack: Path) -> None:
    (image, note), notices = sent(str(stack / "stack.tif"))
    assert colour_of(image) == COLOURS[0]
    assert notices == ["page 1 of 3"]
    assert note == image_note("page 1 of 3")


@pytest.mark.met("N14")
@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ("stack.tif[0]", "there is no page [0]: it has 3 pages, which count from 1"),
        ("stack.tif[4]", "there is no page [4]: it has 3 pages, which count from 1"),
        ("moving.gif[99]", "there is no page [99]: it has 3 pages, which count from 1"),
        ("one.png[2]", "there is no page [2]: it has one page"),
    ],
)
def test_a_page_that_is_not_there_is_one_line(stack: Path, choice: str, why: str) -> None:
    with pytest.raises(ImageError) as fault:
        sent(choice)
    assert str(fault.value) == f"-i {choice}: {why}"


@pytest.mark.met("N14")
def test_the_only_page_may_be_named_and_an_index_stays_an_index(stack: Path) -> None:
    assert sent("one.png[1]") == sent("one.png")
    assert chosen("two[1]", evaluate=lambda said: eval(said, dict(NAMES)))[0] == "<other>"  # noqa: S307
    (stack / "stack.tif[2]").write_bytes((stack / "one.png").read_bytes())
    assert sent("stack.tif[2]") == sent("one.png")


@pytest.mark.met("N14")
def test_a_folder_is_its_images_and_what_is_skipped_is_listed(stack: Path) -> None:
    for name in ("a.dcm", "b.dcm", "c.NEF", ".hidden", "d.heic"):
        (stack / name).write_text("")
    blocks, notices = sent(f"{stack}/")
    assert sum(block["type"] == "image" for block in blocks) == 5
    assert notices[0] == f"{stack}/: .dcm, .heic, .nef: 4 files skipped, no images"


@pytest.mark.met("N14")
@pytest.mark.parametrize("count", [0, 21])
def test_a_folder_without_images_or_with_too_many_is_refused(stack: Path, count: int) -> None:
    folder = stack / "some"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(b"")
    with pytest.raises(InputError, match=rf"{count or 'no'} images are in it; name up to 20"):
        sent(f"{folder}/")
