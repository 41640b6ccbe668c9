"""The error of every file of weights."""


class CheckpointError(ValueError):
    """A checkpoint file that is damaged, hostile, or of a kind that this library does not read.

    The message names the file, what was found in it, and what was expected.
    """
