"""What `--json` takes: types and schemas of the notebook, files that hold a schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from claude_magic.messages.credentials import Secret
from claude_magic.messages.errors import InputError
from claude_magic.notebook.context.named_values import shapes, wanted_shape

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Finding(BaseModel):
    n: int


@dataclass
class Point:
    x: float


class Lane(TypedDict):
    number: int


class Kind(Enum):
    BAND = "band"


class Awkward(type):
    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError(name)


NAMESPACE: dict[str, Any] = {
    "Finding": Finding,
    "Point": Point,
    "Lane": Lane,
    "Kind": Kind,
    "schema": SCHEMA,
    "example": {"n": 3},
    "number": 3,
    "finding": Finding(n=1),
    "Awkward": Awkward("Awkward", (), {}),
    "kept": Path("kept.json"),
}


def evaluate(expression: str) -> object:
    return eval(expression, NAMESPACE)  # noqa: S307 - the test's own words


def read(said: object, reply: object, evaluate: Callable[[str], object] = evaluate) -> object:
    shape = wanted_shape(said, evaluate)
    assert shape is not None
    return shape.read(json.dumps(reply))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_or_an_expression_of_the_notebook_is_a_shape() -> None:
    assert read("Finding", {"n": 1}) == Finding(n=1)
    assert read("list[Finding]", {"items": [{"n": 1}]}) == [Finding(n=1)]
    assert read("schema", {"n": 1}) == {"n": 1}
    assert read(" int ", {"value": 3}) == 3


def test_a_type_itself_is_a_shape_in_a_script() -> None:
    assert read(Finding, {"n": 1}, None) == Finding(n=1)
    assert read(SCHEMA, {"n": 1}, None) == {"n": 1}


def test_nothing_said_is_no_shape() -> None:
    assert wanted_shape(None, evaluate) is None


def test_a_file_holds_a_schema(folder: Path) -> None:
    (folder / "kept.json").write_text("\ufeff" + json.dumps(SCHEMA), encoding="utf-8")
    for said in ("kept.json", str(folder / "kept.json"), Path("kept.json"), "kept"):
        assert read(said, {"n": 1}) == {"n": 1}


def test_a_shape_is_called_as_it_was_named() -> None:
    shape = wanted_shape("list[Finding]", evaluate)
    assert shape is not None
    assert shape.name == "list[Finding]"


REFUSED: dict[str, tuple[object, str]] = {
    "a name that is not defined": (
        "Findings",
        "--json Findings: no such file, and name 'Findings' is not defined. Give a type such as",
    ),
    "what is no expression": ("list[", "--json list[: no such file, and not a Python expression"),
    "an expression that raises": ("1 / 0", "--json 1 / 0: ZeroDivisionError: division by zero"),
    "a number": ("number", "--json number is no shape for a reply. Give a pydantic model"),
    "an instance": ("finding", "--json finding is no shape for a reply"),
    "an example": ("example", "--json example is no JSON schema: it has none of type"),
    "a file that is not there": ("none.json", "--json none.json: No such file or directory."),
    "a file that is no JSON": ("text.json", "--json text.json: it holds no JSON. Give a file"),
    "a file of numbers": ("list.json", "--json list.json: it holds no JSON schema, which is"),
    "a file too large": ("large.json", "--json large.json: over 1 MB"),
    "a folder": (Path("folder.json"), "--json folder.json: Is a directory"),
    "a schema that the API does not take": (
        {"type": "array", "items": {"$ref": "#"}},
        "JSON of this schema: []: the schema holds itself",
    ),
}


@pytest.mark.parametrize(("said", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_shape_is_said_before_anything_leaves(
    folder: Path, said: object, why: str
) -> None:
    (folder / "text.json").write_text("{", encoding="utf-8")
    (folder / "list.json").write_text("[1]", encoding="utf-8")
    (folder / "large.json").write_text(" " * 1_000_001, encoding="utf-8")
    (folder / "folder.json").mkdir()
    with pytest.raises(InputError) as refused:
        wanted_shape(said, evaluate)
    assert why in str(refused.value)


def test_a_name_in_a_script_is_no_shape() -> None:
    with pytest.raises(InputError, match="'Finding' is a text: give the type itself"):
        wanted_shape("Finding", None)


def test_a_schema_that_holds_the_key_is_not_sent() -> None:
    key = "sk-canary-json-0123456789"
    schema = {"type": "string", "default": key}
    with pytest.raises(InputError, match="its schema holds your API key") as refused:
        wanted_shape(schema, evaluate, Secret(key))
    assert key not in str(refused.value)


def test_completion_offers_what_may_be_a_shape() -> None:
    assert shapes(NAMESPACE) == ["Finding", "Point", "Lane", "Kind", "schema"]
