"""Requests put together for a batch, and what a checkpoint keeps of one that was sent."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..messages.batches import MOST_BYTES, MOST_REQUESTS
from ..messages.outgoing import encode

_KEY_BYTES = 32
# 43 characters of a key, a hyphen and these make the 64 that the API takes.
_TAG_BYTES = 15


@dataclass(frozen=True)
class Limits:
    """What one batch may hold. Ours are below those of the API.

    A chunk is in memory until it has left, and is lost where sending it fails; its answers come
    when the last of them is there.
    """

    requests: int = 20_000
    size: int = 128_000_000

    def __post_init__(self) -> None:
        if not (1 <= self.requests <= MOST_REQUESTS and 1 <= self.size <= MOST_BYTES):
            raise ValueError(f"{self} is not within the limits of the API")


class CustomIds:
    """The `custom_id` of a request: the key of its image, and a mark of the job that asks."""

    def __init__(self, job: str) -> None:
        """`job` is the digest of the job, in hex."""
        mark = hashlib.sha256(bytes.fromhex(job)).digest()[:_TAG_BYTES]
        self._tail = "-" + base64.urlsafe_b64encode(mark).decode()

    def of(self, key: bytes) -> str:
        """The id for the image with this key."""
        return base64.urlsafe_b64encode(key).decode().rstrip("=") + self._tail

    def key(self, custom_id: object) -> bytes | None:
        """The key that stands in an id; None for one of another job."""
        if not isinstance(custom_id, str) or not custom_id.endswith(self._tail):
            return None
        try:
            key = base64.urlsafe_b64decode(custom_id.removesuffix(self._tail) + "=")
        except ValueError:
            return None
        return key if len(key) == _KEY_BYTES else None


class Chunk:
    """Requests for one batch, as JSON with the commas between them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.parts: list[bytes] = []
        self.keys = bytearray()
        self.size = len('{"requests":[]}')
        self.price = 0.0
        self.betas: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.parts)

    def takes(self, request: bytes) -> bool:
        """Whether there is room for a request; the first always has it."""
        fits = self.size + len(request) + 1 <= self._limits.size
        return not self.parts or (fits and len(self) < self._limits.requests)

    def add(self, key: bytes, request: bytes, price: float) -> None:
        """Add a request, for which `price` in USD is held back."""
        part = b"," + request if self.parts else request
        self.parts.append(part)
        self.keys += key
        self.size += len(part)
        self.price += price


def as_request(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """One request of a batch as JSON."""
    return b'{"custom_id":"%b","params":%b}' % (custom_id.encode("ascii"), encode(body))


@dataclass(frozen=True)
class Sent:
    """A batch that was sent, or is to be: `id` is "" until the server has said that it has it.

    `keys` are those of its images, one after the other; `price` in USD is held back for it; `at` is
    when it was sent, in seconds since 1970. `here`: by this run. `canceled`: no more is wanted.
    """

    name: str
    count: int
    price: float
    at: float
    keys: bytes = field(repr=False)
    id: str = ""
    here: bool = False
    canceled: bool = False

    @classmethod
    def of(cls, chunk: Chunk, at: float) -> Sent:
        """The chunk as it is about to be sent."""
        name = uuid.uuid4().hex[:12]
        return cls(name, len(chunk), chunk.price, at, bytes(chunk.keys), here=True)

    @classmethod
    def noted(cls, name: str, note: Mapping[str, Any]) -> Sent:
        """From what a checkpoint has kept. Raises ValueError and KeyError for what is no note."""
        return cls(
            name,
            int(note["count"]),
            float(note["price"]),
            float(note["at"]),
            base64.b64decode(note["keys"]),
            id=str(note.get("id", "")),
            canceled=bool(note.get("canceled")),
        )

    def as_note(self) -> dict[str, Any]:
        """What a checkpoint keeps before it is sent."""
        keys = base64.b64encode(self.keys).decode()
        return {"count": self.count, "price": self.price, "at": self.at, "keys": keys}

    def taken(self, batch: str) -> Sent:
        """The same, now that the server has it under an id."""
        return replace(self, id=batch)

    def each_key(self) -> Iterator[bytes]:
        """The keys of its images."""
        for start in range(0, len(self.keys), _KEY_BYTES):
            yield self.keys[start : start + _KEY_BYTES]

    @property
    def share(self) -> float:
        """USD held back for one of its requests."""
        return self.price / max(1, self.count)
