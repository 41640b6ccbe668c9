"""A whole training on embedded scenes, in minutes, on two CPU cores."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keras_semisis import models
from keras_semisis.callbacks import sample_grid
from keras_semisis.data import paired_dataset
from keras_semisis.metrics import split_scores
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import scoring, training
from keras_semisis.recipes.choice import MOST_STEPS_OF_MINUTES
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.run_folder import FILE, document_of, write_document
from keras_semisis.recipes.segmenter import train_segmenter
from keras_semisis.recipes.step_clock import StepClock
from keras_semisis.recipes.systems import build_gan
from keras_semisis.recipes.training_data import examples, open_training_data

# The segmenter's share of the time, of which it uses less where it has done its steps
_SEGMENTER_SHARE = 0.25
_SEGMENTER_STEPS = 300
_SEGMENTER_CHANNELS, _SEGMENTER_FINAL = (16, 32, 32, 64), 16


def demo_settings(output: Path, seed: int) -> TrainSettings:
    """Networks and rates that show something within a few hundred steps."""
    return TrainSettings(
        data="synthetic:400",
        output=str(output),
        ratio=0.2,
        image_size=(64, 96),
        batch_size=4,
        seed=seed,
        precision="float32",
        generator="oasis",
        base_channels=4,
        noise_channels=16,
        hidden_channels=32,
        num_blocks=5,
        discriminator_channels=(16, 32, 32, 64),
        discriminator_final_channels=16,
        unconditional_channels={4: 32, 8: 32, 16: 16, 64: 8},
        perceptual="none",
        generator_learning_rate=1e-3,
        discriminator_learning_rate=1e-3,
        unconditional_learning_rate=5e-4,
        ema_decay=0.99,
        # R1 at every step: the same strength, and one step to compile instead of two
        r1_every=1,
    )


def demo(
    name: str,
    minutes: float,
    steps: int | None,
    seed: int,
    size: TrainSettings | None = None,
    progress: Progress = SILENT,
    show: Callable[[Mapping[str, Any]], object] = lambda columns: None,
) -> dict[str, Any]:
    """Trains a segmenter and then a SemiPairedGAN on `SyntheticScenes`; writes ``runs/<name>``.

    Args:
        name: Name of the run folder in ``./runs``.
        minutes: Time for training, both networks and compilation together.
        steps: Number of steps; None is what fits into the time. The time holds for both.
        seed: Seed of everything.
        size: Other settings than `demo_settings`.
        progress: Shows how far it is.
        show: Is given scores by title, before the training and after it.

    Returns:
        What ``results.json`` holds: ``settings``, and ``before``, ``after``, ``real`` with ``frechet``, ``kid``, ``miou``.
    """
    folder = Path("runs") / name
    for file, what in (("results.json", "demo"), (FILE, "run")):
        if (folder / file).exists():
            raise ValueError(f"{folder}: there is a {what} in this folder. Give another --name, or delete it.")
    settings = size or demo_settings(folder, seed)
    training.set_up(settings)
    data = open_training_data(settings, progress)
    space = data.sources.train.label_space
    budget = 60.0 * minutes

    begin = time.monotonic()
    segmenter = _segmenter(settings, data, begin + _SEGMENTER_SHARE * budget, steps, progress)
    spent = time.monotonic() - begin
    judges = scoring.make_metrics(segmenter, "segmenter", data.sources.train, settings.image_size, settings.batch_size)
    gan = build_gan(settings, space)
    before, real = _scores(gan, data, judges)
    show({"before": before, "real images": real})

    begin = time.monotonic()
    settings.steps = _train(gan, data, folder, begin + budget - spent, steps, progress)
    spent += time.monotonic() - begin
    after, _ = _scores(gan, data, judges)

    gan.save(folder / "model.keras")
    segmenter.save(folder / "segmenter.keras")
    images, label_maps = examples(data.sources.val, data.val.image_size, skip_bad=data.bad_files)
    sample_grid(folder / "grid.png", gan, label_maps, images, space, seed)
    document = document_of(settings, space, counts=data.counts)
    results = {
        "settings": {
            **asdict(settings),
            "versions": document["versions"],
            "counts": data.counts,
            "steps_done": gan.step,
            "training_seconds": round(spent, 1),
            "features": "bottleneck of the demo's own segmenter, averaged over space",
            "segmenter": "U-Net trained by the demo on all training scenes, within the time of training",
            "real": "training images against validation images at the same count; for mIoU, the segmenter on validation images",
        },
        "before": before,
        "after": after,
        "real": real,
    }
    write_document(folder / "settings.json", document)
    write_document(folder / "results.json", results)
    show({"before": before, "after": after, "real images": real})
    return results


def _segmenter(settings, data, deadline, steps, progress):
    dataset = paired_dataset(data.sources.train, settings.image_size, 2 * settings.batch_size, seed=settings.seed)
    wanted = _SEGMENTER_STEPS if steps is None else min(steps, _SEGMENTER_STEPS)
    with progress.steps("Segmenter", wanted) as shown:
        segmenter = models.unet_segmenter(
            dataset.label_space.num_classes, settings.image_size, _SEGMENTER_CHANNELS, _SEGMENTER_FINAL
        )
        return train_segmenter(segmenter, dataset, wanted, learning_rate=2e-3, callbacks=[StepClock(deadline), *shown])


def _train(gan, data, folder, deadline, steps, progress):
    """Trains until the deadline; returns the number of steps that were planned."""
    callbacks = training.run_callbacks(folder)
    planned = training.plan_steps(gan, data, deadline, steps or MOST_STEPS_OF_MINUTES, callbacks)
    if planned > gan.step:
        training.fit(gan, data, planned, gan.step, [StepClock(deadline), *callbacks], progress)
    return planned


def _scores(gan, data, judges):
    generated, real = split_scores(gan.evaluate(data.val, metrics=judges, verbose=0))
    return generated, real
