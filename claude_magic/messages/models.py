"""What is known about models: aliases, limits, prices, what each refuses. One table, whole.

Source: the Messages API's model, pricing and deprecation pages, October and November 2026, for
what is retired those of 2025 and 2026; and the deprecated models of the `anthropic` package 2.14.
Prices are USD per million tokens. A name that is not in the table is sent as it is: other servers
have models of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from ..value_classes import frozen

DEFAULT_MODEL = "claude-sonnet-5-5"

ThinkingMode = Literal["adaptive", "manual", "none", "unknown"]
"""How thinking is asked for: left to the model, with a budget, not at all; or it is not known."""

Off = Literal["none", "disabled", "between_tools", "default"]
"""How thinking is switched off: not at all, by that `thinking.type`, or it is off by default."""

ComputerKind = Literal["computer_toolset_20260801", "computer_20251124", "computer_20250124"]
"""A form of the computer use tool. The toolset is the newest, and the only one out of beta."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Every effort, the least first."""
_LOW_TO_HIGH = EFFORTS[:3]
_WITH_MAX = (*_LOW_TO_HIGH, "max")


@frozen
class Price:
    """USD per million tokens; `write` is a five-minute cache write, `read` a cache read."""

    input: float
    output: float
    write: float
    read: float


@frozen
class Model:
    """One model. `context` and `max_output` in tokens, 0 if not known; `long_edge` in pixels."""

    id: str
    name: str
    price: Price | None = None
    # Some models cost more once the prompt is over a number of tokens.
    long_prompt: tuple[int, Price] | None = None
    context: int = 1_000_000
    max_output: int = 128_000
    efforts: tuple[str, ...] = EFFORTS
    default_effort: str | None = "high"
    thinking: ThinkingMode = "adaptive"
    thinking_default: bool = True
    thinking_off: Off = "none"
    # Most models that can be told not to think cannot be told so at the two highest efforts.
    thinking_off_at_top: bool = False
    # Manual thinking goes on between the calls of tools if a beta header asks for it.
    interleaved: bool = False
    prefill: bool = False
    forced_tool_choice: bool = True
    structured_outputs: bool = True
    # High-resolution models see 2576 px and 4784 tokens an image; the others 1568 and 1568.
    high_resolution: bool = True
    # The newest form of the computer use tool that it takes.
    computer: ComputerKind | None = "computer_toolset_20260801"
    cache_minimum: int = 512
    retires: str | None = None
    deprecated: bool = False

    @property
    def long_edge(self) -> int:
        """The longest image side in pixels that this model sees without scaling."""
        return 2576 if self.high_resolution else 1568

    @property
    def image_token_cap(self) -> int:
        """The most tokens one image costs; larger images are scaled down by the server."""
        return 4784 if self.high_resolution else 1568


_OPUS_4 = Price(5, 25, 6.25, 0.50)
_SONNET_4 = Price(3, 15, 3.75, 0.30)
_FABLE = Price(10, 50, 12.50, 0.25)

