"""A reply in a cell or terminal, and the tables of ours."""
