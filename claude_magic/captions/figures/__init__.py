"""The data behind a figure, as a short text: what a caption from pixels would have to guess."""

from __future__ import annotations

from .figure_text import bundle_data, figure_data

__all__ = ["bundle_data", "figure_data"]