_TABLE = (
    Model("claude-fable-5-2", "Fable 5.2", Price(8, 40, 10, 0.80), forced_tool_choice=False),
    Model("claude-mythos-5-2", "Mythos 5.2", Price(8, 40, 10, 0.80), forced_tool_choice=False),
    Model(
        "claude-haiku-5-5",
        "Haiku 5.5",
        Price(0.10, 0.50, 0.125, 0.01),
        long_prompt=(100_000, Price(0.50, 2.50, 0.625, 0.05)),
        default_effort="medium",
        thinking_off="disabled",
        retires="2027-10-07",
    ),
    Model(
        "claude-sonnet-5-5",
        "Sonnet 5.5",
        Price(2, 10, 2.50, 0.10),
        thinking_off="between_tools",
        forced_tool_choice=False,
        retires="2027-09-28",
    ),
    Model(
        "claude-opus-5-5",
        "Opus 5.5",
        Price(4, 20, 5, 0.20),
        default_effort="medium",
        forced_tool_choice=False,
        retires="2027-09-22",
    ),
    Model("claude-fable-5-1", "Fable 5.1", _FABLE, forced_tool_choice=False, retires="2027-09-01"),
    Model(
        "claude-mythos-5-1", "Mythos 5.1", _FABLE, forced_tool_choice=False, retires="2027-09-01"
    ),
    Model("claude-opus-5", "Opus 5", _OPUS_4, thinking_off="disabled", retires="2027-07-24"),
    Model(
        "claude-sonnet-5",
        "Sonnet 5",
        Price(2, 10, 2.50, 0.20),
        thinking_off="disabled",
        thinking_off_at_top=True,
        cache_minimum=1024,
        retires="2027-06-30",
    ),
    Model("claude-fable-5", "Fable 5", Price(10, 50, 12.50, 1), retires="2027-06-09"),
    Model("claude-mythos-5", "Mythos 5", Price(10, 50, 12.50, 1), retires="2027-06-09"),
    Model(
        "claude-opus-4-8",
        "Opus 4.8",
        _OPUS_4,
        thinking_default=False,
        thinking_off="default",
        cache_minimum=1024,
        retires="2027-05-28",
    ),
    Model(
        "claude-opus-4-7",
        "Opus 4.7",
        _OPUS_4,
        thinking_default=False,
        thinking_off="default",
        computer="computer_20251124",
        cache_minimum=2048,
        retires="2027-04-16",
    ),
    # Its price, its image tier and its computer tool are not known; what is older is safe.
    Model(
        "claude-mythos-preview",
        "Mythos Preview",
        efforts=_WITH_MAX,
        forced_tool_choice=False,
        high_resolution=False,
        computer="computer_20251124",
        cache_minimum=2048,
        retires="2026-06-30",
        deprecated=True,
    ),
    Model(
        "claude-opus-4-6",
        "Opus 4.6",
        _OPUS_4,
        efforts=_WITH_MAX,
        thinking_default=False,
        thinking_off="default",
        high_resolution=False,
        computer="computer_20251124",
        cache_minimum=4096,
        retires="2027-02-05",
    ),
    Model(
        "claude-sonnet-4-6",
        "Sonnet 4.6",
        _SONNET_4,
        efforts=_WITH_MAX,
        thinking_default=False,
        thinking_off="default",
        high_resolution=False,
        computer="computer_20251124",
        cache_minimum=1024,
        retires="2027-02-17",
    ),
    Model(
        "claude-opus-4-5",
        "Opus 4.5",
        _OPUS_4,
        context=200_000,
        max_output=64_000,
        efforts=_LOW_TO_HIGH,
        thinking="manual",
        thinking_default=False,
        thinking_off="default",
        interleaved=True,
        prefill=True,
        high_resolution=False,
        computer="computer_20251124",
        cache_minimum=4096,
        retires="2027-01-22",
        deprecated=True,
    ),
    Model(
        "claude-haiku-4-5",
        "Haiku 4.5",
        Price(1, 5, 1.25, 0.10),
        context=200_000,
        max_output=64_000,
        efforts=(),
        default_effort=None,
        thinking="manual",
        thinking_default=False,
        thinking_off="default",
        prefill=True,
        high_resolution=False,
        computer="computer_20250124",
        cache_minimum=4096,
    ),
    Model(
        "claude-sonnet-4-5",
        "Sonnet 4.5",
        _SONNET_4,
        context=200_000,
        max_output=64_000,
        efforts=(),
        default_effort=None,
        thinking="manual",
        thinking_default=False,
        thinking_off="default",
        interleaved=True,
        prefill=True,
        high_resolution=False,
        computer="computer_20250124",
        cache_minimum=1024,
        retires="2026-11-30",
        deprecated=True,
    ),
)

MODELS: Mapping[str, Model] = {m.id: m for m in _TABLE}
"""Known models by id, newest first."""

ALIASES: Mapping[str, str] = {
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "haiku": "claude-haiku-5-5",
    "fable": "claude-fable-5-2",
}
"""Short names for the newest of each line."""

DATED = {
    "claude-opus-4-5-20251101": "claude-opus-4-5",
    "claude-haiku-4-5-20251001": "claude-haiku-4-5",
    "claude-sonnet-4-5-20250929": "claude-sonnet-4-5",
}
"""Snapshots of models whose undated id moves, by what it is now."""


@frozen
class Retired:
    """A model that no longer answers: `since` is the day, `replacement` what takes its place."""

    since: str
    replacement: str


_OPUS, _SONNET, _HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"

