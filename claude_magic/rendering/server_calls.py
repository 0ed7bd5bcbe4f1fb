"""Calls of the server's own tools, each as a folded line: what was searched, read, run.

Queries, titles, addresses and what programs print are somebody else's words: they are shown as
they are, and only a web address becomes a link.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..messages.plain_text import count
from ..value_classes import frozen
from .bundle import fenced, literal
from .citations import link, one_line, web_address
from .terminal import plain

_LONGEST = 8_000
_WORDS = 120


@frozen
class ServerCallText:
    """A block in one line, and what is folded below it: inert Markdown, and the same as text."""

    line: str
    markdown: str = ""
    text: str = ""
    failed: bool = False


def described(call: Mapping[str, Any], result: Mapping[str, Any] | None) -> ServerCallText:
    """A call of a tool of the server's; never raises.

    `result` is the block that its result stands in, None as long as there is none.
    """
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
    return _described(line, body, failed=bool(failed or (result and result.get("is_error"))))


def unknown(block: Mapping[str, Any]) -> ServerCallText:
    """A block of a kind that is not known here: what it says it is, and all that it holds."""
    kind = one_line(block.get("type"), _WORDS) or "a block without a type"
    return _described(f"Not known here: {kind}", [_json(block)], failed=False)


@frozen
class _Piece:
    """One thing that is folded: as inert Markdown, and as text."""

    markdown: str = ""
    text: str = ""


def _described(line: str, body: Sequence[_Piece], *, failed: bool) -> ServerCallText:
    markdown = "\n\n".join(piece.markdown for piece in body if piece.markdown)
    text = "\n".join(piece.text for piece in body if piece.text)
    return ServerCallText(line, markdown, text, failed)


_Shown = tuple[str, Sequence[_Piece]]


def _search(_name: str, given: Mapping[str, Any], content: Any) -> _Shown:
    pages = [page for page in _items(content) if isinstance(page, Mapping)]
    found = f" · {count(len(pages), 'result')}" if isinstance(content, list | tuple) else ""
    line = f"Searched the web: “{one_line(given.get('query'), _WORDS)}”{found}"
    return line, [_list([_page(page) for page in pages])]


def _page(page: Mapping[str, Any]) -> _Piece:
    age = one_line(page.get("page_age"), _WORDS)
    title = one_line(page.get("title"), _WORDS) or "A page without a title"
    head = _link(title, page.get("url"))
    if not age:
        return head
    return _Piece(f"{head.markdown} · {literal(age)}", f"{head.text} · {age}")


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
    head = _link(title or "The page", address) if address else _Piece()
    # As text nothing is folded: a page would stand between the question and its answer.
    return f"Read {title or url}", [head, _Piece(_code(text, "").markdown)]


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
        body += [_words("stderr:"), _code(result.get("stderr"), "")]
    made = [file for file in _items(result.get("content")) if isinstance(file, Mapping)]
    return line, [*body, _list([_words(one_line(f.get("file_id"), _WORDS)) for f in made])]


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


def _words(text: str) -> _Piece:
    return _Piece(literal(text), text)


def _link(title: str, url: object) -> _Piece:
    address = web_address(url)
    return _Piece(link(title, address), f"{title}, {address}" if address else title)


def _list(items: Sequence[_Piece]) -> _Piece:
    return _Piece(
        "\n".join(f"- {item.markdown}" for item in items),
        "\n".join(f"- {item.text}" for item in items),
    )


def _json(value: Any) -> _Piece:
    try:
        return _code(json.dumps(value, ensure_ascii=False, indent=1), "json") if value else _Piece()
    except (TypeError, ValueError):
        return _code(str(value), "")


def _code(text: Any, language: str) -> _Piece:
    """A text as a block of code, which nothing in it can end; nothing for no text."""
    if not isinstance(text, str) or not text.strip():
        return _Piece()
    rest = len(text) - _LONGEST
    shown = plain(text if rest <= 0 else f"{text[:_LONGEST]}\n[… {rest:,} characters more]")
    return _Piece(fenced(shown, language), shown.rstrip("\n"))
