"""Image blocks that only tests make."""

from __future__ import annotations

from claude_magic.messages.blocks import ImageBlock


def image_url(url: str) -> ImageBlock:
    """An image block that the server fetches from `url`."""
    return {"type": "image", "source": {"type": "url", "url": url}}
