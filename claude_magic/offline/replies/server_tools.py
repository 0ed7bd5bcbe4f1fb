"""The server's own tools within a reply: calls, results that are made up and say so, and seals.

Nothing is searched or fetched. Addresses are of example.org and example.com, which nobody owns.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from ...messages.blocks import Block
from ...value_classes import frozen
from ..referee.request_checks import CheckedRequest, RequestTurn
from .quotes import ReplyPassage, quoted
from .reading import ToolOrder

_MARK = "offline"
_CALL_ID = "srvtoolu_offline_"
_SHORT = 8


def sealed(*parts: Any) -> str:
    """An opaque text for `parts`, as `encrypted_content` and `encrypted_index` are."""
    return base64.b64encode(f"{_MARK}.{_digest(parts)}".encode()).decode()


def broken_seal(seal: str, *parts: Any) -> bool:
    """Whether `seal` is one of this server's and belongs to something else than `parts`."""
    try:
        mark, _, digest = base64.b64decode(seal, validate=True).decode().partition(".")
    except ValueError:
        return False  # another server's: it cannot be told
    return mark == _MARK and digest != _digest(parts)


def call_id(place: str, name: str, given: Any) -> str:
    """The id of a call of a server's tool; `place` tells it from the others."""
    return f"{_CALL_ID}{place}_{_digest((name, given))[:_SHORT]}"


def changed_call(identity: str, name: str, given: Any) -> bool:
    """Whether a call with an id of this server has another name or input than it was made with."""
    ours = identity.startswith(_CALL_ID)
    return ours and not identity.endswith(f"_{_digest((name, given))[:_SHORT]}")


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


ReplyPiece: TypeAlias = ReplyPassage | Block
"""What a reply is made of: text, or a block of another kind."""


@frozen
class MadeCall:
    """One call of a server's tool as the reply holds it.

    `around` are blocks that come before the call: the code that makes it. `results` are those that
    end it, and `said` is what the reply says of them.
    """

    call: Block
    results: Sequence[Block] = ()
    said: Sequence[ReplyPassage] = ()
    around: Sequence[Block] = ()


@frozen
class ToolSetting:
    """What a call is made in: the tool's definition, the reply's number, what went before.

    `place` counts the calls in the reply, `uses` those of this tool in it, `documents` the
    documents in the request and the reply. `fails` makes an error of each result.
    """

    tool: Mapping[str, Any]
    number: int
    place: int
    uses: int = 0
    documents: int = 0
    fails: bool = False


def made_call(
    setting: ToolSetting, name: str, given: Mapping[str, Any], *, part: str = ""
) -> dict[str, Any]:
    """The block of a call; `part` tells two calls of one place apart."""
    identity = call_id(f"{setting.number:06}_{setting.place}{part}", name, given)
    return {"type": "server_tool_use", "id": identity, "name": name, "input": dict(given)}


def failed(call: Block, kind: str, code: str) -> MadeCall:
    """The call with a result block of this kind that holds only an error code."""
    error = {"type": f"{kind}_error", "error_code": code}
    result = {"type": kind, "tool_use_id": call["id"], "content": error}
    return MadeCall(call, [result], [ReplyPassage(f"`{call['name']}` failed: `{code}`.\n\n")])


def version_of(tool: Mapping[str, Any]) -> str:
    """The date in the tool's type."""
    return str(tool.get("type", "")).rpartition("_")[2]


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


def search(order: ToolOrder, setting: ToolSetting) -> MadeCall:
    """The search that `order` asks for, with two pages that were made up."""
    return _called(setting, "web_search", {"query": _query(order)}, found)


def _query(order: ToolOrder) -> str:
    for text in (*order.named.values(), *order.values, *order.marks):
        if str(text).strip():
            return str(text)
    asked = _QUERY.search(order.words)
    return " ".join(asked["query"].split()).rstrip(",;") if asked else "offline server"


def found(call: Block, setting: ToolSetting) -> MadeCall:
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
        ReplyPassage(
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
        said += [ReplyPassage(" "), ReplyPassage(text, (citation,))]
    return MadeCall(call, [result], [*said, ReplyPassage("\n\n")])


def _result(url: str, query: str) -> dict[str, Any]:
    title = f"Offline server: {quoted(query, _LONGEST_TITLE)}"
    return {
        "type": "web_search_result",
        "url": url,
        "title": title,
        "encrypted_content": sealed(url, title),
        "page_age": _AGE,
    }


def fetch(order: ToolOrder, setting: ToolSetting) -> MadeCall:
    """The fetch of the first address in `order`."""
    addresses = order.addresses or ["https://example.org/offline"]
    return _called(setting, "web_fetch", {"url": addresses[0]}, fetched)


def fetched(call: Block, setting: ToolSetting) -> MadeCall:
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
    said = [
        ReplyPassage(f"For <{url}> it reads: "),
        ReplyPassage(first, (citation,) if cites else ()),
    ]
    return MadeCall(call, [result], [*said, ReplyPassage("\n\n")])


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
    setting: ToolSetting,
    name: str,
    given: Mapping[str, Any],
    answer: Callable[[Block, ToolSetting], MadeCall],
) -> MadeCall:
    """A call of a web tool with its result, made from code where the tool's version has it so."""
    call = made_call(setting, name, given)
    if not calls_from_code(setting.tool):
        return answer(call, setting)
    code = f"print(await {name}({json.dumps(given)}))"
    outer = made_call(setting, "code_execution", {"code": code}, part="code")
    caller = {"type": _CALLER, "tool_id": outer["id"]}
    inner = from_code(answer({**call, "caller": caller}, setting), outer["id"])
    return MadeCall(inner.call, inner.results, inner.said, around=[outer])


