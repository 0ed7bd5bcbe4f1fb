"""What Python code gives as a text is a path or an address: it may be data, and is never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.kernels import Kernel, kernel

CODE = "open('pwned.txt', 'w').write('x')"

# What is given to `claude_magic`, by what it is given as.
TEXTS = {
    "an image": f"ask('Hi', images={CODE!r})",
    "one of several images": f"ask('Hi', images=['red.png', {CODE!r}])",
    "an image of a tuple": f"ask('Hi', images=({CODE!r},))",
    "a file": f"ask('Hi', files={CODE!r})",
    "one of several files": f"ask('Hi', files=[{CODE!r}, 'red.png'])",
    "a shape": f"ask('Hi', json={CODE!r})",
    "a tool": f"ask('Hi', tools={CODE!r})",
    "one of several tools": f"ask('Hi', tools=[{CODE!r}])",
    "images to caption": f"caption([{CODE!r}, 'red.png'], progress=False)",
    "one image to caption": f"caption({CODE!r}, progress=False)",
    "a column to caption": f"caption(pandas.Series([{CODE!r}]), progress=False)",
    "a schema to caption by": f"caption('red.png', schema={CODE!r}, progress=False)",
    "the name of a variable as an image": "ask('Hi', images='secret')",
    "the name of a variable as a file": "ask('Hi', files='secret')",
    "the name of a variable as a shape": "ask('Hi', json='secret')",
    "text in braces": "ask('Hi {{ ' + code + ' }}', fresh=True)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("texts")
    for name in ("red.png", "7", "#tag", "last"):
        Image.new("RGB", (60, 40), "red").save(made / name, format="PNG")
    return made


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Kernel]:
    with kernel(folder) as started:
        started.run(
            "import claude_magic, pandas\n"
            "from pathlib import Path\n"
            f"code = {CODE!r}\n"
            "class Secret:\n"
            "    def __getattr__(self, name): Path('pwned.txt').touch()\n"
            "secret = Secret()\n",
            cell="defined",
        )
        yield started


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_from_python_is_never_evaluated(running: Kernel, folder: Path, case: str) -> None:
    running.run(f"claude_magic.{TEXTS[case]}", cell="a", ok=False)
    assert not (folder / "pwned.txt").exists()


@pytest.mark.parametrize("name", ["red.png", "7", "#tag", "last"])
def test_a_text_from_python_is_first_of_all_the_path_of_a_file(running: Kernel, name: str) -> None:
    shown = running.run(f"print(claude_magic.ask('What is it?', images={name!r}))", cell="b")
    assert "PNG, 60 x 40 pixels, all red" in shown.printed


def test_the_words_after_an_option_are_the_users_own_and_name_variables(running: Kernel) -> None:
    running.run("from PIL import Image; small = Image.new('RGB', (30, 20), 'blue')", cell="c")
    shown = running.run("%%claude -c none -i small\nWhat is it?", cell="d").shown("text/markdown")
    assert "30 x 20 pixels, all blue" in shown
