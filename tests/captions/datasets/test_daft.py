"""Claude in Daft's queries, and captions that run on Daft: its local runner, real HTTP."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import daft
import numpy as np
import pytest
from daft.functions import prompt, unnest
from pydantic import BaseModel

from claude_magic.captions.datasets.caption_run import CaptionRun, How, check
from claude_magic.captions.datasets.daft_engine import Dafting
from claude_magic.captions.datasets.remote import RemoteServer
from claude_magic.captions.datasets.work import Bar
from claude_magic.captions.image_question import JobBudget, SameTrouble
from claude_magic.captions.job import Wanted
from claude_magic.messages.errors import AuthenticationError, InputError
from claude_magic.offline import OfflineServer
from claude_magic.scale import ClaudeProvider
from tests.captions.datasets.many_samples import access, coloured, folder_of, paying, questions, ran
from tests.messages.transport.quick_clock import QuickClock


class Finding(BaseModel):
    """A schema of one's own."""

    kind: str
    count: int


class Kind(BaseModel):
    """One for which Daft has no column type."""

    kind: Literal["cell", "gel"]


def asked(server: OfflineServer, columns: dict[str, Any], *parts: Any, **more: Any) -> list[Any]:
    """The answers of `prompt` about a table."""
    provider = ClaudeProvider(access=access(server, QuickClock()), concurrency=4)
    table = daft.from_pydict(columns)
    answer = prompt(list(parts), provider=provider, **more)
    return table.with_column("answer", answer).to_pydict()["answer"]


def test_every_tenth_refusal_loses_no_row_of_a_query() -> None:
    """400 images with 10 % of 429 and 529: 400 answers, no more requests than that."""
    count = 400
    table = {"image": [coloured(n) for n in range(count)]}
    with OfflineServer(behaviours=["every_tenth"], keep=1000) as server:
        found = asked(
            server, table, daft.lit("What is it?"), daft.col("image"), return_format=Finding
        )
        requests = len(questions(server))
    assert len(found) == count and all(row["kind"] for row in found)
    assert requests == count + requests // 10


def test_a_provider_is_attached_by_its_name_and_a_schema_becomes_columns() -> None:
    with OfflineServer() as server:
        daft.attach_provider(ClaudeProvider(access=access(server)))
        try:
            table = daft.from_pydict({"image": [coloured(1), coloured(2)]}).with_column(
                "found",
                prompt(
                    [daft.lit("Count."), daft.col("image")],
                    provider="claude",
                    model="haiku",
                    system_message="You count.",
                    return_format=Finding,
                    max_tokens=700,
                ),
            )
            rows = table.select(unnest(daft.col("found"))).to_pydict()
        finally:
            daft.detach_provider("claude")
        first, _ = questions(server)
    assert list(rows) == ["kind", "count"] and all(isinstance(n, int) for n in rows["count"])
    assert (first["model"], first["max_tokens"]) == ("claude-haiku-5-5", 700)
    assert first["system"] == "You count."
    assert [block["type"] for block in first["messages"][0]["content"]] == ["text", "image"]


def test_words_addresses_and_arrays_go_along() -> None:
    columns = {
        "words": ["Look"],
        "address": ["https://example.org/ant.jpg"],
        "array": [np.zeros((8, 8, 3), np.uint8)],
    }
    with OfflineServer() as server:
        parts = [daft.col(name) for name in columns]
        (answer,) = asked(server, columns, *parts)
        (body,) = questions(server)
    assert isinstance(answer, str) and "output_config" not in body.get("format", {})
    kinds = [(b["type"], b.get("source", {}).get("type")) for b in body["messages"][0]["content"]]
    assert kinds == [("text", None), ("image", "url"), ("image", "base64")]


def test_a_row_without_an_image_has_no_answer_and_costs_nothing() -> None:
    with OfflineServer() as server:
        found = asked(server, {"image": [None, coloured(1)]}, daft.lit("?"), daft.col("image"))
        assert len(questions(server)) == 1
    assert found[0] is None and isinstance(found[1], str)


def test_a_row_that_fails_ends_the_query_or_is_null_as_daft_is_told() -> None:
    columns = {"image": [b"no image", coloured(1)]}
    with OfflineServer() as server:
        with pytest.raises(Exception, match="not an image"):
            asked(server, columns, daft.col("image"))
        found = asked(server, columns, daft.col("image"), on_error="ignore")
    assert found[0] is None and isinstance(found[1], str), "its neighbour keeps its answer"


def test_a_value_without_a_column_type_is_text() -> None:
    with OfflineServer() as server:
        (found,) = asked(server, {"i": [coloured(1)]}, daft.col("i"), return_format=Kind)
    assert json.loads(found)["kind"] in ("cell", "gel")


def test_a_document_goes_along() -> None:
    with OfflineServer() as server:
        asked(server, {"file": [b"%PDF-1.4 ..."]}, daft.col("file"), daft.lit("What is it?"))
        (body,) = [r.json for r in server.requests]
    assert body["messages"][0]["content"][0]["source"]["media_type"] == "application/pdf"


