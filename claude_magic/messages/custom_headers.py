"""Headers that the environment adds to every request to one server. Their values are secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from .address import parse_address
from .credentials import Secret
from .errors import InputError
from .outgoing import checked_headers

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


@dataclass(frozen=True)
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
