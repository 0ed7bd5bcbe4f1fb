"""The options of a question, one row each. All that is said of an option is made from its row.

That is what `%%claude` and `%claude_caption` take, their help and completion, the arguments of
`claude_magic.ask`, and the table in the README. To add an option, add its row to `AskOptions` where
Python takes it too, else to `QuestionOptions`, and use it where the question is built
(`question_builder.py`) or where the magic shows the reply.

Loaded with the first question, so it imports nothing heavy.
"""
# No `from __future__ import annotations`: a row stands in an annotation, and is to be an object.

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, TypeVar, Unpack

from ..value_classes import frozen

if TYPE_CHECKING:
    from ..tools.approval import AskUser
    from ..tools.tool import Approve

Magic = Literal["claude", "claude_caption"]
"""The magics that take options."""
Reads = Literal["text", "list", "cells", "expression", "number", "name"]
"""How a value is read.

`list` and `cells` are comma lists, read with their brackets and quotes; `expression` is one Python
expression, read likewise; `number` is a whole one from 1 on; `name` that of a variable.
"""
Source = Literal["model", "variable", "path", "tool", "shape"]
"""Where completion takes the values of an option from."""

_BOTH: tuple[Magic, ...] = ("claude", "claude_caption")
_WIDTH = 100
_PYTHON_WIDTH = 88  # `help()` indents it


@frozen
class Option:
    """One option. A flag has no `metavar`; `example` is one valid use, as typed.

    `help` may hold `code`. `name` is the field's with dashes where it is not given; the table fills
    in `field` and `type`.
    """

    help: str
    example: str = ""
    metavar: str = ""
    name: str = ""
    short: str = ""
    magics: tuple[Magic, ...] = ("claude",)
    """The magics whose lines take it."""
    python: str = ""
    """What it is in Python, where that is not what `help` says."""
    default: object = None
    """What the signature in Python says where it is not given."""
    reads: Reads = "text"
    repeatable: bool = False
    choices: tuple[str, ...] = ()
    """All values there are; anything else is an error."""
    words: tuple[str, ...] = ()
    """Values with a meaning of their own, beside any others."""
    sources: tuple[Source, ...] = ()
    attached: bool = False
    """The value may be left out, and is given by `=` only."""
    may_be_empty: bool = False
    field: str = ""
    type: object = None

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.short, self.name) if self.short else (self.name,)

    @property
    def synopsis(self) -> str:
        """The option with its value, without the short form: `--image IMAGES`."""
        if self.attached:
            return f"{self.name}[={self.metavar}]"
        return f"{self.name} {self.metavar}" if self.metavar else self.name


