"""What each model refuses: sampling, thinking, effort, forced tools, prefill, lengths.

Source of the texts: the API's error, thinking, effort and what's-new pages.
"""

from __future__ import annotations

from .asked import Asked
from .body_shape import STRICT_VERSION
from .refusal import bad

_TOP_EFFORTS = ("xhigh", "max")
# Models that think unless told not to, and cannot be told so at the two highest efforts.
_DISABLED_UP_TO_HIGH = ("claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5-5")
_FAST = {"claude-opus-5-5": None, "claude-opus-5": "fast-mode-", "claude-opus-4-8": "fast-mode-"}
_SPEED_IGNORED = ("claude-opus-4-6", "claude-sonnet-4-6")


def check_model_rules(asked: Asked) -> None:
    """Raises Refusal where the model or the API version does not take a setting."""
    _check_length(asked)
    _check_sampling(asked)
    _check_thinking(asked)
    _check_effort(asked)
    _check_tool_choice(asked)
    _check_prewarm(asked)
    _check_speed_and_place(asked)


def _check_length(asked: Asked) -> None:
    limit, wanted = asked.model.max_output, asked.body.get("max_tokens", 0)
    if wanted > limit:
        raise bad(
            f"max_tokens: {wanted} > {limit}, which is the maximum allowed number of output "
            f"tokens for {asked.body['model']}"
        )


def _check_sampling(asked: Asked) -> None:
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


def _check_thinking(asked: Asked) -> None:
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


def _check_thinking_betas(asked: Asked) -> None:
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


def _check_effort(asked: Asked) -> None:
    config = asked.body.get("output_config", {})
    effort = config.get("effort")
    if effort and effort not in asked.model.efforts:
        raise bad(f"output_config.effort: '{effort}' is not supported for this model.")
    if "task_budget" in config and "task-budgets-2026-03-13" not in asked.betas:
        raise bad("output_config.task_budget: Extra inputs are not permitted")


def _check_tool_choice(asked: Asked) -> None:
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


def _check_prewarm(asked: Asked) -> None:
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


def _check_speed_and_place(asked: Asked) -> None:
    model = asked.model
    if asked.body.get("speed") == "fast" and model.id not in _SPEED_IGNORED:
        beta = _FAST.get(model.id, "")
        if beta == "" or (beta and not any(name.startswith(beta) for name in asked.betas)):
            raise bad("speed: 'fast' is not supported for this model.")
    if asked.body.get("inference_geo") is not None and model.thinking == "manual":
        raise bad("inference_geo: not supported for this model.")
