"""The error of everything that is wrong with a user's data."""


class DataError(ValueError):
    """Something in the user's data is wrong. The message names the file, what was found, and the remedy."""

    def __init__(self, message: str):
        # A file name that is no UTF-8 could not be printed
        super().__init__(message.encode("utf-8", "backslashreplace").decode())
