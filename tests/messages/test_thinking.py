"""Thinking and effort for every model of the table, against the referee of the offline server."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from claude_magic.messages.blocks import text
from claude_magic.messages.errors import InputError
from claude_magic.messages.models import MODELS, Model, unknown
from claude_magic.messages.request import INTERLEAVED, TOP_EFFORTS, Options, Request, build
from claude_magic.offline.referee.referee import VERSIONS, check

EFFORTS = ("low", "medium", "high", "xhigh", "max")
ANT = "What is latin for ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"
# An effort that the user names, and the same as the setting of a session.
ASKED = [(None, False), *itertools.product(EFFORTS, (True, False))]
TAKES_TOP_WITHOUT_THINKING = {
    "claude-sonnet-5",
    *(m.id for m in MODELS.values() if m.thinking_off == "default"),
    *(m.id for m in MODELS.values() if m.thinking_off == "none"),
}


def ask(model: Model, **said: Any) -> Request:
    return build(model, [], [text(ANT)], Options(**said), anthropic=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_request_that_is_built_is_refused_whatever_was_asked(model: Model, version: str) -> None:
    headers = {"anthropic-version": version}
    sent = refused = 0
    combinations = itertools.product(
        ("auto", "show", "off"), ASKED, ("", "The answer is (", "In short:"), (None, 1, 100_000)
    )
    for think, (effort, named), prefill, most in combinations:
        said = {"think": think, "effort": effort, "effort_named": named, "prefill": prefill}
        try:
            request = ask(model, max_tokens=most, **said)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        check(request.body, headers)
        sent += 1
    assert sent > refused


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_what_is_refused_here_is_what_the_model_cannot_do(model: Model) -> None:
    """Not more than that: an effort that it has is sent, and thinking that it has is shown."""
    for effort in EFFORTS:
        said = {"effort": effort, "effort_named": True}
        if effort in model.efforts:
            assert ask(model, **said).body["output_config"] == {"effort": effort}
            if effort in TOP_EFFORTS and model.id not in TAKES_TOP_WITHOUT_THINKING:
                with pytest.raises(InputError, match="needs thinking"):
                    ask(model, think="off", **said)
            else:
                ask(model, think="off", **said)
        elif model.efforts:
            with pytest.raises(InputError, match=f"has no effort '{effort}': use one of low"):
                ask(model, **said)
        else:
            assert "output_config" not in ask(model, **said).body
    assert ask(model, think="show").body["thinking"]["type"] in ("adaptive", "enabled")


OFF = {
    "claude-sonnet-5-5": "between_tools",
    "claude-haiku-5-5": "disabled",
    "claude-opus-5": "disabled",
    "claude-sonnet-5": "disabled",
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_thinking_is_off_where_it_can_be_and_else_it_is_said(model: Model) -> None:
    request = ask(model, think="off")
    sent = request.body.get("thinking", {}).get("type")
    assert sent == OFF.get(model.id)
    always = sent is None and model.thinking_default
    assert request.notices == (
        (f"{model.name} always thinks: --think off has no effect",) if always else ()
    )


@pytest.mark.parametrize("effort", TOP_EFFORTS)
def test_the_highest_efforts_have_room_unless_a_length_is_said(effort: str) -> None:
    for model in MODELS.values():
        if effort in model.efforts:
            assert ask(model, effort=effort).body["max_tokens"] == 64_000
            assert ask(model, effort=effort, max_tokens=500).body["max_tokens"] == 500
            assert ask(model, effort="high").body["max_tokens"] == 32_000


def test_an_effort_of_the_settings_gives_way_and_one_that_is_named_does_not() -> None:
    request = ask(MODELS["claude-sonnet-5-5"], effort="max", think="off")
    assert request.body["output_config"] == {"effort": "high"}
    assert request.notices == ("Effort max needs thinking, which is off: asked with effort high",)
    assert "output_config" not in ask(MODELS["claude-opus-4-5"], effort="max").body
    assert ask(MODELS["claude-haiku-4-5"], effort="max").notices == ()


@pytest.mark.parametrize("most", [1025, 2000, 32_000])
def test_manual_thinking_has_a_budget_that_leaves_room_for_the_answer(most: int) -> None:
    for model in MODELS.values():
        if model.thinking == "manual":
            body = ask(model, think="show", max_tokens=most).body
            budget = body["thinking"]["budget_tokens"]
            assert budget == {1025: 1024, 2000: 1024, 32_000: 8000}[most] < body["max_tokens"]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_only_manual_thinking_that_knows_how_goes_on_between_tools_by_a_beta(model: Model) -> None:
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    knows = model.id in ("claude-opus-4-5", "claude-sonnet-4-5")
    request = ask(model, think="show", tools=tools, betas=("computer-use-2025-11-24",))
    assert request.betas == (
        "computer-use-2025-11-24",
        *((INTERLEAVED,) if knows else ()),
    )
    check(request.body, {"anthropic-version": VERSIONS[0], "anthropic-beta": request.betas[-1]})
    assert ask(model, think="show").betas == ask(model, tools=tools).betas == ()
    options = Options(think="show", tools=tools)
    assert build(model, [], [text(ANT)], options, anthropic=False).betas == ()


class TestAnotherServer:
    """Ollama and llama.cpp know `enabled` and `disabled`, and pass over what is newer."""

    def ask(self, model: Model, **said: Any) -> Request:
        return build(model, [], [text(ANT)], Options(**said), anthropic=False)

    def test_gets_the_forms_that_such_servers_know(self) -> None:
        llama = unknown("llama3")
        assert self.ask(llama, think="show").body["thinking"] == {
            "type": "enabled",
            "budget_tokens": 4096,
        }
        assert self.ask(llama, think="off").body["thinking"] == {"type": "disabled"}
        assert "thinking" not in self.ask(llama).body

    def test_gets_what_is_known_of_a_model_of_anthropics(self) -> None:
        sonnet = MODELS["claude-sonnet-5-5"]
        assert self.ask(sonnet, think="off").body["thinking"] == {"type": "between_tools"}
        with pytest.raises(InputError, match="has no effort"):
            self.ask(MODELS["claude-opus-4-6"], effort="xhigh", effort_named=True)

    @pytest.mark.parametrize("effort", EFFORTS)
    def test_gets_an_effort_that_the_user_names_and_no_other(self, effort: str) -> None:
        llama = unknown("llama3")
        named = self.ask(llama, effort=effort, effort_named=True).body
        assert named["output_config"] == {"effort": effort}
        assert named["max_tokens"] == 8_192
        assert "output_config" not in self.ask(llama, effort=effort).body


def test_a_new_model_of_anthropics_gets_what_is_safe() -> None:
    new = unknown("claude-sonnet-9")
    assert ask(new, think="show").body["thinking"]["type"] == "adaptive"
    quiet = ask(new, think="off")
    assert "thinking" not in quiet.body
    assert "not known" in quiet.notices[0]
    assert "output_config" not in ask(new, effort="medium").body
    assert ask(new, prefill="In short:").emulated is True
