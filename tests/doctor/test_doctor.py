"""`claude-magic doctor`: what a server can do is found out and told, and nothing paid unasked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from claude_magic.cli import main
from claude_magic.conversation.asking.connection import Server
from claude_magic.conversation.settings import Settings
from claude_magic.doctor.examination import INTERRUPTED, NOT_CONFIRMED, UNUSABLE, report
from claude_magic.messages.transport.client import Client
from claude_magic.offline import OfflineServer
from tests.doctor.limited_server import LimitedServer

CANARY = "canary-key-0123456789"


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine, and no key."""
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_MAGIC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.chdir(tmp_path)


class Told:
    """What the command printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err
        lines = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
        self.works = {line[0]: line[1] for line in lines if len(line) > 1}
        self.last = out.splitlines()[-1] if out else ""


Doctor = Callable[..., Told]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def run(*arguments: str) -> Told:
        status = main(["doctor", *arguments])
        shown = capsys.readouterr()
        return Told(status, shown.out, shown.err)

    return run


def test_the_offline_server_is_found_to_know_all_that_needs_no_model(doctor: Doctor) -> None:
    told = doctor("--base-url", "offline")
    assert told.status == 0
    assert told.works == {
        "models": "yes",
        "message": "yes",
        "stream": "yes",
        "system prompt": "partly",
        "image": "yes",
        "tool call": "yes",
        "tool result": "yes",
        "JSON by schema": "yes",
        "JSON by words": "yes",
        "count_tokens": "yes",
        "prefill": "no",
    }
    assert "Sonnet 5.5 takes none" in told.out
    assert told.last.startswith(
        "Works: %%claude, figures and -i, --tools, --dry-run=count, --json."
    )
    assert "A prefill is asked for otherwise." in told.last
    assert all(re.search(r"\d\.\d\d s", line) for line in told.out.splitlines()[2:12])


def test_a_model_that_takes_a_prefill_is_found_to_take_it(doctor: Doctor) -> None:
    told = doctor("--base-url", "offline", "--model", "claude-haiku-4-5")
    assert told.works["prefill"] == "yes"
    assert "--prefill" in told.last


def test_a_server_that_knows_little_is_found_to_know_just_that(doctor: Doctor) -> None:
    with LimitedServer() as server:
        told = doctor("--base-url", server.url, "--model", "llama3")
    assert told.status == 0
    assert told.works == {
        "models": "no",
        "message": "yes",
        "stream": "yes",
        "system prompt": "yes",
        "image": "no",
        "tool call": "partly",
        "tool result": "partly",
        "JSON by schema": "no",
        "JSON by words": "yes",
        "count_tokens": "no",
        "prefill": "yes",
    }
    assert "this model does not support images" in told.out
    assert "answered without a call: Hello" in told.out
    assert "no tokens counted" in told.out
    assert told.last == (
        "Works: %%claude, system=, --prefill, --json, by instructions. Does not, or not reliably: "
        "figures and -i, --tools, --dry-run=count. Leave figures out: %claude_config images=none."
    )


def test_it_is_sent_basic_fields_only(doctor: Doctor) -> None:
    with LimitedServer() as server:
        doctor("--base-url", server.url, "--model", "llama3")
    schema, *others = sorted(server.bodies, key=lambda body: "output_config" not in body)
    assert schema["output_config"].keys() == {"format"}
    basic = {"model", "max_tokens", "messages", "system", "stream", "tools"}
    assert all(body.keys() <= basic for body in others)


def test_the_first_model_that_a_server_lists_is_asked_where_none_is_named(doctor: Doctor) -> None:
    with LimitedServer(models=("qwen3:32b", "llama3")) as server:
        told = doctor("--base-url", server.url)
    assert told.out.startswith(f"{server.url[7:]}, model qwen3:32b\n")
    with LimitedServer() as server:
        told = doctor("--base-url", server.url)
        assert server.bodies == []
    assert told.status == UNUSABLE
    assert "lists no models: name one with --model" in told.err


def test_a_model_that_the_settings_name_is_asked(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_MAGIC_MODEL", "llama3")
    with LimitedServer(models=("qwen3:32b", "llama3")) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        doctor()
    assert {body["model"] for body in server.bodies} == {"llama3"}


def test_without_streams_nothing_works(doctor: Doctor) -> None:
    with LimitedServer(streams=False) as server:
        told = doctor("--base-url", server.url, "--model", "llama3")
    assert told.status == UNUSABLE
    assert (told.works["message"], told.works["stream"]) == ("yes", "no")
    assert told.last == "This server cannot be used: nothing here works without streams."


def test_a_reply_without_a_word_does_not_work(doctor: Doctor) -> None:
    with LimitedServer(says="") as server:
        told = doctor("--base-url", server.url, "--model", "llama3")
    assert told.status == UNUSABLE
    assert (told.works["message"], told.works["stream"]) == ("partly", "partly")
    assert "a reply without a word" in told.out


def test_where_neither_message_nor_stream_comes_no_more_is_tried(doctor: Doctor) -> None:
    with OfflineServer(behaviours=["unauthorized"] * 2) as server:
        told = doctor("--base-url", server.url, "--model", "claude-opus-5")
    assert told.status == UNUSABLE
    assert set(told.works.values()) == {"yes", "no", "-"}
    assert sum(r.path == "/v1/messages" for r in server.requests) == 2


def test_a_server_that_is_not_there_is_said_in_one_line(doctor: Doctor) -> None:
    told = doctor("--base-url", "http://127.0.0.1:9", "--model", "llama3")
    assert (told.status, told.out) == (UNUSABLE, "")
    assert told.err.count("\n") == 1
    assert "cannot be reached" in told.err


def test_anthropics_own_server_needs_a_key(doctor: Doctor) -> None:
    told = doctor("--base-url", "https://api.anthropic.com")
    assert told.status == UNUSABLE
    assert "No API key: nothing was sent" in told.err


class TestAServerThatIsPaid:
    """On another machine, that is: here one on this machine that passes for it."""

    def examine(self, confirm: Callable[[str], bool] | None, model: str = "opus") -> Told:
        said: list[str] = []
        warned: list[str] = []
        with OfflineServer() as offline:
            client = Client(offline.url)
            status = report(
                client,
                replace(Server.of(offline.url), loopback=False),
                Settings(model=model),
                chosen=True,
                say=said.append,
                warn=warned.append,
                confirm=confirm,
            )
            client.close()
            self.asked = sum(r.path == "/v1/messages" for r in offline.requests)
        return Told(status, "\n".join(said), "\n".join(warned))

    def test_is_not_asked_where_nobody_can_say_yes(self) -> None:
        told = self.examine(confirm=None)
        assert (told.status, self.asked) == (NOT_CONFIRMED, 0)
        assert "--yes" in told.err
        assert re.search(r"9 small questions are asked: about \$0\.036, at most \$0\.38", told.out)

    def test_is_not_asked_where_somebody_says_no(self) -> None:
        questions: list[str] = []
        told = self.examine(confirm=lambda question: bool(questions.append(question)))
        assert (told.status, self.asked) == (NOT_CONFIRMED, 0)
        assert questions == ["Go on? [y/N] "]

    def test_is_asked_where_somebody_says_yes(self) -> None:
        told = self.examine(confirm=lambda _: True)
        assert told.status == 0
        assert self.asked == 9

    def test_says_so_where_its_price_is_not_known(self) -> None:
        assert "what they cost is not known" in self.examine(None, "claude-mythos-preview").out


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "claude_magic", "doctor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_no_key_and_no_control_character_of_a_reply_is_printed() -> None:
    evil = f"Hello {CANARY} \x1b]0;owned\x07\x1b[2J sk-ant-api03-abc"
    with LimitedServer(says=evil, models=(f"m{CANARY}",)) as server:
        environment = {"ANTHROPIC_API_KEY": CANARY, "ANTHROPIC_BASE_URL": server.url}
        with command("--model", "llama3", **environment) as process:
            out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert not set(out + err) & {"\x1b", "\x07"}
    assert CANARY not in out + err


def test_it_can_be_interrupted() -> None:
    with (
        OfflineServer(behaviours=["stall"] * 2) as server,
        command("--base-url", server.url, "--model", "claude-opus-5") as process,
    ):
        assert process.stdout is not None
        next(line for line in process.stdout if "message" in line)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert err == "claude-magic: interrupted\n"
