"""Whether the real service would take a request, as far as that can be known without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.models import Model, lookup, resolve
from ...messages.usage import estimate_input
from .checked_request import CheckedRequest
from .json_checks import Refusal, bad
from .media_rules import check_media, check_toolset_results
from .message_rules import check_messages, check_thinking_blocks
from .model_rules import check_model_rules, check_schema, check_tools
from .request_shape import STRICT_VERSION, check_shape
from .server_tool_rules import check_server_tools

BETAS = frozenset(
    (
        "advisor-tool-2026-03-01",
        "agent-memory-2026-07-22",
        "cache-diagnosis-2026-04-07",
        "code-execution-2025-05-22",
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "dreaming-2026-04-21",
        "extended-cache-ttl-2025-04-11",
        "fallback-credit-2026-06-01",
        "fallback-credit-2026-07-01",
        "fast-mode-2026-02-01",
        "files-api-2025-04-14",
        "inline-tools-2026-09-15",
        "interleaved-thinking-2025-05-14",
        "managed-agents-2026-04-01",
        "mcp-client-2025-04-04",
        "mcp-client-2025-11-20",
        "mcp-client-2026-09-15",
        "mcp-tunnels-2026-06-22",
        "message-batches-2024-09-24",
        "message-threads-2026-08-12",
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-system-clear-at-2026-08-21",
        "mid-conversation-tool-changes-2026-07-01",
        "model-context-window-exceeded-2025-08-26",
        "output-128k-2025-02-19",
        "output-300k-2026-03-24",
        "pdfs-2024-09-25",
        "prompt-caching-2024-07-31",
        "server-side-fallback-2026-06-01",
        "server-side-fallback-2026-07-01",
        "skills-2025-10-02",
        "structured-outputs-2025-11-13",
        "task-budgets-2026-03-13",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "thinking-token-count-2026-05-13",
        "token-counting-2024-11-01",
        "token-efficient-tools-2025-02-19",
    )
)


MAX_BODY = 32 * 1024 * 1024
VERSIONS = ("2023-06-01", STRICT_VERSION)
REFUSED_KEY = "invalid"
"""The one key that this server does not take, so that a client's 401 can be tried."""


def check(
    body: Mapping[str, Any], headers: Mapping[str, str], *, counting: bool = False
) -> CheckedRequest:
    """The request, found good; header names are in lower case.

    `counting` applies the rules of /v1/messages/count_tokens. Raises Refusal with the API's own
    status, type and, where it is known, message.
    """
    check_headers(headers)
    betas = _betas(headers)
    check_shape(body, betas, counting=counting)
    asked = CheckedRequest(
        body, known_model(body["model"]), headers["anthropic-version"], betas, counting
    )
    check_messages(asked)
    check_tools(asked)
    check_server_tools(asked)
    check_model_rules(asked)
    if asked.schema is not None:
        check_schema(asked.schema, "output_config.format.schema")
    check_thinking_blocks(asked)
    check_media(asked)
    check_toolset_results(asked)
    tokens = estimate_input(body, asked.model)
    if tokens > asked.model.context:
        raise bad(f"prompt is too long: {tokens} tokens > {asked.model.context} maximum")
    return asked


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises Refusal for a refused key, a missing or unknown version, an unknown beta."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    if headers.get("x-api-key", bearer) == REFUSED_KEY:
        raise Refusal(401, "authentication_error", "invalid x-api-key")
    version = headers.get("anthropic-version")
    if version is None:
        raise bad("anthropic-version: header is required")
    if version not in VERSIONS:
        raise bad(f'anthropic-version: "{version}" is not a valid version')
    unknown = sorted(_betas(headers) - BETAS)
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise bad(
            f"Unexpected value(s) {listed} for the `anthropic-beta` header. Please consult our "
            "documentation or try again without the header."
        )


def known_model(name: str) -> Model:
    """The model with this id. Raises Refusal for any other name; our aliases are other names."""
    model = lookup(name) if resolve(name) == name else None
    if model is None:
        raise Refusal(404, "not_found_error", f"model: {name}")
    return model


def _betas(headers: Mapping[str, str]) -> frozenset[str]:
    listed = headers.get("anthropic-beta", "").split(",")
    return frozenset(name.strip() for name in listed if name.strip())
