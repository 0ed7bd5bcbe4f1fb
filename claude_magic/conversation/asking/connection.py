"""Which server a question goes to, the client for it, and what keys and models are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...messages.address import KEY_HEADERS, VARIABLE, CustomHeaders, custom_headers, parse_address
from ...messages.catalogue import BUILT_IN, Catalogue
from ...messages.credentials import FoundKey, Secret, as_bearer, find_key, keyring_key, mask
from ...messages.errors import CredentialError
from ...messages.once import OwnLock
from ...value_classes import frozen, mutable
from ..settings import ANTHROPIC_URL, OFFLINE, Settings

if TYPE_CHECKING:
    from ...messages.credentials import FoundKey
    from ...messages.transport.client import Client
    from ...offline import OfflineServer

# Requests that the offline server of a kernel remembers, bodies and all.
_KEPT = 20


@frozen
class Server:
    """A server as the user named it: `label` is what turns remember, `host` what headers show."""

    label: str
    host: str
    offline: bool = False
    anthropic: bool = False
    loopback: bool = False

    @classmethod
    def of(cls, base_url: str) -> Server:
        """From `base_url`: an address, or "offline". Raises InputError for neither."""
        if base_url.strip().lower() == OFFLINE:
            return cls(OFFLINE, OFFLINE, offline=True, anthropic=True, loopback=True)
        address = parse_address(base_url)
        anthropic = address.url.lower() == ANTHROPIC_URL
        return cls(address.url, address.host, anthropic=anthropic, loopback=address.loopback)


def require_key(server: Server, found: FoundKey | None, custom: CustomHeaders) -> None:
    """Nothing, where no key is needed or there is one, maybe among the headers of `custom`.

    Raises CredentialError otherwise, naming the three ways on.
    """
    given = found is not None or not custom.meant_for(server.label).keys().isdisjoint(KEY_HEADERS)
    if server.anthropic and not server.offline and not given:
        raise CredentialError(
            "No API key: nothing was sent. Give one with %claude_login or ANTHROPIC_API_KEY; or "
            "use another server, as in %claude_config base_url=http://localhost:11434; or try it "
            "without a key: %claude_config base_url=offline"
        )


def environment_headers() -> CustomHeaders:
    """The headers that the environment adds. Raises InputError for what is no header."""
    return custom_headers(ANTHROPIC_URL)


def withheld(custom: CustomHeaders, server: Server) -> str | None:
    """A line that says that the environment's headers do not go to this server; else None."""
    if server.offline or not custom.values or custom.meant_for(server.label):
        return None
    return (
        f"{VARIABLE} is for {custom.host}: not sent to {server.host}. If it should be, name "
        "this server by ANTHROPIC_BASE_URL."
    )


@mutable
class Connections:
    """The client, and so the connection pool, for the server in use; the offline server."""

    _clients: dict[tuple[object, ...], Client] = field(default_factory=dict)
    offline: OfflineServer | None = None

    def client(
        self, settings: Settings, server: Server, found: FoundKey | None, custom: CustomHeaders
    ) -> Client:
        """The client for these settings, made at its first use and again when one changed."""
        bearer = as_bearer(settings.auth, found)
        headers = hash(tuple(custom.meant_for(server.label).items()))
        key = (server.label, bearer, settings.api_version, hash(found), headers)
        client = self._clients.get(key)
        if client is None:
            from ...messages.transport.client import Client

            self.close_clients()
            client = Client(
                self._offline_url() if server.offline else server.label,
                found.secret if found else None,
                bearer=bearer,
                api_version=settings.api_version,
                custom=custom,
            )
            self._clients[key] = client
        return client

    def _offline_url(self) -> str:
        if self.offline is None:
            from ...offline import OfflineServer

            self.offline = OfflineServer(keep=_KEPT)
            self.offline.start()
        return self.offline.url

    def close_clients(self) -> None:
        """Close every connection; the next question opens new ones."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def close(self) -> None:
        """Close every connection and stop the offline server."""
        self.close_clients()
        if self.offline is not None:
            self.offline.stop()
            self.offline = None


class Keys:
    """The key that the user gave (`given`), the environment's or the keyring's."""

    def __init__(self, given: Secret | None = None) -> None:
        self.given = given
        self._kept: Secret | None = None
        self._looked = False
        self._lock = OwnLock()

    def find(self) -> FoundKey | None:
        """The credential in force."""
        return find_key(self.given, keyring_lookup=self._keyring)

    def forget(self) -> None:
        """Forget the key that was given and what the keyring said."""
        self.given = self._kept = None
        self._looked = False

    def secrets(self) -> tuple[Secret, ...]:
        """The key as far as it is known here, and the environment's headers; asks no keyring."""
        found = find_key(self.given, keyring_lookup=lambda: self._kept)
        return (*([found.secret] if found else []), *environment_headers().secrets)

    def mask(self, said: str) -> str:
        """`said` without the secrets."""
        return mask(said, *self.secrets())

    def _keyring(self) -> Secret | None:
        """The keyring's key, asked for once: some keyrings ask the user each time."""
        with self._lock:
            if not self._looked:
                self._kept, self._looked = keyring_key(), True
            return self._kept


class KnownModels:
    """The catalogue of each server, as far as it is known.

    A server's list is remembered once it was asked for: it then says which models there are, and
    how each takes thinking and effort. No question waits for that. The user's file is read again
    when it has changed.
    """

    def __init__(self) -> None:
        self._listed: dict[str, Catalogue] = {}
        self._file: tuple[tuple[object, ...], Catalogue] = ((), BUILT_IN)

    def of(self, settings: Settings, server: Server) -> Catalogue:
        """The catalogue of `server`. Raises InputError for a file of models that does not fit."""
        return self.listed_by(server, self._own(settings.models_file))

    def listed_by(self, server: Server, own: Catalogue) -> Catalogue:
        """The user's `own` catalogue with what `server` lists, where that is known."""
        listed = self._listed.get(server.label, BUILT_IN)
        return replace(own, listed=listed.listed, server_rows=listed.server_rows)

    def knows(self, server: Server) -> bool:
        """Whether `server` was asked for its list."""
        return server.label in self._listed

    def learn(self, server: Server, items: Iterable[Mapping[str, Any]] | None) -> None:
        """Remember what `server` lists; None: it was asked, and gave no list."""
        self._listed[server.label] = BUILT_IN if items is None else BUILT_IN.with_list(items)

    def _own(self, name: str) -> Catalogue:
        if not name:
            return BUILT_IN
        path = Path(name).expanduser()
        try:
            stat = path.stat()
            state: tuple[object, ...] = (path, stat.st_mtime_ns, stat.st_size)
        except OSError:
            state = (path,)
        if state != self._file[0]:
            from ...messages.models_file import read_models

            self._file = state, read_models(path)
        return self._file[1]
