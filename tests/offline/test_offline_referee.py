"""What the referee lets through, and what it refuses with which status and type."""

from __future__ import annotations

from typing import Any

import pytest
from offline_samples import (
    HEADERS,
    LOOKUP,
    NEWEST,
    PREFILLABLE,
    SCHEMA,
    assistant,
    base64_of,
    body,
    document,
    image,
    image_text,
    picture,
    text,
    tool_result,
    tool_use,
    user,
)

from claude_magic.messages.models import MODELS
from claude_magic.offline.referee import check
from claude_magic.offline.refusal import Refusal
from claude_magic.offline.sealing import call_id, sealed

CACHE = {"cache_control": {"type": "ephemeral"}}
LONG = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
PDF = base64_of(b"%PDF-1.7\n")
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
NEW_SEARCH = {"type": "web_search_20260209", "name": "web_search"}
CODE = {"type": "code_execution_20250825", "name": "code_execution"}
SEARCHED = {
    "type": "server_tool_use",
    "id": "srvtoolu_01",
    "name": "web_search",
    "input": {"query": "ants"},
}
PAGE = {
    "type": "web_search_result",
    "url": "https://example.org/ants",
    "title": "Ants",
    "encrypted_content": "EqgfCioIARgB",
    "page_age": None,
}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [PAGE]}
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.org/ants",
    "title": "Ants",
    "encrypted_index": "Eo8BCioIAhgB",
    "cited_text": "Ants are small.",
}
CITED = {"type": "text", "text": "Ants are small.", "citations": [CITATION]}
RESULT = {
    "type": "search_result",
    "source": "https://example.org",
    "title": "Gels",
    "content": [text("Gels are run.")],
}
# What this server gave out, and what became of it.
OURS = {**SEARCHED, "id": call_id("000001_1", "web_search", SEARCHED["input"])}
OUR_PAGE = {**PAGE, "encrypted_content": sealed(PAGE["url"], PAGE["title"])}
OUR_CITATION = {
    **CITATION,
    "encrypted_index": sealed(CITATION["url"], CITATION["cited_text"]),
}
ASKED_TOOL = (user("Look it up"), assistant(tool_use()))


def pdf(data: str = PDF, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "source": source, **more}


def url_image(url: str = "https://example.org/ant.jpg") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "url", "url": url}}


def schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def object_of(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def tool_choice(kind: str, **more: Any) -> dict[str, Any]:
    return {"tools": [LOOKUP], "tool_choice": {"type": kind, **more}}


TAKEN = {
    "a first question": body(),
    "a conversation": body(user("a"), assistant("b"), user("c")),
    "neighbours of one role": body(user("a"), user("b")),
    "blocks": body(user(image(), text("What is it?"))),
    "system text": body(system="Be brief."),
    "system blocks": body(system=[text("Be brief.", **CACHE)]),
    "a prefill on a model that takes it": body(user("a"), assistant("{"), model=PREFILLABLE),
    "a dated model id": body(model="claude-opus-4-5-20251101"),
    "an image by address": body(user(url_image(), text("?"))),
    "a JPEG": body(user(image(picture(kind="JPEG"), "image/jpeg"), text("?"))),
    "a GIF": body(user(image(picture(kind="GIF"), "image/gif"), text("?"))),
    "a WebP": body(user(image(picture(kind="WEBP"), "image/webp"), text("?"))),
    "8000 pixels": body(user(image(picture(8000, 1)), text("?"))),
    "20 large images": body(user(*[image(picture(2100, 1))] * 20)),
    "21 images of 2000 pixels": body(user(*[image(picture(2000, 1))] * 21)),
    "a PDF": body(user(pdf(), text("?"))),
    "a text document": body(user(document("Notes", title="n", citations={"enabled": True}))),
    "a tool and its result": body(*ASKED_TOOL, user(tool_result(), text("And?")), tools=[LOOKUP]),
    "a result without content": body(
        *ASKED_TOOL, user({"type": "tool_result", "tool_use_id": "toolu_1"}, text("?"))
    ),
    "a result with an image": body(*ASKED_TOOL, user(tool_result(content=[image()]), text("?"))),
    "four cache marks": body(user(*[text(c, **CACHE) for c in "abcd"])),
    "three cache marks and the automatic one": body(
        user(*[text(c, **CACHE) for c in "abc"], text("d")), **CACHE
    ),
    "long cache entries first": body(user(text("a", **LONG), text("b", **CACHE))),
    "a JSON schema": body(**schema_format(SCHEMA)),
    "an optional reference": body(
        **schema_format(
            {
                **object_of(p={"anyOf": [{"$ref": "#/$defs/p"}, {"type": "null"}]}),
                "$defs": {"p": object_of(x={"type": "number"})},
            }
        )
    ),
    "adaptive thinking": body(thinking={"type": "adaptive", "display": "summarized"}),
    "manual thinking": body(
        model=PREFILLABLE, max_tokens=5000, thinking={"type": "enabled", "budget_tokens": 1024}
    ),
    "thinking off between tools": body(thinking={"type": "between_tools"}),
    "thinking disabled": body(model="claude-opus-5", thinking={"type": "disabled"}),
    "effort": body(output_config={"effort": "xhigh"}),
    "the default temperature": body(temperature=1.0),
    "a temperature on an old model": body(model=PREFILLABLE, temperature=0.2),
    "a forced tool on a model that takes it": body(
        model="claude-opus-5", **tool_choice("tool", name="lookup_gene")
    ),
    "a web search tool": body(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
    "every setting of a search": body(
        tools=[
            {
                **SEARCH,
                "type": "web_search_20260318",
                "max_uses": 3,
                "blocked_domains": ["example.com/blog/*", "docs.example.org"],
                "user_location": {"type": "approximate", "city": "Basel"},
                "allowed_callers": ["direct"],
                "response_inclusion": "excluded",
                **CACHE,
            }
        ]
    ),
    "every setting of a fetch": body(
        tools=[
            {
                "type": "web_fetch_20260318",
                "name": "web_fetch",
                "max_uses": None,
                "allowed_domains": ["example.com"],
                "citations": {"enabled": True},
                "max_content_tokens": 1000,
                "use_cache": False,
                "url_sources": {"user_input": {"type": "all"}},
            }
        ]
    ),
    "a search that an old model calls itself": body(
        model="claude-haiku-4-5",
        tools=[{**NEW_SEARCH, "allowed_callers": ["direct"]}],
    ),
    "code execution": body(tools=[CODE]),
    "code execution with a newer search": body(
        tools=[NEW_SEARCH, {**CODE, "type": "code_execution_20260120"}]
    ),
    "a search and its result": body(user("a"), assistant(SEARCHED, FOUND), user("b")),
    "a search elsewhere": body(user("a"), assistant(SEARCHED, FOUND, CITED), user("b")),
    "a failed search": body(
        user("a"),
        assistant(
            SEARCHED,
            {
                **FOUND,
                "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
            },
        ),
        user("b"),
    ),
    "a paused search": body(user("a"), assistant(SEARCHED), tools=[SEARCH]),
    "a search that waits for a tool": body(
        user("a"), assistant(SEARCHED, tool_use()), user(tool_result()), tools=[SEARCH, LOOKUP]
    ),
    "a search that waited for a tool": body(
        user("a"),
        assistant(SEARCHED, tool_use()),
        user(tool_result()),
        assistant(FOUND, text("b")),
        user("c"),
        tools=[SEARCH, LOOKUP],
    ),
    "search results": body(user(RESULT, text("a"))),
    "search results to be cited beside documents that are not": body(
        user({**RESULT, "citations": {"enabled": True}}, document("b"), text("a"))
    ),
    "the computer toolset": body(tools=[{"type": "computer_toolset_20260801"}]),
    "pre-warming": body(max_tokens=0),
    "a system message": body(user("a"), {"role": "system", "content": "Be brief."}),
    "fast": body(model="claude-opus-5-5", speed="fast"),
    "every small setting": body(
        stop_sequences=["END"],
        metadata={"user_id": None},
        service_tier="auto",
        inference_geo="us",
        container=None,
        diagnostics={"previous_message_id": None},
        stream=False,
    ),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


@pytest.mark.parametrize("model", MODELS)
def test_every_known_model_is_taken(model: str) -> None:
    assert check(body(model=model), HEADERS).model.id == model


BAD = 400, "invalid_request_error"
MISSING = 404, "not_found_error"
REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "no model": (BAD, "model: Field required", body(model=...)),
    "no max_tokens": (BAD, "max_tokens: Field required", body(max_tokens=...)),
    "no messages": (BAD, "messages: Field required", body(messages=...)),
    "an unknown key": (BAD, "seed: Extra inputs are not permitted", body(seed=1)),
    "a beta key without its header": (BAD, "thread: Extra inputs", body(thread={})),
    "an unknown model": (MISSING, "model: gpt", body(model="gpt")),
    "an alias": (MISSING, "model: sonnet", body(model="sonnet")),
    "a retired model": (MISSING, "model: claude-3-opus", body(model="claude-3-opus")),
    "max_tokens as text": (BAD, "max_tokens: Input should be", body(max_tokens="9")),
    "max_tokens as a boolean": (BAD, "max_tokens: Input should be", body(max_tokens=True)),
    "negative max_tokens": (BAD, "max_tokens: Input should be", body(max_tokens=-1)),
    "too many max_tokens": (BAD, "128001 > 128000", body(max_tokens=128_001)),
    "too many for an old model": (
        BAD,
        "64001 > 64000",
        body(model=PREFILLABLE, max_tokens=64_001),
    ),
    "no message at all": (BAD, "at least one message", body(messages=[])),
    "messages as text": (BAD, "messages: Input should be a valid list", body(messages="hi")),
    "an unknown role": (BAD, "messages.0.role", body({"role": "tool", "content": "x"})),
    "an extra key in a message": (BAD, "messages.0.name: Extra", body({**user("a"), "name": "b"})),
    "an assistant first": (BAD, "first message", body(assistant("a"), user("b"))),
    "an empty content": (BAD, "non-empty content", body(user(""))),
    "a blank content": (BAD, "non-whitespace text", body(user(" \n"))),
    "an empty text block": (BAD, "must be non-empty", body(user(text(""), text("a")))),
    "a blank text block": (BAD, "non-whitespace text", body(user(text(" "), text("a")))),
    "an empty system text": (BAD, "system: text content blocks must", body(system="")),
    "a block without type": (BAD, "content.0.type: Field required", body(user({}))),
    "an unknown block type": (BAD, "Input tag 'video'", body(user({"type": "video"}, text("a")))),
    "an extra key in a block": (BAD, "lang: Extra inputs", body(user(text("a", lang="en")))),
    "a prefill on a new model": (
        BAD,
        "This model does not support assistant message prefill. "
        "The conversation must end with a user message.",
        body(user("a"), assistant("b")),
    ),
    "a prefill that ends in a space": (
        BAD,
        "final assistant content cannot end with trailing whitespace",
        body(user("a"), assistant("b "), model=PREFILLABLE),
    ),
    "a prefill with a schema": (
        BAD,
        "prefill",
        body(user("a"), assistant("b"), model=PREFILLABLE, **schema_format(SCHEMA)),
    ),
    "a prefill with manual thinking": (
        BAD,
        "prefill is not supported with thinking enabled",
        body(
            user("a"),
            assistant("b"),
            model=PREFILLABLE,
            max_tokens=2000,
            thinking={"type": "enabled", "budget_tokens": 1024},
        ),
    ),
    "a tool call without result": (
        BAD,
        "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
        body(*ASKED_TOOL, user("Well?")),
    ),
    "one of two results": (
        BAD,
        "immediately after: toolu_2",
        body(
            user("a"),
            assistant(tool_use(), tool_use("toolu_2")),
            user(tool_result(), text("b")),
        ),
    ),
    "a result without call": (BAD, "unexpected `tool_use_id`", body(user(tool_result()))),
    "a result too late": (
        BAD,
        "immediately after",
        body(*ASKED_TOOL, user("b"), assistant("c"), user(tool_result(), text("d"))),
    ),
    "text before a result": (
        BAD,
        "must come first",
        body(*ASKED_TOOL, user(text("b"), tool_result())),
    ),
    "two results for one call": (
        BAD,
        "single result",
        body(*ASKED_TOOL, user(tool_result(), tool_result())),
    ),
    "a call id used twice": (
        BAD,
        "must be unique",
        body(
            *ASKED_TOOL,
            user(tool_result(), text("b")),
            assistant(tool_use()),
            user(tool_result(), text("c")),
        ),
    ),
    "a tool call by the user": (BAD, "not permitted in user", body(user(tool_use(), text("a")))),
    "an image by the assistant": (
        BAD,
        "not permitted in assistant",
        body(user("a"), assistant(image(), text("b")), user("c")),
    ),
    "a system message first": (BAD, "first message", body({"role": "system", "content": "a"})),
    "a system message for a model that has none": (
        BAD,
        "'system' is not supported",
        body(user("a"), {"role": "system", "content": "b"}, model="claude-sonnet-5"),
    ),
    "a system message before a user message": (
        BAD,
        "must precede an assistant message",
        body(user("a"), {"role": "system", "content": "b"}, user("c")),
    ),
    "another media type": (
        BAD,
        "appears to be a image/png image",
        body(user(image(media_type="image/jpeg"), text("a"))),
    ),
    "a media type that is not taken": (
        BAD,
        "media_type: Input should be",
        body(user(image(media_type="image/bmp"), text("a"))),
    ),
    "base64 with line breaks": (
        BAD,
        "invalid base64 data",
        body(
            user(
                image_text(base64_of(picture())[:40] + "\n" + base64_of(picture())[40:]), text("a")
            )
        ),
    ),
    "base64 with a data: prefix": (
        BAD,
        "invalid base64 data",
        body(user(image_text("data:image/png;base64," + base64_of(picture())), text("a"))),
    ),
    "base64 of something else": (
        BAD,
        "Could not process image",
        body(user(image(b"no image"), text("a"))),
    ),
    "a truncated image": (
        BAD,
        "Could not process image",
        body(user(image(picture(400, 300, ink="red")[:-60]), text("a"))),
    ),
    "an image over 10 MB of base64": (
        BAD,
        "image exceeds 10 MB maximum",
        body(user(image_text("A" * (10 * 1024 * 1024 + 4)), text("a"))),
    ),
    "8001 pixels": (BAD, "8000 pixels", body(user(image(picture(8001, 1)), text("a")))),
    "8001 pixels in a tool result": (
        BAD,
        "8000 pixels",
        body(*ASKED_TOOL, user(tool_result(content=[image(picture(1, 8001))]), text("a"))),
    ),
    "21 images, one over 2000 pixels": (
        BAD,
        "many-image requests: 2000 pixels",
        body(user(*[image()] * 20, image(picture(2001, 1)))),
    ),
    "101 images for a small context": (
        BAD,
        "at most 100 images",
        body(user(*[image()] * 101), model=PREFILLABLE),
    ),
    "601 images": (BAD, "at most 600 images", body(user(*[image()] * 601))),
    "an image that may not be scaled": (
        BAD,
        "is 2600x1 pixels; the largest size that fits is 2576x1",
        body(
            user(image(picture(2600, 1), transformations={"oversized_image": "error"}), text("a"))
        ),
    ),
    "an image address without scheme": (
        BAD,
        "valid URL",
        body(user(url_image("example.org/ant.jpg"), text("a"))),
    ),
    "a file that is not there": (
        MISSING,
        "File not found: file_1",
        body(user({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, text("a"))),
    ),
    "a PDF that is none": (BAD, "PDF", body(user(pdf(base64_of(b"hello")), text("a")))),
    "citations on one of two documents": (
        BAD,
        "citations must be enabled on all",
        body(user(document("a", citations={"enabled": True}), document("b"))),
    ),
    "citations with a schema": (
        BAD,
        "citations",
        body(user(document("a", citations={"enabled": True}), text("b")), **schema_format(SCHEMA)),
    ),
    "five cache marks": (
        BAD,
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        body(user(*[text(c, **CACHE) for c in "abcde"])),
    ),
    "four cache marks and the automatic one": (
        BAD,
        "Found 5.",
        body(user(*[text(c, **CACHE) for c in "abcd"]), **CACHE),
    ),
    "a cache mark of another type": (
        BAD,
        "cache_control.type",
        body(cache_control={"type": "persistent"}),
    ),
    "a cache mark with another ttl": (
        BAD,
        "cache_control.ttl",
        body(cache_control={"type": "ephemeral", "ttl": "2h"}),
    ),
    "a short cache entry before a long one": (
        BAD,
        "must not come after",
        body(user(text("a", **CACHE), text("b", **LONG))),
    ),
    "a cache mark on thinking": (
        BAD,
        "cache_control: Extra inputs",
        body(
            user("a"),
            assistant({"type": "thinking", "thinking": "", "signature": "x", **CACHE}, text("b")),
            user("c"),
        ),
    ),
    "a thinking block from elsewhere": (
        BAD,
        "Invalid `signature` in `thinking` block",
        body(
            user("a"),
            assistant({"type": "thinking", "thinking": "", "signature": "eA=="}, text("b")),
            user("c"),
        ),
    ),
    "manual thinking on a new model": (
        BAD,
        '"thinking.type.enabled" is not supported for this model.',
        body(thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=5000),
    ),
    "a thinking budget below the least": (
        BAD,
        "budget_tokens",
        body(model=PREFILLABLE, thinking={"type": "enabled", "budget_tokens": 1000}),
    ),
    "a thinking budget over max_tokens": (
        BAD,
        "greater than `thinking.budget_tokens`",
        body(model=PREFILLABLE, thinking={"type": "enabled", "budget_tokens": 2000}),
    ),
    "adaptive thinking on an old model": (
        BAD,
        "adaptive thinking is not supported on this model",
        body(model=PREFILLABLE, thinking={"type": "adaptive"}),
    ),
    "thinking disabled where it is always on": (
        BAD,
        '"thinking.type.disabled" is not supported',
        body(model="claude-opus-5-5", thinking={"type": "disabled"}),
    ),
    "thinking disabled by the wrong word": (
        BAD,
        'To turn thinking off on this model, send "thinking": {"type": "between_tools"}',
        body(thinking={"type": "disabled"}),
    ),
    "between_tools elsewhere": (
        BAD,
        '"thinking.type.between_tools" is not supported for this model.',
        body(model="claude-opus-5", thinking={"type": "between_tools"}),
    ),
    "between_tools with display": (
        BAD,
        "display: Extra inputs",
        body(thinking={"type": "between_tools", "display": "omitted"}),
    ),
    "between_tools at the highest effort": (
        BAD,
        "'max' is not supported when thinking is disabled",
        body(thinking={"type": "between_tools"}, output_config={"effort": "max"}),
    ),
    "disabled at a high effort": (
        BAD,
        "'xhigh' is not supported when thinking is disabled",
        body(
            model="claude-haiku-5-5",
            thinking={"type": "disabled"},
            output_config={"effort": "xhigh"},
        ),
    ),
    "effort where there is none": (
        BAD,
        "effort",
        body(model="claude-haiku-4-5", output_config={"effort": "low"}),
    ),
    "an effort the model does not have": (
        BAD,
        "'xhigh' is not supported",
        body(model="claude-opus-4-6", output_config={"effort": "xhigh"}),
    ),
    "a temperature on a new model": (
        BAD,
        "temperature: Extra inputs are not permitted",
        body(temperature=0.5),
    ),
    "top_k on a new model": (BAD, "top_k: Extra inputs are not permitted", body(top_k=5)),
    "a temperature over 1": (BAD, "temperature: range", body(model=PREFILLABLE, temperature=1.5)),
    "temperature with top_p": (
        BAD,
        "cannot both be specified",
        body(model=PREFILLABLE, temperature=0.5, top_p=0.9),
    ),
    "a blank stop sequence": (BAD, "stop_sequences", body(stop_sequences=["\n"])),
    "any tool forced": (
        BAD,
        'tool_choice: type "tool" and "any" are not supported for this model.',
        body(**tool_choice("any")),
    ),
    "a tool forced while thinking": (
        BAD,
        "Thinking may not be enabled when tool_choice forces tool use.",
        body(
            model=PREFILLABLE,
            max_tokens=5000,
            thinking={"type": "enabled", "budget_tokens": 1024},
            **tool_choice("any"),
        ),
    ),
    "a forced tool that is not there": (
        BAD,
        "'other' not found",
        body(model="claude-opus-5", **tool_choice("tool", name="other")),
    ),
    "a tool choice without tools": (BAD, "providing tools", body(tool_choice={"type": "auto"})),
    "a tool name with a space": (
        BAD,
        "name: String should",
        body(tools=[{**LOOKUP, "name": "a b"}]),
    ),
    "a tool without schema": (BAD, "input_schema: Field required", body(tools=[{"name": "a"}])),
    "a tool schema of another type": (
        BAD,
        "input_schema.type",
        body(tools=[{"name": "a", "input_schema": {"type": "string"}}]),
    ),
    "two tools of one name": (BAD, "Tool names must be unique.", body(tools=[LOOKUP, LOOKUP])),
    "an unknown tool type": (BAD, "Input tag 'web_9'", body(tools=[{"type": "web_9"}])),
    "a strict tool with an open schema": (
        BAD,
        "additionalProperties",
        body(tools=[{**LOOKUP, "strict": True}]),
    ),
    "a server's tool of another name": (
        BAD,
        "name: Input should be 'web_search'",
        body(tools=[{**SEARCH, "name": "search"}]),
    ),
    "an unknown setting of a search": (BAD, "depth: Extra", body(tools=[{**SEARCH, "depth": 3}])),
    "a setting of a newer search": (
        BAD,
        "response_inclusion: Extra inputs",
        body(tools=[{**SEARCH, "response_inclusion": "full"}]),
    ),
    "a setting of a newer fetch": (
        BAD,
        "use_cache: Extra inputs",
        body(
            tools=[{"type": "web_fetch_20260209", "name": "web_fetch", "use_cache": False}],
        ),
    ),
    "no use of a search": (BAD, "max_uses", body(tools=[{**SEARCH, "max_uses": 0}])),
    "domains with a scheme": (
        BAD,
        "Invalid domain: 'https://example.com'",
        body(tools=[{**SEARCH, "allowed_domains": ["https://example.com"]}]),
    ),
    "domains with a wildcard": (
        BAD,
        "Invalid domain",
        body(tools=[{**SEARCH, "allowed_domains": ["*.example.com"]}]),
    ),
    "domains allowed and blocked": (
        BAD,
        "only one of `allowed_domains` and `blocked_domains`",
        body(tools=[{**SEARCH, "allowed_domains": ["a.com"], "blocked_domains": ["b.com"]}]),
    ),
    "a place without a place": (
        BAD,
        "at least one of city",
        body(tools=[{**SEARCH, "user_location": {"type": "approximate"}}]),
    ),
    "a search from code on a model that cannot": (
        BAD,
        'Set `allowed_callers` to ["direct"]',
        body(model="claude-haiku-4-5", tools=[NEW_SEARCH]),
    ),
    "an old code execution beside a newer search": (
        BAD,
        "code_execution_20260120 or later",
        body(tools=[NEW_SEARCH, CODE]),
    ),
    "a search without its result": (
        BAD,
        "`web_search` tool use with id `srvtoolu_01` was found without a corresponding "
        "`web_search_tool_result` block",
        body(user("a"), assistant(SEARCHED, text("b")), user("c"), tools=[SEARCH]),
    ),
    "text after the results that a search waits for": (
        BAD,
        "only `tool_result` blocks may answer",
        body(
            user("a"),
            assistant(SEARCHED, tool_use()),
            user(tool_result(), text("b")),
            tools=[SEARCH, LOOKUP],
        ),
    ),
    "a paused search without its tool": (
        BAD,
        "but no `web_search` tool was provided",
        body(user("a"), assistant(SEARCHED)),
    ),
    "a result of no search": (
        BAD,
        "unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_01",
        body(user("a"), assistant(FOUND), user("b")),
    ),
    "a search of another shape": (
        BAD,
        "query: Extra inputs",
        body(user("a"), assistant({**SEARCHED, "query": "ants"}, FOUND), user("b")),
    ),
    "a page without its sealed content": (
        BAD,
        "encrypted_content: String should have",
        body(
            user("a"),
            assistant(SEARCHED, {**FOUND, "content": [{**PAGE, "encrypted_content": ""}]}),
            user("b"),
        ),
    ),
    "a citation of another shape": (
        BAD,
        "encrypted_index: Field required",
        body(
            user("a"),
            assistant(
                SEARCHED,
                FOUND,
                text(
                    "b",
                    citations=[{k: v for k, v in CITATION.items() if k != "encrypted_index"}],
                ),
            ),
            user("b"),
        ),
    ),
    "a call of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant({**OURS, "input": {"query": "bees"}}, {**FOUND, "tool_use_id": OURS["id"]}),
            user("b"),
        ),
    ),
    "a page of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant(SEARCHED, {**FOUND, "content": [{**OUR_PAGE, "title": "Bees"}]}),
            user("b"),
        ),
    ),
    "a citation of this server that was changed": (
        BAD,
        "must be sent back as they came",
        body(
            user("a"),
            assistant(text("b", citations=[{**OUR_CITATION, "cited_text": "Bees."}])),
            user("b"),
        ),
    ),
    "citations on one of two search results": (
        BAD,
        "citations must be enabled on all search results",
        body(user(RESULT, {**RESULT, "citations": {"enabled": True}}, text("a"))),
    ),
    "citations of search results with a schema": (
        BAD,
        "cannot be combined with citations",
        body(user({**RESULT, "citations": {"enabled": True}}, text("a")), **schema_format(SCHEMA)),
    ),
    "the old computer tool on a new model": (
        BAD,
        "'claude-sonnet-5-5' does not support tool types: computer_20251124.",
        body(tools=[{"type": "computer_20251124", "name": "computer"}]),
    ),
    "the computer toolset with a name": (
        BAD,
        "name: Extra inputs",
        body(tools=[{"type": "computer_toolset_20260801", "name": "computer"}]),
    ),
    "pre-warming a stream": (BAD, "max_tokens: 0", body(max_tokens=0, stream=True)),
    "fast where there is none": (BAD, "speed", body(speed="fast")),
    "a place for an old model": (BAD, "inference_geo", body(model=PREFILLABLE, inference_geo="us")),
    "a prompt over the context": (
        BAD,
        "prompt is too long",
        body(user("word " * 200_000), model=PREFILLABLE),
    ),
    "an empty schema of type": (
        BAD,
        "not a JSON Schema type",
        body(**schema_format({"type": "text"})),
    ),
    "an open object": (
        BAD,
        "additionalProperties",
        body(**schema_format({"type": "object", "properties": {}})),
    ),
    "a minimum": (
        BAD,
        "'minimum' is not supported",
        body(**schema_format(object_of(n={"type": "integer", "minimum": 1}))),
    ),
    "oneOf": (BAD, "'oneOf' is not supported", body(**schema_format({"oneOf": [SCHEMA]}))),
    "two items at least": (
        BAD,
        "minItems",
        body(**schema_format({"type": "array", "items": {"type": "string"}, "minItems": 2})),
    ),
    "an unknown format": (
        BAD,
        "'phone' is not supported",
        body(**schema_format(object_of(n={"type": "string", "format": "phone"}))),
    ),
    "a pattern that looks ahead": (
        BAD,
        "look-around",
        body(**schema_format(object_of(n={"type": "string", "pattern": "(?=a)a"}))),
    ),
    "a reference to elsewhere": (
        BAD,
        "only references inside",
        body(**schema_format(object_of(n={"$ref": "https://example.org/s"}))),
    ),
    "a schema that holds itself": (
        BAD,
        "recursive schemas",
        body(
            **schema_format(
                {
                    "$ref": "#/$defs/n",
                    "$defs": {"n": object_of(next={"$ref": "#/$defs/n"})},
                }
            )
        ),
    ),
    "25 optional properties": (
        BAD,
        "too complex",
        body(
            **schema_format(
                {
                    "type": "object",
                    "properties": {f"p{n}": {"type": "string"} for n in range(25)},
                    "additionalProperties": False,
                }
            )
        ),
    ),
}


