"""Code as HTML with the short classes of Pygments, coloured by the front end's theme."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from importlib import import_module
from typing import Any

MAX_HIGHLIGHTED = 16_000  # characters
# Some lexers take quadratic time on these.
_SLOW = re.compile(r"[^\n]{500}|(?:[ \t]*+\n){20}")

# What replies in a notebook hold, by Pygments' aliases. A list, because a reply is not to choose
# among 500 lexers the slowest: each of these was timed on text made to be slow, and none lexes
# parts of its text with lexers that the text names.
_LANGUAGES = """
bash c c++ cmake console cpp css diff docker dockerfile fortran go haskell html ini ipython
ipython3 javascript jl js json jsonc julia kotlin latex lua make makefile markdown matlab md mysql
octave postgres powershell py py3 pycon python python-console python3 r rb rconsole rs ruby rust
scala sh shell shell-session sql sqlite3 stan swift tex toml ts typescript xml yaml zsh
"""
_KNOWN = frozenset(_LANGUAGES.split())
_ALIASES = {"ipython": "python", "ipython3": "python", "jsonc": "json"}


def token_classes() -> set[str]:
    """Every class that `highlighted` can write."""
    return {name for name in _short_classes().values() if name}


def highlighted(code: str, language: str) -> str:
    """`code` as the inside of a `<code>` element; only escaped if the language is not known."""
    lexer_class = _lexer_class(language.lower())
    if lexer_class is None or len(code) > MAX_HIGHLIGHTED or _SLOW.search(code):
        return html.escape(code)
    classes = _short_classes()
    out: list[str] = []
    open_class = ""
    lexer = lexer_class(stripnl=False, ensurenl=False, handlecodeblocks=False)  # `markdown`
    for kind, text in lexer.get_tokens(code):
        while kind not in classes:
            kind = kind.parent  # noqa: PLW2901 # a lexer's own kinds count as the nearest standard
        name = classes[kind]
        if name != open_class:
            out.append("</span>" if open_class else "")
            out.append(f'<span class="{name}">' if name else "")
            open_class = name
        out.append(html.escape(text))
    return "".join(out) + ("</span>" if open_class else "")


def _short_classes() -> dict[Any, str]:
    """Kind of token -> class, "" for plain text. Pygments has no types, and loads on first use."""
    classes: dict[Any, str] = import_module("pygments.token").STANDARD_TYPES
    return classes


@lru_cache(maxsize=1)
def _lexers() -> dict[str, tuple[str, str]]:
    """Alias -> (module, class name) of the lexers that Pygments itself holds.

    `get_lexer_by_name` would, for a name it does not know, search all installed packages for
    plugins: slow, and a reply could choose what gets imported.
    """
    return {
        alias: (module, name)
        for name, (module, _, aliases, _, _) in import_module("pygments.lexers").LEXERS.items()
        for alias in aliases
    }


@lru_cache(maxsize=64)
def _lexer_class(language: str) -> Any:
    """The lexer class, None if the language is not one of ours."""
    found = _lexers().get(_ALIASES.get(language, language)) if language in _KNOWN else None
    if found is None:
        return None
    module, name = found
    return getattr(import_module(module), name)
