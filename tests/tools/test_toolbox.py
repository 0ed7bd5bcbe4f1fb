"""The calls of a reply, run: each gets a result, in order, whatever it asks for or raises."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from claude_magic.conversation.watcher import Silent
from claude_magic.messages import models
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.cancel import Cancel
from claude_magic.messages.credentials import Secret
from claude_magic.messages.errors import InputError, Interrupted
from claude_magic.tools.approval import Always, Approval, Approver, Decision, Nobody
from claude_magic.tools.calling import Surroundings
from claude_magic.tools.computer import ComputerTool, Workplace
from claude_magic.tools.function import function_tool
from claude_magic.tools.running import AsyncThread
from claude_magic.tools.tool import Approve, Tool, tool
from claude_magic.tools.toolbox import FunctionToolbox
from claude_magic.tools.toolsets import Toolset

KEY = "sk-canary-0123456789"


class Watching(Silent):
    """Notes what it is told of calls."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.seconds: dict[str, float] = {}

    def calling(self, call: Block) -> None:
        self.told.append(f"calling {call['id']}")

    def called(self, call: Block, result: Block, seconds: float) -> None:
        assert result["tool_use_id"] == call["id"]
        self.told.append(f"called {call['id']}")
        self.seconds[str(call["id"])] = seconds


class Answering:
    """Gives its answers in turn, and notes what it was asked."""

    def __init__(self, *answers: Decision | BaseException) -> None:
        self.asked: list[Block] = []
        self.shown: list[str] = []
        self._answers = list(answers)

    def check(self) -> None: ...

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:
        self.asked.append(call)
        if tool.preview:
            self.shown.append(tool.preview(call["input"])[1])
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def loop() -> Iterator[AsyncThread]:
    started = AsyncThread()
    yield started
    started.close()


def shown(value: object) -> Sequence[Block]:
    words = value if isinstance(value, str) else repr(value)
    return [text(words if len(words) < 1000 else f"{words[:500]} [cut] {words[-400:]}")]


def box(
    *functions: Callable[..., Any],
    approver: Approver | None = None,
    rule: Approve = "auto",
    always: Always | None = None,
    timeout: float = 0,
    loop: AsyncThread | None = None,
    toolsets: Sequence[Toolset] = (),
    at_server: Sequence[str] = (),
) -> FunctionToolbox:
    return FunctionToolbox(
        [function_tool(function) for function in functions],
        Approval(rule, approver or Nobody(), always or Always()),
        Surroundings(shown, lambda: (Secret(KEY),), timeout=timeout, loop=loop or AsyncThread()),
        toolsets=toolsets,
        at_server=at_server,
    )


def call(name: str, number: int = 1, /, **arguments: Any) -> Block:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}


def ran(
    made: FunctionToolbox, *calls: Block, watcher: Watching | None = None
) -> list[Mapping[str, Any]]:
    return list(made.run(calls, watcher or Watching(), None))


def said(result: Mapping[str, Any]) -> str:
    return "\n".join(str(block.get("text")) for block in result["content"])


def half(x: float) -> float:
    """Half of it."""
    return x / 2


def fails(x: int) -> int:
    """Fails."""
    raise ValueError(f"no such row: {x}, {KEY}")


def test_a_call_gets_what_the_function_returned() -> None:
    watcher = Watching()
    (result,) = ran(box(half), call("half", x=3), watcher=watcher)
    assert result == {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("1.5")]}
    assert watcher.told == ["calling toolu_1", "called toolu_1"]


def test_an_exception_is_an_error_result_with_the_users_frames_and_without_the_key() -> None:
    (result,) = ran(box(fails), call("fails", x=3))
    assert result["is_error"] is True
    assert said(result).endswith("ValueError: no such row: 3, [key]")
    assert "in fails" in said(result)
    assert "claude_magic/tools" not in said(result)
    assert KEY not in str(result)


async def later_fails() -> None:
    raise KeyError("gone")


async def ends() -> None:
    raise SystemExit


def test_an_async_functions_exception_is_one_too(loop: AsyncThread) -> None:
    result, exits, again = ran(
        box(later_fails, ends, loop=loop),
        call("later_fails"),
        call("ends", 2),
        call("later_fails", 3),
    )
    assert said(result).endswith("KeyError: 'gone'")
    assert "in later_fails" in said(result)
    assert "concurrent" not in said(result)
    assert "asyncio" not in said(result)
    assert "ended with SystemExit" in said(exits)
    assert said(again) == said(result)


