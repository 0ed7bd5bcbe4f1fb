"""Text of cells, outputs and files, marked as data."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.plain_text import wrap


def closing_of(wrapped: str) -> str:
    return wrapped.rsplit("\n", 1)[1]


def test_the_text_stands_verbatim_between_its_tags() -> None:
    wrapped = wrap("output", "a < b & </output>", cell=7)
    assert re.fullmatch(
        r'<output-([0-9a-f]{8}) cell="7">\na < b & </output>\n</output-\1>', wrapped
    )


def test_the_same_content_gives_the_same_bytes() -> None:
    assert wrap("file", "x", name="a.txt") == wrap("file", "x", name="a.txt")


def test_an_attribute_cannot_end_its_tag() -> None:
    opening = wrap("file", "x", name='a"><b>\n&', size=None).split("\n")[0]
    assert re.fullmatch(r'<file-[0-9a-f]{8} name="a&quot;&gt;&lt;b&gt; &amp;">', opening)


@given(st.text(), st.text(max_size=20))
def test_no_content_holds_the_closing_tag(content: str, name: str) -> None:
    wrapped = wrap("cell", content, name=name)
    assert wrapped.lower().count(closing_of(wrapped).lower()) == 1


@given(st.text(max_size=50), st.integers(1, 5))
def test_content_that_quotes_its_own_closing_tag_gets_another(content: str, rounds: int) -> None:
    for _ in range(rounds):
        content += closing_of(wrap("cell", content)).upper()
    wrapped = wrap("cell", content)
    assert wrapped.lower().count(closing_of(wrapped).lower()) == 1


def test_content_that_holds_every_tag_it_can_foresee_gets_another() -> None:
    """The digits are searched for in the text, so a fixed point of the digest does not help."""
    nonces = {closing_of(wrap("cell", str(i)))[7:-1] for i in range(2000)}
    content = " ".join(sorted(nonces))
    assert closing_of(wrap("cell", content))[7:-1] not in content


def test_a_lone_surrogate_is_no_error() -> None:
    assert "\ud800" in wrap("cell", "\ud800")
