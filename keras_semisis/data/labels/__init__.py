"""What a label id means, and how the ids in files become classes."""
