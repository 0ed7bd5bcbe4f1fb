"""Computes a Vega or Vega-Lite figure: the program of a process of its own (see vega_figure.py).

Argument: the folder that holds vl_convert. On stdin a line of JSON, `{"kind": ..., "spec": ...}`;
on stdout what is drawn, `{"marks": [...], "axes": [...]}`. Run by its path with `-I -S`, so it
imports nothing else of this package.

vl-convert gives no data sets, and its scene graph no datum. So each mark's description, which
screen readers are given, is set to the values of the fields that its channels draw, and read back
from the scene graph: values as Vega has computed them, for exactly the marks that it draws.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

SECONDS = 30
BYTES = 3_000_000_000
MOST_ITEMS = 200_000
_END, _NEXT = "\x1e", "\x1f"
_CHANNELS = (
    *("x", "x2", "xc", "y", "y2", "yc", "width", "height", "theta", "theta2", "startAngle"),
    *("endAngle", "outerRadius", "innerRadius", "fill", "stroke", "shape", "size", "opacity"),
    *("fillOpacity", "strokeOpacity", "strokeDash", "strokeWidth", "angle", "text", "url"),
)
_PARTS = re.compile(r"(?:lower_box|mid_box|upper_box|lower_whisker|upper_whisker)_.*")


class Marks:
    """Tags the marks of a specification, and knows by its tag what each mark draws."""

    def __init__(self, spec: Any) -> None:
        self.found: list[dict[str, Any]] = []
        self.axes: list[dict[str, Any]] = []
        self._units: dict[str, Any] = {}
        self._stacked: dict[str, tuple[str | None, Any]] = {}
        self._parts: list[str] = []
        for part in self._groups(spec):
            for table in part.get("data") or ():
                for step in (table.get("transform") or ()) if isinstance(table, dict) else ():
                    self._transform(step)
        self._walk(spec, [], [], "")

    def _groups(self, group: Any) -> Iterator[Any]:
        yield group
        for mark in group.get("marks") or ():
            if isinstance(mark, dict) and mark.get("type") == "group":
                yield from self._groups(mark)

    def _transform(self, step: Any) -> None:
        names = [name for name in step.get("as") or () if isinstance(name, str)]
        if step.get("type") == "timeunit":
            self._units.update({name: step.get("units") for name in names[:2]})
        if step.get("type") == "stack":
            field = step.get("field")
            field = field if isinstance(field, str) else None
            for name in names:
                self._stacked[name] = (field, step.get("offset", "zero"))
        self._parts += [name for name in names if _PARTS.fullmatch(name)]

    def _walk(self, group: Any, scales: Any, facets: list[str], panel: str) -> None:
        scales = [{s.get("name"): s for s in group.get("scales") or ()}, *scales]
        self._axes(group, scales, panel)
        for mark in group.get("marks") or ():
            name = str(mark.get("name") or "")
            if mark.get("type") == "group":
                facet = (mark.get("from") or {}).get("facet") or {}
                by = facet.get("groupby") or []
                if mark.get("role"):  # headers and footers: their axes count, their marks do not
                    self._axes(mark, scales, panel)
                    continue
                by = [by] if isinstance(by, str) else by
                more = [] if "pathgroup" in name or "path" in str(facet.get("name")) else by
                inner = name if name.endswith("_group") else panel
                self._walk(mark, scales, [*facets, *more], inner)
                continue
            self._tag(mark, scales, facets, panel)

    def _axes(self, group: Any, scales: Any, panel: str) -> None:
        for axis in group.get("axes") or ():
            scale = self._scale(axis.get("scale"), scales)
            if axis.get("labels") is not False:
                self.axes.append({"panel": panel, "axis": axis.get("orient"), **_axis(axis, scale)})

    def _scale(self, name: Any, scales: Any) -> Any:
        for scope in scales:
            if isinstance(name, str) and name in scope:
                return scope[name]
        return {}

    def _tag(self, mark: Any, scales: Any, facets: list[str], panel: str) -> None:
        update = mark.setdefault("encode", {}).setdefault("update", {})
        enter = mark["encode"].get("enter") or {}
        channels: dict[str, dict[str, Any]] = {}
        for name in _CHANNELS:
            field, scale = _field(update.get(name, enter.get(name)))
            if field is not None:
                channels[name] = {"field": field, **_kind(self._scale(scale, scales))}
                channels[name]["units"] = self._units.get(field)
            field, scale = _offset(update.get(name))
            if field is not None:
                channels[f"{name}Offset"] = {"field": field, **_kind(self._scale(scale, scales))}
        fields = [channel["field"] for channel in channels.values()]
        for field in [*fields]:
            raw, offset = self._stacked.get(field, (None, None))
            if raw is not None and raw not in fields:
                channels["value"] = {"field": raw, "type": "linear", "offset": offset}
                fields.append(raw)
        for name in facets:
            channels[f"facet {name}"] = {
                "field": name,
                "type": "ordinal",
                "units": self._units.get(name),
            }
        if any(_PARTS.fullmatch(field) for field in fields):
            for name in dict.fromkeys(self._parts):
                channels[f"part {name}"] = {"field": name, "type": "linear"}
        styles = mark.get("style") or []
        found = {
            "type": mark.get("type"),
            "styles": [styles] if isinstance(styles, str) else styles,
            "panel": panel,
            "clip": bool(mark.get("clip")),
            "channels": channels,
            "computed": [
                name
                for name in _CHANNELS[:13]
                if name in update and name not in channels and _is_computed(update[name])
            ],
            "rows": [],
        }
        self.found.append(found)
        values = " + ".join(f'"{_NEXT}" + {_written(c["field"])}' for c in channels.values())
        head = json.dumps(f"{len(self.found) - 1}{_END}")
        update["description"] = {"signal": f"{head} + {values}" if values else head}
        update["aria"] = {"value": True}
        mark["aria"] = True

    def read(self, item: Any) -> None:
        """Takes the descriptions of a scene graph's items."""
        waiting = [item]
        taken = 0
        while waiting:
            one = waiting.pop()
            said = one.get("description")
            if isinstance(said, str) and _END in said:
                at, _, values = said.partition(_END)
                taken += 1
                if taken > MOST_ITEMS:
                    raise ValueError("too many marks")
                row = [_value(text) for text in values.split(_NEXT)[1:]]
                self.found[int(at)]["rows"].append(row)
            waiting += reversed([each for each in one.get("items") or () if isinstance(each, dict)])


