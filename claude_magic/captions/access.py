"""Who asks, and whom: settings, key and server of a job, and the connections for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..conversation.asking.connection import KnownModels, Server, environment_headers, require_key
from ..messages.address import CustomHeaders
from ..messages.credentials import FoundKey, as_bearer
from .limits import GivingWay, Limit

if TYPE_CHECKING:
    from ..conversation.settings import Settings
    from ..messages.transport.client import Client
    from ..messages.transport.retry import Clock


class Running(Protocol):
    """An offline server that runs."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Access:
    """Settings and key of whoever asks. `spend` is told of every payment.

    `offline` is an offline server that runs already; without one a job starts its own where the
    settings name it. `server` stands in for the one of the settings.
    """

    settings: Settings
    found: FoundKey | None = None
    spend: Callable[[float], None] | None = None
    offline: Running | None = None
    server: Server | None = None
    clock: Clock | None = None
    custom: CustomHeaders = field(default_factory=environment_headers)
    known: KnownModels = field(default_factory=KnownModels)

    @property
    def asked(self) -> Server:
        """The server that is asked. Raises InputError for an address that is none."""
        return self.server or Server.of(self.settings.base_url)

    @contextmanager
    def client(self, most: int) -> Iterator[tuple[Client, Limit]]:
        """A client for up to `most` requests at once, and the limit that it keeps to.

        Raises CredentialError where a key is needed and there is none.
        """
        from ..messages.transport.client import Client

        server = self.asked
        found = None if server.offline else self.found
        require_key(server, found, self.custom)
        limit = Limit(most, self.clock)
        with self._url(server) as url:
            client = Client(
                url,
                found.secret if found else None,
                bearer=as_bearer(self.settings.auth, found),
                api_version=self.settings.api_version,
                clock=GivingWay(limit, self.clock),
                custom=self.custom,
                kept=most,
                answered=limit.answered,
            )
            try:
                yield client, limit
            finally:
                client.close()

    @contextmanager
    def _url(self, server: Server) -> Iterator[str]:
        if not server.offline:
            yield server.label
        elif self.offline is not None:
            yield self.offline.url
        else:
            from ..offline import OfflineServer

            with OfflineServer(keep=0) as own:
                yield own.url
