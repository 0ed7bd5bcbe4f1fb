"""The tools of a notebook: run code, look at the page, write cells, and who is asked first."""
