"""Alt text for the figures of notebooks: found, asked for, written into the file."""
