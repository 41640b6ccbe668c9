"""A system trained on several numbers of devices: ``python -m tests.gans.on_devices SYSTEM OUT.npz DEVICES...``.

The process has as many virtual devices as XLA_FLAGS says.
"""

import sys

import keras
import numpy as np

import keras_semisis as ks
from keras_semisis.gans.pretext import TCR, Cycle, Diversity
from tests.gans import test_systems
from tests.gans.tiny import CLASSES, tiny_perceptual

STEPS, BATCH = 2, 4


def everything():
    """A semi-paired GAN with all that can be switched on."""
    return test_systems.semi_paired(
        perceptual=tiny_perceptual(),
        pretext=[Cycle(confidence=0.1), TCR(), Diversity()],
        judge_pairs=True,
        augmentation=test_systems.augmentation(),
        label_mix_weight=1.0,
    )


SYSTEMS = {"everything": everything} | {
    name: test_systems.SYSTEMS[name] for name in ("OASIS", "TCR", "USIS", "SPADEGAN", "CCFPSE", "pseudo-labels, focal weights")
}


def batches(size, seed, batch_size=BATCH):
    rng = np.random.default_rng(seed)
    return [
        (
            rng.uniform(-1, 1, (batch_size, *size, 3)).astype("float32"),
            rng.integers(0, CLASSES, (batch_size, *size)).astype("int32"),
        )
        for _ in range(STEPS)
    ]


def run(system, devices):
    """Numbers of devices that hold the weights, weights after training, losses, photos and scores, by name."""
    ks.distribute(devices)
    keras.utils.set_random_seed(0)
    gan = SYSTEMS[system]()
    # where a gradient is zero but for rounding, the default epsilon makes a full step of it
    optimizers = {
        f"{name}_optimizer": keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.999, epsilon=1e-3)
        for name in ("generator", "discriminator", "unconditional")
        if name != "unconditional" or "unconditional_discriminator" in gan.network_names
    }
    gan.compile(statistics_batches=1, **optimizers)
    history = gan.fit(*(batches(gan.image_size, seed) for seed, _ in enumerate(gan.data_sets)), verbose=0).history
    result = {"devices": np.array([len(v.value.sharding.device_set) for v in gan.variables])}
    result |= {f"weight {i}": np.asarray(v, "float32") for i, v in enumerate(gan.variables)}
    result |= {f"loss {name}": np.array(values) for name, values in history.items()}
    odd = batches(gan.image_size, 9, batch_size=3)[0]
    result["photos"] = gan.generate(odd[1], seed=1)
    metric = ks.metrics.FrechetInceptionDistance(ks.metrics.Features(mean_color(gan.image_size)))
    result |= {name: np.array(value) for name, value in gan.evaluate([odd], metrics=[metric], verbose=0).items()}
    return result


def mean_color(size):
    image = keras.Input((*size, 3))
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))


if __name__ == "__main__":
    name, path, *numbers = sys.argv[1:]
    np.savez(path, **{f"{n}/{key}": value for n in numbers for key, value in run(name, int(n)).items()})
