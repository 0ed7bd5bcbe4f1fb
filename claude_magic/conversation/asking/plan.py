"""What a question would send, to whom, and what it would cost, before anything leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ...messages import models
from ...messages.blocks import Block, ImageBlock, Message, content_blocks, is_call, text
from ...messages.body import Sealed, sealed
from ...messages.catalogue import BUILT_IN, Catalogue
from ...messages.credentials import mask, masked_body, masked_value
from ...messages.errors import InputError
from ...messages.request import Options, Request, build
from ...messages.usage import Usage, estimate_input
from ...value_classes import frozen
from ..settings import NOTEBOOK_PROMPT, OFFLINE, Settings
from ..turns import FORM, Turn, new_id, question_digest, request_digest, told
from .connection import Server
from .healing import mended_tools
from .question import Question

if TYPE_CHECKING:
    from ...messages.credentials import Secret
    from ...messages.images.prepare import ImageCache
    from .connection import KnownModels

MOST = 20
"""The most screenshots in a request. Above 20 images the API holds all to a stricter size."""
BATCH = 15
"""How many go at once: after that, requests grow again, and the server's cache holds."""

GONE = "[An earlier screenshot stood here.]"


def pruned(
    messages: Sequence[Message], *, most: int = MOST, batch: int = BATCH
) -> Sequence[Message]:
    """The messages with at most `most` screenshots; a line of text stands for each older one.

    The oldest go, `batch` at a time, so that what is sent stays the same, byte by byte, until
    there are `batch` new ones. Messages in which nothing changes are the same objects, and so is
    `messages` where nothing changes at all.
    """
    calls = {
        str(block.get("id"))
        for message in messages
        for block in content_blocks(message)
        if block.get("type") == "tool_use" and is_call(block)
    }
    total = sum(_count(block, calls) for message in messages for block in content_blocks(message))
    if total <= most:
        return messages
    left = -(-(total - most) // batch) * batch
    kept: list[Message] = []
    for message in messages:
        changed, left = _without(message, calls, left)
        kept.append(changed)
    return kept


def _count(block: Block, calls: set[str]) -> int:
    return sum(part.get("type") == "image" for part in _parts(block, calls))


def _parts(block: Block, calls: set[str]) -> Sequence[Mapping[str, Any]]:
    """The content of a result of the computer tool; of any other block, nothing."""
    content = block.get("content")
    ours = block.get("type") == "tool_result" and str(block.get("tool_use_id")) in calls
    return content if ours and isinstance(content, list) else ()


def _without(message: Message, calls: set[str], left: int) -> tuple[Message, int]:
    """The message without its first `left` screenshots, and how many are still to go."""
    if not left or message["role"] != "user" or isinstance(message["content"], str):
        return message, left
    blocks: list[Block] = []
    before = left
    for block in message["content"]:
        parts: list[Block] = []
        for part in _parts(block, calls):
            gone = part.get("type") == "image" and left > 0
            left -= gone
            parts.append(text(GONE) if gone else part)
        blocks.append({**block, "content": parts} if parts else block)
    return (message if left == before else {"role": "user", "content": blocks}), left


_MANY_IMAGES = 20
# A reply's length is not known beforehand; a budget that allowed for the longest possible one
# would stop every question. This many tokens of output are reckoned with.
EXPECTED_OUTPUT = 1_000


@frozen
class Plan:
    """What would be sent, and what it would cost, before anything leaves.

    `tokens` is an estimate of the input, `digest` that of the request, `asks` that of the question
    by itself; `price` is in USD, for that and a reply of about a thousand tokens, None when the
    model's price is not known. `left_out` counts earlier turns that this server must not see,
    `standing` all turns of the conversation; `first` says that this kernel has sent nothing to this
    server yet. `images` keeps prepared ones, `known` the models that there are. `recorded` is the
    plan as it would be sent, where the record answers and nothing is.
    """

    question: Question
    server: Server
    model: models.Model
    options: Options
    request: Request
    saw: tuple[str, ...]
    tokens: int
    images: Callable[[], ImageCache]
    digest: str = ""
    asks: str = ""
    left_out: int = 0
    standing: int = 0
    first: bool = False
    recorded: Plan | None = None
    notices: tuple[str, ...] = ()
    known: Catalogue = BUILT_IN
    secrets: tuple[Secret, ...] = ()

    @property
    def shown(self) -> dict[str, Any]:
        """What is said above the reply, beside the model; kept with the turn."""
        return {
            "left_out": self.left_out,
            "standing": self.standing,
            "first": self.first,
            "carried": self.question.carried,
            "notices": list(self.notices),
        }

    def from_record(self, *lines: str) -> Plan:
        """This plan where the record answers: of what is sent it says nothing, only `lines`."""
        return replace(self, recorded=self, notices=lines)

    def noting(self, *lines: str | None) -> Plan:
        """This plan with more lines for the user."""
        return replace(self, notices=(*self.notices, *(line for line in lines if line)))

    @property
    def asked(self) -> list[Block]:
        """The question's content blocks as they are sent."""
        body = self.request.body["messages"]
        return content_blocks(body[-1 if body[-1]["role"] == "user" else -2])

    @property
    def price(self) -> float | None:
        return Usage(fresh=self.tokens, output=EXPECTED_OUTPUT).cost(self.model)


def make_plan(
    question: Question,
    settings: Settings,
    visible: Sequence[Turn],
    *,
    standing: int,
    asked: Collection[str],
    images: Callable[[], ImageCache],
    known: KnownModels,
    secrets: Sequence[Secret] = (),
) -> Plan:
    """The plan for `question`, which sees the turns `visible` of the `standing` that there are.

    `asked` holds the servers and models that this kernel has asked already: what is said about
    each is said once; `known` is what is known of models, `secrets` are masked in all that is
    sent. Raises InputError where it cannot be asked so.
    """
    server = Server.of(settings.base_url)
    catalogue = known.of(settings, server)
    model = catalogue.choose(question.model or settings.model, anthropic=server.anthropic)
    # What was answered offline may hold what nobody meant to send.
    seen = [t for t in visible if server.offline or t.server != OFFLINE]
    if len(seen) < len(visible):
        seen = told(seen, question.going_on)
    options = _options(question, settings, model, server)
    history: list[Any] = [message for turn in seen for message in turn.sealed]
    if any(message.calls_tools for message in history):
        history = sealed(mended_tools(history))
    request = build(
        model,
        history,
        question.sent,
        options,
        anthropic=server.anthropic,
    )
    body = within_image_limits(masked_body(request.body, secrets), images)
    request = replace(
        request,
        body=body,
        system=mask(request.system, *secrets),
        prefill=mask(request.prefill, *secrets),
    )
    asks = question_digest(question.page, masked_value(question.content, secrets))
    return Plan(
        question,
        server,
        model,
        options,
        request,
        tuple([t.id for t in seen]),
        estimate_input(body, model),
        images,
        request_digest(
            server.label,
            request,
            options,
            seen,
            asks,
            ours=question.tools.ours if question.tools else (),
        ),
        asks,
        left_out=len(visible) - len(seen),
        standing=standing,
        first=server.label not in asked,
        notices=(
            *question.notices,
            *([] if model.id in asked else about(model, catalogue, server)),
            *request.notices,
        ),
        known=catalogue,
        secrets=tuple(secrets),
    )


def begun(plan: Plan, version_of: str, at: float) -> Turn:
    """The turn of `plan` as it is asked: broken, until it has ended. `at` in seconds since 1970.

    `version_of` as Turn has it.
    """
    question = plan.question
    return Turn(
        id=new_id(),
        asked=tuple(plan.asked),
        reply=(),
        model=plan.model.id,
        server=plan.server.label,
        parameters=parameters(plan.request),
        status="broken",
        cell=question.cell,
        ordinal=question.ordinal,
        saw=plan.saw,
        order=question.order,
        started=at,
        ended=at,
        digest=plan.digest,
        prompt=question.prompt,
        requested=plan.model.id,
        source=question.source,
        counts=question.counts,
        alone=question.alone,
        panel=question.panel,
        going_on=question.going_on,
        version_of=version_of,
        shown=plan.shown,
        page=question.page,
        values=question.values,
        context=len(question.context),
        question=plan.asks,
        form=FORM,
    )


def about(model: models.Model, catalogue: Catalogue, server: Server) -> list[str]:
    """Lines about a model, which are said once: it ends soon, or the server does not list it."""
    unlisted = catalogue.unlisted(model.id, server.host)
    if unlisted:
        return [unlisted]
    end = catalogue.end_of(model.id) if catalogue.lookup(model.id) else None
    return [f"{model.id} {end}."] if end else []


def parameters(request: Request) -> dict[str, Any]:
    """What the request says beside model and messages; not what is of transport."""
    left_out = ("messages", "model", "cache_control", "system")
    said = {k: v for k, v in request.body.items() if k not in left_out}
    if request.system:  # the user's: what stands before it is no option
        said["system"] = request.system
    if request.prefill:
        said |= {"prefill": request.prefill, "emulated": request.emulated}
    return said


def parameters_for(plan: Plan, server: str, name: str) -> dict[str, Any] | None:
    """What the request of `plan` would say to that server and model beside model and messages.

    Defaults are not the same everywhere. None where these could not be asked so.
    """
    try:
        kind, model = Server.of(server), plan.known.lookup(name) or models.unknown(name)
        content = plan.question.content  # it may offer the choices that complete a prefill
        return parameters(build(model, (), content, plan.options, anthropic=kind.anthropic))
    except InputError:
        return None


def _options(
    question: Question, settings: Settings, model: models.Model, server: Server
) -> Options:
    tools = question.tools
    return Options(
        system=(settings.system or "") if question.system is None else question.system,
        preface=NOTEBOOK_PROMPT if question.notebook and settings.system is None else "",
        max_tokens=question.max_tokens or settings.max_tokens or None,
        stop=question.stop,
        prefill=question.prefill,
        effort=question.effort or settings.effort,
        effort_named=question.effort is not None,
        think=question.think or settings.think,
        cite=question.cite,
        tools=tools.definitions(model, anthropic=server.anthropic) if tools else (),
        betas=tools.betas(model) if tools else (),
        schema=question.shape.schema if question.shape else None,
        cache=not question.alone,
    )


def within_image_limits(
    body: Mapping[str, Any], cache: Callable[[], ImageCache]
) -> Mapping[str, Any]:
    """The body with at most 20 screenshots, and over 20 images each at most 2000 px a side.

    Its messages are sealed.
    """
    messages: list[Any] = body["messages"]
    if sum(message.images for message in messages) <= _MANY_IMAGES:
        return body
    kept = sealed(pruned(messages))
    if sum(message.images for message in kept) > _MANY_IMAGES:
        fitted = partial(_fitted, cache=cache())
        kept = [message.noted("fitted", fitted) for message in kept]
    return {**body, "messages": kept}


def _fitted(message: Sealed, cache: ImageCache) -> Sealed:
    """The message with its images fitted; the same object where each fits already."""
    if not message.images:
        return message
    blocks = _fitted_blocks(message["content"], cache)
    return message if blocks is None else Sealed(role=message["role"], content=blocks)


def _fitted_blocks(blocks: Sequence[Block], cache: ImageCache) -> list[Block] | None:
    """The blocks with their images fitted, those in tool results too; None where all fit."""
    from ...messages.images.prepare import fit_many

    fitted: list[Block] = []
    for block in blocks:
        inner = block.get("content")
        if block.get("type") == "image":
            fitted.append(fit_many(cast(ImageBlock, block), cache=cache))
        elif block.get("type") == "tool_result" and isinstance(inner, list):
            within = _fitted_blocks(inner, cache)
            fitted.append(block if within is None else {**block, "content": within})
        else:
            fitted.append(block)
    same = all(new is old for new, old in zip(fitted, blocks, strict=True))
    return None if same else fitted
