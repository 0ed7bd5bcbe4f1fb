"""Messages go to the panels in batches, in their order, few a second, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from claude_magic.panel.outbox import INTERVAL, Outbox
from claude_magic.panel.protocol import KernelMessage


class Sent:
    """Notes the batches, and when they were sent."""

    def __init__(self) -> None:
        self.batches: list[Sequence[KernelMessage]] = []
        self.buffers: list[Sequence[bytes]] = []
        self.times: list[float] = []
        self.some = threading.Condition()

    def __call__(self, messages: Sequence[KernelMessage], buffers: Sequence[bytes]) -> None:
        with self.some:
            self.batches.append(messages)
            self.buffers.append(buffers)
            self.times.append(time.monotonic())
            self.some.notify_all()

    @property
    def texts(self) -> list[str]:
        return [str(m["text"]) for batch in self.batches for m in batch if m["type"] == "notice"]

    def until(self, count: int) -> None:
        with self.some:
            assert self.some.wait_for(lambda: len(self.texts) >= count, timeout=60)


def said(text: str) -> KernelMessage:
    return {"type": "notice", "request": "", "text": text}


def test_messages_arrive_in_their_order_and_at_most_twenty_times_a_second() -> None:
    sent = Sent()
    outbox = Outbox(sent, list)
    for n in range(300):
        outbox.put(said(str(n)))
        threading.Event().wait(0.001)
    sent.until(300)
    outbox.close()
    assert sent.texts == [str(n) for n in range(300)]
    gaps = [later - earlier for earlier, later in zip(sent.times, sent.times[1:], strict=False)]
    assert min(gaps) >= INTERVAL
    assert len(sent.batches) < 300


def test_the_first_message_does_not_wait() -> None:
    sent = Sent()
    outbox = Outbox(sent, list, interval=1e6)
    outbox.put(said("at once"))
    sent.until(1)
    outbox.close()


def test_what_is_gathered_comes_before_what_was_put() -> None:
    sent = Sent()
    gathered = [[said("gathered")]]
    outbox = Outbox(sent, lambda: gathered.pop() if gathered else [])
    outbox.put(said("put"))
    sent.until(2)
    outbox.close()
    assert sent.texts == ["gathered", "put"]


def test_nothing_is_sent_where_nothing_came_up() -> None:
    sent = Sent()
    outbox = Outbox(sent, list)
    outbox.stir()
    outbox.close()
    assert sent.batches == []


def test_bytes_are_told_the_number_of_their_buffer() -> None:
    sent = Sent()
    outbox = Outbox(sent, list)
    for data in (b"one", b"two"):
        outbox.put_bytes(lambda n, data=data: said(f"{data!r} is {n}"), data)  # type: ignore[misc]
    sent.until(2)
    outbox.close()
    held = [buffer for buffers in sent.buffers for buffer in buffers]
    assert held == [b"one", b"two"]


def test_closing_sends_what_is_left_and_ends_the_thread() -> None:
    sent = Sent()
    outbox = Outbox(sent, list)
    outbox.put(said("one"))
    outbox.put(said("two"))
    outbox.close()
    assert sent.texts == ["one", "two"]
    assert not [t for t in threading.enumerate() if t.name == "claude-magic-panel-outbox"]
