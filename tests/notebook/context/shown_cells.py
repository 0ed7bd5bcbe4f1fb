"""Outputs of cells, as a recorder has them."""

from __future__ import annotations

from claude_magic.messages.blocks import image_base64, text
from claude_magic.notebook.context.outputs import Rendered
from claude_magic.notebook.page.recorder import Output, StreamText

PNG = {"image/png": "iVBORw0KGgo="}


def printed(serial: int, said: str) -> Output:
    made = StreamText()
    made.write(said)
    return Output(serial, text=made)


def drawn(serial: int) -> Output:
    return Output(serial, bundle=PNG)


def picture(output: Output) -> Rendered:
    """Each bundle as the picture that its serial stands for, or as its text."""
    bundle = dict(output.bundle or {})
    if "text/plain" in bundle:
        return Rendered((text(bundle["text/plain"]),), tuple(bundle.get("notes", ())))
    return Rendered((image_base64("image/png", f"{output.serial}"),), (f"note {output.serial}",))
