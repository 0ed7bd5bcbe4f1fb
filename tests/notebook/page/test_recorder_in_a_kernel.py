"""What the recorder has of each cell is what a client saw on iopub, in a real kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.kernels import SECONDS, Kernel, Ran, kernel

RECORDER = "get_ipython().magics_manager.registry['ClaudeMagics'].recorder"
VIEW = "application/vnd.jupyter.widget-view+json"

Shown = list[list[Any]]


class Page:
    """What a client shows under each cell: the rules of a front end, for what iopub carries."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._client: BlockingKernelClient = kernel.another_client()
        self._cells: dict[str, list[dict[str, Any]]] = {}
        self._clear: set[str] = set()
        self._displays: dict[str, list[dict[str, Any]]] = {}
        self.requests: dict[str, str] = {}

    def run(self, cell: str, code: str) -> Ran:
        ran = self._kernel.run(code, cell=cell, ok=False)
        request = ran.messages[0]["parent_header"]["msg_id"]
        self.requests[request] = cell
        self._cells[request] = []
        return ran

    def read(self, last: str) -> None:
        """Take in all that came, until something is shown that has this text."""
        seen = ""
        while last not in seen:
            message = self._client.get_iopub_msg(timeout=SECONDS)
            # The code of a cell has it too, and comes before what the cell before showed late.
            seen = str(message["content"]) if message["msg_type"] != "execute_input" else ""
            self._take(message)

    def read_more(self) -> bool:
        """Take in one message more, if one comes soon."""
        try:
            self._take(self._client.get_iopub_msg(timeout=0.5))
        except Empty:
            return False
        return True

    def shown(self) -> dict[str, Shown]:
        """By cell: `["text", …]`, `["data", …]`, `["error", its name]`, in order."""
        return {self.requests[r]: [_plain(o) for o in shown] for r, shown in self._cells.items()}

    def _take(self, message: Mapping[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        display_id = content.get("transient", {}).get("display_id")
        for output in self._displays.get(display_id, []):
            output["data"] = content["data"]
        request = message["parent_header"].get("msg_id")
        if request not in self._cells:
            return
        cell = self._cells[request]
        if kind == "clear_output":
            if content["wait"]:
                self._clear.add(request)
            else:
                cell.clear()
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if request in self._clear:
                self._clear.remove(request)
                cell.clear()
            if kind == "stream" and cell and cell[-1]["kind"] == "stream":
                cell[-1]["text"] += content["text"]
            elif "claude_magic" not in content.get("metadata", {}):
                output = {"kind": kind, **content}
                cell.append(output)
                self._displays.setdefault(display_id or "none", []).append(output)
            self._displays.pop("none", None)


def _plain(output: Mapping[str, Any]) -> list[Any]:
    if output["kind"] == "stream":
        return ["text", output["text"]]
    if output["kind"] == "error":
        return ["error", output["ename"]]
    return ["data", output["data"]]


def recorded(kernel: Kernel, *cells: str) -> dict[str, Shown]:
    """What the recorder has of these cells."""
    output = (
        "['text', str(o.text)] if o.text is not None else ['data', dict(o.bundle)]"
        " if o.bundle else ['error', o.error.splitlines()[-1].partition(':')[0]]"
    )
    runs = f"for r in {RECORDER}.runs if r.cell in {list(cells)!r}"
    return dict(kernel.value(f"[[r.cell, [{output} for o in r.outputs]] {runs}]"))


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    # ipykernel leaves the file descriptors alone where it finds itself in a test.
    with kernel(tmp_path_factory.mktemp("heard"), PYTEST_CURRENT_TEST="") as started:
        started.run("import os, subprocess, sys, threading, multiprocessing")
        started.run("from IPython.display import HTML, clear_output, display, update_display")
        yield started


FORK = "pid = os.fork()\nif not pid:\n    {}\n    os._exit(0)\nos.waitpid(pid, 0);"
POOL = """
def work(number):
    print("from the pool", number, flush=True)
with multiprocessing.get_context("fork").Pool(1) as pool:
    pool.map(work, [7])
"""
THREAD = """
go, came = threading.Event(), threading.Event()
def later():
    go.wait(30)
    print("from the thread")
    display(HTML("<b>from the thread</b>"))
    came.set()
threading.Thread(target=later).start()
"""
FIGURE = (
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots(); ax.plot([1]);"
)
# What a client awaits beyond the last cell's end: what another process sends, and what a thread of
# the kernel reads at the descriptor, comes in its own time.
LATE = {
    "the descriptor": "written",
    "bytes that are no text": "the end",
    "a subprocess": "from a subprocess",
    "the shell": "from the shell",
    "a forked child prints": "from the child",
    "a child of a pool prints": "from the pool",
    "a child writes to its descriptor": "from the child",
}
SCENARIOS: dict[str, tuple[str, ...]] = {
    "nothing": ("x = 1",),
    "print": ("print('one')\nprint('two')",),
    "print, display, print": ("print('one'); display('shown'); print('two')",),
    "both streams": ("print('out'); print('err', file=sys.stderr); print('out')",),
    "a last expression": ("40 + 2",),
    "a display in a loop": ("for n in range(300): print(n)\n'end'",),
    "the descriptor": ("os.write(1, b'written\\n');",),
    "bytes that are no text": ("os.write(1, bytes(range(256)) + b'the end');",),
    "a subprocess": ("subprocess.run(['echo', 'from a subprocess']);",),
    "the shell": ("os.system('echo from the shell');",),
    "a line for the shell": ("!echo from a line",),
    "a forked child prints": (FORK.format("print('from the child', flush=True)"),),
    "a child writes to its descriptor": (FORK.format("os.write(1, b'from the child')"),),
    "a child of a pool prints": (POOL,),
    "a thread goes on when its cell has ended": (
        THREAD,
        "print('another cell')",
        "go.set(); came.wait(30);",
    ),
    "a display is updated by another cell": (
        "handle = display(HTML('old'), display_id='here'); print('below')",
        "update_display(HTML('new'), display_id='here'); print('updated')",
    ),
    "a display of the same name": (
        "display('first', display_id='twice')",
        "display('second', display_id='twice')",
    ),
    "an update of what is not there": ("update_display('x', display_id='nowhere'); print('y')",),
    "a thousand updates": (
        "h = display('at first', display_id=True)\nfor n in range(1000): h.update(n)",
    ),
    "cleared": ("print('gone'); display('gone'); clear_output(); print('stays')",),
    "cleared with the next": ("print('gone'); clear_output(wait=True); print('stays')",),
    "cleared with a next that never comes": ("print('stays'); clear_output(wait=True)",),
    "cleared by the next, in a loop": (
        "for n in range(5):\n    clear_output(wait=True)\n    display(n)\n    print(n)",
    ),
    "captured": ("%%capture taken\nprint('into'); display('a variable')", "taken.show()"),
    "an error": ("print('before')\n1 / 0",),
    "an error of syntax": ("1 +* 2",),
    "an error with no message": ("raise ValueError",),
    "a usage error": ("%run -q",),
    "an error that says itself how it looks": (
        "class Odd(Exception):\n"
        "    def _render_traceback_(self): return ['\\x1b[31mOdd: so it is\\x1b[0m']\n"
        "raise Odd('so it is')",
    ),
    "an exit code": ("raise SystemExit(3)",),
    "a cell within a cell": ("print(1); get_ipython().run_cell('print(2); 3'); print(4)",),
    "an error in a cell within a cell": ("get_ipython().run_cell('1 / 0'); print('on')",),
    "a figure at the end of a cell": (FIGURE,),
    "a figure as the last expression": (FIGURE + " plt.close(fig)", "fig"),
    "a bundle of several types": (
        "display({'text/plain': 'p', 'text/html': '<p>', 'application/json': {'a': 1}}, raw=True)",
    ),
    "the same cell twice": ("print('first run')", "print('again')"),
    "what prints while it is shown": (
        "class Loud:\n    def __repr__(self):\n        print('loud'); return 'Loud()'\nLoud()",
    ),
}


@pytest.mark.met("P7")
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_recorder_has_what_a_client_saw(heard: Kernel, name: str) -> None:
    page = Page(heard)
    cells = [f"{name} {n}" for n, _ in enumerate(SCENARIOS[name])]
    for cell, code in zip(cells, SCENARIOS[name], strict=True):
        page.run(cell, code)
    if name in LATE:
        page.read(LATE[name])
    page.run("end", "'all is read'")
    page.read("all is read")
    # What was written to a file descriptor comes when the thread that reads it has its turn.
    while recorded(heard, *cells) != {cell: page.shown()[cell] for cell in cells}:
        if not page.read_more():
            break
    assert recorded(heard, *cells) == {cell: page.shown()[cell] for cell in cells}


def test_every_scenario_but_one_shows_something(heard: Kernel) -> None:
    """The table would hold of a recorder that hears nothing of a client that sees nothing."""
    cells = {
        name: [f"{name} {n}" for n, _ in enumerate(codes)] for name, codes in SCENARIOS.items()
    }
    empty = {n for n, named in cells.items() if not any(recorded(heard, *named).values())}
    assert empty == {"nothing"}


@pytest.mark.met("P7")
@pytest.mark.parametrize(
    "show",
    [
        "print('just before')",
        "print('just before', file=sys.stderr)",
        "os.write(1, b'just before')",
        "subprocess.run(['echo', 'just before'])",
        "os.system('echo just before 1>&2')",
    ],
)
def test_text_that_is_shown_just_before_a_question_goes_along(heard: Kernel, show: str) -> None:
    for _ in range(5):
        heard.run(f"{show};\n%claude --fresh What?\nprint('after')", cell="asks")
        asked = str(heard.requests()[-1]["messages"][-1]["content"])
        assert asked.count("just before") == 2, "once in the source, once as its output"
    ((_, before), (_, after)) = recorded(heard, "asks")["asks"]
    assert (before.strip(), after) == ("just before", "after\n")


@pytest.mark.parametrize(
    "line",
    [
        "%claude -c none Hello",
        "%claude_history",
        "%claude_usage",
        "%claude_config",
        "%claude_models",
        "%claude --modle opus Hi",
        "%claude --dry-run Hi",
        "%claude_export",
        "%claude_code 99",
    ],
)
def test_nothing_that_is_ours_is_recorded(heard: Kernel, line: str) -> None:
    ran = heard.run(f"print('mine')\n{line}", cell="ours", ok=False)
    assert len(ran.messages) > 2, "it shows something"
    assert recorded(heard, "ours") == {"ours": [["text", "mine\n"]]}


OUT = "import ipywidgets as w\nout = w.Output()\n"
CALLBACK = """
def pressed(_):
    with out:
        print('pressed')
        display('shown')
button = w.Button()
button.on_click(pressed)
w.VBox([button, out])
"""
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJg"
    "gg=="
)
IMAGE = f"import base64, ipywidgets as w\npng = base64.b64decode({PNG!r})\n"
CANVAS = """
import traitlets
class Canvas(w.DOMWidget):
    _view_name = traitlets.Unicode('MPLCanvasView').tag(sync=True)
    _data_url = traitlets.Unicode('').tag(sync=True)
canvas = Canvas()
"""
# The cells, and what stands where the view is: texts and pictures, "view" for the view itself.
WIDGETS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "filled before it is shown": ((f"{OUT}with out: print('in it')", "out"), ["in it\n"]),
    "filled after it is shown": ((OUT, "out", "with out: print('in it')"), ["in it\n"]),
    "filled in the cell that shows it": (
        (OUT, "print('above'); display(out)\nwith out: print('in it')\nprint('below')"),
        ["above\n", "in it\n", "below\n"],
    ),
    "empty": ((OUT, "out"), []),
    "two cells show it": ((f"{OUT}with out: print('in it')", "out"), ["in it\n"]),
    "one within another": (
        (
            f"{OUT}inner = w.Output()\nwith out:\n    print('one')",
            "out",
            "with out:\n    with inner: print('two')\n    print('three')\n    display(inner)",
        ),
        ["one\nthree\n", "two\n"],
    ),
    "an error in it": ((f"{OUT}with out: 1 / 0", "out"), ["ZeroDivisionError"]),
    "cleared": ((f"{OUT}with out: print('gone')\nout.clear_output()", "out"), []),
    "cleared with the next": (
        (f"{OUT}with out:\n    print('gone'); clear_output(wait=True); print('in it')", "out"),
        ["in it\n"],
    ),
    "text is appended": ((f"{OUT}out.append_stdout('a'); out.append_stdout('b')", "out"), ["ab"]),
    "a display is appended": ((f"{OUT}out.append_display_data(HTML('x'))", "out"), ["<HTML>"]),
    "a captured function": (
        (f"{OUT}@out.capture(clear_output=True)\ndef f(): print('in it')\nf(); f()", "out"),
        ["in it\n"],
    ),
    "a box of it": (
        (f"{OUT}with out: print('in it')", "w.HBox([w.VBox([out])])"),
        ["view", "in it\n"],
    ),
    "interact": (
        (f"{OUT}", "w.interact(lambda n: print('n is', n), n=w.IntSlider(3));"),
        ["view", "n is 3\n"],
    ),
    "a callback fills it": ((OUT, CALLBACK), ["view"]),
    "closed": ((f"{OUT}with out: print('in it')", "out", "out.close()"), ["view"]),
    "an image": ((IMAGE, "w.Image(value=png)"), [PNG]),
    "an image that changes": ((IMAGE, "im = w.Image(value=b'')\nim", "im.value = png"), [PNG]),
    "an image in a box": ((IMAGE, "w.HBox([w.Image(value=png)])"), ["view", PNG]),
    "bytes that are no picture": ((IMAGE, "w.Image(value=b'no picture')"), []),
    "a canvas": (
        (OUT + CANVAS, "canvas", f"canvas._data_url = 'data:image/png;base64,{PNG}'"),
        [PNG],
    ),
}


