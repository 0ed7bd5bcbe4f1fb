"""The line of `%claude_caption`: those options of `%claude` that a caption can have, and `--write`.

Loaded when the magic is first used.
"""

from __future__ import annotations

from dataclasses import dataclass

from .option_table import OPTIONS, Option
from .options import RequestOptions, parse

_TAKEN = (
    "--model", "--image", "--max-tokens", "--effort", "--think", "--out", "--quiet", "--dry-run",
    "--fresh", "--hires",
)  # fmt: skip
_WRITE = Option("--write", "write the alt text into the metadata of the output", "--write")

CAPTION_OPTIONS = (*(option for option in OPTIONS if option.name in _TAKEN), _WRITE)
_BY_SPELLING = {word: option for option in CAPTION_OPTIONS for word in option.spellings}


@dataclass(frozen=True, slots=True)
class CaptionOptions(RequestOptions):
    """What a `%claude_caption` line says; `prompt` holds the words to go along."""

    write: bool | None = None


def parse_caption(line: str) -> CaptionOptions:
    """The options of a `%claude_caption` line. Raises InputError as `options.parse` does."""
    return parse(line, CaptionOptions, _BY_SPELLING)
