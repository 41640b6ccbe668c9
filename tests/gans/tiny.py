"""A semi-paired GAN small enough to train in a test, and fixed batches for it."""

import keras
import numpy as np

import keras_semisis as ks

SIZE, CLASSES, IGNORE = (16, 32), 5, 4


def tiny_gan(perceptual=None, compile=True, **kwargs):
    keras.utils.set_random_seed(0)
    networks = {
        "generator": ks.models.wavelet_spade_generator(CLASSES, SIZE, base_channels=1, noise_channels=4, num_blocks=2),
        "discriminator": ks.models.oasis_discriminator(CLASSES, SIZE, channels=(4, 6), final_channels=4),
        "unconditional_discriminator": ks.models.wavelet_discriminator(SIZE, {4: 6, 8: 6, 32: 4}),
    }
    gan = ks.SemiPairedGAN(CLASSES, SIZE, perceptual=perceptual, **({"ignore_class": IGNORE} | networks | kwargs))
    if compile:
        # tracing a step on TensorFlow takes longer than running a few of a network as small as this
        gan.compile(statistics_batches=2, run_eagerly=keras.backend.backend() == "tensorflow")
    return gan


def tiny_perceptual(size=SIZE):
    keras.utils.set_random_seed(1)
    image = keras.Input((*size, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    second = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(first)
    return keras.Model(image, [first, second])


def batches(steps, batch_size=4, seed=0):
    """``steps`` pairs of a paired and an unpaired batch."""
    rng = np.random.default_rng(seed)

    def batch():
        image = rng.uniform(-1, 1, (batch_size, *SIZE, 3)).astype("float32")
        return image, rng.integers(0, CLASSES, (batch_size, *SIZE)).astype("int32")

    return [(batch(), batch()) for _ in range(steps)]


class Scenes(ks.data.Source):
    """Random photos and label maps, by index."""

    label_space = ks.data.LabelSpace([f"class {i}" for i in range(CLASSES)], [(i, i, i) for i in range(CLASSES)], IGNORE)

    def __init__(self, count, seed=0):
        self.count, self.seed = count, seed

    def __len__(self):
        return self.count

    def name(self, index):
        return f"{self.seed}-{index}"

    def load_image(self, index):
        return np.random.default_rng([self.seed, index, 0]).integers(0, 256, (*SIZE, 3)).astype("uint8")

    def load_label_map(self, index):
        return np.random.default_rng([self.seed, index, 1]).integers(0, CLASSES, SIZE).astype("uint8")


def data_sets(sampler="rare_classes"):
    paired = ks.data.paired_dataset(Scenes(9), SIZE, 4, sampler=sampler)
    return paired, ks.data.unpaired_dataset(Scenes(13, seed=1), Scenes(13, seed=2), SIZE, 4)