@pytest.mark.parametrize(("outcome", "message", "asked"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_status_type_and_what_is_wrong(
    outcome: tuple[int, str], message: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert (refused.value.status, refused.value.error_type) == outcome
    assert message in refused.value.message


STRICT = {**HEADERS, "anthropic-version": "2026-10-21"}
HEADER_CASES = {
    "no version": (400, {"content-type": "application/json"}, body()),
    "an unknown version": (400, {"anthropic-version": "2024-01-01"}, body()),
    "an unknown beta": (400, {**HEADERS, "anthropic-beta": "pdfs-2024-09-25,x"}, body()),
    "the refused key": (401, {**HEADERS, "x-api-key": "invalid"}, body()),
    "the refused bearer": (401, {**HEADERS, "authorization": "Bearer invalid"}, body()),
    "a temperature under the newer version": (400, STRICT, body(temperature=1)),
    "a document by the assistant under the newer version": (
        400,
        STRICT,
        body(user("a"), assistant(document("b"), text("c")), user("d")),
    ),
    "citations by the user under the newer version": (
        400,
        STRICT,
        body(user(text("a", citations=[{}]), text("b"))),
    ),
    "an old computer tool without its beta": (
        400,
        HEADERS,
        body(model=PREFILLABLE, tools=[{"type": "computer_20251124", "name": "computer"}]),
    ),
}


@pytest.mark.parametrize(("status", "headers", "asked"), HEADER_CASES.values(), ids=HEADER_CASES)
def test_headers_are_judged_as_well(
    status: int, headers: dict[str, str], asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, headers)
    assert refused.value.status == status


def test_a_key_that_is_not_the_refused_one_is_as_good_as_none() -> None:
    check(body(), {**HEADERS, "x-api-key": "sk-anything"})


def test_a_beta_header_admits_its_fields() -> None:
    headers = {**HEADERS, "anthropic-beta": "message-threads-2026-08-12"}
    check(body(thread={"type": "create"}), headers)


def test_oversized_images_are_named_in_the_details() -> None:
    asked = body(user(*[image()] * 20, image(picture(2001, 1))))
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert refused.value.details == {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": 2000,
        "paths": ["messages.0.content.20"],
    }


def test_counting_takes_neither_max_tokens_nor_stream() -> None:
    check(body(max_tokens=...), HEADERS, counting=True)
    with pytest.raises(Refusal, match="max_tokens: Extra inputs"):
        check(body(), HEADERS, counting=True)


def test_counting_applies_the_rules_of_the_model() -> None:
    asked = body(max_tokens=..., **tool_choice("any"))
    with pytest.raises(Refusal, match="tool_choice"):
        check(asked, HEADERS, counting=True)


def test_the_default_model_of_these_tests_is_known() -> None:
    assert NEWEST in MODELS
