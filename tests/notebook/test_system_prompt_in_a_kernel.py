"""What the model is told of where it answers: always first, always the same, and not everywhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.settings import NOTEBOOK_PROMPT
from tests.kernels import Kernel, kernel

OURS = NOTEBOOK_PROMPT


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel(tmp_path_factory.mktemp("prompt")) as started:
        yield started


def test_it_is_a_few_lines() -> None:
    assert len(OURS.split()) <= 120


# What is said with %claude_config, on the line, and what is sent.
SYSTEM: Mapping[str, tuple[str, str, str | None]] = {
    "nothing said": ("default", "", OURS),
    "a question adds to it": ("default", "-s 'Be brief.'", f"{OURS}\n\nBe brief."),
    "a question adds nothing": ("default", "-s ''", OURS),
    "a setting replaces it": ("'Be long.'", "", "Be long."),
    "a question under a setting": ("'Be long.'", "-s 'Be brief.'", "Be brief."),
    "an empty setting turns it off": ("", "", None),
    "a question under an empty setting": ("", "-s 'Be brief.'", "Be brief."),
}


@pytest.mark.met("P10")
@pytest.mark.parametrize("case", SYSTEM)
def test_it_stands_first_unless_a_setting_says_otherwise(own: Kernel, case: str) -> None:
    setting, option, sent = SYSTEM[case]
    own.run(f"%claude_config system={setting}")
    own.run(f"%claude --fresh --alone -c none {option} Hello")
    assert own.requests()[-1].get("system") == sent


def test_it_is_the_same_whatever_is_asked(own: Kernel) -> None:
    """Else a server would read the whole conversation anew."""
    own.run("%claude_config system=default")
    count = len(own.requests())
    own.run("x = 1")
    own.run("%claude --fresh What is x?")
    own.run("%claude --fresh -c none -m opus And y?")
    own.run("import claude_magic")
    own.run("claude_magic.ask('And z?')")
    assert [r["system"] for r in own.requests()[count:]] == [OURS] * 3


def test_it_is_shown_before_anything_is_sent_and_among_the_settings(own: Kernel) -> None:
    own.run("%claude_config system=default")
    assert f"--- system\n{OURS}" in own.run("%claude --dry-run Hello").shown()
    assert "You answer inside a Jupyter notebook" in own.run("%claude_config").shown()
    assert own.run("%claude_config system=").shown().count("-") >= 1
    assert "--- system" not in own.run("%claude --dry-run Hello").shown()


def test_a_caption_is_made_without_it(own: Kernel) -> None:
    own.run("%claude_config system=default")
    own.run("from IPython.display import Image, display")
    own.run("import io; from PIL import Image as P; b = io.BytesIO()")
    own.run("P.new('RGB', (64, 48), 'red').save(b, 'PNG'); display(Image(b.getvalue()))")
    own.run("%claude_caption")
    assert "Jupyter notebook" not in own.requests()[-1]["system"]


def test_a_script_says_nothing_of_a_notebook(tmp_path: Path) -> None:
    code = (
        "import claude_magic as cm\n"
        "with cm.Conversation(base_url='offline') as talk:\n"
        "    talk.ask('Hello')\n"
        "    talk.ask('Hello again', system='Be brief.')\n"
        "    bodies = [r.json for r in talk._script.session.offline.requests if r.json]\n"
        "print([body.get('system') for body in bodies])\n"
    )
    found: Any = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[None, 'Be brief.']"
