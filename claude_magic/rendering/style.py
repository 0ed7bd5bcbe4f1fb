"""The one style sheet of what we show in a cell, in the front end's own colours.

Scoped under `.claude-magic`. JupyterLab, Notebook 7 and nbconvert's lab template define the
variables; elsewhere the fallbacks shade the text colour that is there, light or dark.

Classes, for what stands around a reply: `claude-magic-line` a muted header or footer line,
`claude-magic-pre` text as it is (a request, thinking), `claude-magic-fold` a folded line
(`<details>`), `claude-magic-footnotes` what stands below a reply that cites,
`claude-magic-thumbnail` an image 48 px high in a
`<details>`, which shows it large when open, `claude-magic-screen` a picture of a screen.
"""

from __future__ import annotations

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
