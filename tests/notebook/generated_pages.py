"""Notebooks as people keep them: prose, code, figures, errors, widgets, long outputs, with ids or
without, and what a question below them has to carry."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from tests.kernels import Kernel
from tests.notebook.front_ends import Cell, JupyterLab, Older, VSCode

QUESTION = "%%claude\nWhat stands above?"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
KINDS = {
    "prose": "## Part {0}\n\nWhat {0} is about: $x^2$, `code`, a [link](https://example.org).",
    "raw": "raw {0}",
    "code": "{0} = {1}",
    "print": "print('said by {0}')",
    "value": "{0} = {1}\n('shown by {0}', {0})",
    "long": "print('long {0} ' * 6_000)",
    "figure": f"# {{0}}\nfrom IPython.display import Image, display\n"
    f"import base64\ndisplay(Image(data=base64.b64decode('{PNG}')))",
    "error": "raise ValueError('wrong in {0}')",
    "widget": "import ipywidgets\nipywidgets.IntSlider(description='{0}')",
    "function": "def {0}(x):\n    '''Of {0}.'''\n    return x",
}
MARKDOWN = {"prose": "markdown", "raw": "raw"}
MOMENTS = ("first", "middle", "after", "restarted")
TOKEN = re.compile(r"\bcell_\d+\b")


def page(folder: Path, seed: int) -> JupyterLab:
    """The page of this number: up to 20 cells and a question, in one of the front ends."""
    chance = random.Random(seed)  # noqa: S311 - the same pages each time
    front_end = (JupyterLab, Older, VSCode)[seed % 3]
    made = front_end(folder / "page.ipynb")
    if front_end is Older:
        made.minor = seed % 5
    for number in range(chance.randint(0, 20)):
        kind = chance.choice([*KINDS])
        source = KINDS[kind].format(f"cell_{number}", number)
        made.insert(len(made.cells), source, MARKDOWN.get(kind, "code"))
    made.insert(len(made.cells), QUESTION)
    made.save()
    return made


def asked(made: JupyterLab, moment: str, start: Any) -> tuple[list[Any], list[Cell]]:
    """The blocks of the page's question, and the cells that did not run in the kernel that asked.

    `start` gives a fresh kernel without the extension; the extension is loaded at this `moment`.
    Afterwards a cell is edited and one is put in that does not run.
    """
    cells = [cell for cell in made.cells[:-1] if cell.kind == "code"]
    with start() as kernel:
        made.begin(kernel)
        at = {"first": 0, "middle": len(cells) // 2, "after": len(cells), "restarted": None}[moment]
        for number, cell in enumerate(cells):
            if number == at:
                load(made, kernel, number)
            made.run(kernel, cell, ok=False)
        if at == len(cells):
            load(made, kernel, len(cells))
        made.save()
        if moment != "restarted":
            return edited_and_asked(made, kernel), []
    made.reload()
    made.save()
    with start() as kernel:
        made.begin(kernel)
        load(made, kernel, 0)
        return edited_and_asked(made, kernel), cells


def load(made: JupyterLab, kernel: Kernel, place: int) -> None:
    """Load the extension in a cell of the page, as people do."""
    code = [cell for cell in made.cells if cell.kind == "code"]
    at = made.cells.index(code[min(place, len(code) - 1)])
    made.run(kernel, made.insert(at, "%load_ext claude_magic"))
    made.save()


def edited_and_asked(made: JupyterLab, kernel: Kernel) -> list[Any]:
    """Edit the middle code cell, put one in that does not run, save, and ask."""
    code = [cell for cell in made.cells[:-1] if TOKEN.search(cell.source) and cell.kind == "code"]
    if code:
        code[len(code) // 2].source += "\n# edited"
    made.insert(len(made.cells) - 1, "cell_999 = 'not run'")
    made.save()
    made.run(kernel, made.cells[-1])
    content = kernel.requests()[-1]["messages"][-1]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def carried(blocks: list[Any]) -> list[tuple[str, str, str]]:
    """The cells of a question, from top to bottom: token, tag, state."""
    text = "\n".join(str(block.get("text", "")) for block in blocks)
    found = re.findall(r"<(cell|markdown|raw)-(\w+)([^>]*)>\n(.*?)\n</\1-\2>", text, re.DOTALL)
    states = [re.search(r'state="([^";,]*)', said) for _, _, said, _ in found]
    return [
        (token[0] if (token := TOKEN.findall(source)) else source, tag, state[1] if state else "")
        for (tag, _, _, source), state in zip(found, states, strict=True)
    ]


def expected(made: JupyterLab, elsewhere: list[Cell]) -> list[tuple[str, str, str]]:
    """The same as it has to be."""
    found = []
    for cell in made.cells[:-1]:
        token = TOKEN.search(cell.source)
        if token is None:
            continue  # what loads us
        state = ""
        if cell.source.startswith("cell_999"):
            state = "not run"
        elif cell in elsewhere:
            state = "ran"
        elif cell.source.endswith("# edited"):
            state = "edited since it ran"
        found.append((token[0], "cell" if cell.kind == "code" else cell.kind, state))
    return found
