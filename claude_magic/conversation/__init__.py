"""One conversation: its turns, and the session that asks. No Jupyter."""
