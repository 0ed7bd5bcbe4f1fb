"""Web search and web fetch: calls with results that are made up, and say so.

Nothing is searched or fetched. Addresses are of example.org and example.com, which nobody owns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ..messages.blocks import Block
from .orders import Order
from .passages import Passage, quoted
from .sealing import sealed
from .server_tool_call import Called, Setting, failed, made_call, version_of

MADE_UP_HOSTS = ("example.org", "example.com")
DYNAMIC = "20260209"
"""From this version on the web tools are called from code, unless the request says otherwise."""
_CALLER = "code_execution_20260120"
_AGE = "January 1, 2026"
_TIME = "2026-01-01T00:00:00Z"
_LONGEST_ADDRESS = 250
_LONGEST_TITLE = 80
_QUERY = re.compile(r"\bsearch\b(?:\s+the\s+web)?(?:\s+for)?\s+(?P<query>[^.?!]+)", re.IGNORECASE)


def calls_from_code(tool: Mapping[str, Any]) -> bool:
    """Whether this version of a web tool is called from code, for filtering its results."""
    callers = tool.get("allowed_callers")
    return version_of(tool) >= DYNAMIC if callers is None else "direct" not in callers


def search(order: Order, setting: Setting) -> Called:
    """The search that `order` asks for, with two pages that were made up."""
    return _called(setting, "web_search", {"query": _query(order)}, found)


def _query(order: Order) -> str:
    for text in (*order.named.values(), *order.values, *order.marks):
        if str(text).strip():
            return str(text)
    asked = _QUERY.search(order.words)
    return " ".join(asked["query"].split()).rstrip(",;") if asked else "offline server"


def found(call: Block, setting: Setting) -> Called:
    """A search with its results, those that its lists of domains allow."""
    query = str(call["input"].get("query", ""))
    code = _too_often(setting) or ("" if query.strip() else "invalid_tool_input")
    if code:
        return failed(call, "web_search_tool_result", code)
    path = quote("-".join(re.findall(r"\w+", query.lower())[:6]) or "offline")
    addresses = [f"https://{host}/offline/{path}" for host in MADE_UP_HOSTS]
    results = [_result(url, query) for url in addresses if _allowed(url, setting.tool)]
    result = {"type": "web_search_tool_result", "tool_use_id": call["id"], "content": results}
    said = [
        Passage(
            f"The offline server searched nothing; for “{quoted(query, _LONGEST_TITLE)}” it made "
            f"up {len(results)} result{'' if len(results) == 1 else 's'}."
        )
    ]
    for item in results:
        text = f"This page at {urlsplit(item['url']).hostname} was made up by the offline server."
        citation = {
            "type": "web_search_result_location",
            "url": item["url"],
            "title": item["title"],
            "cited_text": text,
            "encrypted_index": sealed(item["url"], text),
        }
        said += [Passage(" "), Passage(text, (citation,))]
    return Called(call, [result], [*said, Passage("\n\n")])


def _result(url: str, query: str) -> dict[str, Any]:
    title = f"Offline server: {quoted(query, _LONGEST_TITLE)}"
    return {
        "type": "web_search_result",
        "url": url,
        "title": title,
        "encrypted_content": sealed(url, title),
        "page_age": _AGE,
    }


def fetch(order: Order, setting: Setting) -> Called:
    """The fetch of the first address in `order`."""
    addresses = order.addresses or ["https://example.org/offline"]
    return _called(setting, "web_fetch", {"url": addresses[0]}, fetched)


def fetched(call: Block, setting: Setting) -> Called:
    """A fetch with its page, or with an error for an address of somebody else's."""
    url = str(call["input"].get("url", ""))
    code = _too_often(setting) or _unfetchable(url, setting.tool)
    if code:
        return failed(call, "web_fetch_tool_result", code)
    text = (
        f"This page was made up by the offline server, which fetched nothing.\nIt stands for {url}."
    )
    title = f"Offline server: {quoted(url, _LONGEST_TITLE)}"
    document: dict[str, Any] = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": text},
        "title": title,
    }
    cites = (setting.tool.get("citations") or {}).get("enabled")
    if cites:
        document["citations"] = {"enabled": True}
    page = {
        "type": "web_fetch_result",
        "url": url,
        "content": document,
        "retrieved_at": _TIME,
    }
    result = {"type": "web_fetch_tool_result", "tool_use_id": call["id"], "content": page}
    first = text.split("\n", 1)[0]
    citation = {
        "type": "char_location",
        "cited_text": first,
        "document_index": setting.documents,
        "document_title": title,
        "start_char_index": 0,
        "end_char_index": len(first),
    }
    said = [Passage(f"For <{url}> it reads: "), Passage(first, (citation,) if cites else ())]
    return Called(call, [result], [*said, Passage("\n\n")])


def _unfetchable(url: str, tool: Mapping[str, Any]) -> str:
    """The error code for an address that this server makes up no page for; empty if it does."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address
        return "invalid_tool_input"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "invalid_tool_input"
    if len(url) > _LONGEST_ADDRESS:
        return "url_too_long"
    if not _allowed(url, tool):
        return "url_not_allowed"
    made_up = any(_is_of(parts.hostname, host) for host in MADE_UP_HOSTS)
    return "" if made_up else "url_not_accessible"


def _called(
    setting: Setting,
    name: str,
    given: Mapping[str, Any],
    answer: Callable[[Block, Setting], Called],
) -> Called:
    """A call of a web tool with its result, made from code where the tool's version has it so."""
    call = made_call(setting, name, given)
    if not calls_from_code(setting.tool):
        return answer(call, setting)
    code = f"print(await {name}({json.dumps(given)}))"
    outer = made_call(setting, "code_execution", {"code": code}, part="code")
    caller = {"type": _CALLER, "tool_id": outer["id"]}
    inner = from_code(answer({**call, "caller": caller}, setting), outer["id"])
    return Called(inner.call, inner.results, inner.said, around=[outer])


def from_code(called: Called, outer: str) -> Called:
    """A call that code made: its result goes to the code, the call `outer`, which then ends."""
    ended = {
        "type": "code_execution_tool_result",
        "tool_use_id": outer,
        "content": {
            "type": "encrypted_code_execution_result",
            "encrypted_stdout": sealed(outer),
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
    }
    results = [{**result, "caller": called.call["caller"]} for result in called.results]
    return Called(called.call, [*results, ended], called.said)


def _too_often(setting: Setting) -> str:
    most = setting.tool.get("max_uses")
    if setting.fails:
        return "unavailable"
    return "max_uses_exceeded" if most is not None and setting.uses >= most else ""


def _allowed(url: str, tool: Mapping[str, Any]) -> bool:
    """Whether the tool's lists of domains allow an address; paths in them are not looked at."""
    host = urlsplit(url).hostname or ""
    allowed, blocked = tool.get("allowed_domains"), tool.get("blocked_domains") or ()
    if allowed is not None:
        return any(_is_of(host, domain.split("/")[0]) for domain in allowed)
    return not any(_is_of(host, domain.split("/")[0]) for domain in blocked)


def _is_of(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
