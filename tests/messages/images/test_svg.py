"""An SVG is drawn without reading anything but itself, within bounds of time and memory."""

from __future__ import annotations

import base64
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import prepare
from claude_magic.messages.images.svg import MAX_DEPTH, MAX_ELEMENTS, MAX_SOURCE, inert, rasterise

RED = (255, 0, 0)
WHITE = (255, 255, 255)


def svg(inner: str, attributes: str = 'width="600" height="600"', before: str = "") -> bytes:
    return (
        f'{before}<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" {attributes}>{inner}</svg>'
    ).encode()


def png(pixels: tuple[int, int] = (20, 20), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, pixels, "red" if mode == "RGB" else 1).save(out, "PNG")
    return out.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def drawn(source: bytes, long_edge: int = 1568) -> Image.Image:
    return Image.open(io.BytesIO(rasterise(source, long_edge))).convert("RGB")


FULL = '<rect width="100%" height="100%" fill="red"/>'
FILTER = '<filter id="f" x="0" y="0" width="1" height="1">{}</filter><g filter="url(#f)">{}</g>'


DRAWS = {
    "a shape": svg(FULL),
    "a style sheet": svg("<style>.a{fill:red}</style><rect class='a' width='600' height='600'/>"),
    "a gradient by reference": svg(
        '<linearGradient id="a"><stop stop-color="red"/></linearGradient>'
        '<linearGradient id="b" xlink:href="#a"/>'
        "<rect width='600' height='600' style='fill:url(\"#b\")'/>"
    ),
    "a use of a shape": svg(
        '<defs><rect id="r" width="600" height="600" fill="red"/></defs><use xlink:href="#r"/>'
    ),
    "an image within": svg(f'<image width="600" height="600" xlink:href="{data_url(png())}"/>'),
    "a filter": svg(FILTER.format('<feFlood flood-color="red"/>', FULL)),
    "no namespace, as within html": b'<svg width="600" height="600">' + FULL.encode() + b"</svg>",
    "a prefix": (
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="600" height="600">'
        b'<s:rect width="600" height="600" fill="red"/></s:svg>'
    ),
    "a prolog and a doctype": svg(
        FULL,
        before='<?xml version="1.0" encoding="utf-8" standalone="no"?><!DOCTYPE svg PUBLIC '
        '"-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
    ),
    "utf-16": svg(FULL).decode().encode("utf-16"),
    "text and angle brackets": svg(FULL + "<text>a &lt;b&gt; &amp; c</text>"),
}


@pytest.mark.parametrize("source", DRAWS.values(), ids=DRAWS)
def test_what_an_svg_holds_itself_is_drawn(source: bytes) -> None:
    assert drawn(source).getpixel((300, 300)) == RED


def test_the_background_is_white() -> None:
    assert drawn(svg("")).getpixel((5, 5)) == WHITE


def test_text_is_drawn_in_the_fonts_of_the_system() -> None:
    assert drawn(svg('<text x="9" y="400" font-size="400">M</text>')).getextrema()[0][0] == 0


SIZES = {
    "pixels": ('width="800px" height="400"', (800, 400)),
    "points": ('width="460.8pt" height="345.6pt" viewBox="0 0 460.8 345.6"', (614, 461)),
    "millimetres": ('width="254mm" height="127mm"', (960, 480)),
    "view box only": ('viewBox="0 0 700 350"', (700, 350)),
    "per cent": ('width="100%" height="100%" viewBox="0 0 700 350"', (700, 350)),
    "width and view box": ('width="1000" viewBox="0 0 4 2"', (1000, 500)),
    "height and view box": ('height="300" viewBox="0 0 4,2"', (600, 300)),
    "nothing": ("", (512, 256)),
    "an icon is enlarged": ('width="24" height="24"', (512, 512)),
    "a large one is reduced": ('width="8000" height="4000"', (1568, 784)),
    "an absurd one is reduced": ('width="1e9" height="5e8"', (1568, 784)),
    "a line keeps a pixel": ('width="1e9" height="1"', (1568, 1)),
    "a bad view box": ('width="600" height="300" viewBox="0 0 x"', (600, 300)),
}


