"""The conversation leaves the notebook: written out, recorded to be answered from, counted.

Real kernels, with cells that have ids.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from claude_magic.offline import OfflineServer
from tests.notebook.saved_page import (
    Page,
    ask,
    bundles,
    history,
    prompts,
    question,
    requests,
    told,
)

# --- Writing out.


def test_the_conversation_is_written_in_the_form_that_the_name_says(
    saved: Page, tmp_path: Path
) -> None:
    with saved.kernel() as first:
        saved.run(first, "B", "A")
        assert "2 turns written" in first.run("%claude_export talk.md").shown()
        document = (tmp_path / "talk.md").read_text()
        assert document.index("> Question A") < document.index("> Question B"), "as on the page"
        first.run("%claude_export talk.json")
        body = json.loads((tmp_path / "talk.json").read_text())
        assert prompts(body) == ["Question A", "Question B"]
        ran = first.run("%claude_export talk.md", ok=False)
        assert ran.error.startswith("InputError: talk.md is there already")
        assert (tmp_path / "talk.md").read_text() == document
        first.run("%claude_export talk.md --force")
        assert "InputError" in first.run("%claude_export talk.doc", ok=False).error


def test_the_script_has_the_conversation_again(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            saved.run(first)
            first.run("%claude_export talk.py")
        before = [r.json["messages"] for r in server.requests]
        script = [sys.executable, str(tmp_path / "talk.py")]
        environment = os.environ | {"ANTHROPIC_API_KEY": "sk-ant-for-the-offline-server"}
        ran = subprocess.run(script, env=environment, capture_output=True, text=True, check=True)
        again = [r.json["messages"] for r in server.requests[len(before) :]]
    assert [prompts({"messages": m}) for m in again] == [prompts({"messages": m}) for m in before]
    assert ran.stdout.count("> Question") == 3


# --- A recording that travels: CI has no key, no server and no record of its own.


def test_a_recording_answers_where_nothing_else_can(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server:
        with saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
            before = saved.run_all(first)
            assert "3 turns recorded" in first.run("%claude_export --record talk.jsonl").shown()
        asked = len(server.requests)
        with saved.kernel(
            JUPYTER_DATA_DIR=str(tmp_path / "elsewhere"),
            CLAUDE_MAGIC_BASE_URL=server.url,
            CLAUDE_MAGIC_RECORD=str(tmp_path / "talk.jsonl"),
            CLAUDE_MAGIC_REPLAY="only",
        ) as second:
            after = saved.run_all(second)
            ran = ask(second, "Never asked", "D", ok=False)
        assert len(server.requests) == asked
    for cell, shown in after.items():
        text, footer = told(bundles(shown))
        assert (text, footer) == (told(bundles(before[cell]))[0], "from the record · free")
    assert ran.error.startswith("NotRecordedError: Not in the record")
    assert "\n" not in ran.error


def test_a_recording_answers_a_question_whose_context_changed_and_says_so(
    saved: Page, tmp_path: Path
) -> None:
    saved.cells = {"0": "height = 3", **saved.cells}
    saved.save()
    with OfflineServer() as server, saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
        saved.run(first, "0", "A")
        first.run("%claude_export --record talk.jsonl")
    with saved.kernel(
        JUPYTER_DATA_DIR=str(tmp_path / "elsewhere"),
        CLAUDE_MAGIC_BASE_URL=server.url,
        CLAUDE_MAGIC_RECORD=str(tmp_path / "talk.jsonl"),
        CLAUDE_MAGIC_REPLAY="only",
    ) as second:
        second.run("height = 4", cell="0")
        shown = saved.run(second, "A").shown()
        assert "> Question A" in shown
        assert "has changed since: the reply may not fit" in shown
        ran = second.run(question("Question A", "--max-tokens 99"), cell="A", ok=False)
        assert ran.error.startswith("NotRecordedError: ")


def test_what_is_asked_is_added_to_the_recording(saved: Page, tmp_path: Path) -> None:
    talk = tmp_path / "talk.jsonl"
    with saved.kernel(CLAUDE_MAGIC_RECORD=str(talk)) as first:
        saved.run(first, "A", "B")
        saved.run(first, "A")
    assert len(talk.read_text().splitlines()) == 2
    with saved.kernel(
        CLAUDE_MAGIC_RECORD=str(talk), JUPYTER_DATA_DIR=str(tmp_path / "elsewhere")
    ) as second:
        saved.run(second)
        assert [prompts(r)[-1] for r in requests(second)] == ["Question C"]
    assert len(talk.read_text().splitlines()) == 3


# --- Looking up.


def test_usage_shows_this_notebook_and_all_of_them(saved: Page, tmp_path: Path) -> None:
    with OfflineServer() as server, saved.kernel(CLAUDE_MAGIC_BASE_URL=server.url) as first:
        saved.run(first, "A", "B")
        shown = first.run("%claude_usage").shown().splitlines()
        assert shown[1].split()[:3] == ["this", "notebook", "2"]
        assert "claude-sonnet-5-5" in "".join(shown)
        assert "Question B" in first.run("%claude_usage --turns").shown()
    other = Page(tmp_path / "other.ipynb", "X")
    with other.kernel() as second:
        other.run(second)
        shown = second.run("%claude_usage").shown().splitlines()
        assert shown[1].split()[:3] == ["this", "notebook", "1"]
        assert shown[2].split()[:3] == ["all", "notebooks", "3"]
        assert "page.ipynb" in history(second, "--all")
