"""`--dry-run`: what would be sent and cost, or a command that would send it. Nothing is asked."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...conversation.reply_value import header_of
from ...conversation.settings import ANTHROPIC_URL
from ...messages import plain_text
from ...messages.address import VARIABLE
from ...messages.blocks import Block, Message, content_blocks
from ...messages.credentials import as_bearer
from ...messages.errors import ClaudeError
from ...rendering import STYLE, escape, plain
from ...rendering.reply import header_text
from .header_footer import thumbnails

if TYPE_CHECKING:
    from ...conversation.asking.plan import Plan
    from ...conversation.asking.question import Question
    from ...messages.images.prepare import ImageCache
    from ..notebook import Notebook


def as_curl(
    body: Mapping[str, Any],
    base_url: str,
    api_version: str,
    *,
    bearer: bool,
    betas: Sequence[str] = (),
    token: bool = False,
    further: Sequence[str] = (),
) -> str:
    """A shell command with the body in a quoted here-document: the shell changes nothing in it.

    The key is that of the environment: `token` says that it is the one in ANTHROPIC_AUTH_TOKEN.
    `further` are names of headers that the environment adds, which a line says.
    """
    key = f"${_variable(token)}"
    auth = f"authorization: Bearer {key}" if bearer else f"x-api-key: {key}"
    payload = json.dumps(body, indent=2, ensure_ascii=False)
    # JSON strings hold no line breaks, so no line of the body can be the end mark.
    beta = f'     --header "anthropic-beta: {",".join(betas)}" \\\n' if betas else ""
    return (
        f"{_further(further)}"
        f"curl {base_url}/v1/messages \\\n"
        f'     --header "{auth}" \\\n'
        f'     --header "anthropic-version: {api_version}" \\\n'
        f'{beta}     --header "content-type: application/json" \\\n'
        f"     --data @- <<'JSON'\n{payload}\nJSON"
    )


def as_python(
    body: Mapping[str, Any],
    base_url: str,
    api_version: str,
    *,
    bearer: bool,
    betas: Sequence[str] = (),
    token: bool = False,
    further: Sequence[str] = (),
) -> str:
    """A Python script that sends the body with httpx and prints the reply's text; see `as_curl`."""
    key = f'os.environ["{_variable(token)}"]'
    header = f'"authorization": "Bearer " + {key}' if bearer else f'"x-api-key": {key}'
    beta = f', "anthropic-beta": "{",".join(betas)}"' if betas else ""
    payload = pprint.pformat(_plain(body), indent=1, width=96, sort_dicts=False)
    return (
        f"{_further(further)}"
        "import os\n\nimport httpx\n\n"
        f"body = {payload}\n\n"
        "response = httpx.post(\n"
        f'    "{base_url}/v1/messages",\n'
        f'    headers={{{header}, "anthropic-version": "{api_version}"{beta}}},\n'
        "    json=body,\n    timeout=600,\n)\n"
        "response.raise_for_status()\n"
        'print("".join(b["text"] for b in response.json()["content"] if b["type"] == "text"))'
    )


def _variable(token: bool) -> str:
    return "ANTHROPIC_AUTH_TOKEN" if token else "ANTHROPIC_API_KEY"


def _further(names: Sequence[str]) -> str:
    return f"# Add the headers of {VARIABLE}: {', '.join(names)}\n" if names else ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


_COMMANDS = {"curl": as_curl, "python": as_python}
# One message's text is shown up to this many characters; the command forms show all of it.
_SHOWN = 20_000


def show(notebook: Notebook, question: Question, form: str) -> dict[str, str]:
    """The request for `question` as a bundle: readable ("show"), or as a command."""
    plan = notebook.session.plan(question)
    if form in ("show", "count"):
        counted = _counted(notebook, plan, asked=form == "count")
        return readable(plan, notebook.session.images, counted)
    settings, found = notebook.session.settings(), notebook.keys.find()
    command = _COMMANDS[form](
        plan.request.body,
        ANTHROPIC_URL if plan.server.offline else plan.server.label,
        settings.api_version,
        bearer=as_bearer(settings.auth, found),
        betas=plan.request.betas,
        token=found is not None and found.bearer,
        further=tuple(notebook.session.headers().meant_for(plan.server.label)),
    )
    html = f'<div class="claude-magic-pre">{escape(command)}</div>'
    return {
        "text/html": f'{STYLE}<div class="claude-magic">{html}</div>',
        "text/plain": plain(command),
    }


