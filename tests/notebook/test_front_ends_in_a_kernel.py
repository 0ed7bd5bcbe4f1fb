"""The same page, edited in the same ways in several front ends, gives the same requests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import Kernel, kernel
from tests.notebook.front_ends import JupyterLab, Jupytext, Older, Paired, VSCode, XeusPython
from tests.notebook.saved_page import prompts, question, requests

# By the row of docs/front-ends.md.
FRONT_ENDS = {
    "JupyterLab without its extension": JupyterLab,
    "VS Code": VSCode,
    "a file of nbformat 4.4": Older,
    "jupytext, a paired `.py`": Paired,
    "jupytext, a `.md`": Jupytext,
    "xeus-python": XeusPython,
}
Scenario = Callable[[JupyterLab, Kernel], Kernel]
PAGE = [
    question("First?"),
    question("Second?"),
    question("Third?"),
    question("Fourth?"),
]


def run_all(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    return here


def insert_above(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page.insert(1, question("Between?"))
    page.save()
    page.run(here, page["Between?"], page["Third?"])
    return here


def delete(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page.delete(page["Second?"])
    page.save()
    page.run(here, page["Fourth?"])
    return here


def move(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page.move(page["Third?"], 0)
    page.save()
    page.run(here, page["First?"], page["Second?"])
    return here


def edit(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page["Second?"].source = question("Other?")
    page.save()
    page.run(here, page["Other?"], page["Third?"])
    return here


def reload(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page.insert(0, question("Zeroth?"))
    page.save()
    page.run(here, page["Zeroth?"])
    page.save()
    page.reload()
    page.run(here)
    return here


def reload_and_edit(page: JupyterLab, here: Kernel) -> Kernel:
    page.run(here)
    page.save()
    page.insert(1, question("Between?"))
    page.save()
    page.reload()
    page["Third?"].source = question("Other?")
    page.save()
    page.run(here, page["Between?"], page["Other?"], page["Fourth?"])
    return here


SCENARIOS = [run_all, insert_above, delete, move, edit, reload, reload_and_edit]
# The user's words in the last request, and how many requests there were.
EXPECTED = {
    run_all: ("First Second Third Fourth", 4),
    insert_above: ("First Between Second Third", 6),
    delete: ("First Third Fourth", 5),
    move: ("Third First Second", 6),
    edit: ("First Other Third", 6),
    reload: ("Zeroth First Second Third Fourth", 10),  # a cell run twice in a row asks afresh
    reload_and_edit: ("First Between Second Other Fourth", 7),
}


def shows(column: str) -> pytest.MarkDecorator:
    """A test is run for each front end, and shows this of it."""
    marked = [
        pytest.param(front_end, marks=pytest.mark.front_end(row, column))
        for row, front_end in FRONT_ENDS.items()
    ]
    return pytest.mark.parametrize("front_end", marked)


@pytest.mark.met("P5")
@pytest.mark.parametrize("scenario", SCENARIOS)
@shows("moved, inserted, deleted")
def test_a_page_gives_the_same_requests_in_each_front_end(
    tmp_path: Path, front_end: type[JupyterLab], scenario: Scenario
) -> None:
    page = front_end(tmp_path / front_end.name, *PAGE)
    with kernel(tmp_path, command=page.command, JPY_SESSION_NAME=str(page.path)) as here:
        page.begin(here)
        asked = requests(scenario(page, here))
    assert said(asked[-1]) == EXPECTED[scenario][0]
    assert len(asked) == EXPECTED[scenario][1]


@pytest.mark.met("P5")
@shows("after a restart")
def test_after_a_restart_the_page_is_the_same_and_nothing_is_paid_again(
    tmp_path: Path, front_end: type[JupyterLab]
) -> None:
    page = front_end(tmp_path / front_end.name, *PAGE[:3])
    with kernel(tmp_path, command=page.command, JPY_SESSION_NAME=str(page.path)) as here:
        page.begin(here)
        page.run(here)
        page.save()
    page.reload()
    page.insert(1, question("Between?"))
    page.save()
    with kernel(tmp_path, command=page.command, JPY_SESSION_NAME=str(page.path)) as here:
        page.begin(here)
        page.run(here, page["First?"])
        assert requests(here) == []
        page.run(here, page["Third?"])
        assert requests(here) == []
        page.run(here, page["Between?"])
        assert said(requests(here)[-1]) == "First Between"
        page.run(here, page["Third?"])
        assert said(requests(here)[-1]) == "First Between Second Third"


def said(request: Any) -> str:
    """The questions of a request, from top to bottom."""
    return " ".join(prompt.rstrip("?") for prompt in prompts(request))