class AskOptions(TypedDict, total=False):
    """What Python takes, and the magics too. What is not there was not said; so is None."""

    model: Annotated[
        str | None,
        Option(
            "the model, by id or alias: `sonnet`, `opus`, `haiku`, `fable`",
            example="-m opus",
            metavar="MODEL",
            short="-m",
            magics=_BOTH,
            sources=("model",),
        ),
    ]
    system: Annotated[
        str | None,
        Option(
            "a system prompt for this question, below what is said of the notebook",
            example='-s "Answer in French"',
            metavar="TEXT",
            short="-s",
            may_be_empty=True,
        ),
    ]
    images: Annotated[
        object,
        Option(
            "images: a variable or expression, a path (`stack.tif[3]`: its third page; `scans/`: "
            "a folder's), an address, `last`, `last:2`, an execution count, `#tag`, `none`",
            example="-i fig,plot.png",
            metavar="IMAGES",
            name="--image",
            short="-i",
            magics=_BOTH,
            python="figures, PIL images, arrays, bytes, paths, addresses; one needs no list",
            default=(),
            reads="list",
            repeatable=True,
            words=("auto", "none", "last"),
            sources=("variable", "path"),
        ),
    ]
    files: Annotated[
        object,
        Option(
            "documents: a file (text, PDF; a table as CSV, Parquet, Arrow, Excel, OpenDocument), "
            "an address, or a variable that holds a table, text or a PDF",
            example="-f paper.pdf,df",
            metavar="FILES",
            name="--file",
            short="-f",
            python="documents: tables, bytes, paths, addresses; one needs no list; a dict gives "
            "each a title, and a text in it is the text itself",
            default=(),
            reads="list",
            repeatable=True,
            sources=("variable", "path"),
        ),
    ]
    cite: Annotated[
        bool,
        Option(
            "have the reply cite the documents that go along; what it cites is listed below it",
            default=False,
        ),
    ]
    json: Annotated[
        object,
        Option(
            "a reply in JSON: a pydantic model, dataclass, TypedDict, `list[Model]`, a schema as "
            "a dict or file",
            example="--json list[Finding]",
            metavar="SHAPE",
            python="the reply is JSON of that shape, and its `value` an instance: a pydantic "
            "model, a dataclass, a TypedDict, a type made of such (`list[Model]`, `dict[str, "
            "float]`), a JSON schema as a dict or in a file",
            reads="expression",
            sources=("shape", "path"),
        ),
    ]
    tools: Annotated[
        object,
        Option(
            "functions that the model may call: yours by name, the built-in ones, `web`, `code`, "
            "`computer`; `none`",
            example="--tools lookup,run_python",
            metavar="TOOLS",
            python="functions, or the names that `--tools` takes; one needs no list",
            default=(),
            reads="list",
            repeatable=True,
            words=("none",),
            sources=("tool",),
        ),
    ]
    approve: Annotated[
        "Approve | AskUser | None",
        Option(
            "before a call: ask you (the default), run it, or never run any",
            example="--approve auto",
            metavar="HOW",
            python='"ask" (in the cell), "auto", "never", or a function that gets a tool\'s name '
            "and arguments and gives True, or False or words that say why not",
            choices=("ask", "auto", "never"),
        ),
    ]
    steps: Annotated[
        int | None,
        Option(
            "how many rounds of tool calls; then the model sums up",
            example="--steps 5",
            metavar="N",
            reads="number",
        ),
    ]
    app: Annotated[
        str | None,
        Option(
            "with `--tools computer`: a command that opens a program on the virtual desktop",
            example='--app "l3afpad notes.txt"',
            metavar="COMMAND",
            python='with the tool "computer": a shell command that opens a program on its virtual '
            "desktop; the reply's `steps` are what the model did, each with its `picture`, PNG "
            "bytes",
        ),
    ]
    max_tokens: Annotated[
        int | None,
        Option(
            "the longest reply, in tokens",
            example="--max-tokens 500",
            metavar="N",
            magics=_BOTH,
            reads="number",
        ),
    ]
    stop: Annotated[
        str | Sequence[str],
        Option(
            "end the reply where this text would come",
            example='--stop "END"',
            metavar="TEXT",
            python="end the reply where this text, or one of these, would come",
            default=(),
            repeatable=True,
        ),
    ]
    prefill: Annotated[
        str,
        Option(
            "how the reply starts; where the model takes no prefill, asked for as a choice or in "
            "words",
            example='--prefill "The answer is ("',
            metavar="TEXT",
            default="",
        ),
    ]
    effort: Annotated[
        str | None,
        Option(
            "how hard the model tries",
            example="--effort high",
            metavar="LEVEL",
            magics=_BOTH,
            choices=("low", "medium", "high", "xhigh", "max"),
        ),
    ]
    think: Annotated[
        str | None,
        Option(
            "thinking: folded above the answer, off where the model can, or as the model likes",
            example="--think show",
            metavar="HOW",
            magics=_BOTH,
            choices=("show", "off", "auto"),
        ),
    ]
    fresh: Annotated[
        bool,
        Option(
            "ask again, even if this very request was answered before",
            magics=_BOTH,
            default=False,
        ),
    ]
    alone: Annotated[
        bool,
        Option("without the conversation, and not part of it", default=False),
    ]
    hires: Annotated[
        bool,
        Option(
            "images up to the model's limit instead of 1568 pixels", magics=_BOTH, default=False
        ),
    ]


