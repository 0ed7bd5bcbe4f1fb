"""Errors of the user's code and of libraries, as they may be shown."""

from __future__ import annotations

from .credentials import Secret, mask
from .errors import ClaudeError, Interrupted

_LONGEST = 200  # characters of a message that is not ours


def in_a_line(error: BaseException, *secrets: Secret | None) -> str:
    """What an error says, in one line with no key in it.

    Ours is shown as it is; of another its kind and the start of its message. `secrets` are masked,
    and whatever looks like a key.
    """
    if isinstance(error, ClaudeError | Interrupted):
        return str(error)
    try:
        said = " ".join(str(error).split())
    except Exception:  # a foreign __str__ may raise too; the kind is known
        said = "(no message)"
    said = mask(said, *secrets)
    if len(said) > _LONGEST:
        said = said[: _LONGEST - 1] + "…"
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind
