"""README and docs: every block runs as it stands, top to bottom, and what they point to is there.

A block that cannot run here has a comment before it that no reader sees: `<!-- sketch: why -->`.
`<!-- script -->` marks Python that runs in a process of its own, without IPython.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest

from tests.kernels import Kernel, Ran, kernel, without_settings

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/captions-at-scale.md", "docs/computer.md")
LINKING = (
    *PAGES,
    "docs/architecture.md",
    "docs/figures.md",
    "docs/front-ends.md",
    "CONTRIBUTING.md",
)

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>sketch|script)(?:: (?P<why>.+))? -->\n)?"
    r"^```(?P<kind>\w*)\n(?P<text>.*?)\n```$",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, the line that it starts at, and what its mark says."""

    page: str
    line: int
    kind: str
    text: str
    mark: str
    why: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    whole = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            whole.count("\n", 0, found.start("kind")) + 1,
            found["kind"],
            found["text"],
            found["mark"] or "",
            found["why"] or "",
        )
        for found in _BLOCK.finditer(whole)
    ]


def cells(page: str) -> list[Block]:
    """Those that a reader puts into a notebook's cells."""
    return [b for b in blocks(page) if b.kind == "python" and not b.mark]


def commands(page: str) -> Iterator[tuple[Block, str]]:
    """The lines of a page that a reader types in a shell."""
    for block in blocks(page):
        if block.kind == "console" and block.mark != "sketch":
            for line in block.text.splitlines():
                assert line.startswith("$ "), f"{block}: {line}"
                yield block, line[2:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's folder: a notebook with a picture, and what the examples make."""
    found = tmp_path_factory.mktemp("reader")
    page = nbformat.v4.new_notebook()
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501 - a picture
    shown = nbformat.v4.new_output("display_data", {"image/png": dot})
    page.cells = [nbformat.v4.new_code_cell("plot()", outputs=[shown])]
    nbformat.write(page, found / "paper.ipynb")
    return found


def environment(folder: Path) -> dict[str, str]:
    """As at a reader's who has set the offline server and nothing else."""
    return {
        **without_settings(os.environ),
        "CLAUDE_MAGIC_BASE_URL": "offline",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "MPLBACKEND": "agg",
        "DO_NOT_TRACK": "true",
    }


def typed(prompt: str) -> str:
    """What the reader types where a cell asks."""
    assert prompt.startswith("Allow this call?"), prompt
    return "y"


def run_cells(document: str, running: Kernel) -> dict[str, Ran]:
    """What each of a page's cells gave back, by its first line; each is run as one cell."""
    ran = {}
    for number, block in enumerate(cells(document)):
        found = running.run(block.text, cell=f"block-{number}", stdin=typed, ok=False)
        assert found.status == "ok", f"{block}: {found.error}"
        assert "not found" not in found.printed, f"{block}: {found.printed}"
        assert not re.search(r"\w+Error\b", found.printed), f"{block}: {found.printed}"
        ran[block.text.splitlines()[-1]] = found
    return ran


@pytest.fixture(scope="module")
def readme(folder: Path) -> Iterator[tuple[Kernel, dict[str, Ran]]]:
    """A kernel in which the README's cells ran, and what each gave back, by its last line."""
    with kernel(folder, load=False, DO_NOT_TRACK="true") as running:
        yield running, run_cells("README.md", running)


def asked(running: Kernel) -> list[Any]:
    """The last message of each request, as one text."""
    return [str(r["messages"][-1]["content"]) for r in running.requests()]


def test_the_readmes_cells_run_from_top_to_bottom_in_one_kernel(
    readme: tuple[Kernel, dict[str, Ran]],
) -> None:
    running, ran = readme
    questions = [b for b in cells("README.md") if re.search(r"^%%?claude\b", b.text, re.MULTILINE)]
    for block in questions:
        prompt = block.text.splitlines()[-1].removeprefix("%claude ")
        if "--dry-run" in block.text:
            assert not any(prompt in content for content in asked(running)), block
            continue
        if "{{" not in prompt:
            assert any(prompt in content for content in asked(running)), block
        shown = ran[block.text.splitlines()[-1]].shown()
        assert "offline server" in shown, f"{block}: {shown}"


def test_a_question_carries_the_plot_of_the_cell_above(
    readme: tuple[Kernel, dict[str, Ran]],
) -> None:
    _, ran = readme
    shown = ran["%claude What stands out in this plot?"].shown()
    assert "1 cell, 1 figure" in shown
    assert "Image 1: PNG" in shown


def test_what_the_readmes_examples_make_is_there_afterwards(
    readme: tuple[Kernel, dict[str, Ran]], folder: Path
) -> None:
    running, ran = readme
    assert running.value("isinstance(findings, list) and isinstance(findings[0], Finding)")
    assert (folder / "captions.parquet").is_file()
    assert (
        "lookup_gene"
        in ran[
            "Which gene of `expr` is over-expressed? Say what `lookup_gene` knows of it."
        ].shown()
    )
    assert running.value("bool(reply.text) and reply.cost is not None")


def test_a_terminal_takes_the_readmes_first_block_as_one_paste(tmp_path: Path) -> None:
    block = cells("README.md")[0].text
    assert "%load_ext claude_magic\n%claude " in block
    assert block.endswith("?")
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--no-confirm-exit"],
        env={**environment(tmp_path), "TERM": "xterm"},
        cwd=str(tmp_path),
        timeout=60,
        dimensions=(50, 200),
        encoding="utf-8",
    )
    terminal.expect_exact("In [")
    terminal.send(f"\x1b[200~{block}\x1b[201~")
    question = block.rpartition("%claude ")[2]
    terminal.expect_exact(question.split()[-1])
    terminal.send("\r\r")
    terminal.expect_exact(f"> {question}")
    terminal.expect_exact("In [")
    terminal.send("exit()\r")
    terminal.expect(pexpect.EOF)


