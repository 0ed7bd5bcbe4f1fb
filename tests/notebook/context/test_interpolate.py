"""`{{ expression }}` in a prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import joined_text
from claude_magic.messages.errors import InputError
from claude_magic.messages.images.prepare import Prepared
from claude_magic.notebook.context.interpolate import interpolate


def evaluator(**names: object) -> Callable[[str], object]:
    return lambda expression: eval(expression, names)  # noqa: S307 - what the notebook does


def nothing(expression: str) -> object:
    raise AssertionError(f"evaluated: {expression}")


def rendered(body: str, **names: object) -> str:
    return joined_text(interpolate(body, evaluator(**names)))


UNTOUCHED = {
    "no braces": "Why is it so?",
    "single braces": "{x} and {'a': 1}",
    "JSON": '{"a": {"b": [1, 2]}}',
    "nested dict literal": "{{'a': {'b': 1}}}",
    "dict in double braces": "{{'a': 1}}",
    "three braces": "{{{x}}}",
    "four braces": "{{{{x}}}}",
    "LaTeX group": r"{{\bf x}}",
    "a title in double braces": "title = {{Deep Learning}}",
    "a template block": "{{#if x}}\n{{/if}}",
    "a template block with a name below": "{{#each x}}\n  x\n}}",
    "a template comment": "{{! x }}",
    "a template keyword": "{{else}}",
    "empty": "{{}} {{ }}",
    "a placeholder": "{{...}}",
    "zero of C": "int a[2] = {{0}};",
    "numbers of C": "{{1, 2}}",
    "an object of JavaScript": "style={{color: red}} {{a:5}}",
    "unclosed": "{{ x",
    "a secret of a workflow": "token: ${{ secrets.TOKEN }}, not ${{secrets.TOKEN}}",
    "an expression of a workflow": "if: ${{ github.ref == 'refs/heads/main' }} \\${{ x }}",
    "closed in the next paragraph of a statement": "{{ if x:\n\n}}",
    "a code span": "`{{ x }}`",
    "a code span with two backticks": "``a ` {{ x }}``",
    "fenced code": "```python\n{{ x }}\n```\n",
    "fenced with tildes": "~~~\n{{ x }}\n```\n{{ x }}\n~~~",
    "a longer fence": "````\n```\n{{ x }}\n```\n````",
    "an unclosed fence": "```\n{{ x }}\n\n{{ x }}",
    "a fence in a list": "- ```\n  {{ x }}\n  ```",
    "a fence in a quotation": "> ```\n> {{ x }}\n> ```",
    "inline maths": "$a^{{x}}$ and ${{x}}$ and $x + {{x}}$",
    "displayed maths": "$$\n{{x}}\n$$ and \\[{{x}}\\] and \\({{x}}\\)",
    "an environment": "\\begin{align}\n{{x}}\n\\end{align}",
    "arguments of a LaTeX command": r"\frac{{x}}{{x}} \cite[p. 3]{{x}}",
    "an f-string": "f\"{{x}}\" and rf'{{x}}' and f'''\n{{x}}\n'''",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
@pytest.mark.met("P14")
def test_what_is_no_expression_or_meant_literally_passes_untouched(body: str) -> None:
    assert joined_text(interpolate(body, nothing)) == body


REPLACED = {
    "a name": ("{{ x }}", "7"),
    "without spaces": ("{{x}}", "7"),
    "between words": ("a {{ x }} b {{ x + 1 }} c", "a 7 b 8 c"),
    "adjacent": ("{{x}}{{x}}", "77"),
    "within JSON": ('{"a": {{x}}}', '{"a": 7}'),
    "a dict in it": ("{{ {'k': x}['k'] }}", "7"),
    "a dict at its end": ("{{ {'k': x}}}", "{'k': 7}"),
    "closing braces in a string": ("{{ d['}}'] }}", "in"),
    "braces as text": ('{{ "{{ x }}" }}', "{{ x }}"),
    "text as it is": ("say {{ s }}!", "say two\nlines!"),
    "a comprehension": ("{{ [i * x for i in r] }}", "[0, 7]"),
    "a lambda": ("{{ (lambda y: y + x)(1) }}", "8"),
    "a name bound within": ("{{ (y := x) + y }}", "14"),
    "over several lines": ("{{ (\n x\n) }}", "7"),
    "with a comment": ("{{ x # the answer\n }}", "7"),
    "a format": ("{{ f:.2f }}, {{ n:, }}, {{ f:.0% }}", "3.14, 12,345, 314%"),
    "money": ("$ {{ x }} to {{ n }} $", "$ 7 to 12345 $"),
    "money and a currency": ("$5 for {{ x }} (US$)", "$5 for 7 (US$)"),
    "a derivative is no f-string": ("f'(x) = {{ x }}, what is f'(0)?", "f'(x) = 7, what is f'(0)?"),
    "after a fence": ("```\n{{ x }}\n```\n{{ x }}", "```\n{{ x }}\n```\n7"),
    "after a template block": ("{{#if}} {{ x }}", "{{#if}} 7"),
    "an escaped dollar": (r"\$ {{ x }} $", r"\$ 7 $"),
}
NAMES: dict[str, Any] = {
    "x": 7, "n": 12345, "f": 3.14159, "s": "two\nlines", "d": {"}}": "in"}, "r": range(2),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), REPLACED.values(), ids=REPLACED)
def test_an_expression_is_replaced_by_its_value(body: str, expected: str) -> None:
    assert rendered(body, **NAMES) == expected


ERRORS = {
    "an unknown name": ("{{ foo }}", "{{ foo }}: the name foo is not defined"),
    "an unknown name within": ("{{ [foo for i in r] }}", "the name foo is not defined"),
    "an unknown name in a lambda": ("{{ (lambda y: y + foo)(1) }}", "the name foo is not defined"),
    "what raises": ("{{ 1 / (x - 7) }}", "ZeroDivisionError: division by zero"),
    "a message of many lines": ("{{ fail('a\\nb') }}", "ValueError: a b"),
    "a wrong format": ("{{ s:.2f }}", "ValueError: Unknown format code"),
    "await": ("{{ await x }}", "SyntaxError"),
}


def fail(message: str) -> None:
    raise ValueError(message)


@pytest.mark.parametrize(("body", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_evaluated_is_one_line_that_names_raw(body: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        rendered(body, fail=fail, **NAMES)
    assert message in str(caught.value)
    assert "--raw" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_found_before_anything_is_evaluated() -> None:
    calls: list[int] = []
    with pytest.raises(InputError, match="the name foo"):
        rendered("{{ effect(1) }} {{ [foo for i in r] }}", effect=calls.append, r=[1])
    assert calls == []


def test_our_own_errors_pass_as_they_are() -> None:
    def refuse(expression: str) -> object:
        raise InputError("not here")

    with pytest.raises(InputError, match=r"^not here$"):
        interpolate("{{ 1 + 1 }}", refuse)


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupt(expression: str) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interpolate("{{ 1 + 1 }}", interrupt)


def test_a_table_stands_on_lines_of_its_own_with_its_name() -> None:
    pandas = pytest.importorskip("pandas")
    shown = rendered("see {{ df }} there", df=pandas.DataFrame({"a": [1]}))
    assert shown.startswith("see \nDataFrame df: 1 row x 1 column\n")
    assert shown.endswith("\na\n1\n there")


def test_a_figure_becomes_an_image_block_in_its_place() -> None:
    image = pytest.importorskip("PIL.Image").new("RGB", (3, 2))
    blocks = interpolate("a {{ image }} b {{ 1 + 1 }}", evaluator(image=image))
    assert [b["type"] for b in blocks] == ["text", "image", "text"]
    assert [b["text"] for b in blocks if b["type"] == "text"] == ["a ", " b 2"]


def test_prepare_makes_the_image_blocks() -> None:
    image = pytest.importorskip("PIL.Image").new("RGB", (3, 2))
    block = {"type": "image", "source": {"type": "url", "url": "https://example.org/x"}}

    given_to = []

    def prepare(source: object) -> Any:
        given_to.append(source)
        return Prepared(cast(Any, block), 0, 0, "")

    assert interpolate("{{ image }}", evaluator(image=image), prepare=prepare) == [block]
    assert given_to == [image]


def test_an_empty_prompt_is_no_block() -> None:
    assert interpolate("", nothing) == []


@given(st.text().filter(lambda body: "{{" not in body))
def test_text_without_double_braces_is_itself(body: str) -> None:
    assert joined_text(interpolate(body, nothing)) == body


@given(
    st.lists(st.sampled_from(["{{", "}}", "{", "}", "x", "`", "```", "\n", "$", '"', " ", "\\"]))
)
def test_any_prompt_is_blocks_or_an_input_error(parts: list[str]) -> None:
    try:
        interpolate("".join(parts), evaluator(x=7))
    except InputError as error:
        assert "--raw" in str(error)
