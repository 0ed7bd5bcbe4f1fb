"""Each option, from each face that takes it, in the question that is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from claude_magic.notebook.options import OPTIONS, PYTHON_OPTIONS
from tests.kernels import Kernel, kernel

FACES = """
import base64, io
from dataclasses import dataclass
from PIL import Image
import claude_magic
from claude_magic.notebook.caption_magic import caption_question, figures
from claude_magic.notebook.option_line import parse
from claude_magic.notebook.options import from_python
from claude_magic.notebook.question_builder import build

notebook = get_ipython().magics_manager.registry['ClaudeMagics'].notebook
fig = Image.new("RGB", (2000, 20), "red")
table = "a,b"

@dataclass
class Point:
    x: int

def look(word: str) -> str:
    "What there is."
    return word

def line(said):
    options, prompt = parse(said + " Hi {{ 1 + 1 }}")
    return notebook.question(options, prompt)

def caption(said):
    options, words = parse(("" if "-i" in said else "-i fig ") + said, "claude_caption")
    (figure,) = figures(notebook, options)
    return caption_question(notebook, options, figure, words)

def ask(**said):
    return notebook.question(from_python("ask", said), "Hi")

def script(**said):
    return build(claude_magic.Conversation()._script, from_python("ask", said), "Hi")

def kinds(question):
    return sorted({block["type"] for block in question.sent})

def words(question):
    return " ".join(block.get("text", "") for block in question.sent)

def width(question):
    (source,) = [b["source"] for b in question.sent if b["type"] == "image"]
    return Image.open(io.BytesIO(base64.b64decode(source["data"]))).width
"""


@dataclass(frozen=True)
class Case:
    """An option on a line and in Python, and what of the question `q` says that it arrived."""

    line: str
    python: str
    seen: str
    caption: bool = False


CASES = {
    "model": Case("-m opus", "model='opus'", "q.model == 'opus'", caption=True),
    "system": Case("-s Short", "system='Short'", "q.system == 'Short'"),
    "images": Case("-i fig", "images=fig", "'image' in kinds(q)", caption=True),
    "files": Case("-f table", "files={'A': table}", "'document' in kinds(q)"),
    "cite": Case("--cite", "cite=True", "q.cite"),
    "json": Case("--json Point", "json=Point", "q.shape.name == 'Point'"),
    "tools": Case("--tools look", "tools=iter([look])", "q.tools is not None"),
    "approve": Case(
        "--tools look --approve auto",
        "tools=look, approve='auto'",
        "q.tools is not None and q.tools.check() is None",
    ),
    "steps": Case("--tools look --steps 3", "tools=look, steps=3", "q.tools.most_steps == 3"),
    "app": Case(
        "--tools computer --app xterm", "tools='computer', app='xterm'", "'xterm' in words(q)"
    ),
    "max_tokens": Case("--max-tokens 9", "max_tokens=9", "q.max_tokens == 9", caption=True),
    "stop": Case("--stop END", "stop='END'", "q.stop == ('END',)"),
    "prefill": Case("--prefill A", "prefill='A'", "q.prefill == 'A'"),
    "effort": Case("--effort low", "effort='low'", "q.effort == 'low'", caption=True),
    "think": Case("--think off", "think='off'", "q.think == 'off'", caption=True),
    "fresh": Case("--fresh", "fresh=True", "q.fresh", caption=True),
    "alone": Case("--alone", "alone=True", "q.alone"),
    "hires": Case("--hires -i fig", "hires=True, images=fig", "width(q) == 2000", caption=True),
    "context": Case("-c last", "", "q.carried.startswith('1 cell')"),
    "raw": Case("--raw", "", "'{{ 1 + 1 }}' in words(q)"),
}
# What the magics do with the reply, or in place of asking.
SHOWN = {"out", "code", "quiet", "dry_run", "reply", "write"}


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder: Path = tmp_path_factory.mktemp("faces")
    with kernel(folder) as started:
        started.run(FACES)
        yield started


def calls(field: str) -> dict[str, str]:
    """How each face that takes an option is given it."""
    case = CASES[field]
    around = "" if field == "context" else "-c none "
    found = {"line": f"line({around + case.line!r})"}
    if case.python:
        found |= {"ask": f"ask({case.python})", "script": f"script({case.python})"}
    if case.caption:
        found["caption"] = f"caption({case.line!r})"
    return found


EACH = [(field, face) for field in CASES for face in calls(field)]


def test_every_option_of_every_face_is_among_these_cases() -> None:
    assert {*CASES} | SHOWN == {*OPTIONS}
    assert [f for f in OPTIONS if f in CASES and CASES[f].python] == [
        option.field for option in PYTHON_OPTIONS
    ]
    described = {f for f, option in OPTIONS.items() if "claude_caption" in option.magics}
    assert {f for f, case in CASES.items() if case.caption} == described - SHOWN


@pytest.mark.parametrize(("field", "face"), EACH, ids=map(" from ".join, EACH))
def test_an_option_reaches_the_question(faces: Kernel, field: str, face: str) -> None:
    seen, call = CASES[field].seen, calls(field)[face]
    assert faces.value(f"[bool({seen}) for q in [{call}]]") == [True]


def test_a_question_without_options_holds_none_of_these(faces: Kernel) -> None:
    plain = "notebook.question(from_python('ask', {}), 'Hi')"
    for field in set(CASES) - {"approve", "steps", "context", "raw", "hires", "json"}:
        assert faces.value(f"[bool({CASES[field].seen}) for q in [{plain}]]") == [False], field
    assert faces.value("width(line('-c none -i fig'))") == 1568
    assert faces.value("'Hi 2' in words(line('-c none'))")


@pytest.mark.parametrize("face", ["claude_magic.ask", "claude_magic.Conversation().ask"])
def test_a_keyword_that_there_is_not_is_an_error_that_names_the_nearest(
    faces: Kernel, face: str
) -> None:
    ran = faces.run(f"{face}('Hi', modle='opus')", ok=False)
    assert ran.reply["ename"] == "TypeError"
    assert ran.reply["evalue"].endswith("unexpected keyword argument 'modle'; did you mean model?")
    ran = faces.run(f"{face}('Hi', context='none')", ok=False)
    assert ran.reply["ename"] == "TypeError", "an option of a line only"
