"""Seconds, memory and operations of a training step, and the rate of the input pipeline.

``python -m benchmarks.step_time --image-size 64x96 --batch-size 8 --precision mixed_bfloat16``; the backend
is that of ``KERAS_BACKEND``. ``--compare REVISION`` measures this package and that of another revision in turns.
See benchmarks/README.md for what the numbers mean.
"""

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.table import Table

from benchmarks import comparison, input_pipeline
from benchmarks.operations import step_operations
from keras_semisis.gans.engines import engine
from keras_semisis.gans.semantic import published_depth
from keras_semisis.models.usis import DISCRIMINATOR_WIDTHS


def size_of(text):
    height, _, width = text.partition("x")
    return int(height), int(width)


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=["semi_paired", "oasis"], default="semi_paired")
    parser.add_argument("--image-size", type=size_of, default=(64, 96), metavar="HxW")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], default="float32")
    parser.add_argument("--base-channels", type=int, default=16, help="width of the generator; published: 16")
    parser.add_argument(
        "--divide-discriminators",
        type=int,
        default=1,
        metavar="N",
        help="D's and D_u's published widths divided by N",
    )
    parser.add_argument(
        "--perceptual",
        choices=["vgg19", "none"],
        default="vgg19",
        help="vgg19 has random weights here: they do not matter for the time",
    )
    parser.add_argument("--steps", type=int, default=8, help="measured steps, a multiple of 4 (R1's interval)")
    parser.add_argument("--data", default="synthetic", help='"synthetic" or "camvid:PATH", for the input pipeline; or "none"')
    parser.add_argument("--compare", metavar="REVISION", help="of git: its package is measured in turns with this one")
    parser.add_argument("--pairs", type=int, default=3, help="of --compare: how often each is measured")
    parser.add_argument("--output", type=Path, help="JSON file for the results; of --compare a line is added to it")
    options = parser.parse_args(argv)
    if options.steps % 4:
        parser.error("--steps must be a multiple of 4: R1 is due at every fourth step.")
    return options


class Partial:
    """Of a GAN: one can run some of the phases."""

    selected: tuple[str, ...] | None = None

    def phases(self):
        return [phase for phase in super().phases() if self.selected is None or phase.name in self.selected]

    def refresh_statistics(self):
        """Not here: it would run at the end of each measurement."""


class PartialSemiPairedGAN(Partial, ks.SemiPairedGAN):
    """A `SemiPairedGAN` of which one can run some of the phases."""


class PartialOASIS(Partial, ks.OASIS):
    """An `OASIS` of which one can run some of the phases."""


class OneBatch(keras.utils.PyDataset):
    """One batch, again and again: the step alone is to be measured."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


class StepTimes(ks.recipes.StepClock):
    """Seconds of each step, of the clock and of the processor. The loss terms have arrived on the host when a step ends, so
    that it is over."""

    def __init__(self):
        super().__init__()
        self.processor: list[float] = []

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch, logs)
        self._processor_begin = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        for value in (logs or {}).values():
            float(ops.convert_to_numpy(value))
        super().on_train_batch_end(batch, logs)
        self.processor.append(time.process_time() - self._processor_begin)


def build(options, num_classes, ignore_class):
    keras.config.set_dtype_policy(options.precision)
    size, divisor = options.image_size, options.divide_discriminators
    blocks = published_depth(size)
    widths = tuple(width // divisor for width in (128, 128, 256, 256, 512, 512)[:blocks])
    discriminator = ks.models.oasis_discriminator(num_classes, size, widths, 64 // divisor)
    if options.method == "oasis":
        generator = ks.models.oasis_generator(num_classes, size, 4 * options.base_channels, num_blocks=blocks)
        gan = PartialOASIS(num_classes, size, ignore_class, generator, discriminator)
    else:
        gan = PartialSemiPairedGAN(
            num_classes,
            size,
            ignore_class,
            generator=ks.models.wavelet_spade_generator(num_classes, size, options.base_channels, num_blocks=blocks),
            discriminator=discriminator,
            unconditional_discriminator=ks.models.wavelet_discriminator(
                size, {resolution: width // divisor for resolution, width in DISCRIMINATOR_WIDTHS.items()}
            ),
            perceptual=None if options.perceptual == "none" else ks.models.vgg19_features(weights=None),
        )
    gan.compile(statistics_batches=1)
    return gan


def random_batch(options, num_classes, seed):
    rng = np.random.default_rng(seed)
    image = rng.uniform(-1, 1, (options.batch_size, *options.image_size, 3)).astype("float32")
    return image, rng.integers(0, num_classes, (options.batch_size, *options.image_size)).astype("int32")


def seconds_per_step(gan, batches, steps, selected=None):
    """Mean seconds of a step by the clock and of the processor, R1's share included, after the steps that compile."""
    gan.selected = selected
    times = StepTimes()
    # R1's phase is compiled with it and without
    warm_up = getattr(gan.settings, "r1_every", 1)
    gan.fit(*map(OneBatch, batches[: len(gan.data_sets)]), steps_per_epoch=warm_up + steps, callbacks=[times], verbose=0)
    return {
        "seconds": statistics.fmean(times.seconds[warm_up:]),
        "processor_seconds": statistics.fmean(times.processor[warm_up:]),
    }


