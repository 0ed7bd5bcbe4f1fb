"""The address of a Messages API server, as users write it and as it is used."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import InputError


@dataclass(frozen=True)
class Address:
    """`url` without a trailing slash or `/v1`; `host` with the port if it has one."""

    url: str
    host: str
    secure: bool
    loopback: bool


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address means this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(base_url: str) -> Address:
    """The server that `base_url` names; `/v1` and slashes at its end are dropped.

    Raises InputError if it is no http(s) address, holds a password, or is plain http to another
    machine, where the key could be read on the way.
    """
    url = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme.lower() not in ("http", "https"):
        raise InputError(
            "base_url must be an address such as https://api.anthropic.com or "
            "http://localhost:11434: correct it."
        )
    if "@" in parts.netloc:
        raise InputError("base_url must not hold a user or password: give the key as the key.")
    if parts.query or parts.fragment:
        raise InputError("base_url must end before any ? or #: correct it.")
    loopback = is_loopback(host)
    secure = parts.scheme.lower() == "https"
    if not secure and not loopback:
        raise InputError(
            f"base_url of {host} must be https: over http, which is taken for this machine only, "
            "key and notebook could be read on the way."
        )
    shown = f"[{host}]" if ":" in host else host
    return Address(url, shown if port is None else f"{shown}:{port}", secure, loopback)
