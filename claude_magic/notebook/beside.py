"""What a question of the panel brings along, piece by piece, so that each can be left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from .pieces import Piece
from .record import Output


def is_figure(output: Output) -> bool:
    """Whether an output holds a picture as it is, one that need not be drawn first."""
    return any(kind.startswith("image/") for kind in output.bundle or ())


def kept(pieces: Iterable[Piece], without: Collection[int]) -> list[Piece]:
    """The pieces without those of these serials.

    A piece's own serial stands for its source and its text; each figure has its own.
    """
    found = []
    for piece in pieces:
        left_out = piece.serial in without
        outputs = [
            output
            for output in piece.outputs
            if (output.serial not in without if is_figure(output) else not left_out)
        ]
        found.append(replace(piece, source="" if left_out else piece.source, outputs=outputs))
    return [piece for piece in found if piece.source or piece.outputs]
