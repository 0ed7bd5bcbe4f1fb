"""What a session is set to, as plain values. Where they come from is not this layer's concern."""

from __future__ import annotations

from ..value_classes import frozen

ANTHROPIC_URL = "https://api.anthropic.com"
OFFLINE = "offline"


@frozen
class Settings:
    """Defaults for every question. `max_tokens` 0 means "by model and server"; `budget` in USD.

    `auth` is how the key is sent: "x-api-key", "bearer", or "auto": as where it was found says.
    `replay`: "on" shows the recorded reply of a request that was answered before, "off" never,
    "only" nothing else: no request leaves. `record` is the file of a portable recording, "" none;
    `models_file` one of rows that correct the table of models. `named` says that the address was
    said where this is asked, and does not only stand in the environment or a configuration.
    """

    base_url: str = ANTHROPIC_URL
    auth: str = "auto"
    api_version: str = "2023-06-01"
    model: str = "sonnet"
    models_file: str = ""
    system: str = ""
    max_tokens: int = 0
    effort: str = "medium"
    think: str = "auto"
    budget: float = 5.0
    replay: str = "on"
    record: str = ""
    named: bool = True
