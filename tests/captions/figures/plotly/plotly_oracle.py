"""What plotly.js itself computes of a figure, asked of it in a browser: the truth of the tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import plotly

_SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_DRAW = """async text => {
  const figure = JSON.parse(text), graph = document.getElementById('graph');
  await Plotly.newPlot(graph, figure.data, {...figure.layout, width: 700, height: 500});
  const kept = /^(x|y|p|s|b|v|label|hidden|pos|q1|med|q3|min|max|id|ys|yh)$/;
  const point = given => Object.fromEntries(Object.entries(given).filter(
    ([name, value]) => kept.test(name) && typeof value !== 'object'
      && !Number.isNaN(value)));
  const traces = graph.calcdata.map(calc => {
    const trace = calc[0].trace, first = calc[0];
    return {
      type: trace.type, name: trace.name, x: trace.xaxis, y: trace.yaxis,
      visible: trace.visible, points: calc.map(point), grid: first.z && Array.from(
        first.z, row => Array.from(row, cell => cell ?? null)),
      tree: first.hierarchy && first.hierarchy.descendants().map(d => [d.data.data.id, d.value]),
      links: first._links && first._links.map(
        link => [link.source.label, link.target.label, link.value])};
  });
  const axes = {};
  for (const [name, axis] of Object.entries(graph._fullLayout))
    if (/^[xy]axis\\d*$/.test(name))
      axes[axis._id] = {type: axis.type, range: axis.range, names: axis._categories,
                        domain: axis.domain};
  Plotly.purge(graph);
  return JSON.stringify({traces, axes});
}"""


class Oracle:
    """Draws figures on `page`."""

    def __init__(self, page: Any) -> None:
        page.set_content("<div id=graph></div>")
        page.add_script_tag(path=str(_SCRIPT))
        self._page = page

    def drawn(self, figure: Any) -> Any:
        """`traces`, each with its computed `points`, and `axes` by their id."""
        found = json.loads(self._page.evaluate(_DRAW, figure.to_json()))
        for trace in found["traces"]:
            for letter in "xy":
                axis = found["axes"].get(trace.get(letter))
                for point in trace["points"]:
                    if axis and letter in point:
                        point[letter] = value(point[letter], axis)
        return found


def value(computed: float, axis: Any) -> float | str:
    """What a computed number means on its axis: a category's name, a date, itself."""
    if axis["type"] == "category":
        return str(axis["names"][round(computed)])
    if axis["type"] == "date":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=computed)
        return moment.replace(tzinfo=None).isoformat(" ").removesuffix(" 00:00:00")
    return computed
