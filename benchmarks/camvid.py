"""The CamVid run of docs/results: a semi-paired GAN from 37 labelled photos, on a CPU.

``python -m benchmarks.camvid --data PATH/camvid --output runs/camvid``; needs the ``offline`` extra. A U-Net segmenter is
trained on all real training pairs first (kept in ``<output>/segmenter.keras`` and used again). Scores against the 101
validation label maps are taken every ``--evaluate-every`` steps, beside those of the real images.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import matplotlib
import numpy as np

import keras_semisis as ks

matplotlib.use("Agg")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--image-size", type=int, nargs=2, default=(64, 96))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--segmenter-steps", type=int, default=800)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--base-channels", type=int, default=8)
    parser.add_argument("--hidden-channels", type=int, default=64)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--generator-rate", type=float, default=2e-4)
    parser.add_argument("--discriminator-rate", type=float, default=4e-4)
    parser.add_argument("--unconditional-rate", type=float, default=1e-3)
    parser.add_argument("--feature-matching-weight", type=float, default=10.0)
    parser.add_argument("--perceptual-weight", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def segmenter(options, train, validation):
    """A U-Net trained on every real pair: the judge of mIoU."""
    path = options.output / "segmenter.keras"
    if path.exists():
        return keras.saving.load_model(path)
    space = train.label_space
    model = ks.models.unet_segmenter(space.num_classes, options.image_size, (32, 32, 64, 64, 128), 32)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, options.segmenter_steps)),
                  loss=SegmenterLoss(space.ignore_class), jit_compile=False)
    data = ks.data.paired_dataset(train, options.image_size, options.batch_size)
    model.fit(data.stream(0, options.segmenter_steps), steps_per_epoch=options.segmenter_steps, verbose=2)
    model.save(path)
    return model


@keras.saving.register_keras_serializable(package="camvid")
class SegmenterLoss(ks.losses.CycleLoss):
    """Class-balanced cross-entropy over the real classes: the cycle loss, for logits without a fake class."""

    def call(self, y_true, y_pred):
        return super().call(y_true, keras.ops.concatenate([y_pred[..., :1], y_pred], axis=-1))


class Progress(keras.callbacks.Callback):
    """Scores and a grid every n steps; the loss terms of every step; the model, whenever it is scored."""

    def __init__(self, options, validation, metrics):
        super().__init__()
        self.options, self.validation, self.metrics = options, validation, metrics
        self.losses, self.scores, self.begin = [], [], time.time()

    def on_train_begin(self, logs=None):
        self._evaluate()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append({name: round(float(value), 5) for name, value in logs.items()})
        if len(self.losses) % 50 == 0:
            print(len(self.losses), round(time.time() - self.begin), self.losses[-1], flush=True)
        if len(self.losses) % self.options.evaluate_every == 0:
            self._evaluate()

    def _evaluate(self):
        scores = self.model.evaluate(self.validation, metrics=self.metrics)
        self.scores.append({"step": len(self.losses), "seconds": round(time.time() - self.begin)} | scores)
        (self.options.output / "scores.json").write_text(json.dumps(self.scores, indent=1))
        (self.options.output / "losses.json").write_text(json.dumps(self.losses))
        draw_grid(self.model, self.validation, self.options.output / f"grid_{len(self.losses):05d}.png")
        if self.losses:
            self.model.save(self.options.output / "model.keras")


def draw_grid(gan, validation, path, rows=(3, 20, 40, 60, 80, 95)):
    """Label map, real image, two generated images and D's segmentation of the first, for some validation items."""
    images, label_maps = (np.concatenate(parts) for parts in zip(*validation, strict=True))
    images, label_maps = images[list(rows)], label_maps[list(rows)]
    space = validation.label_space
    generated = [gan.generate(label_maps, seed=seed) for seed in (0, 1)]
    columns = {
        "label map": space.colorize(label_maps),
        "real": np.clip((images + 1) * 127.5, 0, 255).astype("uint8"),
        "generated": generated[0],
        "generated, other noise": generated[1],
        "D's segmentation": space.colorize(gan.segment(generated[0])),
    }
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(rows), len(columns), figsize=(2.4 * len(columns), 1.65 * len(rows)))
    for j, (title, pictures) in enumerate(columns.items()):
        axes[0, j].set_title(title, fontsize=9)
        for i, picture in enumerate(pictures):
            axes[i, j].imshow(picture, interpolation="nearest")
            axes[i, j].axis("off")
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    options = arguments()
    options.output.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    size = tuple(options.image_size)
    train = ks.data.CamVid(options.data, split="train")
    space = train.label_space
    validation = ks.data.paired_dataset(
        ks.data.CamVid(options.data, split="val"), size, options.batch_size, training=False)
    judge = segmenter(options, train, validation)
    keras.config.set_dtype_policy(options.precision)

    paired, images, labels = ks.data.semi_paired_split(train, options.ratio, seed=0)
    paired_ds = ks.data.paired_dataset(paired, size, options.batch_size, sampler="rare_classes", seed=options.seed)
    unpaired_ds = ks.data.unpaired_dataset(images, labels, size, options.batch_size, seed=options.seed)
    gan = ks.SemiPairedGAN(
        space.num_classes, size, space.ignore_class, seed=options.seed, perceptual=ks.models.vgg16_features(),
        generator=ks.models.wavelet_spade_generator(space.num_classes, size, options.base_channels, num_blocks=5,
                                                    hidden_channels=options.hidden_channels),
        discriminator=ks.models.oasis_discriminator(space.num_classes, size, (32, 32, 64, 64, 128), 32),
        unconditional_discriminator=ks.models.wavelet_discriminator(size, {4: 128, 8: 128, 16: 64, 64: 32}))

    def adam(rate):
        return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.999)

    gan.compile(adam(options.generator_rate), adam(options.discriminator_rate), adam(options.unconditional_rate),
                feature_matching_weight=options.feature_matching_weight, ema_decay=0.999,
                perceptual_weight=options.perceptual_weight, statistics_batches=12)
    extractor = ks.metrics.Features(ks.models.efficientnet_lite0_features())
    baseline = ks.data.paired_dataset(train, size, options.batch_size, training=False)
    metrics = [ks.metrics.FrechetInceptionDistance(extractor, baseline=baseline),
               ks.metrics.KernelInceptionDistance(extractor, baseline=baseline),
               ks.metrics.GeneratedMeanIoU(judge, ignore_class=space.ignore_class)]
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items() if k not in ("data", "output")}
    settings |= {"pairs": len(paired), "unpaired": len(images), "backend": keras.backend.backend(),
                 "parameters": {name: getattr(gan, name).count_params() for name in gan.network_names},
                 "settings": gan.settings, "keras": keras.__version__}
    (options.output / "settings.json").write_text(json.dumps(settings, indent=1))
    gan.fit(paired_ds, unpaired_ds, steps_per_epoch=options.steps, verbose=0,
            callbacks=[Progress(options, validation, metrics)])


if __name__ == "__main__":
    main()
