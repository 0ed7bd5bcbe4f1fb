"""What a real editor saves is what was typed, whatever the characters and however many."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.messages.models import MODELS
from tests.computer.calls_as_sent import call
from tests.computer.recorder import Recorder

EDITOR = "l3afpad"
TEXTS = {
    "ASCII": "".join(map(chr, range(0x20, 0x7F))),
    "lines and tabs": "one\n\ttwo\n\n    four\n",
    "Latin": "àéîõü ÀÉÎÕÜ ß ñ ç ø Å œ Ž ł ğ İ ı ¿¡ «» „“ … – — € £ ½ ² µ °C",
    "the other case of a letter that has no key": "é É é É ж Ж ж Ж",
    "Greek and Cyrillic": "Ἀθήνα λόγος Ω≈3.14 Ёжик ѣ Київ",
    "right to left": "שלום مرحبا ١٢٣",
    "Chinese, Japanese, Korean": "中文測試 日本語カタカナ 한국어",
    "mathematics": "∑∫√∞≠≤≥±×÷∂∇ ∀x∈ℝ ∃y: x²+y²=1 → ⇒",
    "signs outside the basic plane": "🧬🔬😀 𝒜𝔹 👩🏽‍🔬 🇩🇰",
    "combining marks": "e\u0301 a\u030a n\u0303",
    "one character over and over": "éééééééééé" * 3,
}


@pytest.fixture
def workplace(installed: None) -> Iterator[Workplace]:
    if shutil.which(EDITOR) is None:
        pytest.skip(f"no {EDITOR}: tests/install-desktop installs it")
    made = Workplace()
    yield made
    made.close()


def saved(workplace: Workplace, file: Path, *texts: str) -> str:
    """What the editor saves after typing the texts, one a call."""
    workplace.app = shlex.join([EDITOR, str(file)])
    tool = ComputerTool(workplace)
    tool.definitions(MODELS["claude-sonnet-5-5"], anthropic=True)
    calls = [call("type", text=text) for text in texts]
    results = list(tool.run([*calls, call("key", text="ctrl+s"), call("screenshot")]))
    assert not any(result.get("is_error") for result in results)
    Recorder(file).until(file.exists)
    return file.read_text(encoding="utf-8")


def test_every_kind_of_character_arrives(workplace: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "characters.txt"
    lines = [f"{name}: {text}\n" for name, text in TEXTS.items()]
    written = saved(workplace, file, *lines)
    assert written.split("\n") == "".join(lines).split("\n")


def test_more_different_characters_than_there_are_keys_arrive(
    workplace: Workplace, tmp_path: Path
) -> None:
    # Far apart, so that none comes again: 600 of the characters from U+4E00 on, in a fixed order.
    text = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(600))
    assert saved(workplace, tmp_path / "many.txt", text) == text
