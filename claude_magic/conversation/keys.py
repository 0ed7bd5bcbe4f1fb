"""The keys that are known here: what questions are asked with, and what nothing may show."""

from __future__ import annotations

from ..messages.credentials import FoundKey, Secret, find_key, keyring_key, mask
from ..messages.once import OwnLock
from .connection import environment_headers


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
