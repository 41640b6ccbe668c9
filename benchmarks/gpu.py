"""What a GPU makes of a few labels in some minutes: time and share of the matmul peak of a step, then photos.

``python -m benchmarks.gpu pack --data camvid:PATH --output PACK`` writes what a machine without the weights' packages needs:
the photos at the size of the training, and the trunk's weights in float16. There,
``KERAS_BACKEND=jax python -m benchmarks.gpu --minutes 8 --pack PACK --output DIR`` measures and trains, and
``python -m benchmarks.gpu score DIR --data camvid:PATH`` scores the photos anywhere. See benchmarks/README.md.
"""

import argparse
import json
import math
import platform
import time
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras
import numpy as np
from PIL import Image

from benchmarks import step_time
from benchmarks.paper.train import own_miou
from keras_semisis.callbacks.grids import sample_grid
from keras_semisis.data.pictures.resizing import resize_image, resize_label_map
from keras_semisis.data.sources.classes_file import classes_text
from keras_semisis.models.projected_discriminators import WIDTHS

# validation photos in whole batches, so that one program serves all
_WARM_UP, _GRID_ROWS, _PHOTOS, _PART_BYTES = 60, 8, 96, 15 * 2**20
# VGG trains
_JUDGES = ("efficientnet_lite0", "alexnet")
_WEIGHTS_FILE, _BUILD_DEVICE = "vgg16.npz", "cpu:0"


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=["run", "pack", "score"], default="run")
    parser.add_argument("folder", nargs="?", type=Path, help="of score: what run has written")
    parser.add_argument("--parts", default="step,train", help="of run: step, train or both")
    parser.add_argument("--minutes", type=float, default=8.0, help="of run, all in all")
    parser.add_argument("--data", default="camvid:../shared/data/camvid")
    parser.add_argument("--pack", type=Path, help="of run: what pack has written, in place of --data and installed weights")
    parser.add_argument("--output", type=Path, default=Path("gpu"))
    parser.add_argument("--method", choices=["semi_paired", "oasis"], default="semi_paired")
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--image-size", type=step_time.size_of, default=(128, 192), metavar="HxW")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--base-channels", type=int, default=48, help="width of OASIS's generator; published: 64")
    parser.add_argument("--divide-discriminators", type=int, default=1, metavar="N")
    parser.add_argument("--perceptual-weight", type=float, default=0.6)
    parser.add_argument("--feature-matching-weight", type=float, default=ks.recipes.PRETRAINED_FEATURE_MATCHING)
    parser.add_argument("--learning-rate", type=float, default=4e-4, help="of G and D; D_u has half of it")
    parser.add_argument("--ema-decay", type=float, default=0.999)
    parser.add_argument("--steps", type=int, help="of run: at most so many")
    parser.add_argument("--step-image-size", type=step_time.size_of, default=(256, 512), metavar="HxW")
    parser.add_argument("--step-batch-size", type=int, default=8)
    parser.add_argument("--step-divide", type=int, default=1, metavar="N", help="published widths divided by N")
    parser.add_argument("--every", type=float, default=60.0, help="seconds from one checkpoint to the next")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    if options.command == "score" and options.folder is None:
        parser.error("score needs the folder that run has written.")
    return options


# -- data and weights that travel ---------------------------------------------------------------------------------------


def pack(options):
    """Photos and label maps at the size of the training, as a folder source, and VGG16's convolutions in float16."""
    size, output = options.image_size, options.output
    train, val = ks.recipes.open_data(options.data, size)
    for split, source in (("train", train), ("val", val)):
        for kind in ("images", "labels"):
            (output / split / kind).mkdir(parents=True, exist_ok=True)
        (output / split / "classes.csv").write_text(classes_text(train.label_space), encoding="utf-8")
        for i in range(len(source)):
            image, label_map = source.load(i)
            photo, label_map = resize_image(image, size), resize_label_map(label_map, size).astype("uint8")
            Image.fromarray(photo).save(output / split / "images" / f"{i:04d}.png", optimize=True)
            Image.fromarray(label_map).save(output / split / "labels" / f"{i:04d}.png", optimize=True)
    layer = ks.models.FrozenFeatures("vgg16")
    arrays = [np.asarray(keras.ops.convert_to_numpy(variable), "float16") for variable in layer.trunk_variables]
    np.savez_compressed(output / _WEIGHTS_FILE, *arrays)


def sources(options):
    if options.pack is None:
        return ks.recipes.open_data(options.data, options.image_size)
    return tuple(ks.data.Folder(options.pack / split) for split in ("train", "val"))


def fill_trunks(networks, path):
    """Gives frozen trunks, and a perceptual network of the same kind, the weights of a pack."""
    with np.load(path) as file:
        arrays = [file[name].astype("float32") for name in file.files]
    for network in networks:
        layers = ks.models.frozen_features_of(network)
        variables = [layer.trunk_variables for layer in layers] or [network.variables]
        for group in variables:
            for variable, array in zip(group, arrays, strict=False):
                variable.assign(array)


