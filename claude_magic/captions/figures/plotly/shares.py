"""Parts of a whole, and figures without axes: pies, trees, flows, tables, single numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..chart_values import Value, bars_text, named, number
from ..json_values import NO_VALUE, Spec, as_number, is_there, listed, mapping, name_of, words
from .bars import unread

_MOST_ROWS = 12


def label_of(trace: Spec) -> str:
    """The name of a trace, or its title, in a line."""
    return words(trace.get("name")) or words(trace.get("title"))


def pie(trace: Spec, hidden: Sequence[str]) -> str:
    """The slices of a pie, a donut or a funnel area, those of one name added up.

    `hidden` are the names that the layout takes out of every pie.
    """
    labels, values = listed(trace.get("labels")), listed(trace.get("values"))
    length = min(len(labels), len(values)) if labels and values else len(labels) or len(values)
    slices: dict[str, list[float]] = {}
    first, step = as_number(trace.get("label0") or 0), as_number(trace.get("dlabel", 1))
    for place in range(length):
        size = as_number(values[place]) if values else 1.0
        if not is_there(size):
            continue
        if not labels:
            name = name_of(first + place * step)
        elif labels[place] in (None, ""):
            name = str(place)
        else:
            name = name_of(labels[place])
        slices.setdefault(name, []).append(size)
    sums = {name: math.fsum(sizes) for name, sizes in slices.items()}
    # Negative values are added too; a slice that is negative then is not drawn.
    shown = {name: size for name, size in sums.items() if size >= 0 and name not in hidden}
    mark = "donut" if trace.get("hole") else str(trace.get("type"))
    if trace.get("sort", True) and mark != "funnelarea":
        shown = dict(sorted(shown.items(), key=lambda item: -item[1]))
    said = bars_text(mark, label_of(trace), list(shown), list(shown.values()))
    total = math.fsum(shown.values())
    if total > 0:
        parts = [f"{name} {value / total:.1%}" for name, value in list(shown.items())[:_MOST_ROWS]]
        said += f"; shares: {', '.join(parts)}"
    left = [name for name, size in sums.items() if size >= 0 and name in hidden]
    return said + (f"; not shown: {', '.join(left)}" if left else "")


def tree(trace: Spec) -> str:
    """The sectors of a sunburst, treemap or icicle, each with the value of its size."""
    kind, label = str(trace.get("type")), label_of(trace)
    labels, parents = listed(trace.get("labels")), listed(trace.get("parents"))
    ids = [str(item) for item in listed(trace.get("ids")) or labels]
    values = [as_number(item) for item in listed(trace.get("values"))]
    if len(set(ids)) < len(ids) or len(ids) != len(parents) or len(values) != len(ids):
        return unread(kind, label)
    if trace.get("level") or trace.get("maxdepth"):
        return unread(kind, label, "not all of its levels are shown")
    children: dict[str, list[str]] = {}
    for one, parent in zip(ids, parents, strict=True):
        children.setdefault(str(parent or ""), []).append(one)
    own = dict(zip(ids, values, strict=True))
    total = _totals(own, children, added=trace.get("branchvalues") != "total")
    if total is None:
        return unread(kind, label, "its parts do not add up")
    named_by = dict(zip(ids, map(words, labels or ids), strict=False))
    names: list[Value] = []
    for one, parent in zip(ids, parents, strict=True):
        within = f" (in {named_by.get(str(parent), parent)})" if parent else ""
        names.append(f"{named_by.get(one, one)}{within}")
    return bars_text(f"{kind}, each with all within it", label, names, [total[one] for one in ids])


def _totals(
    own: dict[str, float], children: dict[str, list[str]], *, added: bool
) -> dict[str, float] | None:
    """The value of each sector with all within it; None where they cannot be laid out."""
    order: list[str] = []
    ready = list(children.get("", []))
    while ready:
        one = ready.pop()
        order.append(one)
        ready += children.get(one, [])
    if len(order) != len(own):
        return None
    total: dict[str, float] = {}
    for one in reversed(order):
        within = math.fsum(total[child] for child in children.get(one, []))
        value = own[one] if own[one] == own[one] else 0.0
        if not added and within > value * (1 + 1e-9):
            return None
        total[one] = value + within if added else value
    return total


def sankey(trace: Spec) -> str:
    """The flows of a sankey diagram, each from where to where."""
    links, nodes = mapping(trace.get("link")), mapping(trace.get("node"))
    sources, targets = listed(links.get("source")), listed(links.get("target"))
    values, labels = listed(links.get("value")), listed(nodes.get("label"))
    names: list[Value] = []
    sizes: list[float] = []
    for source, target, value in zip(sources, targets, values, strict=False):
        size = as_number(value)
        if size > 0:
            names.append(f"{_node(source, labels)} to {_node(target, labels)}")
            sizes.append(size)
    return bars_text("sankey diagram, flows", label_of(trace), names, sizes)


def _node(place: object, labels: Sequence[object]) -> str:
    known = isinstance(place, int) and 0 <= place < len(labels) and labels[place]
    return words(labels[place]) if known and isinstance(place, int) else f"node {place}"


def table(trace: Spec) -> str:
    """The head and the first rows of a table."""
    head = [words(_only(item)) for item in listed(mapping(trace.get("header")).get("values"))]
    columns = [listed(item) for item in listed(mapping(trace.get("cells")).get("values"))]
    rows = max(map(len, columns), default=0)
    lines = [
        " | ".join(words(name_of(column[at])) if at < len(column) else "" for column in columns)
        for at in range(min(rows, _MOST_ROWS))
    ]
    more = f" / … {rows - _MOST_ROWS} more" if rows > _MOST_ROWS else ""
    said = (
        f"{named('table', label_of(trace))}: {rows} rows: {' | '.join(head)}: {' / '.join(lines)}"
    )
    return said + more


def _only(item: object) -> object:
    return " ".join(map(str, item)) if isinstance(item, list) else item


def indicator(trace: Spec) -> str:
    """The number that an indicator shows, what it is held against, and the ends of its gauge."""
    value = as_number(trace.get("value"))
    if not is_there(value):
        return unread("indicator", label_of(trace))
    mode = str(trace.get("mode") or "number")
    said = f"{named('indicator', label_of(trace))}: {number(value)}"
    delta, gauge = mapping(trace.get("delta")), mapping(trace.get("gauge"))
    reference = as_number(delta.get("reference", NO_VALUE))
    if "delta" in mode and is_there(reference):
        said += f", {number(value - reference)} against {number(reference)}"
    ends = [as_number(end) for end in listed(mapping(gauge.get("axis")).get("range"))]
    if "gauge" in mode and len(ends) == 2:
        said += f", on a gauge from {number(ends[0])} to {number(ends[1])}"
    threshold = as_number(mapping(gauge.get("threshold")).get("value", NO_VALUE))
    return said + (f", mark at {number(threshold)}" if is_there(threshold) else "")
