"""What a request is recognised by: what was asked and what the page showed, in whatever words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from claude_magic.conversation.asking.plan import begun
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.history import History
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Step, Turn, following_digest
from claude_magic.messages.blocks import image_base64, image_label, text
from claude_magic.messages.models import Model
from tests.conversation.desk_and_scales import WEIGH, Scales

FIGURE = image_base64("image/png", "AAAA")
ASKED = Question(
    content=(image_label(1), FIGURE, text("Why does it fan out?")),
    context=(text("What was run.\n<cell-12345678>\nplot()\n</cell-12345678>"), FIGURE),
    page=("code-1", "picture-2"),
    values={"x": "value-3"},
    prompt="Why does it fan out?",
    cell="B",
    order=("A", "B"),
)
ABOVE = Turn(
    "above",
    (text("Words of ours, and a cell"), text("What is it?")),
    (text("A residual plot."),),
    "claude-sonnet-5-5",
    "offline",
    cell="A",
    prompt="What is it?",
    page=("code-0",),
    context=1,
    question="of the question above",
    form=2,
)
SETTINGS = Settings(base_url="offline")


def digest(
    question: Question = ASKED, settings: Settings = SETTINGS, *above: Turn, **said: Any
) -> str:
    session = Session(lambda: settings, history=lambda: History(above or (ABOVE,)))
    return session.plan(replace(question, **said)).digest


# What is said in words of ours, trimmed or limited otherwise, and is the same question.
OURS: Mapping[str, Mapping[str, Any]] = {
    "another introduction and other tags": {
        "context": (text("The page so far.\n<source>\nplot()\n</source>"), FIGURE)
    },
    "a state of the cell": {
        "context": (text('<cell state="edited since it ran">\nplot()\n</cell>'), FIGURE)
    },
    "a mark of what was trimmed": {
        "context": (text("<cell-1>\np\n[… 5 characters left out …]\n</cell-1>"), FIGURE)
    },
    "a figure that found no room": {"context": (text("[left out: a figure of the cell above]"),)},
    "nothing that found room": {"context": ()},
    "no label at the user's image": {"content": ASKED.content[1:]},
    "another number at it": {"content": (image_label(7), *ASKED.content[1:])},
    "variables described or not": {"values": {}},
    "a system prompt of ours": {"notebook": True},
    "lines for the user": {"notices": ("a figure left out",), "carried": "2 cells"},
}


@pytest.mark.parametrize("case", OURS)
def test_words_of_ours_are_no_part_of_a_digest(case: str) -> None:
    assert digest(**OURS[case]) == digest()


class Described(Scales):
    """One tool in these words, which are ours or the user's."""

    def __init__(self, description: str, *, ours: bool) -> None:
        super().__init__()
        self.ours = frozenset([WEIGH["name"]] if ours else [])
        self._description = description

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return [{**WEIGH, "description": self._description}]


@pytest.mark.parametrize("ours", [True, False])
def test_what_a_tool_of_ours_is_described_by_is_none_either(ours: bool) -> None:
    one, other = (digest(tools=Described(d, ours=ours)) for d in ("Weighs.", "Weighs a sample."))
    assert (one == other) is ours
    assert one != digest(), "that it is offered counts"


OTHER: Mapping[str, Mapping[str, Any]] = {
    "another source": {"page": ("code-9", "picture-2")},
    "another figure": {"page": ("code-1", "picture-9")},
    "another order": {"page": ("picture-2", "code-1")},
    "nothing on the page": {"page": ()},
    "other words": {"content": (*ASKED.content[:2], text("Why?"))},
    "another image of the user's": {
        "content": (image_label(1), image_base64("image/png", "BBBB"), ASKED.content[2])
    },
    "the user's words like a label": {"content": (text("Image x:"), *ASKED.content[1:])},
    "a system text": {"system": "Be brief."},
    "another model": {"model": "opus"},
    "a limit of the user's": {"max_tokens": 9},
    "a stop text": {"stop": ("\n",)},
    "effort": {"effort": "low"},
    "a prefill": {"prefill": "It"},
    "alone": {"alone": True},
}


@pytest.mark.parametrize("case", OTHER)
def test_what_the_user_says_and_what_the_page_shows_is(case: str) -> None:
    assert digest(**OTHER[case]) != digest()


