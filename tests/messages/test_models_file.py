"""The user's own file of models: what it adds, what it corrects, what it may not say."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from claude_magic.messages.errors import InputError
from claude_magic.messages.models import MODELS, Price
from claude_magic.messages.models_file import read_models

GOOD = """
[aliases]
local = "qwen3:32b"
Mine = "claude-opus-5"

[models."qwen3:32b"]
name = "Qwen 3 32B"
input = 0
output = 0.0
context = 32768
max_output = 8192
prefill = false
thinking = "manual"

[models.claude-haiku-5-5]
output = 1
context = 500_000
efforts = ["high", "low"]

[models.claude-haiku-4-5-20251001]
retires = 2027-03-01
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models.toml"


def test_it_adds_models_and_names(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    known = read_models(path)
    model = known.lookup("LOCAL")
    assert model is not None
    assert (model.id, model.name, model.context) == ("qwen3:32b", "Qwen 3 32B", 32768)
    assert model.price == Price(0, 0, 0, 0)
    assert (model.prefill, model.thinking) == (False, "manual")
    assert known.added == ["qwen3:32b"]
    assert known.resolve("mine") == "claude-opus-5"


def test_it_corrects_what_it_names_and_leaves_the_rest(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    haiku = read_models(path).lookup("haiku")
    assert haiku is not None
    assert haiku.price is not None
    assert astuple(haiku.price) == pytest.approx((0.10, 1, 0.125, 0.01))
    assert haiku.long_prompt is None, "the price by length is not that of the file"
    assert (haiku.context, haiku.efforts) == (500_000, ("low", "high"))
    assert haiku.max_output == MODELS["claude-haiku-5-5"].max_output


def test_a_dated_id_means_the_model_of_that_date(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    for name in ("claude-haiku-4-5", "claude-haiku-4-5-20251001"):
        found = read_models(path).lookup(name)
        assert found is not None
        assert found.retires == "2027-03-01"


def test_its_corrections_stand_over_what_a_server_lists(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    known = read_models(path).with_list([{"id": "claude-haiku-5-5", "max_input_tokens": 9}])
    haiku = known.lookup("haiku")
    assert haiku is not None
    assert haiku.price is not None
    assert (haiku.context, haiku.price.output) == (500_000, 1)
    assert known.lists("qwen3:32b"), "what the user adds is there"


WRONG = {
    "no file": (None, "cannot be read"),
    "no TOML": ("models = [", "cannot be read"),
    "not UTF-8": (b"\xff", "cannot be read"),
    "another table": ("[modles.a]\n", "modles is not known: did you mean models?"),
    "another field": (
        '[models."a"]\ncontxt = 1',
        "models.a.contxt is not known: did you mean context",
    ),
    "a field that is like none": (
        "[models.a]\nzzz = 1",
        "models.a.zzz is not known: known are name",
    ),
    "a number for a text": ("[models.a]\nname = 1", "models.a.name: "),
    "a text for a number": ('[models.a]\ncontext = "many"', "models.a.context: "),
    "a truth for a number": ("[models.a]\ncontext = true", "models.a.context: "),
    "a negative price": ("[models.a]\ninput = -1\noutput = 1", "models.a.input: "),
    "a price that is none": ("[models.a]\ninput = nan\noutput = 1", "models.a.input: "),
    "half a price": ("[models.a]\ninput = 1", "models.a needs input and output"),
    "another effort": ('[models.a]\nefforts = ["huge"]', "models.a.efforts.0: "),
    "another kind of thinking": ('[models.a]\nthinking = "much"', "models.a.thinking: "),
    "an alias for nothing": ('[aliases]\na = ""', "aliases.a: "),
    "a model that is no table": ("[models]\na = 1", "models.a: "),
    "a name with a control character": ('[models.a]\nname = "a\\u001bb"', "models.a.name: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_named_in_one_line(path: Path, case: str) -> None:
    content, words = WRONG[case]
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as refused:
        read_models(path)
    assert words in str(refused.value)
    assert "models.toml" in str(refused.value)
    assert "\n" not in str(refused.value)
