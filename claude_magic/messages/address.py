"""The address of a Messages API server, and the headers that the environment adds for it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import urlsplit

from ..value_classes import frozen
from .body import checked_headers
from .credentials import Secret
from .errors import InputError


@frozen
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


VARIABLE = "ANTHROPIC_CUSTOM_HEADERS"
"""Lines of `Name: value`, as Anthropic's own packages read them."""
KEY_HEADERS = ("x-api-key", "authorization")
"""The headers by which a request is paid for: one that is given takes the place of the key."""

_ADDRESSES = ("CLAUDE_MAGIC_BASE_URL", "ANTHROPIC_BASE_URL")
_NONE: Mapping[str, Secret] = {}
# What says how the body is to be read is ours: a wrong one would break the request itself.
_OURS = frozenset(
    (
        *("accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "host", "transfer-encoding", "user-agent"),
    )
)


@frozen
class CustomHeaders:
    """`values` by name in lower case, and the `base_url` of the only server that they are for."""

    values: Mapping[str, Secret] = field(default_factory=dict)
    base_url: str = ""

    def meant_for(self, base_url: str) -> Mapping[str, Secret]:
        """The headers for a request to `base_url`; none for any server but the one they are for."""
        if not self.values or _origin(base_url) != _origin(self.base_url):
            return _NONE
        return self.values

    @property
    def host(self) -> str:
        """The host of that server, for the user to read."""
        origin = _origin(self.base_url)
        return origin[0] if origin else "no server"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no text may show: the values, and of "Bearer x" the x too."""
        values = [value.reveal() for value in self.values.values()]
        words = [value.split()[-1] for value in values if len(value.split()) > 1]
        return tuple(Secret(text) for text in (*values, *words))


def custom_headers(default_url: str, environ: Mapping[str, str] | None = None) -> CustomHeaders:
    """The headers of the environment, for the server that the environment names.

    That is CLAUDE_MAGIC_BASE_URL, else ANTHROPIC_BASE_URL, else `default_url`: a server that is
    named anywhere else gets none. Raises InputError, naming the line, for what is no header.
    """
    variables = os.environ if environ is None else environ
    values: dict[str, Secret] = {}
    for number, line in enumerate(variables.get(VARIABLE, "").splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name or not value:
            raise InputError(f"{VARIABLE}: line {number} must read Name: value. Correct it.")
        if name.lower() in _OURS:
            raise InputError(f"{VARIABLE} must not set {name.lower()}: take line {number} out.")
        checked_headers({name: value})
        values[name.lower()] = Secret(value)
    url = next((variables[name] for name in _ADDRESSES if variables.get(name)), default_url)
    return CustomHeaders(values, url)


def _origin(base_url: str) -> tuple[str, bool] | None:
    """Host and port, and whether it is https; None for what is no address, such as "offline"."""
    try:
        address = parse_address(base_url)
    except InputError:
        return None
    return address.host.lower(), address.secure
