"""Packed records: a data set in a few large files instead of many small ones."""

import os
import threading
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.packs.pack_files import (
    IMAGES,
    LABEL_MAPS,
    MANIFEST,
    UNPAIRED_IMAGES,
    UNPAIRED_LABELS,
    array_record_module,
    read_index,
    read_manifest,
    shard_path,
)
from keras_semisis.data.pictures.decoding import decode_image, upright_size
from keras_semisis.data.sources.source import Source


class Records(Source):
    """What `write_records` or ``keras-semisis pack`` has written: sharded files with random access.

    Opening it looks at two files for each shard, of which there are at most a few hundred; no step lists a
    folder or asks for the state of a file. Class statistics are stored, so that rare-class sampling reads no
    label map. It may be used from several threads, and be pickled.

    Args:
        root: The folder.
        split: Name of a pack in it, such as "train" or "val"; None if ``root`` is a pack itself.

    Attributes:
        path: The folder of the pack.

    Raises:
        DataError: If there is no finished pack, or a shard is missing, cut short, or does not belong to it. A
            damaged record is found when it is read: the error names shard and record.
        ImportError: If the package array_record is not installed.

    Example:

    >>> import tempfile
    >>> from keras_semisis.data import SyntheticScenes, write_records
    >>> folder = Path(tempfile.mkdtemp()) / "scenes"
    >>> write_records(SyntheticScenes(num_scenes=3), folder)
    >>> source = Records(folder)
    >>> len(source), source.load(2)[0].shape
    (3, (64, 96, 3))
    """

    def __init__(self, root: str | Path, split: str | None = None):
        self.path = Path(root) if split is None else Path(root) / split
        self._module = array_record_module()
        manifest = read_manifest(self.path)
        self.label_space, self._stored_label_space = _label_spaces(manifest)
        self._palettes = FilePalettes()
        # which packs of earlier versions have not
        self.published_image_size, self.published_load_size = (
            size and tuple(size) for size in map(manifest.get, ("published_image_size", "published_load_size"))
        )
        self._fingerprint = manifest["fingerprint"]
        self._length, self._shard_length = manifest["items"], manifest["items_per_shard"]
        self._indexes = [self._open_index(number, stored) for number, stored in enumerate(manifest["shards"])]
        self._readers: dict[Path, object] = {}
        self._lock = threading.Lock()
        self.unpaired_images, self.unpaired_labels = (
            Records(self.path / name) if (self.path / name / MANIFEST).is_file() else None
            for name in (UNPAIRED_IMAGES, UNPAIRED_LABELS)
        )

    def _open_index(self, number, stored):
        path = shard_path(self.path, number, "npz")
        index, checksum = read_index(path)
        if checksum != stored["index_crc32"]:
            raise DataError(
                f"{path}: this index belongs to another pack than {self.path.name}/pack.json. Copy the whole pack again."
            )
        for kind, expected in stored["bytes"].items():
            file = shard_path(self.path, number, kind)
            try:
                found = file.stat().st_size
            except FileNotFoundError:
                raise DataError(f"{file}: this shard is missing. Copy the pack again.") from None
            if found != expected:
                raise DataError(
                    f"{file}: this shard has {found} bytes, but was written with {expected}: it is cut short or "
                    "another file. Copy the pack again."
                )
        return index

    def __reduce__(self):
        return Records, (self.path,)

    def __len__(self):
        return self._length

    def _at(self, index):
        if not 0 <= index < self._length:
            raise IndexError(f"Record {index} does not exist: there are 0..{self._length - 1}.")
        return divmod(int(index), self._shard_length)

    def name(self, index: int) -> str:
        number, position = self._at(index)
        return self._indexes[number].name(position)

    def location(self, index: int) -> str:
        number, position = self._at(index)
        kinds = " and ".join(shard_path(self.path, number, kind).name for kind in self._indexes[number].checksums)
        return f"{self.path}{os.sep}{kinds}, record {position} ({self.name(index)})"

    def fingerprint(self, index: int) -> str | None:
        return f"{self._fingerprint}/{index}"

    image_fingerprint = fingerprint

    @property
    def stored_label_space(self):
        return self._stored_label_space

    def class_counts(self, index: int) -> np.ndarray | None:
        number, position = self._at(index)
        counts = self._indexes[number].counts
        return None if counts is None else counts.rows(position, position + 1)[0]

    def photo_size(self, index: int) -> tuple[int, int] | None:
        try:
            return upright_size(BytesIO(self._read(IMAGES, index)[0]))
        except DataError:  # it is told where the photo is read
            return None

    def image_bytes(self, index: int) -> bytes | None:
        return self._read(IMAGES, index)[0]

    def label_map_bytes(self, index: int) -> bytes | None:
        return self._read(LABEL_MAPS, index)[0]

    def load_image(self, index: int) -> np.ndarray:
        return decode_image(*self._read(IMAGES, index))

    def load_label_map(self, index: int) -> np.ndarray:
        content, where = self._read(LABEL_MAPS, index)
        return self._stored_label_space.decode(content, where, palettes=self._palettes)

    def _read(self, kind, index) -> tuple[bytes, str]:
        """A record and where it is."""
        number, position = self._at(index)
        checksums = self._indexes[number].checksums.get(kind)
        if checksums is None:
            other = "label maps" if kind == IMAGES else "images"
            raise ValueError(f"{self.path}: this pack has {other} alone, no {kind.replace('_', ' ')}.")
        path = shard_path(self.path, number, kind)
        try:
            data = self._reader(path).read([position])[0]
            fault = None if zlib.crc32(data) == checksums[position] else "its checksum is another"
        except (RuntimeError, IndexError) as error:
            fault = str(error)
        where = f"{path}, record {position} ({self.name(index)})"
        if fault is not None:
            raise DataError(f"{where}: damaged ({fault}). Copy this shard again, or pack the data anew.")
        return data, where

    def _reader(self, path):
        reader = self._readers.get(path)
        if reader is None:
            with self._lock:
                reader = self._readers.get(path)
                if reader is None:
                    # nothing is read ahead: records are asked for in any order
                    reader = self._module.ArrayRecordReader(os.fsencode(path), "readahead_buffer_size:0")
                    self._readers[path] = reader
        return reader


def _label_spaces(manifest):
    """That of the data set, and that by which its files in the pack are read: what was rendered is packed as classes."""
    if manifest["label_space"] is None:
        return None, None
    space = LabelSpace.from_config(manifest["label_space"])
    rule = {"id_map": {int(stored): to for stored, to in manifest["id_map"].items()}, "all_ids": manifest["all_ids"]}
    stored = replace(space, **rule)
    # packs of earlier versions know the latter rule alone
    return (space if "id_map" in manifest["label_space"] else stored), stored
