"""Questions of the panel asked again, in other words, or from an earlier point."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.history import followers, path, switch, versions
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import BrokenReply
from claude_magic.offline import OfflineServer


class Panel:
    """A conversation that goes on in the panel alone."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ask(self, prompt: str, **said: Any) -> Turn:
        question = Question(content=(text(prompt),), prompt=prompt, panel=True, **said)
        return self.session.ask(question).turn

    def instead(self, turn: Turn, prompt: str, **said: Any) -> Turn:
        """Asks in place of `turn`, and of all that came after it."""
        after = followers(self.session.turns, self.session.history.retired, turn.id)
        return self.ask(prompt, instead=(turn.id, *after), **said)

    @property
    def standing(self) -> list[str]:
        """The questions that count."""
        history = self.session.history
        return [turn.prompt for turn in history.turns if turn.id not in history.retired]

    def switch(self, turn: Turn) -> None:
        switch(self.session.history, turn)


@pytest.fixture
def panel() -> Iterator[Panel]:
    session = Session(lambda: Settings(base_url="offline"), find=lambda: None)
    yield Panel(session)
    session.close()


def prompts(turns: list[Turn]) -> list[str]:
    return [turn.prompt for turn in turns]


def test_a_question_asked_in_place_of_another_sees_neither_it_nor_what_came_after(
    panel: Panel,
) -> None:
    one, two = panel.ask("One"), panel.ask("Two")
    panel.ask("Three")
    other = panel.instead(two, "Two, in other words")
    assert other.saw == (one.id,)
    assert panel.standing == ["One", "Two, in other words"]


def test_the_versions_of_a_question_are_known_however_often_it_is_asked_again(
    panel: Panel,
) -> None:
    one = panel.ask("One")
    two = panel.instead(one, "One", fresh=True)
    three = panel.instead(two, "One, shorter")
    after = panel.ask("Two")
    assert prompts(versions(panel.session.turns, two)) == ["One", "One", "One, shorter"]
    assert versions(panel.session.turns, three) == versions(panel.session.turns, one)
    assert versions(panel.session.turns, after) == [after]
    assert {two.version_of, three.version_of} == {one.id}


def test_switching_to_a_version_brings_back_what_was_asked_after_it(panel: Panel) -> None:
    panel.ask("One")
    two = panel.ask("Two")
    panel.ask("Three")
    panel.ask("Four")
    other = panel.instead(two, "Two B")
    panel.ask("Three B")
    panel.switch(two)
    assert panel.standing == ["One", "Two", "Three", "Four"]
    panel.switch(other)
    assert panel.standing == ["One", "Two B", "Three B"]
    assert panel.ask("Four B").saw == tuple(
        t.id for t in panel.session.turns if t.prompt in ("One", "Two B", "Three B")
    )


def test_of_branches_of_a_branch_the_newest_path_comes_back(panel: Panel) -> None:
    one = panel.ask("One")
    two = panel.ask("Two")
    panel.instead(two, "Two B")
    panel.ask("Three")
    other = panel.instead(one, "One B")
    assert panel.standing == ["One B"]
    assert prompts([panel.session.history[i] for i in path(panel.session.turns, one)]) == [
        *("One", "Two B", "Three")
    ]
    panel.switch(one)
    assert panel.standing == ["One", "Two B", "Three"]
    panel.switch(other)
    assert panel.standing == ["One B"]


def test_an_earlier_wording_asked_once_more_is_its_own_recorded_turn_again(panel: Panel) -> None:
    one = panel.ask("One")
    other = panel.instead(one, "One B")
    again = panel.instead(other, "One")
    assert again == one
    assert panel.standing == ["One"]


def test_what_a_failed_question_was_to_replace_stays() -> None:
    with OfflineServer() as server:
        session = Session(lambda: Settings(base_url=server.url), find=lambda: None)
        panel = Panel(session)
        one = panel.ask("One")
        server.behave("cut", "cut", "cut")
        with pytest.raises(BrokenReply):
            panel.instead(one, "One B")
        session.close()
    assert "One" in panel.standing
