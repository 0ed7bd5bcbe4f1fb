"""`%claude_caption` in a real kernel: what the request holds, what is shown, bound and recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kernels import Kernel, kernel

SETUP = """
import altair as alt, pandas as pd, matplotlib.pyplot as plt, plotly.graph_objects as go
sales = pd.DataFrame({"month": [1, 2, 3, 4], "sold": [12, 47, 31, 5]})
"""
MATPLOTLIB = "plt.plot(sales['month'], sales['sold'], label='sold'); plt.title('Sales');"
SHOWN = {
    "matplotlib": (MATPLOTLIB, "highest 47 at 2"),
    "matplotlib by last expression": (
        "fig, ax = plt.subplots()\nax.scatter([1, 2, 3], [6, 4, 2])\nplt.close(fig)\nfig",
        "correlation -1.00",
    ),
    "altair": (
        "alt.Chart(sales).mark_bar().encode(x='month:O', y='sold:Q')",
        "highest 2",
    ),
    "plotly, which has no picture here": (
        "go.Figure(go.Scatter(x=[1, 2, 3], y=[12, 47, 31], name='sold'))",
        "highest 47 at 2",
    ),
}


@pytest.fixture(scope="module")
def plotting(running_kernel: Kernel) -> Kernel:
    running_kernel.run(SETUP)
    return running_kernel


def last(kernel: Kernel) -> tuple[dict[str, Any], str]:
    """The body of the last request, and all text of its question."""
    body = kernel.requests()[-1]
    return body, "\n".join(b.get("text", "") for b in body["messages"][-1]["content"])


@pytest.mark.parametrize("case", SHOWN)
def test_the_numbers_behind_the_figure_above_go_along(plotting: Kernel, case: str) -> None:
    draw, numbers = SHOWN[case]
    plotting.run(draw, cell=f"draw-{case}")
    plotting.run("%claude_caption", cell=f"caption-{case}")
    body, said = last(plotting)
    assert numbers in said
    assert draw.splitlines()[-1] in said, "the code that drew it goes along too"
    images = [b for b in body["messages"][-1]["content"] if b["type"] == "image"]
    assert len(images) == ("plotly" not in case)
    assert len(body["messages"]) == 1, "a caption needs nothing of the conversation"


def test_the_request_asks_for_the_three_levels_of_a_description(plotting: Kernel) -> None:
    plotting.run(MATPLOTLIB)
    plotting.run("%claude_caption Write in French.")
    body, said = last(plotting)
    system = str(body["system"])
    for level in ("1. How it is built", "2. Statistics", "3. Trends and patterns"):
        assert level in system
    assert said.endswith("Write in French.")
    fields = body["output_config"]["format"]["schema"]["properties"]
    assert {"alt_text", "description", "x_axis", "y_axis", "trend", "warnings"} <= set(fields)


def test_the_caption_is_shown_with_its_cost_and_bound(plotting: Kernel) -> None:
    plotting.run("fig, ax = plt.subplots(); ax.bar(['ant', 'bee'], [3, 9]); plt.close(fig)")
    ran = plotting.run("%claude_caption -i fig -o caption")
    assert "bee 9" in last(plotting)[1]
    assert plotting.value("caption.alt_text") in ran.shown()
    assert "alt_text" in ran.shown("text/html")
    assert "$" in ran.shown()


def test_several_figures_are_captioned_one_by_one(plotting: Kernel) -> None:
    plotting.run(f"{MATPLOTLIB}\nplt.show()\nplt.plot([9, 8, 1]);", cell="two")
    before = len(plotting.requests())
    plotting.run("%claude_caption -i last:2 -o captions")
    assert plotting.value("[bool(c.alt_text) for c in captions]") == [True, True]
    assert len(plotting.requests()) == before + 2


def test_a_figure_that_is_gone_is_described_with_the_tables_of_its_cell(plotting: Kernel) -> None:
    draw = "from IPython.display import Image as Shown\nplt.plot(sales['sold'])\n"
    draw += "plt.savefig('kept.png'); plt.close(); Shown('kept.png')"
    plotting.run(draw, cell="saved")
    plotting.run("%claude_caption")
    assert "sales: 4 rows x 2 columns" in last(plotting)[1]


def test_of_closed_figures_only_the_newest_four_are_kept(plotting: Kernel) -> None:
    for number in range(6):
        plotting.run(f"plt.plot([{number}, 1]);", cell=f"kept-{number}")
    plotting.run("import gc; gc.collect()")
    runs = "get_ipython().magics_manager.registry['ClaudeMagics'].recorder.runs"
    mine = f"[r for r in {runs} if r.cell and 'kept-' in r.cell]"
    alive = f"[o.drawn() is not None for r in {mine} for o in r.outputs]"
    assert plotting.value(alive) == [False, False, True, True, True, True]


CHANGED = "The figure was changed after this picture of it was displayed"


@pytest.mark.met("N11")
def test_a_figure_that_was_changed_since_is_its_picture_without_data(plotting: Kernel) -> None:
    plotting.run("fig, ax = plt.subplots(); ax.plot([1, 77]); plt.close(fig)")
    plotting.run("from IPython.display import display\ndisplay(fig)", cell="older")
    plotting.run("%claude_caption -i last")
    body, said = last(plotting)
    assert "highest 77" in said and CHANGED not in said
    plotting.run("ax.clear(); ax.plot([1, 88]);", cell="changes")
    ran = plotting.run("%claude_caption -i last")
    body, said = last(plotting)
    assert "highest 77" not in said and "highest 88" not in said and CHANGED in said
    assert CHANGED in ran.shown(), "it is said to the user too"
    assert any(block["type"] == "image" for block in body["messages"][-1]["content"])
    ran = plotting.run("%claude_caption -i fig --write -q")
    assert "highest 88" in last(plotting)[1]
    assert "no output of this notebook shows it" in ran.shown(), "the output shows the older one"
    plotting.run("display(fig)", cell="newer")
    plotting.run("%claude_caption -i last:2")
    older, newer = plotting.requests()[-2:]
    assert "highest 88" not in str(older) and CHANGED in str(older)
    assert "highest 88" in str(newer) and CHANGED not in str(newer)


@pytest.mark.met("N11")
def test_a_chart_that_was_changed_since_is_told_by_what_was_displayed(plotting: Kernel) -> None:
    plotting.run("chart = go.Figure(go.Scatter(x=[1, 2, 3], y=[5, 77, 6])); chart", cell="chart")
    plotting.run("chart.data[0].y = [5, 88, 6]", cell="changes")
    plotting.run("%claude_caption -i last")
    assert "highest 77 at 2" in last(plotting)[1] and "88" not in last(plotting)[1]


def test_without_a_lab_it_is_said_how_the_alt_text_is_written(plotting: Kernel) -> None:
    plotting.run(MATPLOTLIB, cell="there")
    ran = plotting.run("%claude_caption --write -q")
    assert "claude-magic caption NOTEBOOK --write" in ran.shown()
    plotting.run("with alt.renderers.enable('png'):\n  display(alt.Chart(sales).mark_bar())")
    ran = plotting.run("%claude_caption --write -q")
    assert "claude-magic caption NOTEBOOK --write" in ran.shown(), "an image given as bytes"
    plotting.run("go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))")
    assert "holds no image" in plotting.run("%claude_caption --write -q").shown()
    ran = plotting.run("%claude_caption -i kept.png --write -q")
    assert "no output of this notebook shows it" in ran.shown()


@pytest.mark.parametrize(
    ("line", "error"),
    {
        "an option that no caption has": ("--tools web", "no such option"),
        "a name that is none": ("-i nosuch", "-i nosuch"),
        "a value that is no image": ("-i sales", "-i sales"),
    }.values(),
)
def test_what_is_no_caption_is_one_line(plotting: Kernel, line: str, error: str) -> None:
    before = len(plotting.requests())
    ran = plotting.run(f"%claude_caption {line}", ok=False)
    assert error in ran.error and "\n" not in ran.error.strip()
    assert len(plotting.requests()) == before


def test_a_dry_run_sends_nothing(plotting: Kernel) -> None:
    plotting.run(MATPLOTLIB)
    before = len(plotting.requests())
    assert "highest 47 at 2" in plotting.run("%claude_caption --dry-run").shown()
    assert len(plotting.requests()) == before


def test_a_caption_is_no_part_of_the_conversation(plotting: Kernel) -> None:
    plotting.run(MATPLOTLIB, cell="plot")
    plotting.run("%claude_caption", cell="caption")
    plotting.run("%claude What is it?", cell="question")
    body, said = last(plotting)
    assert len(body["messages"]) == 1 and "alternatives" not in said
    assert any(b["type"] == "image" for b in body["messages"][0]["content"])


def test_running_all_again_in_a_new_kernel_pays_for_no_caption_twice(tmp_path: Path) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2], [12, 47]);"
    cells = [plot, "%claude_caption -o caption"]
    shown = []
    for asked in (1, 0):
        with kernel(tmp_path) as fresh:
            for number, source in enumerate(cells):
                ran = fresh.run(source, cell=f"cell-{number}")
            shown.append(fresh.value("caption.alt_text"))
            sent = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"
            count = fresh.value(f"len({sent}.requests) if {sent} else 0")
            assert count == asked
            assert shown[-1] in ran.shown()
    assert shown[0] == shown[1]
