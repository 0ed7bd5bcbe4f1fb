"""Questions that are asked at once, from threads and from forked children, as the first use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.scripted_server import ScriptedServer, says
from tests.kernels import Kernel, kernel, without_settings
from tests.notebook.saved_page import Page

# A reply costs $0.0102 and so does a question that is under way: four are within the budget.
BUDGET, WITHIN = 0.05, 4
COSTLY = {"input_tokens": 100, "output_tokens": 1_000}

ASKED = """
import claude_magic, multiprocessing
from concurrent.futures import ThreadPoolExecutor

def asked(prompt):
    try:
        return ASK(prompt).text
    except Exception as error:
        return type(error).__name__

def in_threads(count):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(asked, [f"Question {n}" for n in range(count)]))

def in_a_forked_pool(count):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        return pool.map(asked, [f"Question {n}" for n in range(count)])
"""
WAYS = ["in_threads", "in_a_forked_pool"]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(says("Yes.", usage=COSTLY)) as started:
        yield started


def environment(folder: Path, server: ScriptedServer) -> dict[str, str]:
    return {
        **without_settings(os.environ),
        "CLAUDE_MAGIC_BASE_URL": server.url,
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def script(folder: Path, server: ScriptedServer, code: str, **more: str) -> list[str]:
    """The lines that a Python script prints."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED + code],
        check=False,
        cwd=folder,
        env={**environment(folder, server), **more},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class TestInAScript:
    @pytest.mark.parametrize("way", WAYS)
    def test_all_that_was_asked_in_a_conversation_is_kept(
        self, tmp_path: Path, server: ScriptedServer, way: str
    ) -> None:
        talk = "c = claude_magic.Conversation('talk')\nASK = c.ask\n"
        (said,) = script(tmp_path, server, f"{talk}print({way}(8).count('Yes.'))")
        assert said == "8"
        prompts, last = script(
            tmp_path,
            server,
            f"{talk}print(sorted(t.prompt for t in c.turns), c.ask('And?').text)\n"
            "print(len(c.turns[-1].saw))",
        )
        assert prompts == f"{[f'Question {n}' for n in range(8)]} Yes."
        assert last == "8", "none of them took the place of another"

    @pytest.mark.parametrize("way", WAYS)
    def test_a_conversation_keeps_within_its_budget(
        self, tmp_path: Path, server: ScriptedServer, way: str
    ) -> None:
        code = (
            f"c = claude_magic.Conversation(budget={BUDGET})\nASK = c.ask\n"
            f"said = {way}(16)\n"
            "print(said.count('Yes.'), said.count('BudgetError'), c.spent)"
        )
        (said,) = script(tmp_path, server, code)
        answered, refused, spent = said.split()
        assert (int(answered), int(refused)) == (WITHIN, 16 - WITHIN)
        assert float(spent) == pytest.approx(WITHIN * 0.0102)
        assert len(server.bodies) == WITHIN

    @pytest.mark.parametrize("way", WAYS)
    def test_questions_that_each_stand_alone_share_one_budget(
        self, tmp_path: Path, server: ScriptedServer, way: str
    ) -> None:
        code = f"ASK = lambda prompt: claude_magic.ask(prompt)\nprint({way}(16).count('Yes.'))"
        (said,) = script(tmp_path, server, code, CLAUDE_MAGIC_BUDGET=str(BUDGET))
        assert int(said) == len(server.bodies) == WITHIN


SESSION = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session"
COUNTING = f"sorted(t.prompt for t in {SESSION}.turns if t.id not in {SESSION}.history.retired)"
ALL = [f"Question {n}" for n in range(8)]
ASK = "ASK = claude_magic.ask"


def asks(running: Kernel, way: str, count: int, cell: str | None) -> Any:
    running.run(f"{ASKED}\n{ASK}", cell=cell and "defines")
    running.run(f"said = {way}({count})", cell=cell)
    return running.value("said")


class TestInAKernel:
    @pytest.mark.parametrize("cell", ["asks", None], ids=["with cell ids", "without"])
    @pytest.mark.parametrize("way", WAYS)
    def test_all_that_was_asked_is_kept_and_back_after_a_restart(
        self, tmp_path: Path, server: ScriptedServer, way: str, cell: str | None
    ) -> None:
        names = environment(tmp_path, server)
        if cell is not None:
            page = Page(tmp_path / "page.ipynb", defines="", asks="", below="")
            names["JPY_SESSION_NAME"] = str(page.path)
        with kernel(tmp_path, **names) as first:
            assert asks(first, way, 8, cell) == ["Yes."] * 8
            if way == "in_threads":
                assert first.value(COUNTING) == ALL
                first.run("%claude And?", cell=cell and "below")
                assert len(server.bodies[-1]["messages"]) == 17
        with kernel(tmp_path, **names) as second:
            if cell is None:
                second.run("%claude_history --resume")
            assert [p for p in second.value(COUNTING) if p != "And?"] == ALL

    @pytest.mark.parametrize("way", WAYS)
    def test_the_kernel_keeps_within_its_budget(
        self, tmp_path: Path, server: ScriptedServer, way: str
    ) -> None:
        with kernel(tmp_path, **environment(tmp_path, server)) as running:
            running.run(f"%claude_config budget={BUDGET}", cell="set")
            said = asks(running, way, 16, "asks")
            assert said.count("Yes.") == WITHIN
            assert running.value(f"{SESSION}.spending.spent") == pytest.approx(WITHIN * 0.0102)
        assert len(server.bodies) == WITHIN
