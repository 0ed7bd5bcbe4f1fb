"""Faults that were met in use have tests that would see them again, each by its number.

`@pytest.mark.met("P7")` names the fault; what it was stands in the test's own words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
# Of the page, of what the package is installed beside, and of captions.
PAGE, CAPTIONS = range(1, 16), range(2, 9)
FAULTS = {*(f"P{n}" for n in PAGE), "W18", "W19", *(f"C{n}" for n in CAPTIONS)}


def marked() -> Iterator[str]:
    """The numbers that tests are marked with."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(attr="met"), numbers):
                    yield from (n.value for n in numbers if isinstance(n, ast.Constant))


def test_each_fault_has_a_test_that_would_see_it_again() -> None:
    assert FAULTS - set(marked()) == set()
    assert set(marked()) - FAULTS == set(), "a number that stands for nothing"
