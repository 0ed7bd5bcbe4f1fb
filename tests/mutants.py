"""Small changes of our code that the tests of its own folder have to notice.

    make mutants
    .venv/bin/python -m tests.mutants [--sample 80] [--seed 1] [--show] [MODULE ...]

mutmut says what is changed: one node of one function, by all its operators; in decorated functions
nothing. Of all mutants of a group a sample is tried that is the same each time. Each is tried in a
fork of a process that has the tests collected, by those that run the changed lines, without the
slow ones; other processes that tests start have the code as it stands. One that no test notices is
printed. What changes nothing for a caller stands in `mutants.toml` with the reason, and does not
count. Less than nine of ten noticed in a group is a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import coverage
import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "claude_magic"
CHANGE_NOTHING = Path(__file__).with_suffix(".toml")
ENOUGH = 0.9
"""The share of a group that has to be noticed."""
SLOW = 2.0
"""Seconds that a test may take to be among the judges."""
LIMIT = 20
"""Seconds after which a test that is still busy has noticed the mutant: it does not come back."""
LONG = 240.0
"""Seconds that the tests of one mutant may take."""
GROUPS: Mapping[str, tuple[Sequence[str], str]] = {
    "page order, visible turns, replay": (
        ("conversation/visible_turns.py", "conversation/asking/replay.py"),
        "tests/conversation",
    ),
    "context of a question": (("notebook/context/*.py",), "tests/notebook/context"),
    "approval of tools": (("tools/approval.py",), "tests/tools"),
    "stream of a reply": (("messages/transport/stream.py",), "tests/messages/transport"),
}


@dataclass(frozen=True)
class Mutant:
    """A module with one change: the function that it is in, what it is, and where."""

    module: str
    source: str
    function: str
    was: str
    now: str
    lines: range
    around: range
    """The lines of the function."""

    def __str__(self) -> str:
        lines = [f"- {line}" for line in self.was.splitlines()]
        lines += [f"+ {line}" for line in self.now.splitlines()]
        return "\n".join([f"{self.module}:{self.lines.start} {self.function}", *lines])

    def take_effect(self) -> None:
        """Give the function of this process the changed code and defaults."""
        module = importlib.import_module(
            "claude_magic." + self.module.removesuffix(".py").replace("/", ".")
        )
        names = dict.fromkeys(["__name__", "__package__", "__file__"])
        changed = {name: getattr(module, name) for name in names}
        exec(compile(self.source, module.__file__ or "", "exec", dont_inherit=True), changed)  # noqa: S102
        ours, other = (function_in(names, self.function) for names in (vars(module), changed))
        ours.__code__ = other.__code__
        if plain(ours.__defaults__) and plain(other.__defaults__):
            ours.__defaults__ = other.__defaults__
        if ours.__kwdefaults__ and other.__kwdefaults__:
            found = {k: v for k, v in other.__kwdefaults__.items() if plain((v,))}
            ours.__kwdefaults__ = {**ours.__kwdefaults__, **found}


def plain(values: tuple[object, ...] | None) -> bool:
    """Whether the values are the same whoever makes them."""
    return all(isinstance(value, int | float | str | None) for value in values or ())


def function_in(names: Mapping[str, Any], path: str) -> FunctionType:
    """A function or a method, by its path in a module."""
    *classes, name = path.split(".")
    for each in classes:
        names = vars(names[each])
    found = getattr(names[name], "__func__", names[name])
    assert isinstance(found, FunctionType)
    return found


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every change that mutmut knows of the functions of a module, in their order."""
    source = (PACKAGE / module).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    paths = dict(functions_of(wrapper.module.body))
    places = wrapper.resolve(PositionProvider)
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if function is None or function not in paths:
            continue
        changed = wrapper.module.deep_replace(mutation.original_node, mutation.mutated_node)
        text = cst.ensure_type(changed, cst.Module).code
        around = range(places[function].start.line, places[function].end.line + 1)
        yield Mutant(module, text, paths[function], *change(source, text), around)


