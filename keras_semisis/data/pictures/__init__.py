"""What is in a file: from its bytes to a photo or to the pixels of a label map."""
