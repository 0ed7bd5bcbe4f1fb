"""`claude-magic`: captions, the demo, the offline server, the examination of servers."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial

from . import caption_commands
from ._version import __version__
from .messages.dependencies import OF_QUESTIONS, unmet


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="claude-magic", description="Ask Claude about your notebook, figures included."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="JupyterLab on a tour notebook; no key needed, the offline server answers"
    )
    demo.add_argument(
        "notebook", nargs="?", help="open this notebook instead of a copy of the tour"
    )
    demo.add_argument("--port", type=_port, default=8888, help="port, or the next free one")
    demo.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    offline = commands.add_parser(
        "offline", help="run the offline Messages API server for other programs"
    )
    offline.add_argument("--port", type=_port, default=8484, help="port on loopback; 0 for any")
    doctor = commands.add_parser(
        "doctor", help="try with real requests what a Messages API server can do"
    )
    doctor.add_argument("--base-url", help="its address; by default that of the settings")
    doctor.add_argument("--model", help="the model to ask; by default that of the settings")
    doctor.add_argument("--yes", action="store_true", help="ask, though it may cost something")
    caption_commands.add_caption(commands)
    caption_commands.add_caption_images(commands)
    caption_commands.add_alt_text(commands)
    given = parser.parse_args(arguments)
    if line := unmet(*OF_QUESTIONS, "tornado"):
        print(f"claude-magic: {line}", file=sys.stderr)
        return 2
    if given.command == "offline":
        return _offline(given.port)
    if given.command == "doctor":
        return _doctor(given.base_url, given.model, yes=given.yes)
    if given.command == "caption":
        return _refusing(caption_commands.caption, given)
    if given.command == "caption-images":
        return _refusing(caption_commands.caption_images, given)
    if given.command == "alt-text":
        return _refusing(caption_commands.alt_text, given)
    from .demo import run

    return run(given.notebook, given.port, browser=not given.no_browser)


def _refusing(command: Callable[[argparse.Namespace], int], given: argparse.Namespace) -> int:
    """The exit status of a command; an error is one line on stderr."""
    from .messages.errors import ClaudeError

    try:
        return command(given)
    except ClaudeError as error:
        print(f"claude-magic: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stopped:
        print(f"claude-magic: {str(stopped) or 'stopped.'}", file=sys.stderr)
        return 130


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is no port: give a number up to 65535")
    return port


def _doctor(base_url: str | None, model: str | None, *, yes: bool) -> int:
    from .doctor import run
    from .tools.approval import drop_typed_ahead

    def confirmed(question: str) -> bool:
        if yes:
            return True
        drop_typed_ahead()
        return input(question).strip().lower() in ("y", "yes")

    return run(
        base_url,
        model,
        say=partial(print, flush=True),
        warn=partial(print, file=sys.stderr, flush=True),
        confirm=confirmed if yes or sys.stdin.isatty() else None,
    )


def _offline(port: int) -> int:
    from .messages.errors import InputError
    from .offline import OfflineServer

    server = OfflineServer(port, keep=0)
    try:
        server.start()
        print(f"The offline Messages API server answers at {server.url}; Ctrl+C ends.", flush=True)
        threading.Event().wait()
    except InputError as error:
        print(f"claude-magic: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # from the first line on: who reads it may interrupt at once
        server.stop()
    return 0
