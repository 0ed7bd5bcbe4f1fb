"""What the API takes of the computer tool, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import computer_toolset_configs_param

from claude_magic.messages.models import MODELS
from claude_magic.offline.referee.media_rules import MEMBERS
from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.offline.offline_samples import body, document, image, picture, text, user

TOOLSET = {"type": "computer_toolset_20260801"}
HEADERS = {"anthropic-version": "2023-06-01"}
BETAS = "computer-use-2025-11-24,computer-use-2025-01-24"


def older(kind: str = "computer_20251124", **more: Any) -> dict[str, Any]:
    tool = {"type": kind, "name": "computer", "display_width_px": 1280, "display_height_px": 800}
    return {key: value for key, value in {**tool, **more}.items() if value is not ...}


def result(*content: Any, toolset: str | None = "computer", **more: Any) -> list[dict[str, Any]]:
    """The messages that send one result of a call."""
    set_name = {} if toolset is None else {"toolset_name": toolset}
    call = {"type": "tool_use", "id": "toolu_1", "name": "screenshot", "input": {}, **set_name}
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content)}
    return [
        user("Look."),
        {"role": "assistant", "content": [call]},
        user({**answer, **set_name, **more}),
    ]


def judged(*messages: Any, model: str = "claude-opus-5", **more: Any) -> None:
    headers = {**HEADERS, "anthropic-beta": BETAS}
    check(body(*messages, model=model, **{"tools": [TOOLSET], **more}), headers)


def test_the_members_are_those_of_the_api_s_own_types() -> None:
    assert set(MEMBERS) == set(
        computer_toolset_configs_param.ComputerToolsetConfigsParam.__annotations__
    )
    assert len(MEMBERS) == 17


TAKES = {
    "claude-fable-5-2": (True, True, False),
    "claude-haiku-5-5": (True, False, False),
    "claude-sonnet-5-5": (True, False, False),
    "claude-opus-5-5": (True, False, False),
    "claude-opus-5": (True, True, False),
    "claude-sonnet-5": (True, True, False),
    "claude-opus-4-8": (True, True, False),
    "claude-opus-4-7": (False, True, False),
    "claude-opus-4-6": (False, True, False),
    "claude-sonnet-4-6": (False, True, False),
    "claude-opus-4-5": (False, True, False),
    "claude-haiku-4-5": (False, False, True),
    "claude-sonnet-4-5": (False, False, True),
}
FORMS = (TOOLSET, older(), older("computer_20250124"))


@pytest.mark.parametrize(("model", "takes"), TAKES.items(), ids=TAKES)
def test_a_model_takes_some_forms_and_refuses_the_others(
    model: str, takes: tuple[bool, ...]
) -> None:
    for tool, taken in zip(FORMS, takes, strict=True):
        if taken:
            judged(user("Look."), model=model, tools=[tool])
        else:
            with pytest.raises(Refusal, match=f"'{model}' does not support tool types: "):
                judged(user("Look."), model=model, tools=[tool])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_form_in_the_table_of_models_is_the_newest_that_is_taken(model: Any) -> None:
    kinds = [tool["type"] for tool in FORMS]
    assert model.computer in kinds
    for tool in FORMS[: kinds.index(model.computer)]:
        with pytest.raises(Refusal, match="does not support tool types"):
            judged(user("Look."), model=model.id, tools=[tool])
    judged(user("Look."), model=model.id, tools=[FORMS[kinds.index(model.computer)]])


ENTRIES_TAKEN: dict[str, dict[str, Any]] = {
    "nothing but its type": TOOLSET,
    "members switched off": {
        **TOOLSET,
        "configs": {"zoom": {"enabled": False}, "type": {"defer_loading": False}, "key": None},
    },
    "no configs": {**TOOLSET, "configs": None},
    "a mark for the cache": {**TOOLSET, "cache_control": {"type": "ephemeral"}},
    "the older tool": older(),
    "the older tool with zoom": older(enable_zoom=True, display_number=1),
}


@pytest.mark.parametrize("tool", ENTRIES_TAKEN.values(), ids=ENTRIES_TAKEN)
def test_a_good_entry_is_taken(tool: dict[str, Any]) -> None:
    judged(user("Look."), tools=[tool])


ENTRIES_REFUSED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "a name": ("Extra inputs", [{**TOOLSET, "name": "computer"}]),
    "a size": ("Extra inputs", [{**TOOLSET, "display_width_px": 1280}]),
    "zoom as it was": ("Extra inputs", [{**TOOLSET, "enable_zoom": True}]),
    "a member that is none": ("Extra inputs", [{**TOOLSET, "configs": {"jump": {}}}]),
    "a setting that is none": ("Extra inputs", [{**TOOLSET, "configs": {"zoom": {"on": True}}}]),
    "a setting of a wrong type": ("boolean", [{**TOOLSET, "configs": {"zoom": {"enabled": 1}}}]),
    "both forms": ("beside a tool named 'computer'", [TOOLSET, older()]),
    "a function with its name": (
        "beside a tool named 'computer'",
        [TOOLSET, {"name": "computer", "input_schema": {"type": "object"}}],
    ),
    "the older tool without a size": ("display_height_px", [older(display_height_px=...)]),
    "the older tool with no size": ("greater than or equal to 1", [older(display_width_px=0)]),
    "the older tool with another name": ("should be 'computer'", [older(name="desktop")]),
    "the older tool with configs": ("Extra inputs", [older(configs={})]),
}


@pytest.mark.parametrize(("message", "tools"), ENTRIES_REFUSED.values(), ids=ENTRIES_REFUSED)
def test_a_bad_entry_is_refused(message: str, tools: list[dict[str, Any]]) -> None:
    with pytest.raises(Refusal) as refused:
        judged(user("Look."), tools=tools)
    assert refused.value.status == 400
    assert message in refused.value.message


def test_the_oldest_form_has_no_zoom() -> None:
    tool = older("computer_20250124", enable_zoom=True)
    with pytest.raises(Refusal, match="enable_zoom: Extra inputs"):
        judged(user("Look."), model="claude-haiku-4-5", tools=[tool])


@pytest.mark.parametrize("kind", ["computer_20251124", "computer_20250124"])
def test_an_older_form_needs_the_beta_header_of_its_date(kind: str) -> None:
    model = "claude-opus-4-6" if kind == "computer_20251124" else "claude-haiku-4-5"
    asked = body(user("Look."), model=model, tools=[older(kind)])
    date = f"computer-use-{kind[9:13]}-{kind[13:15]}-{kind[15:]}"
    check(asked, {**HEADERS, "anthropic-beta": date})
    other = ({*BETAS.split(",")} - {date}).pop()
    for headers in (HEADERS, {**HEADERS, "anthropic-beta": other}):
        with pytest.raises(Refusal, match=f"needs the beta header {date}"):
            check(asked, headers)


def test_a_result_may_hold_text_and_an_image() -> None:
    judged(*result(text("OK"), image(picture(1280, 800))))
    judged(*result(text("It failed."), is_error=True))


REFUSED_RESULTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "a document": ("text and images only", result(document("a page"))),
    "an image in a failure": ("type 'text'", result(text("no"), image(), is_error=True)),
    "an image that the model would see smaller": (
        "the largest size of this shape is 2576x1449",
        result(image(picture(3840, 2160))),
    ),
    "a result that belongs to no toolset": (
        "must echo",
        [*result(text("OK"))[:2], result(text("OK"), toolset=None)[2]],
    ),
}


@pytest.mark.parametrize(("message", "messages"), REFUSED_RESULTS.values(), ids=REFUSED_RESULTS)
def test_a_result_that_the_api_would_not_take_is_refused(
    message: str, messages: list[dict[str, Any]]
) -> None:
    with pytest.raises(Refusal) as refused:
        judged(*messages)
    assert message in refused.value.message


def test_the_older_tool_s_images_may_be_of_any_size() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "computer", "input": {}}
    answer = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [image(picture(3840, 2160))],
    }
    judged(user("Look."), {"role": "assistant", "content": [call]}, user(answer), tools=[older()])
