"""The panel as a widget of ipywidgets. Importing this imports ipywidgets."""

from __future__ import annotations

from ipywidgets import DOMWidget
from traitlets import Unicode

from .._version import __version__
from .chat import Chat

MODULE = "claude-magic"


class ClaudeChat(Chat, DOMWidget):  # type: ignore[misc] # ipywidgets has no types
    """A chat panel of the running notebook, hosted by the JupyterLab extension.

    It has the conversation of `%%claude`: what is asked in a cell appears here, and the other way
    round. Any number of them can be shown. Raises InputError where the extension is not loaded.
    """

    _model_name = Unicode("ClaudeChatModel").tag(sync=True)
    _model_module = Unicode(MODULE).tag(sync=True)
    _model_module_version = Unicode(__version__).tag(sync=True)
    _view_name = Unicode("ClaudeChatView").tag(sync=True)
    _view_module = Unicode(MODULE).tag(sync=True)
    _view_module_version = Unicode(__version__).tag(sync=True)
