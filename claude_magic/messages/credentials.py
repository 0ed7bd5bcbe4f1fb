"""Keys: where one is found, held so that nothing shows it, masked in what goes out and comes in."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..value_classes import frozen
from .blocks import Block, text
from .body import sealed
from .transport.stream import ServerEvent

SERVICE = "claude_magic"
"""The service name under which the keyring holds the key."""
ACCOUNT = "api_key"
"""The user name under which the keyring holds the key."""

# The keys of Anthropic, OpenAI, GitHub, AWS, Slack and Google, by the shapes that these publish.
_KEY_LIKE = re.compile(
    r"sk-ant-[\w-]+"
    r"|(?<![A-Za-z0-9])(?:"
    r"sk-(?:proj|svcacct|admin)-[\w-]{20,}|sk-[A-Za-z0-9]{32,}"
    r"|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[\w-]{35}"
    r")"
)
# One of these is in all that looks like a key.
_KEY_STARTS = ("sk-", "gh", "github_pat_", "AKIA", "ASIA", "xox", "AIza")
_MASK = "[key]"
# A shorter one ("x", "ollama") guards nothing, and replacing it would spoil every text.
_LEAST_MASKED = 8


class Secret:
    """A key that prints as a mask; `reveal()` is the only way to the text.

    Blanks and line breaks around it are dropped: they come with copy and paste.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value.strip()

    def reveal(self) -> str:
        """The key itself. Keep it out of variables: tracebacks show those."""
        return self.__value

    @property
    def sendable(self) -> bool:
        """Whether it can stand in an HTTP header: printable ASCII without blanks, not empty."""
        value = self.__value
        return bool(value) and value.isascii() and value.isprintable() and " " not in value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return "Secret(masked)"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self.__value == other.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not written anywhere: take it from the environment again")


@frozen
class FoundKey:
    """A key, whether it goes as a bearer token, and where it came from, for the user to read."""

    secret: Secret
    bearer: bool
    source: str


def keyring_key() -> Secret | None:
    """The key that the system's keyring holds; None without a keyring, an entry or access."""
    try:
        import keyring

        return _secret(keyring.get_password(SERVICE, ACCOUNT))
    except Exception:
        # Keyring is an optional source, and each of its back ends fails in ways of its own.
        return None


def find_key(
    explicit: Secret | str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    keyring_lookup: Callable[[], Secret | None] = keyring_key,
) -> FoundKey | None:
    """The first key of: `explicit`, ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, the keyring.

    An empty value counts as none. `environ` is the process's own unless given. Reads nothing
    further once it has one.
    """
    secret = explicit if isinstance(explicit, Secret) else _secret(explicit)
    if secret:
        return FoundKey(secret, bearer=False, source="explicit")
    variables = os.environ if environ is None else environ
    for name, bearer in (("ANTHROPIC_API_KEY", False), ("ANTHROPIC_AUTH_TOKEN", True)):
        secret = _secret(variables.get(name))
        if secret:
            return FoundKey(secret, bearer=bearer, source=name)
    secret = keyring_lookup()
    return FoundKey(secret, bearer=False, source="keyring") if secret else None


def as_bearer(auth: str, found: FoundKey | None) -> bool:
    """Whether the key goes as a bearer token: as `auth` says, else as where it was found says."""
    return auth == "bearer" or (auth == "auto" and found is not None and found.bearer)


def mask(text: str, *secrets: Secret | None, shapes: bool = True) -> str:
    """`text` with the secrets, and with `shapes` whatever looks like a key, replaced."""
    for secret in secrets:
        if secret is not None and len(secret.reveal()) >= _LEAST_MASKED:
            text = text.replace(secret.reveal(), _MASK)
    if shapes and any(start in text for start in _KEY_STARTS):  # far quicker than the pattern
        return _KEY_LIKE.sub(_MASK, text)
    return text


def starts_of(text: str, *secrets: Secret | None) -> int:
    """How many characters at the end of `text` may be the start of a secret."""
    most = 0
    for secret in secrets:
        value = secret.reveal() if secret is not None else ""
        if len(value) < _LEAST_MASKED:
            continue
        start = text.find(value[0], max(0, len(text) - len(value) + 1))
        while start >= 0 and not value.startswith(text[start:]):
            start = text.find(value[0], start + 1)
        if start >= 0:
            most = max(most, len(text) - start)
    return most


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value and value.strip() else None