def functions_of(body: Iterable[cst.CSTNode], above: str = "") -> Iterator[tuple[Any, str]]:
    for node in body:
        if isinstance(node, cst.FunctionDef):
            yield node, f"{above}{node.name.value}"
        elif isinstance(node, cst.ClassDef):
            yield from functions_of(node.body.body, f"{above}{node.name.value}.")


def change(before: str, after: str) -> tuple[str, str, range]:
    """The lines that a change takes out, those that it puts there, and where the first ones are."""
    old, new = before.splitlines(), after.splitlines()
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    parts = [step for step in steps if step[0] != "equal"]
    where = range(parts[0][1], max(parts[-1][2], parts[0][1] + 1))
    was, now = old[where.start : parts[-1][2]], new[parts[0][3] : parts[-1][4]]
    lines = range(where.start + 1, where.stop + 1)
    return "\n".join(map(str.strip, was)), "\n".join(map(str.strip, now)), lines


def that_change_nothing() -> Mapping[tuple[str, str, str], str]:
    """The reasons of the changes that no test can notice."""
    listed = tomllib.loads(CHANGE_NOTHING.read_text(encoding="utf-8"))["changes"]
    return {(row["module"], row["was"], row["now"]): row["why"] for row in listed}


def forked(work: Callable[[], Any], seconds: float) -> Any:
    """What `work` returns in a process of its own; raises TimeoutError where it takes longer."""
    context = multiprocessing.get_context("fork")
    ours, its = context.Pipe(duplex=False)

    def child() -> None:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        its.send(work())
        os._exit(0)

    process = context.Process(target=child)
    process.start()
    its.close()
    try:
        if not ours.poll(seconds):
            raise TimeoutError
        return ours.recv()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()


@dataclass
class Trial:
    """Tries mutants once the tests are collected. A plugin of pytest."""

    mutants: Sequence[Mutant]
    show: bool
    noticed: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        modules = sorted({mutant.module for mutant in self.mutants})
        failed, seconds, ran = forked(lambda: self._watched(session, modules), 1800)
        if failed:
            print(f"No judges, as they fail as the code stands: {', '.join(failed)}")
        quick = [
            item
            for item in session.items
            if seconds[item.nodeid] < SLOW and item.nodeid not in failed
        ]
        for mutant in self.mutants:
            tests = self._judges(mutant, ran[mutant.module], seconds, quick)
            dies = bool(tests) and self._notice(mutant, tests)
            self.noticed += dies
            if self.show or not dies:
                said = "noticed" if dies else f"NOT NOTICED by {len(tests)} tests"
                print(f"\n{said}: {mutant}", flush=True)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def _run(
        self, tests: Sequence[pytest.Item], began: Callable[[str], object] = len
    ) -> Iterator[bool]:
        """Whether a test failed so far, after each."""
        for item, after in zip(tests, [*tests[1:], None], strict=True):
            began(item.nodeid)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            yield bool(self.failed)

    def _watched(
        self, session: pytest.Session, modules: Sequence[str]
    ) -> tuple[list[str], dict[str, float], dict[str, dict[int, list[str]]]]:
        """What failed, how long each test took, and by module and line which ran it."""
        files = [str(PACKAGE / module) for module in modules]
        watch = coverage.Coverage(data_file=None, include=files)
        watch.start()

        def began(test: str) -> None:
            # The one before may have left its own tracer, or none.
            watch.stop()
            watch.start()
            watch.switch_context(test)

        list(self._run(session.items, began))
        watch.stop()
        found = watch.get_data()
        lines = {m: found.contexts_by_lineno(f) for m, f in zip(modules, files, strict=True)}
        return self.failed, self.seconds, lines

    def _judges(
        self,
        mutant: Mutant,
        ran: Mapping[int, Iterable[str]],
        seconds: Mapping[str, float],
        quick: Sequence[pytest.Item],
    ) -> list[pytest.Item]:
        """The tests that run the changed lines, else its function; the quickest modules first."""
        for lines in (mutant.lines, mutant.around):
            names = {name for line in lines for name in ran.get(line, ())}
            tests = [item for item in quick if item.nodeid in names]
            if tests:
                break
        took: dict[Path, float] = {}
        for item in tests:
            took[item.path] = took.get(item.path, 0) + seconds[item.nodeid]
        return sorted(tests, key=lambda item: took[item.path])

    def _notice(self, mutant: Mutant, tests: Sequence[pytest.Item]) -> bool:
        """Whether one of the tests fails."""

        def work() -> str | None:
            try:
                mutant.take_effect()
            except Exception:
                return ""
            return self.failed[0] if any(self._run(tests)) else None

        try:
            failing = forked(work, LONG)
            if failing is None:
                return False
            by = [test for test in tests if test.nodeid == failing]
            if not forked(lambda: any(self._run(by)), LONG):
                return True
            # It fails without the change now and then, and says nothing of it.
            return self._notice(mutant, [test for test in tests if test not in by])
        except EOFError:  # the process itself fell
            return True
        except TimeoutError:
            print(f"\nThe tests took more than {LONG:.0f} seconds:")
            return False


