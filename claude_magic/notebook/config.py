"""Settings of the extension and where each value comes from.

In order, the first that says something wins: `%claude_config`, the environment
(`CLAUDE_MAGIC_<NAME>`; `ANTHROPIC_BASE_URL` for the address), the project file
`.claude_magic.toml` (here or in a folder above), the Jupyter or IPython configuration
(`c.ClaudeMagics.<name>`), the default.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from traitlets import Bool, Enum, Float, Int, TraitError, Unicode
from traitlets.config import Configurable

from ..conversation.settings import NOTEBOOK_PROMPT

if TYPE_CHECKING:
    from ..conversation.settings import Settings
    from ..messages.errors import InputError

    Text = Unicode[str, str | bytes]
else:
    Text = Unicode  # before traitlets 5.8 its traits take no types

PROJECT_FILE = ".claude_magic.toml"
_PREFIX = "CLAUDE_MAGIC_"
_DEFAULT = "default"

# A project file comes with somebody's repository: it must not say where the key goes.
# Nor which file is written, what a reply may have run on this machine, or which prices the budget
# reckons with.
_NOT_FROM_PROJECT = frozenset({"base_url", "auth", "api_version", "models_file", "record", "tools"})
# What asks before more comes later.
_APPROVE = ("auto", "ask", "never")


class Setting(NamedTuple):
    """One row of `%claude_config`."""

    name: str
    value: Any
    source: str
    help: str


class _Carried(Text):
    """Words that say what goes along; an expression or a path is taken on the line only.

    A setting may come from somebody's project file, and what `-i` names is evaluated.
    """

    def __init__(self, words: str, **kwargs: Any) -> None:
        super().__init__("auto", **kwargs)
        self.words = words

    def validate(self, obj: Any, value: Any) -> str:
        said = super().validate(obj, value)
        if re.fullmatch(rf"{self.words}|last(:[1-9][0-9]*)?", said):
            return said
        raise TraitError(f"{self.name}={value!r} does not fit; give {self.info()}.")

    def info(self) -> str:
        return f"{self.words.replace('|', ', ')}, last or last:2"


class _Screen(Text):
    """The size of a screen in pixels."""

    def validate(self, obj: Any, value: Any) -> str:
        from ..computer import parse_size
        from ..messages.errors import InputError

        said = super().validate(obj, value)
        try:
            parse_size(said)
        except InputError:
            raise TraitError(f"{self.name}={value!r} does not fit; give {self.info()}.") from None
        return said

    def info(self) -> str:
        return "a size such as 1280x800, from 320x240 to 3840x2160"


class _Version(Text):
    """A version of the API: a date."""

    def validate(self, obj: Any, value: Any) -> str:
        said = super().validate(obj, value)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", said):
            return said
        raise TraitError(f"{self.name}={value!r} does not fit; give {self.info()}.")

    def info(self) -> str:
        return "a date such as 2023-06-01 or 2026-10-21"


class Settable(Configurable):
    """The traits, for Jupyter's configuration files, and the values in force."""

    base_url = Unicode("https://api.anthropic.com", help='Server address, or "offline".').tag(
        config=True
    )
    auth = Enum(
        ("auto", "x-api-key", "bearer"),
        "auto",
        help="Header that carries the key; auto: x-api-key, of an auth token bearer.",
    ).tag(config=True)
    api_version = _Version("2023-06-01", help="The anthropic-version header.").tag(config=True)
    model = Unicode("sonnet", help="Model or alias.").tag(config=True)
    models_file = Unicode("", help="File of models that the table lacks, or has wrong.").tag(
        config=True
    )
    system = Unicode(
        NOTEBOOK_PROMPT,
        help="System prompt for every question in place of ours; empty: none; default: ours again.",
    ).tag(config=True)
    max_tokens = Int(0, min=0, help="Longest reply in tokens; 0: by model.").tag(config=True)
    effort = Enum(
        ("low", "medium", "high", "xhigh", "max", ""),
        "medium",
        help="How hard to think, where the model knows effort.",
    ).tag(config=True)
    think = Enum(("auto", "show", "off"), "auto", help="Thinking: show it, or off.").tag(
        config=True
    )
    budget = Float(5.0, min=0.0, help="USD that one kernel may spend.").tag(config=True)
    context = _Carried(
        "auto|none|above", help="Cells that go along: auto, none, above, last:2."
    ).tag(config=True)
    images = _Carried("auto|none", help="Figures that go along: auto, none, last:2.").tag(
        config=True
    )
    tools = Unicode("", help="Tools that every question offers, by name, with commas.").tag(
        config=True
    )
    approve = Enum(
        _APPROVE, "ask", help="Before a tool's call: ask, run it (auto), or never run any."
    ).tag(config=True)
    steps = Int(20, min=1, help="Rounds of tool calls of one question.").tag(config=True)
    tool_timeout = Float(
        120.0, min=0.0, help="Seconds that a tool's function may run; 0: any time."
    ).tag(config=True)
    screen = _Screen("1280x800", help="Size of the virtual desktop in pixels.").tag(config=True)
    replay = Enum(
        ("on", "off", "only"),
        "on",
        help="Show a request's recorded reply instead of asking it again; only: never ask.",
    ).tag(config=True)
    record = Unicode("", help="File of a portable recording: replies are kept there too.").tag(
        config=True
    )
    store = Enum(
        ("on", "off"), "on", help="Keep the conversation on disk, so that it survives a restart."
    ).tag(config=True)
    hires = Bool(False, help="Images up to the model's own limit.").tag(config=True)
    quiet = Bool(False, help="No lines above and below a reply.").tag(config=True)
    stream = Enum(("on", "off"), "on", help="Show the reply as it comes, or once at its end.").tag(
        config=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._said: dict[str, Any] = {}
        self._named = False

    def settings_rows(self) -> list[Setting]:
        """Every setting with its value and where that comes from.

        A value that does not fit is shown with what is wrong, so that it can be set right.
        """
        from ..messages.errors import InputError

        path, project = _project_file()
        rows = []
        for name in _names():
            try:
                rows.append(self._row(name, path, project))
            except InputError as error:
                rows.append(Setting(name, "does not fit", "", str(error)))
        return rows

    def value(self, name: str) -> Any:
        """The value in force of one setting."""
        path, project = _project_file()
        return self._row(name, path, project).value

    def session_settings(self) -> Settings:
        """The part of the settings that asking needs."""
        from dataclasses import fields

        from ..conversation.settings import Settings

        path, project = _project_file()
        names = [field.name for field in fields(Settings) if field.name != "named"]
        rows = {name: self._row(name, path, project) for name in names}
        values = {name: row.value for name, row in rows.items()}
        if rows["system"].source == _DEFAULT:  # ours, which is sent where a notebook asks
            values["system"] = None
        return Settings(**values, named=self._named)

    def say(self, name: str, text: str) -> None:
        """Set `name` for this kernel from its text form; an empty text takes that back.

        An empty system prompt is none; "default" takes that back.

        Raises InputError for an unknown name or a value that does not fit.
        """
        if name not in _names():
            raise _refused(f"{name!r} is no setting: see %claude_config for the list.")
        if text != (_DEFAULT if name == "system" else ""):
            self._said[name] = _parsed(self, name, text, "%claude_config")
        else:
            self._said.pop(name, None)
        self._named = self._named or name == "base_url"  # taken back is said too

    def _row(self, name: str, path: Path | None, project: Mapping[str, Any]) -> Setting:
        trait = _trait(self, name)
        help_text = str(trait.help)
        if name in self._said:
            return Setting(name, self._said[name], "%claude_config", help_text)
        for variable in _variables(name):
            if os.environ.get(variable):
                value = _parsed(self, name, os.environ[variable], variable)
                return Setting(name, value, variable, help_text)
        configured = getattr(self, name)
        default = trait.default_value
        where = _DEFAULT if configured == default else "Jupyter configuration"
        if name in project and name not in _NOT_FROM_PROJECT:
            value = _parsed(self, name, str(project[name]), str(path))
            if _may_say(name, value, configured):
                return Setting(name, value, PROJECT_FILE, help_text)
        return Setting(name, configured, where, help_text)


def _may_say(name: str, value: Any, configured: Any) -> bool:
    """Whether a project file may say this: what protects the user it may tighten only."""
    if name == "budget":
        return bool(value < configured)
    if name == "approve":
        return _APPROVE.index(value) > _APPROVE.index(configured)
    return True


def _names() -> list[str]:
    return list(Settable.class_own_traits(config=True))


def _variables(name: str) -> list[str]:
    own = _PREFIX + name.upper()
    return [own, "ANTHROPIC_BASE_URL"] if name == "base_url" else [own]


def _trait(owner: Settable, name: str) -> Any:
    """The trait itself; `traits()` looks through all of them."""
    return getattr(type(owner), name)


def _parsed(owner: Settable, name: str, text: str, source: str) -> Any:
    trait = _trait(owner, name)
    try:
        value = trait._validate(owner, trait.from_string(text))
    except (TraitError, ValueError):
        value = math.nan
    # A budget that is no number would let everything pass.
    if isinstance(value, float) and math.isnan(value):
        choices = getattr(trait, "values", None)
        fits = f"one of {', '.join(v for v in choices if v)}" if choices else trait.info()
        raise _refused(f"{source}: {name}={text!r} does not fit; give {fits}.")
    return value


def _project_file() -> tuple[Path | None, Mapping[str, Any]]:
    """The nearest project file at or above the working folder, and what it says."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the folder was deleted under the kernel
        return None, {}
    for folder in (here, *here.parents):
        path = folder / PROJECT_FILE
        if path.is_file():
            import tomllib

            try:
                return path, tomllib.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise _refused(f"{path} cannot be read: {error}") from None
    return None, {}


def refused_by_project() -> list[str]:
    """Settings that the project file names and that are not taken from one."""
    return sorted(_NOT_FROM_PROJECT & set(_project_file()[1]))


def _refused(message: str) -> InputError:
    from ..messages.errors import InputError  # not needed to load the extension

    return InputError(message)