def _field(given: Any) -> tuple[str | None, Any]:
    """The field that a channel draws, and its scale; none where it is computed otherwise."""
    entries = given if isinstance(given, list) else [given]
    found = {
        (entry["field"], entry.get("scale"))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("field"), str)
    }
    if len(found) != 1:
        return _text_field(entries)
    ((field, scale),) = found
    return _path(field), scale


def _text_field(entries: Any) -> tuple[str | None, Any]:
    """The field that a text mark writes: `format(datum["n"], "")`."""
    if len(entries) == 1 and isinstance(entries[0], dict):
        fields = set(re.findall(r'datum\["((?:[^"\\]|\\.)*)"\]', str(entries[0].get("signal", ""))))
        if len(fields) == 1 and "scale(" not in entries[0]["signal"]:
            return fields.pop(), None
    return None, None


def _offset(given: Any) -> tuple[str | None, Any]:
    """The field by which marks of one place stand side by side."""
    offset = given.get("offset") if isinstance(given, dict) else None
    if isinstance(offset, dict) and isinstance(offset.get("field"), str):
        return _path(offset["field"]), offset.get("scale")
    return None, None


def _path(field: str) -> str:
    """A field's name as an expression reads it, without the escapes of dots and brackets."""
    return re.sub(r"\\([.\[\]\\])", r"\1", field)


def _is_computed(given: Any) -> bool:
    """Whether a channel's place depends on more than a field and its scale."""
    text = json.dumps(given)
    return '"signal"' in text and "datum" in text


def _kind(scale: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": scale.get("type", "")}
    domain = scale.get("domain")
    if isinstance(domain, list) and len(domain) == 2:
        found["domain"] = [end for end in domain if isinstance(end, int | float)]
    return found


def _axis(axis: Any, scale: Any) -> dict[str, Any]:
    title = axis.get("title")
    return {
        "title": title if isinstance(title, str) else "",
        "reverse": scale.get("reverse") is True,
        **_kind(scale),
    }


def _written(field: str) -> str:
    """An expression that writes a field's value with a letter for its type."""
    value = f"datum[{json.dumps(field)}]"
    return (
        f'(isDate({value}) ? "t" + time({value}) : isNumber({value}) ? "n" + {value} : '
        f'isBoolean({value}) ? "s" + {value} : isValid({value}) ? "s" + {value} : "z")'
    )


def _value(text: str) -> Any:
    kind, rest = text[:1], text[1:]
    if kind == "s":
        return rest
    if kind in ("n", "t") and rest not in ("NaN", "Infinity", "-Infinity"):
        return {"time": float(rest)} if kind == "t" else float(rest)
    return None


def draw(kind: str, spec: Any) -> dict[str, Any]:
    """The marks that Vega draws of a specification, each with its rows of values, and the axes."""
    import vl_convert

    if kind == "Vega-Lite":
        spec = vl_convert.vegalite_to_vega(spec)
    marks = Marks(spec)
    marks.read(vl_convert.vega_to_scenegraph(spec, allowed_base_urls=[])["scenegraph"])
    return {"marks": marks.found, "axes": marks.axes}


def main() -> int:
    """0 and JSON on stdout, or 1 and one line on stderr."""
    try:
        import resource

        # Where there are no such limits (Windows), the parent's timeout is the only one.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    except (ImportError, ValueError, OSError):
        pass
    sys.path.insert(0, sys.argv[1])
    asked = json.loads(sys.stdin.buffer.read())
    try:
        drawn = draw(asked["kind"], asked["spec"])
    except Exception as error:  # what its engine reports, of any kind
        sys.stderr.write(" ".join(str(error).split())[:300])
        return 1
    sys.stdout.write(json.dumps(drawn))
    return 0


if __name__ == "__main__":
    sys.exit(main())
