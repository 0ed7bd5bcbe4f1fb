"""What a kernel takes from the page, played over its own channels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from claude_magic import __version__
from claude_magic.notebook.page.front_end import COMM, FrontEnd
from tests.kernels import SECONDS, Kernel, kernel

ATTACH = """from claude_magic.notebook.page.front_end import FrontEnd
front = FrontEnd(get_ipython(), ran=lambda: ['a', 'b'])
front.attach()"""
HEAR_LOG = """import logging
said = []
class Hears(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
log = get_ipython().kernel.log
for handler in [h for h in log.handlers if type(h).__name__ == 'Hears']:
    log.removeHandler(handler)
log.addHandler(Hears(logging.WARNING))"""
RAN = {"type": "ran", "cells": ["a", "b"], "alone": True}
STATE = (
    "[front.told, str(front.path), front.conversation, [*front.cells], front.left_out,"
    " [[cell.id, cell.source, [*cell.outputs]] for cell in front.seen.values()]]"
)
MARK = {"type": "mark", "mark": "m-1"}
LABEXTENSION = Path(__file__).parents[3] / "labextension"


class Page:
    """Plays the lab extension's part."""

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        self.kernel = kernel
        self.folder = folder

    def say(self, told: object, kind: str = "comm_msg", tab: str = "") -> list[Mapping[str, Any]]:
        """Send a message and return what the kernel says to it, once it is done.

        It comes from a browser tab of its own if `tab` is given.
        """
        client = self.kernel.client
        message = client.session.msg(kind, {"comm_id": COMM, "data": told})
        message["header"]["session"] = tab or message["header"]["session"]
        client.shell_channel.send(message)
        said: list[Mapping[str, Any]] = []
        while True:
            found = client.get_iopub_msg(timeout=SECONDS)
            if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if found["content"].get("execution_state") == "idle":
                return said
            if found["msg_type"] != "status":
                said.append(found["content"]["data"])

    def tell(self, tab: str = "", **changed: Any) -> list[Mapping[str, Any]]:
        """Tell of a page with two cells, but for what is `changed`."""
        told = {"type": "page", "path": "nb.ipynb", "root": str(self.folder), "fresh": False}
        told |= {"conversation": None, "cells": ["a", "b"]}
        return self.say(told | changed, tab=tab)

    def seen(self, *cells: object, left_out: object = 0) -> None:
        self.say({"type": "seen", "cells": cells, "left_out": left_out})

    def live(self, *cells: object, tab: str = "") -> list[Mapping[str, Any]]:
        return self.say({"type": "cells", "cells": cells}, tab=tab)

    def ran(self, code: str) -> list[Mapping[str, Any]]:
        """Run code; what it sends to the page."""
        messages = self.kernel.run(code, cell="asking").messages
        return [m["content"] for m in messages if m["msg_type"].startswith("comm")]

    @property
    def known(self) -> Any:
        """All that the kernel knows."""
        return self.kernel.value(STATE)

    def value(self, expression: str) -> Any:
        return self.kernel.value(expression)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "nb.ipynb").write_text("{}", encoding="utf-8")
    with kernel(folder, load=False, HOME=str(folder)) as started:
        yield Page(started, folder)


@pytest.fixture
def page(own: Page) -> Page:
    """A page whose kernel knows nothing of it yet."""
    own.kernel.run(ATTACH, cell="attaching")
    return own


def cell(id_: str, *outputs: object, source: str = "x") -> dict[str, Any]:
    return {"id": id_, "source": source, "outputs": list(outputs)}


def stands(id_: str, **changed: Any) -> dict[str, Any]:
    """A cell as it stands on the page, but for what is `changed`; None: not there."""
    told = {"id": id_, "kind": "code", "source": "x", "count": 1, "outputs": 2, "tags": ["t"]}
    return {name: value for name, value in (told | changed).items() if value is not MISSING}


