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
get_ipython().kernel.log.addHandler(Hears(logging.WARNING))"""
STATE = (
    "[front.told, str(front.path), front.conversation, [*front.cells], front.left_out,"
    " [[cell.id, cell.source, [*cell.outputs]] for cell in front.seen.values()]]"
)
LABEXTENSION = Path(__file__).parents[3] / "labextension"


class Page:
    """Plays the lab extension's part."""

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        self.kernel = kernel
        self.folder = folder

    def say(self, told: object, kind: str = "comm_msg") -> list[Mapping[str, Any]]:
        """Send a message and return what the kernel says to it, once it is done."""
        client = self.kernel.client
        message = client.session.msg(kind, {"comm_id": COMM, "data": told})
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

    def tell(self, **changed: Any) -> list[Mapping[str, Any]]:
        """Tell of a page with two cells, but for what is `changed`."""
        told = {"type": "page", "path": "nb.ipynb", "root": str(self.folder), "fresh": False}
        return self.say(told | {"conversation": None, "cells": ["a", "b"]} | changed)

    def seen(self, *cells: object, left_out: object = 0) -> None:
        self.say({"type": "seen", "cells": cells, "left_out": left_out})

    def ran(self, code: str) -> list[Mapping[str, Any]]:
        """Run code; what it sends to the page."""
        messages = self.kernel.run(code).messages
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
    own.kernel.run(ATTACH)
    return own


def cell(id_: str, *outputs: object, source: str = "x") -> dict[str, Any]:
    return {"id": id_, "source": source, "outputs": list(outputs)}


def stream(text: object) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**bundle: object) -> dict[str, Any]:
    data = {mime.replace("_", "/"): content for mime, content in bundle.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


PAGE = {
    **{"type": "page", "path": "nb.ipynb", "root": "/", "fresh": False},
    **{"conversation": None, "cells": ["a", "b"]},
}
NOTHING = [False, "None", None, [], 0, []]


def test_a_kernel_opens_a_comm_whose_id_is_known_and_shows_nothing(own: Page) -> None:
    own.kernel.run("front = None")
    ran = own.kernel.run(ATTACH + "\nfront.attach()")
    (opened,) = (m["content"] for m in ran.messages if m["msg_type"].startswith("comm_open"))
    assert (opened["comm_id"], opened["target_name"]) == (COMM, COMM)
    assert not ran.outputs
    assert not ran.printed
    assert own.known == NOTHING


def test_a_page_tells_where_the_notebook_is_and_its_cells_in_order(page: Page) -> None:
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
    ],
)
def test_a_malformed_message_changes_nothing(page: Page, said: object) -> None:
    page.tell(conversation="c-1")
    page.seen(cell("a", stream("1")))
    before = page.known
    assert page.say(said) == []
    assert page.known == before


@pytest.mark.parametrize("said", [1, "", "a b", "../a", "a" * 129, "é", "a\n", ["a"]])
def test_an_id_that_can_be_no_conversation_is_not_taken(page: Page, said: object) -> None:
    page.tell(conversation=said)
    assert page.known == NOTHING


def test_what_is_left_out_is_said_in_the_kernels_log_alone(own: Page) -> None:
    own.kernel.run(HEAR_LOG)
    own.kernel.run(ATTACH)
    assert own.say({**PAGE, "cells": ["<b>" * 100]}) == []
    line = "claude_magic left out what the page said: page.cells[0] has more than 256 characters"
    assert own.value("said") == [line]


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
    assert page.tell(fresh=True) == [{"type": "ran", "cells": ["a", "b"]}]
    assert page.tell(fresh=False) == []


def test_a_conversation_is_remembered_until_the_page_says_another(page: Page) -> None:
    said = {"type": "conversation", "id": "c-1"}
    assert [m["data"] for m in page.ran("front.remember('c-1')")] == [said]
    assert page.ran("front.remember('c-1')") == []
    page.tell(conversation=None)
    assert page.known[2] == "c-1", "sent before the page had heard of it"
    assert page.tell(fresh=True) == [said, {"type": "ran", "cells": ["a", "b"]}]
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
