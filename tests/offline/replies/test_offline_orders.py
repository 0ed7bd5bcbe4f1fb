"""Which calls a question asks for, and what goes into them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.offline.replies.called_tools import NOTHING, arguments, fit
from claude_magic.offline.replies.reading import orders
from tests.offline.offline_samples import LOOKUP

RUN = {
    "name": "run_python",
    "input_schema": {
        "type": "object",
        "properties": {"code": {"type": "string"}, "timeout": {"type": "number", "default": 5}},
        "required": ["code"],
    },
}
SCHEMAS: dict[str, Any] = {tool["name"]: tool["input_schema"] for tool in (LOOKUP, RUN)}
SERVER = ["web_search", "web_fetch", "code_execution"]
PLOT = "plt.plot([1, 2])\nplt.show()"


def calls(question: str) -> list[list[tuple[str, dict[str, Any]]]]:
    """The steps that a question asks for, each call with its arguments."""
    steps = orders(question, list(SCHEMAS))
    return [[(order.tool, arguments(order, SCHEMAS[order.tool])) for order in s] for s in steps]


def lookup(gene: str = "offline server", limit: int = 3) -> tuple[str, dict[str, Any]]:
    return "lookup_gene", {"gene": gene, "limit": limit}


QUESTIONS: dict[str, tuple[str, list[Any]]] = {
    "no tool": ("Why does it fan out?", []),
    "a name": ("Use lookup_gene", [[lookup()]]),
    "a part of a name": ("Use lookup_genes", []),
    "a value in backticks": ("Use lookup_gene on `BRCA1`", [[lookup("BRCA1")]]),
    "the name in backticks": ("Use `lookup_gene` on `BRCA1`", [[lookup("BRCA1")]]),
    "values by type": ("lookup_gene with `5` and `TP53`", [[lookup("TP53", 5)]]),
    "a value by its name": ("lookup_gene with `limit=7` on `TP53`", [[lookup("TP53", 7)]]),
    "a value that does not fit": ("lookup_gene with `limit=1`", [[lookup()]]),
    "a call": ("Call lookup_gene('TP53', 4).", [[lookup("TP53", 4)]]),
    "a call with names": ("lookup_gene(limit=4, gene='TP53')", [[lookup("TP53", 4)]]),
    "a call with a bare word": ("lookup_gene(TP53)", [[lookup("TP53")]]),
    "a call in backticks": ("Try `lookup_gene('a (b)')`", [[lookup("a (b)")]]),
    "two calls": ("lookup_gene('A') and lookup_gene('B')", [[lookup("A"), lookup("B")]]),
    "no argument of that name": ("lookup_gene('A', species='x')", [[lookup("A")]]),
    "then": (
        "lookup_gene on `A`, then lookup_gene on `B`",
        [[lookup("A")], [lookup("B")]],
    ),
    "then, with nothing to call": ("lookup_gene on `A`, then tell me", [[lookup("A")]]),
    "then, within a value": ("lookup_gene on `if then else`", [[lookup("if then else")]]),
    "values before the name": (
        "Take `A`, then use lookup_gene, then run_python",
        [[lookup("A")], [("run_python", {"code": 'print("Hello from the offline server")'})]],
    ),
    "fenced code": (
        f"Use run_python to draw a plot:\n```python\n{PLOT}\n```\nand look at it.",
        [[("run_python", {"code": PLOT})]],
    ),
    "fenced code in the line": (
        f"Use run_python to draw a plot: ```python\n{PLOT}\n```",
        [[("run_python", {"code": PLOT})]],
    ),
    "a name within code": ("```python\nlookup_gene('A')\n```\nWhat is it?", []),
    "code in backticks": ("run_python `1 + 1`", [[("run_python", {"code": "1 + 1"})]]),
    "a number for a number": (
        "run_python(code='1', timeout=2.5)",
        [[("run_python", {"code": "1", "timeout": 2.5})]],
    ),
    "several steps at once": (
        f"lookup_gene('A') then run_python:\n```\n{PLOT}\n```\nthen lookup_gene('B')",
        [[lookup("A")], [("run_python", {"code": PLOT})], [lookup("B")]],
    ),
}


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_asks_for_calls_with_arguments(question: str, expected: list[Any]) -> None:
    assert calls(question) == expected


PLAIN_WORDS = {
    "Search the web for ants": ["web_search"],
    "What did the research say?": [],
    "Fetch https://example.org/a, then search for it": ["web_fetch", "web_search"],
    "Run this code, please": ["code_execution"],
    "Use web_fetch and code_execution": ["web_fetch", "code_execution"],
}


@pytest.mark.parametrize(("question", "expected"), PLAIN_WORDS.items())
def test_the_tools_of_the_server_are_asked_for_in_plain_words_too(
    question: str, expected: list[str]
) -> None:
    assert [o.tool for step in orders(question, SERVER) for o in step] == expected
    assert orders(question, ["lookup_gene"]) == []


def test_the_addresses_of_an_order_have_no_full_stop_at_their_end() -> None:
    ((order,),) = orders("Fetch https://example.org/a (not http://b.example.com/?q=1).", SERVER)
    assert order.addresses == ["https://example.org/a", "http://b.example.com/?q=1"]


FITS: dict[str, tuple[Any, Any, Any]] = {
    "a text": ("5", {"type": "string"}, "5"),
    "a number as text": (5, {"type": "string"}, "5"),
    "no list as text": ([1], {"type": "string"}, NOTHING),
    "too long a text": ("abc", {"type": "string", "maxLength": 2}, NOTHING),
    "a text of a pattern": ("A1", {"type": "string", "pattern": r"^\w\d$"}, "A1"),
    "a text of another pattern": ("11", {"type": "string", "pattern": r"^[a-z]"}, NOTHING),
    "a pattern that is none": ("a", {"type": "string", "pattern": "("}, NOTHING),
    "an integer": ("7", {"type": "integer"}, 7),
    "no integer": ("7.5", {"type": "integer"}, NOTHING),
    "an integer out of range": ("7", {"type": "integer", "maximum": 6}, NOTHING),
    "no number": ("NaN", {"type": "number"}, NOTHING),
    "true": ("true", {"type": "boolean"}, True),
    "a word for no boolean": ("yes", {"type": "boolean"}, NOTHING),
    "null": ("null", {"type": "null"}, None),
    "a list": ("[1, 2]", {"type": "array", "items": {"type": "integer"}}, [1, 2]),
    "a list of something else": ("['a']", {"type": "array", "items": {"type": "null"}}, NOTHING),
    "an object": (
        {"a": "1"},
        {"type": "object", "properties": {"a": {"type": "integer"}}},
        {"a": 1},
    ),
    "an object that lacks something": ({}, {"type": "object", "required": ["a"]}, NOTHING),
    "one of an enum": ("bar", {"enum": ["line", "bar"]}, "bar"),
    "a number of an enum": ("2", {"enum": [1, 2]}, 2),
    "none of an enum": ("pie", {"enum": ["line", "bar"]}, NOTHING),
    "one of two types": ("7", {"anyOf": [{"type": "null"}, {"type": "integer"}]}, 7),
    "one of two types in a list": ("x", {"type": ["null", "string"]}, "x"),
    "a reference": ("7", {"$ref": "#/$defs/n"}, 7),
    "anything": ([1], {}, [1]),
}


@pytest.mark.parametrize(("value", "schema", "expected"), FITS.values(), ids=FITS)
def test_a_value_is_read_as_its_schema_has_it(value: Any, schema: Any, expected: Any) -> None:
    fitted = fit(value, schema, {"$defs": {"n": {"type": "integer"}}})
    assert fitted is expected if expected is NOTHING else fitted == expected


@given(st.text(alphabet="`().,=\"' \nabflookup_gene[]{}0123then", max_size=60))
def test_any_question_can_be_read(question: str) -> None:
    for step in calls(question):
        for tool, given_arguments in step:
            assert set(SCHEMAS[tool]["required"]) <= set(given_arguments)
