"""A small model that knows the rules of the page, and nothing of the code that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

STOPPED = "[The user interrupted this reply here.]"
ALONE = "Alone?"
"""A question in these words is asked alone: it sees nothing, and nothing sees it."""

Message = tuple[str, str]
"""Role and text."""


@dataclass(eq=False)
class Said:
    """One question and what came of it.

    `asked` holds the messages of its request; `out` says that another took its place, that its run
    is not the one that stands, or that it was undone, and `aside` that it is out because its run
    did not end well. A `panel` question stands below `cell`; `order` is the page as it stood then.
    """

    cell: str
    ordinal: int
    asked: list[Message]
    panel: bool = False
    order: tuple[str, ...] = ()
    reply: str = ""
    status: str = "complete"
    out: bool = False
    aside: bool = False

    @property
    def prompt(self) -> str:
        return self.asked[-1][1]

    @property
    def goes(self) -> bool:
        """Whether others can see it: a whole reply, or what the user let come of one."""
        stopped = self.status == "interrupted" and self.reply != ""
        return (self.status == "complete" or stopped) and self.prompt != ALONE

    @property
    def counts(self) -> bool:
        """Whether others see it."""
        return self.goes and not self.out

    @property
    def messages(self) -> list[Message]:
        ending = STOPPED if self.status == "interrupted" else ""
        return [("user", self.prompt), ("assistant", self.reply + ending)]


@dataclass
class Run:
    """One run of a cell; `whole` if it ended well."""

    told: list[Said]
    whole: bool


@dataclass
class Model:
    """A page, and of each of its cells the runs that count: the last whole one and those since.

    `panel` holds the panel's questions in the order asked, `recorded` what was answered by the
    messages of its request, `here` what this kernel asked or showed again, `running` what the
    cell that runs has asked so far.
    """

    page: list[str] = field(default_factory=list)
    prompts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, list[Run]] = field(default_factory=dict)
    panel: list[Said] = field(default_factory=list)
    recorded: dict[str, list[Said]] = field(default_factory=dict)
    here: list[Said] = field(default_factory=list)
    running: dict[str, list[Said]] = field(default_factory=dict)
    last_run: str | None = None

    def counting(self, cell: str) -> list[Said]:
        """What the others see of a cell: its last whole run, else the last with anything in it.

        Of a run that has not ended they see something only where there is no other.
        """
        newest = list(reversed(self.runs.get(cell, [])))
        runs = sorted(newest, key=lambda run: not run.whole)
        for told in (*(run.told for run in runs), self.running.get(cell, [])):
            found = [said for said in told if said.counts]
            if found:
                return found
        return []

    def above(self, end: int, *, panel: bool = False) -> list[Said]:
        """What counts of the first `end` cells; the panel's own stopped replies only for itself."""
        shown = [said for said in self.panel if said.counts]
        shown = [said for said in shown if panel or said.status == "complete"]
        found = [said for said in shown if self.place(said) < 0]
        for at, cell in enumerate(self.page[:end]):
            found += self.counting(cell)
            found += [said for said in shown if self.place(said) == at]
        return found

    def place(self, said: Said) -> int:
        """Where a panel question stands: below its cell, else the nearest above that is there."""
        until = said.order[: said.order.index(said.cell) + 1]
        there = [self.page.index(cell) for cell in reversed(until) if cell in self.page]
        return there[0] if there else -1

    def expected(self, cell: str, run: Sequence[Said], prompt: str) -> list[Message]:
        """The messages of a question that `cell` asks after those of its own `run`."""
        own = [said for said in run if said.goes]
        seen = [] if prompt == ALONE else [*self.above(self.page.index(cell)), *own]
        return [*(message for said in seen for message in said.messages), ("user", prompt)]

    def expected_in_panel(self, cell: str, prompt: str) -> list[Message]:
        """The messages of a question that the panel asks below `cell`."""
        seen = self.above(self.page.index(cell) + 1, panel=True)
        return [*(message for said in seen for message in said.messages), ("user", prompt)]

    def is_stale(self, said: Said, before: Sequence[Said]) -> bool:
        """Whether it would be asked differently today; `before` stands above it in its cell."""
        return self.expected(said.cell, before, said.prompt) != said.asked

    def shown_again(self, said: Said, known: Sequence[Said]) -> Said:
        """The turn that answers a question from the record: that of its place, else a copy."""
        place = (said.cell, said.ordinal, said.panel)
        here = [s for s in known if (s.cell, s.ordinal, s.panel) == place]
        if here:
            return here[-1]
        said.reply = known[-1].reply
        return said

    def ended(self, cell: str, told: list[Said], *, whole: bool) -> None:
        """A run of `cell` is over; once it ended well, nothing older counts.

        Nor does an older stopped one where there is no whole one, once anything came of a newer.
        """
        self.running.pop(cell, None)
        runs = self.runs.setdefault(cell, [])
        whole_ones = (run for run in runs if run.whole and not all(said.out for said in run.told))
        stands = next(whole_ones, None)
        if whole or (stands is None and any(said.goes for said in told)):
            for said in (said for run in runs for said in run.told):
                said.aside = said.aside or (not whole and not said.out)
                said.out = True
            runs.clear()
            for said in told:
                said.out = said.aside = False
        elif stands is not None:
            for said in told:
                if said not in stands.told:
                    said.out = said.aside = True
        runs.append(Run(told, whole))

    def undone(self) -> None:
        """The turn that was asked or shown last is taken out; one that is set aside is so already.

        Where that is out, the last one before it that is not.
        """
        if self.here and self.here[-1].aside:
            self.here.pop()
            return
        for said in reversed(self.here):
            if not said.out:
                said.out = True
                return