def leaves() -> None:
    raise SystemExit(3)


def test_a_function_that_exits_ends_no_kernel() -> None:
    (result,) = ran(box(leaves), call("leaves"))
    assert said(result).endswith("SystemExit: 3")


NOT_RUN = {
    "an unknown tool": ({"name": "hlaf", "input": {}}, "Did you mean half? There are: half."),
    "a name that is none": ({"name": None, "input": {}}, "There is no tool of this name."),
    "wrong arguments": ({"input": {"x": "many"}}, "Wrong arguments for half: x: Input should be"),
    "arguments that were cut off": ({"input": '{"x": 1'}, "cut off or are no JSON object"),
    "arguments that are a list": ({"input": "[1]"}, "cut off or are no JSON object"),
}


@pytest.mark.parametrize("case", NOT_RUN)
def test_a_call_that_cannot_be_run_gets_a_result_that_says_why(case: str) -> None:
    changed, says = NOT_RUN[case]
    approver = Answering()
    (result,) = ran(box(half, approver=approver, rule="ask"), {**call("half", x=1), **changed})
    assert result["is_error"] is True
    assert says in said(result)
    assert approver.asked == [], "what cannot run is not asked about"


def test_of_three_calls_one_fails_and_all_are_answered_in_their_order() -> None:
    results = ran(
        box(half, fails), call("half", 1, x=2), call("fails", 2, x=1), call("half", 3, x=4)
    )
    assert [r["tool_use_id"] for r in results] == ["toolu_1", "toolu_2", "toolu_3"]
    assert [r.get("is_error", False) for r in results] == [False, True, False]


def test_async_calls_run_at_the_same_time_and_are_answered_in_their_order(
    loop: AsyncThread,
) -> None:
    met: list[int] = []
    both = asyncio.Event()

    async def meet(number: int) -> int:
        """Ends only when both have come."""
        met.append(number)
        if len(met) == 2:
            both.set()
        await both.wait()
        return number

    results = ran(box(meet, loop=loop), call("meet", 1, number=1), call("meet", 2, number=2))
    assert [said(r) for r in results] == ["1", "2"]


def test_async_calls_are_run_within_a_running_event_loop(loop: AsyncThread) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    async def within() -> list[Mapping[str, Any]]:
        return ran(box(later, loop=loop), call("later"))

    # In a thread: the browser tests have a loop that runs in this one.
    with ThreadPoolExecutor(1) as thread:
        (result,) = thread.submit(lambda: asyncio.run(within())).result()
    assert said(result) == "claude-magic-async"


def test_what_turns_out_to_be_awaitable_is_awaited(loop: AsyncThread) -> None:
    async def later() -> int:
        return 3

    def indirect() -> Any:
        return later()

    (result,) = ran(box(indirect, loop=loop), call("indirect"))
    assert said(result) == "3"


def test_a_function_runs_on_the_thread_that_asks() -> None:
    where: list[threading.Thread] = []

    def here() -> None:
        where.append(threading.current_thread())

    ran(box(here, timeout=30), call("here"))
    assert where == [threading.main_thread()]


def sleeps() -> None:
    try:
        while True:
            time.sleep(0.01)
    except Exception:  # noqa: S110 - what must not keep the alarm
        pass


async def waits() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("function", [sleeps, waits])
def test_a_function_that_runs_too_long_is_stopped_and_the_model_told(
    function: Callable[..., Any], loop: AsyncThread
) -> None:
    before, left = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
    (result,) = ran(box(function, timeout=0.2, loop=loop), call(function.__name__))
    assert said(result) == "The call was given up: it ran longer than 0.2 s and was stopped."
    assert result["is_error"] is True
    assert signal.getsignal(signal.SIGALRM) is before
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < left, "the test's own alarm goes on"


def test_on_another_thread_a_function_that_runs_too_long_is_left_behind() -> None:
    go_on = threading.Event()

    def hangs() -> None:
        go_on.wait()

    found: list[Mapping[str, Any]] = []
    asking = threading.Thread(
        target=lambda: found.extend(ran(box(hangs, timeout=0.2), call("hangs")))
    )
    asking.start()
    asking.join()
    go_on.set()
    assert "it ran longer than 0.2 s; it could not be stopped" in said(found[0])


