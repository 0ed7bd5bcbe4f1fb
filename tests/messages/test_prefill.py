"""Which choices a question offers, and which prefill one of them completes."""

from __future__ import annotations

import pytest

from claude_magic.messages.blocks import text
from claude_magic.messages.request import choices, labels
from tests.image_blocks import image_url

ANT = "What is latin for ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"

OFFERED = {
    "the founding example": (ANT, "ABC"),
    "lines": ("Which?\n(A) one\n(B) two", "AB"),
    "small letters": ("(a) one, (b) two", "ab"),
    "numbers": ("(1) one (2) two (3) three", "123"),
    "a label named again": ("(A) one, (B) two; is (A) right?", "AB"),
    "a remark beside them": ("(A) one (see (1)), (B) two", "AB"),
    "one alone": ("(A) only this", ""),
    "letters that are no list": ("f(A) and g(C)", ""),
    "roman numerals": ("(I) one, (V) five", ""),
    "a list that breaks off": ("(A) one, (B) two, and (X)", "AB"),
    "nothing": ("Why is the sky blue?", ""),
}


@pytest.mark.parametrize("case", OFFERED)
def test_choices_are_letters_or_numbers_in_brackets_in_their_order(case: str) -> None:
    question, expected = OFFERED[case]
    assert labels(question) == list(expected)


@pytest.mark.parametrize(
    ("prefill", "question", "found"),
    [
        ("The answer is (", ANT, "ABC"),
        ("(", ANT, "ABC"),
        ("The answer is", ANT, ""),
        ("The answer is (A", ANT, ""),
        ("The answer is [", ANT, ""),
        ("The answer is [", "[A] one, [B] two", "AB"),
        ("{", ANT, ""),
        ("", ANT, ""),
    ],
)
def test_a_choice_completes_a_prefill_that_opens_its_bracket(
    prefill: str, question: str, found: str
) -> None:
    assert list(choices([text(question)], prefill)) == list(found)


def test_the_choices_stand_in_the_question_and_not_in_what_goes_along() -> None:
    cell = text("def f(A): ...\n(A) (B)")
    assert choices([cell, text("Why?")], "It is (") == []
    assert choices([cell, text(ANT), image_url("https://example.org/a.png")], "It is (")
    assert choices([image_url("https://example.org/a.png")], "It is (") == []