def main() -> None:
    options = argparse.ArgumentParser(description="Tries which mutants the tests notice.")
    options.add_argument("modules", nargs="*", help="parts of paths, for fewer modules than all")
    options.add_argument("--sample", type=int, default=80, help="how many mutants of each group")
    options.add_argument("--seed", type=int, default=1, help="other ones")
    options.add_argument("--show", action="store_true", help="print each as it is tried")
    given = options.parse_args()
    os.chdir(ROOT)
    # A shell that starts this in the background has it ignored, and tests interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["CLAUDE_MAGIC_OFFLINE_JOURNAL"] = str(Path(tempfile.mkdtemp()) / "requests.jsonl")
    reasons = that_change_nothing()
    stale = set(reasons)
    said = []
    for group, (patterns, folder) in GROUPS.items():
        found = [path for pattern in patterns for path in sorted(PACKAGE.glob(pattern))]
        names = [path.relative_to(PACKAGE).as_posix() for path in found]
        modules = [m for m in names if not given.modules or any(p in m for p in given.modules)]
        mutants = [mutant for module in modules for mutant in mutants_of(module)]
        stale -= {(m.module, m.was, m.now) for m in mutants}
        picked = random.Random(given.seed).sample(mutants, min(given.sample, len(mutants)))  # noqa: S311
        tried = [m for m in picked if (m.module, m.was, m.now) not in reasons]
        if not tried:
            continue
        began = time.monotonic()
        trial = Trial(tried, given.show)
        # No kernel has the changed code, and starting one takes seconds.
        tests = [str(t) for t in (ROOT / folder).rglob("test_*.py") if "kernel" not in t.name]
        arguments = ["-q", "-s", f"--timeout={LIMIT}", "-p", "no:cacheprovider", "-p", "no:xdist"]
        if pytest.main([*arguments, *sorted(tests)], plugins=[trial]) != 0:
            sys.exit(f"The tests of {folder} cannot be run.")
        share = trial.noticed / len(tried)
        said.append(
            f"{'' if share >= ENOUGH else 'TOO FEW '}{group}: {share:.0%}, "
            f"{trial.noticed} of {len(tried)} noticed, {len(picked) - len(tried)} change nothing, "
            f"{len(mutants)} in all, {(time.monotonic() - began) / 60:.1f} minutes"
        )
        print(f"\n{said[-1]}\n", flush=True)
    if stale and not given.modules:
        said += [f"NO SUCH CHANGE ANY MORE: {module}: {was}" for module, was, _ in sorted(stale)]
    print("\n".join(said))
    sys.exit(any(line.startswith(("TOO FEW", "NO SUCH")) for line in said))


if __name__ == "__main__":
    main()
