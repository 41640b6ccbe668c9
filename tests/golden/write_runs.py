"""Writes a run folder of every method, and what its model draws: ``python -m tests.golden.write_runs FOLDER [METHOD ...]``.

``FOLDER``, such as `tests/golden/runs/116017a`, is named by the commit that writes them. Later versions have to read what is
there: the files are written once, and those of a changed format go into a folder of their own. They are as the commands write
them, but for the numbers, which are rounded so that they need little room.
"""

import io
import json
import os
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_semisis.recipes import systems
from tests.cli.command import call
from tests.golden.runs import PACKED, PHOTOS, label_maps

_SEGMENTING = (
    "--image-size 32x32 --noise-channels 2 --num-blocks 1 --base-channels 1 --hidden-channels 2 --discriminator-channels 2,2 "
    "--discriminator-final-channels 2"
)
_JUDGE = "--unconditional-channels 4:2,8:2,16:2,32:2"
_CONDITIONAL = "--base-channels 1 --hidden-channels 2 --discriminator-channels 2 --perceptual none"
TINY = {
    "semi_paired": f"{_SEGMENTING} {_JUDGE} --perceptual none",
    "oasis": _SEGMENTING,
    "tcr": _SEGMENTING,
    "usis": f"{_SEGMENTING} {_JUDGE}",
    "spade": f"--image-size 32x32 {_CONDITIONAL}",
    "cc_fpse": f"--image-size 32x64 {_CONDITIONAL}",
}
# what going on needs
_FILES = ("settings.json", "last.keras", "losses.jsonl")


def round_numbers(path: Path) -> None:
    """Leaves four bits of the fraction of every float that a model's file holds."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(weights, "r+") as file:

        def visit(name, item):
            if isinstance(item, h5py.Dataset) and item.dtype == "float32":
                item[...] = (item[()].reshape(-1).view("uint32") & 0xFFF80000).view("float32").reshape(item.shape)

        file.visititems(visit)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, weights.getvalue() if name == "model.weights.h5" else content)


def write(method: str, folder: Path) -> None:
    """A run of three steps that ended after two."""
    make_generator, make_discriminator = systems._CONDITIONAL.get(method, (None, None))
    if make_generator is not None:  # the narrowest that options give has four channels
        systems._CONDITIONAL[method] = (
            lambda num_classes, size, channels, **options: make_generator(num_classes, size, channels // 4, **options),
            make_discriminator,
        )
    options = f"--data synthetic:8 --method {method} --steps 2 --batch-size 2 --output {method} {TINY[method]}"
    call("train", *options.split())
    document = json.loads(Path(method, "settings.json").read_text())
    document["options"]["steps"] = 3
    Path(method, "settings.json").write_text(json.dumps(document, indent=2))
    round_numbers(Path(method, "last.keras"))
    with tarfile.open(folder / PACKED.format(method), "w:xz", preset=9) as archive:
        for name in _FILES:
            content = Path(method, name).read_bytes()
            entry = tarfile.TarInfo(f"{method}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    gan = keras.saving.load_model(Path(method, "last.keras"))
    np.save(folder / PHOTOS.format(method), gan.generate(label_maps(gan), seed=0))


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)  # a run folder holds its own name
        for method in sys.argv[2:] or TINY:
            write(method, folder)
