"""What the parts of a JSON schema say: together, of a property or an item, and in words.

What the API cannot take was asked for in another form (see `supported`), and models write a word
of an enum with other letter case; both are put right here. Whether the value then fits, others
check.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ..errors import InputError

FlatSchema = dict[str, Any]
"""A schema without `$ref`, `allOf`, `const` and `oneOf`; its `type` is a list."""

MOST_STEPS = 20_000
"""Schemas are followed this far; one of a few lines may stand for millions of parts."""
PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
# What a schema applies to a value, but for what is in groups by name.
_APPLIED = re.compile(
    "anyOf|oneOf|allOf|not|if|then|else|contains|propertyNames|(?:additional|unevaluated)Properties"
    "|items|(?:prefix|additional|unevaluated)Items"
)
# What says nothing about a value, or is said in another way in a flat schema.
_LEFT_OUT = re.compile(
    r"\$(?:ref|defs|schema|id|anchor|comment|vocabulary)|definitions|allOf|const|oneOf|type"
    "|discriminator|deprecated|readOnly|writeOnly"
)
# What is not told in words: it stands in the schema itself, or says nothing about the value.
_SILENT = re.compile(
    r"\$.*|type|enum|const|required|anyOf|allOf|title|description|discriminator|deprecated"
    "|readOnly|writeOnly|properties|(?:pattern|additional|unevaluated)Properties|items|prefixItems"
)
_RANGES = {"Length": "character", "Items": "item", "Properties": "key"}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}
_TOLD_FIRST = {*_BOUNDS, *(f"{end}{of}" for end in ("min", "max") for of in _RANGES)}


class NothingFitsError(Exception):
    """No value can be what a schema asks for."""


def check(root: Mapping[str, Any]) -> None:
    """Raises InputError where a schema is endless, or refers to what it does not hold."""
    opened, done, steps = ["#"], set[str](), 0

    def walk(part: Any, path: str) -> None:
        nonlocal steps
        if isinstance(part, bool):
            return
        steps += 1
        if steps > MOST_STEPS:
            raise InputError("This JSON schema is too large: ask for less at once.")
        if "$dynamicRef" in part or "$recursiveRef" in part:
            raise InputError(f"{path or 'schema'}: $dynamicRef is not possible; use $ref.")
        reference = part.get("$ref")
        if reference in opened:
            raise InputError(
                f"{path or 'schema'}: the schema holds itself ({_short(reference)}), which the API "
                "does not take: nest as many levels as you need, or ask for a flat list."
            )
        if reference is not None and reference not in done:
            opened.append(reference)
            walk(target(root, reference), path)
            done.add(opened.pop())
        for where, child in _applied(part, path):
            walk(child, where)

    walk(root, "")


def target(root: Mapping[str, Any], reference: str) -> Any:
    """What an internal `$ref` points to. Raises InputError if it leads elsewhere or nowhere."""
    if reference != "#" and not reference.startswith("#/"):
        raise InputError(
            f"$ref {_short(reference)}: only references inside the schema (#/$defs/...) are "
            "possible; copy what it refers to into $defs."
        )
    found: Any = root
    for step in reference[2:].split("/") if reference != "#" else ():
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name) if isinstance(found, list) else name]
        except (ValueError, LookupError, TypeError):
            raise InputError(f"$ref {_short(reference)}: the schema has no such part.") from None
    if not isinstance(found, dict | bool):
        shown = _short(json.dumps(found))
        raise InputError(f"$ref {_short(reference)}: {shown} is no JSON schema.")
    return found


def conjuncts(parts: Iterable[Any], root: Mapping[str, Any]) -> list[FlatSchema]:
    """The flat schemas that a value has to fit, all of them, to fit each of `parts`.

    Raises NothingFitsError where one of them is `false`.
    """
    found: list[FlatSchema] = []
    for part in parts:
        if part is False:
            raise NothingFitsError
        if part is not True:
            found += _flat(part)
            there = [target(root, part["$ref"])] if "$ref" in part else []
            found += conjuncts([*there, *part.get("allOf", ())], root)
    return [one for one in found if one]


def of_property(parts: Iterable[FlatSchema], name: str) -> list[Any]:
    """The schemas that flat schemas have for the property `name`."""
    found: list[Any] = []
    for part in parts:
        mine = [part["properties"][name]] if name in part.get("properties", {}) else []
        patterns = part.get("patternProperties", {}).items()
        mine += [child for pattern, child in patterns if _matches(pattern, name)]
        if not mine and "additionalProperties" in part:
            mine.append(part["additionalProperties"])
        found += mine
    return found


def of_item(parts: Iterable[FlatSchema], index: int) -> list[Any]:
    """The schemas that flat schemas have for the item at `index`, from 0."""
    found: list[Any] = []
    for part in parts:
        first = part.get("prefixItems", [])[index : index + 1]
        found += first or ([part["items"]] if "items" in part else [])
    return found


def types_of(parts: Iterable[FlatSchema]) -> list[str] | None:
    """The types that a value may be of; None where that is not said. An integer is a number, too.

    Raises NothingFitsError where there is none.
    """
    found: list[str] | None = None
    for kinds in (part["type"] for part in parts if "type" in part):
        both = [found or kinds, kinds]
        wide = [{*one, "integer"} if "number" in one else set(one) for one in both]
        found = [kind for kind in unique([*both[0], *kinds]) if all(kind in one for one in wide)]
        if not found:
            raise NothingFitsError
    return found


def joined(path: str, name: str) -> str:
    """The path of the property `name` of what stands at `path`."""
    return f"{path}.{name}" if path else name


def canonical(value: Any) -> str:
    """JSON text that equal values, and no others, have in common; 1, 1.0 and true are not equal."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def unique(values: Iterable[Any]) -> list[Any]:
    """The values without those that came before."""
    return list({canonical(value): value for value in values}.values())