def _counted(notebook: Notebook, plan: Plan, *, asked: bool) -> int | None:
    """The server's own count of the input tokens; None where it is not asked, or has none.

    Counting sends the request to the server, though it costs nothing. So one that is not on this
    machine counts only if the user says so. Raises the client's errors for one that was `asked`.
    """
    if not (asked or plan.server.loopback):
        return None
    try:
        return notebook.session.count_tokens(plan)
    except ClaudeError:
        if asked:
            raise
        return None


def readable(plan: Plan, cache: ImageCache, counted: int | None = None) -> dict[str, str]:
    """The request as a person reads it: messages in order, images small, then the parameters.

    `counted` is the server's own count of its tokens; without it they are estimated, and said so.
    """
    if counted is not None:
        plan = replace(plan, tokens=counted)
    price = f", about {plain_text.dollars(plan.price)} with a reply of 1,000" if plan.price else ""
    tokens = (
        f"{plan.tokens:,} tokens in, counted by the server"
        if counted is not None
        else f"about {plan.tokens:,} tokens in, estimated"
    )
    top = f"Not sent · {header_text(header_of(plan))} · {tokens}{price}"
    said = (top, *plan.notices, *plan.request.remarks)
    html = [f'<div class="claude-magic-line">{escape(line)}</div>' for line in said]
    text = [*said]
    messages = plan.request.body["messages"]
    # The last question is what one wants to look at; a prefill stands after it.
    new = max(i for i, message in enumerate(messages) if message["role"] == "user")
    earlier = "".join(_html(message, cache) for message in messages[:new])
    body = plan.request.body
    if system := str(body.get("system", "")):
        html.append(
            '<details class="claude-magic-fold"><summary>system prompt</summary>'
            f'<div class="claude-magic-pre">{escape(system)}</div></details>'
        )
        text += ["--- system", system]
    if earlier:
        count = plain_text.count(len(plan.saw), "earlier turn")
        html.append(
            f'<details class="claude-magic-fold"><summary>{count}</summary>{earlier}</details>'
        )
    html += [_html(message, cache) for message in messages[new:]]
    for message in messages:
        text += [f"--- {message['role']}", *(_text(b) for b in content_blocks(message))]
    parameters = {k: v for k, v in body.items() if k not in ("messages", "tools", "system")}
    for definition in body.get("tools", ()):
        called, whole = _tool(definition)
        html.append(
            f'<details class="claude-magic-fold"><summary>{escape(called)}</summary>'
            f'<div class="claude-magic-pre">{escape(whole)}</div></details>'
        )
        text += [f"--- {called}", whole]
    html.append(f'<div class="claude-magic-line">{escape(_pairs(parameters))}</div>')
    text.append(f"--- {_pairs(parameters)}")
    return {
        "text/html": f'{STYLE}<div class="claude-magic">{"".join(html)}</div>',
        "text/plain": plain("\n".join(text)),
    }


def _html(message: Message, cache: ImageCache) -> str:
    return f"<p><b>{escape(message['role'])}</b></p>" + "".join(
        thumbnails((block,), cache)
        if block.get("type") == "image"
        else f'<div class="claude-magic-pre">{escape(_text(block))}</div>'
        for block in content_blocks(message)
    )


def _text(block: Block) -> str:
    kind = str(block.get("type"))
    if kind == "text":
        value = str(block["text"])
        more = f"\n[… {len(value) - _SHOWN:,} characters more]" if len(value) > _SHOWN else ""
        return value[:_SHOWN] + more
    source: Mapping[str, Any] = block.get("source", {})
    size = f"{len(str(source.get('data', ''))):,} characters of {source.get('type')}"
    return f"[{kind} {source.get('url') or block.get('title') or source.get('media_type')}: {size}]"


def _tool(definition: Mapping[str, Any]) -> tuple[str, str]:
    """What a tool is called, and all that is sent of it."""
    name = definition.get("name") or definition.get("type")
    return f"tool {name}", json.dumps(definition, ensure_ascii=False, indent=1)


def _pairs(parameters: Mapping[str, Any]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in parameters.items())
