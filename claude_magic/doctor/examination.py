"""The examination of a server: what is tried, for how much, and what came of it, told in lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..conversation.asking.connection import Connections, Server, environment_headers, require_key
from ..conversation.asking.plan import about
from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.credentials import find_key, mask
from ..messages.errors import ClaudeError, ConnectionFailed, InputError
from ..messages.usage import Usage
from ..rendering import plain
from ..value_classes import frozen
from .probes import FREE, LONGEST, PROBES, NotFollowed, Patient, needless

if TYPE_CHECKING:
    from ..conversation.asking.connection import Server
    from ..conversation.settings import Settings
    from ..messages.transport.client import Client

# A word or two, and as much thinking as a small question takes.
_EXPECTED_IN, _EXPECTED_OUT = 250, 150
_NEEDED = ("message", "stream")


@frozen
class Finding:
    """What one probe found: `works` is "yes", "partly", "no", or "-" if it was not made."""

    works: str
    seconds: float = 0.0
    remark: str = ""


def listed(client: Client, own: Catalogue) -> tuple[Catalogue, Finding]:
    """The user's `own` catalogue with what the server lists, if it does, and what that took.

    Raises ConnectionFailed where there is no server.
    """
    began = time.monotonic()
    try:
        known = own.with_list(client.models())
    except ConnectionFailed:
        raise
    except ClaudeError as error:
        return own, Finding("no", time.monotonic() - began, str(error))
    return known, Finding("yes", time.monotonic() - began, f"{len(known.listed or ()):,} listed")


def model_name(known: Catalogue, server: Server, said: str, *, chosen: bool) -> str:
    """The model to ask: the one that somebody chose, else on other servers the first listed.

    Raises InputError where none is listed either.
    """
    if chosen or server.anthropic:
        return said
    if not known.listed:
        raise InputError(f"{server.host} lists no models: name one with --model.")
    return known.listed[0]


def price(patient: Patient, server: Server) -> str:
    """The line that says what will be sent, and for how much."""
    count = sum(name not in FREE and not needless(patient, name) for name in PROBES)
    asked = f"{count} small questions are asked"
    if server.loopback:
        return f"{asked}, on this machine."
    most = Usage(fresh=count * _EXPECTED_IN, output=count * LONGEST).cost(patient.model)
    about = Usage(fresh=count * _EXPECTED_IN, output=count * _EXPECTED_OUT).cost(patient.model)
    if most is None or about is None:
        return f"{asked}; what they cost is not known."
    return f"{asked}: about ${about:.3f}, at most ${most:.2f}."


def examine(patient: Patient) -> Iterator[tuple[str, Finding]]:
    """Each probe's name and what it finds, as it is found.

    Where neither a message nor a stream comes, no more is tried.
    """
    works: dict[str, str] = {}
    for name, probe in PROBES.items():
        reason = needless(patient, name)
        if all(works.get(needed) == "no" for needed in _NEEDED):
            finding = Finding("-", remark="not tried")
        elif reason:
            finding = Finding("no", remark=reason)
        else:
            finding = _try(patient, probe)
        works[name] = finding.works
        yield name, finding


def _try(patient: Patient, probe: Callable[[Patient], str]) -> Finding:
    began = time.monotonic()
    try:
        works, remark = "yes", probe(patient)
    except NotFollowed as answer:
        works, remark = "partly", str(answer)
    except ClaudeError as error:
        works, remark = "no", str(error)
    return Finding(works, time.monotonic() - began, remark)


def usable(works: Mapping[str, str]) -> bool:
    """Whether a server of which the probes found this can be used at all."""
    return all(works[name] == "yes" for name in _NEEDED)


# A feature, and the probes that must have worked for it.
_FEATURES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("%%claude", ("stream",)),
    ("system=", ("system prompt",)),
    ("figures and -i", ("image",)),
    ("--tools", ("tool call", "tool result")),
    ("--dry-run=count", ("count_tokens",)),
    ("--prefill", ("prefill",)),
)


def advice(works: Mapping[str, str]) -> str:
    """One line: which features of this package work there, and what to do without the others."""
    if works["stream"] != "yes":
        return "This server cannot be used: nothing here works without streams."
    good = [name for name, probes in _FEATURES if all(works[p] == "yes" for p in probes)]
    bad = [name for name, _ in _FEATURES if name not in good]
    if works["JSON by schema"] == "yes":
        good.append("--json")
    elif works["JSON by words"] == "yes":
        good.append("--json, by instructions")
    else:
        bad.append("--json")
    said = f"Works: {', '.join(good)}."
    if bad:
        said += f" Does not, or not reliably: {', '.join(bad)}."
    if "figures and -i" in bad:
        said += " Leave figures out: %claude_config images=none."
    if "--prefill" in bad:
        said += " A prefill is asked for otherwise."
    return said


UNUSABLE, NOT_CONFIRMED, INTERRUPTED = 1, 2, 130
_LONGEST_REMARK = 110
_GO_ON = "Go on? [y/N] "


def run(
    base_url: str | None,
    model: str | None,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    confirm: Callable[[str], bool] | None,
) -> int:
    """Examine a server and tell what was found; 0 if messages and streams work.

    The settings are those of a notebook in this folder, with `base_url` and `model` in their
    place. `confirm` is asked before anything is sent that may cost; None: there is nobody to ask,
    and nothing of that is sent.
    """
    connections = Connections()
    try:
        settings, chosen = _settings(base_url, model)
        server = Server.of(settings.base_url)
        found, custom = None if server.offline else find_key(), environment_headers()
        require_key(server, found, custom)
        client = connections.client(settings, server, found, custom)
        secrets = (*([found.secret] if found else []), *custom.secrets)
        # A reply may hold anything, the key that was sent too.
        return report(
            client,
            server,
            settings,
            chosen,
            say=lambda line: say(mask(plain(line), *secrets)),
            warn=warn,
            confirm=confirm,
        )
    except ClaudeError as error:
        warn(f"claude-magic: {plain(str(error))}")
        return UNUSABLE
    except KeyboardInterrupt:
        warn("claude-magic: interrupted")
        return INTERRUPTED
    finally:
        connections.close()


def _settings(base_url: str | None, model: str | None) -> tuple[Settings, bool]:
    """The settings in force, and whether somebody chose the model."""
    from ..notebook.config import Settable

    settable = Settable()
    for name, value in (("base_url", base_url), ("model", model)):
        if value:
            settable.say(name, value)
    sources = {row.name: row.source for row in settable.settings_rows()}
    return settable.session_settings(), sources["model"] != "default"


def report(
    client: Client,
    server: Server,
    settings: Settings,
    chosen: bool,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    confirm: Callable[[str], bool] | None,
) -> int:
    """The same for a server to which there is a client; `chosen`: somebody chose the model."""
    known, listing = listed(client, _own(settings))
    name = model_name(known, server, settings.model, chosen=chosen)
    patient = Patient(client, known.choose(name, anthropic=server.anthropic), server.anthropic)
    say(f"{server.host}, model {patient.model.id}")
    for line in about(patient.model, known, server):
        say(line)
    say(price(patient, server))
    if not server.loopback:
        if confirm is None:
            warn("claude-magic: nothing was asked yet; go on with --yes")
            return NOT_CONFIRMED
        if not confirm(_GO_ON):
            return NOT_CONFIRMED
    say(_line("models", listing))
    works = {}
    for name, finding in examine(patient):
        works[name] = finding.works
        say(_line(name, finding))
    say(advice(works))
    return 0 if usable(works) else UNUSABLE


def _own(settings: Settings) -> Catalogue:
    """The catalogue with the user's own file of models."""
    if not settings.models_file:
        return BUILT_IN
    from ..messages.models_file import read_models

    return read_models(Path(settings.models_file).expanduser())


def _line(name: str, finding: Finding) -> str:
    remark = " ".join(finding.remark.split())
    if len(remark) > _LONGEST_REMARK:
        remark = f"{remark[: _LONGEST_REMARK - 1]}…"
    seconds = f"{finding.seconds:.2f} s" if finding.seconds else ""
    return f"  {name:<15} {finding.works:<7} {seconds:>8}  {remark}".rstrip()