def test_a_functions_own_timeout_counts_before_the_setting() -> None:
    @tool(timeout=0.1)
    def hangs() -> None:
        while True:
            time.sleep(0.01)

    (result,) = ran(box(hangs, timeout=60), call("hangs"))
    assert "longer than 0.1 s" in said(result)


def test_a_functions_own_timeout_error_is_its_own(loop: AsyncThread) -> None:
    async def gives_up() -> None:
        raise TimeoutError("the database")

    (result,) = ran(box(gives_up, timeout=30, loop=loop), call("gives_up"))
    assert said(result).endswith("TimeoutError: the database")


def test_a_huge_result_goes_through_what_trims_it() -> None:
    def huge() -> str:
        return "a" * 10_000_000 + "z"

    (result,) = ran(box(huge), call("huge"))
    assert len(said(result)) < 1000
    assert said(result).endswith("z")


def test_an_empty_text_is_said_since_the_api_refuses_it() -> None:
    def blank() -> str:
        return " \n"

    (result,) = ran(box(blank), call("blank"))
    assert said(result) == "(an empty text)"


def test_a_denied_call_is_not_run_and_its_result_says_the_reason() -> None:
    approver = Answering(Decision(False, "use the other table"), Decision(True))
    watcher = Watching()
    made = box(half, approver=approver, rule="ask")
    denied, run = ran(made, call("half", 1, x=1), call("half", 2, x=1), watcher=watcher)
    assert said(denied) == "This call was not allowed by the user: use the other table"
    assert denied["is_error"] is True
    assert said(run) == "0.5"
    assert watcher.told[:2] == ["calling toolu_1", "called toolu_1"]


def test_always_holds_for_the_tool_until_its_function_is_another_one() -> None:
    always = Always()
    approver = Answering(Decision(True, always=True))
    for _ in range(2):
        ran(box(half, approver=approver, rule="ask", always=always), call("half", x=1))
    assert len(approver.asked) == 1

    def half_again(x: float) -> float:
        return x / 2

    half_again.__name__ = "half"
    other = Answering(Decision(False))
    ran(box(half_again, approver=other, rule="ask", always=always), call("half", x=1))
    assert len(other.asked) == 1


def test_always_ends_where_a_functions_code_is_replaced_in_place() -> None:
    def changing() -> int:
        return 1

    def changed() -> int:
        return 2

    always = Always()
    ran(
        box(changing, approver=Answering(Decision(True, always=True)), rule="ask", always=always),
        call("changing"),
    )
    changing.__code__ = changed.__code__
    approver = Answering(Decision(False))
    ran(box(changing, approver=approver, rule="ask", always=always), call("changing"))
    assert len(approver.asked) == 1


def test_always_holds_for_a_method_looked_up_again() -> None:
    class Table:
        def row(self) -> int:
            return 1

    table, always = Table(), Always()
    approver = Answering(Decision(True, always=True))
    for _ in range(2):
        ran(box(table.row, approver=approver, rule="ask", always=always), call("row"))
    with pytest.raises(IndexError):
        ran(box(Table().row, approver=approver, rule="ask", always=always), call("row"))


@pytest.mark.parametrize("rule", ["auto", "never", "ask"])
def test_a_tools_own_word_counts_before_the_question_s(rule: Approve) -> None:
    @tool(approve="auto")
    def free() -> int:
        return 1

    @tool(approve="never")
    def closed() -> int:
        return 1

    results = ran(box(free, closed, rule=rule), call("free"), call("closed", 2))
    assert [r.get("is_error", False) for r in results] == [False, True]


def test_a_question_is_refused_beforehand_where_nobody_can_be_asked() -> None:
    with pytest.raises(InputError, match='approve="auto"'):
        box(half, rule="ask").check()
    box(half, rule="auto").check()
    box(half, rule="never").check()


def test_an_interrupt_while_asking_ends_the_question_and_runs_nothing() -> None:
    approver = Answering(Decision(True), KeyboardInterrupt())
    made = box(half, approver=approver, rule="ask")
    watcher = Watching()
    results = made.run([call("half", n, x=n) for n in (1, 2, 3)], watcher, None)
    assert said(next(results)) == "0.5"
    assert said(next(results)) == "The user stopped this call before it ran."
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert watcher.told == [
        "calling toolu_1",
        "called toolu_1",
        "calling toolu_2",
        "called toolu_2",
    ]


