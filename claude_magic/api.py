"""The Python face of the path that the magics take, in a notebook and in a script; of captions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from .conversation.spending import OF_THIS_PROCESS, Origin
from .messages.once import Once
from .notebook.options import AskOptions, from_python, with_arguments
from .notebook.running_shell import magics_of, running_shell

if TYPE_CHECKING:
    from .captions.job import Access
    from .conversation.asking.connection import Keys
    from .conversation.history import History
    from .conversation.reply_value import Reply
    from .conversation.session import Session
    from .conversation.turns import Turn
    from .notebook.config import Settable
    from .notebook.notebook import Notebook
    from .notebook.options import QuestionOptions
    from .notebook.question_builder import Brought
    from .notebook.tools.toolboxes import Toolboxes
    from .tools.toolbox import FunctionToolbox


class Conversation:
    """A conversation of a script, with no IPython: each question sees those before it.

    `name` keeps it on disk: the next script that gives the same name goes on with it. `key` is an
    API key; without one it is looked up as in a notebook. `settings` are those of
    `%claude_config`: `Conversation(model="opus", budget=1, record="replies.jsonl")`.

    Raises InputError for a setting that is unknown or does not fit. A context manager; `close`
    ends its connections.
    """

    def __init__(self, name: str = "", *, key: str | None = None, **settings: object) -> None:
        from .conversation.asking.connection import Keys
        from .messages.credentials import Secret
        from .notebook.config import Settable

        self.name = name
        settable = Settable()
        for setting, value in settings.items():
            settable.say(setting, str(value))
        self._script = _Script(name, settable, Keys(Secret(key) if key else None))

    def __repr__(self) -> str:
        return f"Conversation({self.name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @with_arguments
    def ask(self, prompt: str, **options: Unpack[AskOptions]) -> Reply:
        """The reply to `prompt`, with the arguments of `claude_magic.ask`.

        Raises the errors of `claude_magic.messages.errors`.
        """
        return self._script.ask(prompt, from_python("ask", options))

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns of this conversation, in the order asked."""
        history = self._script.session.history
        return [t for t in history.turns if t.id in history.asked and t.id not in history.retired]

    @property
    def spent(self) -> float:
        """USD that this object has spent."""
        return self._script.origin.spending.spent

    def close(self) -> None:
        """End the connections; the turns stay."""
        self._script.close()


class _Script:
    """The face of a script to its questions, with the session that it asks them in."""

    empty = "give its words."
    evaluate = None

    def __init__(self, name: str, settable: Settable, keys: Keys) -> None:
        self.settable = settable
        self.keys = keys
        self.origin = Origin()
        self._name = name
        self._session = Once(self._made_session)
        self._boxes = Once(self._made_boxes)

    def ask(self, prompt: str, options: QuestionOptions) -> Reply:
        from .notebook.question_builder import build

        return self.session.ask(build(self, options, prompt))

    def bring(self, *_: object, **__: object) -> Brought:
        """The place of the question, and nothing else: there are no cells."""
        from .notebook.page.question_place import QuestionPlace, without_cell
        from .notebook.question_builder import Brought

        self.keys.find()  # from now on the keyring's is known too, and stands in nothing sent
        elsewhere = self.origin.elsewhere
        return Brought(
            QuestionPlace(None, panel=True) if elsewhere else without_cell(self.session.history)
        )

    def toolbox(self, options: QuestionOptions) -> FunctionToolbox | None:
        """The tools that the options or the settings name."""
        from .notebook.tools.toolboxes import script_box

        return script_box(self._boxes(), options)

    def close(self) -> None:
        """End the connections, and what tools have left running."""
        if self._session.made:
            self._session().close()
        if self._boxes.made:
            self._boxes().close()

    @property
    def session(self) -> Session:
        """The conversation, opened when it is first needed."""
        return self._session()

    def _made_session(self) -> Session:
        from .messages.dependencies import OF_QUESTIONS, missing
        from .messages.errors import InputError

        if absent := missing(*OF_QUESTIONS):
            raise InputError(absent)
        from .conversation.session import Session

        return Session(
            self.settable.session_settings,
            history=self._open,
            find=self.keys.find,
            spending=self.origin.spending,
            secrets=self.keys.secrets,
        )

    def _made_boxes(self) -> Toolboxes:
        from .notebook.context.named_values import preparing
        from .notebook.tools.toolboxes import Toolboxes

        prepare = preparing(None, lambda: self.session.images)
        return Toolboxes(self.settable, self.keys.secrets, prepare)

    def _open(self) -> History:
        from jupyter_core.paths import jupyter_data_dir

        from .conversation.history import History
        from .conversation.store.conversations import STORE, Conversations, Whereabouts

        if not self._name or self.settable.value("store") == "off":
            return History()
        kept = Conversations(Path(jupyter_data_dir()) / STORE, fresh=self.origin.conversation)
        history = kept.open(Whereabouts(f"script {self._name}", kind="name"))
        history.asked |= {turn.id for turn in history.turns}
        return history


