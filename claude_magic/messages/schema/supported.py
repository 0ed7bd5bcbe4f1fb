"""Any JSON schema as one that the API takes for a reply, and nothing of it lost.

Source: the structured-outputs page. What the API does not take (bounds, lengths, formats that it
does not know, ...) is told in words, in the description; whoever reads the reply checks it against
the schema as it was. Objects are closed. One that may have any keys is asked for as a list of keys
and values, which `meant` reads as the object again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from .merge import NothingFitsError
from .nodes import parts
from .parts import copied
from .rewriting import Rewriting

MOST_OPTIONAL = 24
MOST_UNIONS = 16


def supported(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema as the API takes it, keywords in a stable order, properties in their own.

    Raises InputError for what is no schema, and for what the API cannot take in any form:
    recursion, references to elsewhere, more than 24 optional properties or 16 unions.
    """
    root = copied(schema)
    try:
        found = Rewriting(root).whole()
    except NothingFitsError:
        raise InputError("Nothing can fit this JSON schema: parts of it exclude others.") from None
    except RecursionError:
        raise InputError("This JSON schema is nested too deeply: flatten it.") from None
    _check_limits(found)
    return found


def in_object(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A schema whose root is an object, which the API asks for, and the key that stands for it.

    The key is "" where the root is an object already. `schema` is one that `supported` made.
    """
    if schema.get("type") == "object":
        return schema, ""
    key = "items" if schema.get("type") == "array" else "value"
    inner = {name: value for name, value in schema.items() if name != "$defs"}
    outer: dict[str, Any] = {
        "type": "object",
        "properties": {key: inner},
        "required": [key],
        "additionalProperties": False,
    }
    return outer | ({"$defs": schema["$defs"]} if "$defs" in schema else {}), key


def _check_limits(schema: Mapping[str, Any]) -> None:
    found = list(parts(schema))
    optional = sum(
        len(part["properties"]) - len(part["required"]) for part in found if "properties" in part
    )
    if optional > MOST_OPTIONAL:
        raise InputError(
            f"The JSON schema has {optional} optional properties, and the API takes "
            f"{MOST_OPTIONAL}: make some required, or ask in two questions."
        )
    unions = sum("anyOf" in part for part in found)
    if unions > MOST_UNIONS:
        raise InputError(
            f"The JSON schema has {unions} properties that may be of several types, and the API "
            f"takes {MOST_UNIONS}: give some one type (a text may be empty, a list too), or ask "
            "in two questions."
        )
