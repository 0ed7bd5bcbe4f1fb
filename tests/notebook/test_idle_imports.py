"""What a first question needs is imported while the kernel has nothing to do."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic.notebook.idle_imports import MODULES, SLICE, slices
from claude_magic.offline import OfflineServer
from tests.kernels import Kernel


@pytest.mark.parametrize("module", MODULES)
def test_each_module_of_the_list_is_there(module: str) -> None:
    assert importlib.util.find_spec(module) is not None


def test_a_slice_ends_with_the_first_import_that_makes_it_long() -> None:
    now, loaded = 0.0, list[str]()

    def load(name: str) -> None:
        nonlocal now
        loaded.append(name)
        now += 0.4 * SLICE

    counts = []
    for _ in slices(("a", "b", "c", "d", "e", "f", "g"), lambda: now, load):
        counts.append(len(loaded))
    assert counts == [3, 6]
    assert loaded == ["a", "b", "c", "d", "e", "f", "g"]


FAULTS = {
    "missing": ModuleNotFoundError("missing"),
    "of an older version": ImportError("a name of it"),
    "broken": AttributeError("partially initialised"),
    "a file of that name in the folder": SyntaxError("no Python"),
}


def test_what_cannot_be_imported_is_left_out() -> None:
    loaded = []

    def load(name: str) -> None:
        if name in FAULTS:
            raise FAULTS[name]
        loaded.append(name)

    assert list(slices(("a", *FAULTS, "b"), lambda: 0.0, load)) == []
    assert loaded == ["a", "b"]


AFTER = """
import asyncio, json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
told = []
sys.addaudithook(lambda event, args: told.append((event, str(*args[:1]))))

async def main():
    shell.run_line_magic("load_ext", "claude_magic")
    magics = shell.magics_manager.registry["ClaudeMagics"]
    before = "httpx" in sys.modules
    while magics.idle_imports.busy:
        await asyncio.sleep(0.001)
    after = "httpx" in sys.modules
    told.clear()
    shell.run_cell("%claude --quiet -c none What is it?")
    until = [event for event, _ in told].index("socket.connect")
    asked = [name for event, name in told[:until] if event == "import"]
    ours = [name for name in asked if name.partition(".")[0] in ("claude_magic", "httpx")]
    print("\\n" + json.dumps([ours, before, after]))

asyncio.run(main())
"""


def test_a_first_question_then_imports_nothing_before_it_leaves(tmp_path: Path) -> None:
    with OfflineServer() as server:
        done = subprocess.run(
            [sys.executable, "-c", AFTER],
            env={
                **os.environ,
                "CLAUDE_MAGIC_BASE_URL": server.url,
                "ANTHROPIC_API_KEY": "canary-key-0123456789",
                "JUPYTER_DATA_DIR": str(tmp_path),
                "IPYTHONDIR": str(tmp_path),
            },
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[[], false, true]"


def test_in_a_kernel_it_is_there_without_a_question(running_kernel: Kernel) -> None:
    running_kernel.run(
        "import asyncio, sys\n"
        "magics = get_ipython().magics_manager.registry['ClaudeMagics']\n"
        "while magics.idle_imports.busy: await asyncio.sleep(0.001)"
    )
    assert running_kernel.value("'claude_magic.notebook.notebook' in sys.modules")


def printed(*lines: str) -> str:
    """What a program prints that has a shell."""
    shell = ["from IPython.core.interactiveshell import InteractiveShell", "import asyncio, sys"]
    program = "\n".join([*shell, "shell = InteractiveShell.instance()", *lines])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    return done.stdout


def test_where_no_event_loop_runs_nothing_is_imported() -> None:
    load = "shell.run_line_magic('load_ext', 'claude_magic')"
    assert printed(load, "print('httpx' in sys.modules)") == "False\n"


def test_unloading_ends_it() -> None:
    shown = printed(
        "async def main():",
        "    shell.run_line_magic('load_ext', 'claude_magic')",
        "    shell.run_line_magic('unload_ext', 'claude_magic')",
        "    await asyncio.sleep(0.1)",
        "asyncio.run(main())",
        "print('httpx' in sys.modules)",
    )
    assert shown == "False\n"
