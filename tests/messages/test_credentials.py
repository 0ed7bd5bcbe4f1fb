"""Where the key is found, and that nothing shows it by accident."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import pytest

from claude_magic.messages.credentials import FoundKey, Secret, find_key, mask

CANARY = "canary-0123456789-abcdef"


def no_keyring() -> None:
    return None


def never() -> Secret | None:
    raise AssertionError("looked further although there was a key")


def keyring() -> Secret:
    return Secret("from-keyring")


# The keyring that each case has, the variables, what is found.
ALL = {"ANTHROPIC_API_KEY": "api", "ANTHROPIC_AUTH_TOKEN": "token"}


@pytest.mark.parametrize(
    ("explicit", "environ", "lookup", "found"),
    [
        pytest.param("mine", ALL, never, ("mine", False, "explicit"), id="explicit"),
        pytest.param(Secret("mine"), ALL, never, ("mine", False, "explicit"), id="a Secret"),
        pytest.param(None, ALL, never, ("api", False, "ANTHROPIC_API_KEY"), id="API key first"),
        pytest.param(
            None,
            {**ALL, "ANTHROPIC_API_KEY": ""},
            never,
            ("token", True, "ANTHROPIC_AUTH_TOKEN"),
            id="an empty API key counts as none",
        ),
        pytest.param(
            None,
            {"ANTHROPIC_API_KEY": " \n", "ANTHROPIC_AUTH_TOKEN": " "},
            keyring,
            ("from-keyring", False, "keyring"),
            id="blank ones too",
        ),
        pytest.param("", {}, keyring, ("from-keyring", False, "keyring"), id="empty explicit"),
        pytest.param(Secret(""), {}, keyring, ("from-keyring", False, "keyring"), id="empty one"),
        pytest.param(
            None, {"ANTHROPIC_API_KEY": " api\n"}, never, ("api", False, "ANTHROPIC_API_KEY"),
            id="blanks from copy and paste are dropped",
        ),
    ],
)  # fmt: skip
def test_the_first_source_that_has_a_key_is_used(explicit, environ, lookup, found) -> None:  # type: ignore[no-untyped-def]
    secret, bearer, source = found
    assert find_key(explicit, environ, keyring_lookup=lookup) == FoundKey(
        Secret(secret), bearer, source
    )


def test_without_any_source_there_is_no_key() -> None:
    assert find_key(environ={}, keyring_lookup=no_keyring) is None


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    found = find_key(keyring_lookup=never)
    assert found is not None
    assert found.secret == Secret(CANARY)


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("", id="the keyring installed, without a back end"),
        pytest.param("raise ImportError('none')", id="no keyring"),
        pytest.param("raise RuntimeError('locked')", id="a keyring that fails"),
        pytest.param(
            "def get_password(service, name): raise OSError('no access')", id="access refused"
        ),
    ],
)
def test_a_keyring_that_is_not_there_or_fails_is_no_key(tmp_path, module: str) -> None:  # type: ignore[no-untyped-def]
    """In a process of its own, whose keyring is the one given."""
    if module:
        (tmp_path / "keyring.py").write_text(module)
    program = "from claude_magic.messages.credentials import find_key; print(find_key(environ={}))"
    env = {"PYTHONPATH": f"{tmp_path}", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("None", "")


def test_the_keyrings_entry_is_asked_for_by_our_name(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "keyring.py").write_text(
        "def get_password(service, name): return f'{service}/{name}'"
    )
    program = (
        "from claude_magic.messages.credentials import find_key\n"
        "found = find_key(environ={})\nprint(found.secret.reveal(), found.source)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout.strip() == "claude_magic/api_key keyring"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "%s".__mod__,
        lambda s: f"{s!r:>40}",
        lambda s: repr([s, {"key": s}]),
        lambda s: repr(FoundKey(s, False, "explicit")),
        lambda s: str(copy.copy(s)),
        lambda s: str(copy.deepcopy({"key": s})),
        lambda s: str([getattr(s, n, None) for n in dir(s) if n != "reveal" and "__" not in n]),
    ],
)
def test_a_secret_shows_a_mask(show) -> None:  # type: ignore[no-untyped-def]
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, vars])
def test_a_secret_cannot_be_written(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError) as caught:
        write(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_secrets_are_equal_by_their_key() -> None:
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("a").reveal() == "a"


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("sk-ant-1", True),
        ("", False),
        ("a b", False),
        ("a\nb", False),
        ("clé", False),
        ("a\0", False),
    ],
)
def test_a_key_that_no_header_can_hold_is_known(value: str, good: bool) -> None:
    assert Secret(value).sendable is good


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(f"bad key {CANARY}!", "bad key [key]!", id="the key"),
        pytest.param("sk-ant-api03-AbC_9-x, again", "[key], again", id="what looks like a key"),
        pytest.param("nothing here", "nothing here", id="no key"),
    ],
)
def test_a_text_is_masked(text: str, masked: str) -> None:
    assert mask(text, Secret(CANARY)) == masked


def test_a_key_too_short_to_guard_anything_spoils_no_text() -> None:
    assert mask("an x marks", Secret("x")) == "an x marks"
    assert mask("sk-ant-1 stays hidden without a key", None) == "[key] stays hidden without a key"
