"""What programs on a desktop find around them: nothing of the kernel's own."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic.computer.desktop import VirtualDesktop, check_installed, desktop_environment
from claude_magic.messages.errors import DesktopError, InputError
from tests.computer.left_over import SOCKETS, environment, family, footprint
from tests.computer.recorder import Recorder

CANARY = "sk-ant-canary-7f3e9d"
HOSTILE = {
    "ANTHROPIC_API_KEY": CANARY,
    "ANTHROPIC_AUTH_TOKEN": CANARY,
    "ANTHROPIC_BASE_URL": f"https://{CANARY}.example",
    "CLAUDE_MAGIC_BASE_URL": CANARY,
    "OPENAI_API_KEY": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "HTTPS_PROXY": f"http://user:{CANARY}@proxy.example",
    "http_proxy": CANARY,
    "NO_PROXY": CANARY,
    "SSL_CERT_FILE": f"/{CANARY}",
    "PYTHONPATH": f"/{CANARY}",
    "DISPLAY": ":77",
    "WAYLAND_DISPLAY": "wayland-7",
    "XAUTHORITY": f"/{CANARY}/Xauthority",
    "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/{CANARY}",
    "SESSION_MANAGER": CANARY,
    "XDG_RUNTIME_DIR": f"/{CANARY}",
    "SSH_AUTH_SOCK": f"/{CANARY}",
    "HOME": f"/{CANARY}",
    "IPYTHONDIR": f"/{CANARY}",
    "LC_ALL": f"{CANARY}.UTF-8",
}


def test_a_few_variables_pass_and_no_others() -> None:
    ours = {**HOSTILE, "PATH": "/usr/bin", "LANG": "de_DE.UTF-8", "TZ": "Europe/Berlin"}
    theirs = desktop_environment(ours)
    assert CANARY not in repr(theirs)
    assert (theirs["PATH"], theirs["LANG"], theirs["TZ"]) == (
        "/usr/bin",
        "de_DE.UTF-8",
        "Europe/Berlin",
    )
    assert theirs.keys() & HOSTILE.keys() == {"DBUS_SESSION_BUS_ADDRESS"}


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs xvfb and jwm: sudo apt-get install xvfb jwm"):
        check_installed(str(tmp_path), platform="linux")
    (tmp_path / "Xvfb").touch(mode=0o755)
    with pytest.raises(InputError, match="needs jwm: sudo apt-get install xvfb jwm"):
        check_installed(str(tmp_path), platform="linux")
    with pytest.raises(InputError, match="needs Linux"):
        check_installed(platform="darwin")


@pytest.fixture(scope="module")
def surrounded(
    installed: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, dict[str, str]]:
    """The environment of every process of a desktop whose kernel has all the hostile variables."""
    file = tmp_path_factory.mktemp("surrounded") / "events.jsonl"
    window = Recorder(file)
    before = dict(os.environ)
    os.environ.update(HOSTILE)
    desktop = None
    try:
        desktop = VirtualDesktop(640, 480)
        desktop.open(f"sh -c 'env > {shlex.quote(str(file))}.env; exec {window.command()}'")
        window.until(lambda: window.of("mapped"))
        return {pid: environment(pid) for pid in family(desktop.keeper)}
    finally:
        os.environ.clear()
        os.environ.update(before)
        if desktop is not None:
            desktop.close()


def test_no_process_of_a_desktop_has_a_key_or_a_variable_of_the_network(
    surrounded: dict[int, dict[str, str]],
) -> None:
    assert len(surrounded) >= 4  # the keeper, Xvfb, jwm, the program
    assert CANARY not in repr(surrounded)
    for variables in surrounded.values():
        assert not [name for name in variables if "proxy" in name.lower()]
        assert not [n for n in variables if n.startswith(("ANTHROPIC", "CLAUDE", "PYTHON"))]


def test_no_process_of_a_desktop_knows_the_user_s_own_display_or_session(
    surrounded: dict[int, dict[str, str]],
) -> None:
    for variables in surrounded.values():
        assert variables.get("DISPLAY") != ":77"
        assert variables["DBUS_SESSION_BUS_ADDRESS"] == "disabled:"
        assert not variables.keys() & {
            "WAYLAND_DISPLAY",
            "SESSION_MANAGER",
            "SSH_AUTH_SOCK",
        }


@pytest.mark.parametrize("language", ["", "C", "de_DE.ISO-8859-1", "tlh_KX.UTF-8"])
def test_a_language_that_old_programs_could_not_write_everything_in_is_replaced(
    installed: None, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", language)
    desktop = VirtualDesktop(320, 240)
    try:
        (jwm,) = [pid for pid, name in family(desktop.keeper).items() if name == "jwm"]
        assert environment(jwm)["LANG"] == "C.UTF-8"
    finally:
        desktop.close()


def test_programs_have_a_home_of_their_own_that_goes_with_the_desktop(
    surrounded: dict[int, dict[str, str]],
) -> None:
    homes = {Path(v["HOME"]) for v in surrounded.values() if "HOME" in v}
    assert len(homes) == 1
    assert homes.pop().parent.name.startswith("claude-magic-desktop-")
    assert not any(Path(v["HOME"]).exists() for v in surrounded.values() if "HOME" in v)


def test_only_who_has_the_cookie_may_use_the_display(desktop: VirtualDesktop) -> None:
    there = footprint(desktop.keeper)
    (name,) = there.sockets
    display = f":{name.removeprefix('X')}"
    program = "from Xlib.display import Display; Display().screen()"
    python = [sys.executable, "-c", program]
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DISPLAY": display}
    refused = subprocess.run(python, env=bare, capture_output=True, text=True, check=False)
    assert refused.returncode
    assert "auth" in refused.stderr.lower()
    cookies = there.folder / "cookies"
    let_in = subprocess.run(
        python, env={**bare, "XAUTHORITY": str(cookies)}, capture_output=True, check=False
    )
    assert let_in.returncode == 0
    assert there.folder.stat().st_mode & 0o777 == 0o700
    assert cookies.stat().st_mode & 0o777 == 0o600


def test_the_display_cannot_be_reached_over_the_network(desktop: VirtualDesktop) -> None:
    (name,) = footprint(desktop.keeper).sockets
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", 6000 + int(name.removeprefix("X")))) != 0


def test_the_kernel_s_own_environment_is_left_alone(desktop: VirtualDesktop) -> None:
    assert "claude-magic-desktop" not in repr(dict(os.environ))


def test_a_program_that_does_not_start_is_an_error_with_its_last_words(
    desktop: VirtualDesktop,
) -> None:
    with pytest.raises(DesktopError, match=r"ended with status 127 \(.*nosuchprogram.*not found"):
        desktop.open("nosuchprogram --help")
    with pytest.raises(DesktopError, match=r"ended with status 3 \(no input file\)"):
        desktop.open("echo no input file >&2; exit 3")
    assert desktop.alive


def test_a_program_starts_where_the_kernel_works(
    desktop: VirtualDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DesktopError, match="ended with status 3"):
        desktop.open("pwd > here; exit 3")
    assert (tmp_path / "here").read_text().strip() == str(tmp_path)


def test_a_program_whose_folder_is_gone_is_an_error(
    desktop: VirtualDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(DesktopError, match=r"could not be done: .*No such file"):
        desktop.open("true")
    assert desktop.alive


def test_two_desktops_do_not_see_each_other(desktop: VirtualDesktop, window: Recorder) -> None:
    other = VirtualDesktop(640, 480)
    try:
        window.forget()
        other.move(50, 50)
        other.press(1)
        other.release(1)
        desktop.move(60, 60)
        desktop.press(1)
        desktop.release(1)
        window.until(lambda: window.of("release"))
        assert window.places("press") == [(60, 60)]
        assert other.pointer() == (50, 50)
    finally:
        other.close()


def test_the_socket_of_another_server_is_never_taken(installed: None) -> None:
    """Not even of one whose abstract socket is in another network, as a container's host has."""
    held: list[socket.socket] = []
    names = [SOCKETS / "X0", SOCKETS / "X1"]
    ours = [name for name in names if not name.exists()]
    SOCKETS.mkdir(mode=0o1777, exist_ok=True)
    before = {name: name.stat().st_ino for name in names if name.exists()}
    try:
        for name in ours:
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(str(name))
            sock.listen()
            held.append(sock)
            before[name] = name.stat().st_ino
        VirtualDesktop(320, 240).close()
        assert {name: name.stat().st_ino for name in names} == before
    finally:
        for sock in held:
            sock.close()
        for name in ours:
            name.unlink(missing_ok=True)
