"""Whatever a cell displays reaches the server as exactly one correct block, or as honest text.

Each case runs in a real kernel; what is checked are the bytes that the server received.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.kernels import Kernel

SETUP = """
import base64
import io
import matplotlib.pyplot as plt
from IPython.display import SVG, Image as Shown, display, update_display
from PIL import Image

def encoded(kind, size=(60, 30), **said):
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **said)
    return file.getvalue()

Image.new("RGB", (60, 30), "teal").save("teal.png")
fig, ax = plt.subplots(figsize=(2, 1))
ax.plot([1, 3, 2])
plt.close(fig)
"""

SVG_SOURCE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30">'
    '<rect width="60" height="30" fill="teal"/></svg>'
)

# What the cell runs, and the media type that the server gets.
ONE_IMAGE = {
    "matplotlib by show": ("plt.figure(figsize=(2, 1)); plt.plot([1, 2]); plt.show()", "png"),
    "matplotlib at the end of the cell": ("plt.figure(figsize=(2, 1)); plt.plot([1, 2]);", "png"),
    "matplotlib by last expression": ("fig", "png"),
    "matplotlib axes, shown once by the inline backend": (
        "plt.figure(figsize=(2, 1)).gca().plot([1, 2])",
        "png",
    ),
    "PIL by last expression, offered as PNG and JPEG": ("Image.new('RGB', (60, 30), 'teal')", ""),
    "PIL by display": ("display(Image.new('RGB', (60, 30), 'teal'))", ""),
    "IPython Image of bytes": ("Shown(data=encoded('PNG'))", "png"),
    "IPython Image of a path": ("Shown('teal.png')", "png"),
    "SVG, drawn large enough to be read": (f"SVG({SVG_SOURCE!r})", "png"),
    "JPEG": ("Shown(data=encoded('JPEG'))", "jpeg"),
    "GIF": ("Shown(data=encoded('GIF'), format='gif')", "gif"),
    "WebP": (  # as a bundle: the Image of IPython 7 knows no WebP
        "display({'image/webp': base64.b64encode(encoded('WEBP')).decode()}, raw=True)",
        "webp",
    ),
    "Altair": (
        "import altair, pandas\n"
        "data = pandas.DataFrame({'a': [1, 2], 'b': [3, 4]})\n"
        "altair.Chart(data, width=60, height=30).mark_point().encode(x='a', y='b')",
        "png",
    ),
    "an updated display": (
        "shown = display(Shown(data=encoded('PNG', (10, 10))), display_id=True)\n"
        "shown.update(Shown(data=encoded('PNG')))",
        "png",
    ),
    "a cleared output": (
        "from IPython.display import clear_output\n"
        "display(Shown(data=encoded('PNG', (10, 10))))\n"
        "clear_output()\n"
        "display(Shown(data=encoded('PNG')))",
        "png",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def prepared(running_kernel: Kernel) -> None:
    running_kernel.run(SETUP)


def asked(kernel: Kernel) -> list[dict[str, Any]]:
    """The content that the last question sent, as blocks."""
    content = kernel.requests()[-1]["messages"][-1]["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def images(blocks: list[dict[str, Any]]) -> list[Image.Image]:
    found = []
    for block in blocks:
        if block["type"] == "image" and block["source"]["type"] == "base64":
            source = block["source"]
            image = Image.open(io.BytesIO(base64.b64decode(source["data"], validate=True)))
            assert Image.MIME[str(image.format)] == source["media_type"]
            image.load()
            found.append(image)
    return found


@pytest.mark.parametrize("case", ONE_IMAGE)
def test_reaches_the_server_as_one_correct_image(running_kernel: Kernel, case: str) -> None:
    source, kind = ONE_IMAGE[case]
    running_kernel.run("%claude Start afresh")
    running_kernel.run(source)
    ran = running_kernel.run("%claude What is it?")
    (image,) = images(asked(running_kernel))
    assert "1 cell, 1 figure" in ran.shown()
    assert ran.shown("text/html").count("claude-magic-thumbnail") >= 1
    if kind:
        assert image.format == kind.upper()
    if "matplotlib" not in case and case != "Altair":
        assert image.size == ((512, 256) if "SVG" in case else (60, 30))
        r, g, b = image.convert("RGB").getpixel((image.width // 2, 15))
        assert abs(r) < 8
        assert abs(g - 128) < 8
        assert abs(b - 128) < 8


def test_plotly_goes_as_a_picture_or_says_what_it_shows(running_kernel: Kernel) -> None:
    """Without its picture engine a Plotly figure is sent as its description, and that is said."""
    running_kernel.run("%claude Start afresh")
    running_kernel.run(
        "import plotly.graph_objects as go\n"
        "go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name='growth'))"
    )
    running_kernel.run("%claude What is it?")
    blocks = asked(running_kernel)
    found = images(blocks)
    said = "".join(str(b.get("text", "")) for b in blocks)
    assert len(found) == 1 or "growth" in said.split("</cell", 1)[1]


def test_only_the_nearest_twenty_figures_go_along(running_kernel: Kernel) -> None:
    running_kernel.run("%claude Start afresh")
    running_kernel.run("for n in range(22): display(Image.new('RGB', (60 + n, 30), 'teal'))")
    ran = running_kernel.run("%claude What are they?")
    assert [i.width for i in images(asked(running_kernel))] == [*range(62, 82)]
    assert "2 figures farther above left out: 20 go along" in ran.shown()


BROKEN = {
    "text labelled image/png": ("display({'image/png': 'aGVsbG8='}, raw=True)"),
    "a truncated JPEG": (
        "import base64\n"
        "half = base64.b64encode(encoded('JPEG')[:300]).decode()\n"
        "display({'image/jpeg': half}, raw=True)"
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_image_that_is_none_is_left_out_and_that_is_said(
    running_kernel: Kernel, case: str
) -> None:
    running_kernel.run("%claude Start afresh")
    running_kernel.run(BROKEN[case])
    ran = running_kernel.run("%claude What is it?")
    assert images(asked(running_kernel)) == []
    assert "left out" in ran.shown()


CHOSEN = {
    "a variable": ("-i fig", 1),
    "an expression": ("-i Image.new('RGB',(20,20))", 1),
    "a path": ("-i teal.png", 1),
    "a list of them": ("-i fig,teal.png", 2),
    "the option twice": ("-i fig -i teal.png", 2),
    "the last output": ("-i last", 1),
    "the last two outputs": ("-i last:2", 2),
    "none": ("-i none", 0),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_images_are_chosen_by(running_kernel: Kernel, case: str) -> None:
    options, number = CHOSEN[case]
    running_kernel.run("display(Image.new('RGB', (60, 30), 'teal'), Image.new('RGB', (50, 30)))")
    running_kernel.run(f"%claude {options} -c none What is it?")
    assert len(images(asked(running_kernel))) == number


def test_an_address_is_sent_as_an_address(running_kernel: Kernel) -> None:
    running_kernel.run("%claude -i https://example.org/ant.jpg -c none What is it?")
    assert asked(running_kernel)[0]["source"] == {
        "type": "url",
        "url": "https://example.org/ant.jpg",
    }


def test_images_go_down_to_1568_pixels_and_with_hires_to_the_models_limit(
    running_kernel: Kernel, shared_folder: Path
) -> None:
    Image.new("RGB", (3000, 300), "teal").save(shared_folder / "wide.png")
    running_kernel.run("%claude -i wide.png --alone -c none What is it?")
    assert images(asked(running_kernel))[0].size == (1568, 157)
    running_kernel.run("%claude -i wide.png --hires --alone -c none What is it?")
    assert images(asked(running_kernel))[0].size == (2576, 258)


def test_a_request_with_over_20_images_holds_none_over_2000_pixels(
    running_kernel: Kernel, shared_folder: Path
) -> None:
    """The API refuses larger ones there, those of earlier turns too."""
    Image.new("RGB", (3000, 300), "teal").save(shared_folder / "wide.png")
    running_kernel.run("%claude -i wide.png --hires -c none What is it?")
    running_kernel.run("%claude -i [fig]*21 -c none And these?")
    sent = [
        image
        for message in running_kernel.requests()[-1]["messages"]
        if not isinstance(message["content"], str)
        for image in images(message["content"])
    ]
    assert len(sent) > 20
    assert max(max(image.size) for image in sent) <= 2000


def test_python_asks_by_the_same_path(running_kernel: Kernel) -> None:
    running_kernel.run(
        "import claude_magic\nreply = claude_magic.ask('What is it?', images=[fig, 'teal.png'])"
    )
    blocks = asked(running_kernel)
    assert [i.format for i in images(blocks)] == ["PNG", "PNG"]
    assert blocks[-1]["text"] == "What is it?"
    assert "offline server" in running_kernel.value("reply.text")


STACK = """
pages = [
    Image.frombytes("I;16", (64, 32), (high.to_bytes(2, "little") * 32 + bytes(64)) * 32)
    for high in (1000, 2000, 3000)
]
pages[0].save("stack.tif", save_all=True, append_images=pages[1:])
"""
# What is asked, and what is said of the picture.
SAID = {
    "%claude -i stack.tif[2] What is it?": "page 2 of 3; 16 bit, shown from 0 to 2,000 of 65,535",
    "%claude -i stack.tif What is it?": "page 1 of 3; 16 bit, shown from 0 to 1,000 of 65,535",
    "%claude -i pages[2] What is it?": "16 bit, shown from 0 to 3,000 of 65,535",
    "%claude_caption -i stack.tif[3]": "page 3 of 3; 16 bit, shown from 0 to 3,000 of 65,535",
}


@pytest.mark.met("N13", "N14")
@pytest.mark.parametrize("line", SAID)
def test_how_a_picture_is_shown_is_said_in_the_request_and_in_the_header(
    running_kernel: Kernel, line: str
) -> None:
    running_kernel.run("%claude Start afresh")
    running_kernel.run(STACK)
    ran = running_kernel.run(line)
    blocks = asked(running_kernel)
    (image,) = images(blocks)
    assert image.convert("L").getpixel((5, 5)) == 255
    assert {"type": "text", "text": f"[Of the image above: {SAID[line]}.]"} in blocks
    if "caption" not in line:
        assert SAID[line] in ran.shown()


@pytest.mark.met("N14")
def test_a_page_that_is_not_there_is_one_line_in_the_cell(running_kernel: Kernel) -> None:
    running_kernel.run(STACK)
    error = running_kernel.run("%claude -i stack.tif[9] What is it?", ok=False).error
    assert "\n" not in error.strip()
    assert "there is no page [9]: it has 3 pages, which count from 1" in error


@pytest.mark.met("N13")
def test_how_a_displayed_picture_is_shown_is_said_below_it(running_kernel: Kernel) -> None:
    running_kernel.run("%claude Start afresh")
    running_kernel.run(f"{STACK}\npages[0].save('deep.png')\nShown('deep.png')")
    ran = running_kernel.run("%claude What is it?")
    words = "16 bit, shown from 0 to 1,000 of 65,535"
    said = "".join(str(block.get("text", "")) for block in asked(running_kernel))
    assert f"[Of the image above: {words}.]" in said
    assert words in ran.shown()
    assert "1 cell, 1 figure" in ran.shown()
