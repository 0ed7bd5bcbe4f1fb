"""The quiet lines around a reply as mimebundles: header with thumbnails, waiting line, footer.

This HTML is ours; whatever in it comes from elsewhere (a server's address, an error's words) is
escaped. The style sheet stands in the header, once per reply.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from ...conversation.reply_value import footer_of, header_of
from ...messages.blocks import Block, ImageBlock
from ...rendering import STYLE, escape, plain
from ...rendering.reply import detail_text, footer_text, header_text
from ...rendering.style import box, line

if TYPE_CHECKING:
    from ...conversation.asking.plan import Plan
    from ...conversation.reply_value import Reply
    from ...messages.images.prepare import ImageCache

Bundle = Mapping[str, str]


def header(plan: Plan, cache: ImageCache, *, quiet: bool) -> Bundle:
    """What is asked of whom, with thumbnails of the images sent; only the style when quiet."""
    said = header_of(plan)
    shown = [*([] if quiet else [header_text(said)]), *said.notices]
    body = "".join(map(line, shown))
    if not quiet:
        body += thumbnails(plan.question.sent, cache)
    return {
        "text/html": STYLE + (box(body) if body else ""),
        "text/plain": plain("\n".join(shown)),
    }


def footer(plan: Plan, reply: Reply) -> Bundle:
    """Tokens, price, time, with the detail as a tooltip."""
    said = footer_of(reply.turn, plan.known, recorded=reply.replayed)
    last = footer_text(said, "--max-tokens")
    detail = detail_text(said)
    if not reply.replayed:
        detail += f"\nsent to {plan.server.host}"
    notices = reply.notices[len(plan.notices) :]
    body = "".join(map(line, notices)) + line(last, title=detail)
    return {"text/html": box(body), "text/plain": plain("\n".join([*notices, last]))}


def status(doing: str) -> Bundle:
    """What is happening until the first words come."""
    return {"text/html": box(line(doing)), "text/plain": plain(doing)}


def notice(text: str) -> dict[str, str]:
    """One quiet line of its own."""
    return {"text/html": f"{STYLE}{box(line(text))}", "text/plain": plain(text)}


def thumbnails(blocks: Iterable[Block], cache: ImageCache) -> str:
    """HTML of the images among `blocks`, small, each opening on click; addresses as text."""
    from ...messages.images.prepare import thumbnail

    shown: list[str] = []
    for number, block in enumerate((b for b in blocks if b.get("type") == "image"), 1):
        source = thumbnail(cast(ImageBlock, block), cache=cache)
        if source is None:
            address = escape(str(block["source"].get("url", "image")))
            shown.append(f'<span class="claude-magic-line">{address}</span>')
        else:
            shown.append(opening(source, f"Image {number} as sent"))
    return f'<div class="claude-magic-thumbnails">{"".join(shown)}</div>' if shown else ""


def opening(source: str, label: str) -> str:
    """HTML of a small image, a `data:` URI of ours, that opens on click."""
    return (
        f'<details class="claude-magic-thumbnail"><summary title="{html.escape(label)}">'
        f'<img src="{source}" height="48" alt="{html.escape(label)}"></summary></details>'
    )


_START = 60


def start(text: str) -> str:
    """How a text begins, in one line of at most 60 characters."""
    line = " ".join(plain(text[: 20 * _START]).split())
    return line if len(line) <= _START else line[: _START - 1].rstrip() + "…"
