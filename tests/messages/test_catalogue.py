"""Which models there are: the table, what a server lists, and which name means what."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.messages import models
from claude_magic.messages.blocks import text
from claude_magic.messages.catalogue import BUILT_IN, MOST_LISTED, Catalogue
from claude_magic.messages.errors import InputError
from claude_magic.messages.models import MODELS
from claude_magic.messages.request import Options, build
from claude_magic.offline.model_list import model_info

REPLACED = {
    "claude-3-opus-20240229": "claude-opus-5-5",
    "claude-3-5-sonnet-latest": "claude-sonnet-5-5",
    "claude-3-haiku": "claude-haiku-5-5",
    "Claude-2.1": "claude-sonnet-5-5",
    "claude-opus-4-1-20250805": "claude-opus-5-5",
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_retired_model_is_refused_and_its_replacement_named(name: str) -> None:
    since = r"is retired since 202[456]-\d\d-\d\d"
    with pytest.raises(InputError, match=f"{since}; its replacement is {REPLACED[name]}"):
        BUILT_IN.choose(name, anthropic=True)
    assert BUILT_IN.choose(name, anthropic=False).id == name, "another server may call one so"


def test_every_replacement_is_a_model_that_is_there_to_stay() -> None:
    for replaced in (*models.RETIRED, *(m.id for m in MODELS.values() if m.deprecated)):
        following = models.replacement(replaced)
        assert following is not None
        assert not MODELS[following].deprecated


def test_a_model_about_to_be_retired_names_the_newest_of_its_line() -> None:
    assert {m.id: models.replacement(m.id) for m in MODELS.values() if m.deprecated} == {
        "claude-mythos-preview": "claude-mythos-5-2",
        "claude-opus-4-5": "claude-opus-5-5",
        "claude-sonnet-4-5": "claude-sonnet-5-5",
    }
    assert models.replacement("claude-opus-5") is None


@pytest.mark.parametrize(
    ("name", "near"),
    [("sonet", "sonnet"), ("opus-5-5", "claude-opus-5-5"), ("gpt-9", None)],
)
def test_a_name_that_nobody_knows_is_refused_with_the_nearest(name: str, near: str | None) -> None:
    with pytest.raises(InputError, match="is no model of this server") as refused:
        BUILT_IN.choose(name, anthropic=True)
    assert ("did you mean" in str(refused.value)) == bool(near)
    assert near is None or f"did you mean {near}?" in str(refused.value)


def test_a_name_that_may_be_new_is_taken_as_it_is() -> None:
    assert BUILT_IN.choose("claude-sonnet-9", anthropic=True).name == "claude-sonnet-9"
    assert BUILT_IN.choose(" llama3 ", anthropic=False).id == "llama3"


def test_a_dated_id_is_sent_as_it_was_given() -> None:
    chosen = BUILT_IN.choose("claude-haiku-4-5-20251001", anthropic=True)
    assert (chosen.id, chosen.name) == ("claude-haiku-4-5-20251001", "Haiku 4.5")


ENDS = {
    "about to be retired": ("claude-sonnet-4-5", "2026-11-29", "is retired on 2026-11-30"),
    "on the day": ("claude-sonnet-4-5", "2026-11-30", "is retired since 2026-11-30"),
    "afterwards": ("claude-sonnet-4-5", "2027-01-01", "is retired since 2026-11-30"),
    "by its dated id": ("claude-sonnet-4-5-20250929", "2026-12-01", "is retired since 2026-11-30"),
    "long ago": ("claude-3-5-sonnet-20241022", "2026-12-01", "is retired since 2025-10-28"),
}


@pytest.mark.parametrize("case", ENDS)
@pytest.mark.parametrize("listed", [False, True], ids=["no list", "the list was fetched"])
def test_how_a_model_ends_is_known_before_and_after_the_list_was_fetched(
    case: str, listed: bool
) -> None:
    name, today, said = ENDS[case]
    known = BUILT_IN.with_list([{"id": "claude-sonnet-5-5"}]) if listed else BUILT_IN
    said = f"{said}; its replacement is claude-sonnet-5-5"
    assert known.end_of(name, today=today) == said
    if listed:
        with pytest.raises(InputError, match=said):
            known.choose(name, anthropic=True, today=today)
        told = known.unlisted(name, "a.host") or ""
        assert told.startswith(f"a.host lists no model {name}: it is retired ")
        assert told.endswith("; its replacement is claude-sonnet-5-5")


def test_a_model_that_goes_on_has_no_end() -> None:
    assert BUILT_IN.end_of("claude-opus-5", today="2026-12-01") is None
    assert BUILT_IN.end_of("llama3") is None


class TestTheServersList:
    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_says_of_each_model_what_the_table_says(self, model: models.Model) -> None:
        """As far as the offline server lists it as the API does."""
        known = BUILT_IN.with_list([model_info(m) for m in MODELS.values()])
        assert known.lookup(model.id) == model

    def test_decides_which_names_are_known(self) -> None:
        known = BUILT_IN.with_list([{"id": "claude-opus-5-5"}, {"id": "claude-opus-7"}])
        assert known.choose("opus", anthropic=True).id == "claude-opus-5-5"
        assert known.choose("claude-opus-7", anthropic=True).id == "claude-opus-7"
        for name in ("claude-opus-8", "sonnet", "claude-sonnet-4-5"):
            with pytest.raises(InputError, match="is no model of this server"):
                known.choose(name, anthropic=True)
        with pytest.raises(InputError, match="did you mean claude-opus-7"):
            known.choose("claude-opus-77", anthropic=True)
        assert known.names() == [*models.ALIASES, "claude-opus-5-5", "claude-opus-7"]

    def test_knows_a_model_by_its_undated_id_too(self) -> None:
        known = BUILT_IN.with_list([{"id": "claude-haiku-4-5-20251001"}])
        assert known.choose("claude-haiku-4-5", anthropic=True).name == "Haiku 4.5"

    def test_may_still_hold_a_retired_model_and_that_one_is_not_there(self) -> None:
        known = BUILT_IN.with_list([{"id": "claude-opus-5", "lifecycle": "retired"}])
        with pytest.raises(InputError, match="it is retired; its replacement is claude-opus-5-5"):
            known.choose("claude-opus-5", anthropic=True)

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            ({"retires_at": "2026-12-24T00:00:00Z"}, "is retired on 2026-12-24"),
            ({"retires_at": "2026-11-01T00:00:00Z"}, "is retired since 2026-11-01"),
        ],
    )
    def test_says_that_a_model_is_about_to_be_retired(
        self, item: dict[str, str], said: str
    ) -> None:
        item = {"id": "claude-opus-5", "lifecycle": "deprecated", **item}
        known = BUILT_IN.with_list([item, {"id": "other-model", "lifecycle": "deprecated"}])
        end = known.end_of("claude-opus-5", today="2026-12-01")
        assert end == f"{said}; its replacement is claude-opus-5-5"
        assert known.choose("claude-opus-5", anthropic=True).id == "claude-opus-5"
        assert known.end_of("other-model") == "is deprecated"

    def test_of_another_server_is_no_reason_to_refuse_a_name(self) -> None:
        """Gateways route names that they do not list; so it is only said."""
        known = BUILT_IN.with_list([{"id": "llama3:latest"}, {"id": "qwen3:32b"}])
        assert known.unlisted("llama3", "localhost:11434") is None
        assert known.choose("lama3", anthropic=False).id == "lama3"
        assert known.unlisted("qwen3:30b", "localhost:11434") == (
            "localhost:11434 lists no model qwen3:30b; the nearest is qwen3:32b"
        )
        assert known.unlisted("zzz", "localhost:11434") == "localhost:11434 lists no model zzz"

    def test_decides_how_thinking_and_effort_are_sent(self) -> None:
        item = model_info(MODELS["claude-sonnet-5-5"])
        types = item["capabilities"]["thinking"]["types"]
        types["between_tools"]["supported"], types["disabled"]["supported"] = False, True
        item["capabilities"]["effort"]["medium"]["supported"] = False
        known = BUILT_IN.with_list([item]).choose("sonnet", anthropic=True)
        options = Options(think="off", effort="medium")
        body = build(known, [], [text("Hi")], options, anthropic=True).body
        assert body["thinking"] == {"type": "disabled"}
        assert "output_config" not in body

    def test_tells_what_a_new_model_can(self) -> None:
        item = {**model_info(MODELS["claude-sonnet-5-5"]), "id": "claude-sonnet-9"}
        item |= {"max_input_tokens": 2_000_000, "max_tokens": 256_000}
        model = BUILT_IN.with_list([item]).choose("claude-sonnet-9", anthropic=True)
        assert (model.context, model.max_output) == (2_000_000, 256_000)
        assert (model.thinking, model.thinking_off) == ("adaptive", "between_tools")
        assert model.efforts == models.EFFORTS
        assert not model.prefill
        assert model.price is None

    def test_tells_of_a_model_that_does_not_think(self) -> None:
        can = {"thinking": {"supported": False, "types": {}}, "structured_outputs": {}}
        model = BUILT_IN.with_list([{"id": "claude-tiny-1", "capabilities": can}]).lookup(
            "claude-tiny-1"
        )
        assert model is not None
        assert (model.thinking, model.structured_outputs) == ("none", False)
        for think, said in (("show", 1), ("off", 0)):
            request = build(model, [], [text("Hi")], Options(think=think), anthropic=True)
            assert "thinking" not in request.body
            assert len(request.notices) == said


STRANGE: dict[str, dict[str, Any]] = {
    "numbers that are none": {"max_input_tokens": "many", "max_tokens": -1},
    "a truth that is a number": {"max_input_tokens": True},
    "no capabilities": {"capabilities": None},
    "capabilities that are a list": {"capabilities": [1]},
    "thinking that is a word": {"capabilities": {"thinking": "yes", "effort": 3}},
    "types that are none": {"capabilities": {"thinking": {"types": {"adaptive": 1}}}},
    "a date that is none": {"retires_at": {"year": 2027}},
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_list_that_says_nonsense_of_a_model_says_nothing_of_it(case: str) -> None:
    found = BUILT_IN.with_list([{"id": "claude-opus-5-5", **STRANGE[case]}]).lookup("opus")
    model = MODELS["claude-opus-5-5"]
    assert found is not None
    assert (found.context, found.max_output, found.retires) == (
        model.context,
        model.max_output,
        model.retires,
    )
    assert found.thinking == "adaptive"


def test_ids_that_are_none_are_left_out_and_a_list_without_end_is_cut() -> None:
    wrong = [
        {},
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": "a\nb"},
        {"id": " a"},
        {"id": "a" * 999},
    ]
    assert BUILT_IN.with_list([*wrong, {"id": "a"}, {"id": "a"}]).listed == ("a",)
    endless = BUILT_IN.with_list({"id": f"m{n}"} for n in range(3 * MOST_LISTED))
    assert endless.listed is not None
    assert len(endless.listed) == MOST_LISTED


def test_aliases_of_the_user_go_before_those_of_the_table() -> None:
    known = Catalogue(aliases={"sonnet": "claude-sonnet-5", "local": "qwen3:32b"})
    assert known.choose("Sonnet", anthropic=True).id == "claude-sonnet-5"
    assert known.choose("local", anthropic=False).id == "qwen3:32b"
    assert known.aliases_of("claude-sonnet-5") == ["sonnet"]
    assert known.aliases_of("claude-sonnet-5-5") == []
    assert known.names()[:2] == ["sonnet", "local"]
