"""A model of other classes against none: CamVid from a few pairs, adapted from synthetic scenes and from scratch."""

import argparse
import json
import time
import warnings
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras

from keras_semisis.data import paired_dataset, semi_paired_split
from keras_semisis.recipes.scoring import IMAGENET_FEATURES

_CHANNELS, _FINAL, _RATE = (16, 16, 32, 32, 64), 16, 4e-4


def begin(start: str, space: ks.data.LabelSpace, preset: ks.presets.PresetModel, seed: int) -> ks.OASIS:
    """OASIS on a preset's generator, with its weights behind a matrix (``"adapted"``) or with drawn ones (``"scratch"``)."""
    keras.utils.set_random_seed(seed)
    if start == "adapted":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "adapt:")
            generator = ks.adapt(preset, space).generator
    else:
        config = preset.generator.get_config()
        for layer in config["layers"]:
            if layer["config"].get("num_classes") == preset.num_classes:
                layer["config"]["num_classes"] = space.num_classes
        generator = type(preset.generator).from_config(config)
        generator.trainable = True
    judge = ks.models.oasis_discriminator(space.num_classes, preset.image_size, _CHANNELS, _FINAL)
    gan = ks.OASIS(
        space.num_classes, preset.image_size, space.ignore_class, generator, judge, label_space=space, ema_decay=0.99, seed=seed
    )
    rates = [keras.optimizers.Adam(_RATE, beta_1=0.0, beta_2=0.999) for _ in range(2)]
    gan.compile(*rates, label_mix_weight=0.0, statistics_batches=4)
    return gan


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--preset", default="street", help="the model that is adapted")
    parser.add_argument("--pairs", type=int, default=18)
    parser.add_argument("--steps", type=int, nargs="+", default=[50, 150], help="when it is scored")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--features", default="efficientnet_lite0", choices=sorted(IMAGENET_FEATURES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="a line of JSON for each start is added")
    options = parser.parse_args()
    preset = ks.from_preset(options.preset)
    train, val = (ks.data.CamVid(options.data, split) for split in ("train", "val"))
    pairs, _, _ = semi_paired_split(train, options.pairs / len(train), options.seed)
    size = preset.image_size
    photos = paired_dataset(val, size, 8, training=False)
    features = ks.metrics.Features(IMAGENET_FEATURES[options.features]())
    baseline = paired_dataset(train, size, 8, training=False)
    metric = ks.metrics.METRICS["frechet"].metric.of_training(features, baseline, train.label_space)
    for start in ("scratch", "adapted"):
        gan = begin(start, train.label_space, preset, options.seed)
        batches = paired_dataset(pairs, size, options.batch_size, seed=options.seed)
        entry = {"start": start, "pairs": len(pairs), "image_size": size, "scores": {}, "seconds": 0.0}
        for steps in options.steps:
            begun = time.perf_counter()
            gan.fit(batches, epochs=1, steps_per_epoch=steps - gan.step, verbose=0)
            entry["seconds"] += time.perf_counter() - begun
            entry["scores"][steps] = gan.evaluate(photos, metrics=[metric], verbose=0)
            print(start, steps, {name: round(value, 2) for name, value in entry["scores"][steps].items()}, flush=True)
        if options.output:
            options.output.parent.mkdir(parents=True, exist_ok=True)
            with options.output.open("a") as file:
                file.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
