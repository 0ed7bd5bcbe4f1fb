"""Replies in JSON in a real kernel: asked for, checked, bound, shown, asked for once more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.scripted_server import ScriptedServer, says
from tests.kernels import Kernel, Ran, kernel

OFFLINE = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"
DEFINED = '''
import datetime
from dataclasses import dataclass
from enum import Enum
from pydantic import BaseModel, Field, field_validator

class Kind(Enum):
    BAND = "band"
    SMEAR = "smear"

class Band(BaseModel):
    """One band of a lane."""
    weight: float = Field(ge=20, le=250, description="In kDa.")
    kind: Kind

class Gel(BaseModel):
    title: str
    run: datetime.date
    bands: list[Band]

@dataclass
class Point:
    x: float
    y: float | None = None

class Never(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def _no(cls, n):
        raise ValueError("no number is good enough")

schema = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 7}},
    "required": ["n"],
}
'''


@pytest.fixture(scope="module")
def defined(running_kernel: Kernel) -> Kernel:
    running_kernel.run(DEFINED)
    return running_kernel


def formats(kernel: Kernel) -> list[Any]:
    return [body.get("output_config", {}).get("format") for body in kernel.requests()]


def test_the_value_of_the_model_is_bound(defined: Kernel) -> None:
    defined.run("%%claude --json Gel -o gel --alone\nRead the gel.")
    assert defined.value("type(gel).__name__") == "Gel"
    assert defined.value("[b.kind is Kind.BAND for b in gel.bands]") == [True, False]
    assert defined.value("[b.weight for b in gel.bands]") == [20, 21]
    assert defined.value("gel.run.isoformat()") == "2026-01-01"
    asked = formats(defined)[-1]
    assert asked["type"] == "json_schema"
    assert asked["schema"]["properties"]["bands"]["items"] == {"$ref": "#/$defs/Band"}
    assert "at least 20" in asked["schema"]["$defs"]["Band"]["properties"]["weight"]["description"]


def test_it_is_shown_as_a_table(defined: Kernel) -> None:
    ran = defined.run("%%claude --json list[Band] -o bands --alone\nRead the bands.")
    shown = ran.outputs[-1]["data"]
    assert "<table><thead><tr>" in shown["text/html"]
    assert re.search(r"weight +kind\n +20 +band\n +21 +smear\n", shown["text/plain"])
    assert "| weight | kind |" in shown["text/markdown"]
    assert not any('"weight"' in str(o["data"]) for o in ran.outputs)


@pytest.mark.parametrize(
    ("shape", "value"),
    {
        "a dataclass": ("Point", "Point(x=1.0, y=1.0)"),
        "a dict": ("dict[str, int]", "{'offline server': 1, 'offline server 2': 2}"),
        "a schema": ("schema", "{'n': 7}"),
        "a number": ("int", "1"),
        "a choice": ("'Point | None'", "Point(x=1.0, y=1.0)"),
    }.values(),
)
def test_the_value_is_of_the_type(defined: Kernel, shape: str, value: str) -> None:
    defined.run(f"%claude --json {shape} -o found --alone Read it.")
    assert defined.value("repr(found)") == value


def test_without_a_name_the_value_is_that_of_the_reply(defined: Kernel) -> None:
    defined.run("import claude_magic\nreply = claude_magic.ask('Read it.', json=Point, alone=True)")
    assert defined.value("reply.value == Point(1.0, 1.0)")
    shown = defined.run("reply").outputs[-1]["data"]["text/html"]
    assert "highlight" in shown, "by itself a reply is shown as the JSON that came"


def test_a_file_holds_the_schema(defined: Kernel, shared_folder: Path) -> None:
    schema = {"type": "array", "items": {"enum": ["bar", "line"]}, "minItems": 1}
    (shared_folder / "kinds.json").write_text(json.dumps(schema), encoding="utf-8")
    defined.run("%claude --json kinds.json -o kinds --alone Which kinds?")
    assert defined.value("kinds") == ["bar", "line"]


def test_json_that_does_not_fit_is_asked_for_once_more(defined: Kernel) -> None:
    defined.run(f"{OFFLINE}.behave('bad_json')")
    before = len(defined.requests())
    ran = defined.run("%claude --json Band -o again --alone Read it.")
    first, second = defined.requests()[before:]
    assert defined.value("again.weight") == 20
    assert second["messages"][:1] == first["messages"]
    assert "it is no JSON" in json.dumps(second["messages"][-1])
    assert "at least" not in ran.error


def test_then_it_is_an_error_that_says_what_did_not_fit(defined: Kernel) -> None:
    before = len(defined.requests())
    defined.run("kept = 'as it was'")
    ran = defined.run("%claude --json Never -o kept --alone Read it.", ok=False)
    assert len(defined.requests()) == before + 2
    assert ran.error.startswith("InvalidReply: The reply is no Never: n: no number is good enough")
    assert "--fresh" in ran.error
    assert defined.value("kept") == "as it was"
    assert '"n"' in ran.shown("text/html"), "what came is shown all the same"


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("max_tokens", "it was cut off: raise --max-tokens"),
        ("refusal", "the model declined to answer: ask otherwise, or another model"),
    ],
)
def test_a_reply_that_is_not_whole_is_an_error_that_says_what_to_do(
    defined: Kernel, behaviour: str, why: str
) -> None:
    defined.run(f"{OFFLINE}.behave({behaviour!r})")
    before = len(defined.requests())
    shape = "list[Gel]"
    ran = defined.run(f"%claude --json {shape} -o gels --alone Read it {behaviour}.", ok=False)
    assert f"InvalidReply: The reply is no {shape}: {why}" in ran.error
    assert len(defined.requests()) == before + 1


REFUSED = {
    "an unknown name": ("--json Gels", "InputError: --json Gels: no such file, and name 'Gels'"),
    "no shape": ("--json 5", "InputError: --json 5 is no shape for a reply. Give a pydantic model"),
    "with a prefill": ('--json Gel --prefill "{"', "--json and --prefill do not go together"),
    "with citations": ("--json Gel --cite", "--json and --cite do not go together"),
    "a reply of one's own": (
        '--json Point --reply "{}"',
        "InputError: --reply is no Point: x: it is missing.",
    ),
}


@pytest.mark.parametrize(("options", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_said_before_anything_leaves(
    defined: Kernel, options: str, why: str
) -> None:
    before = len(defined.requests())
    ran = defined.run(f"%claude {options} Read it.", ok=False)
    assert why in ran.error
    assert len(defined.requests()) == before


def test_a_reply_of_ones_own_is_read_too(defined: Kernel) -> None:
    defined.run("""%claude --json Point -o mine --alone --reply '{"x": 3}' Read it.""")
    assert defined.value("mine == Point(3.0)")


def test_names_complete_within_brackets(defined: Kernel) -> None:
    typed = "%%claude --json list[Ba"
    content = defined.client.complete(typed, reply=True, timeout=60)["content"]
    start = content["cursor_start"]
    assert any((typed[:start] + match).endswith("list[Band") for match in content["matches"])


def test_a_dry_run_shows_the_schema(defined: Kernel) -> None:
    before = len(defined.requests())
    shown = defined.run("%claude --json Band --dry-run Read it.").shown()
    assert "json_schema" in shown
    assert len(defined.requests()) == before


def test_later_turns_see_the_json_and_a_replay_gives_the_value_again(tmp_path: Path) -> None:
    cells = {
        "define": DEFINED,
        "ask": "%claude -c none --json list[Band] -o bands Read the bands.",
        "after": "%claude -c none -o reply And now?",
    }
    (tmp_path / "page.ipynb").write_text(page(cells), encoding="utf-8")
    environment = {"JPY_SESSION_NAME": str(tmp_path / "page.ipynb")}

    def run(own: Kernel) -> dict[str, Ran]:
        return {cell: own.run(code, cell=cell) for cell, code in cells.items()}

    with kernel(tmp_path, **environment) as first:
        shown = run(first)
        bands = first.value("[b.model_dump(mode='json') for b in bands]")
        _, after = first.requests()
        assert json.loads(after["messages"][1]["content"]) == {"items": bands}
    with kernel(tmp_path, **environment) as second:
        again = run(second)
        assert second.value("[type(b).__name__ for b in bands]") == ["Band", "Band"]
        assert second.value("[b.model_dump(mode='json') for b in bands]") == bands
        assert second.value(f"{OFFLINE} is None"), "nothing was sent"
    tables = [ran["ask"].outputs[-1]["data"]["text/plain"] for ran in (shown, again)]
    (table, _), (table_again, footer) = (shown.rstrip().rsplit("\n", 1) for shown in tables)
    assert (table_again, footer) == (table, "from the record · free")


def page(cells: dict[str, str]) -> str:
    """A saved notebook of these cells."""
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [{**code, "id": cell, "source": source} for cell, source in cells.items()],
        }
    )


@pytest.fixture
def elsewhere() -> Iterator[ScriptedServer]:
    with ScriptedServer(says("x")) as started:
        yield started


def test_a_server_without_output_formats_is_asked_in_words_and_checked_the_same(
    elsewhere: ScriptedServer, tmp_path: Path
) -> None:
    fenced = 'Sure, the bands:\n```json\n[{"weight": 25, "kind": "BAND"}]\n```\nAnything else?'
    elsewhere.script[:] = [
        says('{"items": [{"weight": 5, "kind": "band"}]}'),
        says(fenced),
    ]
    environment = {"CLAUDE_MAGIC_BASE_URL": elsewhere.url, "ANTHROPIC_API_KEY": "sk-canary-json"}
    with kernel(tmp_path, **environment) as own:
        own.run(DEFINED)
        own.run("%claude -c none --json list[Band] -o bands Read the bands.")
        assert own.value("[(b.weight, b.kind.value) for b in bands]") == [[25, "band"]]
    first, second = elsewhere.bodies
    assert "output_config" not in first
    asked = first["messages"][-1]["content"][-1]["text"]
    assert "Answer with one JSON value that fits the JSON schema below" in asked
    assert "at least 20; at most 250" in asked
    assert "[0].weight: Input should be greater than or equal to 20, not 5." in json.dumps(second)