def test_what_is_no_option_is_said_before_anything_runs() -> None:
    with OfflineServer() as server:
        for wrong in ({"temprature": 1}, {"return_format": 3}, {"model": "gpt"}):
            with pytest.raises(InputError):
                asked(server, {"image": [coloured(1)]}, daft.col("image"), **wrong)
    assert server.requests == []


def test_what_travels_holds_no_key_and_another_process_finds_its_own() -> None:
    with OfflineServer() as server:
        reach = RemoteServer(paying(server), JobBudget(3.0))
        sent = pickle.dumps(reach)
        assert b"canary" not in sent and pickle.loads(sent) is reach  # noqa: S301 - our own
        code = (
            "import pickle, sys; reach = pickle.loads(sys.stdin.buffer.read())\n"
            "print(reach.is_here, reach.access.found.source, reach.purse.budget)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=sent,
            env={"ANTHROPIC_API_KEY": "sk-ant-canary-of-its-own"},
            capture_output=True,
            check=True,
        )
    assert done.stdout.decode().split() == ["False", "ANTHROPIC_API_KEY", "3.0"]


class TestTheEngine:
    def test_makes_the_same_table_as_the_others(self, tmp_path: Path) -> None:
        images = [coloured(1), coloured(2), None, coloured(1), b"no image"]
        with OfflineServer() as server:
            plain = ran(images, access(server), out=tmp_path / "a.parquet")
            table = ran(images, access(server), engine="daft", out=tmp_path / "b.parquet")
            again = ran(images, access(server), engine="daft", out=tmp_path / "b.parquet")
            assert len(questions(server)) == 4
        for other in (table, again):
            assert other.drop(columns="error").equals(plain.drop(columns="error"))
            assert other["error"].isna().tolist() == plain["error"].isna().tolist()

    def test_every_tenth_refusal_loses_no_row(self) -> None:
        images = (coloured(n) for n in range(120))
        with OfflineServer(behaviours=["every_tenth"], keep=1000) as server:
            table = ran(images, access(server, QuickClock()), engine="daft")
            requests = len(questions(server))
        assert len(table) == 120 and table["error"].isna().all()
        assert requests == 120 + requests // 10

    def test_what_is_wrong_with_all_is_raised_as_ours(self) -> None:
        with (
            OfflineServer(behaviours=["unauthorized"] * 50) as server,
            pytest.raises(AuthenticationError),
        ):
            ran([coloured(n) for n in range(40)], access(server), engine="daft")
        assert len(server.requests) <= 50

    def test_a_job_in_which_nothing_works_ends_early(self) -> None:
        with (
            OfflineServer(behaviours=["reject_images"] * 500) as server,
            pytest.raises(InputError, match="The first 5 images all failed in the same way"),
        ):
            ran([coloured(n) for n in range(300)], access(server), engine="daft")

    def test_an_answer_is_kept_as_soon_as_it_is_there(self, tmp_path: Path) -> None:
        out, kept = tmp_path / "captions.jsonl", []

        class Looking(QuickClock):
            def sleep(self, seconds: float, cancel: Any) -> None:
                kept.append(Path(f"{out}.checkpoint.jsonl").read_text().count("\n"))

        images = [coloured(n) for n in range(30)]
        with OfflineServer(behaviours=["every_tenth"]) as server:
            ran(images, access(server, Looking()), engine="daft", out=out, concurrency=1)
        assert kept[0] >= 8, "the tenth question is refused; the answers before it are on disk"

    def test_keeps_what_comes_back_from_another_process(self) -> None:
        class Far(RemoteServer):
            """As another process has it: nobody to tell at once."""

            keep = property(lambda self: None, lambda self, value: None)  # type: ignore[assignment]

        with OfflineServer() as server:
            asks, how = access(server), How(progress=False)
            with CaptionRun([coloured(n) for n in range(5)], Wanted(), check(how), asks) as run:
                bar = Bar(run.tally, 5, shown=False, free=True)
                Dafting(run.wanted, Far(asks, JobBudget()), run.work, bar, 4).run(
                    run.images, SameTrouble()
                )
                rows = list(run.rows())
        assert [error for _, _, error in rows] == [""] * 5 and all(r for _, r, _ in rows)

    def test_keeps_to_the_budget(self) -> None:
        told: list[float] = []
        with OfflineServer() as server:
            asks = paying(server, spend=told.append)
            images = [coloured(n) for n in range(20)]
            table = ran(images, asks, engine="daft", budget=0.03, concurrency=1)
        assert 0 < table["error"].isna().sum() < 20
        assert sum(told) == pytest.approx(table["cost"].sum()) and sum(told) <= 0.03

    def test_reads_a_folder(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "scans", 3)
        with OfflineServer() as server:
            table = ran(folder, access(server), engine="daft")
        assert table["error"].isna().all() and len(table) == 3


def test_without_daft_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['daft'] = None\n"
        "from claude_magic.captions.datasets.caption_run import How, check\n"
        "check(How(engine='daft'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith(
        "InputError: Captions on Daft need daft: pip install 'claude-magic[scale]'"
    )