def stream(text: object) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**bundle: object) -> dict[str, Any]:
    data = {mime.replace("_", "/"): content for mime, content in bundle.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


MISSING = object()
LIVE = "[list(vars(cell).values()) for cell in front.live.values()]"
PAGE = {
    **{"type": "page", "path": "nb.ipynb", "root": "/", "fresh": False},
    **{"conversation": None, "cells": ["a", "b"]},
}
NOTHING = [False, "None", None, [], 0, []]


def test_a_kernel_opens_a_comm_whose_id_is_known_and_shows_nothing(own: Page) -> None:
    own.kernel.run("front = None")
    quiet = own.kernel.run(ATTACH + "\nfront.attach()")
    # One that a test before has left may be closed whenever it is collected.
    assert not [m for m in quiet.messages if m["msg_type"] == "comm_open"]
    ran = own.kernel.run("1;", cell="with an id")
    (opened,) = (m["content"] for m in ran.messages if m["msg_type"].startswith("comm_open"))
    assert (opened["comm_id"], opened["target_name"]) == (COMM, COMM)
    assert not ran.outputs
    assert not ran.printed
    assert own.known == NOTHING
    again = own.kernel.run("1;", cell="with an id")
    assert not [m for m in again.messages if m["msg_type"].startswith("comm")]


def test_a_page_tells_where_the_notebook_is_and_its_cells_in_order(page: Page) -> None:
    page.tell(fresh=True, cells=["c", "a", "b"])
    assert page.tell(cells=["c", "a", "b"], conversation="c-1") == []
    path = str(page.folder / "nb.ipynb")
    assert page.known == [True, path, "c-1", ["c", "a", "b"], 0, []]
    page.tell(cells=[])
    assert page.known == [True, path, None, [], 0, []]


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("FOLDER", "other.ipynb"),
        ("FOLDER", "sub/../nb.ipynb"),
        ("FOLDER", "nb.txt"),
        ("FOLDER", "."),
        ("FOLDER", ""),
        ("FOLDER", "/etc/hosts"),
        ("FOLDER", "nb\0.ipynb"),
        ("FOLDER", "n" * 5000 + ".ipynb"),
        ("FOLDER", None),
        ("", "nb.ipynb"),
        (".", "nb.ipynb"),
        ("~no-such-user", "nb.ipynb"),
    ],
)
def test_a_path_that_is_no_notebook_on_this_machine_is_none(
    page: Page, root: str, path: str | None
) -> None:
    page.tell(root=str(page.folder) if root == "FOLDER" else root, path=path)
    assert page.known == [True, "None", None, ["a", "b"], 0, []]


@pytest.mark.parametrize("name", ["nb.py", "nb.md", "nb.qmd", "nb.Rmd", "nb.R", "nb.jl", "ä/n b"])
def test_whatever_file_is_shown_as_a_notebook_is_its_file(page: Page, name: str) -> None:
    (page.folder / name).parent.mkdir(exist_ok=True)
    (page.folder / name).write_text("# %%", encoding="utf-8")
    page.tell(path=name)
    assert page.known[1] == str(page.folder / name)


def test_a_server_that_serves_the_home_folder_says_so_with_a_tilde(page: Page) -> None:
    page.tell(root="~")
    assert page.known[1] == str(page.folder / "nb.ipynb")


@pytest.mark.parametrize(
    "said",
    [
        None,
        "page",
        [],
        {},
        {"type": "other"},
        {"type": "page"},
        {"type": "page", "cells": "ab"},
        {"type": "page", "cells": [1]},
        {"type": "page", "cells": ["a", ""]},
        {"type": "page", "cells": ["a" * 300]},
        {"type": "page", "cells": ["a"] * 20_001},
        {**PAGE, "cells": ["a", ""]},
        {**PAGE, "path": 1},
        {**PAGE, "root": None},
        {**PAGE, "fresh": "yes"},
        {"type": "seen"},
        {"type": "seen", "cells": {}, "left_out": 0},
        {"type": "seen", "cells": [], "left_out": "1"},
        {"type": "seen", "cells": [], "left_out": -1},
        {"type": "seen", "cells": [], "left_out": True},
        {"type": "seen", "cells": [None, 1, {}, {"id": "b"}], "left_out": 0},
        {"type": "seen", "cells": [{"id": 1, "source": "x", "outputs": []}], "left_out": 0},
        {"type": "seen", "cells": [{"id": "b", "source": None, "outputs": []}], "left_out": 0},
        {"type": "seen", "cells": [{"id": "b", "source": "x", "outputs": {}}], "left_out": 0},
        {"type": "cells"},
        {"type": "cells", "cells": {}},
        {"type": "cells", "cells": None},
        {"type": "cells", "cells": [None] * 20_001},
        {"type": ["cells"], "cells": []},
    ],
)
def test_a_malformed_message_changes_nothing(page: Page, said: object) -> None:
    page.tell(fresh=True, conversation="c-1")
    page.seen(cell("a", stream("1")))
    page.live(stands("a"))
    before = page.known, page.value(LIVE)
    assert page.say(said) == []
    assert (page.known, page.value(LIVE)) == before


