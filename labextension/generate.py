"""Makes the lab extension's types and checks of messages from the kernel's own.

`python labextension/generate.py` writes `src/generated/*.ts`; they are committed, and a test says
when they are not what this would write. Of each module all messages become types, and checks are
made of what the kernel says.
"""

from __future__ import annotations

import inspect
import re
import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

from claude_magic.notebook.page import page_messages
from claude_magic.notebook.page.page_messages import NumberLimit, TextLimit, fields
from claude_magic.panel import protocol

CHECKING = Path(__file__).parent / "src/checks.ts"
GENERATED = CHECKING.parent / "generated"
# The module, what the kernel says, and what it hears.
SOURCES = {
    "page.ts": (page_messages, "KernelSays", "PageSays"),
    "panel.ts": (protocol, "KernelMessage", "PanelMessage"),
}
PLAIN = {str: "string", bool: "boolean", int: "number", float: "number", types.NoneType: "null"}
CHECKS = {str: "isText", bool: "isYesOrNo", int: "isWhole", float: "isNumber", Any: "isAnything"}
WIDTH = 96


class Module:
    """One module of messages as TypeScript."""

    def __init__(self, module: types.ModuleType, said: str, heard: str) -> None:
        own = (Annotated, Literal, Union, types.UnionType)
        held = {n: k for n, k in vars(module).items() if is_typeddict(k) or get_origin(k) in own}
        self.source = module.__name__.replace(".", "/")
        self.said = said
        self.incoming = tuple(reached(held[said]))
        known = (*self.incoming, *reached(held[heard]))
        self.named = {name: kind for name, kind in held.items() if kind in known}

    def text(self) -> str:
        """The whole file."""
        checks = {name: self.checking(name, kind) for name, kind in self.named.items()}
        made = "\n\n".join(
            text
            for name, kind in self.named.items()
            for text in (self.typed(name, kind), checks[name])
            if text
        )
        helpers = re.findall(r"^export (?:function|const) (\w+)", CHECKING.read_text(), re.M)
        words = set(re.findall(r"\w+(?=[(<,)\n])", "\n".join(checks.values())))
        used = ", ".join(name for name in helpers if name in words)
        wrapped = "\n".join(textwrap.wrap(used, WIDTH, initial_indent="  ", subsequent_indent="  "))
        return (
            f"// Made from {self.source}.py by labextension/generate.py: change it there.\n\n"
            f"import {{\n{wrapped}\n}} from '../checks';\n\n{made}\n"
        )

    def name(self, kind: Any) -> str | None:
        """The name that the module has for a kind."""
        return next((name for name, held in self.named.items() if held == kind), None)

    def typed(self, name: str, kind: Any) -> str:
        """The declaration of a type; none for what is a text with limits."""
        if is_typeddict(kind):
            rows = (
                f"  {field}{'?' * may_be_missing}: {self.type(hint)};\n"
                for field, (hint, may_be_missing) in fields(kind).items()
            )
            return f"{jsdoc(kind.__doc__)}export interface I{name} {{\n{''.join(rows)}}}"
        if get_origin(kind) is Annotated:
            return ""
        return f"export type {name} =\n  | " + "\n  | ".join(map(self.type, members(kind))) + ";"

    def checking(self, name: str, kind: Any) -> str:
        """The declaration of a check; none for what the kernel does not say."""
        if kind not in self.incoming:
            return ""
        if name == self.said:
            rows = [
                f"  {word}: is{self.name(part)}"
                for part in members(kind)
                for word in get_args(fields(part)["type"][0])
            ]
            made = f"tagged<{name}>({{\n" + ",\n".join(rows) + "\n})"
        elif is_typeddict(kind):
            rows = [
                f"  {field}: "
                + (f"optional({self.check(hint)})" if may_be_missing else self.check(hint))
                for field, (hint, may_be_missing) in fields(kind).items()
            ]
            made = f"object<I{name}>({{\n" + ",\n".join(rows) + "\n})"
        else:
            made = self.made(kind)
        return f"export const is{name} = {made};"

    def type(self, kind: Any) -> str:
        """A kind as TypeScript has it."""
        name, origin, inner = self.name(kind), get_origin(kind), get_args(kind)
        if is_typeddict(kind):
            return f"I{name}"
        if origin is Annotated:
            return self.type(inner[0])
        if name is not None:
            return name
        if origin is Literal:
            return " | ".join(f"'{word}'" for word in inner)
        if origin in (Union, types.UnionType):
            return " | ".join(map(self.type, inner))
        if origin is list:
            item = self.type(inner[0])
            return f"({item})[]" if " | " in item else f"{item}[]"
        if origin is tuple:
            return f"[{', '.join(map(self.type, inner))}]"
        if origin in (dict, Mapping):
            return f"Record<string, {self.type(inner[1])}>"
        return "unknown" if kind is Any else PLAIN[kind]

    def check(self, kind: Any) -> str:
        """The check of a kind, by its name if it has one."""
        name = self.name(kind)
        return f"is{name}" if name is not None else self.made(kind)

    def made(self, kind: Any) -> str:
        """The check of a kind, made of others."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            (limit,) = inner[1:]
            return self.limited(inner[0], limit)
        if origin is Literal:
            return f"oneOf({', '.join(repr(word) for word in inner)})"
        if origin in (Union, types.UnionType):
            (held,) = (part for part in inner if part is not types.NoneType)
            return f"nullable({self.check(held)})"
        if origin is list:
            return f"listOf({self.check(inner[0])})"
        if origin is tuple:
            return f"tuple({', '.join(map(self.check, inner))})"
        if origin in (dict, Mapping):
            return f"mapOf({self.check(inner[1])})"
        return CHECKS[kind]

    def limited(self, kind: Any, limit: TextLimit | NumberLimit) -> str:
        if isinstance(limit, NumberLimit):
            if get_origin(kind) is list:
                return f"listOf({self.check(get_args(kind)[0])}, {number(limit.most)})"
            return f"upTo({number(limit.most)})"
        if not limit.pattern:
            return f"text({number(limit.longest)})"
        pattern = limit.pattern.replace("/", r"\/")
        return f"text({number(limit.longest)}, /^(?:{pattern})$/)"


def reached(kind: Any) -> Iterator[Any]:
    """This kind and all that it is made of."""
    yield kind
    parts = [held for held, _ in fields(kind).values()] if is_typeddict(kind) else get_args(kind)
    for part in parts:
        yield from reached(part)


def members(kind: Any) -> list[Any]:
    """The members of a union, or the words of a Literal as one each."""
    given = get_args(kind)
    return [Literal[word] for word in given] if get_origin(kind) is Literal else list(given)


def number(value: int) -> str:
    return f"{value:_}"


def jsdoc(doc: str | None) -> str:
    """A docstring as the comment of a declaration."""
    said = inspect.cleandoc(doc or "").replace("None", "null").replace('""', "''")
    if said == "":
        return ""
    if "\n" not in said:
        return f"/** {said} */\n"
    paragraphs = (textwrap.wrap(paragraph, WIDTH) for paragraph in said.split("\n\n"))
    lines = "\n *\n".join("\n".join(f" * {line}" for line in each) for each in paragraphs)
    return f"/**\n{lines}\n */\n"


def files() -> dict[Path, str]:
    """Each file with its text."""
    return {GENERATED / name: Module(*source).text() for name, source in SOURCES.items()}


if __name__ == "__main__":
    GENERATED.mkdir(exist_ok=True)
    for path, written in files().items():
        path.write_text(written, encoding="utf-8")
