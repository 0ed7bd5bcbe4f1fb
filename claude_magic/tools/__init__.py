"""Tools that Claude may call, and what runs them. No Jupyter."""
