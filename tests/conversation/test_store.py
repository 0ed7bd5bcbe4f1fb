"""What a store keeps and gives back."""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.steps import Step
from claude_magic.conversation.store import Store
from claude_magic.conversation.store_records import Found
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import document_base64, image_base64, image_url, text
from claude_magic.messages.usage import Usage
from tests.conversation.store_child import asked, image, turn

PIXELS = image(1)


def segments(root: Path) -> list[Path]:
    return sorted((root / "c").glob("*.jsonl"))


def records(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in segments(root) for line in path.read_text().splitlines()]


def test_nothing_is_made_before_the_first_write(tmp_path: Path) -> None:
    store = Store(tmp_path / "root", "c")
    assert store.load().turns == ()
    store.progress("no such turn", [text("a")])
    store.retire([])
    store.purge()
    assert list(tmp_path.iterdir()) == []
    assert store.warnings == []


def test_every_record_says_where_it_stands(tmp_path: Path) -> None:
    first, second = (Store(tmp_path, "c", clock=lambda: 7.5) for _ in range(2))
    first.end(turn("a"))
    second.load()
    second.note("fork", {"forked_from": "x"})
    found = sorted(records(tmp_path), key=lambda r: r["lamport"])
    assert [(r["schema"], r["lamport"], r["seq"], r["kind"], r["time"]) for r in found] == [
        (1, 1, 1, "order", 7.5),
        (1, 2, 2, "turn_start", 7.5),
        (1, 3, 3, "turn_end", 7.5),
        (1, 4, 1, "fork", 7.5),
    ]
    assert {r["segment"] for r in found} == {path.stem for path in segments(tmp_path)}