def from_code(called: MadeCall, outer: str) -> MadeCall:
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
    return MadeCall(called.call, [*results, ended], called.said)


def _too_often(setting: ToolSetting) -> str:
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


WITH_SESSION = "20260120"
"""The version from which on code may call tools, and the web tools may call code."""
_PYTHON_ONLY = "20250522"
"""The version that runs Python only; later ones write a file and run it with bash."""
_CODE = 'print("Hello from the offline server")'
_PATH = "/tmp/offline.py"  # noqa: S108 - nothing is written: the name of a file in no container


def run(order: ToolOrder, setting: ToolSetting) -> MadeCall:
    """The call that runs the code in `order`, as a file where the tool's version has it so."""
    code = next(iter((*order.codes, *map(str, order.values), *order.marks)), _CODE)
    if version_of(setting.tool) <= _PYTHON_ONLY:
        call = made_call(setting, "code_execution", {"code": code})
        return ran(call, setting)
    write = {"command": "create", "path": _PATH, "file_text": code + "\n"}
    created = made_call(setting, "text_editor_code_execution", write, part="file")
    written = {
        "type": "text_editor_code_execution_tool_result",
        "tool_use_id": created["id"],
        "content": {"type": "text_editor_code_execution_create_result", "is_file_update": False},
    }
    call = made_call(setting, "bash_code_execution", {"command": f"python {_PATH}"})
    return replace(ran(call, setting), around=[created, written])


def ran(call: Block, setting: ToolSetting) -> MadeCall:
    """The call with what its container would have said."""
    kind = str(call["name"])
    if setting.fails:
        return failed(call, f"{kind}_tool_result", "unavailable")
    content = {
        "type": f"{kind}_result",
        "stdout": "The offline server runs nothing.\n",
        "stderr": "",
        "return_code": 0,
        "content": [],
    }
    result = {"type": f"{kind}_tool_result", "tool_use_id": call["id"], "content": content}
    return MadeCall(call, [result], [ReplyPassage("No code was run by the offline server.\n\n")])


_CALLS: Mapping[str, Callable[[ToolOrder, ToolSetting], MadeCall]] = {
    "web_search": search,
    "web_fetch": fetch,
    "code_execution": run,
}
_RESULTS: Mapping[str, Callable[[Block, ToolSetting], MadeCall]] = {
    "web_search": found,
    "web_fetch": fetched,
    "code_execution": ran,
}
SERVER_TOOLS = tuple(_CALLS)


def is_server_tool(tool: Mapping[str, Any]) -> bool:
    """Whether a tool of a request is one that the server runs."""
    return tool.get("name") in SERVER_TOOLS and bool(version_of(tool))


def tool_of(name: str) -> str:
    """The tool that a server's call of this name belongs to."""
    return "code_execution" if name.endswith("code_execution") else name


def server_calls(turn: RequestTurn) -> list[Block]:
    """The calls of the server's tools in a turn, but for those that a call is made from."""
    calls = [placed.block for placed in turn.of("server_tool_use")]
    outer = {(call.get("caller") or {}).get("tool_id") for call in calls}
    written = ("text_editor_code_execution",)  # a file, for the call that follows
    return [call for call in calls if call["id"] not in outer and call["name"] not in written]


class ServerTools:
    """The tools of one request, as the `number`-th reply calls them.

    `fails` makes each result an error.
    """

    def __init__(self, asked: CheckedRequest, number: int, *, fails: bool) -> None:
        self._tools = {tool.get("name"): tool for tool in asked.body.get("tools", [])}
        self._number = number
        self._fails = fails
        self._place = 0
        self._documents = sum(_documents(placed.block) for placed in asked.every_block())
        last = asked.turns[-1]
        before = server_calls(last) if last.role == "assistant" else []
        self._uses = Counter(tool_of(str(call["name"])) for call in before)

    def call(self, order: ToolOrder) -> list[ReplyPiece]:
        """A call with its result, and what is said of it."""
        called = self._called(order)
        return [*called.around, called.call, *self._end(called)]

    def open(self, order: ToolOrder) -> list[Block]:
        """A call whose result waits for those of other tools."""
        called = self._called(order)
        return [*called.around, called.call]

    def finish(self, call: Block) -> list[ReplyPiece]:
        """The result of a call that an earlier reply left open."""
        name = tool_of(str(call["name"]))
        before = max(0, self._uses[name] - 1)  # without this one, which was counted already
        called = _RESULTS[name](call, self._setting(name, before))
        outer = (call.get("caller") or {}).get("tool_id")
        return self._end(from_code(called, outer) if outer else called)

    def _called(self, order: ToolOrder) -> MadeCall:
        called = _CALLS[order.tool](order, self._setting(order.tool, self._uses[order.tool]))
        self._uses[order.tool] += 1
        return called

    def _setting(self, name: str, uses: int) -> ToolSetting:
        self._place += 1
        return ToolSetting(
            self._tools[name],
            self._number,
            self._place,
            uses=uses,
            documents=self._documents,
            fails=self._fails,
        )

    def _end(self, called: MadeCall) -> list[ReplyPiece]:
        self._documents += sum(map(_documents, called.results))
        return [*called.results, *called.said]


def _documents(block: Block) -> int:
    """How many documents a block is, or holds as the result of a fetch."""
    content = block.get("content")
    fetched = isinstance(content, Mapping) and content.get("type") == "web_fetch_result"
    return int(block["type"] == "document" or fetched)
