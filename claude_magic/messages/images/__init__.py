"""Anything that shows, as one image block: sources, pixels, what is whole, what is sent."""
