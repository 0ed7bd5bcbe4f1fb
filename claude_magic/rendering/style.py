"""HTML of ours around what is shown: the one style sheet, quiet lines, code in the theme's colours.

Scoped under `.claude-magic`. JupyterLab, Notebook 7 and nbconvert's lab template define the
variables; elsewhere the fallbacks shade the text colour that is there, light or dark.

Classes, for what stands around a reply: `claude-magic-line` a muted header or footer line,
`claude-magic-pre` text as it is (a request, thinking), `claude-magic-fold` a folded line
(`<details>`), `claude-magic-footnotes` what stands below a reply that cites,
`claude-magic-thumbnail` an image 48 px high in a
`<details>`, which shows it large when open, `claude-magic-screen` a picture of a screen.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from .terminal import plain

# Pygments class (a longer one begins with it) -> CodeMirror's name for the colour, and what tells
# it apart where there are no colours. After jupyterlab_pygments.
_TOKENS = {
    "k": ("keyword", "font-weight: bold"),
    "ow": ("operator", "font-weight: bold"),
    "o": ("operator", ""),
    "p": ("punctuation", ""),
    "s": ("string", ""),
    "m": ("number", ""),
    "c": ("comment", "font-style: italic"),
    "kc": ("atom", "font-weight: bold"),
    "nb": ("builtin", ""),
    "bp": ("variable-2", ""),
    "nf": ("def", ""),
    "nc": ("def", ""),
    "nd": ("meta", ""),
    "na": ("attribute", ""),
    "nt": ("tag", "font-weight: bold"),
    "gh": ("header", "font-weight: bold"),
    "gi": ("string", ""),
    "gd": ("error", ""),
    "err": ("error", ""),
}
_MEMBERS = {
    "k": "k kd kn kp kr kt",
    "s": "s s1 s2 sa sb sc dl sd se sh si sx sr ss",
    "m": "m mb mf mh mi mo il",
    "c": "c ch cm cp cpf c1 cs",
    "nf": "nf fm",
}


def _token_rules() -> str:
    rules = []
    for name, (variable, extra) in _TOKENS.items():
        selector = ", ".join(
            f".claude-magic .{member}" for member in _MEMBERS.get(name, name).split()
        )
        fallback = "color-mix(in srgb, currentColor 70%, transparent)" if name == "c" else "inherit"
        color = f"color: var(--jp-mirror-editor-{variable}-color, {fallback})"
        rules.append(f"{selector} {{ {color};{' ' + extra + ';' if extra else ''} }}")
    return "\n".join(rules)


_RULES = """
.claude-magic { overflow-x: auto; }
.claude-magic > :first-child { margin-top: 0; }
.claude-magic > :last-child { margin-bottom: 8px; }
.claude-magic .highlight { margin: 8px 0 16px; }
.claude-magic .highlight pre { margin: 0; padding: 0 0 0 16px; overflow-x: auto;
  font-family: var(--jp-code-font-family, monospace); line-height: var(--jp-code-line-height, 1.3);
  white-space: pre; }
div.claude-magic.claude-magic .highlight, div.claude-magic.claude-magic .highlight pre,
div.claude-magic.claude-magic .highlight code { background: none; }
.claude-magic li > .highlight { margin: 4px 0 8px; }
.claude-magic-maths { overflow-wrap: anywhere; }
div.claude-magic.claude-magic table { border-collapse: collapse; margin: 0 0 16px; }
div.claude-magic.claude-magic th, div.claude-magic.claude-magic td { text-align: left;
  padding: 4px 8px; vertical-align: top; }
div.claude-magic.claude-magic .claude-magic-right { text-align: right; }
div.claude-magic.claude-magic .claude-magic-center { text-align: center; }
.claude-magic-line, .claude-magic-fold > summary { font-family: var(--jp-ui-font-family, inherit);
  font-size: var(--jp-ui-font-size1, 13px); line-height: 20px;
  color: var(--jp-ui-font-color2, color-mix(in srgb, currentColor 60%, transparent)); }
