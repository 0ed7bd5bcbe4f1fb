"""Tools: a Python function that the model may call, whether a call is allowed, and its result."""