def test_the_end_does_not_repeat_what_was_asked(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.end(turn("a"))
    end = records(tmp_path)[-1]
    own = {"schema", "lamport", "segment", "seq", "kind", "time", "turn"}
    assert set(end) - own == {
        "reply",
        "usage",
        "status",
        "stop_reason",
        "ended",
        "model",
        "digest",
        "healed",
    }


def test_a_start_is_there_for_others_before_the_request_leaves(tmp_path: Path) -> None:
    Store(tmp_path, "c", clock=lambda: 9.0).start(asked(turn("a")))
    (broken,) = Store(tmp_path, "c").load().turns
    assert broken == replace(asked(turn("a")), status="broken", ended=9.0)


def test_a_turn_that_did_not_end_holds_what_had_come(tmp_path: Path) -> None:
    store = Store(tmp_path, "c", clock=lambda: 9.0)
    store.start(asked(turn("a")))
    store.progress("a", [text("An")])
    store.progress("a", [text("An ant")])
    (broken,) = Store(tmp_path, "c").load().turns
    assert (broken.status, broken.reply, broken.ended) == ("broken", (text("An ant"),), 9.0)


def test_of_a_turn_s_progress_only_the_newest_is_held(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    for count in range(1, 50):
        store.progress("a", [text("word " * count)])
    found = Found()
    for path in [*segments(tmp_path), *segments(tmp_path)]:
        found.read(path.read_bytes().splitlines(keepends=True))
    assert [record["seq"] for record in found.ordered()] == [1, 2, 51]


def test_the_order_of_the_cells_is_written_once_and_what_was_seen_as_what_was_added(
    tmp_path: Path,
) -> None:
    """Else a thousand turns on a page of a thousand cells would write a million ids."""
    cells = tuple(f"cell {n}" for n in range(1000))
    turns = [
        replace(turn(f"t{n}"), saw=tuple(f"t{m}" for m in range(n)), order=cells) for n in range(30)
    ]
    changed = replace(turn("last"), saw=("t3", "t1"), order=cells[::-1])
    store = Store(tmp_path, "c")
    for each in (*turns, changed):
        store.end(each)
    (segment,) = segments(tmp_path)
    assert segment.read_text().count("cell 500") == 2
    assert sum('"t7"' in line for line in segment.read_text().splitlines()) < 5
    assert list(Store(tmp_path, "c").load().turns) == [*turns, changed]


def test_of_an_order_that_changed_what_came_and_went_is_written(tmp_path: Path) -> None:
    """Else a page that gets a cell with every question would be written with every turn."""
    store, whole, cells = Store(tmp_path, "c"), [], [f"cell {n}" for n in range(1000)]
    for number in range(120):
        cells.insert(500, f"new {number}")
        del cells[2]
        whole.append(replace(turn(f"t{number}"), saw=(), order=tuple(cells)))
        store.end(whole[-1])
    (segment,) = segments(tmp_path)
    assert segment.read_text().count("cell 999") == 3  # now and then it is spelled out again
    assert list(Store(tmp_path, "c").load().turns) == whole


orders = st.lists(st.lists(st.sampled_from("abcdef")).map(tuple), max_size=8)


@given(orders=orders)
def test_any_orders_come_back(orders: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root), "c")
        for number, order in enumerate(orders):
            store.end(replace(turn(str(number)), order=order))
        found = Store(Path(root), "c").load().turns
        assert [t.order for t in found] == orders


def test_turns_that_were_read_can_be_written_to_another_conversation(tmp_path: Path) -> None:
    store, ids = Store(tmp_path, "c"), [f"t{n}" for n in range(120)]
    cells = tuple(f"cell {n}" for n in range(200))
    for number, name in enumerate(ids):
        store.end(replace(turn(name), saw=tuple(ids[:number]), order=cells[: number + 50]))
    loaded = Store(tmp_path, "c").load()
    found = loaded.turns
    Store(tmp_path, "d").adopt(loaded)
    again = Store(tmp_path, "d").load().turns
    assert again == found
    assert [t.saw for t in again] == [tuple(ids[:number]) for number in range(120)]
    assert [t.order for t in again] == [cells[: number + 50] for number in range(120)]
    assert Turn.from_json(again[-1].to_json()) == again[-1]


def test_an_order_that_is_lost_takes_those_that_are_like_it_and_no_turn(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    pages = [("a",), ("a", "b"), ("a", "b", "c")]
    for number, order in enumerate([*pages, pages[0]]):
        store.end(replace(turn(str(number)), order=order))
    (segment,) = segments(tmp_path)
    lines = segment.read_text().splitlines(keepends=True)
    lost = next(line for line in lines if '"like"' in line)
    segment.write_text("".join(line for line in lines if line != lost))
    again = Store(tmp_path, "c")
    assert [t.order for t in again.load().turns] == [("a",), (), (), ("a",)]
    assert again.warnings == []


@pytest.mark.parametrize(("head", "tail"), [(-1, 0), (0, -1), (1, 1), (None, 0), (0, "0")])
def test_an_order_that_is_like_another_in_no_way_is_set_aside(
    tmp_path: Path, head: Any, tail: Any
) -> None:
    store = Store(tmp_path, "c")
    for number, order in enumerate([("a",), ("a", "b")]):
        store.end(replace(turn(str(number)), order=order))
    (segment,) = segments(tmp_path)
    lines = [json.loads(line) for line in segment.read_text().splitlines()]
    lines = [{**line, "head": head, "tail": tail} if "like" in line else line for line in lines]
    segment.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = Store(tmp_path, "c")
    assert [t.order for t in again.load().turns] == [("a",), ()]
    assert "could not be read: 1" in again.warnings[0]


def test_turns_that_were_written_whole_are_read(tmp_path: Path) -> None:
    """As earlier versions wrote them."""
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = segments(tmp_path)
    lines = [json.loads(line) for line in segment.read_text().splitlines()]
    start = next(line for line in lines if line["kind"] == "turn_start")
    start["turn"] |= {"order": ["x", "y"], "saw": ["one", "two"]}
    segment.write_text("".join(json.dumps(line) + "\n" for line in lines[1:]))
    (found,) = Store(tmp_path, "c").load().turns
    assert (found.order, found.saw) == (("x", "y"), ("one", "two"))


def test_an_order_that_is_lost_leaves_the_turn(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = segments(tmp_path)
    segment.write_text("".join(segment.read_text().splitlines(keepends=True)[1:]))
    (found,) = Store(tmp_path, "c").load().turns
    assert found == replace(turn("a"), order=())


def test_progress_after_the_end_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.end(turn("a"))
    store.progress("a", [text("late")])
    assert Store(tmp_path, "c").load().turns == (turn("a"),)


def test_a_turn_that_is_ended_once_more_has_its_steps_once(tmp_path: Path) -> None:
    """As where the end of a reply is interrupted."""
    store = Store(tmp_path, "c")
    steps = tuple(Step("tools", (text(f"call {n}"),), (text("result"),)) for n in range(2))
    whole = replace(turn("a"), steps=steps)
    store.start(asked(turn("a")))
    store.step("a", steps[0])
    for _ in range(2):
        store.end(whole)
    assert Store(tmp_path, "c").load().turns == (whole,)


def test_turns_come_in_the_order_started(tmp_path: Path) -> None:
    one, two = Store(tmp_path, "c"), Store(tmp_path, "c")
    for number, store in enumerate([one, two, two, one, two]):
        store.load()
        store.start(asked(turn(str(number))))
    for number, store in reversed(list(enumerate([one, two, two, one, two]))):
        store.end(turn(str(number)))
    assert [t.id for t in Store(tmp_path, "c").load().turns] == ["0", "1", "2", "3", "4"]


def test_a_restored_turn_stands_in_place_of_the_newer_ones_of_its_question(tmp_path: Path) -> None:
    places = {"old": ("A", 0), "new": ("A", 0), "next": ("A", 1), "other": ("B", 0)}
    store = Store(tmp_path, "c")
    for name, (cell, ordinal) in places.items():
        store.end(replace(turn(name), cell=cell, ordinal=ordinal))
    store.retire(["old"])
    assert Store(tmp_path, "c").load().retired == {"old"}
    store.restore("old")
    assert Store(tmp_path, "c").load().retired == {"new"}


def test_a_restored_turn_without_a_cell_stands_beside_the_others(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    for name in ("old", "new"):
        store.end(replace(turn(name), cell=None))
    store.retire(["old"])
    store.restore("old")
    assert store.load().retired == frozenset()


def test_notes_come_back_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, "c", clock=lambda: 3.0)
    store.note("path", {"path": "a/b.ipynb", "host": "h"})
    (note,) = Store(tmp_path, "c").load().notes
    assert note.items() >= {"kind": "path", "time": 3.0, "path": "a/b.ipynb", "host": "h"}.items()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param("retire", {"turns": []}, id="kind of the store"),
        pytest.param("path", {"seq": 1}, id="name of the store"),
    ],
)
def test_a_note_cannot_pass_for_a_record_of_the_store(
    tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="the store uses"):
        Store(tmp_path, "c").note(kind, values)


def test_purge_deletes_records_and_images_and_the_next_turn_starts_afresh(tmp_path: Path) -> None:
    store, other = Store(tmp_path, "c"), Store(tmp_path, "d")
    store.end(turn("a"))
    other.end(turn("b"))
    store.purge()
    assert not (tmp_path / "c").exists()
    assert other.load().turns == (turn("b"),)
    store.end(turn("c"))
    assert Store(tmp_path, "c").load().turns == (turn("c"),)
    assert store.warnings == []


def test_an_image_is_kept_once_and_held_once(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    for name in "ab":
        shown = image_base64("image/png", "".join(PIXELS))
        result = {"type": "tool_result", "tool_use_id": "t", "content": [text("see"), shown]}
        store.end(replace(turn(name), asked=(shown, result), reply=(text("ok"),)))
    (file,) = (tmp_path / "c" / "images").iterdir()
    assert file.read_bytes() == base64.b64decode(PIXELS)
    assert PIXELS[:100] not in segments(tmp_path)[0].read_text()
    a, b = Store(tmp_path, "c").load().turns
    held = [t.asked[0]["source"]["data"] for t in (a, b)]
    held += [t.asked[1]["content"][1]["source"]["data"] for t in (a, b)]
    assert held == [PIXELS] * 4
    assert len({id(data) for data in held}) == 1


SOURCES = {
    "png": image_base64("image/png", PIXELS),
    "pdf": document_base64("application/pdf", PIXELS, "Title"),
    "address": image_url("https://example.com/a.png"),
    "empty": image_base64("image/png", ""),
    "line breaks": image_base64("image/png", "QUJD\nREVG"),
    "no padding": image_base64("image/png", "QUI"),
    "stray bits": image_base64("image/png", "QUJ="),
    "not base64": image_base64("image/png", "<&>"),
    "more fields": {"type": "image", "source": {**image_base64("a", "QUJD")["source"], "x": 1}},
    "the store's own word": {
        "type": "image",
        "source": {"type": "stored", "sha256": "0" * 64, "media_type": "image/png"},
    },
    "the store's own word twice": {
        "type": "image",
        "source": {"type": "stored", "verbatim": {"type": "stored", "verbatim": 1}},
    },
    "source that is text": {"type": "search_result", "source": "https://example.com"},
    "nested in an unknown block": {
        "type": "hologram",
        "rays": [{"deep": [image_base64("image/webp", PIXELS)]}],
        "source": {"type": "other", "content": [image_base64("image/gif", PIXELS)]},
    },
}


@pytest.mark.parametrize("block", SOURCES.values(), ids=SOURCES.keys())
def test_a_block_comes_back_as_it_was(tmp_path: Path, block: dict[str, Any]) -> None:
    whole = replace(turn("a"), asked=(text("What?"), block), reply=(block,))
    Store(tmp_path, "c").end(whole)
    store = Store(tmp_path, "c")
    assert store.load().turns == (whole,)
    assert store.warnings == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(list(SOURCES.values())),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)
blocks = st.lists(
    st.dictionaries(st.text(), json_values, max_size=3)
    | st.builds(text, st.text())
    | st.sampled_from(list(SOURCES.values())),
    max_size=3,
).map(tuple)
turns = st.builds(
    Turn,
    id=st.text(),
    asked=blocks,
    reply=blocks,
    model=st.text(),
    server=st.text(),
    parameters=st.dictionaries(st.text(), json_values, max_size=3),
    usage=st.builds(Usage, fresh=st.integers(0, 10**9), output=st.integers(0, 10**9)),
    status=st.sampled_from(["complete", "interrupted", "broken", "refused"]),
    stop_reason=st.none() | st.text(),
    cell=st.none() | st.text(),
    ordinal=st.integers(0, 9),
    saw=st.lists(st.text()).map(tuple),
    order=st.lists(st.text()).map(tuple),
    started=st.floats(0, 1e10),
    ended=st.floats(0, 1e10),
    digest=st.text(),
)


@given(whole=turns)
@settings(max_examples=150)
def test_any_turn_comes_back_equal(whole: Turn) -> None:
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root), "c")
        store.start(replace(whole, reply=(), usage=Usage(), status="complete"))
        store.progress(whole.id, whole.reply)
        store.end(whole)
        again = Store(Path(root), "c")
        assert again.load().turns == (whole,)
        assert again.warnings == store.warnings == []


