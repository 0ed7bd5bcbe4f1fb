"""A reply, an error, a model's name are untrusted text: in a real browser, nothing runs or loads.

Each attack is a reply of its own, streamed in small pieces, in one notebook. A second notebook
displays the same as HTML of its own, which the same detectors must notice.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.conftest import ARTIFACTS
from tests.browser.lab import Lab, Notebook
from tests.browser.replying_server import Refused, ReplyingServer, Said
from tests.browser.watching import Beacon, Seen, Watch
from tests.rendering import attacks

# Two outputs a question; front ends hide what is beyond fifty in a cell.
PER_CELL = 24
CLEAN = Seen()

# Put where a name, a reason or an error's words are expected.
TAGS = '<img src="{}/{}" onerror=alert(1)><script>alert(1)</script>'
LINK = '<a href="javascript:alert(1)" data-commandlinker-command="x">x</a>'


class Answers:
    """What the server says to "attack 3" and the like: each attack of the table, and more."""

    def __init__(self, beacon: str) -> None:
        self._beacon = beacon
        self.replies = [
            Said(f"Attack {n}.\n\n{text.replace(attacks.BEACON, f'{beacon}/{n}')}", seconds=0.12)
            for n, text in enumerate(attacks.ALL.values())
        ]
        tags = TAGS.format(beacon, "elsewhere") + LINK
        self.replies += [
            Said("Attack in the names.", model=tags, stop_reason=tags),
            Said("Attack in the thinking.", thinking=tags),
        ]
        self.refusals: list[Said | Refused] = [
            Refused(400, kind=tags, message=tags),
            Refused(403, message=f"{tags}\x1b]8;;{beacon}/osc\x1b\\text\x1b]8;;\x1b\\"),
            Refused(404, message=f"model {tags}"),
            Refused(400, body=tags),
            Said("Attack at the end.", error=tags),
        ]
        self.models = ({"type": "model", "id": tags, "display_name": tags},)
        self.seconds: float | None = None

    def __call__(self, question: str) -> Said | Refused:
        kind, number = re.findall(r"(attack|refusal) (\d+)", question)[-1]
        return (self.replies if kind == "attack" else self.refusals)[int(number)]


def attacked(server: ReplyingServer, answers: Answers) -> nbformat.NotebookNode:
    """A notebook that asks for every attack."""
    ask = "get_ipython().run_line_magic('claude', f'--alone --think show attack {n}')"
    total = len(answers.replies)
    sources = [
        "%load_ext claude_magic",
        f"%claude_config base_url={server.url} model=test context=none images=none",
        *(
            f"for n in range({first}, {min(first + PER_CELL, total)}):\n    {ask}"
            for first in range(0, total, PER_CELL)
        ),
        "%claude_models",
        "%claude --alone -o reply attack 0",
        "reply",
        *(f"%claude --alone refusal {n}" for n in range(len(answers.refusals))),
    ]
    return as_notebook(sources)


def control(answers: Answers) -> nbformat.NotebookNode:
    """A notebook that displays some of the attacks in the way that trusts them."""
    tags = TAGS.format("{}", "control") + LINK
    shown = tags.replace("{}", answers.replies[0].text and answers._beacon)
    return as_notebook(
        [
            f"from IPython.display import HTML\nHTML({shown!r})",
            "HTML('<script>confirm(1)</script>')",
        ]
    )


def as_notebook(sources: list[str]) -> nbformat.NotebookNode:
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for cell in nb.cells:
        cell.metadata["tags"] = ["raises-exception"]  # the notebook goes on after an error
    return nb
