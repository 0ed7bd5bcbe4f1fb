"""The lines in the user's own Jupyter configuration that have exports bear alt text.

They are in a file that nbconvert reads and JupyterLab's server too, for Save and Export. They are
guarded: where this package is gone, they do nothing. No file of the installed package does it, for
that would take the place of an administrator's.
"""

from __future__ import annotations

import ast
from pathlib import Path

from ...files import replacing
from ...messages.errors import InputError

_NAME = "jupyter_config.py"
_BEGIN = b"# alt text in exports; `claude-magic alt-text disable` takes this out"
# Said behind it of what else has to go for the file to be as it was.
_WITH_BREAK, _WITH_FILE = b", and the line break above", b", and this file"
_LINES = b"""
from importlib.util import find_spec as _find_spec
if _find_spec("claude_magic") and _find_spec("nbconvert"):
    c.Exporter.preprocessors.append("claude_magic.captions.notebooks.export_alt.AltText")
"""
_END = b"# end of alt text in exports\n"


def configuration() -> Path:
    """The user's own configuration of all of Jupyter; it may not be there."""
    from jupyter_core.paths import jupyter_config_dir

    return Path(jupyter_config_dir()) / _NAME


def is_enabled(file: Path) -> bool:
    """Whether the file has our lines."""
    return _BEGIN in (_read(file) or b"")


def enable(file: Path) -> bool:
    """Add our lines; False where they are there already.

    Raises InputError where the file cannot be read or written, or is no Python.
    """
    found = _read(file)
    before = found or b""
    if _BEGIN in before:
        return False
    try:
        ast.parse(before)
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"{file} is no Python, so that Jupyter cannot read it: set it right first ({error})."
        ) from None
    is_broken_off = not before.endswith((b"\n", b"\r")) and before != b""
    also = _WITH_FILE if found is None else _WITH_BREAK if is_broken_off else b""
    _write(file, before + b"\n" * is_broken_off + _BEGIN + also + _LINES + _END)
    return True


def disable(file: Path) -> bool:
    """Take our lines out again, so that the file is as it was; False without them.

    Raises InputError where the file cannot be read or written, or the lines' end is not there.
    """
    before = _read(file) or b""
    start = before.find(_BEGIN)
    if start < 0:
        return False
    end = before.find(_END, start)
    if end < 0:
        line = _END.decode().strip()
        raise InputError(
            f"{file}: the line {line!r} is gone. Take the lines before it out by hand."
        )
    also = before[start + len(_BEGIN) :].partition(b"\n")[0]
    after = before[: start - (also == _WITH_BREAK)] + before[end + len(_END) :]
    if after or also != _WITH_FILE:
        _write(file, after)
    else:
        file.unlink()
    return True


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from None


def _write(file: Path, content: bytes) -> None:
    target = file.resolve()  # what a link leads to is replaced, not the link
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}).") from None
