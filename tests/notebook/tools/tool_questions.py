"""Functions that a notebook offers as tools, and questions in which a model calls them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tests.conversation.scripted_server import Says, ScriptedServer, calls, says
from tests.kernels import Kernel, Ran

CANARY = "sk-canary-tools-0123456789"
DEFINED = """import time
import matplotlib.pyplot as plt
import pandas as pd
import claude_magic

def lookup(gene: str, most: int = 3) -> list[str]:
    "The rows of a gene."
    return [gene] * most

def plot():
    "A figure."
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    plt.close(figure)
    return {"figure": figure, "mean": 1.5}

def table():
    "A table."
    return pd.DataFrame({"gene": ["tp53"], "count": [3]})

def fails():
    "Fails."
    raise ValueError("no such gene")

def sleeps():
    "Takes long."
    print("begun", flush=True)
    time.sleep(30)

async def later(word: str):
    "Comes later."
    return word.upper()
"""
AUTO = "--approve auto"
RECORDER = "get_ipython().magics_manager.registry['ClaudeMagics'].recorder"

_NUMBERS = itertools.count(1)


def call(name: str, /, **arguments: Any) -> tuple[str, str, Mapping[str, Any]]:
    """A call, with an id that no other one of the conversation has."""
    return f"toolu_{next(_NUMBERS)}", name, arguments


def ask(
    kernel: Kernel,
    server: ScriptedServer,
    line: str,
    *called: tuple[str, str, Mapping[str, Any]] | Says,
    **how: Any,
) -> Ran:
    """Ask with these options; the model makes these calls, one reply each, and then is done."""
    replies = [c if isinstance(c, Says) else calls(c) for c in called]
    server.script[:] = [*replies, says("Done.")]
    server.bodies.clear()
    return kernel.run(f"%%claude --alone --fresh -c none {line}\nGo on", **how)


def results(server: ScriptedServer) -> Sequence[Mapping[str, Any]]:
    """The results that went back in the last request."""
    found = server.bodies[-1]["messages"][-1]["content"]
    return [block for block in found if block["type"] == "tool_result"]


def said(result: Mapping[str, Any]) -> str:
    return "\n".join(b["text"] for b in result["content"] if b["type"] == "text")


def kinds(result: Mapping[str, Any]) -> list[str]:
    return [block["type"] for block in result["content"]]
