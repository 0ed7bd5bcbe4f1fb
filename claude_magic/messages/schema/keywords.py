"""Keywords of JSON Schema: those of each type, and the formats that the API knows."""

from __future__ import annotations

from collections.abc import Sequence

FORMATS = (
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
)
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
OF_KIND: dict[str, Sequence[str]] = {
    "object": (
        "properties",
        "patternProperties",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "required",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
    ),
    "array": (
        "items",
        "prefixItems",
        "additionalItems",
        "unevaluatedItems",
        "contains",
        "minContains",
        "maxContains",
        "minItems",
        "maxItems",
        "uniqueItems",
    ),
    "string": (
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    ),
    "number": (*_NUMBER, "format"),
    "integer": (*_NUMBER, "format"),
}
"""What each type has to say something of."""
KIND_OF = {key: kind for kind in reversed(OF_KIND) for key in OF_KIND[kind]}
"""The type that a keyword means where none is named."""