class Model:
    """What a conversation holds, in plain words: turns in the order started, with their writer."""

    def __init__(self) -> None:
        self.turns: dict[str, Turn] = {}
        self.writer: dict[str, object] = {}  # of the turns that still run
        self.retired: set[str] = set()

    def restore(self, name: str) -> None:
        cell = self.turns[name].cell
        self.retired |= {other for other, t in self.turns.items() if t.cell == cell}
        self.retired.discard(name)

    def seen_by(self, store: object) -> tuple[Turn, ...]:
        return tuple(t for name, t in self.turns.items() if self.writer.get(name) is not store)


steps = st.lists(
    st.tuples(
        st.sampled_from(["start", "progress", "end", "retire", "restore", "restart", "whole"]),
        st.integers(0, 2),  # the store
        st.integers(0, 7),  # the turn, of those that there are
    ),
    max_size=30,
)


@given(steps=steps)
@settings(max_examples=100)
def test_stores_on_one_folder_agree_with_a_simple_model(
    steps: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        stores = [Store(Path(root), "c", clock=lambda: 5.0) for _ in range(3)]
        model = Model()
        for number, (step, which, chosen) in enumerate(steps):
            store = stores[which]
            store.load()
            running = [name for name, writer in model.writer.items() if writer is store]
            mine = running[chosen % len(running)] if running else None
            known = [*model.turns][chosen % len(model.turns)] if model.turns else None
            fresh = replace(turn(str(number), number), cell=f"cell {chosen % 3}")
            if step == "start":
                store.start(asked(fresh))
                model.turns[fresh.id] = replace(asked(fresh), status="broken", ended=5.0)
                model.writer[fresh.id] = store
            elif step == "whole":
                store.end(fresh)
                model.turns[fresh.id] = fresh
            elif step == "progress" and mine:
                store.progress(mine, fresh.reply)
                model.turns[mine] = replace(model.turns[mine], reply=fresh.reply)
            elif step == "end" and mine:
                ended = replace(model.turns[mine], status="interrupted", reply=fresh.reply[:1])
                store.end(ended)
                model.turns[mine] = ended
                del model.writer[mine]
            elif step == "retire" and known:
                store.retire([known])
                model.retired.add(known)
            elif step == "restore" and known:
                store.restore(known)
                model.restore(known)
            elif step == "restart":
                stores[which] = Store(Path(root), "c", clock=lambda: 5.0)
                for name in running:
                    del model.writer[name]
        for store in [*stores, Store(Path(root), "c")]:
            loaded = store.load()
            assert loaded.turns == model.seen_by(store)
            assert loaded.retired == model.retired
            assert (loaded.notes, store.warnings, loaded.read_only) == ((), [], False)
