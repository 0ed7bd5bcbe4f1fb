"""The user's own file of models: rows that the table does not have, and corrections of it.

    [aliases]
    local = "qwen3:32b"

    [models."qwen3:32b"]
    name = "Qwen 3 32B"
    input = 0.0         # USD per million tokens; cache_write and cache_read may follow
    output = 0.0
    context = 32768
    max_output = 8192
    prefill = true

The other fields are those of `models.Model`. Imports pydantic: only where there is such a file.
"""

from __future__ import annotations

import difflib
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import models
from .catalogue import Catalogue
from .errors import InputError
from .models import EFFORTS, Off, Price, ThinkingMode

# What the API charges where the file does not say: a write to the cache, and a read from it.
_WRITE = 1.25
_READ = 0.1
_Text = Annotated[str, Field(max_length=200, pattern=r"^\P{C}*[^\s\pC]\P{C}*$")]
_Tokens = Annotated[int, Field(gt=0)]
_Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: _Text | None = None
    input: _Dollars | None = None
    output: _Dollars | None = None
    cache_write: _Dollars | None = None
    cache_read: _Dollars | None = None
    context: _Tokens | None = None
    max_output: _Tokens | None = None
    efforts: list[Literal["low", "medium", "high", "xhigh", "max"]] | None = None
    thinking: ThinkingMode | None = None
    thinking_off: Off | None = None
    prefill: bool | None = None
    forced_tool_choice: bool | None = None
    structured_outputs: bool | None = None
    high_resolution: bool | None = None
    retires: date | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    aliases: dict[_Text, _Text] = {}
    models: dict[_Text, _Row] = {}


def read_models(path: Path) -> Catalogue:
    """The catalogue with what the file says. Raises InputError, naming what does not fit."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The file of models {path} cannot be read: {error}.") from None
    try:
        file = _File.model_validate(said)
        corrections = {
            models.DATED.get(model_id, model_id): _fields(model_id, row)
            for model_id, row in file.models.items()
        }
    except ValidationError as error:
        raise InputError(f"{path}: {_problem(error)}. Correct it.") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}. Correct it.") from None
    aliases = {alias.lower(): target for alias, target in file.aliases.items()}
    return Catalogue(corrections, aliases)


def _fields(model_id: str, row: _Row) -> dict[str, Any]:
    """What the row says, as fields of `Model`."""
    said: dict[str, Any] = row.model_dump(exclude_none=True)
    given = {
        name: said.pop(name, None) for name in ("input", "output", "cache_write", "cache_read")
    }
    if row.efforts is not None:
        said["efforts"] = tuple(level for level in EFFORTS if level in row.efforts)
    if row.retires is not None:
        said["retires"] = row.retires.isoformat()
    if any(amount is not None for amount in given.values()):
        # A price that depends on the prompt's length is not kept beside one that was corrected.
        known = models.lookup(model_id)
        price = _price(model_id, given, known.price if known else None)
        said |= {"price": price, "long_prompt": None}
    return said


def _price(model_id: str, given: dict[str, float | None], known: Price | None) -> Price:
    incoming, outgoing = given["input"], given["output"]
    if known is not None:
        incoming = known.input if incoming is None else incoming
        outgoing = known.output if outgoing is None else outgoing
    if incoming is None or outgoing is None:
        raise ValueError(f"models.{model_id} needs input and output, or no price at all")
    write, read = given["cache_write"], given["cache_read"]
    return Price(
        incoming,
        outgoing,
        write=_WRITE * incoming if write is None else write,
        read=_READ * incoming if read is None else read,
    )


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    *path, last = [str(part) for part in first["loc"]]
    if first["type"] != "extra_forbidden":
        return f"{'.'.join((*path, last))}: {first['msg']}"
    known = list(_Row.model_fields if path else _File.model_fields)
    near = difflib.get_close_matches(last, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{'.'.join((*path, last))} is not known: {hint}"