@pytest.mark.parametrize("function", [half, ends])
def test_an_interrupt_as_a_call_is_announced_is_told_like_any_other(
    function: Callable[..., Any],
) -> None:
    class Stopping(Watching):
        def calling(self, call: Block) -> None:
            super().calling(call)
            raise KeyboardInterrupt

    watcher = Stopping()
    results = box(function).run([call(function.__name__)], watcher, None)
    assert said(next(results)) == "The user stopped this call before it ran."
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert watcher.told == ["calling toolu_1", "called toolu_1"]


def test_an_interrupt_while_a_function_runs_leaves_what_is_finished_standing() -> None:
    def stopped() -> None:
        signal.raise_signal(signal.SIGINT)

    results = box(half, stopped).run(
        [call("half", 1, x=1), call("stopped", 2), call("half", 3, x=1)], Watching(), None
    )
    assert said(next(results)) == "0.5"
    assert said(next(results)).startswith("The user stopped this call;")
    with pytest.raises(KeyboardInterrupt):
        next(results)


def test_an_interrupt_while_async_functions_run_keeps_the_finished_and_cancels_the_rest(
    loop: AsyncThread,
) -> None:
    cancelled = threading.Event()

    async def quick() -> str:
        return "quick"

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def interrupts() -> None:
        while not quick_done.is_set():
            await asyncio.sleep(0.001)
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    quick_done = threading.Event()

    class Noting(Watching):
        def called(self, call: Block, result: Block, seconds: float) -> None:
            super().called(call, result, seconds)
            quick_done.set()

    calls = [call("quick", 1), call("slow", 2), call("interrupts", 3), call("quick", 4)]
    results = box(quick, slow, interrupts, loop=loop).run(calls, Noting(), None)
    found = []
    with pytest.raises(KeyboardInterrupt):
        for result in results:
            found.append(said(result))
    assert found[0] == found[3] == "quick"
    assert found[1].startswith("The user stopped this call")
    assert found[2].startswith("The user stopped this call")
    assert cancelled.wait(60)


CANCELLED = {"a function": False, "an async function": True}


@pytest.mark.parametrize("case", CANCELLED)
def test_a_question_of_another_thread_is_stopped_by_its_cancel_while_runs(
    case: str, loop: AsyncThread
) -> None:
    running, go_on = threading.Event(), threading.Event()

    def blocks() -> None:
        running.set()
        go_on.wait()

    async def blocks_async() -> None:
        running.set()
        await asyncio.Event().wait()

    cancel, ended = Cancel(), []
    function = blocks_async if CANCELLED[case] else blocks
    made = box(function, loop=loop)

    def ask() -> None:
        results = made.run(
            [call(function.__name__), call(function.__name__, 2)], Watching(), cancel
        )
        try:
            for result in results:
                ended.append(said(result))
        except Interrupted:
            ended.append("interrupted")

    asking = threading.Thread(target=ask)
    asking.start()
    assert running.wait(60)
    cancel.set()
    asking.join(60)
    go_on.set()
    assert ended[-1] == "interrupted"
    assert ended[0].startswith("The user stopped this call")


def test_two_functions_of_one_name_are_refused() -> None:
    def other(x: int) -> int:
        return x

    other.__name__ = "half"
    with pytest.raises(InputError, match="Two tools are called half"):
        box(half, other)
    box(half, half)


def test_definitions_are_the_same_in_whatever_order_tools_are_named() -> None:
    model = models.MODELS["claude-sonnet-5-5"]
    one, two = (
        box(half, fails, at_server=["web", "code"]),
        box(fails, half, at_server=["code", "web"]),
    )
    assert one.definitions(model, anthropic=True) == two.definitions(model, anthropic=True)
    names = [d["name"] for d in one.definitions(model, anthropic=True)]
    assert names == ["fails", "half", "code_execution", "web_fetch", "web_search"]


VERSIONS = {
    "claude-sonnet-5-5": ["code_execution_20260521", "web_fetch_20260318", "web_search_20260318"],
    "claude-sonnet-4-5-20250929": [
        "code_execution_20250825",
        "web_fetch_20250910",
        "web_search_20250305",
    ],
}


@pytest.mark.parametrize("name", VERSIONS)
def test_server_tools_come_in_the_version_that_the_model_takes(name: str) -> None:
    model = models.lookup(name)
    assert model is not None
    made = box(at_server=["code", "web"])
    assert [d["type"] for d in made.definitions(model, anthropic=True)] == VERSIONS[name]


