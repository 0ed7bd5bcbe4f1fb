"""The chips of what will go along with a question of the panel."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from claude_magic.notebook.context.outputs import Rendered, output_blocks
from claude_magic.notebook.context.question_context import CarriedCell
from claude_magic.notebook.page.recorder import Output, StreamText
from claude_magic.panel.questions import chips
from tests.messages.images.image_samples import photo, saved


def printed(words: str) -> Output:
    stream = StreamText()
    stream.write(words)
    return Output(2, text=stream)


def render(output: Output) -> Rendered:
    return output_blocks(output.bundle or {})


def kinds(source: str, *outputs: Output) -> list[str]:
    piece = CarriedCell(1, source, outputs)
    return [c["kind"] for c in chips([piece], {}, render=render, thumbnail=lambda _: "data:,")]


EMPTY: Mapping[str, Output] = {
    "nothing printed": printed(""),
    "spaces printed": printed(" \n\r\n"),
    "only colours": printed("\x1b[0m"),
    "a figure without axes": Output(2, {"text/plain": "<Figure size 640x480 with 0 Axes>"}),
    "an empty text": Output(2, {"text/plain": ""}),
    "no forms": Output(2, {}),
}
TOLD: Mapping[str, Any] = {
    "words": (printed("height"), "cell"),
    "an error": (Output(2, error="NameError: x"), "cell"),
    "a value": (Output(2, {"text/plain": "42"}), "cell"),
    "a chart": (Output(2, {"application/vnd.plotly.v1+json": {}, "text/plain": "x"}), "cell"),
    "a figure": (Output(2, {"image/png": saved(photo(6, 4))}), "figure"),
}


@pytest.mark.met("P9")
@pytest.mark.parametrize("output", EMPTY.values(), ids=EMPTY)
def test_an_output_of_which_nothing_goes_along_has_no_chip(output: Output) -> None:
    assert kinds("", output) == []
    assert kinds("plot(-1);", output) == ["cell"]


@pytest.mark.parametrize(("output", "kind"), TOLD.values(), ids=TOLD)
def test_an_output_of_which_something_goes_along_has_one(output: Output, kind: str) -> None:
    assert kinds("", output) == [kind]


def test_the_chip_of_html_that_is_a_picture_is_a_figure() -> None:
    address = f"data:image/png;base64,{b64encode(saved(photo(6, 4))).decode()}"
    assert kinds("", Output(2, {"text/html": f'<img src="{address}">'})) == ["figure"]
