"""The code of a reply, for a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages.errors import InputError

if TYPE_CHECKING:
    from ..conversation.reply_value import Reply


def chosen_code(reply: Reply, number: str = "") -> str:
    """The code of all blocks of `reply`, or of block `number`, counted from 1.

    Raises InputError if there is none, or no such number.
    """
    blocks = reply.code_blocks
    if not blocks:
        raise InputError("The reply holds no code block.")
    if not number:
        return "\n\n".join(block.code.strip("\n") for block in blocks)
    if not number.isdecimal() or not 1 <= int(number) <= len(blocks):
        raise InputError(
            f"%claude_code {number}: the reply holds {len(blocks)} code blocks; "
            f"give a number from 1 to {len(blocks)}, or none for all."
        )
    return blocks[int(number) - 1].code.strip("\n")
