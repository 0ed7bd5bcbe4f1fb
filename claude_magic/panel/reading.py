"""What a panel says, as far as it is believed: a comm message can come from anybody on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from .protocol import About, Ask, Attach, Decide, OfTurn, PanelMessage

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_LONGEST_TEXT = 4_000_000
_LONGEST_LABEL = 200
_LONGEST_CELL = 256
_MOST = 1_000


def read(content: object) -> PanelMessage | None:
    """The message of a panel; None for anything else than we know."""
    match content:
        case {"type": "hello", "view": str(view)} if _id(view):
            return {"type": "hello", "view": view}
        case {"type": "stop", "run": str(run)} if _id(run):
            return {"type": "stop", "run": run}
        case {"type": "preview", "cell": str(cell)} if len(cell) <= _LONGEST_CELL:
            return {"type": "preview", "cell": cell}
        case {"type": "switch" | "remove" | "sent" as kind, "turn": str(turn)} if _id(turn):
            return cast(OfTurn, {"type": kind, "turn": turn})
        case {"type": "picture", "turn": str(turn), "index": int(index)} if _id(turn):
            return {"type": "picture", "turn": turn, "index": index}
        case {"type": "earlier", "before": str(before)} if _id(before):
            return {"type": "earlier", "before": before}
        case {"type": "export", "form": "md" | "json" | "py" as form}:
            return {"type": "export", "form": form}
        case {"type": "again", "request": str(request), "turn": str(turn), "model": str(model)}:
            if _id(request) and _id(turn) and len(model) <= _LONGEST_CELL:
                return {"type": "again", "request": request, "turn": turn, "model": model}
        case {"type": "decide", **rest}:
            return _decide(rest)
        case {"type": "attach", **rest}:
            return _attach(rest)
        case {"type": "ask", **rest}:
            return _ask(rest)
    return None


def _decide(content: Mapping[object, object]) -> Decide | None:
    match content:
        case {
            "approval": str(approval),
            "answer": "once" | "always" | "deny" as answer,
            "reason": str(reason),
        } if _id(approval) and len(reason) <= _LONGEST_TEXT:
            return {"type": "decide", "approval": approval, "answer": answer, "reason": reason}
    return None


def _attach(content: Mapping[object, object]) -> Attach | None:
    match content:
        case {"attachment": str(attachment), "label": str(label), "bundle": dict(bundle)} if _id(
            attachment
        ) and all(isinstance(kind, str) for kind in bundle):
            return {
                "type": "attach",
                "attachment": attachment,
                "label": label[:_LONGEST_LABEL],
                "bundle": bundle,
            }
    return None


def _ask(content: Mapping[object, object]) -> Ask | None:
    match content:
        case {
            "request": str(request),
            "text": str(said),
            "model": str(model),
            "cell": str(cell),
            "attachments": [*attachments],
            "without": [*without],
            "instead": str(instead),
            "keep": [*keep],
            "after": str(after),
            "about": about,
        }:
            pass
        case _:
            return None
    short = max(len(model), len(cell), len(instead), len(after)) <= _LONGEST_CELL
    few = max(len(attachments), len(without), len(keep)) <= _MOST
    if not (_id(request) and short and few and len(said) <= _LONGEST_TEXT):
        return None
    ids = [i for i in attachments if isinstance(i, str) and _id(i)]
    left_out = [n for n in without if type(n) is int]
    kept = [n for n in keep if type(n) is int]
    if [*ids, *left_out, *kept] != [*attachments, *without, *keep]:
        return None
    task = _about(about)
    if about is not None and task is None:
        return None
    return {
        "type": "ask",
        "request": request,
        "text": said,
        "model": model,
        "cell": cell,
        "attachments": ids,
        "without": left_out,
        "instead": instead,
        "keep": kept,
        "after": after,
        "about": task,
    }


def _about(value: object) -> About | None:
    match value:
        case {
            "task": "explain" | "fix" | "edit" as task,
            "cell": str(cell),
            "source": str(source),
            "error": str(error),
        } if len(cell) <= _LONGEST_CELL and max(len(source), len(error)) <= _LONGEST_TEXT:
            return {"task": task, "cell": cell, "source": source, "error": error}
    return None


def _id(value: str) -> bool:
    return _ID.fullmatch(value) is not None
