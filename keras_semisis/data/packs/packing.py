"""Writing a source into packed records."""

import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.ahead import in_order
from keras_semisis.data.bad_files import BadFiles, bad_files
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.packs.pack_files import (
    FORMAT,
    IMAGES,
    LABEL_MAPS,
    MANIFEST,
    UNPAIRED_IMAGES,
    UNPAIRED_LABELS,
    array_record_module,
    index_bytes,
    read_index,
    read_manifest,
    shard_path,
    unfinished_folder,
    write_atomically,
)
from keras_semisis.data.pictures.decoding import decode_image
from keras_semisis.data.sources.good_items import good_items
from keras_semisis.data.sources.source import Source
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.data.statistics.pixel_counts import pixel_counts
from keras_semisis.whole_file import remove_unfinished_files, unfinished_file

_LEAST_IN_A_SHARD = 1024
_MOST_SHARDS = 256
_MOST_CLASSES = 2**16


def write_records(
    source: Source,
    path: str | Path,
    images: bool = True,
    items_per_shard: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    skip_bad: int | BadFiles = 0,
) -> None:
    """Writes a source into a folder of sharded record files, which `Records` reads.

    Image files are stored byte for byte, nothing is encoded again; what a source renders becomes PNG. Label
    maps are read once, to check them and to store their class statistics. Until everything is written the
    folder is called ``PATH.part``. When that is interrupted, the same call goes on after the last shard that
    is complete and whose files have not changed; a finished pack of the same data is left as it is.

    Photos and label maps without a partner (``source.unpaired_images``, ``unpaired_labels``) become packs inside the pack.
    Instance maps are not packed.

    Args:
        source: Photos, label maps or both.
        path: The folder; it must not exist yet.
        images: False for a source of label maps alone. (One of photos alone has no ``label_space``.)
        items_per_shard: Items in each shard; by default 1024, or more so that there are 256 shards at most.
        progress: Called with (items written, items in all).
        skip_bad: Number of items that may be bad, as in `paired_dataset`. To know them everything is read and decoded before
            the first shard is written; the pack leaves them out.

    Raises:
        DataError: If the source is empty or a label map is wrong, or more items than ``skip_bad`` are bad.
        FileExistsError: If there is something else at ``path``.
        OSError: If the disk is full or cannot be written.
        ImportError: If the package array_record is not installed.

    Example:

    >>> import tempfile
    >>> from keras_semisis.data import Records, SyntheticScenes, class_statistics
    >>> folder = Path(tempfile.mkdtemp()) / "scenes"
    >>> write_records(SyntheticScenes(num_scenes=3), folder)
    >>> sorted(path.name for path in folder.iterdir())
    ['pack.json', 'shard-00000.images', 'shard-00000.label_maps', 'shard-00000.npz']
    >>> class_statistics(Records(folder)).shape[0]
    3
    """
    bad = bad_files(skip_bad)
    packer = Packer(good_items(source, bad, images), path, images, items_per_shard)
    done = packer.is_done()
    for number in () if done else range(packer.num_shards):
        packer.write_shard(number, progress)
    folder = Path(path) if done else packer.unfinished
    for name, further, with_images in (
        (UNPAIRED_IMAGES, source.unpaired_images if images else None, True),
        (UNPAIRED_LABELS, source.unpaired_labels, False),
    ):
        if further is not None:
            write_records(further, folder / name, with_images, items_per_shard, skip_bad=bad)
        elif not done:  # of other data, which a writer that was interrupted had
            remove_pack(folder / name)
    if not done:
        packer.finish()


def remove_pack(path: Path) -> None:
    """Removes a pack, finished or not, if there is one."""
    for folder in (path, unfinished_folder(path)):
        shutil.rmtree(folder, ignore_errors=True)


class Packer:
    """The steps of `write_records`. Shards are independent of each other: several machines can write them.

    Args:
        source, path, images, items_per_shard: As in `write_records`.

    Attributes:
        unfinished: The folder of the pack until it is finished.
    """

    def __init__(self, source: Source, path: str | Path, images: bool = True, items_per_shard: int | None = None):
        if not len(source):
            raise DataError("The source is empty: there is nothing to pack.")
        space = source.label_space
        if not images and space is None:
            raise ValueError("images=False leaves nothing to pack of a source without label maps.")
        if space is not None and space.num_classes > _MOST_CLASSES:
            raise ValueError(f"Label maps of {space.num_classes} classes cannot be packed, only up to {_MOST_CLASSES}.")
        if items_per_shard is not None and items_per_shard < 1:
            raise ValueError(f"items_per_shard={items_per_shard} must be at least 1.")
        self._module = array_record_module()
        self._source = source
        self._path = Path(path)
        self.unfinished = unfinished_folder(self._path)
        self._kinds = [IMAGES] * images + [LABEL_MAPS] * (space is not None)
        self._shard_length = items_per_shard or max(_LEAST_IN_A_SHARD, -(-len(source) // _MOST_SHARDS))
        self._stored_label_maps = space is not None and _has_label_files(source)
        # what is rendered is packed as classes
        classes = replace(space or LabelSpace((), ()), id_map={}, all_ids=False)
        self._stored_label_space = source.stored_label_space if self._stored_label_maps else classes
        self._palettes = FilePalettes()
        self._id_rule = self._stored_label_space.id_rule

    @property
    def num_shards(self) -> int:
        """How many shards there are."""
        return -(-len(self._source) // self._shard_length)

    def _items(self, number):
        return range(number * self._shard_length, min((number + 1) * self._shard_length, len(self._source)))

    def is_done(self) -> bool:
        """Whether this very data is packed at the path already.

        Raises:
            FileExistsError: If something else is there.
        """
        if not self._path.exists():
            return False
        try:
            manifest = read_manifest(self._path)
        except DataError as error:
            raise FileExistsError(f"{self._path} exists and is no pack ({error}) Remove it or name another folder.") from None
        if (manifest["items"], manifest["items_per_shard"]) == (len(self._source), self._shard_length):
            digests = [self._shard_digest(number) for number in range(self.num_shards)]
            if all(digests) and digests == manifest["source"]:
                return True
        raise FileExistsError(
            f"{self._path} holds a pack of other data, or of files that have changed since. Remove it or name another folder."
        )

    def _shard_digest(self, number) -> str:
        """Hash of what a shard is made of, its files unread; empty where the source does not tell."""
        digest = SourceDigest(self._source)
        digest.add(f"{self._kinds} {self._shard_length} {self._id_rule}")
        for index in self._items(number):
            digest.add(self._source.name(index))
            if LABEL_MAPS in self._kinds:
                digest.add(self._source.fingerprint(index))
            if IMAGES in self._kinds:
                digest.add(self._source.image_fingerprint(index))
            if not digest.known:
                return ""
        return digest.text()

    def write_shard(self, number: int, progress: Callable[[int, int], None] | None = None) -> None:
        """Writes one shard, unless it is there and of this data."""
        items, index_path = self._items(number), shard_path(self.unfinished, number, "npz")
        digest = self._shard_digest(number)
        if index_path.exists():
            if digest and self._is_written(number, digest):
                if progress is not None:
                    progress(items.stop, len(self._source))
                return
            index_path.unlink()
        self.unfinished.mkdir(parents=True, exist_ok=True)
        names, writers = [], {}
        checksums: dict[str, list[int]] = {kind: [] for kind in self._kinds}
        counts = ClassStatistics(self._source.label_space.num_classes) if LABEL_MAPS in self._kinds else None
        paths = {kind: unfinished_file(shard_path(self.unfinished, number, kind)) for kind in self._kinds}
        try:
            for kind, path in paths.items():
                writers[kind] = self._module.ArrayRecordWriter(os.fsencode(path), "group_size:1,uncompressed")
            for index, (records, row) in enumerate(in_order(self._encode, items.start, items.stop), start=items.start):
                for kind, data in records.items():
                    writers[kind].write(data)
                    checksums[kind].append(zlib.crc32(data))
                names.append(self._source.name(index))
                if counts is not None:
                    counts.append(row)
                if progress is not None:
                    progress(index + 1, len(self._source))
            for kind, writer in writers.items():
                writer.close()
                self._check(paths[kind], checksums[kind])
            self._check_decoding(items[0])
            for kind, path in paths.items():
                os.replace(path, shard_path(self.unfinished, number, kind))
        except RuntimeError as error:  # of array_record, whatever the reason
            raise OSError(
                f"{self.unfinished}: shard {number} cannot be written ({error}). Make room or name another "
                "folder; then the same command goes on."
            ) from error
        finally:  # what is left of a shard that failed would keep a full disk full
            for kind, path in paths.items():
                with suppress(KeyError, RuntimeError):
                    writers[kind].close()
                with suppress(OSError):
                    path.unlink()
        write_atomically(index_path, index_bytes(names, checksums, counts, digest))

    def _is_written(self, number, digest):
        try:
            index, _ = read_index(shard_path(self.unfinished, number, "npz"))
        except DataError:
            return False
        return index.source == digest and all(shard_path(self.unfinished, number, kind).exists() for kind in self._kinds)

    def _encode(self, index):
        """The records of one item, and its class counts; called from threads."""
        records: dict[str, bytes] = {}
        row = None
        if IMAGES in self._kinds:
            data = self._source.image_bytes(index)
            records[IMAGES] = _png(self._source.load_image(index)) if data is None else data
        if LABEL_MAPS in self._kinds:
            where, space = self._source.location(index), self._source.label_space
            if self._stored_label_maps:
                records[LABEL_MAPS] = self._source.label_map_bytes(index)  # type: ignore[assignment]  # it is stored: see above
                try:
                    label_map = self._stored_label_space.decode(records[LABEL_MAPS], where, palettes=self._palettes)
                except DataError:
                    self._source.load_label_map(index)  # its error names the label map's file without the photo's
                    raise
            else:
                label_map = space.check(self._source.load_label_map(index), where)
                records[LABEL_MAPS] = _png(label_map.astype(np.uint8 if space.num_classes <= 256 else np.uint16))
            row = pixel_counts(label_map, space.num_classes)
        return records, row

    def _check(self, path, checksums):
        """That a shard is on the disk as it was meant."""
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        reader = self._module.ArrayRecordReader(os.fsencode(path), "readahead_buffer_size:0")
        found = reader.num_records()
        if found != len(checksums) or zlib.crc32(reader.read([found - 1])[0]) != checksums[-1]:
            raise RuntimeError(f"{path} has {found} of {len(checksums)} records")

    def _check_decoding(self, index):
        """That the files alone, without the source's class, give what the source gives."""
        records, _ = self._encode(index)
        where, source = self._source.location(index), self._source
        same = True
        if IMAGES in records:
            same &= np.array_equal(decode_image(records[IMAGES], where), source.load_image(index))
        if LABEL_MAPS in records:
            label_map = self._stored_label_space.decode(records[LABEL_MAPS], where)
            same &= np.array_equal(label_map, source.load_label_map(index))
        if not same:
            raise DataError(
                f"{where}: {type(source).__name__} changes what is in the file in a way that a pack does not know. "
                "Its image_bytes and label_map_bytes must return None then."
            )

    def finish(self) -> None:
        """Describes the pack and gives it its name, when all shards are there.

        Raises:
            DataError: If a shard is missing or damaged.
            FileExistsError: If there is something at the path.
        """
        digest = hashlib.blake2b(f"({self._source.label_space!r}, {self._id_rule})".encode(), digest_size=16)
        shards, sources = [], []
        for number in range(self.num_shards):
            index, checksum = read_index(shard_path(self.unfinished, number, "npz"))
            for part in (index.names, *(index.checksums[kind].tobytes() for kind in self._kinds)):
                digest.update(part)
            sizes = {kind: shard_path(self.unfinished, number, kind).stat().st_size for kind in self._kinds}
            shards.append({"items": len(index), "bytes": sizes, "index_crc32": checksum})
            sources.append(index.source)
        remove_unfinished_files(self.unfinished)
        space = self._source.label_space
        manifest = {
            "format": FORMAT,
            "items": len(self._source),
            "items_per_shard": self._shard_length,
            "label_space": None if space is None else space.get_config(),
            "id_map": self._stored_label_space.id_map,
            "all_ids": self._stored_label_space.all_ids,
            "published_image_size": self._source.published_image_size,
            "published_load_size": self._source.published_load_size,
            "fingerprint": digest.hexdigest(),
            "source": sources,
            "shards": shards,
        }
        write_atomically(self.unfinished / MANIFEST, json.dumps(manifest, indent=1).encode())
        if self._path.exists():  # os.rename would replace an empty folder
            raise FileExistsError(f"{self._path} exists. Remove it, and run the same command again.")
        os.rename(self.unfinished, self._path)


def _has_label_files(source):
    """Whether a source gives its label maps' files, by the first that can be read."""
    for index in range(len(source)):
        with suppress(DataError):
            return source.label_map_bytes(index) is not None
    return False


def _png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()
