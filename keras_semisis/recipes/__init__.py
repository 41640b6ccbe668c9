"""Named choices of networks and settings, and what builds a system from them."""
