"""Plotly's figures, read from their JSON as plotly.js draws it."""
