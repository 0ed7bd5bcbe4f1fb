"""The mimebundle of a reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .inert import as_code, to_markdown
from .marks import spelled
from .page import as_written, to_html
from .parser import parsed
from .terminal import plain


def code_bundle(code: str, language: str) -> dict[str, str]:
    """The bundle of a text as it is, in a block of code that it cannot end."""
    fence = "```"
    while fence in code:
        fence += "`"
    bundle = reply_bundle(f"{fence}{language}\n{code}\n{fence}")
    return {**bundle, "text/plain": plain(code)}


def reply_bundle(markdown: str) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of a reply or of a part of one.

    Never raises. Unfinished Markdown, as while it streams, is fine. What cannot be parsed (nested
    too deep, too long, or a fault of the parser) is shown as it is. Marks that `Citing` made are
    numbers of footnotes.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
        return {
            "text/html": to_html(tokens),
            "text/markdown": to_markdown(tokens),
            "text/plain": spelled(clean),
        }
    except Exception:  # whatever goes wrong, the reply must be seen, and is
        shown = spelled(clean)
        return {
            "text/html": as_written(shown),
            "text/markdown": as_code(shown),
            "text/plain": shown,
        }


def stacked(bundles: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """One bundle with the given ones below each other."""
    every = list(bundles)
    return {
        mime: separator.join(part for b in every if (part := b.get(mime, "").strip()))
        for mime, separator in _SEPARATORS.items()
    }


_SEPARATORS = {"text/html": "\n", "text/markdown": "\n\n", "text/plain": "\n\n"}
