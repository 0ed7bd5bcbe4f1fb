"""What the smaller magics do: look back, take out, bring back, go on, write out, log in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conversation import export
from ..conversation.asking import replay
from ..conversation.store.conversations import Conversations
from ..conversation.visible_turns import above
from ..messages import plain_text
from ..messages.credentials import ACCOUNT, SERVICE, Secret
from ..messages.dependencies import broken
from ..messages.errors import CredentialError, InputError
from .display import header_footer
from .display.history_table import HistoryRow, history_table, whole
from .display.tables import Bundle, table
from .options import bare

if TYPE_CHECKING:
    from ..conversation.asking.question import Question
    from ..conversation.history import History
    from ..conversation.turns import Turn
    from ..messages.catalogue import Catalogue
    from .notebook import Notebook

_GO_ON = (
    "Your reply above was cut off. Go on from exactly where it stopped: repeat nothing of it, "
    "and add no introduction."
)
_CUT = ("max_tokens", "model_context_window_exceeded")
# By the file's suffix.
_FORMS: Mapping[str, Callable[[Sequence[Turn]], str]] = {
    ".json": export.as_json,
    ".md": export.as_markdown,
    ".py": export.as_python,
}


def rows(notebook: Notebook, *, old: bool = False) -> list[HistoryRow]:
    """The turns of the page from top to bottom; with `old` those that were replaced, below them."""
    notebook.standing.read()
    history, order = notebook.session.history, notebook.standing.page.order
    turns = list(history.turns)
    numbers = {turn.id: number for number, turn in enumerate(turns, 1)}
    standing = history.on_page(order)
    shown = {turn.id for turn in standing}
    stale = history.stale(order)
    cells = _cells(notebook)
    found = [
        HistoryRow(turn, numbers[turn.id], _cell(turn, cells), turn.id in stale)
        for turn in standing
    ]
    if old:
        found += [
            HistoryRow(turn, numbers[turn.id], _cell(turn, cells), retired=True)
            for turn in turns
            if turn.id not in shown
        ]
    known = notebook.session.catalogue
    return [replace(row, known=known) for row in found]


def history(notebook: Notebook, *, old: bool = False) -> Bundle:
    """The table of `%claude_history`."""
    found = rows(notebook, old=old)
    hidden = len(notebook.session.turns) - len(found)
    below = (
        [f"{plain_text.count(hidden, 'older version')}: %claude_history --old"] if hidden else []
    )
    if any(row.stale for row in found):
        below.append("stale: what stands above has changed since; run the cell to ask again")
    if not found:
        below.append("No turn yet: ask with %%claude.")
    return history_table(found, below=" · ".join(below))


def one(notebook: Notebook, number: int) -> Bundle:
    """One turn whole, with what was sent."""
    turn = _numbered(notebook, number)
    row = next((row for row in rows(notebook, old=True) if row.turn.id == turn.id), None)
    return whole(
        row or HistoryRow(turn, number, _cell(turn, _cells(notebook))), notebook.session.images
    )


def restore(notebook: Notebook, number: int) -> str:
    """Bring a replaced turn back in place of the one that counts; what was done, in words."""
    turn = _numbered(notebook, number)
    history = notebook.session.history
    if turn.status not in ("complete", "interrupted"):
        raise InputError(f"Turn {number} is {turn.status}: only one with a reply can count again.")
    history.restore(turn)
    history.shown(turn)
    return f"Turn {number} counts again: {_start(turn)}"


def resume(notebook: Notebook) -> str:
    """Take up the last conversation of a kernel without cells; what was done, in words."""
    count = notebook.session.history.resume()
    if not count:
        raise InputError("There is no earlier conversation here to take up.")
    return f"{plain_text.count(count, 'earlier turn')} taken up: the next question sees them."


def undo(notebook: Notebook) -> str:
    """Take the turn that was asked last out of the conversation; what was done, in words."""
    history = notebook.session.history
    if history.latest and history.latest[-1] in history.aside:
        turn = history[history.latest.pop()]
        return f"Not part of it, for it did not end well: {_start(turn)} · what stood before stands"
    standing = [turn_id for turn_id in history.latest if turn_id not in history.retired]
    if not standing:
        raise InputError("No turn was asked in this kernel: there is nothing to take back.")
    turn = history[standing[-1]]
    number = history.turns.index(turn) + 1
    history.retire([turn.id])
    return f"Taken out: {_start(turn)} · back with %claude_history --restore {number}"


def reset(notebook: Notebook, *, purge: bool = False) -> str:
    """Empty the conversation, with `purge` on disk too; what was done, in words."""
    history = notebook.session.history
    count = len({t.id for t in history.turns} - history.retired)
    if purge:
        others = history.purge()
        notebook.conversations().forget(notebook.standing.whereabouts())
        said = "every record and image of this conversation is deleted"
        if others:
            what = plain_text.count(others, "earlier conversation")
            said += f", and {what} of this folder from which replies were shown again"
    else:
        history.retire([turn.id for turn in history.turns])
        said = "what was asked stays on record: %claude_history --old; --purge deletes it"
    notebook.last = None
    return f"The conversation is empty, {plain_text.count(count, 'turn')} taken out; {said}."


def going_on(notebook: Notebook, words: str) -> Question | None:
    """The question that has the reply above gone on with.

    None where that came whole this time, though this cell went on from it before: Run All goes on.
    Raises InputError where it is whole otherwise, or nothing of it came.
    """
    question = notebook.question(bare(), f"{_GO_ON} {words}".strip())
    history = notebook.session.history
    turns = history.turns
    if question.cell is None:
        turns = [turn for turn in turns if turn.id in history.asked]
    retired = history.retired - history.aside
    found = above(question.cell, question.run, turns, retired, question.order)
    if not found:
        raise InputError("There is no reply above to go on with: ask with %%claude first.")
    turn = found[-1]
    if not turn.text.strip() and turn.stop_reason == "max_tokens":
        raise InputError("The reply above is all thinking: ask again with more --max-tokens.")
    if turn.status == "refused" or not turn.text.strip():
        raise InputError("Nothing came of the reply above: run its cell again.")
    if turn.status == "complete" and turn.stop_reason not in _CUT:
        if _went_on(history, question):
            return None
        raise InputError("The reply above is whole: ask a question with %%claude instead.")
    if turn.id in history.retired:
        history.restore(turn)  # what the conversation goes on from is part of it
    return replace(question, going_on=turn.id)


def _went_on(history: History, question: Question) -> bool:
    """Whether a question in this place went on from a reply before."""
    here = history.of_cell(question.cell)
    return any(t.going_on and (question.cell or t.ordinal == question.ordinal) for t in here)


def written(notebook: Notebook, target: str, *, record: bool, force: bool) -> str:
    """Write the conversation to a file whose suffix says how; what was done, in words."""
    path = Path(target).expanduser()
    turns = [row.turn for row in rows(notebook)]
    if not turns:
        raise InputError("There is no turn to write: ask with %%claude first.")
    if path.exists() and not force and not (record and replay.is_recording(path)):
        raise InputError(f"{path} is there already: give another name, or --force.")
    if record:
        count = replay.write(path, turns)
        return f"{plain_text.count(count, 'turn')} recorded in {path}: use it with record={path}"
    form = _FORMS.get(path.suffix)
    if form is None:
        raise InputError(f"{path}: end the name in {', '.join(_FORMS)}, or give --record.")
    problem = ""
    try:
        path.write_text(form(turns), encoding="utf-8")
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise InputError(f"{path} cannot be written: {problem}.")
    return f"{plain_text.count(len(turns), 'turn')} written to {path}"


def notebooks(conversations: Conversations, known: Catalogue) -> Bundle:
    """All notebooks with a conversation on this machine: turns, cost, when last asked."""
    import time

    from ..conversation.ledger import total

    found = []
    for path, loaded in conversations.all():
        last = max(turn.ended for turn in loaded.turns)
        entry = total(loaded.turns, known)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(last))
        found.append((last, [path, f"{len(loaded.turns):,}", plain_text.dollars(entry.cost), when]))
    found.sort(reverse=True)
    below = "" if found else "No conversation is kept on this machine yet."
    columns = ("notebook", "turns", "cost", "last asked")
    return table(columns, [row for _, row in found], right=(1, 2), below=below)


def _cells(notebook: Notebook) -> dict[str, str]:
    """A short word for each cell: its execution count, else its place on the page."""
    order = notebook.standing.page.order
    return {
        **{cell: f"cell {place}" for place, cell in enumerate(order, 1)},
        **{
            r.cell: f"[{r.count}]" for r in notebook.recorder.runs if r.cell and r.count is not None
        },
    }


def _cell(turn: Turn, cells: Mapping[str, str]) -> str:
    """A short word for where a turn stands."""
    return "panel" if turn.panel else cells.get(turn.cell or "", "")


def _numbered(notebook: Notebook, number: int) -> Turn:
    turns = notebook.session.turns
    if not 1 <= number <= len(turns):
        raise InputError(f"There is no turn {number}: %claude_history --old lists them.")
    return turns[number - 1]


def _start(turn: Turn) -> str:
    return header_footer.start(export.question_text(turn))


def login(notebook: Notebook, words: Sequence[str]) -> dict[str, str]:
    """Ask for a key and keep it, in this kernel or in the keyring; a line that says what was done.

    Raises InputError for an unknown word, CredentialError where nothing can be asked or kept.
    """
    unknown = [w for w in words if w not in ("--save", "--forget")]
    if unknown:
        raise InputError("%claude_login takes --save or --forget; the key itself is asked for.")
    if "--forget" in words:
        _forget()
        notebook.keys.forget()
        found = notebook.keys.find()
        still = f" The one in {found.source} is still used." if found else ""
        return _line(f"The key is forgotten, here and in the keyring.{still}")
    key = _typed()
    if not key.sendable:
        raise CredentialError("This is no API key: it has characters that no key has. Try again.")
    notebook.keys.given = key
    if "--save" in words:
        _save(key)
        return _line("The key is kept in the system's keyring.")
    return _line("The key is kept until this kernel ends. %claude_login --save keeps it longer.")


def _typed() -> Secret:
    import getpass

    try:
        key = Secret(getpass.getpass("API key (not shown): "))
    except (EOFError, OSError, RuntimeError):  # no one to ask: nbclient, a closed terminal
        raise CredentialError(
            "No key can be typed here: set ANTHROPIC_API_KEY before starting Jupyter."
        ) from None
    if not key:
        raise CredentialError("No key was typed; nothing has changed.")
    return key


def _save(key: Secret) -> None:
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, ACCOUNT, key.reveal())
    except Exception as error:  # each back end fails in ways of its own; frames below hold the key
        raise CredentialError(
            f"The keyring took no key ({type(error).__name__}): it is kept for this kernel only."
        ) from None


def _forget() -> None:
    try:
        keyring = _keyring()
    except CredentialError:
        return
    try:
        keyring.delete_password(SERVICE, ACCOUNT)
    except Exception:  # there was none, and each back end says so in ways of its own
        return


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise CredentialError(
            broken(error, "keyring")
            or "--save needs the keyring package: pip install 'claude-magic[keyring]'. "
            "The key is kept for this kernel."
        ) from None
    return keyring


def _line(text: str) -> dict[str, str]:
    from .display.header_footer import notice

    return notice(text)
