"""Notebooks with figures, for tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from PIL import Image

from tests.messages.images.image_samples import saved as encoded

# Images of different colours, so that each is asked about by itself.
RED, BLUE, GREEN = (
    encoded(Image.new("RGB", (60, 40), colour)) for colour in ("red", "blue", "green")
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><path d="M0 0h9v9z"/></svg>'


def base64_of(image: bytes) -> str:
    return base64.b64encode(image).decode()


def displayed(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """An output with this mimebundle."""
    about = metadata if metadata is not None else {}
    return {"output_type": "display_data", "data": data, "metadata": about}


def shown(image: bytes = RED, metadata: Any = None, **more: Any) -> dict[str, Any]:
    """An output with a PNG, as matplotlib's inline backend leaves it."""
    data = {"image/png": base64_of(image) + "\n", "text/plain": ["<Figure size 640x480>"]}
    return displayed({**data, **more}, metadata)


def code(source: str, *outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "id": f"cell-{len(source)}",
        "metadata": metadata,
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def markdown(source: str, *, attachments: Any = None, **metadata: Any) -> dict[str, Any]:
    cell = {
        "cell_type": "markdown",
        "id": f"cell-{len(source)}",
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    return cell if attachments is None else {**cell, "attachments": attachments}


def attachment(image: bytes = BLUE) -> dict[str, str]:
    return {"image/png": base64_of(image)}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def saved(path: Path, *cells: dict[str, Any], **style: Any) -> Path:
    """The notebook as a file, as Jupyter writes it unless told otherwise."""
    written = {"indent": 1, "sort_keys": True, "ensure_ascii": False, **style}
    path.write_text(json.dumps(notebook(*cells), **written) + "\n", encoding="utf-8", newline="")
    return path
