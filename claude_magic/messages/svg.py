"""An SVG as PNG, drawn by resvg in a process of its own.

A few hundred bytes of SVG can keep a renderer busy for hours (feTurbulence, feMorphology), ask
it for terabytes (a pattern's tile) or overflow its stack, which would end the kernel. In another
process all three are an error message; it costs about 20 ms to start.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from .errors import ImageError
from .svg_guard import inert

SECONDS = 10.0
# Vectors can be drawn larger at no loss, and a model reads little in an icon of 24 px.
SMALLEST_LONG_EDGE = 512
_CHILD = Path(__file__).with_name("svg_child.py")
# What a process needs to start and to find fonts; nothing else, so no key.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "SYSTEMROOT", "WINDIR", "USERPROFILE", "LOCALAPPDATA"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH"),
    *("XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME"),
)


def rasterise(source: bytes, long_edge: int, *, seconds: float = SECONDS) -> bytes:
    """PNG bytes of the SVG on white, its longer side at most `long_edge` pixels.

    `seconds` is how long drawing may take. No file but fonts is read, no address opened.

    Raises: ImageError if the SVG is refused (svg_guard.py), cannot be drawn or takes too long.
    """
    drawing = inert(source)
    long_side = max(drawing.width, drawing.height)
    scale = min(max(long_side, SMALLEST_LONG_EDGE), long_edge) / long_side
    width, height = (max(1, round(side * scale)) for side in (drawing.width, drawing.height))
    return _draw(drawing.markup(width, height), fonts=drawing.has_text, seconds=seconds)


def _draw(markup: str, *, fonts: bool, seconds: float) -> bytes:
    found = importlib.util.find_spec("resvg_py")
    if found is None or found.origin is None:
        raise ImageError("SVG needs resvg-py: pip install resvg-py, or save the figure as PNG")
    folder = Path(found.origin).parent.parent
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing of the SVG in its arguments
            [sys.executable, "-I", "-S", _CHILD, folder, "fonts" if fonts else "plain"],
            input=markup.encode(),
            capture_output=True,
            timeout=seconds,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageError(
            f"the SVG was not drawn within {seconds:g} s: save the figure as PNG"
        ) from None
    except OSError as error:
        raise ImageError(f"no process to draw the SVG in: {error}") from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace") if done.returncode == 1 else "out of bounds"
        raise ImageError(f"the SVG cannot be drawn ({reason[:200]}): save the figure as PNG")
    return done.stdout
