"""What was typed before a question was there is no answer to it."""

from __future__ import annotations

import sys


def drop_typed_ahead() -> None:
    """Nothing. What waits to be read from the terminal is gone, half a line too.

    Called right before a question that decides something, after what it is about has been shown.
    Where no terminal is read from there is nothing to drop. Raises nothing.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except termios.error:  # the terminal was closed meanwhile: nobody will answer
        return
