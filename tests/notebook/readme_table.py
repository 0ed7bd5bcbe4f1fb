"""The README with its table of options made from their rows.

To write it: `.venv/bin/python -m tests.notebook.readme_table`
"""

from __future__ import annotations

import re
from pathlib import Path

from claude_magic.notebook.options import markdown_table

README = Path(__file__).parents[2] / "README.md"
_TABLE = re.compile(r"^\| option \| what it does \|\n(?:\|.*\n)+", re.MULTILINE)


def with_table(text: str) -> str:
    """`text` with the table that belongs into it."""
    made, count = _TABLE.subn(lambda _: markdown_table(), text)
    assert count == 1, "the README has one table of options"
    return made


if __name__ == "__main__":
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")
