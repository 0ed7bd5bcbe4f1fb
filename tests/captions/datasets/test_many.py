"""Captions for many images, against the offline server over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel

from claude_magic.captions.datasets.caption_run import CaptionRun, How, check
from claude_magic.captions.image_question import OVER_BUDGET
from claude_magic.captions.job import Wanted
from claude_magic.messages.errors import AuthenticationError, InputError, Interrupted
from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import (
    COLUMNS,
    access,
    coloured,
    folder_of,
    paying,
    questions,
    ran,
)
from tests.messages.transport.quick_clock import QuickClock


class Finding(BaseModel):
    """A schema of one's own."""

    organism: str
    cells: int
    blurred: bool
    notes: list[str]


def test_each_image_is_a_row_in_order_with_the_columns_of_a_caption(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "scans", 12)
    with OfflineServer() as server:
        table = ran(folder, access(server))
        assert list(table.columns) == COLUMNS
        assert list(table["source"]) == [str(p) for p in sorted(folder.iterdir())]
        assert table["error"].isna().all()
        assert (table["input_tokens"] > 100).all() and (table["output_tokens"] > 10).all()
        assert table["cost"].between(0.0005, 0.01).all()
        assert len(questions(server)) == 12


def test_a_question_holds_the_image_the_guidance_and_the_schema() -> None:
    with OfflineServer() as server:
        ran([coloured(1)], access(server))
        (asked,) = questions(server)
    assert "text alternatives" in asked["system"]
    image, words = asked["messages"][0]["content"]
    assert image["source"]["media_type"] == "image/png"
    assert words["text"] == "Write the text alternatives for this figure."
    schema = asked["output_config"]["format"]["schema"]
    assert list(schema["properties"])[:3] == ["kind", "alt_text", "description"]
    assert "cache_control" not in asked


def test_a_schema_and_a_prompt_of_ones_own() -> None:
    with OfflineServer() as server:
        wanted = Wanted(Finding, "Count the cells.", model="haiku", max_tokens=900, effort="low")
        table = ran([coloured(1)], access(server), wanted)
        (asked,) = questions(server)
    assert list(table.columns)[:5] == ["source", "organism", "cells", "blurred", "notes"]
    assert table["cells"].dtype.kind == "i" and isinstance(table["organism"][0], str)
    assert asked["model"] == "claude-haiku-5-5" and asked["max_tokens"] == 900
    assert asked["output_config"]["effort"] == "low"
    assert asked["messages"][0]["content"][1]["text"] == "Count the cells."


@dataclass
class Plain:
    name: str


@pytest.mark.parametrize(
    "schema",
    [Plain, {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}],
    ids=["a dataclass", "a JSON schema"],
)
def test_a_schema_in_another_form(schema: object) -> None:
    with OfflineServer() as server:
        table = ran([coloured(1)], access(server), Wanted(schema))
    assert list(table.columns)[:2] == ["source", "name"]


def test_a_schema_that_is_no_object_has_one_column() -> None:
    with OfflineServer() as server:
        table = ran([coloured(1)], access(server), Wanted(list[int]))
    assert list(table.columns)[:2] == ["source", "value"]
    assert len(table["value"][0]) >= 1


def test_the_same_image_is_asked_about_once() -> None:
    images = [coloured(1), coloured(2), coloured(1), coloured(1)]
    with OfflineServer() as server:
        table = ran(images, access(server))
        assert len(questions(server)) == 2
    assert len(table) == 4 and table["error"].isna().all()
    assert table["alt_text"][0] == table["alt_text"][2]


def test_a_pandas_column_keeps_its_index_and_a_polars_one_gives_polars(tmp_path: Path) -> None:
    paths = [str(p) for p in sorted(folder_of(tmp_path / "a", 3).iterdir())]
    with OfflineServer() as server:
        column = pd.Series(paths, index=["x", "y", "z"])
        assert list(ran(column, access(server)).index) == ["x", "y", "z"]
        table = ran(pl.Series(paths), access(server))
    assert isinstance(table, pl.DataFrame) and table.columns == COLUMNS


