"""Front ends played by the programs themselves: what each shows of one page, and what it sends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pexpect

from tests.kernels import IPYKERNEL, SECONDS, XEUS_PYTHON, Ran, kernel, without_settings
from tests.notebook.front_ends import JupyterLab, Jupytext, Older, Paired, VSCode

TOLD = "told.json"
# A page by the names of its cells. Each is one line, so that a terminal takes it as it stands.
CELLS = {
    "title": "# Ants and bees",
    "load": "%load_ext claude_magic",
    "code": "ants = 41; print('seen', ants)",
    "figure": "import matplotlib.pyplot as plt; fig = plt.figure(); plt.plot([1, 2]); plt.show()",
    "ask": "%claude What is above?",
    "named": "%claude -c none -i fig What is it?",
    "shape": "from dataclasses import make_dataclass as new; Point = new('Point', [('x', int)])",
    "json": "%claude -c none --json Point -o point Where?",
    "bound": "print('bound', point)",
    "tool": "%claude --tools run_python --approve auto Call run_python(code='print(6 * 7)')",
    "panel": "%claude_chat",
    "help": "%claude?",
    "tell": (
        "import json; from pathlib import Path; server = get_ipython().magics_manager.registry"
        "['ClaudeMagics'].notebook.session.offline; file = Path('" + TOLD + "');"
        " _ = file.write_text(json.dumps([r.json for r in getattr(server, 'requests', ())"
        " if r.path == '/v1/messages']))"
    ),
}
MARKDOWN = frozenset({"title"})


@dataclass(frozen=True)
class Played:
    """What each cell shows, as text and by the cell's name; the bodies of the requests that were
    sent; what the program and its kernel wrote on stderr; what "%claude -m op" completes to.
    """

    shown: Mapping[str, str]
    requests: Sequence[Mapping[str, Any]]
    warned: str
    completed: str

    @property
    def first(self) -> str:
        """The first request's blocks, as text."""
        return json.dumps(self.requests[0]["messages"], ensure_ascii=False)


class FrontEnd:
    """A front end on a folder of its own; each play is a kernel's life, with the page run once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.completed = ""

    def play(self, **environment: str) -> Played:
        """Run the page from top to bottom."""
        (self.folder / TOLD).unlink(missing_ok=True)
        shown, warned = self._run(environment)
        requests = json.loads((self.folder / TOLD).read_text(encoding="utf-8"))
        return Played(shown, requests, warned, self.completed)

    def _run(self, environment: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        """What the cells show, and what is said on stderr."""
        raise NotImplementedError

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        found = without_settings(os.environ) | {
            "CLAUDE_MAGIC_BASE_URL": "offline",
            "IPYTHONDIR": str(self.folder / "ipython"),
            "JUPYTER_DATA_DIR": str(self.folder / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
        }
        return {**found, **more}


class ByMessages(FrontEnd):
    """One that speaks with its kernel as this page does, and says where the page is saved."""

    page: ClassVar[type[JupyterLab]] = JupyterLab
    name: ClassVar[str] = "page.ipynb"
    command: ClassVar[Sequence[str]] = IPYKERNEL
    loads: ClassVar[bool] = True  # by a cell
    tells: ClassVar[bool] = True  # the environment, where the page is saved

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.opened = self.page(folder / self.name)
        self.names = [name for name in CELLS if self.loads or name != "load"]
        for name in self.names:
            kind = "markdown" if name in MARKDOWN else "code"
            self.opened.insert(len(self.opened.cells), CELLS[name], kind)
        self.opened.save()

    def _run(self, environment: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        shown: dict[str, str] = {}
        warned, log = "", self.folder / "kernel.log"
        if self.tells:
            environment = {"JPY_SESSION_NAME": str(self.opened.path), **environment}
        with kernel(self.folder, load=False, command=self.command, log=log, **environment) as here:
            self.opened.begin(here)
            for name, cell in zip(self.names, self.opened.cells, strict=True):
                if cell.kind == "code":
                    ran = self.opened.run(here, cell)
                    shown[name] = _text(ran)
                    warned += _warned(ran)
            reply = here.client.complete("%claude -m op", reply=True, timeout=SECONDS)
            self.completed = " ".join(reply["content"]["matches"])
        self.opened.save()
        self.opened.reload()
        return shown, warned + log.read_text(encoding="utf-8")


class LabMessages(ByMessages):
    """JupyterLab without the lab extension: the file's ids, and its path."""


class OlderFile(ByMessages):
    page = Older


class ByVSCode(ByMessages):
    page = VSCode
    tells = False  # a name in the notebook does


class JupytextScript(ByMessages):
    page = Paired
    name = "page.py"


class JupytextMarkdown(ByMessages):
    page = Jupytext
    name = "page.md"


