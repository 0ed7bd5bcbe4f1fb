"""JSON schemas for replies: any schema as the API takes it, and a value as the schema meant it."""

from __future__ import annotations

from .parts import as_meant, in_words
from .supported import in_object, plain_json, supported

__all__ = ["as_meant", "in_object", "in_words", "plain_json", "supported"]