# -- training -----------------------------------------------------------------------------------------------------------


def build(options, space):
    if keras.config.backend() != "jax":
        return _build(options, space)[0]
    # hundreds of initial values, each a program of its own: XLA makes one for a CPU in less time than for a GPU
    with keras.device(_BUILD_DEVICE):
        gan, untracked = _build(options, space)
    for variable in gan.variables + untracked:
        variable.assign(keras.ops.convert_to_numpy(variable))
    return gan


def _build(options, space):
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(options.seed)
    size, classes, divisor = options.image_size, space.num_classes, options.divide_discriminators
    weights = "imagenet" if options.pack is None else None
    generator = ks.models.oasis_generator(
        classes, size, options.base_channels, num_blocks=min(ks.gans.semantic.published_depth(size) + 1, 6)
    )
    rate, common = options.learning_rate, {"ema_decay": options.ema_decay, "seed": options.seed}
    adam = {"beta_1": 0.0, "beta_2": 0.999}
    rates = {
        "generator_optimizer": keras.optimizers.Adam(rate, **adam),
        "discriminator_optimizer": keras.optimizers.Adam(rate, **adam),
    }
    if options.method == "oasis":
        widths = tuple(w // divisor for w in ks.gans.semantic.published_widths(size))
        gan = ks.OASIS(
            classes,
            size,
            space.ignore_class,
            generator,
            ks.models.oasis_discriminator(classes, size, widths, 64 // divisor),
            **common,
        )
    else:
        widths = {"channels": tuple(w // divisor for w in (64, 128, 256, 256, 512)), "final_channels": 64 // divisor}
        perceptual = ks.models.vgg16_features(weights)
        discriminator = ks.models.pretrained_discriminator(classes, size, weights=weights, **widths)
        judge = ks.models.projected_discriminator(
            size, channels=tuple(w // divisor for w in WIDTHS), weights=weights, seed=options.seed
        )
        if options.pack is not None:
            fill_trunks([perceptual, discriminator, judge], options.pack / _WEIGHTS_FILE)
        gan = ks.SemiPairedGAN(
            classes,
            size,
            space.ignore_class,
            generator,
            discriminator,
            judge,
            perceptual=perceptual,
            feature_matching_weight=options.feature_matching_weight,
            perceptual_weight=options.perceptual_weight,
            adversarial_loss="hinge",
            r1_gamma=0.0,
            augmentation=ks.layers.DiffAugment(fill_class=space.ignore_class),
            **common,
        )
        rates["unconditional_optimizer"] = keras.optimizers.Adam(rate / 2, beta_1=0.0, beta_2=0.99)
    gan.compile(**rates)
    return gan, perceptual.variables if options.method == "semi_paired" else []


def data_sets(options, gan, train):
    paired, images, labels = ks.data.semi_paired_split(train, options.ratio, seed=0)
    made = {
        "paired_ds": lambda: ks.data.paired_dataset(
            paired,
            options.image_size,
            options.batch_size,
            "uniform" if options.method == "oasis" else "rare_classes",
            options.seed,
        ),
        "unpaired_ds": lambda: ks.data.unpaired_dataset(images, labels, options.image_size, options.batch_size, options.seed),
    }
    return [made[name]() for name in gan.data_sets]


class Report(keras.callbacks.Callback):
    """Every so many seconds: losses, D's mIoU on validation photos, a grid, the generator's weights in float16."""

    def __init__(self, output, val, image_size, every, begin):
        super().__init__()
        self.output, self.every, self.begin = output, every, begin
        self.space = val.label_space
        self.images, self.label_maps = ks.recipes.examples(val, image_size, _GRID_ROWS)
        photos, self.truth = ks.recipes.examples(val, image_size, _PHOTOS)
        self.batches = [(photos[i : i + 8], self.truth[i : i + 8]) for i in range(0, len(photos), 8)]
        self.records, self.sums, self.count, self.due = [], {}, 0, time.monotonic() + every

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        for name, value in (logs or {}).items():
            self.sums[name] = self.sums.get(name, 0.0) + float(keras.ops.convert_to_numpy(value))
        if time.monotonic() >= self.due:
            self.write()

    def write(self):
        # on JAX `self.model` writes the state back into the variables
        gan = self.model
        sample_grid(self.output / "grid.png", gan, self.label_maps, self.images, self.space)
        self.records.append(
            {
                "step": gan.step,
                "minutes": (time.monotonic() - self.begin) / 60,
                "miou_of_discriminator": own_miou(gan, self.batches),
                "losses": {name: total / self.count for name, total in self.sums.items()},
            }
        )
        print(json.dumps(self.records[-1]), flush=True)
        (self.output / "train.json").write_text(json.dumps(self.records, indent=1) + "\n")
        save_weights(gan.ema_generator, self.output)
        self.sums, self.count, self.due = {}, 0, time.monotonic() + self.every


def train(options, begin, until):
    training, val = sources(options)
    say(begin, "data are found")
    gan = build(options, training.label_space)
    say(begin, "networks are built")
    sets = data_sets(options, gan, training)
    clock = step_time.StepTimes()
    gan.fit(*sets, epochs=1, steps_per_epoch=_WARM_UP, verbose=0, callbacks=[clock])
    seconds = float(np.median(clock.seconds[len(clock.seconds) // 2 :]))
    report = Report(options.output, val, options.image_size, options.every, begin)
    report.set_model(gan)
    say(begin, f"{_WARM_UP} steps, of which the first took {clock.seconds[0]:.0f} s")
    first, started = gan.step, time.monotonic()
    left = math.inf if options.steps is None else options.steps - first
    # the first steps tell little of how long the others take: each round is planned by the one before
    while left > 0 and (round_steps := int(min(left, 0.95 * (until - time.monotonic()) / seconds))) > 0:
        begun, before = time.monotonic(), gan.step
        gan.fit(*sets, epochs=1, steps_per_epoch=round_steps, verbose=0, callbacks=[report, ks.recipes.StepClock(until)])
        left -= gan.step - before
        seconds = (time.monotonic() - begun) / (gan.step - before)
        say(begin, f"{gan.step} steps, {seconds:.4f} s a step")
    report.write()
    documents = {
        "seconds_per_step": (time.monotonic() - started) / max(1, gan.step - first),
        "step": gan.step,
        "peak_memory_bytes": step_time.peak_memory(),
        "parameters": {name: getattr(gan, name).count_params() for name in gan.network_names},
    }
    np.savez_compressed(options.output / "photos.npz", gan.generate(report.truth, seed=0))
    return documents


def say(begin, text):
    print(f"{time.monotonic() - begin:.0f} s: {text}", flush=True)


def save_weights(network, output):
    """Float16, in files of at most 15 MiB."""
    parts, bytes_of_part = [[]], 0
    for variable in network.variables:
        array = np.asarray(keras.ops.convert_to_numpy(variable), "float16")
        if bytes_of_part + array.nbytes > _PART_BYTES and parts[-1]:
            parts.append([])
            bytes_of_part = 0
        parts[-1].append(array)
        bytes_of_part += array.nbytes
    for i, part in enumerate(parts):
        np.savez(output / f"generator-{i}.npz", *part)


# -- step time ----------------------------------------------------------------------------------------------------------


def measure_step(options):
    """Seconds and share of the matmul peak of a step of the paper's method with published widths."""
    settings = step_time.arguments(
        [
            "--image-size",
            "x".join(map(str, options.step_image_size)),
            "--batch-size",
            str(options.step_batch_size),
            "--precision",
            "mixed_bfloat16",
            "--base-channels",
            str(16 // options.step_divide),
            "--divide-discriminators",
            str(options.step_divide),
        ]
    )
    classes = 35
    gan = step_time.build(settings, classes, None)
    batches = [step_time.random_batch(settings, classes, seed) for seed in (0, 1)]
    operations = sum(step_time.step_operations(gan, settings.batch_size).values())
    seconds = step_time.seconds_per_step(gan, batches, 16)["seconds"]
    peak = step_time.matmul_peak("bfloat16")
    return {
        "seconds": seconds,
        "operations": operations,
        "matmul_peak_operations_per_second": peak,
        "share_of_matmul_peak": operations / seconds / peak,
        "peak_memory_bytes": step_time.peak_memory(),
        "image_size": options.step_image_size,
        "batch_size": options.step_batch_size,
    }


def run(options):
    begin = time.monotonic()
    until = begin + 60 * options.minutes
    options.output.mkdir(parents=True, exist_ok=True)
    document = {
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()},
        "machine": platform.machine(),
        "accelerator": step_time.accelerator(),
        "backend": keras.config.backend(),
        "keras": keras.__version__,
        "keras_semisis": ks.__version__,
    }
    for part in options.parts.split(","):
        say(begin, part)
        document[part] = measure_step(options) if part == "step" else train(options, begin, until)
        (options.output / "gpu.json").write_text(json.dumps(document, indent=1) + "\n")
        print(json.dumps(document[part]), flush=True)


# -- scores -------------------------------------------------------------------------------------------------------------


def score(options):
    """Distances of the photos that a run has written."""
    settings = json.loads((options.folder / "gpu.json").read_text())["settings"]
    size = tuple(settings["image_size"])
    training, val = ks.recipes.open_data(options.data, size)
    with np.load(options.folder / "photos.npz") as file:
        photos = file["arr_0"].astype("float32") / 127.5 - 1.0
    real, label_maps = ks.recipes.examples(val, size, _PHOTOS)
    scores = {}
    for features in _JUDGES:
        judges = ks.recipes.make_metrics(None, features, training, size, 8)
        for judge in judges:
            for i in range(0, len(photos), 8):
                judge.update_state(label_maps[i : i + 8], real[i : i + 8], photos[i : i + 8])
        scores[features] = {name: float(value) for judge in judges for name, value in judge.result().items()}
    (options.folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    print(json.dumps(scores))


if __name__ == "__main__":
    chosen = arguments()
    {"run": run, "pack": pack, "score": score}[chosen.command](chosen)
