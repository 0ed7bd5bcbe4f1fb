"""The Python face of the path that the magics take, in a notebook and in a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .conversation.origin import Origin
from .conversation.spending import OF_THIS_PROCESS
from .messages.errors import InputError
from .messages.once import Once

if TYPE_CHECKING:
    from .conversation.history import History
    from .conversation.reply import Reply
    from .conversation.session import Session
    from .conversation.turns import Turn
    from .messages.blocks import Block
    from .messages.images import Prepared
    from .notebook.files import Given
    from .notebook.notebook import Notebook
    from .notebook.options import RequestOptions
    from .notebook.outputs import Rendered
    from .notebook.toolboxes import Toolboxes
    from .tools.approval import Asked
    from .tools.tool import Approve


class Conversation:
    """A conversation of a script, with no IPython: each question sees those before it.

    `name` keeps it on disk: the next script that gives the same name goes on with it. `key` is an
    API key; without one it is looked up as in a notebook. `settings` are those of
    `%claude_config`: `Conversation(model="opus", budget=1, record="replies.jsonl")`.

    Threads may share it, and forked children: each has what was asked until the fork, and their
    questions stand beside one another. All spend from one budget.

    Raises InputError for a setting that is unknown or does not fit. A context manager; `close`
    ends its connections.
    """

    def __init__(self, name: str = "", *, key: str | None = None, **settings: object) -> None:
        from .conversation.keys import Keys
        from .messages.credentials import Secret
        from .notebook.config import Settable

        self.name = name
        self._keys = Keys(Secret(key) if key else None)
        self._settable = Settable()
        self._origin = Origin()
        self._session = Once(self._made_session)
        self._boxes = Once(self._made_boxes)
        for setting, value in settings.items():
            self._settable.say(setting, str(value))

    def __repr__(self) -> str:
        return f"Conversation({self.name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        prompt: str,
        *,
        images: object = (),
        files: object = (),
        cite: bool = False,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
        stop: str | Sequence[str] = (),
        prefill: str = "",
        effort: str | None = None,
        think: str | None = None,
        tools: object = (),
        approve: Approve | Asked | None = None,
        steps: int | None = None,
        app: str | None = None,
        json: object = None,
        alone: bool = False,
        fresh: bool = False,
        hires: bool = False,
    ) -> Reply:
        """The reply to `prompt`, with the arguments of `claude_magic.ask`.

        Raises the errors of `claude_magic.messages.errors`.
        """
        options = _options(
            stop,
            cite=cite,
            model=model,
            system=system,
            max_tokens=max_tokens,
            prefill=prefill,
            effort=effort,
            think=think,
            tools=_tools(tools),
            approve=approve,
            steps=steps,
            app=app,
            json=json,
            alone=alone,
            fresh=fresh,
            hires=hires,
        )
        return self._ask(options, prompt, _several(images), _files(files))

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns of this conversation, in the order asked."""
        history = self._session().history
        return [t for t in history.turns if t.id in history.asked and t.id not in history.retired]

    @property
    def spent(self) -> float:
        """USD that this object has spent."""
        return self._origin.spending.spent

    def close(self) -> None:
        """End the connections; the turns stay."""
        if self._session.made:
            self._session().close()
        if self._boxes.made:
            self._boxes().close()

    def _ask(
        self,
        options: RequestOptions,
        prompt: str,
        images: Sequence[object],
        files: Sequence[str | Given],
    ) -> Reply:
        from .conversation.question import Question
        from .conversation.watcher import Silent
        from .messages.blocks import text
        from .notebook.files import file_blocks
        from .notebook.json_option import wanted_shape
        from .notebook.lines import carried
        from .notebook.standing import Asker, without_cell
        from .notebook.toolboxes import opened, script_box

        if not prompt.strip():
            raise InputError("The question is empty: give its words.")
        session = self._session()
        prepare = self._preparing(options)
        papers, remarks = file_blocks(files, prepare, None)
        shown, notices = _pictures(images, prepare)
        keys = self._keys
        keys.find()  # from now on the keyring's is known too, and stands in nothing that is sent
        elsewhere = self._origin.elsewhere
        place = Asker(None, panel=True) if elsewhere else without_cell(session.history)
        question = Question(
            content=(*papers, *shown, *opened(options), text(prompt)),
            model=options.model,
            system=options.system,
            max_tokens=options.max_tokens,
            stop=options.stop or (),
            prefill=options.prefill or "",
            effort=options.effort,
            think=options.think,
            cite=bool(options.cite),
            tools=script_box(self._boxes(), options),
            shape=wanted_shape(options.json, None, *keys.secrets()),
            alone=bool(options.alone),
            fresh=bool(options.fresh),
            panel=place.panel,
            ordinal=place.ordinal,
            run=place.run,
            prompt=keys.mask(prompt),
            carried=carried(("image", len(shown)), ("file", len(papers))),
            notices=(*remarks, *notices),
        )
        return session.ask(question, Silent())

    def _preparing(self, options: RequestOptions) -> Callable[[object], Prepared]:
        from .notebook.pictures import preparing

        hires = bool(options.hires or self._settable.value("hires"))
        model = options.model or self._settable.value("model")
        known = self._session().catalogue.lookup(model) if hires else None
        return preparing(known, self._session().images)

    def _made_boxes(self) -> Toolboxes:
        from .notebook.pictures import preparing
        from .notebook.toolboxes import Toolboxes

        prepare = preparing(None, self._session().images)
        return Toolboxes(self._settable, self._keys.secrets, prepare)

    def _made_session(self) -> Session:
        from .conversation.session import Session

        return Session(
            self._settable.session_settings,
            history=self._open,
            find=self._keys.find,
            spending=self._origin.spending,
            secrets=self._keys.secrets,
        )

    def _open(self) -> History:
        from jupyter_core.paths import jupyter_data_dir

        from .conversation.conversations import STORE, Conversations, Whereabouts
        from .conversation.history import History

        if not self.name or self._settable.value("store") == "off":
            return History()
        kept = Conversations(Path(jupyter_data_dir()) / STORE, fresh=self._origin.conversation)
        history = kept.open(Whereabouts(f"script {self.name}", notebook=False))
        history.asked |= {turn.id for turn in history.turns}
        return history


