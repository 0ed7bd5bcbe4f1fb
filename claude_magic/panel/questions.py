"""The questions that a panel's messages ask, and what goes along with them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..conversation.history import followers
from ..messages.blocks import Block, is_image_note, text
from ..messages.errors import ClaudeError, InputError
from ..messages.plain_text import wrap
from ..notebook.context.cell_blocks import MOST_FIGURES, CarriedCell, is_figure, output_shown
from ..notebook.fix_magic import about_cell, fix_prompt
from ..notebook.options import QuestionOptions, bare
from ..notebook.page.question_place import PanelPlace
from ..notebook.page.recorder import CellRun, Output
from ..rendering import plain
from . import protocol
from .protocol import Chip

if TYPE_CHECKING:
    from ..conversation.asking.question import Question
    from ..conversation.history import History
    from ..conversation.turns import Turn
    from ..messages.blocks import Block
    from ..messages.images.prepare import Prepared
    from ..notebook.context.outputs import Rendered
    from ..notebook.notebook import Notebook
    from ..notebook.page.recorder import Output
    from ..tools.approval import Approver

_LEFT_OUT = "[an image stood here: the user left it out]"
_EXPLAIN = (
    "Explain what this cell does, for somebody who works with this notebook: what it is for, step "
    "by step where it is not plain, and what to look out for. Be brief."
)
_EXPLAIN_ERROR = (
    "Explain this error: what it means, what in the cell led to it, and how to find out more if "
    "the cause lies elsewhere. Be brief, and do not rewrite the cell."
)
_EDIT = (
    "Change this cell of the notebook as asked below. Say in a sentence what you changed. Then "
    "give the whole changed cell, ready to run, in one ```python fence, and no other fence. Leave "
    "everything else in it as it is.\n\n"
)


def question_of(
    notebook: Notebook,
    ask: protocol.Ask,
    approver: Approver,
    *,
    place: str,
    attached: Sequence[Block],
) -> Question:
    """The question of a panel, with what of the notebook goes along; `place` is a word for a cell.

    `approver` is asked whether a tool's call may run. Raises InputError where it cannot be asked.
    """
    history = notebook.session.history
    beside, instead = place_of(history, ask, frozenset(ask["without"]))
    if ask["about"] is not None:
        question = _about(notebook, ask["about"], ask, place=place, attached=attached)
    elif ask["instead"]:
        question = _edited(notebook, ask, history[ask["instead"]], approver, attached=attached)
    else:
        question = notebook.question(
            _usual(ask), ask["text"], blocks=attached, beside=beside, approver=approver
        )
    return replace(question, instead=instead)


def again(notebook: Notebook, message: protocol.Again, approver: Approver) -> Question:
    """The question of a turn as it was sent, once more, in place of that turn.

    Raises InputError where there is no such turn of the panel.
    """
    history = notebook.session.history
    turn = _panel_turn(history, message["turn"])
    made = notebook.question(
        bare(model=message["model"] or None),
        turn.prompt or "again",
        beside=PanelPlace(turn.cell),
        approver=approver,
    )
    return replace(
        made,
        content=turn.asked[turn.context :],
        context=turn.asked[: turn.context],
        page=turn.page,
        values=turn.values,
        prompt=turn.prompt,
        fresh=True,
        instead=(turn.id, *followers(history.turns, history.retired, turn.id)),
        carried=str(turn.shown.get("carried", "")),
    )


def place_of(
    history: History, said: protocol.Place, without: frozenset[int] = frozenset()
) -> tuple[PanelPlace, tuple[str, ...]]:
    """Where a question stands, and the turns in whose place it is asked.

    These are one turn and what followed it, or only what followed one. Raises InputError for a turn
    that is not there.
    """
    start = said["instead"] or said["after"]
    if not start:
        return PanelPlace(said["cell"] or None, without, whole=said["whole"]), ()
    if start not in history:
        raise InputError("That turn is not there any more: ask without it.")
    after = followers(history.turns, history.retired, start)
    instead = (_panel_turn(history, start).id, *after) if said["instead"] else tuple(after)
    return PanelPlace(history[start].cell, without), instead


def sees(
    notebook: Notebook, beside: PanelPlace, instead: Collection[str], places: Mapping[str, str]
) -> protocol.Sees:
    """How many turns a question there sees, and of how many; `places` has a word for each cell."""
    history, standing = notebook.session.history, notebook.standing
    asker = standing.asker(history, beside)
    seen = history.seen(asker.cell, asker.run, standing.page.order, panel=asker.panel)
    counting = history.how_many(asker.cell, asker.run, panel=asker.panel)
    return {
        "type": "sees",
        "seen": sum(turn.id not in instead for turn in seen),
        "all": counting - sum(history[turn_id].sent_later for turn_id in instead),
        "below": places.get(asker.cell or "", ""),
    }


def _panel_turn(history: History, turn_id: str) -> Turn:
    if turn_id not in history:
        raise InputError("That turn is not there any more: ask it as a new question.")
    turn = history[turn_id]
    if not turn.panel:
        raise InputError("A cell asked this: change its text there, and run it.")
    return turn


def _edited(
    notebook: Notebook,
    ask: protocol.Ask,
    turn: Turn,
    approver: Approver,
    *,
    attached: Sequence[Block],
) -> Question:
    """A question in other words: what went along with it goes along again."""
    last = turn.asked[-1] if turn.asked else {}
    if last.get("text") != turn.prompt:  # it held expressions: their values are looked up anew
        beside, _ = place_of(notebook.session.history, ask, frozenset(ask["without"]))
        kept = [b for b in _kept(turn.asked, ask["keep"]) if b.get("type") == "image"]
        blocks = [*kept, *attached]
        return notebook.question(
            _usual(ask), ask["text"], blocks=blocks, beside=beside, approver=approver
        )
    before = _kept(turn.asked[:-1], ask["keep"])
    context = before[: turn.context]
    whole = context == list(turn.asked[: turn.context])
    if whole:  # else a figure of the page stays out, and what is left is the user's own choice
        before = before[turn.context :]
    options = bare(model=ask["model"] or None)
    options["raw"] = False
    made = notebook.question(
        options,
        ask["text"],
        blocks=[*before, *attached],
        beside=PanelPlace(turn.cell),
        approver=approver,
    )
    if whole:
        made = replace(made, context=tuple(context), page=turn.page, values=turn.values)
    return replace(made, carried=str(turn.shown.get("carried", "")))


def _kept(blocks: Sequence[Block], keep: Sequence[int]) -> list[Block]:
    """The blocks with only those images that are to go along again."""
    found: list[Block] = []
    images = 0
    for block in blocks:
        is_image = block.get("type") == "image"
        found.append(text(_LEFT_OUT) if is_image and images not in keep else block)
        images += is_image
    return found


def _about(
    notebook: Notebook,
    about: protocol.About,
    ask: protocol.Ask,
    *,
    place: str,
    attached: Sequence[Block],
) -> Question:
    """A question about one cell, which goes along with its error and the variables it names."""
    words = ask["text"].strip()
    if about["task"] == "edit" and not words:
        raise InputError("Say what to change in the cell.")
    blocks = [*about_cell(_run(notebook, about), notebook.shell.user_ns), *attached]
    prompts = {
        "fix": fix_prompt(words),
        "explain": "\n\n".join(
            part for part in (_EXPLAIN_ERROR if about["error"] else _EXPLAIN, words) if part
        ),
        "edit": _EDIT + words,
    }
    cell = f"cell {place}" if place else "this cell"
    titles = {
        "fix": f"Fix the error of {cell}",
        "explain": f"Explain the error of {cell}" if about["error"] else f"Explain {cell}",
        "edit": f"Edit {cell}",
    }
    question = notebook.question(
        bare(model=ask["model"] or None, tools=("none",)),
        prompts[about["task"]],
        blocks=blocks,
        beside=PanelPlace(about["cell"] or None),
    )
    title = titles[about["task"]]
    return replace(question, prompt=f"{title}: {words}" if words else title)


def _run(notebook: Notebook, about: protocol.About) -> CellRun:
    """The run of the cell as it was recorded, where its error is asked about; else as it is told.

    What was recorded says where in the cell it failed, for a front end's text is made for the eye.
    """
    told = CellRun(0, about["cell"] or None, about["source"])
    if not about["error"]:
        return told
    told.outputs.append(Output(0, error=about["error"]))
    runs = (r for r in reversed(notebook.recorder.runs) if r.cell == told.cell)
    run = next(runs, told)
    return run if run.source == told.source and any(o.error for o in run.outputs) else told


def _usual(ask: protocol.Ask) -> QuestionOptions:
    """The options of a question that carries what one does where nothing else is said."""
    return {"model": ask["model"] or None}


# What is attached and never sent does not stay for ever.
_MOST = 50
_LONGEST_LABEL = 200


class Attachments:
    """Prepared as they come, so that what cannot be sent is said before the question is.

    `prepare` prepares an image, `thumbnail` gives a block's small image. Safe to use from several
    threads.
    """

    def __init__(
        self, prepare: Callable[[object], Prepared], thumbnail: Callable[[Block], str]
    ) -> None:
        self._prepare = prepare
        self._thumbnail = thumbnail
        self._held: OrderedDict[str, tuple[Block, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, given: protocol.Attach, data: bytes | None) -> protocol.Attached:
        """Hold an attachment for the question to come; what the panel shows of it."""
        label, problem, src = given["label"][:_LONGEST_LABEL], "", ""
        try:
            blocks = self._blocks(given, data)
            images = [b for b in blocks if b.get("type") == "image"]
            src = self._thumbnail(images[0]) if images else ""
            with self._lock:
                self._held[given["attachment"]] = blocks
                while len(self._held) > _MOST:
                    self._held.popitem(last=False)
        except ClaudeError as error:
            problem = str(error)
        return {
            "type": "attached",
            "attachment": given["attachment"],
            "label": label,
            "src": src,
            "problem": problem,
        }

    def use(self, attachments: Sequence[str]) -> list[Block]:
        """The blocks of these, which go along now. Raises InputError for one that is not held."""
        with self._lock:
            missing = [i for i in attachments if i not in self._held]
            if missing:
                raise InputError("An attachment is not here any more: attach it again.")
            return [block for i in attachments for block in self._held[i]]

    def drop(self, attachments: Sequence[str]) -> None:
        """These went along."""
        with self._lock:
            for attachment in attachments:
                self._held.pop(attachment, None)

    def _blocks(self, given: protocol.Attach, data: bytes | None) -> tuple[Block, ...]:
        if data is not None:
            return self._prepare(data).blocks
        rendered = _render(given["bundle"], self._prepare)
        blocks = [
            b
            if b.get("type") != "text" or is_image_note(b)
            else text(wrap("output", str(b["text"])))
            for b in rendered
        ]
        if not blocks:
            raise InputError("There is nothing in this output that can be sent.")
        return tuple(blocks)


def _render(bundle: Mapping[str, Any], prepare: Callable[[object], Prepared]) -> Sequence[Block]:
    from ..notebook.context.outputs import output_blocks

    return output_blocks(bundle, prepare=prepare).blocks


_LABEL = 40
_DETAIL = 600


def chips(
    pieces: Sequence[CarriedCell],
    places: Mapping[str, str],
    *,
    render: Callable[[Output], Rendered],
    thumbnail: Callable[[Block], str],
    figures: bool = True,
) -> list[Chip]:
    """A chip for each cell, and for each of the newest figures, in the order of the page.

    `places` gives the word for a cell by the serial of its run; `figures` False leaves them out,
    as the setting `images=none` does.
    """
    shown = [o.serial for p in pieces for o in p.outputs if is_figure(o)] if figures else []
    newest = set(shown[-MOST_FIGURES:])
    found: list[Chip] = []
    for piece in pieces:
        place = places.get(str(piece.serial), "")
        if piece.source or any(_says(o, render) for o in piece.outputs):
            found.append(_cell(piece, place))
        found += [_figure(o, place, render, thumbnail) for o in piece.outputs if o.serial in newest]
    return found


def _says(output: Output, render: Callable[[Output], Rendered]) -> bool:
    """Whether anything of an output that is no figure would go along."""
    if is_figure(output):
        return False
    drawn = any(kind != "text/plain" for kind in output.bundle or ())  # rendered when it is asked
    return drawn or bool(output_shown(output, render).blocks)


def _cell(piece: CarriedCell, place: str) -> Chip:
    first = next((line.strip() for line in piece.source.splitlines() if line.strip()), "output")
    label = first if len(first) <= _LABEL else first[: _LABEL - 1] + "…"
    return {
        "serial": piece.serial,
        "kind": "cell",
        "label": plain(f"{place} {label}".strip()),
        "detail": plain(piece.source[:_DETAIL]) or "what this cell showed after its question",
        "src": "",
    }


def _figure(
    output: Output,
    place: str,
    render: Callable[[Output], Rendered],
    thumbnail: Callable[[Block], str],
) -> Chip:
    src = ""
    try:
        image = next((b for b in render(output).blocks if b.get("type") == "image"), None)
        src = thumbnail(image) if image is not None else ""
    except ClaudeError:
        pass  # it is said when the question is asked
    label = f"figure of {place}" if place else "figure"
    return {
        "serial": output.serial,
        "kind": "figure",
        "label": label,
        "detail": plain(str(output.metadata.get("alt", ""))) or label,
        "src": src,
    }
