"""A system trained by one process or by several: ``python -m tests.gans.on_processes FOLDER OUT.npz``.

Which of how many this is says the environment, as `keras_semisis.distribute` reads it.
"""

import sys

import keras
import numpy as np

import keras_semisis as ks
from tests.gans.on_devices import everything, mean_color
from tests.gans.tiny import Scenes

STEPS, BATCH, PHOTOS = 2, 4, 64


class Read(Scenes):
    """Notes which photos are read."""

    def __init__(self, *args):
        super().__init__(*args)
        self.read = []

    def load_image(self, index):
        self.read.append(index)
        return super().load_image(index)


def run(folder):
    """Weights after training, losses, photos and scores, and which photos of pairs and of the rest were read."""
    ks.distribute()
    keras.utils.set_random_seed(0)
    gan = everything()
    optimizers = {
        f"{name}_optimizer": keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.999, epsilon=1e-3)
        for name in ("generator", "discriminator", "unconditional")
    }
    gan.compile(statistics_batches=1, r1_every=1, **optimizers)
    pairs, photos, label_maps = (Read(PHOTOS, seed) for seed in range(3))
    paired = ks.data.paired_dataset(pairs, gan.image_size, BATCH, sampler="rare_classes")
    unpaired = ks.data.unpaired_dataset(photos, label_maps, gan.image_size, BATCH)
    odd_images, odd_label_maps = (
        np.stack([load(i) for i in range(3)]) for load in (label_maps.load_image, label_maps.load_label_map)
    )
    callbacks = [
        ks.callbacks.SampleGrid(folder, odd_label_maps),
        ks.callbacks.LossCurves(folder),
        ks.callbacks.TensorBoardScalars(folder),
        ks.callbacks.Checkpoint(folder),
    ]
    history = gan.fit(paired, unpaired, steps_per_epoch=STEPS, verbose=0, callbacks=callbacks).history
    result = {"devices": np.array([len(v.value.sharding.device_set) for v in gan.variables])}
    result |= {f"weight {i}": np.asarray(v, "float32") for i, v in enumerate(gan.variables)}
    result |= {f"loss {name}": np.array(values) for name, values in history.items()}
    result["photos"] = gan.generate(odd_label_maps, seed=1)
    metric = ks.metrics.FrechetInceptionDistance(ks.metrics.Features(mean_color(gan.image_size)))
    scores = gan.evaluate(odd_images, odd_label_maps, metrics=[metric], verbose=0)
    result |= {name: np.array(value) for name, value in scores.items()}
    return result | {"read pairs": np.array(pairs.read), "read photos": np.array(photos.read)}


if __name__ == "__main__":
    np.savez(sys.argv[2], **run(sys.argv[1]))