class XeusPython(ByMessages):
    command = XEUS_PYTHON


class IPythonConfig(ByMessages):
    """A kernel that loads the extension as it starts."""

    loads = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        profile = folder / "ipython" / "profile_default"
        profile.mkdir(parents=True)
        line = 'c.InteractiveShellApp.extensions = ["claude_magic"]\n'
        (profile / "ipython_config.py").write_text(line, encoding="utf-8")


class ByProgram(FrontEnd):
    """One that runs a notebook's file in one go, and writes another."""

    program: ClassVar[str] = ""

    def _run(self, environment: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        page = nbformat.v4.new_notebook()
        page.metadata["kernelspec"] = {
            **{"name": "python3", "display_name": "Python"},
            "language": "python",
        }
        page.cells = [
            (nbformat.v4.new_markdown_cell if name in MARKDOWN else nbformat.v4.new_code_cell)(text)
            for name, text in CELLS.items()
        ]
        nbformat.write(page, self.folder / "page.ipynb")
        done = subprocess.run(
            [sys.executable, "-c", self.program],
            cwd=self.folder,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        ran = json.loads((self.folder / "ran.ipynb").read_text(encoding="utf-8"))
        cells = [cell for cell in ran["cells"] if cell["source"]]
        shown = {
            name: "\n".join(map(_saved_text, cell.get("outputs", ())))
            for name, cell in zip(CELLS, cells, strict=True)
        }
        return shown, done.stderr


class Nbclient(ByProgram):
    program = (
        "import nbformat; from nbclient import NotebookClient; "
        "page = nbformat.read('page.ipynb', 4); NotebookClient(page).execute(); "
        "nbformat.write(page, 'ran.ipynb')"
    )


class Papermill(ByProgram):
    program = (
        "import papermill; "
        "papermill.execute_notebook('page.ipynb', 'ran.ipynb', progress_bar=False)"
    )


class Terminal(FrontEnd):
    """IPython, or a program like it, in a terminal of its own."""

    program: ClassVar[Sequence[str]] = ("IPython", "--no-banner", "--colors=nocolor")

    def opened(self, *options: str, **environment: str) -> pexpect.spawn[str]:
        """The program, before its first prompt."""
        env = {**environment, "TERM": "xterm", "PAGER": "cat", "PROMPT_TOOLKIT_NO_CPR": "1"}
        env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the first cell of any session warns
        return pexpect.spawn(
            sys.executable,
            ["-m", *self.program, *options],
            env=self._environment(env),
            cwd=str(self.folder),
            timeout=60,
            dimensions=(200, 1000),
            encoding="utf-8",
        )

    def _run(self, environment: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
        shown: dict[str, str] = {}
        terminal = self.opened("--simple-prompt", **environment)
        terminal.expect(r"In \[\d+\]: ")
        for name, line in CELLS.items():
            if name in MARKDOWN:
                continue
            terminal.sendline(line)
            terminal.expect(r"In \[\d+\]: ")
            _echo, _, said = str(terminal.before).partition("\n")
            shown[name] = said.replace("\r", "")
        terminal.sendline("exit()")
        terminal.expect(pexpect.EOF)
        return shown, shown["load"].strip()


class JupyterConsole(Terminal):
    program = ("jupyter_console",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        config = folder / "config"
        config.mkdir()
        shell = "c.ZMQTerminalInteractiveShell"  # it would open a window for each figure
        lines = [f"{shell}.image_handler = 'stream'", f"{shell}.stream_image_handler = ['true']"]
        (config / "jupyter_console_config.py").write_text("\n".join(lines), encoding="utf-8")


def _text(ran: Ran) -> str:
    pages = [page["data"]["text/plain"] for page in ran.reply["payload"] if "data" in page]
    return "\n".join([ran.printed, ran.shown(), *map(_plain, pages)])


def _plain(text: str) -> str:
    """Without colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def _warned(ran: Ran) -> str:
    return "".join(
        m["content"]["text"]
        for m in ran.messages
        if m["msg_type"] == "stream" and m["content"]["name"] == "stderr"
    )


def _saved_text(output: Mapping[str, Any]) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)


# By the name of its row in docs/front-ends.md.
PROGRAMS: Mapping[str, type[FrontEnd]] = {
    "JupyterLab without its extension": LabMessages,
    "a file of nbformat 4.4": OlderFile,
    "VS Code": ByVSCode,
    "jupytext, a paired `.py`": JupytextScript,
    "jupytext, a `.md`": JupytextMarkdown,
    "xeus-python": XeusPython,
    "loaded by `ipython_config.py`": IPythonConfig,
    "papermill": Papermill,
    "nbclient": Nbclient,
    "`jupyter console`": JupyterConsole,
    "IPython in a terminal": Terminal,
}
