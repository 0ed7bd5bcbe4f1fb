"""Code execution: calls with results of a container that does not exist. Nothing is run."""

from __future__ import annotations

from dataclasses import replace

from ..messages.blocks import Block
from .orders import Order
from .passages import Passage
from .server_tool_call import Called, Setting, failed, made_call, version_of

WITH_SESSION = "20260120"
"""The version from which on code may call tools, and the web tools may call code."""
_PYTHON_ONLY = "20250522"
"""The version that runs Python only; later ones write a file and run it with bash."""
_CODE = 'print("Hello from the offline server")'
_PATH = "/tmp/offline.py"  # noqa: S108 - nothing is written: the name of a file in no container


def run(order: Order, setting: Setting) -> Called:
    """The call that runs the code in `order`, as a file where the tool's version has it so."""
    code = next(iter((*order.codes, *map(str, order.values), *order.marks)), _CODE)
    if version_of(setting.tool) <= _PYTHON_ONLY:
        call = made_call(setting, "code_execution", {"code": code})
        return ran(call, setting)
    write = {"command": "create", "path": _PATH, "file_text": code + "\n"}
    created = made_call(setting, "text_editor_code_execution", write, part="file")
    written = {
        "type": "text_editor_code_execution_tool_result",
        "tool_use_id": created["id"],
        "content": {"type": "text_editor_code_execution_create_result", "is_file_update": False},
    }
    call = made_call(setting, "bash_code_execution", {"command": f"python {_PATH}"})
    return replace(ran(call, setting), around=[created, written])


def ran(call: Block, setting: Setting) -> Called:
    """The call with what its container would have said."""
    kind = str(call["name"])
    if setting.fails:
        return failed(call, f"{kind}_tool_result", "unavailable")
    content = {
        "type": f"{kind}_result",
        "stdout": "The offline server runs nothing.\n",
        "stderr": "",
        "return_code": 0,
        "content": [],
    }
    result = {"type": f"{kind}_tool_result", "tool_use_id": call["id"], "content": content}
    return Called(call, [result], [Passage("No code was run by the offline server.\n\n")])
