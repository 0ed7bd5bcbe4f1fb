"""The Messages API on the wire: blocks, streams, errors, models, images, usage. No Jupyter."""
