"""A reply as the user holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block
from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.usage import Usage
from .turns import Turn

if TYPE_CHECKING:
    from ..rendering import CodeBlock


@dataclass(frozen=True)
class Reply:
    """What came back. Shows as rendered Markdown where it is the last expression of a cell.

    `notices` are lines that the user should read: a model about to be retired, a prefill that had
    to be asked for in words, an image that was left out. `replayed` says that nothing was sent.
    `value` is what the text stands for where JSON was asked for; `problem` why it stands for
    nothing. `known` are the models whose prices are known. `steps` are those of a run on a virtual
    desktop, each with its `line` in words, its `picture` as PNG bytes or None, and its `error`.
    """

    turn: Turn
    notices: tuple[str, ...] = ()
    replayed: bool = False
    value: Any = None
    problem: str = ""
    known: Catalogue = BUILT_IN
    steps: Sequence[Any] = ()

    @property
    def text(self) -> str:
        """The text, all of it, a prefill included."""
        return self.turn.text

    @property
    def blocks(self) -> Sequence[Block]:
        """The content blocks as received, of all replies where tools ran in between."""
        return self.turn.blocks

    @property
    def code_blocks(self) -> Sequence[CodeBlock]:
        """The fenced code blocks of the text, each with `language` and `code`."""
        from ..rendering import code_blocks

        return code_blocks(self.text)

    @property
    def usage(self) -> Usage:
        """Tokens in and out."""
        return self.turn.usage

    @property
    def cost(self) -> float | None:
        """USD; None when the model's price is not known."""
        model = self.known.priced(self.turn.model, self.turn.requested)
        return self.turn.cost(model) if model else None

    @property
    def stop_reason(self) -> str | None:
        """Why the reply ended, as the API says it."""
        return self.turn.stop_reason

    @property
    def seconds(self) -> float:
        """Wall time from sending to the last byte."""
        return self.turn.ended - self.turn.started

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        start = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return f"Reply({start!r}, {self.turn.status}, {self.turn.model})"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        from ..rendering import STYLE, code_bundle
        from .shown import reply_as_shown

        is_json = self.value is not None
        bundle = dict(code_bundle(self.text, "json") if is_json else reply_as_shown(self.turn))
        bundle["text/html"] = STYLE + bundle["text/html"]
        # The mark keeps a reply from being sent back as something that the notebook displayed.
        return bundle, {"claude_magic": {}}
