"""Makes the kept records anew, of whichever version is installed:

    python -m tests.kept.make FOLDER

Those beside this file were made by the version before 1.0 and stay as they are: they are to be
answered from by every later one. It ran where the host has a name that says nothing, and FOLDER
was /tmp/kept: the store holds both.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from tests.kept.questions import CELLS, asked, run
from tests.notebook.saved_page import Page, conversations


def make(folder: Path) -> None:
    """Fill `folder` with a store and a recording of the script and of the notebook."""
    (folder / "notebook").mkdir(parents=True)
    os.environ["JUPYTER_DATA_DIR"] = str(folder / "script")
    replies = {"script": asked("kept", record=folder / "script.jsonl")}
    page = Page(folder / "notebook" / "page.ipynb", **CELLS)
    recording = folder / "notebook.jsonl"
    replies["notebook"] = run(page.path, then=f"%claude_export --record {recording}")
    (page.conversation,) = conversations(page.path.parent)
    page.save()
    shutil.rmtree(page.path.parent / "ipython")
    (folder / "replies.json").write_text(json.dumps(replies, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