def test_server_tools_are_refused_where_the_server_is_another() -> None:
    with pytest.raises(InputError, match="--tools web runs at Anthropic's servers"):
        box(at_server=["web"]).definitions(models.unknown("llama"), anthropic=False)


class Desktop:
    """A toolset that notes the batches that it gets; only a screenshot needs no leave."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def definitions(self, model: models.Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return [{"type": "computer_toolset_20260801"}]

    def betas(self, model: models.Model) -> tuple[str, ...]:
        return ("desktop-1",)

    def check(self) -> None: ...

    def takes(self, call: Block) -> bool:
        return call.get("toolset_name") == "computer"

    def needs_approval(self, call: Block) -> bool:
        return call["name"] != "screenshot"

    def describe(self, call: Block) -> str:
        return f"click: {call['id']}"

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: Callable[[Block], str | None] | None = None,
        cancel: Cancel | None = None,
        seen: Callable[[Block, bytes], None] | None = None,
    ) -> Iterator[Block]:
        self.batches.append([str(c["id"]) for c in calls])
        assert approve is not None
        for one in calls:
            refused = approve(one) if self.needs_approval(one) else None
            yield {
                "type": "tool_result",
                "tool_use_id": one["id"],
                "toolset_name": "computer",
                "content": [text(KEY if refused is None else f"no: {refused}")],
            }

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[str]:
        return [str(call["id"]) for call, _ in answered]


def click(number: int, name: str = "left_click") -> Block:
    return {**call(name, number), "toolset_name": "computer"}


def test_a_toolset_gets_its_consecutive_calls_as_a_batch() -> None:
    desktop, watcher = Desktop(), Watching()
    made = box(half, toolsets=[desktop])
    calls = [click(1), click(2), call("half", 3, x=1), click(4, "screenshot")]
    results = ran(made, *calls, watcher=watcher)
    assert [r["tool_use_id"] for r in results] == ["toolu_1", "toolu_2", "toolu_3", "toolu_4"]
    assert desktop.batches == [["toolu_1", "toolu_2"], ["toolu_4"]]
    assert said(results[0]) == "[key]"
    assert watcher.told[:4] == [
        f"{what} toolu_{n}" for n in (1, 2) for what in ("calling", "called")
    ]
    assert made.betas(models.MODELS["claude-sonnet-5-5"]) == ("desktop-1",)


def test_calls_of_a_toolset_are_allowed_each_or_for_as_long_as_the_question_lasts() -> None:
    approver = Answering(Decision(False, "not there"), Decision(True, always=True))
    always = Always()
    made = box(approver=approver, rule="ask", toolsets=[Desktop()], always=always)
    results = ran(made, click(1), click(2), click(3), click(4, "screenshot"))
    assert [said(r) for r in results] == ["no: not there", "[key]", "[key]", "[key]"]
    assert [asked["id"] for asked in approver.asked] == ["toolu_1", "toolu_2"]
    assert approver.shown == ["click: toolu_1", "click: toolu_2"]
    asked_anew = Answering(Decision(False, "another program"))
    next_one = box(approver=asked_anew, rule="ask", toolsets=[Desktop()], always=always)
    assert said(ran(next_one, click(5))[0]) == "no: another program"
    with pytest.raises(InputError, match="Nobody can be asked"):
        box(rule="ask", toolsets=[Desktop()]).check()


def test_the_desktop_is_such_a_toolset() -> None:
    desktop: Toolset = ComputerTool(Workplace())
    needed = [name for name in vars(Toolset) if not name.startswith("_")]
    assert len(needed) == 8
    assert all(callable(getattr(desktop, name)) for name in needed)
    assert list(inspect.signature(ComputerTool.run).parameters) == [
        "self",
        "calls",
        "approve",
        "cancel",
        "seen",
    ]


def test_an_unknown_call_of_a_toolset_gets_its_name_back() -> None:
    (result,) = ran(box(half), {**call("left_click"), "toolset_name": "computer"})
    assert result["toolset_name"] == "computer"
    assert result["is_error"] is True


def test_a_loop_is_started_again_after_it_was_closed(loop: AsyncThread) -> None:
    async def later() -> int:
        return 1

    made = box(later, loop=loop)
    ran(made, call("later"))
    loop.close()
    assert said(ran(made, call("later"))[0]) == "1"
