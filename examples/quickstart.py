"""Trains SemiPairedGAN and writes what it generates: `python examples/quickstart.py [CAMVID] [--steps N]`.

Without a path it takes the embedded synthetic street scenes. The networks are small, so that it runs on a CPU.
"""

import argparse
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras

parser = argparse.ArgumentParser()
parser.add_argument("camvid", nargs="?", help="folder with train, trainannot, val, valannot")
parser.add_argument("--steps", type=int, default=20, help="the default shows that it works; give some thousands")
parser.add_argument("--output", type=Path, default=Path("runs/quickstart"))
arguments = parser.parse_args()

size, source = (
    (64, 96),
    (lambda split: ks.data.CamVid(arguments.camvid, split=split))
    if arguments.camvid
    else (lambda split: ks.data.SyntheticScenes(num_scenes=100, split=split)),
)
train, val = source("train"), source("val")
space = train.label_space

paired, images, labels = ks.data.semi_paired_split(train, ratio=0.2, seed=0)
paired_ds = ks.data.paired_dataset(paired, image_size=size, batch_size=4, sampler="rare_classes")
unpaired_ds = ks.data.unpaired_dataset(images, labels, image_size=size, batch_size=4)
val_ds = ks.data.paired_dataset(val, image_size=size, batch_size=4, training=False)

# Leave out the three networks for those of the paper, and perceptual=None for its VGG19 loss
gan = ks.SemiPairedGAN(
    num_classes=space.num_classes,
    image_size=size,
    ignore_class=space.ignore_class,
    perceptual=None,
    generator=ks.models.oasis_generator(space.num_classes, size, base_channels=16, num_blocks=5, hidden_channels=32),
    discriminator=ks.models.oasis_discriminator(space.num_classes, size, channels=(16, 32, 32), final_channels=16),
    unconditional_discriminator=ks.models.wavelet_discriminator(size, {4: 32, 8: 32, 16: 16, 64: 8}),
)
gan.compile(ema_decay=0.99)
gan.fit(paired_ds, unpaired_ds, epochs=1, steps_per_epoch=arguments.steps)

real, label_maps = next(iter(val_ds))
photos = gan.generate(label_maps, seed=0)
segmented = gan.segment(photos)
print("generated", photos.shape, photos.dtype, "- segmented by D:", segmented.shape)

arguments.output.mkdir(parents=True, exist_ok=True)
ks.callbacks.sample_grid(arguments.output / "grid.png", gan, label_maps, real, space)
gan.save(arguments.output / "gan.keras")
gan = keras.saving.load_model(arguments.output / "gan.keras")
print("saved, loaded, and written:", arguments.output / "grid.png")
