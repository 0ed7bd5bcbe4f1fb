"""What a user has put to the next question: pictures by paste, drop or file, outputs of cells."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, text
from ..messages.errors import ClaudeError, InputError
from ..messages.plain_text import wrap
from . import protocol

if TYPE_CHECKING:
    from ..messages.images.prepare import Prepared

# What is attached and never sent does not stay for ever.
_MOST = 50
_LONGEST_LABEL = 200


class Attachments:
    """Prepared as they come, so that what cannot be sent is said before the question is.

    `prepare` prepares an image, `thumbnail` gives a block's small image. Safe to use from several
    threads.
    """

    def __init__(
        self, prepare: Callable[[object], Prepared], thumbnail: Callable[[Block], str]
    ) -> None:
        self._prepare = prepare
        self._thumbnail = thumbnail
        self._held: OrderedDict[str, tuple[Block, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, given: protocol.Attach, data: bytes | None) -> protocol.Attached:
        """Hold an attachment for the question to come; what the panel shows of it."""
        label, problem, src = given["label"][:_LONGEST_LABEL], "", ""
        try:
            blocks = self._blocks(given, data)
            images = [b for b in blocks if b.get("type") == "image"]
            src = self._thumbnail(images[0]) if images else ""
            with self._lock:
                self._held[given["attachment"]] = blocks
                while len(self._held) > _MOST:
                    self._held.popitem(last=False)
        except ClaudeError as error:
            problem = str(error)
        return {
            "type": "attached",
            "attachment": given["attachment"],
            "label": label,
            "src": src,
            "problem": problem,
        }

    def use(self, attachments: Sequence[str]) -> list[Block]:
        """The blocks of these, which go along now. Raises InputError for one that is not held."""
        with self._lock:
            missing = [i for i in attachments if i not in self._held]
            if missing:
                raise InputError("An attachment is not here any more: attach it again.")
            return [block for i in attachments for block in self._held[i]]

    def drop(self, attachments: Sequence[str]) -> None:
        """These went along."""
        with self._lock:
            for attachment in attachments:
                self._held.pop(attachment, None)

    def _blocks(self, given: protocol.Attach, data: bytes | None) -> tuple[Block, ...]:
        if data is not None:
            return (self._prepare(data).block,)
        rendered = _render(given["bundle"], self._prepare)
        blocks = [
            text(wrap("output", str(b["text"]))) if b.get("type") == "text" else b for b in rendered
        ]
        if not blocks:
            raise InputError("There is nothing in this output that can be sent.")
        return tuple(blocks)


def _render(bundle: Mapping[str, Any], prepare: Callable[[object], Prepared]) -> Sequence[Block]:
    from ..notebook.context.outputs import output_blocks

    return output_blocks(bundle, prepare=prepare).blocks
