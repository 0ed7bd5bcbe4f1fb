"""Which addresses, keys and headers a client takes."""

from __future__ import annotations

import pytest

from claude_magic.messages import errors
from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.client import Client
from tests.messages.transport.client_requests import BODY, KEY, Connect, texts
from tests.messages.transport.fault_server import FaultServer


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "//"])
def test_slashes_and_v1_at_the_end_of_base_url_are_dropped(
    server: FaultServer, ending: str, connect: Connect
) -> None:
    texts(connect(server.url + ending, None))
    assert server.requests[0].path == "/v1/messages"


def test_a_path_in_base_url_is_kept(server: FaultServer, connect: Connect) -> None:
    texts(connect(f"{server.url}/gateway/anthropic/v1", None))
    assert server.requests[0].path == "/gateway/anthropic/v1/messages"


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:1",
        "http://me.localhost",
        "https://example.org",
        " https://example.org ",
        "HTTPS://EXAMPLE.ORG",
    ],
)
def test_an_address_is_https_or_this_machine(address: str) -> None:
    assert Client(address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://example.org", "must be https"),
        ("http://192.168.1.5:11434", "must be https"),
        ("http://localhost.example.org", "must be https"),
        ("http://127.0.0.1.example.org", "must be https"),
        ("example.org", "must be an address"),
        ("", "must be an address"),
        ("ftp://example.org", "must be an address"),
        ("https://", "must be an address"),
        ("https://host:port", "must be an address"),
        ("https://[::1", "must be an address"),
        ("https://user:password@example.org", "password"),
        ("https://example.org?key=1", r"\?"),
    ],
)
def test_any_other_address_is_refused(address: str, words: str) -> None:
    with pytest.raises(errors.InputError, match=words) as caught:
        Client(address)
    assert "user:password" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "clé-0123456789", "line\nbreak"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(errors.CredentialError, match="set it again"):
        Client("https://example.org", Secret(key))


@pytest.mark.parametrize("header", [{"x-a": "b\r\nx-c: d"}, {"a b": "c"}, {"x-a": "é"}, {"": "a"}])
def test_a_header_that_http_forbids_is_refused(header: dict[str, str]) -> None:
    with pytest.raises(errors.InputError, match="header"):
        Client("https://example.org", headers=header)


def test_a_beta_name_that_http_forbids_is_refused(server: FaultServer, connect: Connect) -> None:
    with pytest.raises(errors.InputError, match="anthropic-beta"):
        connect(server).stream(BODY, betas=["a\r\nb: c"])


def test_a_client_shows_its_address_and_no_key() -> None:
    assert repr(Client("https://example.org/", Secret(KEY))) == "Client('https://example.org')"