@with_arguments
def ask(prompt: str, **options: Unpack[AskOptions]) -> Reply:
    """The reply to `prompt`, as a turn of this notebook's conversation.

    Nothing else of the notebook goes along: name what should. A text is a path or an address and
    is never evaluated: where `-i` and `-f` take a variable's name, give the variable. Nor is
    `{{ }}`; Python has f-strings. Shows nothing while it runs; the reply renders itself as the
    last expression of a cell.

    From another thread than the one that runs cells, or from a forked child, it belongs to no
    cell: it stands below the one that is active, and running that again leaves it. What a child
    asks is in this conversation when a kernel opens it again. In a script, without IPython, each
    call stands alone, and all spend from one budget: use `Conversation` there.

    In IPython it loads the extension, if that is not loaded.

    Raises the errors of `claude_magic.messages.errors`.
    """
    said = from_python("ask", options)
    notebook = current_notebook()
    if notebook is None:
        with Conversation() as conversation:
            conversation._script.origin = Origin(spending=OF_THIS_PROCESS)
            return conversation._script.ask(prompt, said)
    return notebook.ask(notebook.question(said, prompt, names=False))


def current_notebook() -> Notebook | None:
    """The notebook of the running shell, which loads the extension if need be; None in a script."""
    shell = running_shell()
    if shell is None:
        return None
    notebook: Notebook = magics_of(shell, "ClaudeMagics").notebook
    return notebook


def caption(
    images: object,
    *,
    schema: object = None,
    prompt: str = "",
    out: str | os.PathLike[str] | None = None,
    concurrency: int = 16,
    budget: float | None = None,
    engine: Literal["threads", "batches", "daft"] = "threads",
    model: str | None = None,
    max_tokens: int | None = None,
    effort: str | None = None,
    think: str | None = None,
    hires: bool = False,
    progress: bool = True,
    keep_going: bool = False,
) -> Any:
    """A DataFrame, one row an image in their order: its source, what was asked for, tokens, cost.

    `images`: a folder, a pattern such as "scans/*.png", a list or a column of pandas or polars
    with paths, addresses, bytes, PIL images, figures. Without `schema` the columns are those of a
    caption (`alt_text`, `description`, `kind`, axes, `trend`, `confidence`, `warnings`); `schema`
    is a pydantic model, a dataclass or a JSON schema of your own, and `prompt` says what to do.

    `out` is a file for the table, `.parquet`, `.csv` or `.jsonl`. Beside it each answer is kept as
    it comes: a job that was killed goes on where it was, and pays for nothing twice. The same
    image is asked about once. A row that failed has an `error`; the next run asks it again.

    At most `concurrency` requests are under way, fewer where the server's rate limits say so.
    `budget` in USD: what would pass it is not asked; by default what is left of the kernel's.
    Where the first 5 images fail in the same way, or 10 in a row later on, it stops and says so;
    with `keep_going` it asks about the rest all the same.

    `engine="batches"` asks by Message Batches, which cost half and may take hours, at most a day.
    If the kernel ends, run it again, and it goes on waiting; an interrupt cancels the batches.
    `engine="daft"` runs on Daft, on many machines where Daft runs on Ray (extra `scale`).

    Example: `claude_magic.caption(df["path"], out="captions.parquet")`

    Raises the errors of `claude_magic.messages.errors`.
    """
    from .captions.datasets.caption_run import CaptionRun, How, check, frame
    from .captions.job import Wanted

    access, left = access_here()
    wanted = Wanted(
        schema, prompt, model, max_tokens, effort, think, long_edge(hires, model, access)
    )
    path = Path(out) if out is not None else None
    go_on = (lambda _: True) if keep_going else None
    most = left if budget is None else budget
    how = check(How(path, concurrency, most, progress, engine, go_on=go_on))
    with CaptionRun(images, wanted, how, access) as run:
        for line in run.notices:
            warnings.warn(line, stacklevel=2)
        run.ask()
        return frame(run)


def long_edge(hires: bool, model: str | None, access: Access) -> int:
    """The most pixels of an image's longer side: 1568, with `hires` the model's own limit."""
    from .messages import models
    from .messages.images.prepare import LONG_EDGE

    found = models.lookup(model or access.settings.model) if hires else None
    return found.long_edge if found else LONG_EDGE


def journal_folder() -> Path | None:
    """Where captions that were paid for are kept until notebooks have them; None for nowhere."""
    from jupyter_core.paths import jupyter_data_dir

    from .conversation.store.conversations import CAPTIONS, STORE
    from .notebook.config import Settable

    if Settable().value("store") == "off":
        return None
    return Path(jupyter_data_dir()) / STORE / CAPTIONS


def access_here() -> tuple[Access, float]:
    """Whose settings and key count here, the notebook's or the environment's, and what is left.

    The latter in USD: of the kernel's budget, which these requests count towards.
    """
    from .captions.job import Access

    notebook = current_notebook()
    if notebook is not None:
        settings, session = notebook.settable.session_settings(), notebook.session
        access = Access(
            settings, notebook.keys.find(), spend=session.spending.add, offline=session.offline
        )
        return access, max(0.0, settings.budget - session.spending.spent)
    from .messages.credentials import find_key, keyring_key
    from .notebook.config import Settable

    settings = Settable().session_settings()
    return Access(settings, find_key(None, keyring_lookup=keyring_key)), settings.budget
