"""Captions: alt text for figures, for notebooks and for data sets of images."""