@pytest.mark.parametrize("said", [1, "", "a b", "../a", "a" * 129, "é", "a\n", ["a"]])
def test_an_id_that_can_be_no_conversation_is_not_taken(page: Page, said: object) -> None:
    page.tell(conversation=said)
    assert page.known == NOTHING


def test_what_is_left_out_is_said_in_the_kernels_log_alone(own: Page) -> None:
    own.kernel.run(HEAR_LOG)
    own.kernel.run(ATTACH, cell="attaching")
    assert own.say({**PAGE, "cells": ["<b>" * 100]}) == []
    line = "claude_magic left out what the page said: page.cells[0] has more than 256 characters"
    assert own.value("said") == [line]


def test_cells_of_all_kinds_are_known_as_they_stood_when_they_were_told(page: Page) -> None:
    page.tell(fresh=True, cells=["a", "b", "c"])
    assert (
        page.live(
            stands("a"),
            stands("b", kind="markdown", source="# B", count=None, outputs=0, tags=[]),
            stands("c", kind="raw", source="d", missing=7, count=None, outputs=None),
        )
        == []
    )
    a, b = ["a", "code", "x", 1, 2, ["t"]], ["b", "markdown", "# B", None, 0, []]
    c = ["c", "raw", "d", None, None, ["t"]]
    assert page.value(LIVE) == [[*a, 1, 0], [*b, 1, 0], [*c, 1, 7]]
    page.live(stands("b", source="# C"), stands("elsewhere"))
    assert page.value(LIVE) == [[*a, 1, 0], [*c, 1, 7], ["b", "code", "# C", 1, 2, ["t"], 2, 0]]
    page.tell(cells=["b", "a"])
    assert page.value("[*front.live]") == ["a", "b"], "a cell that is not on the page any more"


def test_a_text_that_did_not_change_is_not_told_again(page: Page) -> None:
    page.tell(fresh=True)
    page.live(stands("a", source="long", missing=9))
    assert page.live(stands("a", source=MISSING, outputs=None, count=None)) == []
    assert page.value(LIVE) == [["a", "code", "long", None, None, ["t"], 2, 9]]
    page.live(stands("a", source="short"))
    assert page.value(LIVE) == [["a", "code", "short", 1, 2, ["t"], 3, 0]]


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "a",
        [],
        {},
        stands("", source="y"),
        stands("b" * 257),
        stands("b", id=1),
        stands("b", kind="code "),
        stands("b", kind=None),
        stands("b", kind=MISSING),
        stands("b", source=None),
        stands("b", source=["x"]),
        stands("b", source="x" * 1_000_001),
        stands("b", missing=-1),
        stands("b", missing="1"),
        stands("b", count="1"),
        stands("b", count=-1),
        stands("b", count=1.5),
        stands("b", count=True),
        stands("b", count=MISSING),
        stands("b", outputs=-1),
        stands("b", outputs=[]),
        stands("b", outputs=2**53),
        stands("b", outputs=MISSING),
        stands("b", tags=None),
        stands("b", tags="t"),
        stands("b", tags=[1]),
        stands("b", tags=["t" * 101]),
        stands("b", tags=["t"] * 101),
        stands("b", tags=MISSING),
    ],
)
def test_a_malformed_cell_takes_no_other_with_it(page: Page, malformed: object) -> None:
    page.tell(fresh=True, cells=["a", "b", "c"])
    assert page.live(stands("a"), malformed, stands("c")) == []
    assert page.value("[*front.live]") == ["a", "c"]


def test_whatever_cells_are_left_out_are_one_line_in_the_log(own: Page) -> None:
    own.kernel.run(HEAR_LOG)
    own.kernel.run(ATTACH)
    own.tell()
    own.live(*[stands("a", kind="<b>")] * 9, stands("b"))
    own.seen(cell("a", stream("1")), cell("b") | {"source": 1})
    start = "claude_magic left out"
    assert own.value("said") == [
        f"{start} cells that the page told, 9: cells.cells[0].kind is none of code, markdown, raw",
        f"{start} cells that the page told, 1: seen.cells[1].source is no text",
    ]
    assert own.value("[[*front.live], [*front.seen]]") == [["b"], ["a"]]


