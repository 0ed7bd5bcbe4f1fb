"""Alt text that the lab extension asks for: what it sends is believed only in the form we know."""

from __future__ import annotations

import re
from typing import Any

import pytest

from claude_magic.conversation.asking.connection import Keys
from claude_magic.messages.credentials import Secret
from claude_magic.panel.dock import DescribedOutput, describe, read_request
from tests.kernels import Kernel
from tests.messages.images.image_samples import photo, saved

GOOD = {"id": "a-1", "cell": "c", "source": "plot()", "bundle": {"image/png": "AA=="}}
DESCRIBE = """
from base64 import b64encode
from claude_magic.panel.dock import DescribedOutput, describe
notebook = get_ipython().magics_manager.registry["ClaudeMagics"].notebook
"""


def test_a_request_is_read() -> None:
    assert read_request(GOOD) == DescribedOutput("a-1", "c", "plot()", {"image/png": "AA=="})


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 1},
        {"id": "<b>"},
        {"id": "a" * 65},
        {"cell": None},
        {"cell": "c" * 257},
        {"source": ["plot()"]},
        {"source": "x" * 1_000_001},
        {"bundle": "AA=="},
        {"bundle": {1: "AA=="}},
        {"bundle": {"image/png": "A" * 10_000_001}},
    ],
)
def test_what_is_no_request_is_passed_over(changed: dict[str, Any]) -> None:
    assert read_request({**GOOD, **changed}) is None


def test_an_output_of_an_earlier_kernel_is_described_as_the_page_shows_it(
    running_kernel: Kernel,
) -> None:
    running_kernel.run(f"{DESCRIBE}\nbundle = {{'image/png': b64encode({saved(photo(40, 30))!r})}}")
    asked = (
        "DescribedOutput('a', 'gone', 'plot(doses)', {'image/png': bundle['image/png'].decode()})"
    )
    answer = running_kernel.value(f"describe(notebook, {asked})")
    assert answer["alt"] and answer["cost"].startswith("$") and not answer["error"]
    content = running_kernel.requests()[-1]["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "text", "text"]
    assert "plot(doses)" in content[1]["text"]
    assert running_kernel.value(f"describe(notebook, {asked})")["cost"] == "", "it is on record"


def test_what_is_no_figure_is_said_in_one_line(running_kernel: Kernel) -> None:
    running_kernel.run(DESCRIBE)
    asked = "DescribedOutput('a', 'c', '', {'text/plain': 'x'})"
    answer = running_kernel.value(f"describe(notebook, {asked})")
    assert "no figure" in answer["error"] and answer["alt"] == ""


class BrokenNotebook:
    """A notebook of which nothing can be asked: what it raises holds its key."""

    def __init__(self) -> None:
        self.keys = Keys(Secret("a-key-of-a-gateway"))

    def __getattr__(self, name: str) -> Any:
        raise ValueError(f"no {name}:\n  a-key-of-a-gateway")


def test_the_page_is_answered_in_one_line_without_the_key_whatever_went_wrong() -> None:
    notebook: Any = BrokenNotebook()
    answer = describe(notebook, DescribedOutput("1", "c", "x", {"image/png": "x"}))
    assert (answer["id"], answer["alt"]) == ("1", "")
    assert re.fullmatch(r"ValueError: no \w+: \[key\]", answer["error"])