.claude-magic-line { margin: 0 0 4px; }
.claude-magic-pre { margin: 4px 0 8px; white-space: pre-wrap; overflow-wrap: anywhere;
  max-height: 480px; overflow-y: auto; font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); line-height: var(--jp-code-line-height, 1.3); }
.claude-magic-footnote { font-size: 0.75em; line-height: 0; vertical-align: super;
  color: var(--jp-ui-font-color2, color-mix(in srgb, currentColor 60%, transparent)); }
.claude-magic-footnotes { margin: 8px 0; overflow-wrap: anywhere;
  font-size: var(--jp-ui-font-size1, 13px); line-height: 20px;
  color: var(--jp-ui-font-color2, color-mix(in srgb, currentColor 60%, transparent)); }
.claude-magic-fold { margin: 0 0 4px; }
.claude-magic-fold > summary { cursor: pointer; }
.claude-magic-fold[open] > :not(summary) { margin: 4px 0 8px 16px; }
details.claude-magic-thumbnail { display: inline-block; margin: 4px 8px 4px 0;
  vertical-align: top; }
details.claude-magic-thumbnail[open] { display: block; }
details.claude-magic-thumbnail > summary { list-style: none; cursor: zoom-in;
  width: fit-content; line-height: 0; }
details.claude-magic-thumbnail[open] > summary { cursor: zoom-out; }
details.claude-magic-thumbnail > summary::-webkit-details-marker { display: none; }
details.claude-magic-thumbnail img { display: block; height: 48px; width: auto;
  max-width: 100%; margin: 0; }
details.claude-magic-thumbnail[open] img { height: auto; min-height: 48px; max-height: 480px; }
.claude-magic-line.claude-magic-step { white-space: pre-wrap; }
.claude-magic img.claude-magic-screen { display: block; max-width: 100%; height: auto;
  margin: 4px 0; border: 1px solid var(--jp-border-color2, silver); }
"""

STYLE = f"<style>{_RULES}{_token_rules()}\n</style>"
"""A `<style>` element, once per cell; ours, so it is not to go through the sanitiser."""


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


def shielded(text: str) -> str:
    """`text` as HTML, every dollar and backslash in an element of its own.

    MathJax looks for its delimiters (`$`, `\\(`, `\\begin`, `\\ref`) within runs of adjacent text
    nodes; an element ends the run, so a delimiter alone in one finds neither its second character
    nor its end. Holds for MathJax 2 (nbconvert) to 4 and for KaTeX's auto-render.
    """
    escaped = html.escape(text)
    return escaped.replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def escape(text: str) -> str:
    """`text` as the content of an HTML element: shown as it is, nothing in it typeset.

    Not for an attribute's value: it may hold `<span>`. Control characters are removed.
    """
    return shielded(plain(text))


def box(inner: str) -> str:
    """HTML of ours, in the box that the style sheet is for."""
    return f'<div class="claude-magic">{inner}</div>'


def line(text: str, title: str = "") -> str:
    """HTML of one quiet line."""
    tooltip = f' title="{html.escape(title)}"' if title else ""
    return f'<div class="claude-magic-line"{tooltip}>{escape(text)}</div>'


def folded(summary: str, inner: str) -> str:
    """HTML of a line that opens: `inner`, HTML of ours, stands below it."""
    opened = f"<summary>{escape(summary)}</summary>{inner}"
    return f'<details class="claude-magic-fold">{opened}</details>'


def as_it_is(text: str) -> str:
    """HTML of a text that is shown as it is; "" for none."""
    return f'<div class="claude-magic-pre">{escape(text)}</div>' if text else ""


def code(text: str, language: str) -> str:
    """HTML of code as it is, wrapped and not cut: what stands far to the right is seen too."""
    pass
    if not text:
        return ""
    inside = highlighted(plain(text), language) if language else html.escape(plain(text))
    return f'<pre class="claude-magic-pre"><code>{inside}</code></pre>'