def test_texts_that_are_too_much_in_all_drop_what_was_told_first(page: Page) -> None:
    ids = [str(n) for n in range(45)]
    page.tell(fresh=True, cells=ids)
    for start in range(0, 45, 5):
        page.live(*(stands(id_, source="x" * 999_999) for id_ in ids[start : start + 5]))
    assert page.value("[*front.live]") == ids[5:]


AGAIN = {"type": "again"}


def test_who_takes_more_to_be_told_than_is_known_is_asked_to_tell_it_again(page: Page) -> None:
    assert page.live(stands("a")) == [AGAIN], "of a page that was never told"
    assert page.say({"type": "seen", "cells": [], "left_out": 0}) == [AGAIN]
    assert page.value("[front.told, *front.live]") == [False]
    assert page.tell() == [AGAIN], "not as one who knows nothing of the kernel"
    assert page.live(stands("a", source=MISSING), stands("b")) == [AGAIN]
    assert page.value("[*front.live]") == ["b"]
    assert page.tell(fresh=True) == [RAN]


def test_of_two_tabs_the_one_that_spoke_last_is_the_page(page: Page) -> None:
    page.tell(fresh=True)
    page.live(stands("a", source="one"), stands("b"))
    page.seen(cell("b", stream("1")))
    other = {**PAGE, "cells": ["a", "c"], "path": None, "fresh": True}
    assert page.say(other, tab="two") == [RAN | {"alone": False}]
    page.live(stands("a", source="two"), tab="two")
    told = "[[*front.cells], [c.source for c in front.live.values()], [*front.seen], front.path]"
    assert page.value(told.replace("front.path", "str(front.path)")) == [
        ["a", "c"],
        ["two"],
        [],
        "None",
    ]
    assert page.live() == [], "what comes next is the first tab's"
    path = str(page.folder / "nb.ipynb")
    assert page.value(told.replace("front.path", "str(front.path)")) == [
        ["a", "b"],
        ["one", "x"],
        ["b"],
        path,
    ]


def test_tabs_that_were_closed_are_forgotten(page: Page) -> None:
    for tab in "12345":
        page.say({**PAGE, "fresh": True}, tab=tab)
    assert page.live(tab="2") == []
    assert page.live(tab="1") == [AGAIN]


def test_outputs_of_cells_that_did_not_run_here_are_kept_by_cell(page: Page) -> None:
    page.tell()
    outputs = [
        stream("1\n"),
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["E: e"]},
        shown(text_plain="2", image_png="aQ==", application_json={"a": [1]}),
    ]
    page.seen(cell("a", *outputs), cell("b", stream("3")), left_out=2)
    assert page.known[4:] == [2, [["a", "x", outputs], ["b", "x", [stream("3")]]]]
    page.seen(cell("b", stream("4"), source="y"))
    assert page.known[4:] == [0, [["a", "x", outputs], ["b", "y", [stream("4")]]]]
    page.seen(cell("a"))
    assert page.known[5] == [["b", "y", [stream("4")]]]
    page.tell(cells=["a"])
    assert page.known[5] == [], "a cell that is not on the page any more"


def test_outputs_are_not_told_again_for_another_text_of_their_cell(page: Page) -> None:
    page.tell(fresh=True)
    page.seen(cell("a", stream("1")), cell("b", stream("2"), source=""))
    page.live(stands("a", source="y"), stands("b", kind="markdown"))
    assert page.known[5] == [["a", "y", [stream("1")]], ["b", "", [stream("2")]]]
    page.live(stands("a", source=MISSING, outputs=None))
    assert page.known[5][0] == ["a", "y", [stream("1")]]


@pytest.mark.parametrize(
    "output",
    [
        None,
        {},
        {"output_type": "other"},
        stream(["a", "b"]),
        stream("a") | {"name": "other"},
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": "E"},
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": [1]},
        shown(text_plain=1),
        shown(image_png={"a": 1}),
        shown() | {"data": []},
        shown(text_plain="a") | {"metadata": None},
    ],
)
def test_an_output_that_is_none_is_left_out(page: Page, output: object) -> None:
    page.tell()
    page.seen(cell("a", output, stream("1")))
    assert page.known[5] == [["a", "x", [stream("1")]]]


def test_what_is_too_much_in_all_drops_what_was_told_first(page: Page) -> None:
    page.tell(cells=list("abcde"))
    for id_ in "abcde":
        page.seen(cell(id_, stream("x" * 9_000_000)))
    assert page.value("[*front.seen]") == ["b", "c", "d", "e"]


