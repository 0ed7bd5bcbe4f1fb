"""What each model refuses, and what of JSON Schema structured outputs and strict tools take.

Source of the texts: the API's error, thinking, effort and what's-new pages.

Source: the structured-outputs page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .media_rules import check_computer
from .request_checks import CheckedRequest, bad
from .request_shape import STRICT_VERSION

_TOP_EFFORTS = ("xhigh", "max")
# Models that think unless told not to, and cannot be told so at the two highest efforts.
_DISABLED_UP_TO_HIGH = ("claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5-5")
_FAST = {"claude-opus-5-5": None, "claude-opus-5": "fast-mode-", "claude-opus-4-8": "fast-mode-"}
_SPEED_IGNORED = ("claude-opus-4-6", "claude-sonnet-4-6")


def check_model_rules(asked: CheckedRequest) -> None:
    """Raises Refusal where the model or the API version does not take a setting."""
    _check_length(asked)
    _check_sampling(asked)
    _check_thinking(asked)
    _check_effort(asked)
    _check_tool_choice(asked)
    _check_prewarm(asked)
    _check_speed_and_place(asked)


def _check_length(asked: CheckedRequest) -> None:
    limit, wanted = asked.model.max_output, asked.body.get("max_tokens", 0)
    if wanted > limit:
        raise bad(
            f"max_tokens: {wanted} > {limit}, which is the maximum allowed number of output "
            f"tokens for {asked.body['model']}"
        )


def _check_sampling(asked: CheckedRequest) -> None:
    body = asked.body
    for name, default in (("temperature", 1), ("top_p", None), ("top_k", None)):
        if name not in body:
            continue
        changed = default is None or body[name] != default
        # The tokenizer, the image tier and this rule all changed with 4.7.
        if asked.version == STRICT_VERSION or (asked.model.high_resolution and changed):
            raise bad(f"{name}: Extra inputs are not permitted")
    if "temperature" in body and "top_p" in body:
        raise bad("`temperature` and `top_p` cannot both be specified for this model.")


def _check_thinking(asked: CheckedRequest) -> None:
    kind, model = asked.thinking, asked.model
    thinking = asked.body.get("thinking", {})
    if kind == "adaptive" and model.thinking == "manual":
        raise bad("adaptive thinking is not supported on this model")
    if kind == "enabled":
        if model.high_resolution:
            raise _unsupported("enabled")
        if not asked.counting and thinking["budget_tokens"] >= asked.body["max_tokens"]:
            raise bad("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if kind == "disabled" and model.thinking_off == "none":
        raise _unsupported("disabled")
    if kind == "disabled" and model.thinking_off == "between_tools":
        raise bad(
            'To turn thinking off on this model, send "thinking": {"type": "between_tools"} '
            'instead of "disabled".'
        )
    if kind == "between_tools" and model.thinking_off != "between_tools":
        raise bad('"thinking.type.between_tools" is not supported for this model.')
    off_up_to_high = kind in ("disabled", "between_tools") and model.id in _DISABLED_UP_TO_HIGH
    if off_up_to_high and asked.effort in _TOP_EFFORTS:
        raise bad(
            f"output_config.effort '{asked.effort}' is not supported when thinking is disabled "
            "on this model."
        )
    _check_thinking_betas(asked)


def _check_thinking_betas(asked: CheckedRequest) -> None:
    thinking = asked.body.get("thinking", {})
    for field, value, beta in (
        ("display", "updates", "thinking-display-updates-2026-08-18"),
        ("block_binding", None, "thinking-binding-controls-2026-08-01"),
    ):
        used = field in thinking and (value is None or thinking[field] == value)
        if used and beta not in asked.betas:
            raise bad(f"thinking.{asked.thinking}.{field}: Extra inputs are not permitted")


def _unsupported(kind: str) -> Exception:
    return bad(
        f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" '
        'and "output_config.effort" to control thinking behavior.'
    )


def _check_effort(asked: CheckedRequest) -> None:
    config = asked.body.get("output_config", {})
    effort = config.get("effort")
    if effort and effort not in asked.model.efforts:
        raise bad(f"output_config.effort: '{effort}' is not supported for this model.")
    if "task_budget" in config and "task-budgets-2026-03-13" not in asked.betas:
        raise bad("output_config.task_budget: Extra inputs are not permitted")


def _check_tool_choice(asked: CheckedRequest) -> None:
    choice = asked.body.get("tool_choice")
    if choice is None:
        return
    tools = asked.body.get("tools", [])
    if not tools:
        raise bad("tool_choice: tool_choice may only be specified while providing tools.")
    if choice["type"] not in ("any", "tool"):
        return
    if not asked.model.forced_tool_choice:
        raise bad('tool_choice: type "tool" and "any" are not supported for this model.')
    if asked.thinking == "enabled":
        raise bad("Thinking may not be enabled when tool_choice forces tool use.")
    if choice["type"] == "tool" and choice["name"] not in [tool.get("name") for tool in tools]:
        raise bad(f"tool_choice: Tool '{choice['name']}' not found in provided tools.")


def _check_prewarm(asked: CheckedRequest) -> None:
    if asked.counting or asked.body["max_tokens"] > 0:
        return
    forced = asked.body.get("tool_choice", {}).get("type") in ("any", "tool")
    for present, what in (
        (asked.body.get("stream", False), "stream"),
        (asked.thinking == "enabled", "thinking"),
        (asked.schema is not None, "output_config.format"),
        (forced, "tool_choice"),
    ):
        if present:
            raise bad(f"max_tokens: 0 cannot be combined with {what}.")


def _check_speed_and_place(asked: CheckedRequest) -> None:
    model = asked.model
    if asked.body.get("speed") == "fast" and model.id not in _SPEED_IGNORED:
        beta = _FAST.get(model.id, "")
        if beta == "" or (beta and not any(name.startswith(beta) for name in asked.betas)):
            raise bad("speed: 'fast' is not supported for this model.")
    if asked.body.get("inference_geo") is not None and model.thinking == "manual":
        raise bad("inference_geo: not supported for this model.")


_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_KEYWORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "definitions",
    "default",
    "format",
    "minItems",
    "pattern",
    # Annotations, which change nothing.
    "title",
    "description",
    "examples",
    "$schema",
    "$comment",
}
_FORMATS = (
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
_ADVANCED_PATTERN = re.compile(r"\(\?[=!<]|\\[1-9bB]")
MAX_OPTIONAL = 24
MAX_UNIONS = 16


def check_schema(schema: Mapping[str, Any], path: str) -> None:
    """Raises Refusal where `schema` uses what is not supported; `path` is where it stands."""
    for where, part in _parts(schema, path):
        _check_part(part, where)
    _check_references(schema, schema, path, ())
    parts = [part for _, part in _parts(schema, path)]
    optional = sum(
        len(set(part.get("properties", {})) - set(part.get("required", ()))) for part in parts
    )
    if optional > MAX_OPTIONAL:
        raise bad(f"{path}: Schema is too complex: more than {MAX_OPTIONAL} optional parameters")
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for part in parts)
    if unions > MAX_UNIONS:
        raise bad(f"{path}: Schema is too complex: more than {MAX_UNIONS} union-typed parameters")


def resolve(schema: Mapping[str, Any], reference: str) -> Any:
    """What an internal `$ref` points to, None if it points nowhere."""
    if not reference.startswith("#"):
        return None
    found: Any = schema
    for step in filter(None, reference[1:].split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _children(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key in ("properties", "$defs", "definitions"):
        group = part.get(key, {})
        if not isinstance(group, Mapping):
            raise bad(f"{path}.{key}: Input should be a valid dictionary")
        yield from ((f"{path}.{key}.{name}", child) for name, child in group.items())
    for key in ("anyOf", "allOf"):
        group = part.get(key, [])
        if not isinstance(group, list):
            raise bad(f"{path}.{key}: Input should be a valid list")
        yield from ((f"{path}.{key}.{index}", child) for index, child in enumerate(group))
    if "items" in part:
        yield f"{path}.items", part["items"]


def _parts(part: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(part, Mapping):
        raise bad(f"{path}: Input should be a valid dictionary")
    yield path, part
    for where, child in _children(part, path):
        yield from _parts(child, where)


def _check_part(part: Mapping[str, Any], path: str) -> None:
    for keyword in part:
        if keyword not in _KEYWORDS:
            raise bad(f"{path}: For this type, property '{keyword}' is not supported")
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or any(kind not in _TYPES for kind in kinds):
        raise bad(f"{path}.type: not a JSON Schema type: {part['type']!r}")
    if ("object" in kinds or "properties" in part) and part.get(
        "additionalProperties"
    ) is not False:
        raise bad(f"{path}: For 'object' type, 'additionalProperties' must be set to false")
    unknown = set(part.get("required", ())) - set(part.get("properties", {}))
    if unknown:
        raise bad(f"{path}.required: not among the properties: {', '.join(sorted(unknown))}")
    if part.get("minItems", 0) not in (0, 1):
        raise bad(f"{path}.minItems: only 0 and 1 are supported")
    if part.get("format", "date") not in _FORMATS:
        raise bad(f"{path}.format: '{part['format']}' is not supported")
    if any("$ref" in branch for branch in part.get("allOf", ())):
        raise bad(f"{path}.allOf: '$ref' is not supported in allOf")
    values = [*part.get("enum", ()), *([part["const"]] if "const" in part else [])]
    if any(isinstance(value, list | Mapping) for value in values):
        raise bad(f"{path}: only primitive values are supported in enum and const")
    _check_pattern(part.get("pattern", ""), path)


def _check_pattern(pattern: Any, path: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as fault:
        raise bad(f"{path}.pattern: not a regular expression") from fault
    if _ADVANCED_PATTERN.search(pattern):
        raise bad(f"{path}.pattern: look-around, back-references and \\b are not supported")


def _check_references(
    root: Mapping[str, Any], part: Mapping[str, Any], path: str, open_references: tuple[str, ...]
) -> None:
    if "$ref" in part:
        reference = str(part["$ref"])
        target = resolve(root, reference)
        if target is None:
            raise bad(f"{path}.$ref: only references inside the schema are supported: {reference}")
        if reference in open_references:
            raise bad(f"{path}.$ref: recursive schemas are not supported: {reference}")
        _check_references(root, target, path, (*open_references, reference))
    for where, child in _children(part, path):
        # A definition is followed where it is used.
        if not where.startswith((f"{path}.$defs.", f"{path}.definitions.")):
            _check_references(root, child, where, open_references)


MAX_STRICT = 20


def check_tools(asked: CheckedRequest) -> None:
    """Raises Refusal for tools that cannot stand together or that the model does not take."""
    tools = asked.body.get("tools", [])
    names = Counter(tool["name"] for tool in tools if "name" in tool)
    if any(count > 1 for count in names.values()):
        raise bad("tools: Tool names must be unique.")
    for index, tool in enumerate(tools):
        kind = tool.get("type") or "custom"
        if kind.startswith(("computer_", "browser_")):
            check_computer(asked, tool, index)
        if kind == "custom" and tool.get("strict"):
            check_schema(tool["input_schema"], f"tools.{index}.custom.input_schema")
    if sum(bool(tool.get("strict")) for tool in tools) > MAX_STRICT:
        raise bad(f"tools: at most {MAX_STRICT} strict tools are allowed")
