"""A doubt about the user's data."""

from keras_semisis.data.advised import Advised


class DataWarning(Advised, UserWarning):
    """Something in the user's data is probably not as meant, and what to set if so."""
