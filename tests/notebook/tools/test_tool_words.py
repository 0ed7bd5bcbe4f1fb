"""What `--tools` names is found, and Tab offers it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from claude_magic.messages.errors import InputError
from claude_magic.notebook.option_completion import complete
from claude_magic.notebook.option_line import parse
from claude_magic.notebook.tools.toolboxes import NAMES, Chosen, chosen, offered
from claude_magic.tools.function import function_tool
from claude_magic.tools.tool import Tool, tool


def lookup(gene: str) -> str:
    return gene


def own_code(text: str) -> str:
    return text


@tool(name="sum_up")
def summary() -> None: ...


class Set:
    """Looks like a toolset."""

    def definitions(self, model: Any, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return []

    def takes(self, call: Any) -> bool:
        return False


def built_in() -> Mapping[str, Callable[[], Tool]]:
    return {name: lambda name=name: function_tool(lookup, name) for name in NAMES}


def names(found: Chosen) -> list[str]:
    return [made.name for made in found.tools]


NAMESPACE = {
    "lookup": lookup,
    "alias": lookup,
    "summary": summary,
    "os": os,
    "web": "not a function",
    "frame": 3,
    "several": [lookup, summary],
    "half": function_tool(lambda x: x / 2, "halved"),
}
FOUND = {
    ("lookup",): ["lookup"],
    ("alias",): ["alias"],
    ("summary",): ["sum_up"],
    ("os.path.join",): InputError,
    ("os.getcwd",): ["getcwd"],
    ("several",): ["lookup", "sum_up"],
    ("half",): ["halved"],
    ("run_python", "lookup"): ["run_python", "lookup"],
    ("none",): [],
    (lookup, summary): ["lookup", "sum_up"],
    ((lookup, (summary,)),): ["lookup", "sum_up"],
}


@pytest.mark.parametrize("words", FOUND, ids=map(str, range(len(FOUND))))
def test_names_functions_and_lists_are_found(words: tuple[object, ...]) -> None:
    expected = FOUND[words]
    if expected is InputError:  # posixpath.join takes any number of paths
        with pytest.raises(InputError, match="a model has to be told each parameter"):
            chosen(words, NAMESPACE, built_in())
    else:
        assert names(chosen(words, NAMESPACE, built_in())) == expected


def test_the_notebooks_own_function_counts_before_a_built_in_tool() -> None:
    mine = {"run_python": own_code}
    (found,) = chosen(["run_python"], mine, built_in()).tools
    assert found.function is own_code
    (found,) = chosen(["run_python"], {"run_python": 3}, built_in()).tools
    assert found.function is lookup


def test_what_runs_at_the_server_is_told_apart_and_named_once() -> None:
    found = chosen(["web", "code", "web"], NAMESPACE, built_in())
    assert (found.tools, found.at_server) == ((), ("web", "code"))


def test_a_toolset_is_told_apart() -> None:
    desktop = Set()
    assert chosen([desktop, desktop], {}, {}).toolsets == (desktop,)


REFUSED = {
    "lokup": "did you mean lookup\\?",
    "inspect_variabel": "did you mean inspect_variable\\?",
    "os.getcwdd": "os has no getcwdd; did you mean os.getcwd\\?",
    "os.path.zzz": "os.path has no zzz; see dir\\(os.path\\)",
    "frame": "an? int is no tool; give a function, or its name",
    "os": "a module is no tool",
    "lookup()": "there is no such tool",
    "lookup('x').y": "there is no such tool",
    "zzz": "define the function, and run its cell, first",
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_word_that_names_no_tool_is_refused_with_what_to_do(word: str) -> None:
    with pytest.raises(InputError, match=REFUSED[word]):
        chosen([word], NAMESPACE, built_in())


def test_nothing_is_called_to_find_a_tool() -> None:
    class Trap:
        def __call__(self) -> None:
            raise AssertionError

        def __iter__(self) -> Iterator[None]:
            raise AssertionError

    assert names(chosen(["trap"], {"trap": Trap()}, {})) == ["trap"]


def test_tab_offers_functions_and_built_in_tools_and_no_variables() -> None:
    namespace = {**NAMESPACE, "_hidden": lookup, "Class": Set}
    words = offered(namespace, list(NAMES))
    assert words == ["alias", "lookup", "summary", *NAMES, "web", "code"]
    line = "%claude --tools lookup,in"
    assert complete(line, "in", models=[], variables=[], files=[], tools=words) == [
        "inspect_variable",
        "insert_cell",
    ]


def test_the_line_is_read() -> None:
    options, prompt = parse("--tools lookup,run_python --tools web --approve auto --steps 3 Go on")
    assert options == {"tools": ("lookup", "run_python", "web"), "approve": "auto", "steps": 3}
    assert prompt == "Go on"
