"""`--check` counts every figure that a reader sees, whatever draws it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_magic.captions.notebooks.notebook_file import NotebookFile
from claude_magic.cli import main
from tests.captions.notebooks.notebook_samples import (
    BLUE,
    SVG,
    attachment,
    base64_of,
    code,
    displayed,
    markdown,
    saved,
    shown,
)

PLOTLY = {"application/vnd.plotly.v1+json": {"data": [], "layout": {}}}
VEGA = {"application/vnd.vegalite.v5+json": {"mark": "bar"}}
DATA_URL = f"data:image/png;base64,{base64_of(BLUE)}"
ALTAIR = (
    '<div id="altair-viz-1"></div><script>vegaEmbed("#altair-viz-1", {"$schema": "https://vega'
    '.github.io/schema/vega-lite/v5.json"})</script>'
)
BOKEH = '<div id="b" data-root-id="p1" style="display: contents;"></div>'
FOLIUM = '<div style="width:100%"><iframe srcdoc="&lt;div&gt;"></iframe></div>'
PLOTLY_PAGE = '<div class="plotly-graph-div" id="x"></div><script>Plotly.newPlot("x")</script>'


def html(source: str | list[str], metadata: Any = None) -> dict[str, Any]:
    return displayed({"text/html": source, "text/plain": ["<HTML>"]}, metadata)


# What a cell shows, and of each figure in it what it is and the alt text that it has.
SEEN: dict[str, tuple[dict[str, Any], list[tuple[str, str | None]]]] = {
    "a picture": (code("p()", shown()), [("", None)]),
    "Plotly alone": (code("p()", displayed(PLOTLY)), [("Plotly chart", None)]),
    "Plotly with its page": (
        code("p()", displayed({**PLOTLY, "text/html": PLOTLY_PAGE})),
        [("Plotly chart", None)],
    ),
    "Plotly beside a picture": (code("p()", shown(**PLOTLY)), [("", None)]),
    "Plotly as a page": (code("p()", html(PLOTLY_PAGE)), [("Plotly chart in HTML", None)]),
    "Altair": (code("p()", displayed(VEGA)), [("Vega-Lite chart", None)]),
    "Altair beside a picture": (code("p()", shown(**VEGA)), [("", None)]),
    "Altair as a page": (code("p()", html(ALTAIR)), [("Altair chart in HTML", None)]),
    "Bokeh": (code("p()", html(BOKEH)), [("Bokeh chart in HTML", None)]),
    "a map": (code("p()", html(FOLIUM)), [("iframe in HTML", None)]),
    "a canvas": (code("p()", html("<canvas></canvas>")), [("canvas in HTML", None)]),
    "an image in HTML": (code("p()", html(f'<img src="{DATA_URL}">')), [("image in HTML", None)]),
    "two in lines": (
        code("p()", html([f'<p><IMG src="{DATA_URL}"\n', ' alt="A line."><img src=x.png></p>'])),
        [("image in HTML", "A line."), ("image in HTML", None)],
    ),
    "one that is decorative": (
        code("p()", html('<img src="x.png" alt="">')),
        [("image in HTML", "")],
    ),
    "one whose alt text is its name": (
        code("p()", html('<img src="x.png" alt="x.png">')),
        [("image in HTML", None)],
    ),
    "an SVG in HTML": (code("p()", html(f"<div>{SVG}</div>")), [("SVG in HTML", None)]),
    "one with a title": (
        code("p()", html("<svg><title>Growth</title><g><svg></svg></g></svg>")),
        [("SVG in HTML", "Growth")],
    ),
    "one with a label": (
        code("p()", html('<svg aria-label="Growth"/>')),
        [("SVG in HTML", "Growth")],
    ),
    "one that is hidden": (
        code("p()", html('<svg aria-hidden="true"></svg>')),
        [("SVG in HTML", "")],
    ),
    "one that does not end": (code("p()", html("<svg><path>")), [("SVG in HTML", None)]),
    "a table": (code("p()", html("<table><tr><td>1</td></tr></table>")), []),
    "a script that names one": (code("p()", html("<script>'<img src=x>'</script>")), []),
    "text": (code("p()", displayed({"text/plain": "<img src=x>"})), []),
    "Markdown that is displayed": (
        code("p()", displayed({"text/markdown": "![](x.png) ![Growth](y.png)"})),
        [("image in Markdown", None), ("image in Markdown", "Growth")],
    ),
    "Markdown": (markdown("![](x.png) and ![A bee.](y.png)"), [("", None), ("", "A bee.")]),
    "HTML in Markdown": (markdown('<img src="x.png" width=3>'), [("", None)]),
    "an attachment": (
        markdown("![](attachment:b.png)", attachments={"b.png": attachment()}),
        [("", None)],
    ),
    "what the output's metadata say": (
        code("p()", displayed(PLOTLY, {"application/vnd.plotly.v1+json": {"alt": "Bars."}})),
        [("Plotly chart", "Bars.")],
    ),
    "what the metadata say of HTML": (
        code("p()", html("<canvas></canvas>", {"text/html": {"alt": "Dots."}})),
        [("canvas in HTML", "Dots.")],
    ),
}


@pytest.mark.met("C2")
@pytest.mark.parametrize("case", SEEN)
def test_each_is_listed_with_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    cell, figures = SEEN[case]
    path = saved(tmp_path / "n.ipynb", cell)
    assert [(f.what, f.alt) for f in NotebookFile(path).figures()] == figures
    missing = [n for n, (_, alt) in enumerate(figures, 1) if alt is None]
    status = main(["caption", "--check", str(path)])
    *lines, total = capsys.readouterr().out.splitlines()
    kind = "image" if cell["cell_type"] == "markdown" else "figure"
    assert [line.partition(" (")[0].removesuffix(": no alt text") for line in lines] == [
        f"{path}, cell 1, {kind} {n}" for n in missing
    ]
    for line, number in zip(lines, missing, strict=True):
        what = figures[number - 1][0]
        assert line.endswith(f"{number} ({what}): no alt text" if what else ": no alt text")
    assert total.startswith(f"{len(missing)} of {len(figures)} figure")
    assert status == bool(missing)


@pytest.mark.met("C2")
def test_one_that_is_marked_as_decorative_is_listed_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "n.ipynb", code("p()", displayed(PLOTLY), html("<canvas></canvas>")))
    assert main(["caption", "--decorative", "1.1,1.2", str(path)]) == 0
    assert main(["caption", "--check", str(path)]) == 0
    assert "0 of 2 figures" in capsys.readouterr().out


@pytest.mark.met("C2")
def test_what_holds_no_picture_is_not_asked_about_and_is_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", "offline")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    path = saved(tmp_path / "n.ipynb", code("p()", displayed(PLOTLY), shown()))
    assert main(["caption", "--write", str(path)]) == 0
    err = capsys.readouterr().err
    assert "1 captioned" in err and "1 without a picture to look at, which --check lists" in err
    assert main(["caption", "--check", str(path)]) == 1
