"""What the offline server says to a question, a prefill or an image, as `anthropic` sees it."""

from __future__ import annotations

import warnings

import anthropic
import pytest

from claude_magic.messages.models import MODELS
from claude_magic.messages.usage import estimate_input
from tests.offline.offline_samples import (
    NEWEST,
    PREFILLABLE,
    assistant,
    body,
    image,
    picture,
    said,
    text,
    user,
    without_ids,
)

ANT = "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"


def test_a_reply_says_that_no_model_was_asked_and_quotes_the_question(
    client: anthropic.Anthropic,
) -> None:
    reply = client.messages.create(**body(user("Hello, Claude")))
    assert "offline server" in said(reply)
    assert "> Hello, Claude" in said(reply)
    assert (reply.role, reply.model, reply.stop_reason) == ("assistant", NEWEST, "end_turn")


def test_the_same_request_gets_the_same_reply(client: anthropic.Anthropic) -> None:
    asked = body(user(image(), text("What is it?")))
    first, second = client.messages.create(**asked), client.messages.create(**asked)
    assert without_ids(first) == without_ids(second)
    assert first.id != second.id


def test_turns_are_counted_and_the_system_prompt_is_acknowledged(
    client: anthropic.Anthropic,
) -> None:
    reply = client.messages.create(**body(user("a"), assistant("b"), user("c"), system="x" * 120))
    assert "Turn 2 of this conversation; system prompt: 120 characters" in said(reply)


def test_input_tokens_are_the_estimate_that_count_tokens_gives(
    client: anthropic.Anthropic,
) -> None:
    asked = body(user(image(picture(1000, 1000)), text("What is it?")))
    counted = client.messages.count_tokens(model=NEWEST, messages=asked["messages"])
    assert counted.input_tokens == estimate_input(asked, MODELS[NEWEST])
    assert counted.input_tokens > 1296
    assert client.messages.create(**asked).usage.input_tokens == counted.input_tokens


def test_the_price_named_is_that_of_the_model(client: anthropic.Anthropic) -> None:
    asked = body(user(image(picture(1000, 1000)), text("?")), model="claude-opus-5")
    reply = client.messages.create(**asked)
    cost = reply.usage.input_tokens * 5 / 1e6
    assert f"${cost:.4f} with Opus 5" in said(reply)
    assert "$25 per million tokens" in said(reply)


def test_a_prefill_is_continued_with_the_last_choice(client: anthropic.Anthropic) -> None:
    asked = body(user(ANT), assistant("The answer is ("), model=PREFILLABLE, max_tokens=1)
    reply = client.messages.create(**asked)
    assert (said(reply), reply.stop_reason) == ("C", "max_tokens")
    assert reply.usage.output_tokens == 1


def test_a_prefill_is_taken_by_sonnet_4_5(client: anthropic.Anthropic) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the model is about to be retired
        reply = client.messages.create(
            **body(user(ANT), assistant("The answer is ("), model="claude-sonnet-4-5")
        )
    assert said(reply).startswith("C), the last choice: the offline server")


def test_a_prefill_is_refused_by_sonnet_5_5(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="does not support assistant message"):
        client.messages.create(**body(user(ANT), assistant("The answer is (")))


@pytest.mark.parametrize(
    ("opening", "goes_on"),
    [("{", '"offline": true}'), ("Here it is:\n```python", "\n# Written by the offline server")],
    ids=["json", "code"],
)
def test_a_prefill_that_opens_something_is_closed(
    client: anthropic.Anthropic, opening: str, goes_on: str
) -> None:
    reply = client.messages.create(**body(user("?"), assistant(opening), model=PREFILLABLE))
    assert said(reply).startswith(goes_on)


def test_an_opening_asked_for_in_words_begins_the_reply(client: anthropic.Anthropic) -> None:
    wish = "Begin your answer with exactly the text between the marks: «The answer is (»"
    reply = client.messages.create(**body(user(text(ANT), text(wish))))
    assert said(reply).startswith("The answer is (C), the last choice")


def test_an_image_is_looked_at(client: anthropic.Anthropic) -> None:
    blue = image(picture(640, 480, ink="blue"))
    reply = client.messages.create(**body(user(blue, text("What is it?"))))
    assert "Image 1: PNG, 640 x 480 pixels, mostly white with blue; 414 tokens" in said(reply)


def test_several_images_are_a_table(client: anthropic.Anthropic) -> None:
    red = image(picture(20, 10, kind="JPEG", ground="red"), "image/jpeg")
    reply = client.messages.create(**body(user(image(), red, text("Compare."))))
    assert "| 1 | PNG | 40 x 30 | 4 | all white |" in said(reply)
    assert "| 2 | JPEG | 20 x 10 | 1 | all red |" in said(reply)


def test_an_image_at_an_address_is_named_and_not_fetched(client: anthropic.Anthropic) -> None:
    url = "https://example.invalid/ant.jpg"
    block = {"type": "image", "source": {"type": "url", "url": url}}
    reply = client.messages.create(**body(user(block, text("What is in the above image?"))))
    assert f"Image 1: <{url}>, an address: the offline server fetches nothing" in said(reply)


def test_what_the_notebook_sent_along_is_counted(client: anthropic.Anthropic) -> None:
    data = "\n".join(f"<cell-0000000{n}>\nx\n</cell-0000000{n}>" for n in range(4))
    reply = client.messages.create(**body(user(text(data), text("Why?"))))
    assert "From the notebook: 4 cells" in said(reply)
    assert "> Why?" in said(reply)


@pytest.mark.parametrize(
    "question", ["Give me the code, please", "Plot the residuals", "A function that squares"]
)
def test_code_that_is_asked_for_is_valid_python(client: anthropic.Anthropic, question: str) -> None:
    reply = said(client.messages.create(**body(user(question))))
    source = reply.split("```python\n")[1].split("```")[0]
    compile(source, "reply", "exec")
    assert "offline server" in source


def test_no_code_comes_unasked(client: anthropic.Anthropic) -> None:
    reply = client.messages.create(**body(user("Why does the residual plot fan out?")))
    assert "```" not in said(reply)
