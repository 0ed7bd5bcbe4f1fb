"""Amounts in words: how many there are of something, what it costs."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """For example "1 cell", "4,000 cells"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def dollars(amount: float) -> str:
    """USD with the digits that matter: "$0.004", "$1.25"."""
    if amount >= 0.995:
        return f"${amount:,.2f}"
    if amount >= 0.0005:
        return f"${amount:.3f}"
    return "$0" if amount == 0 else f"${amount:.5f}"
