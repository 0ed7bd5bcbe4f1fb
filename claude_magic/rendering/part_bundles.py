"""The parts of a reply as mimebundles: HTML for cell and history, Markdown, text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..messages.blocks import Block
from ..messages.plain_text import count, trim_middle
from .bundle import fenced, literal, reply_bundle
from .citations import notes_bundle
from .reply import Call, Part, Remark, ServerCall, Sources, Text, Thinking, Unknown
from .style import as_it_is, box, code, folded, line
from .terminal import plain

# Tools of ours whose arguments are shown as the text that one of them holds.
_TEXTS: Mapping[str, str] = {"run_python": "code"}
_LONGEST = 8_000


def drawn(part: Part, pictures: Callable[[Sequence[Block]], str]) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of one part, in which nothing is active.

    `pictures` gives HTML of ours for the images of a call.
    """
    match part:
        case Text(markdown):
            return reply_bundle(markdown)
        case Thinking(text):
            return _thinking(text)
        case Call():
            return _call(part, pictures)
        case ServerCall() | Unknown():
            return _described(part)
        case Sources(notes):
            return notes_bundle(notes)
        case Remark(text):
            return {
                "text/html": box(line(text)),
                "text/markdown": literal(f"[{_one_line(text)}]") + "\n",
                "text/plain": plain(text),
            }


def stacked(bundles: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """One bundle with the given ones below each other, for every type that one of them has.

    A part without Markdown stands there as its plain text, escaped: a stop reason, say, is the
    server's word. HTML is only ever made by the rendering layer.
    """
    every = [bundle for bundle in bundles if bundle]
    result: dict[str, str] = {}
    for mime, separator in _SEPARATORS.items():
        if any(mime in bundle for bundle in every):
            shown = [_of(bundle, mime).strip() for bundle in every]
            result[mime] = separator.join(part for part in shown if part)
    return result


_SEPARATORS = {"text/html": "\n", "text/markdown": "\n\n", "text/plain": "\n\n"}


def _of(bundle: Mapping[str, str], mime: str) -> str:
    if mime == "text/markdown" and mime not in bundle:
        return literal(bundle.get("text/plain", ""))
    return bundle.get(mime, "")


def call_line(call: Call) -> str:
    """For example "run_python · 1.2 s · ok"."""
    took = "" if call.seconds is None else f" · {call.seconds:.1f} s"
    return f"{call.name}{took} · {call.outcome or 'not run'}"


def given_to(name: str, given: Any) -> tuple[str, str]:
    """What was given to a call, with its language: the code of one of ours, else JSON."""
    field = _TEXTS.get(name)
    if isinstance(given, Mapping) and set(given) == {field} and isinstance(given[field], str):
        return "python", given[field]
    if isinstance(given, str):  # cut off: as it came
        return "", given
    return "json", json.dumps(given, ensure_ascii=False, indent=1) if given else ""


def _thinking(text: str) -> dict[str, str]:
    inside = as_it_is(text)
    return {
        "text/html": box(folded("Thinking", inside)),
        "text/markdown": f"{literal('[thinking]')}\n\n{fenced(text, '')}\n",
        "text/plain": plain(f"[thinking]\n{text}"),
    }


def _call(call: Call, pictures: Callable[[Sequence[Block]], str]) -> dict[str, str]:
    language, given = given_to(call.name, call.input)
    given, top = trim_middle(given, _LONGEST), call_line(call)
    # The texts of a result are of different things: each stands on lines of its own.
    said = trim_middle("\n".join(call.texts), _LONGEST)
    shown = f"[{count(len(call.images), 'image')}]" if call.images else ""
    inside = code(given, language) + as_it_is(said) + pictures(call.images)
    markdown = (
        literal(f"[{_one_line(top)}]"),
        fenced(plain(given), language) if given else "",
        fenced(plain(said), "") if said.strip() else "",
        literal(shown),
    )
    return {
        "text/html": box(folded(top, inside)),
        "text/markdown": "\n\n".join(filter(None, markdown)) + "\n",
        "text/plain": plain("\n".join(filter(None, (f"[{top}]", given, said, shown)))),
    }


def _described(part: ServerCall | Unknown) -> dict[str, str]:
    inside = reply_bundle(part.markdown) if part.markdown else {}
    return {
        "text/html": box(folded(part.line, inside.get("text/html", ""))),
        "text/markdown": f"{literal(f'[{part.line}]')}\n\n{inside.get('text/markdown', '')}",
        "text/plain": plain("\n".join(filter(None, (f"[{part.line}]", part.text)))),
    }


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())
