"""Many processes spend from one purse, and know what the server said to any of them."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from claude_magic.captions.datasets.purse import LeasedBudget, PurseAddress, PurseServer
from claude_magic.captions.datasets.remote import RemoteServer
from claude_magic.captions.image_question import OVER_BUDGET, JobBudget
from claude_magic.captions.limits import Limit
from claude_magic.messages.errors import ClaudeError
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import paying, questions

KEY = {"ANTHROPIC_API_KEY": "sk-ant-canary-0123456789"}


def until(reached: Callable[[], bool]) -> None:
    """Returns once it is so."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def worker(reach: RemoteServer, first: int, count: int) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "tests.captions.datasets.purse_child", str(first), str(count)]
    job = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=KEY)
    assert job.stdin is not None
    job.stdin.write(pickle.dumps(reach))
    job.stdin.close()
    job.stdin = None
    return job


def paid(said: bytes) -> float:
    return sum(float(line.split()[0]) for line in said.splitlines())


@pytest.mark.met("C6")
def test_workers_spend_from_one_purse_and_one_that_is_killed_leaves_it_right() -> None:
    with OfflineServer(pace=0.01, keep=1000) as server:
        purse = JobBudget(0.15)
        reach = RemoteServer(paying(server), purse)
        with worker(reach, 0, 60) as killed, worker(reach, 100, 60) as other:
            until(lambda: len(questions(server)) >= 10)
            killed.kill()
            first = killed.communicate()[0]
            second = other.communicate(timeout=100)[0]
        until(lambda: purse._held < 1e-9)
        answered = len(questions(server))
    both = paid(first) + paid(second)
    each = float(second.split()[0])
    assert OVER_BUDGET.encode() in second, "it ends where all of them have spent it"
    assert both <= purse.spent <= 0.15 + 1e-9
    assert answered * each <= 0.15 + 1e-9, "what the killed one had asked is paid from it too"


@pytest.mark.met("C6")
def test_what_the_server_says_to_one_is_known_to_the_others() -> None:
    lender = PurseServer(JobBudget(1.0))
    limits = [Limit(8), Limit(8)]
    workers = [LeasedBudget(lender.address, 1.0) for _ in limits]
    for one, limit in zip(workers, limits, strict=True):
        one.joined(limit)
        assert one.hold(0.01)
    headers = {
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "3",
        "anthropic-ratelimit-requests-reset": "2999-01-01T00:00:00Z",
        "x-api-key": "of nobody's business",
    }
    limits[0].answered(200, headers)
    workers[1].settle(0.01, 0.001)
    assert [limit.allowed for limit in limits] == [3, 3]
    limits[1].answered(429, {})
    workers[0].settle(0.01, 0.001)
    assert [limit.refused for limit in limits] == [1, 1]


@pytest.mark.met("C6")
def test_who_waits_gets_what_others_leave_and_no_more() -> None:
    purse = JobBudget(1.0)
    lender = PurseServer(purse)
    one, two = (LeasedBudget(lender.address, 1.0) for _ in range(2))
    assert one.hold(0.7) and not two.hold(0.7), "without patience it is told no"
    one.settle(0.7, 0.2)
    assert two.hold(0.7, Cancel())
    assert not one.hold(2.0, Cancel()), "more than there ever will be"
    two.settle(0.7, 0.1)
    assert purse.spent == pytest.approx(0.3)


@pytest.mark.met("C6")
def test_without_the_secret_nothing_is_heard() -> None:
    purse = JobBudget(1.0)
    lender = PurseServer(purse)
    wrong = PurseAddress(lender.address.host, lender.address.port, "0" * 32)
    with pytest.raises(ClaudeError, match="cannot be reached"):
        LeasedBudget(wrong, 1.0).hold(0.5)
    with socket.create_connection((wrong.host, wrong.port), 5) as connection:
        connection.sendall(b'{"hold": 0.5}\n')
        assert connection.recv(100) == b""
    assert purse.hold(1.0)


@pytest.mark.met("C6")
def test_once_the_job_is_gone_a_worker_asks_nothing_more_unless_there_is_no_budget() -> None:
    lender = PurseServer(JobBudget(1.0))
    lender.close()
    with pytest.raises(ClaudeError, match="The process that keeps the budget cannot be reached"):
        LeasedBudget(lender.address, 1.0).hold(0.5)
    assert LeasedBudget(lender.address, None).hold(0.5)