def is_of(value: Any, kinds: Sequence[str]) -> bool:
    """Whether a JSON value is of one of these types."""
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return True
    return any(isinstance(value, PYTHON_TYPES[kind]) for kind in kinds if kind != "boolean")


def in_words(part: Mapping[str, Any], show: Callable[[Any], Any] = lambda value: value) -> str:
    """What `part` says of a value beyond its type: "at least 3; at most 20 characters".

    `show` gives a schema within it as it is to be written.
    """
    ends = [(part.get(f"min{of}"), part.get(f"max{of}"), noun) for of, noun in _RANGES.items()]
    bounds = [f"{words} {_json(part[key])}" for key, words in _BOUNDS.items() if key in part]
    # In whatever order the others were written.
    rest = sorted(key for key in part.keys() - _TOLD_FIRST if not _SILENT.fullmatch(key))
    told = [_range(*end) for end in ends] + bounds + [_phrase(k, part[k], show) for k in rest]
    return "; ".join(filter(None, told))


def _range(least: float | None, most: float | None, noun: str) -> str:
    if most is not None and (least or 0) == most:
        return f"exactly {_count(most, noun)}"
    found = [f"at least {_count(least, noun)}"] if least else []
    return "; ".join([*found, f"at most {_count(most, noun)}"] if most is not None else found)


def _phrase(key: str, value: Any, show: Callable[[Any], Any]) -> str:
    match key:
        case "uniqueItems":
            return "no two items alike" if value else ""
        case "examples" if isinstance(value, list):
            return f"for example {', '.join(map(_json, value))}" if value else ""
        case "oneOf":
            return "exactly one of these"
        case "pattern":
            return f"matching the regular expression {value}"
        case "format" | "contentEncoding" | "contentMediaType" if isinstance(value, str):
            return f"{key}: {value}"
        case "not":
            return f"nothing that fits {_json(show(value))}"
        case "contains":
            return f"with an item that fits {_json(show(value))}"
    return f"{key}: {_json(show(value))}"


def _count(number: float, noun: str) -> str:
    return f"{_json(number)} {noun}" if number == 1 else f"{_json(number)} {noun}s"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _flat(part: Mapping[str, Any]) -> list[FlatSchema]:
    """What `part` itself says, in the one spelling that flat schemas have."""
    found: FlatSchema = {key: value for key, value in part.items() if not _LEFT_OUT.fullmatch(key)}
    if "type" in part:
        found["type"] = unique(part["type"] if isinstance(part["type"], list) else [part["type"]])
    if isinstance(found.get("items"), list):  # until 2019
        found["prefixItems"] = found.pop("items")
        if "additionalItems" in found:
            found["items"] = found.pop("additionalItems")
    for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(strict), bool) and found.pop(strict) and bound in found:
            found[strict] = found.pop(bound)  # until 2016
    also: list[FlatSchema] = [{"enum": [part["const"]]}] if "const" in part else []
    if "oneOf" in part:
        to_tell = "discriminator" not in part and len(part["oneOf"]) > 1
        also.append({"anyOf": part["oneOf"], **({"oneOf": True} if to_tell else {})})
    return [found, *also]