def test_a_row_that_fails_is_a_row_with_an_error_and_the_others_stand(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    images = [coloured(1), tmp_path / "text.png", None, tmp_path / "gone.png", 3, coloured(2)]
    with OfflineServer() as server:
        table = ran(images, access(server))
        assert len(questions(server)) == 2
    assert list(table["error"].isna()) == [True, False, False, False, False, True]
    assert [str(e)[:24] for e in table["error"][1:5]] == [
        "these bytes are not an i",
        "there is no image in thi",
        f"'{tmp_path / 'gone.png'}'"[:24],
        "int is not an image: pas",
    ]


FAULTS = {
    "refusal": "the model declined",
    "max_tokens": "cut off: raise max_tokens",
    "reject_images": "Could not process image",
}


@pytest.mark.parametrize("behaviour", FAULTS)
def test_what_is_wrong_with_one_image_is_the_error_of_its_row(behaviour: str) -> None:
    with OfflineServer(behaviours=[behaviour]) as server:
        table = ran([coloured(n) for n in range(3)], access(server), concurrency=1)
    assert table["error"].notna().sum() == 1
    assert FAULTS[behaviour] in table["error"].dropna().iloc[0]


def test_a_reply_that_breaks_off_is_asked_for_again() -> None:
    with OfflineServer(behaviours=["cut", "error_mid_stream"]) as server:
        table = ran([coloured(1)], access(server))
        assert len(questions(server)) == 3
    assert table["error"].isna().all()


def test_a_reply_that_is_not_the_json_is_asked_for_once_more() -> None:
    with OfflineServer(behaviours=["bad_json"]) as server:
        table = ran([coloured(1)], access(server))
        _, second = questions(server)
    assert table["error"].isna().all()
    assert len(second["messages"]) == 3
    assert "does not fit" in second["messages"][2]["content"]
    assert table["input_tokens"][0] > 1.5 * 700, "both requests count"


def test_a_reply_that_never_is_the_json_is_an_error() -> None:
    with OfflineServer(behaviours=["bad_json", "bad_json"]) as server:
        table = ran([coloured(1)], access(server))
        assert len(questions(server)) == 2
    assert "JSON" in table["error"][0]


def test_every_tenth_refusal_loses_no_row_and_repeats_only_what_was_refused() -> None:
    """400 images with 10 % of 429 and 529: as many requests as rows and refusals."""
    count = 400
    with OfflineServer(behaviours=["every_tenth"], keep=1000) as server:
        table = ran((coloured(n) for n in range(count)), access(server, QuickClock()))
        requests = len(questions(server))
    assert len(table) == count and table["error"].isna().all()
    assert table["source"].tolist() == [f"#{n + 1}" for n in range(count)]
    assert requests == count + requests // 10


def test_what_is_wrong_with_all_is_raised_at_once() -> None:
    with (
        OfflineServer(behaviours=["unauthorized"] * 50) as server,
        pytest.raises(AuthenticationError),
    ):
        ran([coloured(n) for n in range(200)], access(server))
    assert len(server.requests) <= 10


def test_what_is_wrong_with_all_from_some_point_on_keeps_what_was_paid() -> None:
    with OfflineServer(behaviours=["normal"] * 5 + ["unauthorized"] * 50) as server:
        table = ran([coloured(n) for n in range(30)], access(server), concurrency=1)
    assert table["error"].isna().sum() == 5 and len(table) == 30
    assert table["error"].str.contains("401").sum() >= 20


# By behaviour of the server: what is said, and the requests that one image takes.
SAME_TROUBLE = {
    "bad_json": ("JSON", 2),
    "refusal": ("the model declined", 1),
    "max_tokens": ("cut off: raise max_tokens", 1),
    "reject_images": ("Could not process image", 1),
    "cut": ("broke off", 3),
}
JOBS = 4


@pytest.mark.met("C5")
class TestTheSameTroubleAgainAndAgain:
    @pytest.mark.parametrize("behaviour", SAME_TROUBLE)
    def test_ends_the_job_after_a_few(self, behaviour: str) -> None:
        """Five images, and what is under way by then."""
        _, each = SAME_TROUBLE[behaviour]
        with (
            OfflineServer(behaviours=[behaviour] * 500, keep=1000) as server,
            pytest.raises(InputError, match=r"The first 5 images all failed .*--keep-going"),
        ):
            ran([coloured(n) for n in range(200)], access(server, QuickClock()), concurrency=JOBS)
        assert 5 * each <= len(questions(server)) <= (5 + JOBS - 1) * each

    @pytest.mark.parametrize("behaviour", SAME_TROUBLE)
    def test_asks_the_user_once_who_may_go_on(self, behaviour: str) -> None:
        said, each = SAME_TROUBLE[behaviour]
        words: list[str] = []

        def go_on(why: str) -> bool:
            assert threading.current_thread() is threading.main_thread()
            words.append(why)
            return True

        with OfflineServer(behaviours=[behaviour] * 500, keep=1000) as server:
            asks = access(server, QuickClock())
            table = ran([coloured(n) for n in range(40)], asks, concurrency=JOBS, go_on=go_on)
            assert len(questions(server)) == 40 * each
        (why,) = words
        assert said in why and table["error"].str.contains(said).all()

    def test_nothing_is_asked_while_the_user_is(self) -> None:
        counts: list[int] = []

        def go_on(_: str) -> bool:
            for _ in range(30):  # those under way come in; then none does
                counts.append(len(questions(server)))
                time.sleep(0.02)
            return False

        with (
            OfflineServer(behaviours=["reject_images"] * 500, keep=1000) as server,
            pytest.raises(InputError),
        ):
            ran([coloured(n) for n in range(200)], access(server), concurrency=JOBS, go_on=go_on)
        assert counts[-1] <= 5 + JOBS - 1 and len(set(counts[-10:])) == 1

    def test_ends_it_later_on_after_ten_in_a_row_and_keeps_what_came(self) -> None:
        behaviours = ["normal", "refusal"] * 9 + ["refusal"] * 8 + ["normal"] * 3
        with OfflineServer(behaviours=[*behaviours, *["refusal"] * 100], keep=1000) as server:
            table = ran([coloured(n) for n in range(100)], access(server), concurrency=1)
            assert len(questions(server)) == len(behaviours) + 10
        assert table["error"].isna().sum() == 12
        assert "10 images in a row failed in the same way" in table["error"].iloc[-1]

    def test_of_another_kind_is_asked_about_again(self) -> None:
        words: list[str] = []

        def go_on(why: str) -> bool:
            words.append(why)
            return True

        behaviours = ["refusal"] * 12 + ["max_tokens"] * 12
        with OfflineServer(behaviours=behaviours) as server:
            ran([coloured(n) for n in range(26)], access(server), concurrency=1, go_on=go_on)
        assert ["declined" in why for why in words] == [True, False]

    def test_files_that_cannot_be_read_are_no_trouble_of_the_server(self, tmp_path: Path) -> None:
        images = [tmp_path / f"{n}.png" for n in range(30)]
        with OfflineServer() as server:
            table = ran([*images, coloured(1)], access(server), concurrency=1)
        assert table["error"].isna().sum() == 1


class TestTheBudget:
    def test_ends_the_job_before_the_request_that_would_pass_it(self) -> None:
        told: list[float] = []
        with OfflineServer() as server:
            asks = paying(server, spend=told.append)
            table = ran([coloured(n) for n in range(20)], asks, budget=0.03, concurrency=1)
            asked = len(questions(server))
        assert 0 < asked < 20
        assert table["error"].isna().sum() == asked
        assert set(table["error"].dropna()) == {OVER_BUDGET}
        assert sum(told) == pytest.approx(table["cost"].sum()) and sum(told) <= 0.03

    def test_is_not_touched_offline(self) -> None:
        with OfflineServer() as server:
            table = ran([coloured(1)], access(server), budget=0.0)
        assert table["error"].isna().all() and table["cost"][0] > 0


@pytest.mark.met("C6")
class TestTheCost:
    def test_of_an_image_that_is_there_often_stands_in_its_first_row(self) -> None:
        told: list[float] = []
        with OfflineServer() as server:
            asks = paying(server, spend=told.append)
            table = ran([coloured(2), *[coloured(1)] * 50], asks)
            assert len(questions(server)) == 2
        assert table["error"].isna().all() and (table["cost"][:2] > 0).all()
        assert table["cost"].sum() == pytest.approx(sum(told))
        assert set(table["cost"][2:]) == {0.0} == {*table["input_tokens"][2:] * 1.0}

    @pytest.mark.parametrize("behaviour", ["bad_json", "cut", "max_tokens"])
    def test_of_what_failed_stands_in_the_table_too(self, behaviour: str) -> None:
        told: list[float] = []
        with OfflineServer(behaviours=[behaviour] * 3) as server:
            asks = paying(server, spend=told.append, clock=QuickClock())
            table = ran([coloured(1), coloured(1), coloured(2)], asks, concurrency=1)
        assert table["error"].notna().sum() >= 2
        assert table["cost"].sum() == pytest.approx(sum(told)) and sum(told) > 0

    def test_that_is_only_held_back_uses_up_no_budget(self) -> None:
        """Sixteen at once hold back more than they cost: the last ones wait for what they leave."""
        told: list[float] = []
        with OfflineServer(pace=0.002, keep=1000) as server:
            asks = paying(server, spend=told.append)
            alone = ran([coloured(1)], asks)["cost"][0]
            budget, told[:] = 40 * alone, []
            table = ran([coloured(n) for n in range(60)], asks, budget=budget, concurrency=16)
        dear = table["cost"].max() * 4  # what one is reckoned with beforehand is a few times that
        assert budget - dear < sum(told) <= budget
        assert set(table["error"].dropna()) == {OVER_BUDGET}


class TestGoingOn:
    def test_a_second_run_asks_nothing(self, tmp_path: Path) -> None:
        images, out = folder_of(tmp_path / "a", 8), tmp_path / "captions.parquet"
        with OfflineServer() as server:
            first = ran(images, access(server), out=out)
            second = ran(images, access(server), out=out)
            assert len(questions(server)) == 8
        pd.testing.assert_frame_equal(first, second)
        pd.testing.assert_frame_equal(pd.read_parquet(out), first)

    def test_moved_and_new_images_cost_only_what_is_new(self, tmp_path: Path) -> None:
        out = tmp_path / "captions.csv"
        with OfflineServer() as server:
            ran(folder_of(tmp_path / "a", 5), access(server), out=out)
            table = ran(folder_of(tmp_path / "b", 7), access(server), out=out)
            assert len(questions(server)) == 7
        assert len(table) == 7

    @pytest.mark.parametrize(
        "wanted",
        [Wanted(prompt="Otherwise."), Wanted(model="haiku"), Wanted(Finding), Wanted(think="off")],
        ids=["the prompt", "the model", "the schema", "thinking"],
    )
    def test_another_question_is_another_job(self, tmp_path: Path, wanted: Wanted) -> None:
        out = tmp_path / "captions.jsonl"
        with OfflineServer() as server:
            ran([coloured(1)], access(server), out=out)
            ran([coloured(1)], access(server), wanted, out=out)
            assert len(questions(server)) == 2
            ran([coloured(1)], access(server), out=out)
            assert len(questions(server)) == 2, "the first one is known still"

    def test_rows_that_failed_are_asked_again(self, tmp_path: Path) -> None:
        out, images = tmp_path / "captions.jsonl", [coloured(n) for n in range(4)]
        with OfflineServer(behaviours=["normal", "refusal"]) as server:
            first = ran(images, access(server), out=out, concurrency=1)
            second = ran(images, access(server), out=out)
            assert len(questions(server)) == 5
        assert first["error"].notna().sum() == 1 and second["error"].isna().all()

    def test_an_interrupt_keeps_what_came_and_says_how_to_go_on(self, tmp_path: Path) -> None:
        out = tmp_path / "captions.parquet"

        def images() -> Any:
            yield from (coloured(n) for n in range(5))
            raise KeyboardInterrupt

        with OfflineServer() as server:
            with pytest.raises(Interrupted, match=r"answers are kept\. Run it again"):
                ran(images(), access(server), out=out, concurrency=1)
            done = len(Path(f"{out}.checkpoint.jsonl").read_text().splitlines())
            table = ran([coloured(n) for n in range(6)], access(server), out=out)
            assert len(table) == 6
            assert done <= len(questions(server)) <= 6 + 2, "those under way may be asked twice"


BAD = {
    "no concurrency": ({"concurrency": 0}, "must be at least 1"),
    "a file of another kind": ({"out": Path("x.xlsx")}, "name the file so"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_said_before_anything_is_sent(case: str) -> None:
    how, said = BAD[case]
    with OfflineServer() as server, pytest.raises(InputError, match=said):
        ran([coloured(1)], access(server), **how)
    assert server.requests == []


def test_without_the_packages_of_the_extra_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from claude_magic.captions.datasets.caption_run import How, check\n"
        "check(How())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith(
        "InputError: Captions for many images need pyarrow: pip install 'claude-magic[caption]'"
    )


def test_the_key_is_in_no_file(tmp_path: Path) -> None:
    out = tmp_path / "captions.jsonl"
    with OfflineServer() as server:
        ran([coloured(1)], paying(server), out=out)
        assert server.requests[0].headers["x-api-key"].startswith("sk-ant-canary")
    for path in tmp_path.iterdir():
        assert "canary" not in path.read_text()


def test_half_of_the_rows_are_not_held_in_memory() -> None:
    """Images are taken from their iterable as threads get free."""
    alive: set[int] = set()
    most: list[int] = []

    class Image(bytes):
        def __new__(cls, number: int) -> Image:
            made = super().__new__(cls, coloured(number))
            alive.add(id(made))
            most.append(len(alive))
            return made

        def __del__(self) -> None:
            alive.discard(id(self))

    with OfflineServer() as server:
        ran((Image(n) for n in range(60)), access(server), concurrency=2)
    assert max(most) < 20


def test_the_checkpoint_is_beside_the_table_and_is_json(tmp_path: Path) -> None:
    out = tmp_path / "captions.parquet"
    with OfflineServer() as server:
        ran([coloured(1)], access(server), out=out)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "captions.parquet",
        "captions.parquet.checkpoint.jsonl",
    ]
    (line,) = (tmp_path / "captions.parquet.checkpoint.jsonl").read_text().splitlines()
    assert json.loads(line)["value"]["confidence"] in ("high", "medium", "low")


def test_a_run_can_be_looked_into() -> None:
    with OfflineServer() as server:
        how = check(How(progress=False))
        with CaptionRun([coloured(1)], Wanted(), how, access(server)) as run:
            run.ask()
            assert (run.tally.done, run.tally.asked, run.tally.errors) == (1, 1, 0)
