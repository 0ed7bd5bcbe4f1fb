"""A program that has a desktop with an app on it, says so, and then ends as it is told.

Arguments: how it ends, and a shell command for the app.
"""

import json
import os
import sys
import time

from claude_magic.computer.desktop import VirtualDesktop


def main() -> None:
    how, command = sys.argv[1:]
    desktop = VirtualDesktop(640, 480)
    desktop.open(command)
    holder = 0
    if how == "fork":
        # As multiprocessing does: it has all descriptors, and lives on.
        holder = os.fork()
        if holder == 0:
            time.sleep(600)
            os._exit(0)
    print(json.dumps({"keeper": desktop.keeper, "holder": holder}), flush=True)  # noqa: T201
    sys.stdin.readline()
    if how == "close":
        desktop.close()
        desktop.close()
    elif how == "raise":
        raise RuntimeError("an error in the middle")
    elif how == "exit":
        os._exit(0)
    elif how == "wait":
        desktop.wait(600)


if __name__ == "__main__":
    main()
