"""Edits of JSON text: what is not edited stays byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.captions.notebooks.json_edits import (
    Edit,
    Node,
    Writer,
    applied,
    parse,
    raw_places,
)
from claude_magic.messages.errors import InputError

TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
STYLES = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 1, 2, 4, "\t"]),
        "ensure_ascii": st.booleans(),
        "sort_keys": st.just(False),
    }
)


def written(value: Any, style: dict[str, Any], line_end: str = "\n") -> str:
    return json.dumps(value, **style).replace("\n", line_end)


@given(VALUES, STYLES, st.sampled_from(["\n", "\r\n"]))
def test_any_value_is_read_as_json_reads_it(value: Any, style: dict[str, Any], end: str) -> None:
    text = written(value, style, end)
    assert repr(parse(text).plain()) == repr(json.loads(text))


@given(VALUES, STYLES)
def test_every_node_stands_where_it_says(value: Any, style: dict[str, Any]) -> None:
    text = written(value, style)

    def check(node: Node) -> None:
        assert repr(json.loads(text[node.start : node.end])) == repr(node.plain())
        inner = node.value.values() if isinstance(node.value, dict) else node.value
        for child in inner if isinstance(node.value, dict | list) else ():
            check(child)

    check(parse(text))


@given(
    st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4),
    STYLES,
    st.sampled_from(["\n", "\r\n"]),
    TEXTS,
    TEXTS,
)
def test_a_new_member_adds_itself_and_changes_nothing_else(
    before: dict[str, Any], style: dict[str, Any], end: str, key: str, value: str
) -> None:
    outer = {"a": [{"inner": before}], **({"z": "é"} if not style["ensure_ascii"] else {})}
    if key in before:
        return
    text = written(outer, style, end)
    root = parse(text)
    parent = root.get("a", 0, "inner")
    assert parent is not None
    edit = Writer(text, root).member(parent, key, {"alt": value}, 3)
    new = applied(text, [edit])
    before[key] = {"alt": value}
    assert repr(sorted_(json.loads(new))) == repr(sorted_(outer))
    assert new.replace(edit.new, "", 1) == text or len(new) - len(edit.new) == len(text)


def sorted_(value: Any) -> Any:
    """Objects as sorted lists: the order of keys is another test's matter."""
    if isinstance(value, dict):
        return sorted((key, repr(sorted_(inner))) for key, inner in value.items())
    return [sorted_(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t"])
@pytest.mark.parametrize("metadata", [{}, {"a": 1}, {"zoo": 1}, {"a": 1, "zoo": 2}])
def test_a_new_member_is_written_as_nbformat_would_have_written_it(
    indent: Any, metadata: dict[str, Any]
) -> None:
    outer = {"cells": [{"outputs": [{"metadata": metadata}]}]}
    text = json.dumps(outer, indent=indent, sort_keys=True)
    root = parse(text)
    parent = root.get("cells", 0, "outputs", 0, "metadata")
    assert parent is not None
    edit = Writer(text, root).member(parent, "image/png", {"alt": "é"}, 5)
    metadata = {**metadata, "image/png": {"alt": "é"}}
    outer = {"cells": [{"outputs": [{"metadata": metadata}]}]}
    expected = json.dumps(outer, indent=indent, sort_keys=True, ensure_ascii=False)
    assert applied(text, [edit]) == expected


def test_a_text_in_one_line_without_spaces_stays_so() -> None:
    text = '{"b":{"x":1},"c":{}}'
    root = parse(text)
    writer = Writer(text, root)
    edits = [
        writer.member(root.value["b"], "y", "new", 1),
        writer.member(root.value["c"], "y", {"alt": "new"}, 1),
    ]
    assert applied(text, edits) == '{"b":{"x":1,"y":"new"},"c":{"y":{"alt":"new"}}}'


def test_letters_are_escaped_where_the_file_escapes_them() -> None:
    plain, escaped = '{"a": "é"}', '{"a": "\\u00e9"}'
    assert Writer(plain, parse(plain)).string("ü") == '"ü"'
    assert Writer(escaped, parse(escaped)).string("ü") == '"\\u00fc"'
    assert Writer('{"a": "\\u001b"}', parse('{"a": "\\u001b"}')).string("ü") == '"ü"'


def test_half_a_surrogate_pair_is_written_as_an_escape() -> None:
    assert Writer('{"a": "é"}', parse('{"a": "é"}')).string("\ud83d") == '"\\ud83d"'


@given(TEXTS, st.booleans(), st.data())
def test_the_places_of_characters_are_found_through_escapes(
    value: str, ascii_: bool, data: st.DataObject
) -> None:
    text = f' ["x", {json.dumps(value, ensure_ascii=ascii_)}]'
    string = parse(text).value[1]
    value = string.value
    first = data.draw(st.integers(0, len(value)))
    last = data.draw(st.integers(first, len(value)))
    places = raw_places(text, string, [first, last])
    new = applied(text, [Edit(places[first], places[last], "NEW")])
    assert json.loads(new)[1] == f"{value[:first]}NEW{value[last:]}"


def test_the_last_of_two_equal_keys_counts() -> None:
    root = parse('{"a": 1, "a": 2}')
    assert root.plain() == {"a": 2}
    assert Writer('{"a": 1, "a": 2}', root).string("x") == '"x"'


def test_a_byte_order_mark_is_kept() -> None:
    text = '\ufeff{"a": 1}\n'
    assert applied(text, [Edit(parse(text).value["a"].start, 8, "2")]) == '\ufeff{"a": 2}\n'


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a"', '{"a":}', '{"a" 1}', "{1: 2}", "[1,]", '{"a": 1,}', "[1 2]", "[1] 2", "nul",
     '"a\nb"', "[" * 200_000],
)  # fmt: skip
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(InputError, match="this is no JSON"):
        parse(text)


def test_edits_that_overlap_are_a_fault() -> None:
    with pytest.raises(ValueError, match="overlap"):
        applied("abcdef", [Edit(0, 3, ""), Edit(2, 4, "")])
