"""What installing the package brings along."""

from __future__ import annotations

import tomllib
from importlib.metadata import requires
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads(
    (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
)["project"]
MOST = 16


def closure(*names: str) -> set[str]:
    """The packages that these bring into this environment, and they themselves."""
    found: set[str] = set()
    left = list(map(canonicalize_name, names))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            for line in requires(name) or ():
                required = Requirement(line)
                if required.marker is None or required.marker.evaluate({"extra": ""}):
                    left.append(canonicalize_name(required.name))
    return found


def test_at_most_sixteen_packages_come_beside_those_of_ipykernel_and_ipywidgets() -> None:
    named = [Requirement(line).name for line in PROJECT["dependencies"]]
    brought = closure(*named) - closure("ipykernel", "ipywidgets")
    # Not httpx or tornado: ipywidgets 7 brings the whole of Notebook, and these with it.
    assert {"docstring-parser", "nh3", "resvg-py"} <= brought
    assert len(brought) <= MOST, sorted(brought)


# Colab has these before the package is installed, and they are to stay.
COLAB = {"ipython": "7.34.0", "ipykernel": "6.17.1", "ipywidgets": "7.7.1", "traitlets": "5.7.1"}


@pytest.mark.met("W19")
def test_what_colab_pins_is_within_the_bounds() -> None:
    wanted = [Requirement(line) for line in PROJECT["dependencies"]]
    asked = [r for r in wanted if canonicalize_name(r.name) in COLAB]
    assert {canonicalize_name(r.name) for r in asked} >= {"ipython", "ipywidgets"}
    assert [r for r in asked if COLAB[canonicalize_name(r.name)] not in r.specifier] == []


def test_no_upper_bound_keeps_a_newer_package_out() -> None:
    lines = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    bounded = [line for line in lines if not {"<", "~", "="}.isdisjoint(line.replace(">=", ""))]
    assert bounded == []
