"""A kernel says everything that was agreed, and nothing else: `panels.Panel` checks what comes."""

from __future__ import annotations

from typing import get_args

from claude_magic.notebook.page.page_messages import fields
from claude_magic.panel.protocol import KernelMessage
from tests.kernels import Kernel
from tests.messages.images.image_samples import photo, saved
from tests.panel.panels import Panel
from tests.panel.test_approval_in_a_kernel import TOOL

KINDS = {kind for each in get_args(KernelMessage) for kind in get_args(fields(each)["type"][0])}


def test_each_kind_of_message_comes_from_a_real_kernel(panel: Panel, own: Kernel) -> None:
    own.run(TOOL)
    own.run("%claude_config tools=lookup_gene")
    panel.ask("   ")  # notice
    panel.say(
        {"type": "attach", "attachment": "a1", "label": "ant.png", "bundle": {}},
        saved(photo(60, 40)),
    )
    panel.one("attached")
    turn = panel.asked("What is it?", attachments=["a1"])
    request = panel.ask("Ask lookup_gene about it")
    approval = panel.one("approve", run=panel.begun(request)["run"])["approval"]["approval"]
    panel.say({"type": "decide", "approval": approval, "answer": "once", "reason": ""})
    panel.ended(request)
    panel.hello("late")  # thumbnails
    panel.say({"type": "earlier", "before": turn["id"]})
    panel.say({"type": "picture", "turn": turn["id"], "index": 0})
    panel.say({"type": "sent", "turn": turn["id"]})
    panel.say({"type": "export", "form": "md"})
    for kind in sorted(KINDS):
        panel.one(kind)
