"""Keys out of what is sent, where a request's body is made, and out of what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .credentials import Secret, mask, starts_of
from .sealed import sealed
from .sse import Event

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

    def feed(self, event: Event) -> Iterator[Event]:
        """What `event` comes to, maybe with what was held back before it."""
        kind, index = event["type"], event.get("index")
        delta = event.get("delta")
        field = _TEXTS.get(str(delta.get("type"))) if isinstance(delta, Mapping) else None
        if kind == "content_block_delta" and isinstance(delta, Mapping) and field:
            text = delta.get(field)
            if not isinstance(text, str):
                yield event
                return
            before = self._held.pop(index, ("", ""))
            if before[1] and before[0] != delta["type"]:
                yield _delta(index, *before)
                before = ("", "")
            found = mask(before[1] + text, *self._secrets, shapes=False)
            held = starts_of(found, *self._secrets)
            if held:
                self._held[index] = (str(delta["type"]), found[len(found) - held :])
            shown = found[: len(found) - held]
            if shown == text:
                yield event
            elif shown:
                yield {**event, "delta": {**delta, field: shown}}
            return
        if kind == "content_block_stop" and index in self._held:
            yield _delta(index, *self._held.pop(index))
        yield _masked(event, self._secrets)

    def end(self) -> Iterator[Event]:
        """What was held back where the stream ends within a block."""
        held, self._held = self._held, {}
        for index, (kind, text) in held.items():
            yield _delta(index, kind, text)


def _delta(index: object, kind: str, text: str) -> Event:
    delta = {"type": kind, _TEXTS[kind]: text}
    return {"type": "content_block_delta", "index": index, "delta": delta}
