"""Reading the JSON of a reply, whoever wrote it and however."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.asking.shape import json_value

READ: dict[str, tuple[str, Any]] = {
    "the JSON alone": ('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
    "a value that is no object": (" 7\n", 7),
    "a byte order mark": ('\ufeff{"a": 1}', {"a": 1}),
    "a code fence": ('```json\n{"a": 1}\n```', {"a": 1}),
    "a code fence and words": ("Here you are:\n\n```\n[1]\n```\nAnything else?", [1]),
    "a code fence that is not closed": ('~~~json\n{"a": 1}\n', {"a": 1}),
    "words around it": ('The result is {"a": {"b": 1}}, as asked.', {"a": {"b": 1}}),
    "brackets in the words": ('Of {all} [these], {"a": 1} it is.', {"a": 1}),
    "a fence with code beside it": ('```python\nx = {}[1\n```\n```json\n{"a": 1}\n```', {"a": 1}),
    "a comment after it": ('{"a": 1} // so', {"a": 1}),
    "a fence in the JSON": ('{"a": "```json\\n1\\n```"}', {"a": "```json\n1\n```"}),
    "half a character, escaped": (r'{"a": "\ud800x"}', {"a": "\ufffdx"}),
    "half a character as it is": ('["\udfff"]', ["\ufffd"]),
    "half a character in a key": (r'{"\ud800": 1}', {"\ufffd": 1}),
    "a whole one, escaped": (r'["\ud83d\ude00"]', ["\U0001f600"]),
    "line separators": ('["\u2028\u0085"]', ["\u2028\u0085"]),
}


@pytest.mark.parametrize(("text", "value"), READ.values(), ids=READ)
def test_the_one_value_is_read(text: str, value: Any) -> None:
    assert json_value(text) == value


REFUSED = {
    "nothing": ("  \n", "it is empty"),
    "words": ("I cannot tell.", "no JSON: Expecting value in line 1, column 1"),
    "two values": ('[1] and {"a": 1}', "holds 2 JSON values"),
    "two values, line by line": ('{"a": 1}\n{"a": 2}', "holds 2 JSON values"),
    "two fences": ("```\n[1]\n```\n```\n[2]\n```", "holds 2 JSON values"),
    "cut off": ('{"a": {"b": [1, 2]}, "c": ', "no JSON: Expecting value"),
    "cut off within a string": ('{"a": {"b": 1}, "c": "so', "no JSON: Unterminated string"),
    "NaN": ('{"a": NaN}', "NaN, which JSON does not have"),
    "infinity": ("[-Infinity]", "-Infinity, which JSON does not have"),
    "a number too large": ("[1e999]", "too large: 1e999"),
    "a number of many digits": ("1" * 5000, "5000 digits"),
    "a key twice": ('{"a": 1, "b": {"k": 1, "k": 2}}', 'the key "k" twice'),
    "deep nesting": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "deep nesting that is cut off": ('{"a":' * 100_000, "nested too deeply"),
    "single quotes": ("{'a': 1}", "no JSON: Expecting property name"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_one_value_is_refused_in_a_few_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        json_value(text)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 120


def test_many_brackets_are_not_all_tried() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        json_value("[1," * 300 + "x" + "[x " * 200_000)


def test_many_fences_are_read_in_one_go() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        json_value("``` a\n" * 60_001 + "x")


pieces = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        '"',
        ":",
        ",",
        "\\",
        "\\ud800",
        "1",
        "-",
        "e9",
        "NaN",
        "null",
        "```\n",
        "a",
    ]
)


@given(st.text(max_size=30) | st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=500)
def test_no_text_raises_anything_but_a_value_error(text: str) -> None:
    try:
        found = json_value(text)
    except ValueError as refused:
        assert str(refused)
    else:
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
