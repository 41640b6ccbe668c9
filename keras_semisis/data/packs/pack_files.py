"""The files of packed records: what they are called, how they are read and written.

A pack is a folder. ``pack.json`` describes it and is there only when everything else is. Items lie in shards of
equally many: ``shard-00000.images`` and ``shard-00000.label_maps`` are ArrayRecord files whose records are
encoded image files, byte for byte; ``shard-00000.npz`` has the names, the CRC-32 of each record, and the class
counts of its items.
"""

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.whole_file import read_npz, whole_file

MANIFEST = "pack.json"
FORMAT = "keras_semisis records 1"
IMAGES, LABEL_MAPS = "images", "label_maps"
# Packs in a pack, of what has no partner in its data set
UNPAIRED_IMAGES, UNPAIRED_LABELS = "unpaired_images", "unpaired_labels"


def array_record_module():
    """The `array_record` package's reader and writer.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise ImportError(
            f'Packed records need the package array_record (pip install "keras-semisis[records]"): {error}'
        ) from None
    return array_record_module


class ShardIndex(NamedTuple):
    """What is known of the items of a shard without opening it.

    Attributes:
        names: The items' names, in UTF-8, one after the other.
        name_ends: Where each of them ends.
        checksums: CRC-32 of each item's records, by kind (images, label maps).
        counts: Class counts, if there are label maps.
        source: Hash of what the shard was made of; empty if that is not known.
    """

    names: bytes
    name_ends: np.ndarray
    checksums: Mapping[str, np.ndarray]
    counts: ClassStatistics | None
    source: str

    def __len__(self):
        return len(self.name_ends)

    def name(self, position: int) -> str:
        """The name of one item."""
        begin = self.name_ends[position - 1] if position else 0
        return self.names[begin : self.name_ends[position]].decode(errors="surrogateescape")


def shard_path(folder: Path, number: int, kind: str) -> Path:
    """The file of a shard; ``kind`` is one of "images", "label_maps" and "npz"."""
    return folder / f"shard-{number:05d}.{kind}"


def index_bytes(
    names: Sequence[str], checksums: Mapping[str, Sequence[int]], counts: ClassStatistics | None, source: str
) -> bytes:
    """The content of a shard's ``.npz`` file."""
    encoded = [name.encode(errors="surrogateescape") for name in names]
    arrays = {
        "names": np.frombuffer(b"".join(encoded), np.uint8),
        "source": np.array(source),
        "name_ends": np.cumsum([len(name) for name in encoded], dtype=np.int64),
    }
    arrays |= {f"crc32_{kind}": np.array(values, np.uint32) for kind, values in checksums.items()}
    file = io.BytesIO()
    arrays |= {} if counts is None else counts.arrays()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's own keyword is a bool
    return file.getvalue()


def read_index(path: Path) -> tuple[ShardIndex, int]:
    """A shard's index, and the CRC-32 of its file.

    Raises:
        DataError: If the file is missing or damaged.
    """
    try:
        data = path.read_bytes()
        arrays = read_npz(io.BytesIO(data))
        checksums = {kind: arrays[f"crc32_{kind}"] for kind in (IMAGES, LABEL_MAPS) if f"crc32_{kind}" in arrays}
        counts = ClassStatistics.from_arrays(arrays) if LABEL_MAPS in checksums else None
        index = ShardIndex(arrays["names"].tobytes(), arrays["name_ends"], checksums, counts, str(arrays["source"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: this index of a shard is missing or damaged ({error}). Copy the pack again, or pack the data anew."
        ) from error
    return index, zlib.crc32(data)


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces a file by one that is complete and on the disk."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(data)


def read_manifest(folder: Path) -> dict:
    """The content of ``pack.json``.

    Raises:
        DataError: If the folder is no finished pack, or one of another version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["format"] != FORMAT:
            raise DataError(
                f"{path}: its format is {manifest['format']!r}, and this version of keras_semisis reads "
                f"{FORMAT!r}. Pack the data anew."
            )
        return manifest
    except FileNotFoundError:
        raise DataError(_no_pack(folder)) from None
    except (OSError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: damaged ({error!r}). Copy the pack again, or pack the data anew.") from error


def _no_pack(folder):
    splits = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    if splits:
        return f"{folder}: this folder holds the packs {', '.join(splits)}: choose one by split=."
    if unfinished_folder(folder).is_dir():
        return f"{folder}: packing was not finished. Run the same keras-semisis pack again: it goes on where it stopped."
    return f"{folder}: no packed records here ({MANIFEST} is missing). Correct the path, or write them by keras-semisis pack."


def unfinished_folder(folder: Path) -> Path:
    """Where a pack is written until it is complete."""
    return folder.with_name(f"{folder.name}.part")
