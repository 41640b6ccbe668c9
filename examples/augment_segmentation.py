"""Does a segmenter learn from generated photos? `python examples/augment_segmentation.py MODEL [CAMVID] [--ratio R]`.

MODEL is a file that `keras-semisis demo` or `keras-semisis train` has saved; ratio and seed must be those of its training. One
segmenter learns from the labeled photos alone, another one also from photos that MODEL draws for label maps without a photo.
Here these are what the split has left unpaired; they may as well come from a simulator or a game. The photos are written by
`recipes.augment`, as `keras-semisis augment` writes them.
"""

import argparse
import tempfile

import keras
import numpy as np

import keras_semisis as ks

parser = argparse.ArgumentParser()
parser.add_argument("model", help="model.keras of demo, last.keras of train")
parser.add_argument("camvid", nargs="?", help="folder with train, trainannot, val, valannot; by default the demo's scenes")
parser.add_argument("--ratio", type=float, default=0.2)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=1000, help="of each segmenter, with eight photos")
parser.add_argument("--per-map", type=int, default=1, help="photos for each label map")
parser.add_argument("--sampler", default="rare_classes", help="or uniform: each label map as often as the others")
parser.add_argument("--threshold", type=float, default=0.3, help="least agreement of a photo by the model's discriminator")
parser.add_argument("--no-filter", action="store_true", help="all photos, as with a model whose discriminator segments nothing")
parser.add_argument("--output", help="folder of the data set, which is kept")
parser.add_argument("--imagenet", action="store_true", help="a segmenter on features of ImageNet (extra offline), not a U-Net")
arguments = parser.parse_args()

gan = keras.saving.load_model(arguments.model)
size = gan.image_size
if arguments.camvid:
    train, val = (ks.data.CamVid(arguments.camvid, split=split) for split in ("train", "val"))
else:
    train, val = ks.data.SyntheticScenes(400, "train", size), ks.data.SyntheticScenes(200, "val", size)
space = train.label_space
gan.require_same_classes(train=train)
paired, images, labels = ks.data.semi_paired_split(train, arguments.ratio, arguments.seed)


def whole(batches) -> tuple[np.ndarray, np.ndarray]:
    """All photos, float32 in [-1, 1], and all label maps."""
    return tuple(map(np.concatenate, zip(*batches, strict=True)))


def miou(*pools: tuple[np.ndarray, np.ndarray]) -> float:
    """Score, on real validation photos, of a segmenter that is trained on each pool in equal parts."""
    keras.utils.set_random_seed(arguments.seed)
    segmenter = (
        ks.models.efficientnet_lite0_segmenter(space.num_classes, size)
        if arguments.imagenet
        else ks.models.unet_segmenter(space.num_classes, size, channels=(32, 32, 64, 128), final_channels=32)
    )
    segmenter.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, arguments.steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=space.ignore_class),
    )
    random = np.random.default_rng(arguments.seed)
    for _ in range(arguments.steps):
        mirror = random.choice((-1, 1))
        parts = []
        for photos, label_maps in pools:
            chosen = random.integers(len(photos), size=8 // len(pools))
            parts.append((photos[chosen, :, ::mirror], label_maps[chosen, :, ::mirror]))
        segmenter.train_on_batch(*whole(parts))
    score = ks.metrics.GeneratedMeanIoU(segmenter, space.ignore_class, space.num_classes)
    for photos, label_maps in ks.data.paired_dataset(val, size, batch_size=8, training=False):
        score.update_state(label_maps, photos, photos)
    return score.result()["miou"]


labeled = whole(ks.data.paired_dataset(paired, size, batch_size=8, training=False))
with tempfile.TemporaryDirectory() as temporary:
    folder = arguments.output or temporary
    report = ks.recipes.augment(
        gan,
        labels,
        folder,
        arguments.per_map,
        sampler=arguments.sampler,
        filter=not arguments.no_filter,
        threshold=arguments.threshold,
        seed=arguments.seed,
    )["report"]
    generated = whole(ks.data.paired_dataset(ks.data.Folder(folder), size, batch_size=8, training=False))

print(f"{len(labeled[0])} labeled photos: mIoU {miou(labeled):.3f}")
print(f"these and {report['kept']} of {report['drawn']} generated ones: mIoU {miou(labeled, generated):.3f}")
everything = whole(ks.data.paired_dataset(train, size, batch_size=8, training=False))
print(f"what labeling all {len(train)} would give: mIoU {miou(everything):.3f}")
