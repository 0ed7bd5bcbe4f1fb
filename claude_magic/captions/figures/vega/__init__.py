"""Vega-Lite's and Vega's figures, with the values that Vega computes of their rows."""