@pytest.mark.parametrize(
    "script", [b for p in PAGES for b in blocks(p) if b.mark == "script"], ids=str
)
def test_a_script_runs_in_plain_python(script: Block, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script.text],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "offline server" in done.stdout


@pytest.mark.usefixtures("readme")
@pytest.mark.parametrize("document", [p for p in PAGES if p != "README.md" and cells(p)])
def test_the_cells_of_the_docs_run_from_top_to_bottom(document: str, folder: Path) -> None:
    """In the folder where the README's cells ran."""
    with kernel(folder, load=False, DO_NOT_TRACK="true") as running:
        run_cells(document, running)


@pytest.mark.parametrize("document", PAGES)
def test_every_sketch_says_why_it_is_not_run_and_every_other_block_is_of_a_kind_that_is(
    document: str,
) -> None:
    whole = (ROOT / document).read_text(encoding="utf-8")
    assert len(re.findall(r"^```", whole, re.MULTILINE)) == 2 * len(blocks(document))
    assert whole.count("<!--") == sum(bool(b.mark) for b in blocks(document))
    for block in blocks(document):
        assert bool(block.why) == (block.mark == "sketch"), block
        if block.mark != "sketch":
            assert block.kind in ("python", "console"), block
    assert sum(b.mark == "sketch" for b in blocks("README.md")) <= 2


def extras() -> set[str]:
    """The extras that can be installed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return set(tomllib.load(file)["project"]["optional-dependencies"])


def run(words: list[str], folder: Path, **more: str) -> None:
    """Run a command that has to end well."""
    done = subprocess.run(
        words,
        env={**environment(folder), **more},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


def follow(line: str, folder: Path, *, first_check: bool) -> None:
    """Do what a line of a shell says as far as a test can; another command is a failure."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    match words:
        case ["pip", "install", what, *_]:
            found = re.fullmatch(r"(?:\.|claude-magic)\[([\w,]+)\]", what)
            assert found and set(found[1].split(",")) <= extras(), line
        case ["make", target]:
            run(["make", "-n", "-C", str(ROOT), target], folder)
        case ["jupyter", "lab"]:
            run([sys.executable, "-m", "jupyter", "lab", "--version"], folder)
        case ["jupyter", "nbconvert", *rest]:
            run([sys.executable, "-m", "jupyter", "nbconvert", *rest], folder)
        case ["claude-magic", "caption", _, "--check"] if first_check:
            with pytest.raises(AssertionError, match="cell 1, figure 1"):
                run([sys.executable, "-m", "claude_magic", *words[1:]], folder)
        case ["claude-magic", *rest]:
            run([sys.executable, "-m", "claude_magic", *rest], folder)
        case _:
            pytest.fail(f"no test knows how to follow: {line}")


@pytest.mark.parametrize("document", PAGES)
@pytest.mark.usefixtures("readme")
def test_the_commands_of_a_page_can_be_followed_in_their_order(document: str, folder: Path) -> None:
    """They run in the folder where the README's cells ran."""
    checked = False
    for _, line in commands(document):
        follow(line, folder, first_check=not checked)
        checked = checked or "--check" in line


@pytest.mark.parametrize("document", LINKING)
def test_every_relative_link_and_picture_exists(document: str) -> None:
    links = _LINK.findall((ROOT / document).read_text(encoding="utf-8"))
    missing = [link for link in links if not ((ROOT / document).parent / link).is_file()]
    assert not missing


@pytest.mark.parametrize("document", LINKING)
def test_the_commands_settings_and_extras_that_the_text_names_exist(document: str) -> None:
    from claude_magic.cli import main
    from claude_magic.notebook.config import Settable
    from claude_magic.notebook.magics import ClaudeMagics
    from claude_magic.panel.chat_magic import PanelMagics

    magics = {*ClaudeMagics.magics["line"], *PanelMagics.magics["line"]}
    for said in _INLINE.findall((ROOT / document).read_text(encoding="utf-8")):
        words = said.split()
        if said.startswith("%claude"):
            name = words[0].strip("%?").strip()
            assert name in magics, said
        if words[0] == "%claude_config":
            for setting in (w.partition("=")[0] for w in words[1:]):
                if setting == "name":  # stands for any of them
                    continue
                assert setting in Settable.class_trait_names(), said
        if words[0] == "claude-magic" and len(words) > 1:
            with pytest.raises(SystemExit) as ended:
                main([words[1], "--help"])
            assert ended.value.code == 0, said
        for extra in re.findall(r"pip install .?(?:\.|claude-magic)\[(\w+)\]", said):
            assert extra in extras(), said