@pytest.mark.parametrize(("attributes", "expected"), SIZES.values(), ids=SIZES)
def test_the_size_is_that_of_a_browser_within_bounds(
    attributes: str, expected: tuple[int, int]
) -> None:
    assert drawn(svg("", attributes)).size == expected


def test_an_enlarged_icon_is_drawn_over_the_whole() -> None:
    source = svg('<rect width="24" height="24" fill="red"/>', 'width="24" height="24"')
    assert drawn(source).getpixel((500, 500)) == RED


INERT = {
    "script": "<script>alert(1)</script>",
    "script from outside": '<script href="http://{host}/a.js"/>',
    "event handler": "<g onload=\"fetch('http://{host}/')\"/>",
    "foreign object": '<foreignObject><i xmlns="http://www.w3.org/1999/xhtml">x</i></foreignObject>',
    "html within": '<img xmlns="http://www.w3.org/1999/xhtml" src="http://{host}/a.png"/>',
    "image over http": '<image href="http://{host}/a.png" width="600" height="600"/>',
    "image by xlink": '<image xlink:href="http://{host}/a.png" width="600" height="600"/>',
    "image of a file": '<image href="{file}" width="600" height="600"/>',
    "image of a file address": '<image href="file://{file}" width="600" height="600"/>',
    "image with both references": '<image href="{file}" xlink:href="#a" width="9" height="9"/>',
    "feImage of a file": FILTER.format('<feImage href="{file}"/>', FULL),
    "use from outside": '<use href="http://{host}/a.svg#x"/>',
    "use of a file": '<use xlink:href="{file}#x"/>',
    "svg within a data address": '<image href="{inner}" width="600" height="600"/>',
    "svg that says it is text": '<image href="{inner_text}" width="600" height="600"/>',
    "svg that says it is a png": '<image href="{inner_png}" width="600" height="600"/>',
    "style import": "<style>@import url(http://{host}/a.css);</style>",
    "font face": "<style>@font-face{{font-family:a;src:url('http://{host}/a.ttf')}}</style>",
    "style of a file": "<rect style='fill:url({file}#a)' width='0' height='9'/>",
    "link": '<a href="http://{host}/"><g/></a>',
    "style sheet instruction": '<?xml-stylesheet href="http://{host}/a.css"?>',
    "base": '<g xml:base="http://{host}/"><image href="a.png" width="9" height="9"/></g>',
}


@pytest.fixture
def beacon() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("inner", INERT.values(), ids=INERT)
def test_references_to_the_outside_are_not_followed(
    inner: str, beacon: socket.socket, tmp_path: Path
) -> None:
    """Nothing red comes from a file, no connection reaches the beacon, and no trace is left."""
    file = tmp_path / "red.png"
    file.write_bytes(png())
    host = f"127.0.0.1:{beacon.getsockname()[1]}"
    red_image = svg(f'<image href="{file}" width="600" height="600"/>')
    words = {
        "host": host,
        "file": file,
        "inner": data_url(red_image, "image/svg+xml"),
        "inner_text": data_url(red_image, "text/plain"),
        "inner_png": data_url(red_image),
    }
    source = svg(inner.format(**words))
    assert RED not in {colour for _, colour in drawn(source).getcolors(99999)}
    kept = inert(source).markup(9, 9)
    assert not any(trace in kept for trace in (host, str(file), "alert", "data:", "@import"))
    with pytest.raises(BlockingIOError):
        beacon.accept()


def test_without_the_guard_the_renderer_would_read_files(tmp_path: Path) -> None:
    """So the tests above can fail."""
    file = tmp_path / "red.png"
    file.write_bytes(png())
    source = svg(f'<image href="{file}" width="600" height="600"/>').decode()
    image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=source)))
    assert image.convert("RGB").getpixel((300, 300)) == RED