def _applied(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The schemas that `part` applies, each with the path of what it applies to."""
    for group in ("properties", "patternProperties", "dependentSchemas"):
        for name, child in part.get(group, {}).items():
            yield joined(path, name if group == "properties" else f"({name})"), child
    for key in filter(_APPLIED.fullmatch, part):
        for child in part[key] if isinstance(part[key], list) else [part[key]]:
            yield (f"{path}[]" if "tems" in key else path), child


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # one of another dialect
        return False


_PAIR = {"key", "value"}


def as_meant(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value`, JSON, in the form that `schema` asks for: lists of keys and values are objects
    again, and words of an enum have its letter case.

    `schema` is one that `supported` takes. Raises ValueError for a key that comes twice.
    """
    return _Reading(schema).read(value, [schema], "")


class _Reading:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def read(self, value: Any, parts: Iterable[Any], path: str) -> Any:
        """`value` in the form that all of `parts` ask for."""
        try:
            said = conjuncts(parts, self._root)
            kinds = types_of(said)
        except NothingFitsError:
            return value
        choices = [part["anyOf"] for part in said if "anyOf" in part]
        own = [{key: part[key] for key in part if key != "anyOf"} for part in said]
        for choice in itertools.product(*choices) if choices else ():
            found = self.read(value, [*own, *choice], path)
            if self._may_be(found, [*own, *choice]):
                return found
        if isinstance(value, str):
            return _word(value, own)
        if isinstance(value, list):
            if _is_open(own, kinds) and all(
                isinstance(p, dict) and p.keys() == _PAIR for p in value
            ):
                return self.read(_as_object(value, path), own, path)
            items = enumerate(value)
            return [self.read(item, of_item(own, i), f"{path}[{i}]") for i, item in items]
        if isinstance(value, dict):
            return {
                name: self.read(item, of_property(own, name), joined(path, name))
                for name, item in value.items()
            }
        return value

    def _may_be(self, value: Any, parts: Iterable[Any]) -> bool:
        """Whether the value looks like what `parts` ask for: types, names, constants."""
        try:
            said = conjuncts(parts, self._root)
            kinds = types_of(said)
        except NothingFitsError:
            return False
        named = [[canonical(one) for one in part["enum"]] for part in said if "enum" in part]
        if not (kinds is None or is_of(value, kinds)):
            return False
        if not all(canonical(value) in one for one in named):
            return False
        for choices in (part["anyOf"] for part in said if "anyOf" in part):
            if not any(self._may_be(value, [one]) for one in choices):
                return False
        if isinstance(value, list):
            return all(self._may_be(item, of_item(said, i)) for i, item in enumerate(value))
        if isinstance(value, dict):
            required = {name for part in said for name in part.get("required", ())}
            return required <= value.keys() and all(
                self._may_be(item, of_property(said, name)) for name, item in value.items()
            )
        return True


def _word(value: str, said: Iterable[FlatSchema]) -> str:
    """The word of the enum that `value` is but for its letter case."""
    named = [word for part in said for word in part.get("enum", ()) if isinstance(word, str)]
    if value in named:
        return value
    alike = [word for word in named if word.casefold() == value.strip().casefold()]
    return alike[0] if len(alike) == 1 else value


def _is_open(said: list[FlatSchema], kinds: list[str] | None) -> bool:
    """Whether an object of any keys is asked for, and no list."""
    if any(part.get("properties") for part in said):
        return False
    if kinds is None:
        return any("additionalProperties" in part for part in said)
    return "object" in kinds and "array" not in kinds


def _as_object(pairs: list[dict[str, Any]], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key = pair["key"]
        name = key if isinstance(key, str) else canonical(key)
        if name in found:
            raise ValueError(f"{path or 'the reply'}: the key {canonical(name)} comes twice.")
        found[name] = pair["value"]
    return found