def matmul_peak(dtype) -> float:
    """Operations per second of the fastest of some square matrix products."""
    on_host = not accelerator()
    side, repeats = (1024, 8) if on_host else (8192, 20)
    a = ops.cast(keras.random.normal((side, side), seed=0), dtype)
    product = engine.compiled(lambda x, y: ops.matmul(x, y))

    def run():
        begin, result = time.perf_counter(), a
        for _ in range(repeats):
            result = product(a, result)
        float(ops.convert_to_numpy(ops.cast(result[0, 0], "float32")))
        return (time.perf_counter() - begin) / repeats

    run()
    return 2 * side**3 / min(run() for _ in range(3))


def accelerator() -> str | None:
    """What the backend computes on, if it is not the CPU."""
    if keras.config.backend() == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else None
    devices = [device for device in keras.distribution.list_devices() if not device.lower().startswith("cpu")]
    return devices[0] if devices else None


def peak_memory() -> int:
    """Bytes: the most that the accelerator, or else this process, has held."""
    if not accelerator():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    if keras.config.backend() == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    import torch

    return torch.cuda.max_memory_allocated()


def source_of(options):
    kind, _, path = options.data.partition(":")
    if kind == "camvid":
        return ks.data.CamVid(path)
    if kind in ("synthetic", "none"):
        return ks.data.SyntheticScenes(64, image_size=options.image_size)
    raise SystemExit(f'--data {options.data!r}: expected "synthetic", "camvid:PATH" or "none".')


def measure(options):
    source = source_of(options)
    pipeline = None if options.data == "none" else input_pipeline.measure(source, options.image_size, options.batch_size)
    space = source.label_space
    gan = build(options, space.num_classes, space.ignore_class)
    batches = [random_batch(options, space.num_classes, seed) for seed in (0, 1)]
    operations = step_operations(gan, options.batch_size)
    step = seconds_per_step(gan, batches, options.steps)
    memory = peak_memory()
    phases = {
        name: seconds_per_step(gan, batches, options.steps, (name,)) | {"operations": count}
        for name, count in operations.items()
    }
    peak = matmul_peak(keras.config.dtype_policy().compute_dtype)
    for part in phases.values():
        part["share_of_matmul_peak"] = part["operations"] / part["seconds"] / peak
    total = sum(operations.values())
    return {
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()}
        | {
            "backend": keras.config.backend(),
            "keras": keras.__version__,
            "machine": platform.machine(),
            "num_classes": space.num_classes,
            "accelerator": accelerator(),
        },
        "phases": phases,
        "step": step
        | {
            "operations": total,
            "share_of_matmul_peak": total / step["seconds"] / peak,
            # of all data sets: a semi-paired step takes a paired and an unpaired batch
            "images_per_second": len(gan.data_sets) * options.batch_size / step["seconds"],
            "peak_memory_bytes": memory,
            "matmul_peak_operations_per_second": peak,
        },
        "input_pipeline": pipeline,
    }


def report(result, console):
    settings, step, pipeline = result["settings"], result["step"], result["input_pipeline"]
    height, width = settings["image_size"]
    what = f"batch {settings['batch_size']}, {height}x{width}"
    table = Table(title=f"{settings['backend']}, {settings['precision']}, {what}")
    for heading in ("", "seconds", "processor", "GFLOP", "of matmul peak"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, part in [*result["phases"].items(), ("step", step)]:
        if name == "step":
            table.add_section()
        table.add_row(
            name,
            f"{part['seconds']:.4f}",
            f"{part['processor_seconds']:.4f}",
            f"{part['operations'] / 1e9:.1f}",
            f"{part['share_of_matmul_peak']:.1%}",
        )
    console.print(table)
    console.print(
        f"{step['images_per_second']:.1f} images/s; peak memory {step['peak_memory_bytes'] / 2**30:.2f} GiB; "
        f"matmul peak {step['matmul_peak_operations_per_second'] / 1e9:.0f} GFLOP/s"
    )
    if pipeline is None:
        return
    console.print(
        f"Input pipeline: {pipeline['uniform_images_per_second']:.0f} images/s uniform, "
        f"{pipeline['rare_classes_images_per_second']:.0f} with the rare-class sampler, "
        f"which draws an item in {1e6 * pipeline['rare_classes_seconds_per_draw']:.2f} µs "
        f"(uniform: {1e6 * pipeline['uniform_seconds_per_draw']:.2f}) and so costs {pipeline['sampler_cost']:+.2%}"
    )


def main(argv=None):
    options = arguments(argv)
    if options.compare:
        comparison.compare(options, sys.argv[1:] if argv is None else argv, Console())
        return
    result = measure(options)
    report(result, Console())
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
