"""Packed records: a source in a few large files."""
