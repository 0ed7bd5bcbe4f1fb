"""What is asked about every image of a job: the same words, shape and model for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block
from ..messages.masking import masked_body
from ..messages.models import Model
from ..messages.request import Options, Request, build
from ..messages.usage import Usage, estimate_input

if TYPE_CHECKING:
    from ..conversation.toolbox import Shape

EXPECTED_OUTPUT = 500
"""Tokens of output that a caption is reckoned with before it is there."""


@dataclass(frozen=True)
class Job:
    """One question about many images. `server` is the label of who is asked.

    `anthropic` says that the server knows all of the API, `free` that it costs nothing.
    `long_edge` is the most pixels of an image's longer side, `discount` what is paid of the price.
    `notices` are lines for the user to read before anything is asked.
    """

    model: Model
    shape: Shape
    options: Options
    prompt: str
    server: str
    anthropic: bool = True
    free: bool = False
    long_edge: int = 1568
    discount: float = 1.0
    notices: tuple[str, ...] = field(default=())

    def request(self, content: Sequence[Block]) -> Request:
        """The request that asks about `content`, prompt and all."""
        options = replace(self.options, schema=self.shape.schema or None, cache=False)
        made = build(self.model, [], content, options, anthropic=self.anthropic)
        return replace(made, body=masked_body(made.body, ()))

    @property
    def digest(self) -> str:
        """SHA-256 of all that an answer depends on beside the image itself."""
        body = self.request([]).body
        said = {key: value for key, value in body.items() if key != "messages"}
        asked = [self.server, said, self.prompt, self.long_edge]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def estimate(self, body: Mapping[str, Any]) -> tuple[int, float | None]:
        """Input tokens of a request, and USD that it and its answer may cost."""
        tokens = estimate_input(body, self.model)
        return tokens, self.cost(Usage(fresh=tokens, output=EXPECTED_OUTPUT))

    def price(self, body: Mapping[str, Any]) -> float:
        """USD that a request may be charged; 0 where it is free or the price is not known."""
        return 0.0 if self.free else self.estimate(body)[1] or 0.0

    def cost(self, used: Usage) -> float | None:
        """USD that it costs, at the offline server would cost; None where no price is known."""
        cost = used.cost(self.model)
        return None if cost is None else cost * self.discount

    def paid(self, used: Usage) -> float:
        """USD that is charged for it."""
        return 0.0 if self.free else self.cost(used) or 0.0
