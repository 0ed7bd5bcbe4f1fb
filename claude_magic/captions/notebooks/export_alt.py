"""Alt text in what nbconvert makes of a notebook: HTML, slides, Markdown, LaTeX.

Its own templates read none, and neither does JupyterLab's Save and Export. `claude-magic alt-text
enable` has every export use this.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from nbconvert.filters import latex
from nbconvert.preprocessors import Preprocessor

# What nbconvert's templates show of an output that holds several, the first before the others.
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
_CHART = re.compile(r"application/vnd\.(plotly|vega|vegalite)\b")
_BARE = re.compile(r"<img\b(?![^>]*\balt\s*=)", re.I)


class AltText(Preprocessor):
    """Puts the alt text in the metadata of outputs where the exported form has it read out.

    The notebook itself stays as it is: what is changed is the copy that is exported.
    """

    def preprocess_cell(
        self, cell: Any, resources: dict[str, Any], _: int
    ) -> tuple[Any, dict[str, Any]]:
        """The cell, with its outputs as this export needs them."""
        form = _FORMS.get(str(resources.get("output_extension", "")).rpartition(".")[2])
        for output in cell.get("outputs", ()):
            if form and output.get("output_type") in ("display_data", "execute_result"):
                form(output)
        return cell, resources


def _alt(output: Any, *kinds: str) -> str | None:
    """The alt text that the metadata hold; "" where the picture says nothing, None without one."""
    metadata = output.get("metadata", {})
    found = [about.get("alt") for kind in kinds if isinstance(about := metadata.get(kind), Mapping)]
    return next((alt for alt in (*found, metadata.get("alt")) if isinstance(alt, str)), None)


def _picture(output: Any) -> tuple[str, str] | None:
    """The kind of the picture that the export shows, and its alt text; None without either."""
    kind = next((kind for kind in _PICTURES if kind in output["data"]), None)
    alt = _alt(output, *([kind] if kind else []), *_PICTURES)
    return (kind, alt) if kind is not None and alt is not None else None


def _instead(output: Any, kind: str, text: str) -> None:
    """Have the output show this text and no picture."""
    plain = output["data"].get("text/plain")
    output["data"] = {kind: text} | ({} if plain is None else {"text/plain": plain})


def _html(output: Any) -> None:
    data = output["data"]
    if "text/html" in data:
        charts = [kind for kind in data if _CHART.match(kind)]
        if alt := _alt(output, "text/html", *charts, *_PICTURES):
            data["text/html"] = _described(_joined(data["text/html"]), alt)
        return
    if (found := _picture(output)) is None:
        return
    kind, alt = found
    sizes = output.get("metadata", {}).get(kind)
    sizes = sizes if isinstance(sizes, Mapping) else {}
    size = "".join(
        f' {name}="{html.escape(str(sizes[name]))}"'
        for name in ("width", "height")
        if name in sizes
    )
    source = html.escape(_source(output, kind))
    _instead(output, "text/html", f'<img alt="{html.escape(alt)}"{size} src="{source}">')


def _described(shown: str, alt: str) -> str:
    """HTML with its one picture that has no words described, or else described as a whole."""
    words = html.escape(alt)
    if len(_BARE.findall(shown)) == 1:
        return _BARE.sub(lambda found: f'{found[0]} alt="{words}"', shown)
    if re.search(r"<img\b", shown, re.I):  # which has words of its own
        return shown
    return f'<div role="figure" aria-label="{words}">{shown}</div>'


def _source(output: Any, kind: str) -> str:
    """Where the picture is: in a file, if another preprocessor has put it there."""
    name = output.get("metadata", {}).get("filenames", {}).get(kind)
    if name is not None:
        return quote(str(name).replace("\\", "/"))
    data = _joined(output["data"][kind])
    if kind == "image/svg+xml":
        return f"data:{kind},{quote(data)}"
    return f"data:{kind};base64,{''.join(data.split())}"


def _markdown(output: Any) -> None:
    found, name = _picture(output), None
    if found is not None:
        name = output.get("metadata", {}).get("filenames", {}).get(found[0])
    if found is None or name is None or "text/html" in output["data"]:
        return
    alt = re.sub(r"([\\\[\]`*_<$])", r"\\\1", " ".join(found[1].split()))
    _instead(output, "text/markdown", f"![{alt}]({quote(str(name))})")


# In a tagged PDF; where LaTeX knows no alt text it is passed over.
_LATEX = r"""\begin{center}
\expandafter\ifx\csname KV@Gin@alt\endcsname\relax\else\setkeys{Gin}{alt={%s}}\fi
\adjustimage{max size={0.9\linewidth}{0.9\paperheight}}{%s}
\end{center}
{ \hspace*{\fill} \\}"""


def _latex(output: Any) -> None:
    found = _picture(output)
    names = output.get("metadata", {}).get("filenames", {})
    # An SVG is a PDF by then, under its own name.
    kind = next((k for k in ("application/pdf", "image/png", "image/jpeg") if k in names), None)
    if found is None or kind is None:
        return
    alt = str(latex.escape_latex(" ".join(found[1].split())))  # type: ignore[no-untyped-call]
    _instead(output, "text/latex", _LATEX % (alt, names[kind]))


def _joined(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


_FORMS: Mapping[str, Callable[[Any], None]] = {
    "html": _html,
    "md": _markdown,
    "tex": _latex,
}
