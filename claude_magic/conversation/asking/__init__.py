"""One question: what it is, what it would send and cost, and how it is asked."""
