"""A whole dialogue: question, calls, results and answer over HTTP, and a real editor in the end."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.conversation.asking.plan import pruned
from claude_magic.messages.models import Model
from claude_magic.offline import OfflineServer
from tests.computer.calls_as_sent import FORMS
from tests.computer.recorder import Recorder

EDITOR = "l3afpad"
TYPED = "Gel 7: 42 % → ☃"


@pytest.fixture
def workplace(installed: None, tmp_path: Path) -> Iterator[Workplace]:
    if shutil.which(EDITOR) is None:
        pytest.skip(f"no {EDITOR}: tests/install-desktop installs it")
    made = Workplace(app=shlex.join([EDITOR, str(tmp_path / "notes.txt")]))
    yield made
    made.close()


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
def test_a_question_for_the_desktop_ends_in_the_file_that_the_editor_saved(
    workplace: Workplace, model: Model, tmp_path: Path
) -> None:
    tool = ComputerTool(workplace)
    question = (
        f"On the desktop click at 300, 200, type `{TYPED}`, drag from 35, 80 to 200, 80, "
        "press `ctrl+a`, scroll down by 2 at 300, 200, wait 1, zoom into 0, 0 to 640, 400, "
        "and press `ctrl+s`."
    )
    if model.computer == "computer_20250124":
        question = question.replace("zoom into 0, 0 to 640, 400, ", "")  # it has none
    messages: list[Any] = [{"role": "user", "content": question}]
    with (
        OfflineServer() as server,
        anthropic.Anthropic(base_url=server.url, api_key="offline", max_retries=0) as client,
    ):
        while True:
            reply = client.beta.messages.create(
                model=model.id,
                max_tokens=2000,
                tools=tool.definitions(model, anthropic=True),  # type: ignore[arg-type]
                betas=list(tool.betas(model)),
                messages=list(pruned(messages)),
            ).to_dict()
            content: list[Any] = reply["content"]  # type: ignore[assignment]
            calls = [block for block in content if block["type"] == "tool_use"]
            if not calls:
                break
            assert all(tool.takes(call) for call in calls)
            messages += [
                {"role": "assistant", "content": content},
                {"role": "user", "content": list(tool.run(calls))},
            ]
    said = content[-1]["text"]
    assert "an error" not in said
    assert "1. `screenshot`: PNG, 1280 x 800 pixels" in said
    saved = tmp_path / "notes.txt"
    Recorder(saved).until(saved.exists)
    assert saved.read_text(encoding="utf-8") == TYPED
    assert [step.line for step in tool.steps][:3] == [
        "screenshot",
        "left_click at 300, 200",
        f"type: {TYPED!r}",
    ]
    assert all(step.picture for step in tool.steps)
