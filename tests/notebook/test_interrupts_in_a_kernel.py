"""Interrupting the kernel: the reply stops, what came is kept, the socket is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.kernels import Interrupt, Kernel, Ran, shows

SERVER = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"

# Seconds that an interrupt may take on a busy machine: far fewer than what it stops would go on.
PATIENCE = 10.0


def interrupted_when(
    kernel: Kernel, code: str, ripe: Callable[[Mapping[str, Any]], bool]
) -> tuple[Ran, float]:
    """Run `code`, interrupt at the first message that is ripe; the cell, and how long it took."""
    interrupt = Interrupt(kernel, ripe)
    ran = kernel.run(code, during=interrupt, ok=False)
    return ran, interrupt.seconds


@pytest.fixture(scope="module", autouse=True)
def warm(running_kernel: Kernel) -> None:
    running_kernel.run("%claude Hello")


PHASES = {
    "streaming": ("stall", "This is the"),
    "waiting for the first words": ("silent", "waiting for the first words · "),
    "backing off": ("busy", "again in"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_an_interrupt_stops_the_reply_while(running_kernel: Kernel, phase: str) -> None:
    behaviour, sign = PHASES[phase]
    running_kernel.run(f"{SERVER}.disconnected.clear(); {SERVER}.behave({behaviour!r})")
    ran, seconds = interrupted_when(running_kernel, "%claude --alone Hi", shows(sign))
    assert ran.reply["ename"] == "Interrupted"
    assert "\n" not in ran.error
    assert seconds < PATIENCE
    if phase != "backing off":
        assert running_kernel.value(f"{SERVER}.disconnected.wait(60)")
    assert "offline server" in running_kernel.run("%claude --alone And now").shown()


def test_what_came_is_kept_marked_and_sent_later_with_a_note(running_kernel: Kernel) -> None:
    running_kernel.run(f"{SERVER}.behave('stall')")
    ran, _ = interrupted_when(running_kernel, "%claude The stopped one", shows("This is the"))
    assert "This is the" in ran.shown()
    assert "interrupted; what came is kept" in ran.shown()
    running_kernel.run("%claude Go on")
    question, answer, _ = running_kernel.requests()[-1]["messages"][-3:]
    assert "The stopped one" in str(question)
    assert "This is the" in str(answer)
    assert "interrupted this reply here" in str(answer)


def test_a_question_stopped_before_any_word_leaves_no_trace(running_kernel: Kernel) -> None:
    running_kernel.run(f"{SERVER}.behave('silent')")
    ran, _ = interrupted_when(running_kernel, "%claude The wordless one", shows("waiting for"))
    assert ran.reply["ename"] == "Interrupted"
    running_kernel.run("%claude Go on")
    assert "The wordless one" not in str(running_kernel.requests()[-1])


def test_of_two_queued_cells_the_second_is_not_run_when_the_first_is_interrupted(
    running_kernel: Kernel,
) -> None:
    client = running_kernel.client
    running_kernel.run(f"second = 'not run'; {SERVER}.behave('stall')")
    queued: list[str] = []

    def queue_then_stop(message: Mapping[str, Any]) -> bool:
        if "This is the" not in str(message["content"].get("data", "")):
            return False
        queued.append(client.execute("second = 'run'"))
        # Interrupted before the second cell has come, the kernel would take it for a later one.
        client.control_channel.send(client.session.msg("kernel_info_request"))
        client.get_control_msg(timeout=30)
        return True

    interrupted_when(running_kernel, "%claude The first", queue_then_stop)
    assert queued
    while client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] != queued[0]:
        pass
    assert running_kernel.value("second") == "not run"


def test_asking_works_inside_a_running_event_loop(running_kernel: Kernel) -> None:
    running_kernel.run(
        "import claude_magic\n"
        "async def within():\n    return claude_magic.ask('Hi', alone=True).text\n"
        "text = await within()"
    )
    assert "offline server" in running_kernel.value("text")


def test_asking_works_from_a_thread(running_kernel: Kernel) -> None:
    running_kernel.run(
        "import threading\n"
        "texts = []\n"
        "def work(n): texts.append(claude_magic.ask(f'Hi {n}', alone=True).text)\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; None"
    )
    assert sorted(running_kernel.value("[t.splitlines()[2] for t in texts]")) == [
        "> Hi 0",
        "> Hi 1",
        "> Hi 2",
        "> Hi 3",
    ]