def masked(block: Block, *secrets: Secret | None) -> Block:
    """A content block with the secrets, should its text hold any, masked."""
    source = block.get("source", {})
    if block.get("type") == "text":
        return text(mask(str(block["text"]), *secrets))
    if source.get("type") == "text":
        return {**block, "source": {**source, "data": mask(source["data"], *secrets)}}
    return block


# A server checks these against what it signed: they go back as they came, or not at all.
_SIGNED = frozenset({"thinking", "redacted_thinking"})
_SEALED_FIELDS = frozenset({"signature", "encrypted_content", "encrypted_index"})
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def masked_body(body: Mapping[str, Any], secrets: Sequence[Secret]) -> Mapping[str, Any]:
    """The body with every string in it masked; the same object where that changes nothing.

    Each message is looked through once for these secrets. Base64 data is not looked at.
    """
    given = body.get("messages", [])
    messages = sealed(given)
    name = f"masked {hash(tuple(secrets))}"
    kept = [m.noted(name, lambda message: _masked(message, secrets)) for m in messages]
    same = all(new is old for new, old in zip(kept, messages, strict=True))
    rest = {key: value for key, value in body.items() if key != "messages"}
    found = _masked(rest, secrets)
    if same and found is rest:
        return body
    # The order of the fields is part of what is sent.
    new = given if same else sealed(kept)
    return {key: new if key == "messages" else found[key] for key in body}


def masked_value(value: Any, secrets: Sequence[Secret]) -> Any:
    """JSON with every string in it masked; the same object where that changes nothing."""
    return _masked(value, secrets)


def _masked(value: Any, secrets: Sequence[Secret]) -> Any:
    if isinstance(value, str):
        found = mask(value, *secrets)
        return value if found == value else found
    if isinstance(value, Mapping):
        if value.get("type") in _SIGNED:
            return value
        left = _SEALED_FIELDS | ({"data"} if value.get("type") == "base64" else set())
        fields = {k: v if k in left else _masked(v, secrets) for k, v in value.items()}
        return value if all(fields[k] is value[k] for k in fields) else fields
    if isinstance(value, list | tuple):
        items = [_masked(item, secrets) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    return value


class Incoming:
    """Masks the events of one stream. What may be the start of a known key waits for its rest."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = secrets
        self._held: dict[object, tuple[str, str]] = {}

    def feed(self, event: ServerEvent) -> Sequence[ServerEvent]:
        """What `event` comes to, maybe with what was held back before it."""
        kind, delta = event["type"], event.get("delta")
        if kind == "content_block_delta" and isinstance(delta, Mapping):
            field = _TEXTS.get(str(delta.get("type")))
            if field:
                return self._words(event, delta, field)
        index = event.get("index")
        held = kind == "content_block_stop" and self._held.pop(index, None)
        masked = _masked(event, self._secrets)
        return (_delta(index, *held), masked) if held else (masked,)

    def _words(
        self, event: ServerEvent, delta: Mapping[str, Any], field: str
    ) -> Sequence[ServerEvent]:
        """A delta whose text stands in `field`, as far as it can be shown."""
        index, kind, text = event.get("index"), str(delta["type"]), delta.get(field)
        if not isinstance(text, str):
            return (event,)
        came: list[ServerEvent] = []
        before, held_text = self._held.pop(index, (kind, ""))
        if before != kind:
            came.append(_delta(index, before, held_text))
            held_text = ""
        found = mask(held_text + text, *self._secrets, shapes=False)
        held = starts_of(found, *self._secrets)
        if held:
            self._held[index] = kind, found[len(found) - held :]
        shown = found[: len(found) - held]
        if shown == text:
            came.append(event)
        elif shown:
            came.append({**event, "delta": {**delta, field: shown}})
        return came

    def end(self) -> Sequence[ServerEvent]:
        """What was held back where the stream ends within a block."""
        held, self._held = self._held, {}
        return [_delta(index, kind, held_text) for index, (kind, held_text) in held.items()]


def _delta(index: object, kind: str, text: str) -> ServerEvent:
    delta = {"type": kind, _TEXTS[kind]: text}
    return {"type": "content_block_delta", "index": index, "delta": delta}
