"""Passes over sources: pixels of each class, what is missing, what there is."""