def in_words(kernel: Kernel, cell: str) -> list[str]:
    """What stands under a cell, each in a word."""
    found = []
    for kind, shown in recorded(kernel, cell)[cell]:
        if kind != "data":
            found.append(str(shown))
        elif VIEW in shown:
            found.append("view")
        else:
            html = "<HTML>" if "text/html" in shown else ""
            found.append(html or shown.get("image/png") or shown["text/plain"])
    return found


@pytest.mark.parametrize("name", WIDGETS)
def test_what_a_widget_holds_stands_where_its_view_is(heard: Kernel, name: str) -> None:
    codes, expected = WIDGETS[name]
    for number, code in enumerate(codes):
        heard.run(code, cell=f"{name} {number}")
    assert in_words(heard, f"{name} 1") == expected
    assert in_words(heard, f"{name} 0") == [], "nothing of it stands elsewhere"


def test_what_a_callback_shows_stands_in_its_widget(heard: Kernel) -> None:
    heard.run(OUT, cell="made")
    heard.run(CALLBACK, cell="shown")
    press = heard.client.session.msg(
        "comm_msg",
        {
            "comm_id": heard.value("button.model_id"),
            "data": {"method": "custom", "content": {"event": "click"}},
        },
    )
    heard.client.shell_channel.send(press)
    heard.run("print('a cell later')", cell="later")
    assert in_words(heard, "shown") == ["view", "pressed\n", "'shown'"]
    assert in_words(heard, "later") == ["a cell later\n"]