class QuestionOptions(AskOptions, total=False):
    """All that can be said of a question: also what only a line says, and our own questions.

    `dry_run` is "show", "curl", "python" or "count".
    """

    context: Annotated[
        Sequence[str],
        Option(
            "cells that go along: `auto`, `none`, `above`, `last`, `last:2`, `3-5`, `#tag`",
            example="-c last:2",
            metavar="CELLS",
            short="-c",
            reads="cells",
            repeatable=True,
            words=("auto", "none", "above", "last"),
        ),
    ]
    out: Annotated[
        str | None,
        Option(
            "the variable that gets the reply; with `--json` the value",
            example="-o answer",
            metavar="NAME",
            short="-o",
            magics=_BOTH,
            reads="name",
            sources=("variable",),
        ),
    ]
    code: Annotated[bool, Option("put the reply's code into new cells below")]
    quiet: Annotated[bool, Option("no header and no footer", short="-q", magics=_BOTH)]
    dry_run: Annotated[
        str | None,
        Option(
            "show the request and its price, ask nothing; or a command that would ask, or the "
            "server's own token count",
            example="--dry-run=curl",
            metavar="AS",
            magics=_BOTH,
            choices=("curl", "python", "count"),
            attached=True,
        ),
    ]
    raw: Annotated[bool, Option("send `{{ }}` as it stands")]
    reply: Annotated[
        str | None,
        Option(
            "write the reply yourself: it joins the conversation, nothing is sent",
            example='--reply "Call the drug X"',
            metavar="TEXT",
        ),
    ]
    write: Annotated[
        bool,
        Option("write the alt text into the metadata of the output", magics=("claude_caption",)),
    ]


def _row(field: str, hint: Any) -> Option:
    (option,) = hint.__metadata__
    name = option.name or f"--{field.replace('_', '-')}"
    row: Option = replace(
        option,
        field=field,
        name=name,
        example=option.example or name,
        # A name of what is imported for type checkers alone stays a name.
        type=getattr(hint.__origin__, "__forward_arg__", hint.__origin__),
    )
    return row


OPTIONS: Mapping[str, Option] = {
    field: _row(field, hint) for field, hint in QuestionOptions.__annotations__.items()
}
"""Every row, by its field."""
PYTHON_OPTIONS = tuple(OPTIONS[field] for field in AskOptions.__annotations__)
"""Those that `claude_magic.ask` takes."""


def options_of(magic: Magic) -> tuple[Option, ...]:
    """The options of a magic's line; those with a short form, which are the most used, first."""
    mine = (option for option in OPTIONS.values() if magic in option.magics)
    return tuple(sorted(mine, key=lambda option: not option.short))


@cache
def by_spelling(magic: Magic) -> Mapping[str, Option]:
    """The options of a magic by each way to write them."""
    return {spelling: option for option in options_of(magic) for spelling in option.spellings}


def bare(**options: Unpack[QuestionOptions]) -> QuestionOptions:
    """The options of a question that carries only what they name, and takes its words as they are.

    Nothing of the cells goes along, and no image but those of `images`.
    """
    made: QuestionOptions = {"context": ("none",), "raw": True}
    made.update(options)
    made["images"] = ("none", *several(options.get("images", ())))
    return made


def from_python(function: str, given: AskOptions) -> QuestionOptions:
    """What Python's keyword arguments say.

    Raises TypeError, as Python does, for one that there is not.
    """
    names = [option.field for option in PYTHON_OPTIONS]
    for name in given:
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else f"it takes {', '.join(names)}"
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}; {hint}")
    made = bare(**given)
    if "tools" in given:
        made["tools"] = several(given["tools"])  # they are looked at more than once
    return made


