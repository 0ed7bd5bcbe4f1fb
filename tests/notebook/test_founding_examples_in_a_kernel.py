"""The examples that the Messages API is taught with leave key for key as they are documented.

Each is asked by a cell and from Python. `STREAM` is what we add; a question that others may follow
is also `CACHED`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.kernels import Kernel, kernel

STREAM = {"stream": True}
CACHED = {"cache_control": {"type": "ephemeral"}}
LINE = "%%claude -m claude-sonnet-4-5 -c none"
CALL = 'cm.ask(model="claude-sonnet-4-5", '
ANT = "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"
ADDRESS = "https://upload.wikimedia.org/wikipedia/commons/a/a7/Camponotus_flavomarginatus_ant.jpg"
PICTURE = {"type": "text", "text": "What is in the above image?"}
HELLO = {"role": "user", "content": "Hello, Claude"}


def of_image(source: dict[str, str]) -> dict[str, Any]:
    content = [{"type": "image", "source": source}, PICTURE]
    return {"max_tokens": 1024, "messages": [{"role": "user", "content": content}]}


# By name: what asks it, a cell and a call; the documented body beside its model; what is added.
EXAMPLES: dict[str, tuple[list[str], dict[str, Any], dict[str, Any]]] = {
    "basic request": (
        [
            f"{LINE} --max-tokens 1024 --alone\nHello, Claude",
            f'{CALL}max_tokens=1024, alone=True, prompt="Hello, Claude")',
        ],
        {"max_tokens": 1024, "messages": [HELLO]},
        STREAM,
    ),
    "several turns": (
        [
            f"{LINE} --max-tokens 1024\nCan you describe LLMs to me?",
            f'{CALL}max_tokens=1024, prompt="Can you describe LLMs to me?")',
        ],
        {
            "max_tokens": 1024,
            "messages": [
                HELLO,
                {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": "Can you describe LLMs to me?"},
            ],
        },
        STREAM | CACHED,
    ),
    "prefill": (
        [
            f'{LINE} --max-tokens 1 --prefill "The answer is (" --alone\n{ANT}',
            f'{CALL}max_tokens=1, prefill="The answer is (", alone=True, prompt="{ANT}")',
        ],
        {
            "max_tokens": 1,
            "messages": [
                {"role": "user", "content": ANT},
                {"role": "assistant", "content": "The answer is ("},
            ],
        },
        STREAM,
    ),
    "vision by base64": (
        [
            f"{LINE} --max-tokens 1024 -i ant.jpg --alone\n{PICTURE['text']}",
            f'{CALL}max_tokens=1024, images="ant.jpg", alone=True, prompt="{PICTURE["text"]}")',
        ],
        of_image({"type": "base64", "media_type": "image/jpeg", "data": "ant.jpg"}),
        STREAM,
    ),
    "vision by URL": (
        [
            f"{LINE} --max-tokens 1024 -i {ADDRESS} --alone\n{PICTURE['text']}",
            f'{CALL}max_tokens=1024, images="{ADDRESS}", alone=True, prompt="{PICTURE["text"]}")',
        ],
        of_image({"type": "url", "url": ADDRESS}),
        STREAM,
    ),
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, str]]:
    """A kernel beside ant.jpg, and that picture as base64."""
    folder: Path = tmp_path_factory.mktemp("founding")
    picture = folder / "ant.jpg"
    Image.new("RGB", (48, 24), "sienna").save(picture)
    with kernel(folder) as started:
        started.run("import claude_magic as cm")
        started.run("%claude_config system=")
        yield started, base64.b64encode(picture.read_bytes()).decode()


@pytest.mark.parametrize("face", ["cell", "call"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_founding_example_leaves_as_documented(
    asking: tuple[Kernel, str], example: str, face: str
) -> None:
    started, picture = asking
    sources, documented, added = EXAMPLES[example]
    started.run("%claude_reset")
    started.run('%%claude --reply "Hello!" -c none\nHello, Claude')
    started.run(sources[face == "call"])
    sent = started.requests()[-1]
    for message in sent["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else []:
            source = block.get("source", {})
            if source.get("data") == picture:
                source["data"] = "ant.jpg"
    assert sent == {"model": "claude-sonnet-4-5", **documented, **added}