TRACED = "tracemalloc.get_traced_memory()[0]"
PRINTS = "print('first')\nfor _ in range(100): print(line)\nprint('last')"
UPDATES = """
h = display('at first', display_id=True)
for n in range(10_000): h.update(HTML(f'{n} {line[:10_000]}'))
"""


@pytest.mark.parametrize("code", [PRINTS, UPDATES], ids=["100 MB printed", "10,000 updates"])
def test_a_cell_that_shows_much_costs_little_memory(tmp_path: Path, code: str) -> None:
    with kernel(tmp_path) as own:
        own.run("import tracemalloc; tracemalloc.start(1); line = 'x' * 1_000_000")
        own.run("from IPython.display import HTML, display")
        before = own.value(TRACED)
        own.run(code, cell="much")
        assert own.value(TRACED) - before < 8_000_000
        ((kind, shown),) = recorded(own, "much")["much"]
    if kind == "data":
        assert shown["text/html"].startswith("9999 ")
    else:
        assert shown.startswith("first\nxxx") and shown.endswith("xxx\nlast\n")
        assert re.search(r"\n\[… 99,\d{3},\d{3} characters left out …\]\n", shown)


def test_the_cell_that_loads_the_extension_is_heard_from_there_on(tmp_path: Path) -> None:
    with kernel(tmp_path, load=False) as fresh:
        fresh.run("kept = 1", cell="before")
        fresh.run("%load_ext claude_magic\nprint('loaded')\n%claude What?\nkept", cell="loads")
        assert "loaded" in str(fresh.requests()[-1]["messages"][-1]["content"])
        fresh.run("print('next')", cell="next")
        assert recorded(fresh, "before", "loads", "next") == {"next": [["text", "next\n"]]}


