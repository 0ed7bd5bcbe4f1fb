"""The mimebundle of a reply."""

from __future__ import annotations

from .inert import as_code, to_markdown
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
    too deep, too long, or a fault of the parser) is shown as it is.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
        return {
            "text/html": to_html(tokens),
            "text/markdown": to_markdown(tokens),
            "text/plain": clean,
        }
    except Exception:  # whatever goes wrong, the reply must be seen, and is
        return {
            "text/html": as_written(clean),
            "text/markdown": as_code(clean),
            "text/plain": clean,
        }
