"""docs/front-ends.md, made of the tests' marks and of what passed.

`python -m tests.front_ends.table` writes it. A test says by `@pytest.mark.front_end(ROW, COLUMN)`
what it shows to work, with a third word where that is not "yes". `--check` says where the file is
not what the marks say; without it the file is written, from those tests that passed when they last
ran here.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "front-ends.md"
PASSED = ROOT / "test-artifacts" / "front-ends.jsonl"
MARK = "front_end"

# What a row is, and how it is played.
ROWS = {
    "JupyterLab": "the real one in a Chromium, with the extension that the package installs",
    "JupyterLab in two tabs": "with jupyter-collaboration: `make collaboration`",
    "Notebook 7": "the real one in a Chromium",
    "JupyterLab without its extension": "a kernel that gets the messages of a page, and its path",
    "a file of nbformat 4.4": "such a page, whose cells have other ids each time it is opened",
    "VS Code": "a kernel that gets its messages: ids that are addresses, given anew by each window",
    "Colab": "a kernel with the versions that Colab pins: `make colab`; no page is known",
    "jupytext, a paired `.py`": "the page is opened by the script; an `.ipynb` stands beside it",
    "jupytext, a `.md`": "the page is text: it has neither ids nor outputs",
    "xeus-python": "its kernel instead of ipykernel, on a page of JupyterLab without our extension",
    "loaded by `ipython_config.py`": "no cell loads the extension",
    "papermill": "`papermill.execute_notebook`",
    "nbclient": "`NotebookClient`, as in `nbconvert --execute`",
    "`jupyter console`": "the program, in a terminal of its own",
    "IPython in a terminal": "the program, in a terminal of its own",
}
COLUMNS = (
    *("answers", "cells above", "Markdown", "figures", "moved, inserted, deleted"),
    *("after a restart", "panel", "tools", "JSON", "help", "completion"),
)
ABOVE = """\
# Front ends

What works where. A *yes* is a test that plays the front end against a real kernel; other \
words are tested as well; where nothing stands, nothing was tried.
"""
BELOW = """\
- **Markdown, figures**: whether they go along with a question below them.
- **moved, inserted, deleted**: the question sees what stands above it as the page is now.
- **after a restart**: running the page again answers from the record, and nothing is sent.
- **panel**: *a line* says that there is none, and how to ask instead.
- **tools**: a call that is allowed, by `--approve auto` or a word of the user, is made.

How each was played:
"""  # CONTRIBUTING.md says how the table is made

Marks = Mapping[tuple[str, str], Mapping[str, set[str]]]
"""By row and column the words of the marks, and the tests that bear them."""


class _Collected:
    """A plugin that has the marks of all tests."""

    def __init__(self) -> None:
        self.marks: defaultdict[tuple[str, str], defaultdict[str, set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for row, column, word in said(item):
                self.marks[row, column][word].add(item.nodeid)


def said(item: pytest.Item) -> Iterable[tuple[str, str, str]]:
    """What a test shows: row, column, and the word that stands there."""
    for mark in item.iter_markers(MARK):
        row, column, *word = mark.args
        yield row, column, word[0] if word else "yes"


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Write down whether a test that bears our mark has passed."""
    if (report.when == "call" or report.failed) and not report.skipped and any(said(item)):
        PASSED.parent.mkdir(exist_ok=True)
        line = json.dumps({"test": item.nodeid, "passed": report.passed})
        with PASSED.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def collected() -> Marks:
    """The marks of all tests, whether they can run here or not."""
    bearing = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        if f"mark.{MARK}" in file.read_text(encoding="utf-8")
    ]
    found = _Collected()
    done = pytest.main(["--collect-only", "-qq", "--no-header", *bearing], plugins=[found])
    if done != pytest.ExitCode.OK:
        raise SystemExit("The tests could not be collected.")
    return found.marks


def passed() -> set[str]:
    """The tests that passed when they last ran here."""
    last: dict[str, Any] = {}
    for line in PASSED.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        last[told["test"]] = told["passed"]
    return {test for test, well in last.items() if well}


def page(marks: Marks) -> str:
    """The text of the file."""
    unknown = [key for key in marks if key[0] not in ROWS or key[1] not in COLUMNS]
    differing = [key for key, words in marks.items() if len(words) > 1]
    if unknown or differing:
        raise SystemExit(f"no row or column of the table: {unknown}; two words: {differing}")
    lines = [("front end", *COLUMNS), ("---",) * (1 + len(COLUMNS))]
    for row in ROWS:
        words = (next(iter(marks.get((row, column), ())), "") for column in COLUMNS)
        lines.append((row, *words))
    table = "\n".join(
        "|" + "".join(f" {word} |".replace("  ", " ") for word in line) for line in lines
    )
    rows = "\n".join(f"- {row}: {how}" for row, how in ROWS.items())
    return f"{ABOVE}\n{table}\n\n{BELOW}\n{rows}\n"


def main(arguments: list[str]) -> int:
    """Write the file, or check it."""
    marks = collected()
    if arguments == ["--check"]:
        made, stands = page(marks), FILE.read_text(encoding="utf-8")
        lines = difflib.unified_diff(stands.splitlines(), made.splitlines(), "stands", "made")
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return int(made != stands)
    well = passed()
    tests = {test for words in marks.values() for borne in words.values() for test in borne}
    sys.stdout.writelines(f"has not passed here: {test}\n" for test in sorted(tests - well))
    shown = {
        key: words for key, words in marks.items() if set().union(*words.values()).issubset(well)
    }
    FILE.write_text(page(shown), encoding="utf-8")
    return int(not tests <= well)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
