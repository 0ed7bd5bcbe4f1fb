"""Self-healing: what a refusal was about, and the request that the server can take instead."""

from .healing_blocks import about_thinking, block_key, rejected, without
from .healing_length import TooLong, how_many_oldest, too_long, without_oldest
from .healing_tools import mended_tools, no_result

__all__ = [
    "TooLong",
    "about_thinking",
    "block_key",
    "how_many_oldest",
    "mended_tools",
    "no_result",
    "rejected",
    "too_long",
    "without",
    "without_oldest",
]
