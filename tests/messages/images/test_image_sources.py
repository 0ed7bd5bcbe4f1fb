"""If Jupyter can show it as an image, it can be sent; if not, one line says why not."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import ImageCache, prepare
from tests.messages.images import image_samples as samples
from tests.messages.images.image_samples import halves, near, photo, saved, sent, sent_bytes

RED, BLUE = (255, 0, 0), (0, 0, 255)
PNG = saved(halves(RED, BLUE))
JPEG = saved(halves(RED, BLUE), "JPEG", quality=100)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400">'
    '<rect width="600" height="400" fill="red"/></svg>'
)
BASE64 = base64.b64encode(PNG).decode()


class Shows:
    """Has the methods by which IPython asks an object for its image."""

    def __init__(self, **shown: object) -> None:
        self.shown = shown


class ShowsPNG(Shows):
    def _repr_png_(self) -> object:
        return self.shown["png"]


class ShowsJPEG(Shows):
    def _repr_png_(self) -> object:
        return None

    def _repr_jpeg_(self) -> object:
        return self.shown["jpeg"]


class ShowsSVG(Shows):
    def _repr_svg_(self) -> object:
        return self.shown["svg"]


class ShowsBundle(Shows):
    def _repr_mimebundle_(self, include: object, exclude: object) -> object:
        return self.shown["bundle"]


class Raises:
    def _repr_png_(self) -> bytes:
        raise RuntimeError("no display\nname")


class RaisesOnFigure:
    @property
    def figure(self) -> object:
        raise RuntimeError("not drawn yet")


def ipython(name: str, **options: object) -> object:
    import IPython.display

    return getattr(IPython.display, name)(**options)


SHOWN = {
    "bytes": lambda: PNG,
    "bytearray": lambda: bytearray(PNG),
    "memoryview": lambda: memoryview(PNG),
    "data url": lambda: f"data:image/png;base64,{BASE64}",
    "data url with a wrong type": lambda: f"data:image/jpeg;name=a.jpg;base64,{BASE64}",
    "svg as text": lambda: SVG,
    "image block": lambda: prepare(PNG).block,
    "image block with a wrong type": lambda: {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/gif", "data": BASE64},
    },
    "mimebundle of an output": lambda: {"text/plain": "<Figure>", "image/png": BASE64},
    "mimebundle of a notebook": lambda: {"image/png": [BASE64[:76] + "\n", BASE64[76:] + "\n"]},
    "mimebundle with svg": lambda: {"image/svg+xml": [SVG[:20], SVG[20:]]},
    "pillow image": lambda: halves(RED, BLUE),
    "opened pillow image": lambda: Image.open(io.BytesIO(PNG)),
    "pillow palette": lambda: halves(RED, BLUE).quantize(4),
    "array": lambda: np.asarray(halves(RED, BLUE)),
    "array of floats": lambda: np.asarray(halves(RED, BLUE)) / 255,
    "array of half floats": lambda: (np.asarray(halves(RED, BLUE)) / 255).astype(np.float16),
    "array with alpha": lambda: np.asarray(halves(RED, BLUE).convert("RGBA")),
    "array of uint16": lambda: np.asarray(halves(RED, BLUE)).astype(np.uint16) * 257,
    "array view": lambda: np.asarray(halves(BLUE, RED))[:, ::-1],
    "array of big-endian floats": lambda: (np.asarray(halves(RED, BLUE)) / 255).astype(">f4"),
    "png of an object": lambda: ShowsPNG(png=PNG),
    "png with metadata": lambda: ShowsPNG(png=(PNG, {"width": 60})),
    "png as base64": lambda: ShowsPNG(png=BASE64),
    "jpeg of an object": lambda: ShowsJPEG(jpeg=JPEG),
    "svg of an object": lambda: ShowsSVG(svg=SVG),
    "mimebundle of an object": lambda: ShowsBundle(bundle={"image/png": PNG}),
    "mimebundle with metadata": lambda: ShowsBundle(bundle=({"image/svg+xml": SVG}, {})),
    "ipython image": lambda: ipython("Image", data=PNG),
    "ipython image with a wrong format": lambda: ipython("Image", data=JPEG, format="png"),
    "ipython svg": lambda: ipython("SVG", data=SVG),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_whatever_shows_an_image_can_be_sent(make: Any) -> None:
    made = prepare(make())
    assert made.width / made.height == 1.5
    assert near(sent(made).convert("RGB").getpixel((5, 5)), RED)
    assert made.digest == hashlib.sha256(sent_bytes(made)).hexdigest()
    assert prepare(make()) == made


GREYS = {
    "uint8": np.array([[0, 128, 255]], np.uint8),
    "one channel": np.array([[[0], [128], [255]]], np.uint8),
    "uint16": np.array([[0, 128 * 257, 65535]], np.uint16),
    "float32": np.array([[0, 0.5, 1]], np.float32),
    "float64 with rounding errors": np.array([[-1e-9, 0.5, 1 + 1e-9]]),
}


@pytest.mark.parametrize("array", GREYS.values(), ids=GREYS)
def test_grey_arrays_are_scaled_to_8_bits(array: Any) -> None:
    image = sent(prepare(array))
    assert [image.getpixel((x, 0)) for x in range(3)] == [0, 128, 255]


def test_a_bool_array_is_black_and_white() -> None:
    image = sent(prepare(np.array([[False, True]])))
    assert [image.getpixel((x, 0)) for x in range(2)] == [0, 255]


NOT_ARRAYS = {
    "scalar": (np.float64(3), "shape () and dtype float64"),
    "vector": (np.zeros(5), "shape (5,) and dtype float64"),
    "two channels": (np.zeros((4, 5, 2)), "shape (4, 5, 2) and dtype float64"),
    "channels first": (np.zeros((3, 4, 5)), "transpose(1, 2, 0)"),
    "a batch": (np.zeros((2, 4, 5, 3)), "shape (2, 4, 5, 3)"),
    "complex": (np.zeros((4, 5), complex), "dtype complex128"),
    "text": (np.array([["a", "b"]]), "dtype <U1"),
    "objects": (np.array([["a", 1]], object), "str is not an image"),
    "NaN": (np.full((4, 5), math.nan), "no finite value"),
    "no rows": (np.zeros((0, 5)), "5x0 pixels"),
    "too many pixels": (np.zeros((20000, 20000), bool), "over the limit"),
}


@pytest.mark.parametrize(("array", "says"), NOT_ARRAYS.values(), ids=NOT_ARRAYS)
def test_an_array_that_is_no_image_is_told_by_shape_and_dtype(array: object, says: str) -> None:
    with pytest.raises(ImageError) as caught:
        prepare(array)
    assert says in str(caught.value)


# Figures --------------------------------------------------------------------------------------


FIGURES = {
    "figure": lambda figure: figure,
    "axes": lambda figure: figure.axes[0],
    "line": lambda figure: figure.axes[0].lines[0],
    "array of axes": lambda figure: np.array([[figure.axes[0]]], object),
    "seaborn grid": lambda figure: type("Grid", (), {"figure": figure})(),
    "old seaborn grid": lambda figure: type("Grid", (), {"fig": figure})(),
}


@pytest.mark.parametrize("find", FIGURES.values(), ids=FIGURES)
def test_a_matplotlib_figure_is_sent_as_the_inline_backend_draws_it(find: Any) -> None:
    figure = samples.line_plot()
    out = io.BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight", metadata={"Software": None})
    assert sent_bytes(prepare(find(figure))) == out.getvalue()


def test_a_subfigure_is_sent_with_its_figure() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    part = figure.subfigures(1, 2)[0]
    part.subplots().plot([1, 2])
    assert prepare(part).block == prepare(figure).block


def test_a_figure_drawn_twice_gives_the_same_bytes() -> None:
    assert prepare(samples.line_plot()).digest == prepare(samples.line_plot()).digest


def test_a_figure_stays_as_it_is() -> None:
    figure = samples.line_plot()
    canvas, dpi, inches = figure.canvas, figure.dpi, tuple(figure.get_size_inches())
    prepare(figure)
    assert (figure.canvas, figure.dpi, tuple(figure.get_size_inches())) == (canvas, dpi, inches)


def test_a_figure_that_cannot_be_drawn_is_an_error() -> None:
    figure = samples.line_plot()
    figure.axes[0].set_title("$\\frac{$")
    with pytest.raises(ImageError, match="Figure gave no image"):
        prepare(figure)


def test_an_altair_chart_is_drawn_without_a_browser() -> None:
    import altair

    chart = altair.Chart(pd.DataFrame({"x": [1, 2], "y": [3, 4]}))
    made = prepare(chart.mark_point().encode(x="x", y="y"))
    assert made.block["source"]["media_type"] == "image/png"
    assert made.width > 100


def test_a_plotly_figure_is_drawn_or_says_what_it_needs() -> None:
    """Which of the two is told by what is installed here: Plotly draws by kaleido and a Chrome."""
    import plotly.graph_objects

    figure = plotly.graph_objects.Figure(plotly.graph_objects.Scatter(y=[1, 3, 2]))
    browser = any(shutil.which(name) for name in ("chromium", "google-chrome", "chrome"))
    if importlib.util.find_spec("kaleido") and browser:
        assert prepare(figure).width > 100
    else:
        with pytest.raises(ImageError, match=r"Figure gave no image .*: pip install kaleido"):
            prepare(figure)


# Addresses and files --------------------------------------------------------------------------

URL = "https://example.org/ant.jpg?size=2#top"
LINKS = {
    "text": URL,
    "image block": {"type": "image", "source": {"type": "url", "url": URL}},
    "ipython image": ipython("Image", url=URL),
}


@pytest.mark.parametrize("source", LINKS.values(), ids=LINKS)
def test_an_address_is_left_to_the_server_to_fetch(source: object) -> None:
    made = prepare(source, cache=ImageCache())
    assert made.block == {"type": "image", "source": {"type": "url", "url": URL}}
    assert (made.width, made.height, made.note) == (0, 0, None)
    assert made.digest == hashlib.sha256(URL.encode()).hexdigest()


def test_an_uploaded_image_passes_as_it_is() -> None:
    block = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    assert prepare(block).block == block


def test_a_file_is_read_whatever_its_name_ends_in(tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    path.write_bytes(JPEG)
    assert sent_bytes(prepare(path)) == sent_bytes(prepare(str(path))) == JPEG


def test_a_path_may_begin_at_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ant.png").write_bytes(PNG)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sent_bytes(prepare("~/ant.png")) == PNG
    assert sent_bytes(prepare(Path("~/ant.png"))) == PNG


def test_a_file_that_has_no_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(ImageError, match="is not a file"):
            prepare(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(ImageError, match="over 256 MB"):
        prepare(path)


BAD = {
    "a missing file": ("plots/nope.png", "'plots/nope.png' is not there"),
    "a folder": (".", "'.' is a folder"),
    "nothing": ("", "is a folder"),
    "a nul byte": ("a\0b.png", "is not there"),
    "an endless path": ("a" * 9999, "File name too long"),
    "nobody's home": ("~nobody-there/a.png", "home directory"),
    "another scheme": ("s3://bucket/a.png", "only http and https"),
    "an address without a host": ("https://", "is not an address"),
    "an address with a space": ("https://example.org/a b.png", "is not an address"),
    "a broken address": ("http://[::1", "is not an address"),
    "an address in a block": (
        {"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}},
        "is not an address",
    ),
    "a data url of text": ("data:text/plain;base64,QUJD", "data: URL is not"),
    "a data url without base64": ("data:image/svg+xml,%3Csvg/%3E", "data: URL is not"),
    "a data url that is cut off": (f"data:image/png;base64,{BASE64[:81]}", "base64 is damaged"),
    "a data url that holds text": ("data:image/png;base64,QUJD", "not an image"),
    "a block without a source": ({"type": "image"}, "no source"),
    "a block of text": ({"type": "text", "text": "a"}, "a dict is not an image"),
    "a bundle of text": ({"text/plain": "a"}, "a dict is not an image"),
    "a bundle with a number": ({"image/png": 5}, "of type int: pass its bytes"),
    "None": (None, "NoneType is not an image"),
    "a number": (3, "int is not an image"),
    "a list": ([PNG], "list is not an image"),
    "a class": (ShowsPNG, "type is not an image"),
    "a data frame": (pd.DataFrame({"figure": [1], "url": [URL]}), "DataFrame is not an image"),
    "ipython html": (ipython("HTML", data="<b>"), "HTML is not an image"),
    "an object that shows nothing": (ShowsPNG(png=None), "ShowsPNG is not an image"),
    "an object that raises": (Raises(), "Raises gave no image (no display):"),
    "an object that raises when asked": (RaisesOnFigure(), "(not drawn yet)"),
    "an object that shows text as png": (ShowsPNG(png=b"text"), "not an image"),
    "a broken pillow image": (
        Image.open(io.BytesIO(saved(photo(), "TIFF")[:90000])),
        "cannot be decoded",
    ),
    "a pillow image without pixels": (Image.new("RGB", (0, 5)), "0x5 pixels"),
}


@pytest.mark.parametrize("cached", [False, True], ids=["", "with a cache"])
@pytest.mark.parametrize(("source", "says"), BAD.values(), ids=BAD)
def test_what_shows_no_image_is_named_in_one_line(source: object, says: str, cached: bool) -> None:
    with pytest.raises(ImageError) as caught:
        prepare(source, cache=ImageCache() if cached else None)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert len(message) < 400
    assert ":" in message
