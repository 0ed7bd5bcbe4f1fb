"""A JSON schema with its references, `allOf`, `oneOf` and older spellings worked into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .merge import FlatSchema, NothingFitsError, merged, unique
from .parts import target

# What says nothing about a value.
_LEFT_OUT = frozenset(
    {
        "$ref",
        "$defs",
        "definitions",
        "$schema",
        "$id",
        "$anchor",
        "$comment",
        "$vocabulary",
        "allOf",
        "const",
        "oneOf",
        "type",
        "discriminator",
        "deprecated",
        "readOnly",
        "writeOnly",
    }
)


def flat(part: Any, root: Mapping[str, Any]) -> FlatSchema:
    """`part` of the schema `root` by itself; what it holds stays as it is.

    Raises NothingFitsError where no value can be that.
    """
    if part is False:
        raise NothingFitsError
    if part is True:
        return {}
    found = _own(part)
    if "$ref" in part:
        found = merged(found, flat(target(root, part["$ref"]), root))
    for one in part.get("allOf", ()):
        found = merged(found, flat(one, root))
    return found


def expanded(value: Any, root: Mapping[str, Any]) -> Any:
    """`value` with what its references refer to in their place: it may stand on its own."""
    if isinstance(value, list):
        return [expanded(item, root) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: expanded(item, root) for key, item in value.items() if key != "$ref"}
    if not isinstance(value.get("$ref"), str):
        return found | {key: value[key] for key in ("$ref",) if key in value}
    there = expanded(target(root, value["$ref"]), root)
    return {**there, **found} if isinstance(there, dict) else there


def _own(part: Mapping[str, Any]) -> FlatSchema:
    """What `part` itself says, in the one spelling that a flat schema has."""
    found: FlatSchema = {key: value for key, value in part.items() if key not in _LEFT_OUT}
    if "type" in part:
        kinds = part["type"]
        found["type"] = unique(kinds) if isinstance(kinds, list) else [kinds]
    if "const" in part:
        found = merged(found, {"enum": [part["const"]]})
    if "oneOf" in part:
        found = merged(found, {"anyOf": part["oneOf"]})
        if "discriminator" not in part and len(part["oneOf"]) > 1:
            found["oneOf"] = True  # to be told in words
    if isinstance(part.get("items"), list):  # until 2019
        del found["items"]
        found = merged(found, {"prefixItems": part["items"]})
        if "additionalItems" in part:
            found["items"] = found.pop("additionalItems")
    for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(strict), bool):  # until 2016
            told = found.pop(strict)
            if told and bound in found:
                found[strict] = found.pop(bound)
    return found
