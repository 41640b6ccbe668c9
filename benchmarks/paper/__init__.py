"""The comparison of arXiv 2306.13585, tables 1 to 3, on any data."""