REFUSED = {
    "an entity of a DTD": svg("", before='<!DOCTYPE svg [<!ENTITY % a "b">]>'),
    "a DTD within": svg("", before='<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://e.org/a.dtd">%a;]>'),
    "an entity of a picture": svg(
        "", before='<!DOCTYPE svg [<!NOTATION p SYSTEM "p"><!ENTITY a SYSTEM "a.png" NDATA p>]>'
    ),
    "an entity that holds itself": svg("&a;", before='<!DOCTYPE svg [<!ENTITY a "&a;">]>'),
    "two that hold each other": svg(
        "&a;", before='<!DOCTYPE svg [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'
    ),
    "entities nested too deep": svg(
        "&a19;",
        before="<!DOCTYPE svg [<!ENTITY a0 'b'>"
        + "".join(f"<!ENTITY a{n} '&a{n - 1};'>" for n in range(1, 20))
        + "]>",
    ),
    "one long entity many times": svg(
        "&a;" * 1000, before=f'<!DOCTYPE svg [<!ENTITY a "{"b" * 100_000}">]>'
    ),
    "in an attribute": svg(
        f'<g id="{"&a;" * 1000}"/>', before=f'<!DOCTYPE svg [<!ENTITY a "{"b" * 100_000}">]>'
    ),
    "a long default of an attribute": svg(
        "<g/>" * 1000, before=f'<!DOCTYPE svg [<!ATTLIST g id CDATA "{"b" * 100_000}">]>'
    ),
    "markup of an entity that does not end": svg(
        "&a;", before='<!DOCTYPE svg [<!ENTITY a "<g>">]>'
    ),
    "entity bomb": svg(
        "&i;",
        before='<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
        + "".join(
            f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "]>",
    ),
    "entity from a file": svg("&a;", before='<!DOCTYPE svg [<!ENTITY a SYSTEM "/etc/passwd">]>'),
    "too large": svg("<!--" + " " * MAX_SOURCE + "-->"),
    "too deep": svg("<g>" * MAX_DEPTH + "</g>" * MAX_DEPTH),
    "too many elements": svg("<g/>" * MAX_ELEMENTS),
    "not well-formed": svg("<g>"),
    "an unknown encoding": svg("", before='<?xml version="1.0" encoding="nonsense"?>'),
    "something else": b'<svg xmlns="http://example.org/other"/>',
    "no area": svg("", 'width="0" height="5"'),
    "endless": svg("", 'width="1e999" height="5"'),
    "a use for each atom": svg(
        '<rect id="a0"/>'
        + "".join(f'<g id="a{i + 1}">' + f'<use href="#a{i}"/>' * 10 + "</g>" for i in range(12))
        + '<use href="#a12"/>'
    ),
    "a tile of terabytes": svg(
        '<pattern id="p" patternUnits="userSpaceOnUse" width="1000000" height="1000000">'
        '<rect width="1000000" height="1000000"/></pattern>'
        '<rect width="600" height="600" fill="url(#p)"/>'
    ),
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_safely_is_an_error(source: bytes) -> None:
    with pytest.raises(ImageError, match=r"SVG.*:"):
        rasterise(source, 1568)


ENDLESS = {
    "turbulence": '<feTurbulence baseFrequency="0.5" numOctaves="1000000"/>',
    "morphology": '<feMorphology operator="dilate" radius="100000"/>',
    "convolution": f'<feConvolveMatrix order="200" kernelMatrix="{"1 " * 40000}"/>',
}


@pytest.mark.parametrize("effect", ENDLESS.values(), ids=ENDLESS)
def test_a_filter_that_takes_for_ever_is_stopped(effect: str) -> None:
    with pytest.raises(ImageError, match=r"not drawn within 0\.3 s"):
        rasterise(svg(FILTER.format(effect, FULL)), 1568, seconds=0.3)


def test_an_image_within_that_is_a_bomb_is_left_out() -> None:
    bomb = data_url(png((20000, 20000), "1"))
    assert "data:" not in inert(svg(f'<image href="{bomb}" width="9" height="9"/>')).inner


def test_the_process_that_draws_is_given_no_key() -> None:
    """The variables that it is given are listed by name, and none can be a credential's."""
    from claude_magic.messages.images import svg as module

    assert not {n for n in module._ENVIRONMENT if "KEY" in n or "TOKEN" in n or "ANTHROPIC" in n}
    assert set(module._ENVIRONMENT) & set(os.environ)


def test_the_same_svg_gives_the_same_bytes() -> None:
    source = svg(FULL + '<text x="9" y="90" font-size="80">Mean</text>')
    assert rasterise(source, 1568) == rasterise(source, 1568)


@given(st.text(alphabet="<>&;/=\"'# :abcsvgxlinkhref!-[]?\n", max_size=120))
@settings(max_examples=300)
def test_random_markup_raises_nothing_but_our_error(inner: str) -> None:
    try:
        inert(svg(inner))
    except ImageError as error:
        assert "\n" not in str(error)


ADOBE = b"""<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
	<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
	<!ENTITY ns_svg "http://www.w3.org/2000/svg">
	<!ENTITY ns_xlink "http://www.w3.org/1999/xlink">
]>
<svg xmlns:x="&ns_extend;" xmlns="&ns_svg;" xmlns:xlink="&ns_xlink;" width="600" height="600">
<metadata><x:a/></metadata><rect width="600" height="600" fill="red"/></svg>
"""
DECLARED: dict[str, bytes] = {
    "namespaces, as Illustrator writes them": ADOBE,
    "a colour": svg(
        '<rect width="600" height="600" fill="&c;"/>', before='<!DOCTYPE svg [<!ENTITY c "red">]>'
    ),
    "a style": svg(
        '<rect width="600" height="600" style="&s;"/>',
        before='<!DOCTYPE svg [<!ENTITY c "red"><!ENTITY s "fill:&c;;stroke:none">]>',
    ),
    "a style sheet": svg(
        '<style>.a{&s;}</style><rect class="a" width="600" height="600"/>',
        before='<!DOCTYPE svg [<!ENTITY s "fill:red">]>',
    ),
    "an element": svg(
        "&shape;",
        before="<!DOCTYPE svg [<!ENTITY shape \"<rect width='600' height='600' fill='red'/>\">]>",
    ),
    "characters": svg(
        '<rect width="600" height="600" fill="&c;"/>',
        before='<!DOCTYPE svg [<!ENTITY c "&#114;ed"><!ENTITY lt "&#38;#60;">]>',
    ),
    "attributes": svg(
        '<rect width="600" height="600"/>',
        before='<!DOCTYPE svg [<!ATTLIST rect fill CDATA "red">]>',
    ),
    "elements": svg(FULL, before="<!DOCTYPE svg [<!ELEMENT svg ANY><!ELEMENT rect EMPTY>]>"),
    "a comment and nothing": svg(FULL, before="<!DOCTYPE svg [ <!-- ]> --> ]>"),
    "nothing": svg(FULL, before="<!DOCTYPE svg []>"),
    "only where a DTD is": svg(FULL, before='<!DOCTYPE svg SYSTEM "svg11.dtd">'),
}


@pytest.mark.met("N18")
@pytest.mark.parametrize("source", DECLARED.values(), ids=DECLARED)
def test_what_a_doctype_declares_within_the_file_is_drawn(source: bytes) -> None:
    assert drawn(source).getpixel((300, 300)) == RED
    assert prepare(source).width == 600


@pytest.mark.met("N18")
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE svg SYSTEM "http://{host}/a.dtd">',
        '<!DOCTYPE svg PUBLIC "a" "http://{host}/a.dtd" [<!ENTITY c "red">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "http://{host}/a.txt">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file://{file}">]>',
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://{host}/a.dtd">%a;]>',
    ],
)
@pytest.mark.parametrize("used", ["", "&a;"])
def test_nothing_that_a_doctype_names_elsewhere_is_loaded(
    doctype: str, used: str, beacon: socket.socket, tmp_path: Path
) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("secret")
    host = f"127.0.0.1:{beacon.getsockname()[1]}"
    source = svg(f"<text>{used}</text>", before=doctype.format(host=host, file=file))
    try:
        kept = inert(source).inner
    except ImageError as error:
        kept = str(error)
    assert "secret" not in kept
    with pytest.raises(BlockingIOError):
        beacon.accept()


@pytest.mark.met("N18")
def test_many_short_entities_are_drawn() -> None:
    doctype = '<!DOCTYPE svg [<!ENTITY c "red">]>'
    source = svg('<rect width="600" height="600" fill="&c;"/>' * 20_000, before=doctype)
    assert inert(source).inner.count('fill="red"') == 20_000
