"""The option line of `%claude` and `%%claude`."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import claude_magic
from claude_magic.messages.errors import InputError
from claude_magic.notebook.option_completion import complete
from claude_magic.notebook.option_line import parse
from claude_magic.notebook.options import PYTHON_OPTIONS, Magic, Option, options_of, usage
from tests.notebook import readme_table

OPTIONS = options_of("claude")

VALID = {
    "nothing": ("", {}),
    "only a prompt": ("Why does it fan out?", {"prompt": "Why does it fan out?"}),
    "an apostrophe is no quote": ("What's up", {"prompt": "What's up"}),
    "a prompt keeps its spaces": ("-q  a  b  ", {"quiet": True, "prompt": "a  b  "}),
    "an option in the prompt": ("What is -m opus?", {"prompt": "What is -m opus?"}),
    "short option": ("-m opus hi", {"model": "opus", "prompt": "hi"}),
    "long option": ("--model opus hi", {"model": "opus", "prompt": "hi"}),
    "value after =": ("--model=opus hi", {"model": "opus", "prompt": "hi"}),
    "double quotes": ('-s "Be kind" hi', {"system": "Be kind", "prompt": "hi"}),
    "single quotes": ("-s 'Be kind' hi", {"system": "Be kind", "prompt": "hi"}),
    "quotes after =": ('--system="Be kind"', {"system": "Be kind"}),
    "an empty system prompt": ('-s ""', {"system": ""}),
    "escaped quote": (r'-s "say \"x\" \\ \n"', {"system": 'say "x" \\ \\n'}),
    "backslash without quotes": (r"-f C:\new\x.txt", {"files": (r"C:\new\x.txt",)}),
    "a comma list": ("-i fig,df", {"images": ("fig", "df")}),
    "a repeated option": ("-i fig -i df,x", {"images": ("fig", "df", "x")}),
    "brackets in a list": ("-i f(x, y)[0],df go", {"images": ("f(x, y)[0]", "df"), "prompt": "go"}),
    "quotes in a list": ('-i d["a, b"],"my plot.png"', {"images": ('d["a, b"]', "my plot.png")}),
    "a quoted item keeps its comma": ('-f "a, b.txt"', {"files": ("a, b.txt",)}),
    "a URL": (
        "-i https://e.org/a.jpg?x=1 x",
        {"images": ("https://e.org/a.jpg?x=1",), "prompt": "x"},
    ),
    "cells": ("-c last:2,above -c 3-5 -c 7", {"context": ("last:2", "above", "3-5", "7")}),
    "a number": ("--max-tokens 500", {"max_tokens": 500}),
    "stop texts keep commas": ('--stop "a, b" --stop ,', {"stop": ("a, b", ",")}),
    "a value with a bracket": ('--prefill "The answer is ("', {"prefill": "The answer is ("}),
    "a negative number as value": ("--stop -5", {"stop": ("-5",)}),
    "a dashed value after =": ("--stop=---", {"stop": ("---",)}),
    "a shape": ("--json Finding -o f Read", {"json": "Finding", "out": "f", "prompt": "Read"}),
    "a shape with a bracket": (
        "--json list[Finding] Read",
        {"json": "list[Finding]", "prompt": "Read"},
    ),
    "a shape with spaces": (
        "--json dict[str, float] Go",
        {"json": "dict[str, float]", "prompt": "Go"},
    ),
    "a shape with quotes": ("--json Literal['a', 'b']", {"json": "Literal['a', 'b']"}),
    "a shape in quotes": ("--json 'list[Finding]' Go", {"json": "list[Finding]", "prompt": "Go"}),
    "effort": ("--effort xhigh", {"effort": "xhigh"}),
    "think": ("--think show", {"think": "show"}),
    "a variable": ("-o answer_1", {"out": "answer_1"}),
    "a variable as Python stores it": ("-o \u00b5", {"out": "\u03bc"}),
    "dry run": ("--dry-run curl", {"dry_run": "show", "prompt": "curl"}),
    "dry run as curl": ("--dry-run=curl hi", {"dry_run": "curl", "prompt": "hi"}),
    "all flags": (
        "--code -q --cite --alone --hires --raw",
        dict.fromkeys(("code", "quiet", "cite", "alone", "hires", "raw"), True),
    ),
    "a reply of one's own": (
        '--reply "Call it X" What?',
        {"reply": "Call it X", "prompt": "What?"},
    ),
    "a comment after options": ("-q # a note -m x", {"quiet": True}),
    "a comment alone": ("# a note", {}),
    "a tag is no comment": ("#fit is what?", {"prompt": "#fit is what?"}),
    "a comment in a prompt": ("why # so", {"prompt": "why # so"}),
    "end of options": ("-q -- -x^2 + 1", {"quiet": True, "prompt": "-x^2 + 1"}),
    "a heading after --": ("-- # Title", {"prompt": "# Title"}),
    "a dash": ("- item", {"prompt": "- item"}),
    "a dash alone": ("-", {"prompt": "-"}),
    "a negative number": ("-5 degrees", {"prompt": "-5 degrees"}),
    "a negative fraction": ("-.5 or", {"prompt": "-.5 or"}),
}

INVALID = {
    "a typing error": ("--modle x", "--modle: no such option; did you mean --model?"),
    "no abbreviations": ("--mod x", "did you mean --model?"),
    "glued value": ("-mopus hi", "did you mean -m opus?"),
    "nothing near": ("--zzzzzz", "put -- before a prompt that starts with a dash"),
    "a formula": ("-x^2", "put -- before a prompt"),
    "no value at the end": ("-m", "-m needs a value; for example -m opus"),
    "no value before an option": ("-m --raw", "-m needs a value"),
    "no value after =": ("--model= x", "--model needs a value"),
    "blank value": ('-m " "', "-m needs a value"),
    "a value for a flag": ("--raw=yes", "--raw takes no value; write just --raw"),
    "twice": ("-m opus --model sonnet", "--model is given twice"),
    "a flag twice": ("-q -q", "-q is given twice"),
    "no whole number": ("--max-tokens 1e3", "--max-tokens 1e3: not a whole number"),
    "zero tokens": ("--max-tokens 0", "for example --max-tokens 500"),
    "an effort that is none": ("--effort hihg", "did you mean high?"),
    "an effort far off": ("--effort 7", "choose one of low, medium, high, xhigh, max"),
    "a dry run that is none": ("--dry-run=crul", "did you mean curl?"),
    "a keyword as variable": ("-o class", "-o class: not a variable name; for example -o answer"),
    "an attribute as variable": ("-o a.b", "not a variable name"),
    "cells that are none": ("-c abve", "-c abve: no such cells; did you mean above?"),
    "a prompt taken for cells": ("-c What is this?", "-c What: no such cells"),
    "an open quote": ('-s "Be kind', "is not closed"),
    "an open bracket": ("-i f(x go", "( is not closed"),
    "an open bracket of a shape": ("--json list[Finding go", "[ is not closed"),
    "two shapes": ("--json A --json B", "--json is given twice"),
    "no shape": ("--json -o f", "--json needs a value; for example --json list[Finding]"),
    "a space in a list": ("-i fig, df", "write the list without spaces"),
    "text after a closing quote": ('-s "a"b', "a space is missing"),
}


@pytest.mark.parametrize(("line", "expected"), VALID.values(), ids=VALID)
def test_a_line_says_its_options_and_its_prompt(line: str, expected: dict[str, object]) -> None:
    options, prompt = parse(line)
    assert {**options, **({"prompt": prompt} if prompt else {})} == expected


@pytest.mark.parametrize(("line", "message"), INVALID.values(), ids=INVALID)
def test_a_wrong_line_is_an_error_that_says_what_to_write(line: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(line)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


WORDS = st.sampled_from(
    [*(s for o in OPTIONS for s in o.spellings), "--", "-", "=", '"', "'", "(", ","]
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=8).map(" ".join))
def test_any_line_is_options_or_an_input_error(line: str) -> None:
    try:
        _, prompt = parse(line)
    except InputError:
        return
    assert line.endswith(prompt)


EACH = [(magic, o) for magic in ("claude", "claude_caption") for o in options_of(magic)]
EACH_NAME = [f"{magic} {option.name}" for magic, option in EACH]


@pytest.mark.parametrize(("magic", "option"), EACH, ids=EACH_NAME)
def test_the_example_of_each_option_is_valid_and_says_that_option(
    magic: Magic, option: Option
) -> None:
    assert [*parse(option.example, magic)[0]] == [option.field]


@pytest.mark.parametrize("magic", ["claude", "claude_caption"])
def test_the_help_shows_each_option_with_its_example_in_lines_that_fit(magic: Magic) -> None:
    text = usage(magic)
    words = " ".join(text.split())
    for option in options_of(magic):
        assert option.synopsis in text
        assert option.help in words
        assert option.example in text
    assert max(map(len, text.splitlines())) <= 100


def test_an_option_of_another_magic_is_none() -> None:
    with pytest.raises(InputError, match="--write: no such option"):
        parse("--write")
    with pytest.raises(InputError, match="--reply: no such option"):
        parse("--reply x", "claude_caption")


def test_the_readme_has_the_table_of_the_options() -> None:
    text = readme_table.README.read_text("utf-8")
    assert readme_table.with_table(text) == text, readme_table.__doc__


@pytest.mark.parametrize("ask", [claude_magic.ask, claude_magic.Conversation.ask])
def test_python_names_each_option_with_its_type_default_and_meaning(
    ask: Callable[..., object],
) -> None:
    parameters = inspect.signature(ask).parameters
    named = [p for p in parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert [p.name for p in named] == [option.field for option in PYTHON_OPTIONS]
    assert parameters["images"].default == ()
    assert parameters["cite"].default is False
    assert parameters["model"].default is None
    assert parameters["max_tokens"].annotation == int | None
    assert parameters["approve"].annotation == "Approve | AskUser | None"
    words = " ".join((ask.__doc__ or "").split())
    assert [
        o.field for o in PYTHON_OPTIONS if f" {o.field}: {o.python or o.help}" not in words
    ] == []


WRONG = {
    "ask('Hi', modle='opus')": 'keyword argument "modle" for "ask"; did you mean "model"?',
    "ask('Hi', max_tokens='9')": 'Argument "max_tokens" to "ask" has incompatible type "str"',
    "ask('Hi', context=['none'])": 'Unexpected keyword argument "context" for "ask"',
    "Conversation().ask('Hi', stop=1)": 'Argument "stop" to "ask" of "Conversation"',
}


def test_a_type_checker_knows_the_options_of_python(tmp_path: Path) -> None:
    good = "ask('Hi', images=[b''], stop='END', tools=len, approve=lambda name, given: True)"
    script = tmp_path / "script.py"
    code = "\n".join(("from claude_magic import Conversation, ask", good, *WRONG))
    script.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=readme_table.README.parent,  # whose settings and cache it takes
    )
    found = [line for line in done.stdout.splitlines() if " error: " in line]
    assert len(found) == len(WRONG), done.stdout + done.stderr
    for number, (said, line) in enumerate(zip(WRONG.values(), found, strict=True), 3):
        assert f"script.py:{number}: error: " in line
        assert said in line


NAMES = {
    "models": ["opus", "sonnet"],
    "variables": ["fig", "fig2", "df"],
    "files": ["fig.png", "my plot.png", "data/x.csv"],
    "shapes": ["Finding", "Figure"],
}
COMPLETIONS = {
    "option names": ("%%claude --m", "--m", ["--model", "--max-tokens"]),
    "without the magic's name": ("--th", "--th", ["--think"]),
    "not what is given already": ("-m opus --mo", "--mo", []),
    "again what repeats": ("-i fig --im", "--im", ["--image"]),
    "models": ("%claude -m ", "", ["opus", "sonnet"]),
    "models after =": ("--model=o", "o", ["opus"]),
    "a word that holds the =": ("--model=o", "--model=o", ["--model=opus"]),
    "variables and files": ("-i f", "f", ["fig", "fig2", "fig.png"]),
    "the last of a list": ("-i df,fi", "fi", ["fig", "fig2", "fig.png"]),
    "a word that holds the list": ("-i df,fi", "df,fi", ["df,fig", "df,fig2", "df,fig.png"]),
    "words with a meaning": ("-c la", "la", ["last"]),
    "a path in parts": ("-f data/x", "x", ["x.csv"]),
    "a path that needs quotes": ("-f my", "my", ['"my plot.png"']),
    "a path within quotes": ('-f "my pl', "pl", ["plot.png"]),
    "variables after -o": ("-o d", "d", ["df"]),
    "shapes and files": ("--json F", "F", ["Finding", "Figure"]),
    "shapes within brackets": ("--json list[Fin", "Fin", ["Finding"]),
    "shapes within a word": ("--json list[Fin", "list[Fin", ["list[Finding"]),
    "shapes of a choice": ("--json Finding | Fi", "Fi", []),
    "shapes after a comma": ("--json dict[str, Fi", "Fi", ["Finding", "Figure"]),
    "choices": ("--effort h", "h", ["high"]),
    "choices of an optional value": ("--dry-run=", "", ["curl", "python", "count"]),
    "nothing in a prompt": ("hello -m ", "", []),
    "nothing after an unknown option": ("--nope ", "", []),
    "nothing after --": ("-- -", "-", []),
}


@pytest.mark.parametrize(("line", "word", "expected"), COMPLETIONS.values(), ids=COMPLETIONS)
def test_tab_offers_what_can_stand_at_the_cursor(line: str, word: str, expected: list[str]) -> None:
    assert complete(line, word, **NAMES) == expected


def test_every_option_completes_at_the_start_of_a_line() -> None:
    assert {o.name for o in OPTIONS} <= set(complete("%%claude ", "", **NAMES))


@given(st.text(max_size=40), st.integers(0, 10))
def test_completion_never_raises(line: str, length: int) -> None:
    complete(line, line[len(line) - length :] if length <= len(line) else "", **NAMES)


def test_loading_the_options_imports_nothing_heavy() -> None:
    code = (
        "import sys, claude_magic.notebook.option_line;"
        "print(*{'PIL', 'httpx', 'pandas', 'numpy', 'IPython', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
