"""Settings and where they come from; the key, and where it never shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from claude_magic.conversation.settings import NOTEBOOK_PROMPT, Settings
from claude_magic.notebook.config import Settable
from claude_magic.offline import OfflineServer
from tests.kernels import Kernel, Ran, kernel

CANARY = "sk-ant-canary-0123456789abcdef"
OTHER_CANARY = "a-key-of-another-kind-42"
HEADER_CANARY = "a-header-of-a-gateway-99"


def rows(ran: Ran) -> dict[str, tuple[str, str]]:
    """Setting to value and source, from the table as text."""
    found = {}
    for line in ran.shown().splitlines()[1:]:
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) >= 3:
            found[cells[0]] = (cells[1], cells[2])
    return found


def test_every_setting_that_asking_needs_can_be_set() -> None:
    defaults = Settings()
    traits = Settable.class_own_traits(config=True)
    for name in set(Settings.__dataclass_fields__) - {"named"}:  # said of a setting, none itself
        # Of the system prompt None says that nothing was said: then ours is sent in a notebook.
        default = NOTEBOOK_PROMPT if name == "system" else getattr(defaults, name)
        assert traits[name].default_value == default, name


def test_each_value_is_shown_with_its_source(tmp_path: Path) -> None:
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text(
        'c.ClaudeMagics.model = "haiku"\n'
        'c.ClaudeMagics.effort = "low"\n'
        "c.ClaudeMagics.budget = 3\n",
        encoding="utf-8",
    )
    (tmp_path / ".claude_magic.toml").write_text(
        'effort = "high"\nthink = "off"\nbudget = 50\nbase_url = "https://evil.example"\n',
        encoding="utf-8",
    )
    with kernel(tmp_path, CLAUDE_MAGIC_THINK="show") as own:
        own.run("%claude_config max_tokens=77 system='Be brief, please'")
        ran = own.run("%claude_config")
        found = rows(ran)
        assert found["model"] == ("haiku", "Jupyter configuration")
        assert found["effort"] == ("high", ".claude_magic.toml")
        assert found["think"] == ("show", "CLAUDE_MAGIC_THINK")
        assert found["max_tokens"] == ("77", "%claude_config")
        assert found["system"] == ("Be brief, please", "%claude_config")
        assert found["images"] == ("auto", "default")
        # A project file comes with somebody's repository: it may not raise the budget, nor say
        # where the key goes.
        assert found["budget"] == ("3", "Jupyter configuration")
        assert found["base_url"] == ("offline", "CLAUDE_MAGIC_BASE_URL")
        assert "base_url: not taken from a project file" in ran.shown()
        own.run("%claude --alone Hi")
        body = own.requests()[-1]
        assert body["model"] == "claude-haiku-5-5"
        assert body["max_tokens"] == 77
        assert body["system"] == "Be brief, please"
        assert body["output_config"] == {"effort": "high"}
        own.run("%claude_config max_tokens=")
        assert rows(own.run("%claude_config"))["max_tokens"] == ("0", "default")


def test_a_variable_that_does_not_fit_is_shown_and_can_be_overruled(tmp_path: Path) -> None:
    with kernel(tmp_path, CLAUDE_MAGIC_BUDGET="abc", CLAUDE_MAGIC_QUIET="perhaps") as own:
        assert own.run("%claude Hi", ok=False).error.count("\n") == 0
        shown = own.run("%claude_config").shown()
        assert "CLAUDE_MAGIC_BUDGET: budget='abc' does not fit" in shown
        assert rows(own.run("%claude_config budget=3 quiet=false"))["budget"][0] == "3"
        own.run("%claude Hi")
        assert "does not fit" in own.run("%claude_config budget=nan", ok=False).error
        # Taking one back and setting the next on one line.
        own.run("%claude_config model=opus")
        own.run("%claude_config model= budget=20")
        found = rows(own.run("%claude_config"))
        assert (found["model"][0], found["budget"][0]) == ("sonnet", "20")


def test_a_configuration_file_that_does_not_fit_is_named_in_one_line(tmp_path: Path) -> None:
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    wrong = 'c.ClaudeMagics.effort = "huge"'
    (profile / "ipython_config.py").write_text(wrong, encoding="utf-8")
    with kernel(tmp_path, load=False) as own:
        ran = own.run("%load_ext claude_magic", ok=False)
        assert ran.reply["ename"] == "InputError"
        assert "\n" not in ran.error
        assert "effort" in ran.error


@pytest.mark.parametrize("name", ["images", "context"])
def test_a_project_file_cannot_have_code_run(tmp_path: Path, name: str) -> None:
    code = "__import__('pathlib').Path('ran').touch()"
    (tmp_path / ".claude_magic.toml").write_text(f'{name} = "{code}"\n', encoding="utf-8")
    with kernel(tmp_path) as own:
        error = own.run("%claude Hi", ok=False).error
        assert f"{name}=" in error
        assert "auto, none" in error
        assert not (tmp_path / "ran").exists()


def test_our_own_variable_for_the_address_wins(tmp_path: Path) -> None:
    with kernel(tmp_path, ANTHROPIC_BASE_URL="https://gateway.example") as own:
        assert rows(own.run("%claude_config"))["base_url"] == ("offline", "CLAUDE_MAGIC_BASE_URL")
    with kernel(
        tmp_path, CLAUDE_MAGIC_BASE_URL="", ANTHROPIC_BASE_URL="https://gateway.example"
    ) as own:
        assert rows(own.run("%claude_config"))["base_url"] == (
            "https://gateway.example",
            "ANTHROPIC_BASE_URL",
        )


def saw_key(server: OfflineServer) -> str | None:
    return server.requests[-1].headers.get("x-api-key")


def test_a_key_typed_at_the_prompt_is_used_and_shown_nowhere(tmp_path: Path) -> None:
    with OfflineServer() as server, kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url) as own:
        ran = own.run("%claude_login", stdin=CANARY)
        assert "kept until this kernel ends" in ran.shown()
        assert "canary" not in json.dumps(ran.messages, default=str)
        own.run("%claude Hi")
        assert saw_key(server) == CANARY
        own.run("%claude_login --forget")
        own.run("%claude Hi")
        assert saw_key(server) is None


AUTH = {
    "a key, unless said otherwise": ("ANTHROPIC_API_KEY", "auto", "x-api-key"),
    "a token, unless said otherwise": ("ANTHROPIC_AUTH_TOKEN", "auto", "authorization"),
    "a key as bearer": ("ANTHROPIC_API_KEY", "bearer", "authorization"),
    "a token as key": ("ANTHROPIC_AUTH_TOKEN", "x-api-key", "x-api-key"),
}


@pytest.mark.parametrize("case", AUTH)
def test_the_key_goes_in_the_header_that_is_set(tmp_path: Path, case: str) -> None:
    variable, auth, header = AUTH[case]
    environment = {variable: CANARY, "CLAUDE_MAGIC_AUTH": auth}
    with (
        OfflineServer() as server,
        kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url, **environment) as own,
    ):
        own.run("%claude_config api_version=2026-10-21")
        own.run("%claude Hi")
        sent = server.requests[-1].headers
        assert sent[header].removeprefix("Bearer ") == CANARY
        assert len({"x-api-key", "authorization"} & set(sent)) == 1
        assert sent["anthropic-version"] == "2026-10-21"
        assert (
            "does not fit; give a date" in own.run("%claude_config api_version=2", ok=False).error
        )


KEYRING = """
import keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1
    kept = {}

    def get_password(self, service, username):
        return self.kept.get(service)

    def set_password(self, service, username, password):
        self.kept[service] = password

    def delete_password(self, service, username):
        del self.kept[service]
