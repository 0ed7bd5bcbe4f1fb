"""What a cell displayed, as content blocks."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import image_note
from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.plots import chart_png
from claude_magic.messages.images.prepare import Prepared
from claude_magic.notebook.context.outputs import Rendered, output_blocks, terminal_text

GOOD = {name: f"picture {name}".encode() for name in ("png", "jpeg", "webp", "gif")}
SVG = "<svg xmlns='http://www.w3.org/2000/svg'><text>axis</text></svg>"


def prepare(source: object) -> Any:
    """Takes what starts with "picture" and SVG; the block says what it was given."""
    assert isinstance(source, bytes)
    if not source.startswith((b"picture", b"<svg")):
        raise ImageError("these bytes are not an image: pass a PNG or JPEG")
    note = "first of 2 frames" if source == GOOD["gif"] else None
    block: Any = {"type": "image", "source": source}
    return Prepared(block, 0, 0, "", note)


def refuse(source: object) -> Any:
    raise ImageError("no")


def no_chart(kind: str, spec: Mapping[str, Any]) -> bytes:
    raise ImageError(f"the {kind} figure could not be drawn")


def rendered(bundle: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> Rendered:
    return output_blocks(bundle, metadata, prepare=prepare, draw=no_chart)


def words(bundle: Mapping[str, Any]) -> str:
    (block,) = rendered(bundle).blocks
    return str(block["text"])


def encoded(data: bytes) -> str:
    return base64.encodebytes(data).decode()


IMG = f'<img src="data:image/png;base64,{encoded(GOOD["png"])}" width="640">'


def html(source: str) -> dict[str, Any]:
    """What `IPython.display.HTML` displays."""
    return {"text/plain": "<IPython.core.display.HTML object>", "text/html": source}


PICTURES = {
    "PNG": ({"image/png": encoded(GOOD["png"])}, GOOD["png"]),
    "PNG as bytes": ({"image/png": GOOD["png"]}, GOOD["png"]),
    "PNG as lines": (
        {"image/png": [encoded(GOOD["png"])[:8], encoded(GOOD["png"])[8:]]},
        GOOD["png"],
    ),
    "PNG with its text": ({"text/plain": "<Figure>", "image/png": GOOD["png"]}, GOOD["png"]),
    "PNG and JPEG count once": (
        {"image/jpeg": GOOD["jpeg"], "image/png": GOOD["png"]},
        GOOD["png"],
    ),
    "JPEG": ({"image/jpeg": GOOD["jpeg"]}, GOOD["jpeg"]),
    "JPEG beside a broken PNG": ({"image/png": "AAAA", "image/jpeg": GOOD["jpeg"]}, GOOD["jpeg"]),
    "WebP": ({"image/webp": GOOD["webp"]}, GOOD["webp"]),
    "GIF": ({"image/gif": GOOD["gif"]}, GOOD["gif"]),
    "SVG": ({"image/svg+xml": SVG}, SVG.encode()),
    "a picture of another kind": ({"image/avif": encoded(GOOD["png"])}, GOOD["png"]),
    "HTML with a PNG": (html(IMG), GOOD["png"]),
    "HTML as lines": ({"text/html": [f"<div>{IMG[:40]}", IMG[40:], "</div>"]}, GOOD["png"]),
    "HTML in single quotes": (html(f"<div><p>{IMG}</p></div>".replace('"', "'")), GOOD["png"]),
    "HTML with line breaks in the picture": (
        html(f"<img src='data:image/png;base64,{encoded(GOOD['png'] * 40)}'/>"),
        GOOD["png"] * 40,
    ),
    "HTML with a style": (html(f"<style>img {{width: 9px}}</style>{IMG}"), GOOD["png"]),
    "HTML with a WebP": (
        html(f"<img src='data:image/webp;charset=utf-8;base64,{encoded(GOOD['webp'])}'>"),
        GOOD["webp"],
    ),
    "HTML with an alt text": (html(IMG.replace("src", "alt='a line' src")), GOOD["png"]),
    "HTML that is an SVG": (html(f"<div>{SVG}</div>"), SVG.encode()),
    "an object whose HTML is a picture": (
        {"text/plain": "MyPlot(3)", "text/html": IMG},
        GOOD["png"],
    ),
    "PNG before SVG": ({"image/svg+xml": SVG, "image/png": GOOD["png"]}, GOOD["png"]),
}


@pytest.mark.parametrize(("bundle", "source"), PICTURES.values(), ids=PICTURES)
def test_an_output_with_a_picture_is_exactly_that_picture(
    bundle: dict[str, Any], source: bytes
) -> None:
    image, *said = rendered(bundle).blocks
    assert image == {"type": "image", "source": source}
    assert said == ([image_note("first of 2 frames")] if source == GOOD["gif"] else [])


def test_what_is_not_shown_of_a_picture_is_a_note() -> None:
    assert rendered({"image/gif": GOOD["gif"]}).notes == ("first of 2 frames",)


def test_the_label_of_a_picture_in_html_stands_above_it() -> None:
    label = '<div class="jupyter-widgets widget-label">Figure 1</div>'
    first, picture = rendered(html(f"<div>{label}{IMG}</div>")).blocks
    assert first["text"] == "Figure 1"
    assert picture == {"type": "image", "source": GOOD["png"]}


def test_of_an_animation_the_first_frame_goes_along_and_this_is_said() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    animation = pytest.importorskip("matplotlib.animation")
    figure, axes = pyplot.subplots()
    try:
        (line,) = axes.plot([0, 1])
        moving = animation.FuncAnimation(figure, lambda i: line.set_ydata([i, 1]), frames=3)
        shown = output_blocks(html(moving.to_jshtml()))
    finally:
        pyplot.close(figure)
    words, picture = shown.blocks
    assert words["text"] == "[An animation of 3 frames; this is the first.]"
    assert picture["source"]["media_type"] == "image/png"
    assert shown.notes == ("of an animation the first of 3 frames",)


OTHER_HTML = {
    "words and pictures": (f"<p>{'word ' * 60}</p>{IMG}", "word"),
    "several pictures": (f"{IMG}{IMG}", "[image, not sent][image, not sent]"),
    "a picture that is elsewhere": ('<img src="https://e.org/a.png">', "[image: https://e.org/a.png]"),
    "a picture that is no base64": ('<img src="data:image/png;base64,A">', "[image, not sent]"),
    "a table with a picture": (f"<table><td>{'a' * 300}<td>{IMG}</table>", "| [image, not sent]"),
    "a film": ('<video controls><source src="data:video/mp4;base64,AA">Too old.</video>',
               "[a video, not sent]"),
    "a film of somewhere": ('<video src="a.mp4"></video>', "[a video from a.mp4, not sent]"),
    "sound": ("<audio controls><source src='data:audio/wav;base64,AA'/>Too old.</audio>",
              "[a recording of sound, not sent]"),
    "a frame": ('<iframe src="https://e.org/x"></iframe>',
                "[a page in a frame from https://e.org/x, not sent]"),
    "a canvas": ("<canvas id='a'></canvas>", "[a drawing, not sent]"),
    "a script that draws (mpld3)": (
        '<div id="fig"></div><script>mpld3.draw_figure("fig", {"axes": []});</script>',
        "[What a script draws was displayed here; it was not sent.]",
    ),
}  # fmt: skip


@pytest.mark.met("P8")
@pytest.mark.parametrize(("source", "expected"), OTHER_HTML.values(), ids=OTHER_HTML)
def test_of_other_html_the_words_go_along_and_what_is_not_sent_is_named(
    source: str, expected: str
) -> None:
    assert expected in words(html(source))


def test_html_that_only_runs_a_script_is_no_figure() -> None:
    assert words(html("<script>init()</script>")) == "<IPython.core.display.HTML object>"


NOT_SENT = {
    "PDF": (
        {"application/pdf": "JVBERi0=", "text/plain": "<Figure size 640x480 with 1 Axes>"},
        "[A figure or document was displayed here as PDF only; it was not sent.]",
    ),
    "a film": ({"video/mp4": "AAAA"}, "[A video was displayed here; it was not sent.]"),
    "sound": ({"audio/wav": "AAAA"}, "[Sound was displayed here; it was not sent.]"),
    "a figure as text alone": (
        {"text/plain": "<Figure size 640x480 with 2 Axes>"},
        "[A figure was displayed here without a picture.]",
    ),
    "a figure of a class of its own": (
        {"text/plain": "<my.FacetFigure size 640x480 with 1 Axes>"},
        "[A figure was displayed here without a picture.]",
    ),
}


@pytest.mark.parametrize(("bundle", "expected"), NOT_SENT.values(), ids=NOT_SENT)
def test_what_cannot_be_sent_is_named(bundle: dict[str, Any], expected: str) -> None:
    assert words(bundle) == expected


def test_of_a_figure_that_is_there_as_pdf_only_the_user_is_told_what_to_do() -> None:
    (note,) = rendered({"application/pdf": "JVBERi0="}).notes
    assert note.startswith("application/pdf left out: show it as PNG too")


def test_a_figure_without_axes_is_nothing() -> None:
    assert rendered({"text/plain": "<Figure size 640x480 with 0 Axes>"}) == Rendered((), ())


BROKEN = {
    "text labelled as PNG": {"image/png": "hello, this is text"},
    "no base64": {"image/png": "a"},
    "other bytes": {"image/png": b"nothing"},
    "empty": {"image/png": ""},
}


@pytest.mark.parametrize("bundle", BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_is_left_out_and_said(bundle: dict[str, Any]) -> None:
    result = rendered(bundle)
    assert [b["text"] for b in result.blocks] == ["[A figure (image/png) could not be sent.]"]
    assert result.notes[0].startswith("image/png left out: ")


def test_the_alt_text_stands_for_a_picture_that_cannot_be_sent() -> None:
    metadata = {"image/png": {"alt": "A falling line"}}
    (block,) = rendered({"image/png": "AAAA", "text/plain": "fig"}, metadata).blocks
    assert block["text"] == (
        "[A figure (image/png) could not be sent. Its alt text: A falling line]\nfig"
    )


def test_a_svg_that_cannot_be_drawn_goes_as_its_source_and_this_is_said() -> None:
    result = output_blocks({"image/svg+xml": SVG}, prepare=refuse)
    assert SVG in result.blocks[0]["text"]
    assert "the SVG was sent as source text" in result.notes


TEXTS = {
    "plain": ({"text/plain": "42"}, "42"),
    "plain as lines": ({"text/plain": ["a\n", "b"]}, "a\nb"),
    "plain rather than the table's HTML": (
        {"text/plain": "   a\n0  1", "text/html": "<table>…</table>"}, "   a\n0  1",
    ),
    "Markdown": ({"text/markdown": "**b**", "text/plain": "<Markdown object>"}, "**b**"),
    "LaTeX": ({"text/latex": "$x^2$", "text/plain": "x**2"}, "$x^2$"),
    "HTML behind an object": (
        {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<p>a &lt; b"}, "a < b",
    ),
    "a styled table": (
        {
            "text/plain": "<pandas.io.formats.style.Styler at 0x7f2a10>",
            "text/html": "<style>#T {color: red}</style><table><tr><th></th><th>a</th></tr>"
            "<tr><td>0</td><td>1</td></tr></table>",
        },
        "| a\n0 | 1",
    ),
    "an image's alt text": ({"text/html": '<img src="x" alt="a cat">'}, "[image: a cat]"),
    "line breaks of HTML are spaces": ({"text/html": "<p>a\nb</p>\n<p>c</p>"}, "a b\nc"),
    "but not in preformatted text": ({"text/html": "<pre>a\nb</pre>"}, "a\nb"),
    "no scripts": ({"text/html": "<script>x()</script>shown"}, "shown"),
    "JSON behind an object": (
        {"text/plain": "<IPython.core.display.JSON object>", "application/json": {"a": [1]}},
        '{"a": [1]}',
    ),
    "an object without more": ({"text/plain": "<foo.Bar at 0x7f2a10>"}, "<foo.Bar at 0x…>"),
    "an address within": ({"text/plain": "[<B object at 0x7f2a10>]"}, "[<B object at 0x…>]"),
    "colours": ({"text/plain": "\x1b[31mred\x1b[0m"}, "red"),
    "a surrogate": ({"text/plain": "a\ud800"}, "a\ufffd"),
}  # fmt: skip


@pytest.mark.parametrize(("bundle", "expected"), TEXTS.values(), ids=TEXTS)
def test_text_goes_in_its_shortest_telling_form(bundle: dict[str, Any], expected: str) -> None:
    result = rendered(bundle)
    assert [b["text"] for b in result.blocks] == [expected]
    assert result.notes == ()


def test_a_bokeh_figure_is_said_not_to_be_visible() -> None:
    bundle = {"application/vnd.bokehjs_exec.v0+json": "", "text/html": "<div></div>"}
    result = rendered(bundle)
    assert "Bokeh figure was displayed here" in result.blocks[0]["text"]
    assert any("Bokeh" in note for note in result.notes)


def test_a_widget_is_its_text_and_said_to_be_one() -> None:
    bundle = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=3)"}
    assert words(bundle) == (
        "[A widget was displayed here; only its text form can be sent.]\nIntSlider(value=3)"
    )


def test_an_output_of_an_unknown_kind_is_left_out_and_said() -> None:
    result = rendered({"application/x-foo": "…"})
    assert [block["text"] for block in result.blocks] == [
        "[An output of type application/x-foo was displayed here; it was not sent.]"
    ]
    assert result.notes == ("an output left out: nothing to send in application/x-foo",)


def test_an_empty_output_is_nothing() -> None:
    assert rendered({}) == Rendered((), ())
    assert rendered({"text/plain": " \n"}) == Rendered((), ())


def test_a_text_of_100_megabytes_is_cut_in_the_middle_and_said() -> None:
    text = words({"text/plain": "start " + "x" * 100_000_000 + " end"})
    assert text.startswith("start ")
    assert text.endswith(" end")
    assert "characters left out …]" in text
    assert len(text) < 9_000


PLOTLY = {
    "data": [
        {
            "type": "scatter",
            "name": "height",
            "x": list(range(1000)),
            "y": {"dtype": "f8", "bdata": base64.b64encode(b"\0" * 8 * 500).decode()},
        }
    ],
    "layout": {"title": {"text": "Growth"}, "template": {"data": {"bar": ["x" * 5000]}}},
}


def test_a_plotly_figure_is_its_picture_where_it_can_be_drawn() -> None:
    drawn = []

    def draw(kind: str, spec: Mapping[str, Any]) -> bytes:
        drawn.append((kind, spec))
        return GOOD["png"]

    bundle = {"application/vnd.plotly.v1+json": PLOTLY, "text/html": "<div>"}
    result = output_blocks(bundle, prepare=prepare, draw=draw)
    assert result == Rendered(({"type": "image", "source": GOOD["png"]},), ())
    assert drawn == [("Plotly", PLOTLY)]


def test_a_plotly_figure_that_cannot_be_drawn_is_its_spec_without_the_data() -> None:
    result = rendered({"application/vnd.plotly.v1+json": PLOTLY})
    first, spec = result.blocks[0]["text"].split("\n", 1)
    assert first == "Plotly figure, as its specification:"
    (trace,) = json.loads(spec)["data"]
    assert trace["name"] == "height"
    assert trace["x"] == [*range(8), "… 992 more"]
    assert trace["y"] == [*[0.0] * 8, "… 492 more"]
    assert json.loads(spec)["layout"] == {"title": {"text": "Growth"}}
    assert result.notes == (
        "the Plotly figure could not be drawn; its specification was sent as text",
    )


@pytest.mark.parametrize(
    "encoded_array", [{"dtype": "c16", "bdata": "AA=="}, {"dtype": "f8", "bdata": "A"}]
)
def test_an_array_that_cannot_be_decoded_is_named(encoded_array: dict[str, str]) -> None:
    spec = {"data": [{"y": encoded_array}]}
    assert f'"array of {encoded_array["dtype"]}"' in words({"application/vnd.plotly.v1+json": spec})


VEGALITE = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"a": i, "b": i} for i in range(50)]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}},
}


@pytest.mark.parametrize(
    "kind", ["application/vnd.vegalite.v6+json", "application/vnd.vegalite.v5.json"]
)
def test_a_vega_lite_figure_is_drawn_on_this_machine(kind: str) -> None:
    pytest.importorskip("vl_convert")
    (block,) = output_blocks({kind: VEGALITE, "text/plain": "alt.Chart(...)"}).blocks
    assert block["type"] == "image"
    assert block["source"]["media_type"] == "image/png"


def test_what_altair_displays_by_default_is_drawn_too() -> None:
    altair = pytest.importorskip("altair")
    chart = altair.Chart({"values": [{"a": 1}]}).mark_point().encode(x="a:Q")
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {"text/html"}
    (block,) = output_blocks(bundle).blocks
    assert block["type"] == "image"


def test_a_chart_that_names_data_by_url_fetches_nothing() -> None:
    pytest.importorskip("vl_convert")
    spec = {**VEGALITE, "data": {"url": "http://127.0.0.1:9/data.json"}}
    with pytest.raises(ImageError, match="could not be drawn"):
        chart_png("Vega-Lite", spec)


TERMINAL = {
    "plain": ("a\nb\n", "a\nb\n"),
    "a progress bar": ("10%|#  |\r50%|## |\r99%|###|\n", "99%|###|\n"),
    "a shorter overwrite leaves the rest": ("12345\rab", "ab345"),
    "erased before it is overwritten": ("12345\r\x1b[Kab", "ab"),
    "erased with the cursor at its end": ("12345\x1b[2K\rab", "ab"),
    "erased from a column on": ("12345\r12\x1b[K", "12"),
    "erased in the middle of a line": ("123\b\b\x1b[2Kx", " x"),
    "a bar that was left": ("50%\r", "50%"),
    "Windows line ends": ("a\r\nb\r\n", "a\nb\n"),
    "backspaces": ("abc\b\bXY", "aXY"),
    "more backspaces than text": ("a\b\b\bb", "b"),
    "colours": ("\x1b[1;31mred\x1b[0m", "red"),
    "a link": ("\x1b]8;;https://e.org\x1b\\text\x1b]8;;\x1b\\", "text"),
    "a title": ("\x1b]0;title\x07text", "text"),
    "an unclosed title hides one line at most": ("\x1b]0;title\ntext", "\ntext"),
    "colours in a bar": ("\x1b[31m10%\x1b[0m\r\x1b[32m20%\x1b[0m", "20%"),
    "control characters before an overwrite": ("x\rab\x00c\x01d", "abcd"),
    "control characters": ("a\x00b\x07c", "abc"),
    "tabs and accents stay": ("a\té €", "a\té €"),
    "an address": ("<A object at 0x7f00aa>", "<A object at 0x…>"),
    "a number in hex stays": ("mask = 0xDEADBEEF", "mask = 0xDEADBEEF"),
}


@pytest.mark.parametrize(("printed", "expected"), TERMINAL.values(), ids=TERMINAL)
def test_printed_text_is_what_a_terminal_shows_in_the_end(printed: str, expected: str) -> None:
    assert terminal_text(printed) == expected


def test_a_hundred_thousand_updates_of_a_bar_are_one_line() -> None:
    assert terminal_text("\r".join(f"{i:6}/99999" for i in range(100_000))) == " 99999/99999"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])).filter(lambda t: "0x" not in t))
def test_text_without_control_characters_is_itself(text: str) -> None:
    assert terminal_text(text) == text


@given(st.text(st.sampled_from("ab\r\b\n\x1b[]0;mK\x07\\\x9b")))
def test_no_control_character_is_left(text: str) -> None:
    assert set(terminal_text(text)).isdisjoint("\r\b\x1b\x07\x9b")


def test_a_real_figure_and_a_real_broken_one() -> None:
    figure = pytest.importorskip("PIL.Image").new("RGB", (4, 3))
    data = figure._repr_png_()
    whole = output_blocks({"image/png": encoded(data), "text/plain": "<Figure>"})
    assert whole.blocks[0]["type"] == "image"
    cut = output_blocks({"image/png": encoded(data[: len(data) // 2])})
    assert cut.blocks[0]["text"] == "[A figure (image/png) could not be sent.]"
    assert len(cut.notes) == 1
