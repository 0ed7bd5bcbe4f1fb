"""`claude-magic doctor`: the examination as lines for a terminal, and its exit status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..conversation.asking.connection import Connections, Server, environment_headers, require_key
from ..conversation.asking.plan import about
from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.credentials import find_key, mask
from ..messages.errors import ClaudeError
from ..rendering import plain
from .examination import Finding, advice, examine, listed, model_name, price, usable
from .probes import Patient

if TYPE_CHECKING:
    from ..conversation.settings import Settings
    from ..messages.transport.client import Client

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
    from ..messages.catalogue import read_models

    return read_models(Path(settings.models_file).expanduser())


def _line(name: str, finding: Finding) -> str:
    remark = " ".join(finding.remark.split())
    if len(remark) > _LONGEST_REMARK:
        remark = f"{remark[: _LONGEST_REMARK - 1]}…"
    seconds = f"{finding.seconds:.2f} s" if finding.seconds else ""
    return f"  {name:<15} {finding.works:<7} {seconds:>8}  {remark}".rstrip()
