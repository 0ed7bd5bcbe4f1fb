"""Notebooks that ask for every attack, and one that shows some of them as HTML of its own."""

from __future__ import annotations

import re

import nbformat

from tests.browser.replying_server import Refused, Said
from tests.rendering import attacks

# Two or three outputs a question; front ends hide what is beyond fifty in a cell.
_PER_CELL = 16
# For places where a name, a reason or an error's words are expected.
_TAGS = (
    '<img src="{0}/{1}" onerror=alert(1)><script>alert(1)</script><style>*{{'
    "background: url({0}/{1}-style)}}</style>"
    '<a href="javascript:alert(1)" data-commandlinker-command="x">x</a>'
)


class Hostile:
    """What a server says to "attack 3" and "refusal 1"; `beacon` is the address called out to."""

    def __init__(self, beacon: str) -> None:
        tags = _TAGS.format(beacon, "names")
        hyperlink = f"\x1b]8;;{beacon}/hyperlink\x1b\\text\x1b]8;;\x1b\\"
        texts = [text.replace(attacks.BEACON, f"{beacon}/{n}") for n, text in enumerate(_TEXTS)]
        self.replies = [
            *(Said(f"Attack {n}.\n\n{text}", seconds=0.12) for n, text in enumerate(texts)),
            Said(f"Attack {len(texts)}, in names.", model=tags, stop_reason=tags),
            Said(f"Attack {len(texts) + 1}, in thinking.", thinking=tags),
            Said(f"Attack {len(texts) + 2}, in a call.", call=tags, stop_reason="tool_use"),
        ]
        self.refusals: list[Said | Refused] = [
            Refused(400, kind=tags, message=tags),
            Refused(403, message=f"{tags}{hyperlink}"),
            Refused(404, message=f"model {tags}"),
            Refused(400, body=tags),
            Said("Broken off.", error=tags),
        ]
        self.models = ({"type": "model", "id": tags, "display_name": tags},)
        self.beacon = beacon

    def __call__(self, question: str) -> Said | Refused:
        kind, number = re.findall(r"(attack|refusal) (\d+)", question)[-1]
        return (self.replies if kind == "attack" else self.refusals)[int(number)]

    def notebook(self, server: str) -> nbformat.NotebookNode:
        """Asks the server at this address for everything."""
        ask = "get_ipython().run_line_magic('claude', f'--think show attack {n}')"
        total = len(self.replies)
        return notebook(
            "%load_ext claude_magic",
            f"%claude_config base_url={server} model=test context=none images=none replay=off",
            *(
                f"for n in range({first}, {min(first + _PER_CELL, total)}):\n    {ask}"
                for first in range(0, total, _PER_CELL)
            ),
            "%claude_models",
            "%claude --alone -o reply attack 0",
            "reply",
            *(f"%claude --alone refusal {n}" for n in range(len(self.refusals))),
        )

    def control(self) -> nbformat.NotebookNode:
        """Shows the same kind of text as trusting code does, as HTML and as Markdown."""
        tags = _TAGS.format(self.beacon, "control")
        markdown = f"![x]({self.beacon}/markdown)"
        return notebook(
            "from IPython.display import HTML, Markdown",
            f"HTML({tags!r})",
            f"Markdown({markdown!r})",
            "HTML('<script>confirm(\"dialog\")</script>')",
        )


_TEXTS = tuple(attacks.ALL.values())


def notebook(*sources: str) -> nbformat.NotebookNode:
    """A notebook of code cells that goes on after an error."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for cell in nb.cells:
        cell.metadata["tags"] = ["raises-exception"]
    return nb