@pytest.mark.parametrize(
    "above",
    [
        replace(ABOVE, asked=(text("Other words of ours"), text("What is it?"))),
        replace(ABOVE, asked=(text("What is it?"),), context=0),
        replace(ABOVE, id="again", saw=("x",), ended=9.0, shown={"carried": "2 cells"}),
    ],
)
def test_a_turn_above_counts_by_what_was_asked_there(above: Turn) -> None:
    assert digest(ASKED, SETTINGS, above) == digest()


@pytest.mark.parametrize(
    "above",
    [
        replace(ABOVE, question="of another page"),
        replace(ABOVE, reply=(text("A histogram."),)),
        replace(ABOVE, status="interrupted"),
        replace(ABOVE, parameters={"prefill": "A", "emulated": False}),
    ],
)
def test_and_by_what_came_of_it(above: Turn) -> None:
    assert digest(ASKED, SETTINGS, above) != digest()


def test_a_turn_of_an_older_form_counts_by_the_users_words_and_its_reply() -> None:
    older = replace(ABOVE, question="", page=(), context=0, form=1)
    first = digest(ASKED, SETTINGS, older)
    assert digest(ASKED, SETTINGS, replace(older, asked=())) == first, "as a recording holds it"
    assert digest(ASKED, SETTINGS, replace(older, asked=(), prompt="Why?")) != first
    assert digest(ASKED, SETTINGS, replace(older, asked=(), reply=(text("No."),))) != first


@pytest.mark.parametrize("server", ["https://api.anthropic.com", "http://127.0.0.1:9"])
def test_what_is_asked_for_in_words_counts_by_what_is_asked_for(server: str) -> None:
    """A schema and a prefill are put in words for servers that do not know them."""

    class Shape:
        name = "Number"

        def __init__(self, kind: str) -> None:
            self.schema = {"type": "object", "properties": {"n": {"type": kind}}}

        def read(self, text: str) -> Any:
            raise NotImplementedError

    settings = Settings(base_url=server, model="claude-sonnet-5-5")
    plain = digest(ASKED, settings)
    one, other = (digest(ASKED, settings, shape=Shape(kind)) for kind in ("number", "string"))
    prefill = digest(ASKED, settings, prefill="It fans out because")
    assert len({plain, one, other, prefill}) == 4


def test_the_answer_that_is_one_of_several_choices_counts_by_question_and_prefill() -> None:
    """How the choice is put to the model are words of ours."""
    choice: dict[str, Any] = {
        "content": (text("Which? (A) One (B) Two"),),
        "prefill": "The answer is (",
    }
    assert digest(**choice) != digest(**{**choice, "prefill": "It is ("})
    session = Session(lambda: SETTINGS, history=lambda: History((ABOVE,)))
    plan = session.plan(replace(ASKED, **choice))
    assert plan.request.emulated == "choice"
    turn = begun(plan, "", 1.0)
    assert (turn.page, turn.values, turn.context) == (ASKED.page, ASKED.values, 2)
    assert (turn.form, turn.question, turn.digest) == (2, plan.asks, plan.digest)


RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [text("3 g")]}
CALL = {"type": "tool_use", "id": "t", "name": "weigh", "input": {}}


def steps() -> Iterator[tuple[str, Step, Step, bool]]:
    """Pairs of what came of a request, and whether the request that follows is the same."""
    tools = Step("tools", (CALL,), (RESULT,))
    yield "sum up", tools, replace(tools, answer=(RESULT, text("Sum up now."))), True
    yield "usage", tools, replace(tools, digest="d", stop_reason="tool_use"), True
    other = {**RESULT, "content": [text("4 g")]}
    yield "another result", tools, replace(tools, answer=(other,)), False
    yield "another call", tools, replace(tools, reply=({**CALL, "input": {"n": 1}},)), False
    retry = Step("retry", (text("{"),), (text("This does not fit."),))
    yield "what did not fit, said otherwise", retry, replace(retry, answer=(text("No."),)), True
    yield "another try", retry, replace(retry, reply=(text("["),)), False


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [pytest.param(*case[1:], id=case[0]) for case in steps()],
)
def test_the_later_requests_of_a_question_count_by_replies_and_results(
    one: Step, other: Step, same: bool
) -> None:
    assert (following_digest("d", [one]) == following_digest("d", [other])) is same
    assert following_digest("d", [one]) != following_digest("d", [one], last=True)
    assert following_digest("d", [one]) != following_digest("e", [one])
    assert following_digest("d", [one]) != following_digest("d", [one, one])
