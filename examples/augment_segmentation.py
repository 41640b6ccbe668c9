"""Does a segmenter learn from generated photos? `python examples/augment_segmentation.py MODEL [CAMVID] [--ratio R]`.

MODEL is a file that `keras-semisis demo` or `keras-semisis train` has saved, or a preset; ratio, and seed or `--split`, must
be those of its training. One segmenter learns from the labeled photos alone, others also from photos that MODEL draws for
label maps without a photo: from all of them, from all but their noisy pixels, and from those that the filter keeps. Here these
label maps are what the split has left unpaired; they may come from a simulator or a game as well. The photos are written by
`recipes.augment`, as by `keras-semisis augment`. What filters is the model's discriminator, or, of a model without one, the
segmenter of the labeled photos.
"""

import argparse
import tempfile
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("model", help="model.keras of demo, last.keras of train, or a preset such as street")
parser.add_argument("camvid", nargs="?", help="folder with train, trainannot, val, valannot; by default the demo's scenes")
parser.add_argument("--ratio", type=float, default=0.2)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--seeds", type=int, default=1, help="of splits, photos and segmenters; the mean is told as well")
parser.add_argument("--split", type=int, metavar="SEED", help="of the split alone, which then is the same for all --seeds")
parser.add_argument("--scenes", type=int, default=400, help="of the demo")
parser.add_argument("--steps", type=int, default=1000, help="of each segmenter, with eight photos")
parser.add_argument("--per-map", type=int, default=1, help="photos for each label map")
parser.add_argument("--sampler", default="rare_classes", help="or uniform: each label map as often as the others")
parser.add_argument("--threshold", type=float, default=0.3, help="least agreement of a photo by the model's discriminator")
parser.add_argument("--pixel-tolerance", type=float, default=1.25, help="of noisy pixels: multiple of their class's mean")
parser.add_argument(
    "--filters",
    nargs="*",
    default=("pixels", "photos"),
    choices=("pixels", "photos"),
    help="which are tried; none where the discriminator segments nothing yet",
)
parser.add_argument("--output", help="folder of the data sets, which are kept")
parser.add_argument("--imagenet", action="store_true", help="a segmenter on features of ImageNet (extra offline), not a U-Net")
arguments = parser.parse_args()

gan = keras.saving.load_model(arguments.model) if Path(arguments.model).is_file() else ks.from_preset(arguments.model)
size = gan.image_size
if arguments.camvid:
    train, val = (ks.data.CamVid(arguments.camvid, split=split) for split in ("train", "val"))
else:
    train, val = (
        ks.data.SyntheticScenes(number, split, size)
        for number, split in ((arguments.scenes, "train"), (max(1, arguments.scenes // 2), "val"))
    )
space = train.label_space
gan.require_same_classes(train=train)


def whole(batches) -> tuple[np.ndarray, np.ndarray]:
    """All photos, float32 in [-1, 1], and all label maps."""
    return tuple(map(np.concatenate, zip(*batches, strict=True)))


def photos_of(source) -> tuple[np.ndarray, np.ndarray]:
    """All photos and label maps of a source."""
    return whole(ks.data.paired_dataset(source, size, batch_size=8, training=False))


def learned(seed: int, *pools: tuple[np.ndarray, np.ndarray]) -> tuple[float, keras.Model]:
    """The score, on real validation photos, of a segmenter that is trained on each pool in equal parts, and the segmenter."""
    keras.utils.set_random_seed(seed)
    segmenter = (
        ks.models.efficientnet_lite0_segmenter(space.num_classes, size)
        if arguments.imagenet
        else ks.models.unet_segmenter(space.num_classes, size, channels=(32, 32, 64, 128), final_channels=32)
    )
    segmenter.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, arguments.steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=space.ignore_class),
    )
    random = np.random.default_rng(seed)
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
    return score.result()["miou"], segmenter


def generated(seed: int, label_maps, judge: keras.Model, folder: Path, **how) -> tuple[str, tuple[np.ndarray, np.ndarray]]:
    """How many photos were kept of how many, and how many of their pixels; and the photos and label maps."""
    report = ks.recipes.augment(
        gan,
        label_maps,
        folder,
        arguments.per_map,
        sampler=arguments.sampler,
        segmenter=None if judge is gan.segmenting_network else judge,
        seed=seed,
        **how,
    )["report"]
    pixels = f" ({report['pixels']:.0%} of their pixels)" if "pixels" in report else ""
    return f"{report['kept']} of {report['drawn']}{pixels}", photos_of(ks.data.Folder(folder))


ways: dict[str, tuple[str, dict]] = {
    "all": ("all generated ones", {"filter": False}),
    "pixels": ("all but their noisy pixels", {"filter": False, "pixel_tolerance": arguments.pixel_tolerance}),
    "photos": ("those that the filter keeps", {"threshold": arguments.threshold}),
}
scores: dict[str, list[float]] = {}


def tell(which: str, text: str, score: float) -> None:
    """Prints a score, and keeps it for the mean."""
    scores.setdefault(which, []).append(score)
    print(f"{text}: mIoU {score:.3f}", flush=True)


for seed in range(arguments.seed, arguments.seed + arguments.seeds):
    paired, images, labels = ks.data.semi_paired_split(
        train, arguments.ratio, seed if arguments.split is None else arguments.split
    )
    labeled = photos_of(paired)
    score, segmenter = learned(seed, labeled)
    tell("labeled photos alone", f"{len(labeled[0])} labeled photos", score)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.output or temporary)
        judge = segmenter if gan.segmenting_network is None else gan.segmenting_network
        for way in ("all", *arguments.filters):
            which, how = ways[way]
            count, photos = generated(seed, labels, judge, folder / f"{seed}-{way}", **how)
            tell(f"with {which}", f"these and {which}, {count}", learned(seed, labeled, photos)[0])
    tell("all labeled", f"what labeling all {len(train)} would give", learned(seed, photos_of(train))[0])
if arguments.seeds > 1:
    for which, found in scores.items():
        print(f"{which}: mean mIoU {np.mean(found):.3f}, {', '.join(f'{score:.3f}' for score in found)}")