SHADOWED = """
def shadowed():
    shell = get_ipython()
    owners = (shell, shell.display_pub, shell.displayhook, shell.display_formatter)
    owners += (shell.kernel.iopub_thread,)
    names = ('send_multipart', '_showtraceback', 'publish', 'write_format_data', 'format')
    names += ('clear_output',)
    return [(n, vars(o)[n]) for o in owners for n in names if n in vars(o)]
"""


def test_unloading_puts_everything_back(tmp_path: Path) -> None:
    with kernel(tmp_path, load=False) as own:
        own.run(f"{SHADOWED}import sys\nstreams = sys.stdout, sys.stderr\nbefore = shadowed()")
        own.run("%load_ext claude_magic")
        assert len(own.value("[n for n, m in shadowed() if (n, m) not in before]")) == 6
        own.run("%unload_ext claude_magic\nprint('while it is unloaded')")
        assert own.value("shadowed() == before")
        assert own.value("streams[0] is sys.stdout and streams[1] is sys.stderr")
        assert own.run("print('on')\n1 + 1").printed == "on\n"


def test_who_wrapped_what_we_had_wrapped_keeps_it(tmp_path: Path) -> None:
    wrapping = """
thread, sent = get_ipython().kernel.iopub_thread, []
def wrapping(*args, _original=thread.send_multipart, **kwargs):
    sent.append(1)
    return _original(*args, **kwargs)
thread.send_multipart = wrapping
"""
    with kernel(tmp_path) as own:
        own.run(wrapping)
        own.run("%reload_ext claude_magic")
        own.run("print('once')", cell="heard")
        assert recorded(own, "heard") == {"heard": [["text", "once\n"]]}
        own.run("%unload_ext claude_magic")
        assert own.run("n = len(sent)\nprint('shown')").printed == "shown\n"
        assert own.value("thread.send_multipart is wrapping and len(sent) > n")
