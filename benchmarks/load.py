"""What `%load_ext claude_magic` adds to plain IPython: wall time, modules, memory.

Each figure is the median over fresh processes, the two kinds taken in turn. Run it with
`.venv/bin/python benchmarks/load.py`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

ROUNDS = 15
PROGRAM = """
import json, resource, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
modules = len(sys.modules)
start = time.perf_counter()
if sys.argv[1] == "load":
    shell.run_line_magic("load_ext", "claude_magic")
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds * 1000, len(sys.modules) - modules, peak / 1024]))
"""


def run(kind: str) -> tuple[float, int, float, float]:
    """Milliseconds within the process, modules added, peak MB, milliseconds of the process."""
    start = time.perf_counter()
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind],
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    ).stdout
    total = (time.perf_counter() - start) * 1000
    milliseconds, modules, peak = json.loads(out.splitlines()[-1])
    return milliseconds, modules, peak, total


def main() -> None:
    run("load")  # writes the byte code
    rows: dict[str, list[tuple[float, int, float, float]]] = {"plain": [], "load": []}
    for _ in range(ROUNDS):
        for kind, found in rows.items():
            found.append(run(kind))
    print(f"{'':8}{'load_ext ms':>12}{'modules':>9}{'peak MB':>9}{'process ms':>12}")
    for kind, found in rows.items():
        columns = [statistics.median(column) for column in zip(*found, strict=True)]
        print(f"{kind:8}{columns[0]:12.1f}{columns[1]:9.0f}{columns[2]:9.1f}{columns[3]:12.0f}")


if __name__ == "__main__":
    main()
