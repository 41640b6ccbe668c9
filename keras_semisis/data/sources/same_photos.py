"""Photos that two sources share."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from keras_semisis.data.sources.source import Source


def same_photos(source: Source, other: Source) -> Iterator[Path]:
    """The files of photos of a source that are in another too: the same files, or others with the same content.

    Only those of equal sizes are read. Photos that have no files of their own, and files that have gone, are passed over.
    """
    of_size: dict[int, list[Path]] = {}
    for path, size in _sizes(other):
        of_size.setdefault(size, []).append(path)
    digests: dict[int, set[bytes]] = {}
    for path, size in _sizes(source):
        if size in of_size:
            if size not in digests:
                digests[size] = {_digest(same) for same in of_size[size]}
            if _digest(path) in digests[size]:
                yield path


def _sizes(source):
    for index in range(len(source)):
        path = source.image_file(index)
        try:
            if path is not None and path.is_file():
                yield path, path.stat().st_size
        except OSError:
            continue


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
