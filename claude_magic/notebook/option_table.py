"""The options of `%%claude`, one row each: parsing, help and completion all read this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["model", "variable", "path", "tool", "shape"]
"""Where completion takes the values of an option from."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. A flag has no `metavar`; `example` is one valid use, as typed."""

    name: str
    help: str
    example: str
    metavar: str | None = None
    short: str | None = None
    repeatable: bool = False
    splits: bool = False
    """The value is a comma list, read with its brackets and quotes."""
    expression: bool = False
    """The value is one Python expression, read with its brackets and quotes."""
    choices: tuple[str, ...] = ()
    """All values there are; anything else is an error."""
    words: tuple[str, ...] = ()
    """Values with a meaning of their own, beside any others."""
    sources: tuple[Source, ...] = ()
    integer: bool = False
    attached: bool = False
    """The value may be left out, and is given by `=` only."""
    may_be_empty: bool = False

    @property
    def field(self) -> str:
        """The name of this option's field in `RequestOptions`."""
        return self.name.removeprefix("--").replace("-", "_")

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.short, self.name) if self.short else (self.name,)


OPTIONS: tuple[Option, ...] = (
    Option(
        "--model",
        "the model, by id or alias",
        "-m opus",
        metavar="MODEL",
        short="-m",
        sources=("model",),
    ),
    Option(
        "--system",
        "the system prompt of this question",
        '-s "Answer in French"',
        metavar="TEXT",
        short="-s",
        may_be_empty=True,
    ),
    Option(
        "--image",
        "images: a variable or expression, path, URL, last:2, a count, #tag, none",
        "-i fig,plot.png",
        metavar="IMAGES",
        short="-i",
        repeatable=True,
        splits=True,
        words=("auto", "none", "last"),
        sources=("variable", "path"),
    ),
    Option(
        "--context",
        "cells that go along: auto, none, above, last, last:2, 3-5, #tag",
        "-c last:2",
        metavar="CELLS",
        short="-c",
        repeatable=True,
        splits=True,
        words=("auto", "none", "above", "last"),
    ),
    Option(
        "--file",
        "documents: a path, an address, or a variable that holds a table or text",
        "-f paper.pdf,df",
        metavar="FILES",
        short="-f",
        repeatable=True,
        splits=True,
        sources=("variable", "path"),
    ),
    Option("--cite", "have the reply cite the documents that go along, as footnotes", "--cite"),
    Option(
        "--tools",
        "functions that the model may call: yours, built in, web, code, computer; none",
        "--tools lookup,run_python",
        metavar="TOOLS",
        repeatable=True,
        splits=True,
        words=("none",),
        sources=("tool",),
    ),
    Option(
        "--approve",
        "before a call: ask you, run it, or never run any",
        "--approve auto",
        metavar="HOW",
        choices=("ask", "auto", "never"),
    ),
    Option(
        "--steps",
        "how many rounds of tool calls; then the model sums up",
        "--steps 5",
        metavar="N",
        integer=True,
    ),
    Option(
        "--app",
        "with --tools computer: a command that opens a program on the desktop",
        '--app "l3afpad notes.txt"',
        metavar="COMMAND",
    ),
    Option(
        "--json",
        "a reply in JSON: a model, dataclass, list[Model], a schema as a dict or file",
        "--json list[Finding]",
        metavar="SHAPE",
        expression=True,
        sources=("shape", "path"),
    ),
    Option(
        "--max-tokens",
        "the longest reply, in tokens",
        "--max-tokens 500",
        metavar="N",
        integer=True,
    ),
    Option(
        "--stop",
        "end the reply where this text would come",
        '--stop "END"',
        metavar="TEXT",
        repeatable=True,
    ),
    Option(
        "--prefill",
        "how the reply starts",
        '--prefill "The answer is ("',
        metavar="TEXT",
    ),
    Option(
        "--effort",
        "how hard the model tries",
        "--effort high",
        metavar="LEVEL",
        choices=("low", "medium", "high", "xhigh", "max"),
    ),
    Option(
        "--think",
        "thinking: shown, off, or as the model likes",
        "--think show",
        metavar="HOW",
        choices=("show", "off", "auto"),
    ),
    Option(
        "--out",
        "the variable that gets the reply; with --json the value",
        "-o answer",
        metavar="NAME",
        short="-o",
        sources=("variable",),
    ),
    Option("--code", "put the reply's code into new cells below", "--code"),
    Option("--quiet", "no header and no footer", "-q", short="-q"),
    Option(
        "--dry-run",
        "show request and price, ask nothing; or as a command",
        "--dry-run=curl",
        metavar="AS",
        choices=("curl", "python", "count"),
        attached=True,
    ),
    Option("--fresh", "ask again, even if this very request was answered before", "--fresh"),
    Option("--alone", "without the conversation, and not part of it", "--alone"),
    Option("--hires", "images up to the model's limit, not 1568 pixels", "--hires"),
    Option("--raw", "send {{ }} as it stands", "--raw"),
    Option(
        "--reply",
        "write the reply yourself: it joins the conversation, nothing is sent",
        '--reply "Call the drug X"',
        metavar="TEXT",
    ),
)

BY_SPELLING = {spelling: option for option in OPTIONS for spelling in option.spellings}