"""


def test_a_key_that_is_forgotten_is_not_used_any_more(tmp_path: Path) -> None:
    (tmp_path / "own_keyring.py").write_text(KEYRING, encoding="utf-8")
    environment = {"PYTHON_KEYRING_BACKEND": "own_keyring.Keyring", "PYTHONPATH": str(tmp_path)}
    with (
        OfflineServer() as server,
        kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url, **environment) as own,
    ):
        own.run(f"import keyring; keyring.set_password('claude_magic', 'api_key', '{CANARY}')")
        own.run("%claude --alone -c none Hi")
        assert saw_key(server) == CANARY
        own.run(f"print(keyring.get_password('claude_magic', 'api_key'), '{OTHER_CANARY}')")
        own.run("%claude_login --forget")
        own.run("%claude --alone -c none Hi")
        assert saw_key(server) is None


def test_where_nothing_can_be_typed_login_says_what_to_do(running_kernel: Kernel) -> None:
    ran = running_kernel.run("%claude_login", ok=False)
    assert ran.reply["ename"] == "CredentialError"
    assert "ANTHROPIC_API_KEY" in ran.error


# What is run with a key in the environment; some of it fails on purpose.
EVERYTHING = [
    "%xmode Verbose",
    "%claude Hello",
    "%claude -o reply And again",
    "reply, reply.turn, reply.usage",
    "%claude_config",
    "%claude_models",
    "%claude --dry-run Hi",
    "%claude --dry-run=curl Hi",
    "%claude --dry-run=python Hi",
    "%claude -m sonet Hi",
    "%claude -i nothing Hi",
    "import os; print('key:', os.environ['ANTHROPIC_API_KEY'])  # the notebook shows its own key",
    "%claude What did I print?",
    "print(os.environ['ANTHROPIC_CUSTOM_HEADERS'])  # the notebook shows its own key",
    "%claude And what now?",
    "m = get_ipython().magics_manager.registry['ClaudeMagics']; m.notebook.session.headers()",
    "open('key.txt', 'w').write(os.environ['ANTHROPIC_API_KEY'])",
    "%claude -f key.txt What is in it?",
    "os.unlink('key.txt')",
    "%claude {{ os.environ['ANTHROPIC_API_KEY'] }}",
    "%claude_config base_url=http://127.0.0.1:9",
    "%claude The server is down",
    "m = get_ipython().magics_manager.registry['ClaudeMagics']",
    "m.notebook, m.notebook.session, vars(m.notebook.session), m.notebook.keys.find()",
    "vars(m.notebook.keys)",
    "vars(m.notebook.session._connections)",
    "def boom(session):\n    found = session._find()\n    1 / 0\nboom(m.notebook.session)",
    "%claude What went wrong?",
]


@pytest.mark.parametrize("canary", [CANARY, OTHER_CANARY], ids=["Anthropic's", "another kind"])
def test_the_key_is_in_no_output_request_body_history_or_file(tmp_path: Path, canary: str) -> None:
    shown: list[str] = []
    environment = {
        "ANTHROPIC_API_KEY": canary,
        "ANTHROPIC_CUSTOM_HEADERS": f"X-Gateway: {HEADER_CANARY}",
    }
    with OfflineServer() as server:
        with kernel(tmp_path, CLAUDE_MAGIC_BASE_URL=server.url, **environment) as own:
            for code in EVERYTHING:
                ran = own.run(code, ok=False)
                if "the notebook shows its own key" not in code:
                    shown.append(json.dumps([ran.messages, ran.reply], default=str))
        bodies = [r.body.decode() for r in server.requests]
        assert saw_key(server) == canary
        assert server.requests[-1].headers["x-gateway"] == HEADER_CANARY
    for secret in (canary, HEADER_CANARY):
        assert not any(secret in text for text in shown)
        assert not any(secret in body for body in bodies)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path