def test_a_page_that_knows_nothing_yet_is_told_what_ran(page: Page) -> None:
    assert page.tell(fresh=True) == [RAN]
    assert page.tell(fresh=False) == []


def test_a_conversation_is_remembered_until_the_page_says_another(page: Page) -> None:
    said = {"type": "conversation", "id": "c-1"}
    assert [m["data"] for m in page.ran("front.remember('c-1')")] == [said]
    assert page.ran("front.remember('c-1')") == []
    page.tell(conversation=None)
    assert page.known[2] == "c-1", "sent before the page had heard of it"
    assert page.tell(fresh=True) == [said, RAN]
    page.tell(conversation="c-1")
    assert page.ran("front.remember('c-1')") == []
    page.tell(conversation="c-2")
    assert page.known[2] == "c-2"


def test_a_front_end_that_knows_no_such_comm_closes_it_and_nothing_is_shown(page: Page) -> None:
    page.tell(conversation="c-1")
    assert page.say({}, "comm_close") == []
    assert page.known == [False, "None", "c-1", [], 0, []]
    assert page.ran("front.remember('c-2')\nfront.detach()") == []
    assert page.known[2] == "c-1"


def test_detaching_closes_the_comm_and_forgets_and_attaching_opens_it_again(page: Page) -> None:
    page.tell()
    (closed,) = page.ran("front.detach()")
    assert closed["comm_id"] == COMM
    assert page.known == NOTHING
    assert page.ran("front.detach()") == []
    (opened,) = page.ran("front.attach()")
    assert opened["comm_id"] == COMM
    page.tell()
    assert page.known[0]


def test_a_comm_that_another_left_open_is_closed_first(page: Page) -> None:
    code = "left = front\n" + ATTACH + "\nfront.attach()\ndel left\nimport gc; gc.collect()"
    closed, opened = page.ran(code)
    assert "target_name" not in closed
    assert opened["target_name"] == COMM


def test_a_forked_child_says_nothing(page: Page) -> None:
    page.tell()
    child = "import os, warnings; warnings.simplefilter('ignore')\nif not (child := os.fork()):"
    code = (
        f"{child}\n    front.remember('c-1'); front.detach(); os._exit(0)\nos.waitpid(child, 0)[1]"
    )
    ran = page.kernel.run(code)
    assert ran.shown() == "0"
    assert not ran.printed
    assert not [m for m in ran.messages if m["msg_type"].startswith("comm")]
    assert page.known[0]


def test_without_a_kernel_there_is_no_comm(own: Page) -> None:
    for shell in (SimpleNamespace(), SimpleNamespace(kernel=None)):
        front = FrontEnd(cast(Any, shell), ran=list)
        front.attach()
        front.remember("c-1")
        front.detach()
        assert not front.told
        assert front.conversation is None


def test_the_lab_extension_has_the_version_of_the_package() -> None:
    for name in ("package.json", "package-lock.json"):
        package = json.loads((LABEXTENSION / name).read_text(encoding="utf-8"))
        assert (package["name"], package["version"]) == ("claude-magic", __version__)


def test_the_lock_names_no_download_host() -> None:
    lock = json.loads((LABEXTENSION / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_a_mark_is_heard_once_all_is_that_was_told_before_it(page: Page) -> None:
    page.tell(fresh=True)
    assert not page.value("front.heard('m-1', 0)")
    page.live(stands("a"))
    page.say(MARK)
    assert page.value("front.heard('m-1', 0)")
    assert page.value("front.live['a'].source") == "x"


def test_what_was_told_before_a_mark_stands_after_it(page: Page) -> None:
    page.tell(fresh=True)
    page.live(stands("a"))
    page.seen(cell("a", {"output_type": "stream", "name": "stdout", "text": "1"}))
    known = page.known
    assert page.say(MARK) == []
    assert page.live() == [], "nothing is to be told again"
    assert page.known == known


def test_the_mark_of_a_page_that_is_not_known_is_heard_once_that_is_told(page: Page) -> None:
    page.tell(fresh=True, tab="another")
    assert page.say(MARK) == [{"type": "again"}]
    assert not page.value("front.heard('m-1', 0)")
    page.tell(fresh=True)
    page.say(MARK)
    assert page.value("front.heard('m-1', 0)")
