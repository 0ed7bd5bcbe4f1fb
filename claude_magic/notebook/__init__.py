"""The IPython side: which cell asks, what the notebook shows, and the magics."""
