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
        notebook.key = None
        _forget()
        return _line("The key is forgotten, here and in the keyring.")
    key = _typed()
    notebook.key = Secret(key)
    if not notebook.key.sendable:
        notebook.key = None
        raise CredentialError("This is no API key: it has characters that no key has. Try again.")
    if "--save" in words:
        _save(key)
        return _line("The key is kept in the system's keyring.")
    return _line("The key is kept until this kernel ends. %claude_login --save keeps it longer.")


def _typed() -> str:
    import getpass

    try:
        key = getpass.getpass("API key (not shown): ").strip()
    except (EOFError, OSError, RuntimeError):  # no one to ask: nbclient, a closed terminal
        raise CredentialError(
            "No key can be typed here: set ANTHROPIC_API_KEY before starting Jupyter."
        ) from None
    if not key:
        raise CredentialError("No key was typed; nothing has changed.")
    return key


def _save(key: str) -> None:
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, ACCOUNT, key)
    except keyring.errors.KeyringError as error:
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
    except keyring.errors.KeyringError:
        return  # there was none


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
    from .frame import notice

    return notice(text)
