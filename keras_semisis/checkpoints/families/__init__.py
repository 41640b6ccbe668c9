"""Which entries a published network's state dict has: one family a file."""
