"""Which models there are, by name: the built-in table, what a server lists, what the user adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeGuard

from ..value_classes import frozen
from . import models
from .errors import InputError
from .models import EFFORTS, Model, Off, ThinkingMode, unknown

MOST_LISTED = 1_000
"""More models than that are passed over."""

_LONGEST_ID = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def model_ids(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The items of a list by their id, in its order; those without a usable id are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        model_id = item.get("id")
        if _usable(model_id) and len(found) < MOST_LISTED:
            found.setdefault(model_id, item)
    return found


def _usable(model_id: object) -> TypeGuard[str]:
    if not isinstance(model_id, str):
        return False
    plain = model_id.isprintable() and model_id == model_id.strip()
    return plain and 0 < len(model_id) <= _LONGEST_ID


def listed_model(model_id: str, item: Mapping[str, Any], known: Model | None) -> Model:
    """What is `known` of a model, with what its server says laid over it.

    The list has limits, efforts, kinds of thinking and dates. It has no prices, and nothing of
    prefill and forced tools.
    """
    model = known or unknown(model_id)
    # Anthropic's, vLLM's and llama.cpp's name for it.
    told = ((item, "max_input_tokens"), (item, "max_model_len"), (item, "n_ctx"))
    meta = _part(item, "meta")
    context = next(filter(None, (_count(*part) for part in (*told, (meta, "n_ctx")))), 0)
    model = replace(
        model,
        context=context or model.context,
        max_output=_count(item, "max_tokens") or model.max_output,
        deprecated=model.deprecated or item.get("lifecycle") in ("deprecated", "retired"),
        retires=_date(item.get("retires_at")) or model.retires,
    )
    can = _part(item, "capabilities")
    if "effort" in can:
        model = _with_efforts(model, _part(can, "effort"))
    if "thinking" in can:
        model = _with_thinking(model, _part(can, "thinking"))
    if "structured_outputs" in can:
        model = replace(model, structured_outputs=_supported(can, "structured_outputs"))
    return model


def _with_efforts(model: Model, effort: Mapping[str, Any]) -> Model:
    levels = tuple(level for level in EFFORTS if _supported(effort, level))
    if effort.get("supported") is False:
        levels = ()
    default = model.default_effort if model.default_effort in levels else None
    return replace(model, efforts=levels, default_effort=default)


def _with_thinking(model: Model, thinking: Mapping[str, Any]) -> Model:
    types = _part(thinking, "types")
    kind: ThinkingMode = "none" if thinking.get("supported") is False else model.thinking
    if _supported(types, "adaptive"):
        kind = "adaptive"
    elif _supported(types, "enabled"):
        kind = "manual"
    off: Off = "none"
    if not model.thinking_default and model.thinking_off == "default":
        off = "default"
    elif _supported(types, "between_tools"):
        off = "between_tools"
    elif _supported(types, "disabled"):
        off = "disabled"
    return replace(model, thinking=kind, thinking_off=off)


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _supported(value: Mapping[str, Any], name: str) -> bool:
    return _part(value, name).get("supported") is True


def _count(item: Mapping[str, Any], name: str) -> int | None:
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _date(value: object) -> str | None:
    found = _DATE.match(value) if isinstance(value, str) else None
    return found[0] if found else None


@frozen
class Catalogue:
    """Models by id and short names for some, laid over the built-in table.

    `corrections`, fields of `Model` by id, and `aliases` are the user's. `listed` are the ids of
    the server's own list, None where that is not known, and `server_rows` what it says of them.
    """

    corrections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None
    server_rows: Mapping[str, Model] = field(default_factory=dict)

    def with_list(self, items: Iterable[Mapping[str, Any]]) -> Catalogue:
        """This catalogue, knowing what a server lists; `items` are text from elsewhere."""
        found = model_ids(items)
        rows = {
            _row_id(model_id): listed_model(model_id, item, models.lookup(model_id))
            for model_id, item in found.items()
        }
        usable = [i for i, item in found.items() if item.get("lifecycle") != "retired"]
        return replace(self, listed=tuple(usable), server_rows=rows)

    def resolve(self, name: str) -> str:
        """The model id for an alias; any other name unchanged."""
        return self.aliases.get(name.strip().lower()) or models.resolve(name)

    def lookup(self, name: str) -> Model | None:
        """What is known of an alias, an id or a dated id; None for a name that nobody knows."""
        return self._row(self.resolve(name))

    def _row(self, model_id: str) -> Model | None:
        """What is known of an id or a dated id."""
        model_id = _row_id(model_id)
        found = self.server_rows.get(model_id) or models.MODELS.get(model_id)
        if model_id in self.corrections:
            found = replace(found or models.unknown(model_id), **self.corrections[model_id])
        return found

    def priced(self, *names: str) -> Model | None:
        """What is known of the first of `names` that is known: of the model that answered."""
        return next((found for name in names if (found := self.lookup(name))), None)

    def names(self) -> list[str]:
        """Aliases and ids to choose from, the user's first; what a server lists where known."""
        listed = models.MODELS if self.listed is None else self.listed
        return list(dict.fromkeys((*self.aliases, *models.ALIASES, *self.added, *listed)))

    @property
    def added(self) -> list[str]:
        """The ids that the user adds to those of the table."""
        return [model_id for model_id in self.corrections if model_id not in models.MODELS]

    def aliases_of(self, model_id: str) -> list[str]:
        """The short names of a model."""
        every = {**models.ALIASES, **self.aliases}
        return [alias for alias, target in every.items() if _row_id(target) == _row_id(model_id)]

    def nearest(self, name: str) -> str | None:
        """The known name that `name` was probably meant to be, or what replaced it."""
        model_id = self.resolve(name)
        replaced = models.replacement(model_id, self._row(model_id))
        if replaced and self.lists(replaced):
            return replaced
        names = [known for known in self.names() if self.lists(self.resolve(known))]
        from difflib import get_close_matches  # only on the way to an error

        found = get_close_matches(model_id.lower(), names, n=1, cutoff=0.6)
        return found[0] if found else None

    def lists(self, model_id: str) -> bool:
        """Whether the server lists the model, or the user says that it is there; True if unknown.

        A server may list a model by its dated id only, and with a tag such as `:latest`.
        """
        if self.listed is None or model_id in self.added:
            return True
        ids = {form for listed in self.listed for form in _forms(listed)}
        return not ids.isdisjoint(_forms(model_id))

    def end_of(self, model_id: str, *, today: str = "") -> str | None:
        """How the life of a model ends, by the table and by the server; see `models.end_of`."""
        gone = self.listed is not None and not self.lists(model_id)
        listed = _row_id(model_id) in self.server_rows
        return models.end_of(model_id, self._row(model_id), gone=gone and listed, today=today)

    def choose(self, name: str, *, anthropic: bool, today: str = "") -> Model:
        """The model that a request names so; `anthropic` says that only Anthropic's are there.

        A name that nobody knows is taken as it is, if such a model may be new or another server's.
        Raises InputError otherwise, naming what it probably was to be, or what takes its place.
        """
        model_id = self.resolve(name)
        found = self._row(model_id)
        if found is not None and (self.lists(model_id) or not anthropic):
            return replace(found, id=model_id)  # a dated id is sent as it was given
        if not anthropic:
            return models.unknown(model_id)
        end = self.end_of(model_id, today=today)
        if end and found is None:
            raise InputError(f"{model_id} answers no more: it {end}.")
        if end:
            raise InputError(f"{name.strip()!r} is no model of this server: it {end}.")
        if found is not None or self.listed is not None or not model_id.startswith("claude-"):
            near = self.nearest(name)
            hint = f"did you mean {near}? " if near else ""
            raise InputError(
                f"{name.strip()!r} is no model of this server: {hint}%claude_models lists them."
            )
        return models.unknown(model_id)

    def unlisted(self, model_id: str, host: str) -> str | None:
        """A line for a model that the server does not list, naming the nearest; else None."""
        if self.lists(model_id):
            return None
        end, near = self.end_of(model_id), self.nearest(model_id)
        hint = f": it {end}" if end else f"; the nearest is {near}" if near else ""
        return f"{host} lists no model {model_id}{hint}"


BUILT_IN = Catalogue()
"""The built-in table alone."""


def _row_id(model_id: str) -> str:
    return models.DATED.get(model_id, model_id)


def _forms(model_id: str) -> Sequence[str]:
    return (model_id, _row_id(model_id), model_id.removesuffix(":latest"))
