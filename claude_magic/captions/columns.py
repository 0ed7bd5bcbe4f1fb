"""The properties of a JSON schema as columns of a table, and values as what stands in them.

Imports pyarrow: imported where a table is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_PLAIN = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
_DEEPEST = 6


WHOLE = "value"
"""The column of a value that has no properties."""


def column_types(schema: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """The type of each property; of what is no plain value or list of them: text, in JSON."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return {WHOLE: _type(schema, schema, 0)}
    return {name: _type(part, schema, 0) for name, part in properties.items()}


def fitted(value: Any, kind: pa.DataType) -> Any:
    """A value as a column of this type takes it; None for one that it does not take."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_list(kind):
        return (
            [fitted(item, kind.value_type) for item in value] if isinstance(value, list) else None
        )
    try:
        if pa.types.is_integer(kind):
            return int(value) if -(2**63) <= int(value) < 2**63 else None
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _type(part: Any, root: Mapping[str, Any], depth: int) -> pa.DataType:
    if not isinstance(part, Mapping) or depth > _DEEPEST:
        return pa.string()
    reference = part.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        return _type(root.get("$defs", {}).get(name), root, depth + 1)
    if isinstance(part.get("anyOf"), list):
        others = [p for p in part["anyOf"] if p != {"type": "null"}]
        return _type(others[0], root, depth + 1) if len(others) == 1 else pa.string()
    kind = part.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), None) if len(kind) <= 2 else None
    if kind == "array":
        return pa.list_(_type(part.get("items"), root, depth + 1))
    return _PLAIN.get(str(kind), pa.string())