RETIRED: Mapping[str, Retired] = {
    "claude-instant-1": Retired("2024-11-06", _HAIKU),
    "claude-instant-1.2": Retired("2024-11-06", _HAIKU),
    "claude-2": Retired("2025-07-21", _SONNET),
    "claude-2.0": Retired("2025-07-21", _SONNET),
    "claude-2.1": Retired("2025-07-21", _SONNET),
    "claude-3-haiku": Retired("2026-04-20", _HAIKU),
    "claude-3-5-haiku": Retired("2026-02-19", _HAIKU),
    "claude-3-sonnet": Retired("2025-07-21", _SONNET),
    "claude-3-5-sonnet": Retired("2025-10-28", _SONNET),
    "claude-3-7-sonnet": Retired("2026-02-19", _SONNET),
    "claude-sonnet-4": Retired("2026-06-15", _SONNET),
    "claude-sonnet-4-0": Retired("2026-06-15", _SONNET),
    "claude-3-opus": Retired("2026-01-05", _OPUS),
    "claude-opus-4": Retired("2026-06-15", _OPUS),
    "claude-opus-4-0": Retired("2026-06-15", _OPUS),
    "claude-opus-4-1": Retired("2026-08-05", _OPUS),
}
"""Models that no longer answer, by their undated id."""


def resolve(name: str) -> str:
    """The model id for an alias; any other name unchanged."""
    return ALIASES.get(name.strip().lower(), name.strip())


def lookup(name: str) -> Model | None:
    """The table's row for an alias, an id or a dated id; None for a name it does not know."""
    model_id = resolve(name)
    return MODELS.get(DATED.get(model_id, model_id))


def unknown(model_id: str) -> Model:
    """A row for a model that the table does not know: no price, and nothing sent unasked.

    A new model of Anthropic's takes no prefill, as none has since 4.6; others mostly do.
    """
    return Model(
        model_id,
        model_id,
        context=0,
        max_output=0,
        efforts=(),
        default_effort=None,
        thinking="unknown",
        thinking_default=False,
        thinking_off="none",
        prefill=not model_id.startswith("claude-"),
        forced_tool_choice=not model_id.startswith("claude-"),
        high_resolution=False,
        computer=None,
    )


def nearest(name: str) -> str | None:
    """The known model or alias that `name` was probably meant to be, or what replaced it."""
    model_id = resolve(name).lower()
    if _undated(model_id) in RETIRED:
        return RETIRED[_undated(model_id)].replacement
    from difflib import get_close_matches  # only on the way to an error

    found = get_close_matches(model_id, [*ALIASES, *MODELS], n=1, cutoff=0.6)
    return found[0] if found else None


def replacement(model_id: str, known: Model | None = None) -> str | None:
    """What to use in place of a model that is retired, or about to be; None for any other.

    `known` stands in for the table's row, where a server says something newer of it.
    """
    undated = _undated(model_id.lower())
    if undated in RETIRED:
        return RETIRED[undated].replacement
    model = known or lookup(model_id)
    if model is None or not model.deprecated:
        return None
    return next((m.id for m in _TABLE if _line(m.id) == _line(model.id) != ""), None)


def end_of(
    model_id: str, known: Model | None = None, *, gone: bool = False, today: str = ""
) -> str | None:
    """How the life of a model ends, as in "is retired on 2026-11-30; its replacement is ...".

    None for one that goes on. `known` as in `replacement`; `gone` says that the server calls it
    retired, whatever the day. `today` stands in for the date of now.
    """
    today = today or datetime.now(UTC).date().isoformat()
    past, model = RETIRED.get(_undated(model_id.lower())), known or lookup(model_id)
    if past is not None:
        said = f"is retired since {past.since}"
    elif model is None or not model.deprecated:
        return None
    elif model.retires and model.retires <= today:
        said = f"is retired since {model.retires}"
    elif gone:
        said = "is retired"
    else:
        said = f"is retired on {model.retires}" if model.retires else "is deprecated"
    following = replacement(model_id, model)
    return f"{said}; its replacement is {following}" if following else said


def _undated(model_id: str) -> str:
    """The id without the date, or the word, that says which snapshot is meant."""
    line, _, last = model_id.rpartition("-")
    return line if last == "latest" or (len(last) == 8 and last.isdigit()) else model_id


def _line(model_id: str) -> str:
    """The line that a model of Anthropic's is of, such as "opus"; "" for any other."""
    kind, _, rest = model_id.partition("-")
    return rest.partition("-")[0] if kind == "claude" else ""