def several(given: Any) -> tuple[Any, ...]:
    """`given` as a tuple; what is one thing, though Python could go through its parts, as one."""
    one = isinstance(given, str | bytes | bytearray) or hasattr(given, "__array_interface__")
    return (given,) if one or not hasattr(given, "__iter__") else tuple(given)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Which of `known` may have been meant; None where none is near."""
    from difflib import get_close_matches  # only on the way to an error

    return next(iter(get_close_matches(word[:40].lower(), known, n=1, cutoff=0.6)), None)


# What follows is made when somebody asks for it.

_EXAMPLES: Mapping[Magic, Sequence[str]] = {
    "claude": (
        "%claude What's the Latin name of the ant?",
        "%%claude -m opus -i fig,last --think show",
        '%%claude -i plots["a b"] -c none -o answer  # without the cells above',
        "%%claude --json list[Finding] -o findings  # a table, bound as objects",
        "%%claude --dry-run=curl -f notes.txt Summarise these notes",
    ),
    "claude_caption": ("%claude_caption -i fig --write -o caption Write in French.",),
}
_FORMS: Mapping[Magic, Sequence[str]] = {
    "claude": ("%claude [options] prompt", "%%claude [options] [prompt]"),
    "claude_caption": ("%claude_caption [options] [words that go along]",),
}


def usage(magic: Magic) -> str:
    """The help of a magic's options: each with its value and an example, then whole lines."""
    options = options_of(magic)
    margins = [f"{o.short}, {o.synopsis}" if o.short else f"    {o.synopsis}" for o in options]
    width = max(map(len, margins))
    lines = [*_FORMS[magic], "", "Options:"]
    for option, margin in zip(options, margins, strict=True):
        said = _wrapped(_in_words(option), _WIDTH - width - 4)
        if option.metavar:
            said.append(option.example)
        lines.append(f"  {margin:{width}}  {said[0]}")
        lines += [f"  {'':{width}}  {text}" for text in said[1:]]
    return "\n".join(
        [
            *lines,
            f"  {'--':{width}}  end of the options: what follows is the prompt",
            "",
            "Lists are given by commas or by repeating the option. Values with spaces are quoted.",
            "A # comment may follow the options.",
            "",
            "Examples:",
            *(f"  {example}" for example in _EXAMPLES[magic]),
        ]
    )


def markdown_table() -> str:
    """The options of `%%claude` as the README shows them."""
    rows = []
    for option in options_of("claude"):
        names = f"`{option.short}`, `{option.synopsis}`" if option.short else f"`{option.synopsis}`"
        rows.append(f"| {names} | {_in_words(option)} |")
    return "\n".join(("| option | what it does |", "|---|---|", *rows, ""))


F = TypeVar("F", bound=Callable[..., object])


def with_arguments(function: F) -> F:
    """`function`, which takes `**options: Unpack[AskOptions]`, with what they are for `help()`.

    Its signature names each with its default, its docstring says what it is.
    """
    from inspect import Parameter, Signature, cleandoc, signature

    made = signature(function)
    own = [p for p in made.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    options = [
        Parameter(o.field, Parameter.KEYWORD_ONLY, default=o.default, annotation=o.type)
        for o in PYTHON_OPTIONS
    ]
    lines = [cleandoc(function.__doc__ or ""), "", "Options, by keyword:"]
    for option in PYTHON_OPTIONS:
        said = f"{option.field}: {option.python or _in_words(option)}"
        lines += [f"    {line}" for line in _wrapped(said, _PYTHON_WIDTH, "    ")]
    function.__doc__ = "\n".join(lines)
    vars(function)["__signature__"] = Signature(
        [*own, *options], return_annotation=made.return_annotation
    )
    return function


def _in_words(option: Option) -> str:
    """What an option does, with its choices."""
    choices = ", ".join(f"`{choice}`" for choice in option.choices)
    return f"{option.help} ({choices})" if choices else option.help


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
