"""The folder that `augment` writes: photos, label maps, classes, and what each photo was drawn of."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_semisis.callbacks.log_file import append_log, read_log, write_log
from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.labels.label_map_png import label_map_png
from keras_semisis.data.sources.classes_file import classes_text
from keras_semisis.metrics.protocols.provenance import versions
from keras_semisis.recipes.run_folder import read_document, write_document
from keras_semisis.whole_file import whole_file

MANIFEST, PHOTOS = "manifest.json", "photos.jsonl"


class Draw(NamedTuple):
    """A photo to be drawn.

    Attributes:
        item: Which of its source the label map is.
        label_map: Its name there.
        name: The photo's, by which `generate` draws its noise.
    """

    item: int
    label_map: str
    name: str


class AugmentedFolder:
    """A data set of generated photos, as far as it is written.

    Args:
        root: The folder.
        label_space: What the label maps in it mean.
        settings: What its photos depend on, ready for JSON.

    Attributes:
        root: The folder.
        entries: What ``photos.jsonl`` says of the photos that are drawn, kept or not, in their order.

    Raises:
        FileExistsError: If there is something else in the folder, or a data set of other settings.
    """

    def __init__(self, root: Path, label_space: LabelSpace, settings: Mapping[str, Any]):
        self.root = root
        self._space = label_space
        self._settings = settings
        self.entries: list[dict[str, Any]] = []
        manifest = _manifest(root)
        if manifest is not None:
            self._check(manifest)
            self.entries = read_log(root / PHOTOS, None)
            return
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise FileExistsError(f"{root} exists and holds something else. Remove it or name another folder.")
        for folder in (root / "images", root / "labels"):
            folder.mkdir(parents=True, exist_ok=True)
        with whole_file(root / "classes.csv") as unfinished:
            unfinished.write_text(classes_text(label_space), encoding="utf-8")
        self._write_manifest()

    def _check(self, manifest):
        # data sets of before there was a filter of pixels say nothing of it
        before, now = {"pixel_tolerance": None} | manifest["settings"], json.loads(json.dumps(self._settings))
        # whatever it is called: its weights are the same
        different = [name for name in now if name != "model" and name in before and before[name] != now[name]]
        if different:
            listed = ", ".join(f"{name} was {_short(before.get(name))} and is {_short(now[name])}" for name in different)
            raise FileExistsError(
                f"{self.root} holds a data set of other settings: {listed}. Remove it or name another folder."
            )

    def keep_first(self, number: int) -> None:
        """Forgets all but so many photos, to go on behind them."""
        self.entries = self.entries[:number]
        self.write_entries()

    def write_entries(self) -> None:
        """Writes ``photos.jsonl`` anew."""
        write_log(self.root / PHOTOS, self.entries)

    def add(
        self,
        draws: Sequence[Draw],
        label_maps: np.ndarray,
        photos: np.ndarray,
        found: Sequence[Mapping[str, float | None]],
        means: Sequence[float | None],
        kept: Sequence[bool],
        pixels: Sequence[Mapping[str, Mapping[str, float]]] | None = None,
    ) -> None:
        """Writes those of a batch that are kept, and then says what became of all.

        Args:
            draws: The photos.
            label_maps: Classes ``(B, H, W)``.
            photos: uint8 ``(B, H, W, 3)``.
            found: Of each photo, agreement by class name; None where nothing judges.
            means: The mean agreement of each.
            kept: Whether it is kept.
            pixels: Of each, `noisy_pixels.pixels_of`, where pixels are filtered.
        """
        entries = []
        for i, (draw, label_map, photo, classes, mean, keep) in enumerate(
            zip(draws, label_maps, photos, found, means, kept, strict=True)
        ):
            if keep:
                Image.fromarray(photo).save(self.root / "images" / f"{draw.name}.png")
                self.write_label_map(draw.name, label_map)
            entries.append(
                {
                    "name": draw.name,
                    "label_map": draw.label_map,
                    "seed": self._settings["seed"],
                    "kept": keep,
                    "agreement": mean,
                    "classes": dict(classes),
                    **({} if pixels is None else {"pixels": pixels[i]}),
                }
            )
        append_log(self.root / PHOTOS, entries)
        self.entries += entries

    def photo(self, name: str) -> np.ndarray:
        """A photo that was kept, uint8 ``(H, W, 3)``."""
        with Image.open(self.root / "images" / f"{name}.png") as photo:
            return np.asarray(photo)

    def write_label_map(self, name: str, label_map: np.ndarray) -> None:
        """Writes the label map of a photo, classes ``(H, W)``, in place of one that is there."""
        (self.root / "labels" / f"{name}.png").write_bytes(label_map_png(label_map, self._space))

    def finish(self) -> dict[str, Any]:
        """Puts the report into the manifest.

        Returns:
            What the manifest says.
        """
        return self._write_manifest(report=self.report())

    def report(self) -> dict[str, Any]:
        """How many photos were drawn and kept, in all and of those that show each class, and how they agree.

        Where pixels are filtered, ``pixels`` is the share of those in kept photos that still have a class.
        """
        kept = [entry for entry in self.entries if entry["kept"]]
        pixels = [entry["pixels"] for entry in kept if "pixels" in entry]
        classes: dict[str, dict[str, Any]] = {}
        for number, name in enumerate(self._space.class_names):
            if number != self._space.ignore_class:
                drawn_of, kept_of = (
                    [e["classes"][name] for e in part if name in e["classes"]] for part in (self.entries, kept)
                )
                classes[name] = {
                    "drawn": len(drawn_of),
                    "kept": len(kept_of),
                    "agreement": _mean(drawn_of),
                    "agreement_kept": _mean(kept_of),
                }
                if pixels:
                    classes[name]["pixels"] = _share(found[name] for found in pixels if name in found)
        return {
            "drawn": len(self.entries),
            "kept": len(kept),
            "agreement": _mean([entry["agreement"] for entry in self.entries]),
            "agreement_kept": _mean([entry["agreement"] for entry in kept]),
            **({"pixels": _share(classes for found in pixels for classes in found.values())} if pixels else {}),
            "classes": classes,
        }

    def _write_manifest(self, **more):
        document = {"settings": self._settings, "versions": versions(), **more}
        write_document(self.root / MANIFEST, document)
        return document


def refuse_unfinished(root: Path) -> None:
    """Raises a `DataError` for a folder of `augment` that was interrupted: label maps in it may not be what they will be."""
    whole = root.resolve()
    for folder in (whole, whole.parent):  # its label maps or photos alone may be what is named
        manifest = _manifest(folder)
        if manifest is not None and "report" not in manifest:
            raise DataError(f"{root}: augment was interrupted before it had finished this folder. Give its command again.")


def fit_of(root: Path) -> str | None:
    """How the label maps of a folder of `augment` were brought to its photos' size; None of a folder of anything else."""
    manifest = _manifest(root)
    return None if manifest is None else manifest["settings"].get("fit")


