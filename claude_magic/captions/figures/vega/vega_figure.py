"""A Vega-Lite or Vega figure as text: what its specification asks for, and what Vega draws of it.

Vega-Lite computes as it draws. So its values are those that vl-convert computed, in a process of
its own: it has been seen to hang, and to read addresses that a specification names.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..json_values import mapping
from .vega_marks import marks_text

SECONDS = 15.0
MOST_ROWS = 50_000
_MOST_LINES = 64
_CHILD = Path(__file__).with_name("vega_child.py")
_COMPOSED = ("layer", "hconcat", "vconcat", "concat")
# What a process needs to start; nothing else, so no key.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "WINDIR", "USERPROFILE", "LD_LIBRARY_PATH")

Spec = Mapping[str, Any]


def vega_text(
    spec: Spec,
    kind: str = "Vega-Lite",
    *,
    seconds: float = SECONDS,
    compute: Callable[[Spec, str], Spec] | None = None,
) -> str:
    """Title, encodings, axes and marks of a specification; what was not computed is said.

    `seconds` is how long the computation may take; `compute` does it instead of that process.
    """
    asked = list(_views(spec, {}))[:_MOST_LINES] if kind == "Vega-Lite" else list(_titles(spec))
    try:
        found = compute(spec, kind) if compute else computed(spec, kind, seconds=seconds)
        drawn = marks_text(found)
    except NotComputedError as error:
        drawn = f"a {kind} figure whose values were not computed: {error}"
    return "\n".join([*asked, *([drawn] if drawn else [])])


class NotComputedError(Exception):
    """Vega was not asked, or did not answer; the message says why."""


def computed(spec: Spec, kind: str, *, seconds: float = SECONDS) -> Spec:
    """The marks and axes of a figure, as `vega_child.py` writes them.

    Raises: NotComputedError if vl-convert is not installed, cannot read the figure, takes too
    long, or the figure has its data elsewhere or has too many of them.
    """
    found = importlib.util.find_spec("vl_convert")
    if found is None or found.origin is None:
        raise NotComputedError("vl-convert-python is not installed")
    rows = _rows(spec)
    if rows > MOST_ROWS:
        raise NotComputedError(f"{rows:,} rows are too many")
    folder = str(Path(found.origin).parent.parent)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing of the figure in its arguments
            [sys.executable, "-I", "-S", str(_CHILD), folder],
            input=json.dumps({"kind": kind, "spec": spec}, default=str).encode(),
            capture_output=True,
            timeout=seconds,
            # A time without a zone is told as it is written.
            env={**environment, "TZ": "UTC"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotComputedError(f"it took more than {seconds:g} s") from None
    except (OSError, ValueError) as error:
        raise NotComputedError(f"no process to compute it in: {error}") from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace") if done.returncode == 1 else "out of bounds"
        raise NotComputedError(" ".join(reason.split())[:200])
    return mapping(json.loads(done.stdout))


def _rows(spec: Any) -> int:
    """How many rows a specification holds.

    Raises: NotComputedError if it has data elsewhere, at an address or by a name.
    """
    total, waiting = 0, [spec]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            data = part.get("data")
            for one in data if isinstance(data, list) else [data]:
                address = mapping(one).get("url")
                if isinstance(address, str | Mapping) and not str(address).startswith("data:"):
                    raise NotComputedError("its data are not in it, but at an address")
            values = mapping(data).get("values")
            total += len(values) if isinstance(values, list) else 0
            total += sum(
                len(r) for r in mapping(part.get("datasets")).values() if isinstance(r, list)
            )
            waiting += [value for name, value in part.items() if name not in ("values", "datasets")]
        elif isinstance(part, list):
            total += sum(
                len(values)
                for one in part
                if isinstance(values := mapping(one).get("values"), list) and "name" in one
            )
            waiting += part
    return total


def _titles(view: Spec) -> Iterator[str]:
    title = view.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    text = " ".join(map(str, text)) if isinstance(text, list) else text
    if text and not isinstance(text, Mapping):
        yield f'title "{" ".join(str(text).split())}"'
    subtitle = title.get("subtitle") if isinstance(title, Mapping) else None
    if isinstance(subtitle, str) and subtitle:
        yield f'subtitle "{" ".join(subtitle.split())}"'


def _views(view: Spec, encoding: Spec) -> Iterator[str]:
    """What `view` and those within it draw by which field; some is said of all of them."""
    yield from _titles(view)
    encoding = {**encoding, **mapping(view.get("encoding"))}
    for name in _COMPOSED:
        parts = [part for part in view.get(name) or () if isinstance(part, Mapping)]
        for place, part in enumerate(parts, 1):
            if name != "layer":
                yield f"panel {place} of {len(parts)}"
            yield from _views(part, encoding)
    if isinstance(view.get("spec"), Mapping):
        yield f"repeated for each {_facets(view)}"
        yield from _views(view["spec"], encoding)
    if view.get("mark"):
        mark = view["mark"]
        kind = mark.get("type") if isinstance(mark, Mapping) else mark
        said = [
            f"{n}: {text}" for n, given in encoding.items() if (text := _channel(mapping(given)))
        ]
        yield f"{kind} by {'; '.join(said)}" if said else str(kind)


def _channel(channel: Spec) -> str:
    """`mean of "mpg" (quantitative)`, with its own title if it has one."""
    field = channel.get("field")
    if not isinstance(field, str) and channel.get("aggregate") != "count":
        return ""
    what = f'"{field}"' if isinstance(field, str) else "rows"
    if isinstance(channel.get("aggregate"), str):
        what = f"{channel['aggregate']} of {what}"
    if channel.get("bin"):
        what = f"bins of {what}"
    if isinstance(channel.get("timeUnit"), str):
        what = f"{channel['timeUnit']} of {what}"
    title = channel.get("title") or mapping(channel.get("axis")).get("title")
    said = f'{what}, titled "{title}"' if title else what
    kind = channel.get("type")
    return f"{said} ({kind})" if isinstance(kind, str) else said


def _facets(view: Spec) -> str:
    for name in ("facet", "repeat"):
        given = view.get(name)
        if isinstance(given, Mapping):
            parts = [given] if "field" in given else list(given.values())
            fields = [part.get("field") if isinstance(part, Mapping) else part for part in parts]
            flat = [one for f in fields for one in (f if isinstance(f, list) else [f])]
            return ", ".join(str(field) for field in flat if field)
        if isinstance(given, list):
            return ", ".join(map(str, given))
    return "part"
