"""`%claude_login`: a key typed without being shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..messages.credentials import ACCOUNT, SERVICE, Secret
from ..messages.errors import CredentialError, InputError

if TYPE_CHECKING:
    from .notebook import Notebook


def login(notebook: Notebook, words: Sequence[str]) -> dict[str, str]:
    """Ask for a key and keep it, in this kernel or in the keyring; a line that says what was done.

    Raises InputError for an unknown word, CredentialError where nothing can be asked or kept.
    """
    unknown = [w for w in words if w not in ("--save", "--forget")]
    if unknown:
        raise InputError("%claude_login takes --save or --forget; the key itself is asked for.")
    if "--forget" in words:
        _forget()
        notebook.keys.forget()
        found = notebook.keys.find()
        still = f" The one in {found.source} is still used." if found else ""
        return _line(f"The key is forgotten, here and in the keyring.{still}")
    key = _typed()
    if not key.sendable:
        raise CredentialError("This is no API key: it has characters that no key has. Try again.")
    notebook.keys.given = key
    if "--save" in words:
        _save(key)
        return _line("The key is kept in the system's keyring.")
    return _line("The key is kept until this kernel ends. %claude_login --save keeps it longer.")


def _typed() -> Secret:
    import getpass

    try:
        key = Secret(getpass.getpass("API key (not shown): "))
    except (EOFError, OSError, RuntimeError):  # no one to ask: nbclient, a closed terminal
        raise CredentialError(
            "No key can be typed here: set ANTHROPIC_API_KEY before starting Jupyter."
        ) from None
    if not key:
        raise CredentialError("No key was typed; nothing has changed.")
    return key


def _save(key: Secret) -> None:
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, ACCOUNT, key.reveal())
    except Exception as error:  # each back end fails in ways of its own; frames below hold the key
        raise CredentialError(
            f"The keyring took no key ({type(error).__name__}): it is kept for this kernel only."
        ) from None


def _forget() -> None:
    try:
        keyring = _keyring()
    except CredentialError:
        return
    try:
        keyring.delete_password(SERVICE, ACCOUNT)
    except Exception:  # there was none, and each back end says so in ways of its own
        return


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise CredentialError(
            "--save needs the keyring package: pip install 'claude-magic[keyring]'. "
            "The key is kept for this kernel."
        ) from None
    return keyring


def _line(text: str) -> dict[str, str]:
    from .display.header_footer import notice

    return notice(text)
