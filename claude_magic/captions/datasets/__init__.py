"""Captions for many images: rows in, a table out, resumable, by threads, batches or Daft."""
