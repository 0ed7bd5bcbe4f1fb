"""Captions by Message Batches, against the offline server over real HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from claude_magic.captions.datasets.batch_post import Chunk, CustomIds, Limits
from claude_magic.captions.datasets.caption_run import CaptionRun, How, check
from claude_magic.captions.image_question import OVER_BUDGET
from claude_magic.captions.job import Wanted
from claude_magic.messages.errors import AuthenticationError, InputError, Interrupted
from claude_magic.messages.transport.retry import Waiter
from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import access, coloured, folder_of, paying, questions, ran
from tests.messages.transport.quick_clock import QuickClock


def batched(images: object, asks: Any, size: int = 10, **how: Any) -> pd.DataFrame:
    """The table of a run by batches of so many images."""
    return ran(images, asks, engine="batches", limits=Limits(requests=size), **how)


def quick(server: OfflineServer) -> Any:
    return access(server, QuickClock())


def batches(server: OfflineServer) -> list[list[Any]]:
    """The requests of each batch that the server was asked for."""
    return [
        recorded.json["requests"]
        for recorded in server.requests
        if (recorded.method, recorded.path) == ("POST", "/v1/messages/batches")
    ]


def asked(server: OfflineServer) -> Counter[str]:
    """How often the server was asked about each image, in batches and without."""
    bodies = [r["params"] for batch in batches(server) for r in batch] + questions(server)
    return Counter(str(body["messages"]) for body in bodies)


def test_all_but_the_first_image_go_in_batches_at_half_the_price() -> None:
    with OfflineServer() as server:
        table = batched([coloured(n) for n in range(36)], quick(server))
        sent, alone = batches(server), questions(server)
        plain = ran([coloured(n) for n in range(36)], quick(server))
    assert [len(batch) for batch in sent] == [10, 10, 10, 5] and len(alone) == 1
    assert table["error"].isna().all() and table["source"].tolist() == plain["source"].tolist()
    assert table["alt_text"].tolist() == plain["alt_text"].tolist()
    assert table["cost"][0] == pytest.approx(plain["cost"][0])
    assert table["cost"][1:].sum() == pytest.approx(plain["cost"][1:].sum() / 2)
    params = sent[0][0]["params"]
    assert {k: v for k, v in alone[0].items() if k not in ("messages", "stream")} == {
        k: v for k, v in params.items() if k != "messages"
    }


def test_a_chunk_is_within_its_limits() -> None:
    chunk = Chunk(Limits(requests=3, size=100))
    chunk.add(b"a" * 32, b"{}" * 100, 0.0)
    assert not chunk.takes(b"{}"), "the first is taken whatever its size"
    small = Chunk(Limits(requests=3, size=100))
    while small.takes(b"{}" * 10):
        small.add(b"a" * 32, b"{}" * 10, 0.0)
    assert len(small) == 3
    assert small.size == len(b'{"requests":[' + b"".join(small.parts) + b"]}")
    with pytest.raises(ValueError, match="limits of the API"):
        Limits(requests=100_001)


def test_a_custom_id_is_what_the_api_takes_and_says_which_image_of_which_job() -> None:
    key, ids = bytes(range(32)), CustomIds("ab" * 32)
    assert len(ids.of(key)) == 64 and ids.key(ids.of(key)) == key
    assert CustomIds("cd" * 32).key(ids.of(key)) is None
    for other in (None, "", "n-0", "é" + ids.of(key), ids.of(b"short")):
        assert ids.key(other) is None


def test_expired_and_troubled_requests_are_asked_again() -> None:
    """400 requests, every tenth refused: 400 captions, and no more requests than that."""
    with OfflineServer(behaviours=["normal", "expired", "expired", "every_tenth"]) as server:
        table = batched([coloured(n) for n in range(400)], quick(server), 100)
        counts = asked(server)
    assert table["error"].isna().all() and len(counts) == 400
    assert sum(counts.values()) <= 400 + 2 + 40 + 5


def test_what_cannot_be_had_again_is_a_row_with_an_error() -> None:
    with OfflineServer(behaviours=["normal", "expired", "refusal", "reject_images"]) as server:
        table = batched((coloured(n) for n in range(6)), quick(server))
        again = batched([coloured(n) for n in range(6)], quick(server))
    errors = table["error"].dropna().tolist()
    assert len(errors) == 3 and "expired" in errors[0]
    assert "declined" in errors[1] and "Could not process image" in errors[2]
    assert again["error"].isna().all()


def test_an_answer_that_does_not_fit_is_asked_again_and_both_are_paid() -> None:
    with OfflineServer(behaviours=["normal", "bad_json"]) as server:
        table = batched([coloured(n) for n in range(3)], quick(server))
    assert table["error"].isna().all()
    assert table["input_tokens"][1] == 2 * table["input_tokens"][2]


def test_what_is_wrong_with_all_is_known_before_a_batch_is_sent() -> None:
    with OfflineServer(behaviours=["unauthorized"]) as server:
        with pytest.raises(AuthenticationError):
            batched([coloured(n) for n in range(50)], quick(server))
        server.behave(*["reject_images"] * 3)
        with pytest.raises(InputError, match="The first 3 images all failed in the same way"):
            batched([coloured(n) for n in range(50)], quick(server))
        assert batches(server) == []


@pytest.mark.met("C5")
def test_where_a_batch_fails_in_the_same_way_no_other_is_sent() -> None:
    behaviours = ["normal", *["bad_json"] * 500]
    with OfflineServer(behaviours=behaviours, keep=1000) as server:
        table = batched([coloured(n) for n in range(60)], quick(server), 60)
        assert [len(batch) for batch in batches(server)] == [59], "none is asked again"
    assert table["error"].isna().sum() == 1


def test_the_budget_ends_the_job_before_the_request_that_would_pass_it() -> None:
    told: list[float] = []
    with OfflineServer() as server:
        asks = paying(server, spend=told.append, clock=QuickClock())
        table = batched([coloured(n) for n in range(40)], asks, budget=0.05)
    done = table["error"].isna().sum()
    assert 5 < done < 40 and set(table["error"].dropna()) == {OVER_BUDGET}
    assert sum(told) == pytest.approx(table["cost"].sum()) and sum(told) <= 0.05


def test_a_batch_whose_answer_was_lost_is_found_and_not_sent_again() -> None:
    with OfflineServer(behaviours=["normal", "batch_lost"]) as server:
        table = batched([coloured(n) for n in range(8)], quick(server))
        assert len(batches(server)) == 1
    assert table["error"].isna().all()


def test_where_too_much_is_waiting_the_rest_is_sent_once_some_is_over() -> None:
    with OfflineServer(behaviours=["normal"]) as server:
        server.behave("normal")
        images = [coloured(n) for n in range(21)]
        table = batched(refusing_from(server, images, 15), quick(server), concurrency=1)
        sizes = [len(batch) for batch in batches(server)]
    assert table["error"].isna().all() and len(table) == 21
    assert sizes == [10, 10, 10], "the second one was refused, and taken later"


def refusing_from(server: OfflineServer, images: list[bytes], place: int) -> Iterator[bytes]:
    """The images; from `place` on the server has no room for the next batch."""
    for number, image in enumerate(images):
        if number == place:
            server.behave("batch_refused")
        yield image


def test_a_second_run_asks_nothing_and_the_engines_share_what_is_known(tmp_path: Path) -> None:
    images, out = folder_of(tmp_path / "a", 12), tmp_path / "captions.parquet"
    with OfflineServer() as server:
        first = batched(images, quick(server), out=out)
        count = len(server.requests)
        second = batched(images, quick(server), out=out)
        third = ran(images, quick(server), out=out)
        assert len(server.requests) == count
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(first, third)


class TestGoingOn:
    """Another process waits for what one that was killed has sent."""

    def child(self, server: OfflineServer, tmp_path: Path) -> subprocess.Popen[str]:
        folder, out = tmp_path / "scans", tmp_path / "captions.parquet"
        command = [sys.executable, "-m", "tests.captions.datasets.job_child"]
        more = [server.url, str(folder), str(out), "batches", "10"]
        return subprocess.Popen(
            command + more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def test_after_a_kill_nothing_is_sent_twice(self, tmp_path: Path) -> None:
        folder_of(tmp_path / "scans", 25)
        with OfflineServer(batch_pace=0.05, keep=10_000) as server:
            with self.child(server, tmp_path) as job:
                until(lambda: len(batches(server)) >= 2, job)
                job.kill()
            with self.child(server, tmp_path) as job:
                said, _ = job.communicate(timeout=50)
            assert said == "done\n"
            counts = asked(server)
        table = pd.read_parquet(tmp_path / "captions.parquet")
        assert len(table) == 25 and table["error"].isna().all()
        assert set(counts.values()) == {1} and len(counts) == 25


def until(reached: Any, job: subprocess.Popen[str]) -> None:
    """Returns once it is so; the job must not end before."""
    deadline = time.monotonic() + 40
    while not reached():
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


class Impatient(QuickClock):
    """A clock on which a wait is interrupted."""

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        raise KeyboardInterrupt


@pytest.mark.met("C6")
def test_every_row_counts_once_in_the_run_after_an_interrupt(tmp_path: Path) -> None:
    images, out = [coloured(n) for n in range(31)], tmp_path / "captions.parquet"
    with OfflineServer(batch_pace=0.05, keep=10_000) as server:
        with pytest.raises(Interrupted):
            batched(images, access(server, Impatient()), out=out)
        how = check(How(out, 4, progress=False, engine="batches", limits=Limits(requests=10)))
        with CaptionRun(images, Wanted(), how, quick(server)) as run:
            run.ask()
            assert run.tally.done == 31


def test_an_interrupt_cancels_and_the_next_run_asks_about_the_rest(tmp_path: Path) -> None:
    images, out = [coloured(n) for n in range(31)], tmp_path / "captions.parquet"
    with OfflineServer(batch_pace=0.05, keep=10_000) as server:
        with pytest.raises(Interrupted) as stopped:
            batched(images, access(server, Impatient()), out=out)
        assert str(stopped.value) == (
            "you stopped it; 1 answers are kept. 3 batches canceled: what they have answered "
            "already is paid. Run it again to go on from there."
        )
        first = len(batches(server))
        table = batched(images, quick(server), out=out, size=40)
        assert first == 3 and len(batches(server)) == 4, "what was canceled goes in one"
    assert len(table) == 31 and table["error"].isna().all()


def test_batches_that_the_server_has_forgotten_are_asked_again(tmp_path: Path) -> None:
    images, out = [coloured(n) for n in range(6)], tmp_path / "captions.jsonl"
    with OfflineServer(batch_pace=1) as server, pytest.raises(Interrupted):
        batched(images, access(server, Impatient()), out=out)
    with OfflineServer() as server:
        table = batched(images, quick(server), out=out)
        assert len(batches(server)) == 1
    assert table["error"].isna().all()


def test_a_server_that_goes_away_leaves_rows_that_say_so(tmp_path: Path) -> None:
    images, out = [coloured(n) for n in range(6)], tmp_path / "captions.jsonl"

    class Stopping(QuickClock):
        def sleep(self, seconds: float, cancel: Waiter) -> None:
            if server._thread is not None:
                server.stop()

    with OfflineServer(batch_pace=1) as server:
        table = batched(images, access(server, Stopping()), out=out)
    assert table["error"].isna().sum() == 1
    assert table["error"].dropna().str.contains(r"no answer yet \(.*Run it again").all()
