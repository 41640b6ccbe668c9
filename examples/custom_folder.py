"""Trains on a folder of your own photos: `python examples/custom_folder.py [FOLDER] [--steps N] [--ratio R]`.

The folder holds `images/` and `labels/` (gray PNG of class ids) with the same file names, and `classes.csv`
(`id,name,r,g,b,ignore`). Without a folder one is made from synthetic scenes first, to show the layout.
"""

import argparse
import csv
from pathlib import Path

from PIL import Image

import keras_semisis as ks


def make_folder(root: Path) -> Path:
    """A small folder in the layout that `Folder` reads."""
    scenes = ks.data.SyntheticScenes(num_scenes=24)
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for i in range(len(scenes)):
        image, label_map = scenes.load(i)
        Image.fromarray(image).save(root / "images" / f"{scenes.name(i)}.png")
        Image.fromarray(label_map).save(root / "labels" / f"{scenes.name(i)}.png")
    space = scenes.label_space
    with open(root / "classes.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "r", "g", "b", "ignore"])
        for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True)):
            writer.writerow([i, name, *color, int(i == space.ignore_class)])
    return root


parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?", type=Path)
parser.add_argument("--steps", type=int, default=20, help="the default shows that it works; give some thousands")
parser.add_argument(
    "--ratio", type=float, help="share of the pairs that are used as such; by default 1, and 0.25 of the made folder"
)
parser.add_argument("--output", type=Path, default=Path("runs/custom_folder"))
arguments = parser.parse_args()

size = (64, 96)
source = ks.data.Folder(arguments.folder or make_folder(arguments.output / "data"))
space = source.label_space
# all labels of your own photos; the made folder has one for each, of which some are left out to show the method
ratio = arguments.ratio if arguments.ratio is not None else 1 if arguments.folder else 0.25
paired, images, labels = ks.data.semi_paired_split(source, ratio, seed=0)
paired_ds = ks.data.paired_dataset(paired, size, batch_size=4, sampler="rare_classes")
unpaired_ds = ks.data.unpaired_dataset(images, labels, size, batch_size=4)

gan = ks.SemiPairedGAN(
    space.num_classes,
    size,
    space.ignore_class,
    perceptual=None,
    generator=ks.models.oasis_generator(space.num_classes, size, base_channels=16, num_blocks=5, hidden_channels=32),
    discriminator=ks.models.oasis_discriminator(space.num_classes, size, channels=(16, 32, 32), final_channels=16),
    unconditional_discriminator=ks.models.wavelet_discriminator(size, {4: 32, 8: 32, 16: 16, 64: 8}),
)
gan.compile(ema_decay=0.99)
checkpoint = ks.callbacks.Checkpoint(arguments.output, every=500)
gan.fit(paired_ds, unpaired_ds, epochs=1, steps_per_epoch=arguments.steps, callbacks=[checkpoint])

_, label_maps = next(iter(ks.data.unpaired_dataset(images, labels, size, batch_size=4, training=False)))
for seed in range(2):  # one label map, several photos
    for i, photo in enumerate(gan.generate(label_maps, seed=seed)):
        Image.fromarray(photo).save(arguments.output / f"photo-{i}-{seed}.png")
print("photos in", arguments.output)
