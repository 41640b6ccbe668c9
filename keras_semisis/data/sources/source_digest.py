"""One hash of what a source holds, its files unread."""

import hashlib

from keras_semisis.data.sources.source import Source


class SourceDigest:
    """A hash over the label space and the fingerprints of the first items of a source.

    Args:
        source: The source.

    Attributes:
        known: Whether every item so far had a fingerprint.
    """

    def __init__(self, source: Source):
        space = source.label_space
        self._digest = hashlib.blake2b(repr((space, space and space.palette)).encode(), digest_size=16)
        self.known = True

    def add(self, fingerprint: str | None) -> None:
        """Goes on by one item."""
        self.known &= fingerprint is not None
        self._digest.update(f"{fingerprint}\n".encode(errors="surrogateescape"))

    def text(self) -> str:
        """The hash so far."""
        return self._digest.hexdigest()
