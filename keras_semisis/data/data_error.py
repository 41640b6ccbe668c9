"""The error of everything that is wrong with a user's data."""

from keras_semisis.data.advised import Advised


class DataError(Advised, ValueError):
    """Something in the user's data is wrong. The message names the file, what was found, and the remedy.

    What the remedies set is in the attribute ``remedies`` as data.
    """