def ask(
    prompt: str,
    *,
    images: object = (),
    files: object = (),
    cite: bool = False,
    model: str | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
    stop: str | Sequence[str] = (),
    prefill: str = "",
    effort: str | None = None,
    think: str | None = None,
    tools: object = (),
    approve: Approve | Asked | None = None,
    steps: int | None = None,
    app: str | None = None,
    json: object = None,
    alone: bool = False,
    fresh: bool = False,
    hires: bool = False,
) -> Reply:
    """The reply to `prompt`, as a turn of this notebook's conversation.

    `images` are the objects themselves: figures, PIL images, arrays, bytes; or paths, addresses,
    and `last` and `#tag` as after `-i`. `files` are tables, bytes, paths, addresses; a dict gives
    each a title, and a text in it is the text itself. A text is never evaluated: where `-i` and
    `-f` take a variable's name, give the variable. `cite` has the reply cite the files.
    One image, file or stop text needs no list. Nothing else of the notebook goes
    along: name what should. `{{ }}` is not evaluated; Python has f-strings. Shows
    nothing while it runs; the reply renders itself as the last expression of a cell.

    `tools` are functions, or the names that `--tools` takes; `steps` is how many rounds of calls
    there may be. `approve` is "ask" (in the cell), "auto", "never", or a function that gets a
    tool's name and arguments and gives True, or False or words that say why not.

    With the tool "computer" the model uses a virtual desktop, on which the shell command `app`
    opens a program. The reply's `steps` are what it did, each with its `picture`, PNG bytes.

    `json` has the reply be JSON of that shape: a pydantic model, a dataclass, a TypedDict, a type
    made of such (`list[Model]`, `dict[str, float]`), a JSON schema as a dict or in a file. The
    reply's `value` is then an instance of it.

    From another thread than the one that runs cells, or from a forked child, it belongs to no
    cell: it stands below the one that is active, and running that again leaves it. What a child
    asks is in this conversation when a kernel opens it again. In a script, without IPython, each
    call stands alone, and all spend from one budget: use `Conversation` there.

    Raises the errors of `claude_magic.messages.errors`; InputError where IPython runs and the
    extension is not loaded.
    """
    options = _options(
        stop,
        cite=cite,
        model=model,
        system=system,
        max_tokens=max_tokens,
        prefill=prefill,
        effort=effort,
        think=think,
        tools=_tools(tools),
        approve=approve,
        steps=steps,
        app=app,
        json=json,
        alone=alone,
        fresh=fresh,
        hires=hires,
    )
    if not in_ipython():
        with Conversation() as conversation:
            conversation._origin = Origin(spending=OF_THIS_PROCESS)
            return conversation._ask(options, prompt, _several(images), _files(files))
    from .conversation.watcher import Silent

    notebook = current_notebook()
    question = notebook.question(
        options, prompt, _several(images), files=_files(files), names=False
    )
    return notebook.ask(question, Silent())


def _options(stop: str | Sequence[str], **said: Any) -> RequestOptions:
    """The options of `%%claude` that carry only what they name, with what was `said` besides."""
    from .notebook.options import RequestOptions

    return RequestOptions(
        image=("none",),
        context=("none",),
        raw=True,
        stop=_several(stop),
        **said,
    )


def _pictures(
    images: Sequence[object], prepare: Callable[[object], Prepared]
) -> tuple[list[Block], list[str]]:
    from .notebook.named_cells import NamedCells
    from .notebook.pictures import pictures

    def no_output(_: object) -> Rendered:
        raise InputError("There are no outputs outside of a notebook.")

    cells = NamedCells((), {}, {})
    return pictures(images, (), cells, evaluate=None, render=no_output, prepare=prepare)


def _files(given: Any) -> list[str | Given]:
    """What to send as documents: a text is a path or an address, but in a dict itself."""
    from .notebook.files import Given

    if isinstance(given, Mapping):
        return [Given(value, str(title)) for title, value in given.items()]
    several = given if isinstance(given, list | tuple) else (given,)
    return [item if isinstance(item, str) else Given(item) for item in several]


def _tools(given: object) -> tuple[object, ...] | None:
    """What `tools` holds; names may stand in one text with commas. None where it is empty."""
    words = (t.split(",") if isinstance(t, str) else [t] for t in _several(given))
    found = [t.strip() if isinstance(t, str) else t for ts in words for t in ts]
    return tuple(t for t in found if t != "") or None


def _several(given: Any) -> tuple[Any, ...]:
    """`given` as a tuple; what is one thing, though Python could go through its parts, as one."""
    one = isinstance(given, str | bytes | bytearray) or hasattr(given, "__array_interface__")
    return (given,) if one or not hasattr(given, "__iter__") else tuple(given)


def in_ipython() -> bool:
    ipython: Any = sys.modules.get("IPython")
    return bool(ipython and ipython.get_ipython())


def current_notebook() -> Notebook:
    """The notebook of the running shell. Raises InputError where the extension is not loaded."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    magics = shell.magics_manager.registry.get("ClaudeMagics") if shell else None
    if magics is None:
        raise InputError("Load the extension first: %load_ext claude_magic")
    notebook: Notebook = magics.notebook
    return notebook
