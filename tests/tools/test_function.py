"""A Python function as a tool: what the model is told of it, and how its arguments are checked."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest

from claude_magic.messages.errors import InputError
from claude_magic.tools.function import function_tool
from claude_magic.tools.tool import Arguments, ArgumentsError, tool


class Strand(enum.Enum):
    PLUS = "+"
    MINUS = "-"


@dataclasses.dataclass
class Region:
    start: int
    end: int = 0


class Gene(pydantic.BaseModel):
    name: str
    aliases: list[str] = []


class Connection:
    """Nothing that JSON can hold."""


def lookup(gene: str, most: int = 3) -> list[str]:
    """The rows of a gene."""
    return [gene] * most


def properties(function: Callable[..., Any]) -> dict[str, Any]:
    found: dict[str, Any] = function_tool(function).definition["input_schema"]["properties"]
    return found


def test_name_description_and_schema_come_from_the_function() -> None:
    assert function_tool(lookup).definition == {
        "name": "lookup",
        "description": "The rows of a gene.",
        "input_schema": {
            "type": "object",
            "properties": {
                "gene": {"type": "string"},
                "most": {"type": "integer", "default": 3},
            },
            "required": ["gene"],
            "additionalProperties": False,
        },
    }


def typed(
    *,
    how: Literal["fast", "exact"],
    strand: Strand,
    region: Region,
    genes: list[Gene],
    counts: dict[str, int],
    day: datetime.date,
    note: Optional[str] = None,  # noqa: UP045 - as many functions are still written
    pair: tuple[int, float] = (1, 2.0),
) -> None: ...


def test_arguments_arrive_as_the_types_that_the_function_names() -> None:
    given = {
        "how": "fast",
        "strand": "-",
        "region": {"start": 3},
        "genes": [{"name": "tp53"}],
        "counts": {"a": 1},
        "day": "2026-11-25",
        "pair": [4, 5.5],
    }
    assert function_tool(typed).read(given) == Arguments(
        named={
            "how": "fast",
            "strand": Strand.MINUS,
            "region": Region(3),
            "genes": [Gene(name="tp53")],
            "counts": {"a": 1},
            "day": datetime.date(2026, 11, 25),
            "pair": (4, 5.5),
        }
    )


def test_the_schema_is_the_same_bytes_each_time() -> None:
    assert json.dumps(function_tool(typed).definition) == json.dumps(
        function_tool(typed).definition
    )


WRONG = {
    "missing": ({}, "gene: Field required"),
    "of another type": ({"gene": "x", "most": "many"}, "most: Input should be a valid integer"),
    "unknown": ({"gene": "x", "limit": 3}, "limit: Extra inputs are not permitted"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named(case: str) -> None:
    given, says = WRONG[case]
    with pytest.raises(ArgumentsError, match=says):
        function_tool(lookup).read(given)


def test_of_many_faults_a_few_are_said_in_one_line() -> None:
    with pytest.raises(ArgumentsError) as caught:
        function_tool(lookup).read({f"x{n}": n for n in range(40)})
    assert str(caught.value).endswith("and 36 more")
    assert "\n" not in str(caught.value)


def test_lone_surrogates_in_arguments_are_replaced() -> None:
    assert function_tool(lookup).read({"gene": "a\ud800"}).named == {
        "gene": "a\N{REPLACEMENT CHARACTER}"
    }


STYLES = {
    "google": """Rows.

    Args:
        x (int): The first
            of both.
        y: The second.

    Returns:
        list: All rows.
    """,
    "numpy": """Rows.

    Parameters
    ----------
    x : int
        The first of both.
    y
        The second.

    Returns
    -------
    list
        All rows.
    """,
    "sphinx": """Rows.

    :param int x: The first of both.
    :param y: The second.
    :returns: All rows.
    :rtype: list
    """,
}


@pytest.mark.parametrize("style", STYLES)
def test_parameters_are_described_by_the_docstring_in_the_style(style: str) -> None:
    def rows(x: int, y: int) -> None: ...

    rows.__doc__ = STYLES[style]
    definition = function_tool(rows).definition
    assert definition["description"] == "Rows.\n\nReturns list: All rows."
    described = {n: p["description"] for n, p in definition["input_schema"]["properties"].items()}
    assert described == {"x": "The first of both.", "y": "The second."}


def test_what_annotated_says_of_a_parameter_counts_before_the_docstring() -> None:
    def rows(
        x: Annotated[int, "the words"],
        y: Annotated[float, pydantic.Field(gt=0, description="a field's words")] = 1.0,
        z: int = pydantic.Field(3, le=5, description="of the default"),
    ) -> None:
        """Rows.

        Args:
            x: Other words.
        """

    found = properties(rows)
    assert found["x"]["description"] == "the words"
    assert found["y"] == {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1.0,
        "description": "a field's words",
    }
    assert found["z"]["description"] == "of the default"
    read = function_tool(rows).read
    assert read({"x": 1}).named == {"x": 1, "z": 3}, "the function would get pydantic's own object"
    with pytest.raises(ArgumentsError, match="z: Input should be less than or equal to 5"):
        read({"x": 1, "z": 6})


def test_an_unannotated_parameter_takes_anything_and_says_the_docstrings_type() -> None:
    def rows(x, y=2):  # type: ignore[no-untyped-def]
        """Rows.

        Args:
            x (list of int): The first.
        """

    assert properties(rows) == {
        "x": {"description": "The first. (list of int)"},
        "y": {"default": 2},
    }
    assert function_tool(rows).read({"x": [1, {"a": None}]}).named == {"x": [1, {"a": None}]}


def test_a_function_without_docstring_says_so() -> None:
    said = function_tool(typed).description
    assert said.startswith("typed(how, strand, region, genes,")
    assert said.endswith("a function of the user's notebook. It has no documentation.")


def test_a_parameter_that_no_json_can_be_is_left_to_its_default_or_refused() -> None:
    connection = Connection()

    def rows(gene: str, at: Connection = connection, done: Callable[[], None] = print) -> None: ...

    def needs(gene: str, at: Connection) -> None: ...

    assert list(properties(rows)) == ["gene"]
    with pytest.raises(InputError, match="a model cannot give at, a Connection"):
        function_tool(needs)
    assert list(properties(functools.partial(needs, at=connection))) == ["gene"]
    assert list(properties(functools.partial(needs, "tp53", at=connection))) == []


def test_positional_parameters_are_given_by_position() -> None:
    def rows(x: int, y: int = 2, /, *, z: int = 3) -> None: ...

    read = function_tool(rows).read
    assert read({"x": 1, "z": 4}) == Arguments((1, 2), {"z": 4})
    assert read({"x": 1, "y": 5}) == Arguments((1, 5))


def test_parameters_may_be_called_what_pydantic_calls_its_own() -> None:
    def rows(_x: int, copy: int, model_config: int, schema: int = 1) -> None: ...

    given = {"_x": 1, "copy": 2, "model_config": 3, "schema": 4}
    assert function_tool(rows).read(given).named == given


def test_a_parameter_whose_name_the_api_refuses_gets_another_in_the_schema() -> None:
    def rows(größe: int, 数: int = 1) -> None: ...  # noqa: N803, PLC2401

    assert list(properties(rows)) == ["groe_0", "argument_1"]
    assert properties(rows)["groe_0"]["description"] == "größe"
    assert function_tool(rows).read({"groe_0": 1, "argument_1": 2}).named == {"größe": 1, "数": 2}


class Table:
    """Rows by key."""

    def rows(self, key: str) -> str:
        """The row of a key."""
        return key

    def __call__(self, key: str) -> str:
        return key

    @tool(name="all_rows", description="Every row.")
    def all(self) -> None: ...


CALLABLES = {
    "a method": (Table().rows, "rows", "The row of a key.", ["key"]),
    "an object": (Table(), "Table", "Rows by key.", ["key"]),
    "a marked method": (Table().all, "all_rows", "Every row.", []),
    "a partial": (functools.partial(lookup, most=1), "lookup", "The rows of a gene.", ["gene"]),
    "a class": (Region, "Region", "Region(start: 'int', end: 'int' = 0)", ["start", "end"]),
}


@pytest.mark.parametrize("case", CALLABLES)
def test_what_can_be_called_can_be_a_tool(case: str) -> None:
    function, name, description, parameters = CALLABLES[case]
    made = function_tool(function)
    assert (made.name, made.description) == (name, description)
    assert list(made.schema["properties"]) == parameters


def variadic(*genes: str) -> None: ...


def keywords(**options: str) -> None: ...


def unknown_type(x: NotThere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


REFUSED = {
    "any number of arguments": (variadic, "variadic takes \\*genes: str"),
    "any keywords": (keywords, "keywords takes \\*\\*options: str"),
    "a type that is not known": (unknown_type, "'NotThere' is not defined. Define it first"),
    "no signature": (min, "min: what it takes is not known"),
    "no name": (lambda: 1, "cannot be called '<lambda>'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_function_of_which_no_tool_can_be_made_is_refused_with_what_to_do(case: str) -> None:
    function, says = REFUSED[case]
    with pytest.raises(InputError, match=says) as caught:
        function_tool(function)
    assert "efine" in str(caught.value) or "Give it" in str(caught.value)


NAMES = {"größe": "groe", "été": "ete", "a.b": "a_b", "x" * 80: "x" * 64, "ok-1": "ok-1"}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_api_refuses_is_mended(name: str) -> None:
    assert function_tool(lambda: 1, name).name == NAMES[name]


def test_a_name_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be called '数'"):
        function_tool(lambda: 1, "数")


def test_a_marked_function_stays_what_it_was() -> None:
    @tool
    def bare(x: int) -> int:
        return x + 1

    @tool(name="adder", description="Adds one.", approve="auto", timeout=5)
    def named(x: int) -> int:
        return x + 1

    assert bare(1) == named(1) == 2
    assert function_tool(bare).approve is None
    made = function_tool(named, "other")
    assert (made.name, made.description, made.approve, made.timeout) == (
        "adder",
        "Adds one.",
        "auto",
        5,
    )


def test_marks_stay_with_a_function_that_is_wrapped() -> None:
    @tool(name="inner")
    def function(x: int) -> int:
        return x

    @functools.wraps(function)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    assert function_tool(outer).name == "inner"
    assert list(properties(outer)) == ["x"]


BAD_MARKS = {
    "a name that the API refuses": ({"name": "a b"}, "1 to 64 letters"),
    "a word that is not known": ({"approve": "yes"}, "give one of ask, auto, never"),
    "time that is none": ({"timeout": float("nan")}, "give seconds"),
}


@pytest.mark.parametrize("case", BAD_MARKS)
def test_a_mark_that_cannot_be_is_refused(case: str) -> None:
    given, says = BAD_MARKS[case]
    with pytest.raises(InputError, match=says):
        tool(**given)


def test_what_takes_no_mark_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="define a function that calls it"):
        tool(Table().rows)
