"""What a caption holds. Imports pydantic: imported where a caption is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

FigureKind = Literal[
    "line chart",
    "scatter plot",
    "bar chart",
    "histogram",
    "box or violin plot",
    "heat map",
    "area chart",
    "pie chart",
    "map",
    "several charts",
    "other chart",
    "diagram",
    "table",
    "photograph",
    "micrograph or scan",
    "drawing",
    "screenshot",
    "text or formula",
    "other",
]


class Caption(BaseModel):
    """One figure in words: the two text alternatives that a complex image needs, and what it is.

    Source: the Web Accessibility Initiative's tutorial on complex images (a short text that
    identifies, a long one that tells what the image tells).
    """

    kind: FigureKind = Field(description="what kind of figure it is")
    alt_text: str = Field(
        description=(
            "the short alternative: one or two sentences, at most 200 characters, that name the "
            "kind of figure, what it shows, and the one thing to take from it"
        )
    )
    description: str = Field(
        description=(
            "the long description, three to eight sentences: how the figure is built, then "
            "extremes and comparisons with their values, then trends and patterns"
        )
    )
    x_axis: str = Field(
        description='the x axis of a chart: label, unit, range, scale; "" where there is none'
    )
    y_axis: str = Field(
        description='the y axis of a chart: label, unit, range, scale; "" where there is none'
    )
    trend: str = Field(
        description='the main trend or pattern of a chart in one sentence; "" where there is none'
    )
    confidence: Literal["high", "medium", "low"] = Field(
        description=(
            "high where every value named was given as data or can be read exactly, low where "
            "the figure can hardly be read"
        )
    )
    warnings: list[str] = Field(
        description=(
            "what a reader of the caption has to know: what cannot be read, axes that do not "
            "start at 0, data that disagrees with the picture; empty where there is nothing"
        )
    )
