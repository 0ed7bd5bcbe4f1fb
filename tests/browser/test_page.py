"""What the lab extension tells the kernel of the page, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab import Notebook

LOAD = """%load_ext claude_magic
front = get_ipython().magics_manager.registry['ClaudeMagics'].front_end"""
KNOWN = "import json; print(json.dumps([*front.cells]), front.path, front.conversation, front.told)"
SEEN = """import json  # %claude
print(json.dumps([[c.source, *c.outputs] for c in front.seen.values()]), front.left_out)"""
# A line for each cell as the kernel knows it to stand on the page.
LIVE = """for id_ in front.cells:
    c = front.live[id_]
    print(c.kind, repr(c.source.split(chr(10))[0]), c.count, c.outputs, *c.tags)"""
LISTEN = (
    "(window.sent = [], kernel.anyMessage.connect((_, {msg, direction}) =>"
    " direction === 'send' && msg.header.msg_type === 'comm_msg'"
    " && sent.push([msg.content.data.type, (msg.content.data.cells ?? []).length,"
    " JSON.stringify(msg).length])))"
)

_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


class Panel:
    """The notebook panel in view, and the kernel behind it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    @property
    def cells(self) -> list[str]:
        """The ids of the cells as they stand on the page."""
        ids: list[str] = self.notebook.js("[...model.cells].map((cell) => cell.id)")
        return ids

    @property
    def dirty(self) -> bool:
        """Whether the notebook would have to be saved."""
        return bool(self.notebook.js("model.dirty"))

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return self.notebook.lab.folder / self.notebook.js("panel.context.path")

    def run(self, cell: int) -> str:
        """What the cell prints, run alone."""
        self.notebook.run(cell)
        return self.printed(cell)

    def printed(self, cell: int) -> str:
        """What the cell has printed."""
        shown = "[...model.cells][argument].outputs.toJSON().map((o) => o.text ?? '').join('')"
        return str(self.notebook.js(shown, cell)).strip()

    def until(self, expression: str) -> None:
        """Return once an expression in the kernel is true."""
        self.notebook.until_true(lambda: self.notebook.value(expression) == "True")

    def known(self, conversation: str | None = None) -> str:
        """What KNOWN prints if the kernel knows how the page stands now."""
        return f"{json.dumps(self.cells)} {self.path} {conversation} True"


@pytest.fixture
def panel(notebook: Notebook) -> Panel:
    return Panel(notebook)