def _manifest(root):
    """What the manifest of a folder says; None where there is none, or one of another program."""
    return read_document(root / MANIFEST, "settings")


def file_names(names: Sequence[str], fuller: Sequence[str]) -> list[str]:
    """Names of label maps as those of files in one folder.

    Args:
        names: The names.
        fuller: What to take where files of two of these would have the same.

    Raises:
        DataError: If two of the latter would have, too.

    Example:

    >>> file_names(["aachen/1", "bochum/1"], [])
    ['aachen_1', 'bochum_1']
    >>> file_names(["1", "1"], ["0/1", "1/1"])
    ['0_1', '1_1']
    """
    for tried in (names, fuller):
        flat = ["".join("_" if mark in '/\\:*?"<>|' else mark for mark in name).lstrip(".") for name in tried]
        taken = Counter(name.casefold() for name in flat)
        twice = [name for name, file in zip(tried, flat, strict=True) if taken[file.casefold()] > 1]
        if not twice:
            return flat
    raise DataError(f"The label maps {twice[0]} and {twice[1]} lead to photos of one name. Rename one of them.")


def _mean(values):
    values = [value for value in values if value is not None]
    return round(float(np.mean(values)), 4) if values else None


def _share(found):
    """Of the pixels that were drawn, those that are kept."""
    found = list(found)
    drawn = sum(pixels["drawn"] for pixels in found)
    return round(sum(pixels["kept"] for pixels in found) / drawn, 4) if drawn else None


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
