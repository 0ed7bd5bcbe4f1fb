"""A notebook's figures, and the alt text written into its file: nothing else changes there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_magic.captions.notebooks.notebook_file import NotebookFile
from claude_magic.messages.errors import InputError
from claude_magic.messages.images.prepare import prepare
from tests.captions.notebooks.notebook_samples import (
    BLUE,
    GREEN,
    RED,
    SVG,
    attachment,
    code,
    displayed,
    markdown,
    notebook,
    saved,
    shown,
)


def opened(folder: Path, *cells: dict[str, Any], **style: Any) -> NotebookFile:
    return NotebookFile(saved(folder / "paper.ipynb", *cells, **style))


def alts(file: NotebookFile) -> list[str | None]:
    return [figure.alt for figure in file.figures()]


def test_the_figures_of_outputs_and_of_markdown_are_found_in_order(tmp_path: Path) -> None:
    (tmp_path / "own.png").write_bytes(GREEN)
    file = opened(
        tmp_path,
        markdown("# Title\n![](attachment:b.png)", attachments={"b.png": attachment(BLUE)}),
        code("plot()", shown(RED), {"output_type": "stream", "name": "stdout", "text": ["x"]}),
        markdown("![](own.png) and ![](https://e.org/x.png)"),
        code("table()", displayed({"text/html": "x"})),
        code("two()", shown(RED), shown(BLUE)),
    )
    assert [figure.name for figure in file.figures()] == [
        "cell 1, image 1",
        "cell 2, figure 1",
        "cell 3, image 1",
        "cell 3, image 2",
        "cell 5, figure 1",
        "cell 5, figure 2",
    ]


def test_each_figure_can_be_sent(tmp_path: Path) -> None:
    (tmp_path / "own file.png").write_bytes(GREEN)
    file = opened(
        tmp_path,
        markdown("![](attachment:b%20c.png)", attachments={"b c.png": attachment(BLUE)}),
        code("plot()", shown(RED)),
        markdown("![](own%20file.png?x=1)"),
        code(
            "svg()",
            displayed({"image/svg+xml": [SVG]}),
        ),
    )
    prepared = [prepare(figure.source) for figure in file.figures()]
    assert len({p.digest for p in prepared}) == 4
    assert {(p.width, p.height) for p in prepared[:3]} == {(60, 40)}


def test_code_and_text_around_go_along(tmp_path: Path) -> None:
    file = opened(
        tmp_path,
        markdown("Long ago"),
        markdown("Before"),
        code("other()"),
        code("plot()\n", shown()),
        markdown("After ![](x.png) it"),
    )
    figure, image = file.figures()
    assert (figure.code, figure.before, figure.after) == (
        "plot()\n",
        "Before",
        "After ![](x.png) it",
    )
    assert (image.before, image.after) == ("After", "it")


def test_the_specification_beside_a_picture_goes_along_as_data(tmp_path: Path) -> None:
    spec = {"data": [{"type": "bar", "x": ["u"], "y": [3]}], "layout": {}}
    file = opened(tmp_path, code("p()", shown(**{"application/vnd.plotly.v1+json": spec})))
    assert "bars: 1: u 3" in file.figures()[0].data


DESCRIBED = {
    "none": (code("p()", shown()), None),
    "by media type": (code("p()", shown(metadata={"image/png": {"alt": "A"}})), "A"),
    "of the output": (code("p()", shown(metadata={"alt": "A"})), "A"),
    "of the cell": (code("p()", shown(), alt="A"), "A"),
    "decorative": (code("p()", shown(metadata={"image/png": {"alt": ""}})), ""),
    "metadata for something else": (
        code("p()", shown(metadata={"image/png": {"width": 9}, "needs_background": "light"})),
        None,
    ),
    "metadata of a wrong form": (code("p()", shown(metadata={"image/png": 3, "alt": [1]})), None),
}


@pytest.mark.parametrize("case", DESCRIBED)
def test_an_alt_text_is_found_where_exporters_find_it(tmp_path: Path, case: str) -> None:
    cell, alt = DESCRIBED[case]
    assert alts(opened(tmp_path, cell)) == [alt]


def test_a_tagged_cell_has_decorative_figures(tmp_path: Path) -> None:
    file = opened(tmp_path, code("p()", shown(), tags=["decorative"]), code("q()", shown()))
    assert [figure.described for figure in file.figures()] == [True, False]


STYLES = {
    "as Jupyter writes": {},
    "two spaces": {"indent": 2},
    "tabs": {"indent": "\t"},
    "in one line": {"indent": None},
    "without spaces": {"indent": None, "separators": (",", ":")},
    "escaped": {"ensure_ascii": True},
    "keys as they came": {"sort_keys": False},
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"image/png": {"alt": "old"}},
        {"image/png": {"width": 9}},
        {"image/png": {"alpha": 1, "width": 9}},
        {"needs_background": "light"},
        {"execution": {}, "isolated": True},
    ],
    ids=["empty", "old alt text", "a width", "two entries", "another key", "keys around"],
)
def test_the_file_is_what_its_author_would_have_written(
    tmp_path: Path, style: str, metadata: dict[str, Any]
) -> None:
    """Byte for byte: the same notebook with the alt text in it, dumped in the same style."""
    cells = [markdown("Käse"), code("p()", shown(metadata=metadata))]
    file = opened(tmp_path, *cells, **STYLES[style])
    new = file.with_alts({(2, 1): "Linie é"})
    about = {**metadata.get("image/png", {}), "alt": "Linie é"}
    ordered = STYLES[style].get("sort_keys", True)
    if not ordered:
        about = dict(sorted(about.items()))
    wanted = {**metadata, "image/png": about}
    if not ordered:
        wanted = dict(sorted(wanted.items()))
    cell = code("p()", shown(metadata=wanted), **{"fig-alt": ["Linie é"]})
    other = saved(tmp_path / "other.ipynb", cells[0], cell, **STYLES[style])
    assert new == other.read_text(encoding="utf-8")


def test_windows_line_ends_and_the_end_of_the_file_stay(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.ipynb", code("p()", shown()))
    crlf = path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n"
    path.write_bytes(crlf)
    new = NotebookFile(path).with_alts({(1, 1): "new"}).encode()
    assert b"\n" not in new.replace(b"\r\n", b"")
    assert new.endswith(b"}\r\n\r\n")
    assert json.loads(new) == {
        **json.loads(crlf),
        "cells": [
            code("p()", shown(metadata={"image/png": {"alt": "new"}}), **{"fig-alt": ["new"]})
        ],
    }


def test_all_forms_of_one_picture_get_the_alt_text(tmp_path: Path) -> None:
    file = opened(tmp_path, code("p()", shown(**{"image/svg+xml": [SVG]})))
    new = json.loads(file.with_alts({(1, 1): "new"}))
    assert new["cells"][0]["outputs"][0]["metadata"] == {
        "image/png": {"alt": "new"},
        "image/svg+xml": {"alt": "new"},
    }


@pytest.mark.parametrize("source", ["one string", "a list of lines"])
@pytest.mark.parametrize("style", STYLES)
def test_markdown_changes_in_its_brackets_alone(tmp_path: Path, style: str, source: str) -> None:
    text = 'Ä "quoted"\ttab\n![](a.png) and ![b c](b.png)\nend \U0001f41d'
    cell = markdown(text)
    if source == "one string":
        cell["source"] = text
    file = opened(tmp_path, cell, **STYLES[style])
    new = file.with_alts({(1, 1): 'A "line"\\ é', (1, 2): "bee"})
    wanted = text.replace("![](", '![A "line"\\\\ é](').replace("b c", "bee")
    cell = {**cell, "source": wanted if source == "one string" else wanted.splitlines(True)}
    other = saved(tmp_path / "other.ipynb", cell, **STYLES[style])
    assert new == other.read_text(encoding="utf-8")


def test_an_alt_text_over_two_lines_of_markdown_is_replaced(tmp_path: Path) -> None:
    file = opened(tmp_path, markdown("x\n![old\nwords here](a.png)\nend"))
    new = json.loads(file.with_alts({(1, 1): "new"}))
    assert "".join(new["cells"][0]["source"]) == "x\n![new](a.png)\nend"


ALT = st.text(st.characters(exclude_categories=("Cc",)), min_size=1, max_size=30)
CELLS = st.lists(
    st.one_of(
        st.sampled_from([RED, BLUE]).map(lambda image: code("p()", shown(image))),
        st.just(code("q()", shown(metadata={"image/png": {"alt": "old"}}), shown(BLUE))),
        st.just(markdown("text ![](a.png) *more* ![x y](b.png)\n\n- ![](c.png)")),
        st.just(markdown("no image")),
        st.just(code("nothing()")),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(CELLS, st.data(), st.sampled_from(list(STYLES)))
def test_any_choice_of_figures_leaves_everything_else(
    tmp_path: Path, cells: list[dict[str, Any]], data: st.DataObject, style: str
) -> None:
    file = opened(tmp_path, *cells, **STYLES[style])
    figures = file.figures()
    if not figures:
        return
    chosen = data.draw(st.lists(st.sampled_from(figures), unique_by=lambda f: f.name))
    wanted = {(f.cell, f.place): data.draw(ALT) for f in chosen}
    wanted = {key: alt for key, alt in wanted.items() if alt.strip()}
    try:
        new = file.with_alts(wanted)
    except InputError as error:
        assert "by hand" in str(error)
        return
    path = tmp_path / "new.ipynb"
    path.write_text(new, encoding="utf-8", newline="")
    after = NotebookFile(path)
    for before, now in zip(figures, after.figures(), strict=True):
        alt = wanted.get((before.cell, before.place))
        if alt is None:
            assert now.alt == before.alt
        elif before.in_markdown:
            assert now.alt == " ".join(alt.split())
        else:
            assert now.alt == alt
    back = {(f.cell, f.place): "SAME" for f in figures}
    assert after.with_alts(back) == file.with_alts(back)


PRINTED = {"output_type": "stream", "name": "stdout", "text": ["x"]}
OLD = {"image/png": {"alt": "old"}}
# Of a cell's outputs the second is described as "new": what Quarto then reads, and what was there.
FOR_QUARTO: dict[str, tuple[dict[str, Any], Any]] = {
    "outputs of every kind count": (code("p()", PRINTED, shown(RED), PRINTED), ["", "new", ""]),
    "with those that have alt text": (code("p()", shown(RED, OLD), shown(BLUE)), ["old", "new"]),
    "in the place of an earlier list": (
        code("p()", PRINTED, shown(RED, OLD), **{"fig-alt": ["", "old"]}),
        ["", "new"],
    ),
    "not in the place of a text of the user": (
        code("p()", PRINTED, shown(RED), **{"fig-alt": "Mine"}),
        "Mine",
    ),
    "not beside one in the source": (
        code("#| fig-alt: Mine\np()", PRINTED, shown(RED)),
        None,
    ),
}


@pytest.mark.met("C1")
@pytest.mark.parametrize("what", FOR_QUARTO)
def test_quarto_finds_the_alt_texts_of_a_cells_outputs_in_its_metadata(
    tmp_path: Path, what: str
) -> None:
    cell, wanted = FOR_QUARTO[what]
    file = opened(tmp_path, cell)
    places = [figure.place for figure in file.figures()]
    new = json.loads(file.with_alts({(1, places[-1]): "new"}))
    assert new["cells"][0]["metadata"].get("fig-alt") == wanted
    assert new["cells"][0]["source"] == cell["source"]


def test_what_is_written_is_a_valid_notebook(tmp_path: Path) -> None:
    file = opened(tmp_path, code("p()", shown()), markdown("![](a.png)"))
    file.write(file.with_alts({(1, 1): "one", (2, 1): "two"}))
    nbformat.validate(nbformat.read(file.path, as_version=4))
    assert alts(NotebookFile(file.path)) == ["one", "two"]


def test_saving_it_again_in_jupyter_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.from_dict(notebook(code("p()", shown()))), path)
    file = NotebookFile(path)
    file.write(file.with_alts({(1, 1): "new"}))
    written = path.read_bytes()
    nbformat.write(nbformat.read(path, as_version=4), path)
    assert path.read_bytes() == written


def test_the_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real = saved(tmp_path / "real.ipynb", code("p()", shown()))
    real.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to(real)
    file = NotebookFile(link)
    file.write(file.with_alts({(1, 1): "new"}))
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert alts(NotebookFile(real)) == ["new"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.ipynb", "real.ipynb"]


def test_a_file_that_was_saved_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = opened(tmp_path, code("p()", shown()))
    text = file.with_alts({(1, 1): "new"})
    saved(file.path, code("q()", shown()))
    theirs = file.path.read_bytes()
    with pytest.raises(InputError, match="saved meanwhile: run this again"):
        file.write(text)
    assert file.path.read_bytes() == theirs


def test_a_folder_that_takes_no_file_is_said(tmp_path: Path) -> None:
    file = opened(tmp_path, code("p()", shown()))
    text = file.with_alts({(1, 1): "new"})
    inner = tmp_path / "paper.ipynb"
    content = inner.read_bytes()
    inner.unlink()
    inner.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        file.write(text)
    assert content


BROKEN = {
    "not there": (None, "cannot be read"),
    "no JSON": (b"{", r"x\.ipynb: this is no JSON"),
    "not UTF-8": (b'{"cells": ["\xff"]}', "is not UTF-8"),
    "no cells": (b"{}", "is no notebook"),
    "empty": (b" \n", "is empty"),
    "an old format": (b'{"worksheets": []}', r"nbconvert --to notebook --inplace \S*/x\.ipynb$"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_notebook_is_said(tmp_path: Path, case: str) -> None:
    content, said = BROKEN[case]
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        NotebookFile(path)


STRANGE = [
    {"cells": [3, None, {"cell_type": "code"}, {"cell_type": "markdown", "source": 3}]},
    {"cells": [{"cell_type": "code", "outputs": {"a": 1}}]},
    {"cells": [{"cell_type": "code", "outputs": [3, {"data": []}, {"data": {"image/png": 3}}]}]},
    {"cells": [{"cell_type": "markdown", "source": "![](attachment:x)", "attachments": 3}]},
    {"cells": [{"cell_type": "code", "metadata": {"tags": 3}, "outputs": []}]},
]


@pytest.mark.parametrize("content", STRANGE, ids=range(len(STRANGE)))
def test_a_notebook_of_a_strange_form_is_survived(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(content))
    file = NotebookFile(path)
    assert file.with_alts({}) == file.text
    assert all(figure.alt is None for figure in file.figures())


def test_an_output_without_metadata_gets_some(tmp_path: Path) -> None:
    output = shown()
    del output["metadata"]
    file = opened(tmp_path, code("p()", output))
    path = tmp_path / "new.ipynb"
    path.write_text(file.with_alts({(1, 1): "new"}), encoding="utf-8")
    assert alts(NotebookFile(path)) == ["new"]


def test_a_figure_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no figure 2 in cell 1"):
        opened(tmp_path, code("p()", shown())).with_alts({(1, 2): "new"})