def write(panel: Panel, name: str, *cells: Any) -> None:
    """The notebook file `name` with these cells."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nb.cells = list(cells)
    nbformat.write(nb, panel.notebook.lab.folder / name)


@pytest.mark.parametrize("application", ["lab/tree", "notebooks"])
def test_run_all_tells_the_page_to_the_cells_below_the_one_that_loads(
    panel: Panel, application: str
) -> None:
    name = f"page-{application[:3]}.ipynb"
    panel.notebook.open(name, ["1", LOAD, KNOWN], application=application)
    for _ in range(2):
        panel.notebook.run_all()
        assert panel.printed(2) == panel.known()


def test_opening_a_notebook_and_loading_the_extension_leave_the_notebook_unchanged(
    panel: Panel,
) -> None:
    panel.notebook.open("page-clean.ipynb", ["1"])
    panel.notebook.command("docmanager:save")  # JupyterLab itself adds the kernel's language
    before = panel.path.read_bytes()
    panel.notebook.open("page-clean.ipynb")
    assert not panel.dirty
    panel.notebook.js("kernel.requestExecute({code: argument}).done.then(() => null)", LOAD)
    panel.until("front.told")
    assert panel.notebook.value("front.cells") == repr(tuple(panel.cells))
    assert not panel.dirty
    assert panel.path.read_bytes() == before


def test_messages_go_to_the_main_thread_and_leave_no_subshell_behind(panel: Panel) -> None:
    panel.notebook.open("page-subshell.ipynb", [LOAD, KNOWN])
    assert panel.run(0) == ""
    threads = "__import__('threading').enumerate()"
    panel.until("front.told")
    panel.until(f"not [t for t in {threads} if 'subshell-' in t.name]")
    panel.notebook.command("notebook:insert-cell-above")
    assert panel.run(2) == panel.known()


def test_a_cell_that_is_moved_is_known_before_the_next_one_runs(panel: Panel) -> None:
    write(
        panel,
        "page-move.ipynb",
        nbformat.v4.new_code_cell(LOAD),
        nbformat.v4.new_markdown_cell("Between"),
        nbformat.v4.new_code_cell("1"),
        nbformat.v4.new_code_cell(KNOWN),
    )
    panel.notebook.open("page-move.ipynb")
    panel.run(0)
    assert panel.run(3) == panel.known()
    before = panel.cells
    panel.notebook.js("panel.content.activeCellIndex = argument", 2)
    panel.notebook.command("notebook:move-cell-up")
    assert panel.cells == [before[0], before[2], before[1], before[3]]
    assert panel.run(3) == panel.known()
    saved = nbformat.read(panel.path, as_version=4)
    assert [cell.id for cell in saved.cells] == before, "nothing was saved"


def test_a_renamed_notebook_is_known_by_its_new_path(panel: Panel) -> None:
    panel.notebook.open("page-old.ipynb", [LOAD, KNOWN])
    panel.run(0)
    assert panel.run(1) == panel.known()
    panel.notebook.js("panel.context.rename('page-new.ipynb')")
    assert panel.path.name == "page-new.ipynb"
    assert panel.run(1) == panel.known()


def test_the_conversation_is_written_into_the_notebook_once(panel: Panel) -> None:
    panel.notebook.open("page-remember.ipynb", [LOAD, "front.remember('c-1')", KNOWN])
    panel.notebook.js("model.setMetadata('claude_magic', {other: 1})")
    panel.notebook.js(
        "(window.changes = [], model.metadataChanged.connect((_, c) => changes.push(c.key)))"
    )
    panel.run(0)
    for _ in range(2):
        panel.run(1)
        assert panel.run(2) == panel.known("c-1")
    assert panel.notebook.js("model.getMetadata('claude_magic')") == {
        "other": 1,
        "conversation": "c-1",
    }
    assert panel.notebook.js("window.changes") == ["claude_magic"]
    panel.notebook.command("docmanager:save")
    panel.notebook.open("page-remember.ipynb")
    panel.notebook.js("kernel.requestExecute({code: 'front.told = False'}).done.then(() => null)")
    panel.notebook.open("page-remember.ipynb")
    panel.until("front.told")
    assert panel.notebook.value("front.conversation") == "'c-1'"
    assert not panel.dirty


def test_a_page_that_was_reloaded_tells_the_kernel_again(panel: Panel) -> None:
    write(
        panel,
        "page-reload.ipynb",
        *map(nbformat.v4.new_code_cell, ("print('ran')", LOAD, SEEN, KNOWN)),
    )
    panel.notebook.open("page-reload.ipynb")
    panel.run(1)
    panel.run(0)
    assert panel.run(3) == panel.known()
    panel.notebook.command("docmanager:save")
    panel.notebook.js("kernel.requestExecute({code: 'front.told = False'}).done.then(() => null)")
    panel.notebook.open("page-reload.ipynb")
    panel.until("front.told")
    assert not panel.dirty
    assert panel.run(2) == "[] 0", "the kernel said that it ran the cell above"
    panel.notebook.js("panel.content.activeCellIndex = argument", 3)
    panel.notebook.command("notebook:move-cell-up")
    assert panel.run(2) == panel.known()


def test_a_page_that_was_reloaded_while_a_cell_runs_tells_the_kernel_before_the_next(
    panel: Panel,
) -> None:
    running = "import pathlib, time\nwhile not pathlib.Path('go-on').exists(): time.sleep(0.05)"
    panel.notebook.open("page-busy.ipynb", [LOAD, running, "1", KNOWN])
    panel.run(0)
    assert panel.run(3) == panel.known()
    panel.notebook.command("docmanager:save")
    panel.notebook.start(1)
    panel.notebook.reload()
    panel.notebook.until("kernel?.hasComm('claude_magic:page')")
    panel.notebook.select(2)
    panel.notebook.command("notebook:move-cell-up")
    panel.notebook.start(3)
    (panel.notebook.lab.folder / "go-on").touch()
    panel.notebook.until("[...model.cells][3].outputs.length")
    assert panel.printed(3) == panel.known()


def test_a_restarted_kernel_is_told_when_it_loads_the_extension_again(panel: Panel) -> None:
    panel.notebook.open("page-restart.ipynb", [LOAD, KNOWN])
    panel.run(0)
    assert panel.run(1) == panel.known()
    panel.notebook.js("panel.sessionContext.session.kernel.restart().then(() => null)")
    panel.notebook.until_idle()
    panel.run(0)
    assert panel.run(1) == panel.known()


def test_outputs_of_cells_that_did_not_run_here_come_with_a_question_below_them_once(
    panel: Panel,
) -> None:
    figure, reply, below = (nbformat.v4.new_code_cell(s) for s in ("plot()", "%%claude\nHi", "2"))
    data = {"image/png": _PIXEL, "text/html": "<b>1</b>", "text/plain": "<Figure>"}
    size = {"image/png": {"width": 1}, "other": 1}
    figure.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a\nb\n"),
        nbformat.v4.new_output("display_data", data=data, metadata=size),
        nbformat.v4.new_output("display_data", data={"text/html": "<b>2</b>"}),
        nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["E: e"]),
    ]
    told = nbformat.v4.new_output("display_data", data={"text/plain": "A reply"})
    told.metadata["claude_magic"] = {}
    reply.outputs, below.outputs = [told], [*figure.outputs]
    code = [nbformat.v4.new_code_cell(source) for source in (LOAD, SEEN)]
    write(panel, "page-seen.ipynb", figure, nbformat.v4.new_markdown_cell("#"), reply, *code, below)
    panel.notebook.open("page-seen.ipynb")
    panel.run(3)
    panel.notebook.js(
        "(window.sent = [], kernel.anyMessage.connect((_, {msg, direction}) =>"
        " direction === 'send' && msg.header.msg_type === 'comm_msg'"
        " && msg.content.data.type === 'seen' && sent.push(msg.content.data.cells.length)))"
    )
    kept = {"image/png": _PIXEL, "text/plain": "<Figure>"}
    expected = [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {"output_type": "display_data", "data": kept, "metadata": {"image/png": {"width": 1}}},
        {"output_type": "display_data", "data": {"text/html": "<b>2</b>"}, "metadata": {}},
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["E: e"]},
    ]
    for _ in range(2):
        cells, left_out = panel.run(4).rsplit(" ", 1)
        assert json.loads(cells) == [["plot()", *expected]]
        assert left_out == "0"
    assert panel.notebook.js("window.sent") == [1]
    panel.notebook.js("[...model.cells][0].sharedModel.setSource('plot(2)')")
    assert panel.run(4).startswith('[["plot(2)", {')
    panel.notebook.js("[...model.cells][0].outputs.clear()")
    assert panel.run(4) == "[] 0"
    assert panel.notebook.js("window.sent") == [1, 1], "not for another text"


def test_outputs_beyond_the_limits_are_left_out_farthest_first(panel: Panel) -> None:
    cells = [nbformat.v4.new_code_cell(str(n)) for n in range(6)]
    for cell, megabytes in zip(cells, (7, 1, 6, 9, 7, 5), strict=True):
        text = "x" * (megabytes * 1_000_000)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    ask = "print(sorted(front.seen), front.left_out)  # %claude"
    code = [nbformat.v4.new_code_cell(source) for source in (LOAD, ask)]
    write(panel, "page-large.ipynb", *cells, *code)
    panel.notebook.open("page-large.ipynb")
    panel.run(6)
    kept = sorted(cells[n].id for n in (1, 2, 4, 5))
    assert panel.run(7) == f"{kept} 2"


def test_each_cell_of_the_page_is_told_as_it_stands_before_a_question(panel: Panel) -> None:
    """Markdown, edited, never run, cleared, moved, split, deleted cells; only what changed."""
    prose = nbformat.v4.new_markdown_cell("# Text")
    prose.metadata["tags"] = ["intro"]
    code = [nbformat.v4.new_code_cell(source) for source in (LOAD, "print(1)", "never", LIVE)]
    write(panel, "page-live.ipynb", prose, *code, nbformat.v4.new_raw_cell("raw"))
    panel.notebook.open("page-live.ipynb")
    load, text, raw = (
        f"code {LOAD.splitlines()[0]!r} 1 0",
        "markdown '# Text' None 0 intro",
        "raw 'raw' None 0",
    )
    asks = f"code {LIVE.splitlines()[0]!r}"
    panel.run(1)
    panel.run(2)
    told = panel.run(4).splitlines()
    assert told == [text, load, "code 'print(1)' 2 1", "code 'never' None 0", f"{asks} None 0", raw]
    panel.notebook.js(LISTEN)
    panel.notebook.js("[...model.cells][0].sharedModel.setSource('# Other text')")
    panel.notebook.js("[...model.cells][2].sharedModel.setSource('print(2)')")
    told = panel.run(4).splitlines()
    text = text.replace("Text", "Other text")
    assert told[:4] == [text, load, "code 'print(2)' 2 1", "code 'never' None 0"]
    assert told[4:] == [f"{asks} 3 1", raw]
    messages = panel.notebook.js("window.sent")
    assert [(kind, cells) for kind, cells, _ in messages] == [("cells", 3)], "the asking one, too"
    panel.notebook.select(2)
    panel.notebook.command("notebook:clear-cell-output")
    panel.notebook.select(3)
    panel.notebook.command("notebook:move-cell-up")
    told = panel.run(4).splitlines()
    assert told[:4] == [text, load, "code 'never' None 0", "code 'print(2)' None 0"]
    panel.notebook.js("[...model.cells][3].sharedModel.setSource('a\\nb')")
    panel.notebook.select(3)
    panel.notebook.js(
        "(panel.content.activeCell.editor.setCursorPosition({line: 1, column: 0}),"
        " window.jupyterapp.commands.execute('notebook:split-cell-at-cursor'))"
    )
    panel.notebook.select(2)
    panel.notebook.command("notebook:delete-cell")
    told = panel.run(4).splitlines()
    assert told[:4] == [text, load, "code 'a' None 0", "code 'b' None 0"]
    assert len(told) == 6


def test_a_cell_that_waits_is_told_without_what_it_will_not_show_any_more(panel: Panel) -> None:
    waits = "print([(c.count, c.outputs) for c in map(front.live.get, front.cells[1:3])])"
    panel.notebook.open("page-waits.ipynb", [LOAD, "print(1)", waits])
    panel.notebook.run_all()
    assert panel.printed(2) == "[(None, None), (None, 0)]", "not that it shows nothing"
    assert panel.run(2) == "[(2, 1), (3, 1)]"


def test_telling_one_edit_of_a_large_page_is_a_small_message(panel: Panel) -> None:
    cells = [nbformat.v4.new_code_cell(f"x = {n}\n" * 20) for n in range(498)]
    figure = {"image/png": _PIXEL * 400, "text/plain": "<Figure>"}
    for cell in cells[::5]:
        cell.outputs = [nbformat.v4.new_output("display_data", data=figure)]
    ask = "print(len(front.cells), len(front.live), len(front.seen))  # %claude"
    write(panel, "page-500.ipynb", *cells, *map(nbformat.v4.new_code_cell, (LOAD, ask)))
    panel.notebook.open("page-500.ipynb")
    panel.run(498)
    assert panel.run(499) == "500 500 100"
    panel.notebook.js(LISTEN)
    panel.notebook.js("[...model.cells][100].sharedModel.setSource('y = 1')")
    assert panel.run(499) == "500 500 100"
    messages = panel.notebook.js("window.sent")
    assert [kind for kind, _, _ in messages] == ["cells"]
    assert messages[0][2] < 5_000
