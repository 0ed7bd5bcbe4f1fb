"""The questions that the kept records answer: those of a script, and the cells of a notebook."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from claude_magic import Conversation
from tests.kernels import kernel

DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAYCAIAAAAUMWhjAAAAJElEQVR42mM4oaFBU8QwasGoBaMWjFowasGoBaMW"
    "jFowNCwAACkKSC6e3KVSAAAAAElFTkSuQmCC"
)
ANT = "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"
NOTES = "The nest stands under the oak. It has two entrances. Nobody has seen the queen."


class Insect(BaseModel):
    """An insect, as a guide lists it."""

    common_name: str
    latin_name: str
    legs: int


def length(word: str, times: int = 1) -> int:
    """How long a word is.

    Args:
        word: The word.
        times: How often it stands there.
    """
    return len(word) * times


QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("Hello, Claude", {}),
    "several turns": ("Can you describe LLMs to me?", {"max_tokens": 300}),
    "an image": ("What is in the above image?", {"images": base64.b64decode(DOT)}),
    "an address": ("And in this one?", {"images": "https://example.org/ant.jpg"}),
    "a document that is cited": (
        "Where is the nest?",
        {"files": {"Field notes": NOTES}, "cite": True},
    ),
    "prefill": (
        ANT,
        {"model": "claude-sonnet-4-5", "prefill": "The answer is (", "max_tokens": 1},
    ),
    "prefill that is a choice": (ANT, {"prefill": "The answer is (", "max_tokens": 64}),
    "a shape": ("Which insect is known for its anthills?", {"json": Insect}),
    "a tool": (
        "How long is it? Ask length for `Formicidae`.",
        {"tools": length, "approve": "auto"},
    ),
    "a stop sequence": ("Count the legs of an ant.", {"stop": "offline", "system": "Be brief."}),
    "thinking": ("Why six legs?", {"effort": "high", "think": "show"}),
    "alone": ("Name an ant", {"alone": True}),
}

CELLS = {
    "numbers": (
        "import pandas as pd\n\n"
        'frame = pd.DataFrame({"dose": [1, 2, 4], "reading": [0.5, 1.5, 2.5]})\n'
        'print("three doses")\n'
        "frame"
    ),
    "figure": (
        "from base64 import b64decode\n\n"
        "from IPython.display import Image\n\n"
        f'dot = Image(b64decode("{DOT}"))\n'
        "dot"
    ),
    "object": "object()",
    "first": "%%claude -o first\nWhat do these cells show?",
    "options": (
        '%%claude -s "Be brief." --max-tokens 400 --effort low --stop offline -o options\n'
        "There are {{ len(frame) }} doses. Why?"
    ),
    "image": "%%claude -i dot -c none -o image\nWhat is in the above image?",
    "given": '%%claude --reply "It is red." -c none\nWhich colour is it?',
    "cut": "%%claude --max-tokens 60 -c none -o cut\nGo on for a while.",
    "continued": "%claude_continue",
    "file": "%%claude -f notes.txt --cite -o file\nWhere is the nest?",
    "prefill": (
        '%%claude -m claude-sonnet-4-5 --prefill "The answer is (" --max-tokens 1 -o prefill\n'
        f"{ANT}"
    ),
    "shape": (
        "from pydantic import BaseModel\n\n\n"
        "class Insect(BaseModel):\n"
        "    common_name: str\n"
        "    legs: int"
    ),
    "json": "%%claude --json Insect -o json\nWhich insect is known for its anthills?",
    "function": (
        "def length(word: str) -> int:\n"
        '    """How long a word is."""\n'
        '    print("counted", word)\n'
        "    return len(word)"
    ),
    "tool": (
        "%%claude --tools length --approve auto -o tool\n"
        "How long is it? Ask length for `Formicidae`."
    ),
    "twice": "%claude -c none -o twice One more?\n%claude -c none -o again One more?",
    "alone": "%%claude --alone -c none -o alone\nName an ant",
}
BOUND = [
    "first",
    "options",
    "image",
    "cut",
    "file",
    "prefill",
    "json",
    "tool",
    "twice",
    "again",
    "alone",
]
"""The names that the notebook's cells bind replies to."""


def asked(name: str, **settings: object) -> list[str]:
    """The text of each reply to the questions of the script, which each see those before them.

    `name` keeps the conversation on disk; "" does not.
    """
    with Conversation(name, base_url="offline", **settings) as conversation:
        return [conversation.ask(prompt, **said).text for prompt, said in QUESTIONS.values()]


def run(notebook: Path, *, then: str = "", **environment: str) -> list[str]:
    """The text of each reply to the questions of a saved notebook, of a real kernel that runs it.

    The kernel works in the notebook's folder, and runs `then` at the end, which is no cell.
    """
    (notebook.parent / "notes.txt").write_text(NOTES, encoding="utf-8")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    named = {"JPY_SESSION_NAME": str(notebook), **environment}
    with kernel(notebook.parent, **named) as started:
        for cell in cells:
            started.run(cell["source"], cell=cell["id"])
        found: list[str] = started.value(f"[str(reply) for reply in ({', '.join(BOUND)})]")
        if then:
            started.run(then)
        return found
