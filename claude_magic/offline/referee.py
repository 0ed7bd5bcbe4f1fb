"""Whether the real service would take a request, as far as that can be known without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..messages.models import Model, lookup, resolve
from ..messages.usage import estimate_input
from .asked import Asked
from .betas import BETAS
from .body_shape import STRICT_VERSION, check_shape
from .refusal import Refusal, bad
from .rules_computer import check_toolset_results
from .rules_media import check_media
from .rules_messages import check_messages
from .rules_model import check_model_rules
from .rules_schema import check_schema
from .rules_server_tools import check_server_tools
from .rules_thinking import check_thinking_blocks
from .rules_tools import check_tools

MAX_BODY = 32 * 1024 * 1024
VERSIONS = ("2023-06-01", STRICT_VERSION)
REFUSED_KEY = "invalid"
"""The one key that this server does not take, so that a client's 401 can be tried."""


def check(body: Mapping[str, Any], headers: Mapping[str, str], *, counting: bool = False) -> Asked:
    """The request, found good; header names are in lower case.

    `counting` applies the rules of /v1/messages/count_tokens. Raises Refusal with the API's own
    status, type and, where it is known, message.
    """
    check_headers(headers)
    betas = _betas(headers)
    check_shape(body, betas, counting=counting)
    asked = Asked(body, known_model(body["model"]), headers["anthropic-version"], betas, counting)
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
