"""Calls of the server's own tools, each as a folded line: what was searched, read, run.

Queries, titles, addresses and what programs print are somebody else's words: they are shown as
they are, and only a web address becomes a link.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .citations import Citing
from .inert import fenced, literal
from .notes import link, one_line
from .terminal import plain

_LONGEST = 8_000
_WORDS = 120
_CALLS = ("server_tool_use", "mcp_tool_use")


@dataclass(frozen=True)
class Fold:
    """One call: a line, and what is folded below it, as Markdown in which nothing is active.

    `call` is its id; `done` says that its result has come: then the fold does not change any more.
    """

    call: str
    line: str
    markdown: str = ""
    done: bool = False

    @property
    def bundle(self) -> dict[str, str]:
        """The fold as `text/html`, `text/markdown` (the line alone) and `text/plain`."""
        from .bundle import reply_bundle
        from .shield import escape

        inside = reply_bundle(self.markdown)["text/html"] if self.markdown else ""
        return {
            "text/html": '<div class="claude-magic"><details class="claude-magic-fold"><summary>'
            f"{escape(self.line)}</summary>{inside}</details></div>",
            "text/markdown": f"{literal(f'[{self.line}]')}\n",
            "text/plain": f"[{self.line}]",
        }


def server_tool_lines(blocks: Iterable[Mapping[str, Any]]) -> list[Fold]:
    """A fold for each call of a server's tool among the blocks of a reply, in their order.

    A result may stand in another reply to the same question: give the blocks of all. Never raises.
    """
    every = list(blocks)
    results = {
        str(block["tool_use_id"]): block
        for block in every
        if str(block.get("type")).endswith("_result") and "tool_use_id" in block
    }
    calls = [block for block in every if block.get("type") in _CALLS]
    return [_fold(call, results.get(str(call.get("id")))) for call in calls]


def in_order(
    blocks: Iterable[Mapping[str, Any]], citing: Citing, folds: Iterable[Fold]
) -> Iterator[str | Fold | Mapping[str, Any]]:
    """A reply in the order in which it is read.

    Stretches of text as Markdown with the marks that `citing` makes, the calls of the server's
    tools as their `folds`, and every other block as it is; their results stand in the folds.
    """
    folded = {fold.call: fold for fold in folds}
    text = ""
    for block in blocks:
        kind = str(block.get("type"))
        text += citing.add(block)
        if kind == "text" or (kind.endswith("_result") and str(block.get("tool_use_id")) in folded):
            continue
        if text.strip():
            yield text
        text = ""
        yield folded.get(str(block.get("id")), block) if kind in _CALLS else block
    text += citing.end()
    if text.strip():
        yield text


def _fold(call: Mapping[str, Any], result: Mapping[str, Any] | None) -> Fold:
    given = call.get("input")
    given = given if isinstance(given, Mapping) else {}
    name = one_line(call.get("name"), _WORDS)
    shown = _SHOWN.get(name, _other)
    content = result.get("content") if result else None
    line, body = shown(name, given, content)
    failed = _error(content)
    if failed:
        line = f"{line} · failed: {failed}"
    elif result is None:
        line = f"{line} …"
    return Fold(str(call.get("id")), line, "\n\n".join(filter(None, body)), result is not None)


_Shown = tuple[str, Sequence[str]]


def _search(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    pages = [page for page in _items(content) if isinstance(page, Mapping)]
    found = f" · {_count(len(pages), 'result')}" if isinstance(content, list | tuple) else ""
    line = f"Searched the web: “{one_line(given.get('query'), _WORDS)}”{found}"
    return line, ["\n".join(f"- {_page(page)}" for page in pages)]


def _page(page: Mapping[str, Any]) -> str:
    age = one_line(page.get("page_age"), _WORDS)
    title = one_line(page.get("title"), _WORDS) or "A page without a title"
    return link(title, str(page.get("url"))) + (f" · {literal(age)}" if age else "")


def _fetch(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    url = one_line(given.get("url"), _WORDS)
    page = content if isinstance(content, Mapping) else {}
    document = page.get("content")
    document = document if isinstance(document, Mapping) else {}
    title = one_line(document.get("title"), _WORDS)
    source = document.get("source")
    text = (
        source.get("data") if isinstance(source, Mapping) and source.get("type") == "text" else ""
    )
    address = page.get("url") or given.get("url")
    head = link(title or "The page", str(address)) if address else ""
    return f"Read {title or url}", [head, _code(text, "")]


def _code_execution(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    return _ran("Ran code", given.get("code"), "python", content)


def _bash(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    command = one_line(given.get("command"), _WORDS)
    return _ran(f"Ran {command}" if command else "Ran", given.get("command"), "sh", content)


def _ran(line: str, code: Any, language: str, content: Any) -> _Shown:
    result = content if isinstance(content, Mapping) else {}
    status = result.get("return_code")
    if isinstance(status, int) and status:
        line += f" · exit code {status}"
    body = [_code(code, language), _code(result.get("stdout"), "")]
    if result.get("stderr"):
        body += ["stderr:", _code(result.get("stderr"), "")]
    made = [file for file in _items(result.get("content")) if isinstance(file, Mapping)]
    return line, [
        *body,
        "\n".join(f"- {literal(one_line(f.get('file_id'), _WORDS))}" for f in made),
    ]


def _file(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    done = {"create": "Wrote", "view": "Looked at", "str_replace": "Changed"}
    result = content if isinstance(content, Mapping) else {}
    verb = done.get(str(given.get("command")), "Used")
    lines = _items(result.get("lines"))
    changed = "\n".join(map(str, lines)) if lines else result.get("content")
    body = [_code(given.get("file_text"), ""), _code(changed, "")]
    return f"{verb} the file {one_line(given.get('path'), _WORDS)}", body


def _other(name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    return f"Called {name}", [_json(given), _json(content)]


_SHOWN: Mapping[str, Callable[[str, Mapping[str, Any], Any], _Shown]] = {
    "web_search": _search,
    "web_fetch": _fetch,
    "code_execution": _code_execution,
    "bash_code_execution": _bash,
    "text_editor_code_execution": _file,
}


def _error(content: Any) -> str:
    """The error code of a result that is an error."""
    return one_line(content.get("error_code"), _WORDS) if isinstance(content, Mapping) else ""


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _json(value: Any) -> str:
    try:
        return _code(json.dumps(value, ensure_ascii=False, indent=1), "json") if value else ""
    except (TypeError, ValueError):
        return _code(str(value), "")


def _code(text: Any, language: str) -> str:
    """A text as a block of code, which nothing in it can end; "" for no text."""
    if not isinstance(text, str) or not text.strip():
        return ""
    rest = len(text) - _LONGEST
    shown = text if rest <= 0 else f"{text[:_LONGEST]}\n[… {rest:,} characters more]"
    return fenced(plain(shown), language)
