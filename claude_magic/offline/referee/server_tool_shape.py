"""What the server's own tools, their calls and results, and citations may look like.

Source: the request types of the `anthropic` package 2.12 and the pages of each tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .request_checks import (
    Check,
    anything,
    bad,
    boolean,
    filled_string,
    integer,
    list_of,
    mapping,
    nullable,
    one_of,
    record,
    string,
    tagged,
)

_TYPE: Mapping[str, Check] = {"type": string}
# A domain without scheme and wildcards; a path may follow.
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9.-]+(?:/[^\s]*)?")
_CALLERS = ("direct", "code_execution_20250825", "code_execution_20260120")
_PLACES: Mapping[str, Check] = dict.fromkeys(("city", "region", "country", "timezone"), anything)
_SEARCH_VERSIONS = ("20250305", "20260209", "20260318")
_FETCH_VERSIONS = ("20250910", "20260209", "20260309", "20260318")
_CODE_VERSIONS = ("20250522", "20250825", "20260120", "20260521")
_BYPASS, _INCLUSION = "20260309", "20260318"
_CALLED_NAMES = (
    "web_search",
    "web_fetch",
    "code_execution",
    "bash_code_execution",
    "text_editor_code_execution",
    "tool_search_tool_regex",
    "tool_search_tool_bm25",
)


def _domain(value: Any, path: str) -> None:
    string(value, path)
    if not _DOMAIN.fullmatch(value):
        raise bad(f"{path}: Invalid domain: '{value}'. Domains have neither scheme nor wildcard")


def _location(value: Any, path: str) -> None:
    texts: Mapping[str, Check] = dict.fromkeys(_PLACES, nullable(string))
    record({"type": one_of("approximate")}, texts)(value, path)
    if not any(value.get(name) for name in _PLACES):
        raise bad(f"{path}: at least one of {', '.join(_PLACES)} is required")


def server_tools(cache: Check) -> dict[str, Check]:
    """The checks of the tools that the server runs, by type; `cache` is that of a cache mark."""
    common: Mapping[str, Check] = {
        "cache_control": cache,
        "allowed_callers": list_of(one_of(*_CALLERS, "code_execution_20260521")),
        "defer_loading": boolean,
        "strict": boolean,
    }
    domains = nullable(list_of(_domain))
    web: Mapping[str, Check] = {
        **common,
        "max_uses": nullable(integer(1)),
        "allowed_domains": domains,
        "blocked_domains": domains,
    }
    search: Mapping[str, Check] = {**web, "user_location": nullable(_location)}
    fetch: Mapping[str, Check] = {
        **web,
        "citations": nullable(record(optional={"enabled": boolean})),
        "max_content_tokens": nullable(integer(1)),
        "url_sources": nullable(mapping),
    }
    inclusion: Mapping[str, Check] = {"response_inclusion": one_of("full", "excluded")}
    checks: dict[str, Check] = {}
    for kind, versions, fields in (
        ("web_search", _SEARCH_VERSIONS, search),
        ("web_fetch", _FETCH_VERSIONS, fetch),
        ("code_execution", _CODE_VERSIONS, common),
    ):
        for version in versions:
            newer = inclusion if version == _INCLUSION and kind != "code_execution" else {}
            if kind == "web_fetch" and version >= _BYPASS:
                newer = {**newer, "use_cache": boolean}
            required = {**_TYPE, "name": one_of(kind)}
            checks[f"{kind}_{version}"] = record(required, {**fields, **newer})
    return checks


def server_blocks(
    identity: Check, document: Check, cached: Mapping[str, Check]
) -> dict[str, Check]:
    """The checks of calls and results of the server's tools, by type.

    `identity` is the check of an id, `document` that of a document, `cached` a cache mark's field.
    """
    caller: Mapping[str, Check] = {
        "caller": nullable(
            tagged(
                {
                    "direct": record(_TYPE),
                    **{
                        name: record({**_TYPE, "tool_id": identity})
                        for name in (*_CALLERS[1:], "code_execution_20260521")
                    },
                }
            )
        )
    }
    page = record(
        {**_TYPE, "url": string, "title": string, "encrypted_content": filled_string},
        {"page_age": nullable(string)},
    )
    fetched = record(
        {**_TYPE, "url": string, "content": document}, {"retrieved_at": nullable(string)}
    )
    found = _either_list(list_of(tagged({"web_search_result": page})), "web_search_tool_result")
    return {
        "server_tool_use": record(
            {**_TYPE, "id": identity, "name": one_of(*_CALLED_NAMES), "input": mapping},
            {**cached, **caller},
        ),
        "web_search_tool_result": _result(identity, found, {**cached, **caller}),
        "web_fetch_tool_result": _result(
            identity, _outcome("web_fetch", {"web_fetch_result": fetched}), {**cached, **caller}
        ),
        "code_execution_tool_result": _result(
            identity,
            _outcome(
                "code_execution",
                {
                    "code_execution_result": _ran("code_execution", "stdout"),
                    "encrypted_code_execution_result": _ran("code_execution", "encrypted_stdout"),
                },
            ),
            cached,
        ),
        "bash_code_execution_tool_result": _result(
            identity,
            _outcome(
                "bash_code_execution",
                {"bash_code_execution_result": _ran("bash_code_execution", "stdout")},
            ),
            cached,
        ),
        "text_editor_code_execution_tool_result": _result(identity, mapping, cached),
        "tool_search_tool_result": _result(identity, mapping, cached),
    }


def _result(identity: Check, content: Check, optional: Mapping[str, Check]) -> Check:
    return record({**_TYPE, "tool_use_id": identity, "content": content}, optional)


def _outcome(kind: str, results: Mapping[str, Check]) -> Check:
    """The check of a result's content: one of `results`, or an error."""
    error = record({**_TYPE, "error_code": string}, {"error_message": nullable(string)})
    return tagged({**results, f"{kind}_tool_result_error": error})


def _either_list(items: Check, kind: str) -> Check:
    error = tagged({f"{kind}_error": record({**_TYPE, "error_code": string})})

    def check(value: Any, path: str) -> None:
        (items if isinstance(value, list) else error)(value, path)

    return check


def _ran(kind: str, stdout: str) -> Check:
    file = record({**_TYPE, "file_id": filled_string})
    return record(
        {
            **_TYPE,
            stdout: string,
            "stderr": string,
            "return_code": integer(-255),
            "content": list_of(tagged({f"{kind}_output": file})),
        }
    )


def _citation(*required: str, **numbers: Check) -> Check:
    texts: Mapping[str, Check] = dict.fromkeys(required, string)
    # The API gives a `file_id` along with what it cites, and takes it back.
    return record(
        {**_TYPE, "cited_text": string, **texts, **numbers}, {"file_id": nullable(string)}
    )


def _of_document(**numbers: Check) -> Check:
    return _citation(document_index=integer(0), document_title=nullable(string), **numbers)


CITATION = tagged(
    {
        "char_location": _of_document(start_char_index=integer(0), end_char_index=integer(0)),
        "page_location": _of_document(start_page_number=integer(1), end_page_number=integer(1)),
        "content_block_location": _of_document(
            start_block_index=integer(0), end_block_index=integer(0)
        ),
        "search_result_location": _citation(
            "source",
            title=nullable(string),
            search_result_index=integer(0),
            start_block_index=integer(0),
            end_block_index=integer(0),
        ),
        "web_search_result_location": _citation(
            "url", title=nullable(string), encrypted_index=filled_string
        ),
    }
)
