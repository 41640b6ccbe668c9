"""Ten steps of all four phases from given weights, batches and noise: ``python -m tests.gans.ten_steps IN.npz OUT.npz``."""

import sys

import keras
import numpy as np
from keras import ops

from tests.gans.tiny import batches, tiny_gan, tiny_perceptual

STEPS = 10


def run(weights):
    """Loss terms and final weights, from the start weights of the GAN and of its perceptual network."""
    perceptual = tiny_perceptual()
    gan = tiny_gan(perceptual, compile=False)

    def adam():
        # with the default epsilon, a gradient that is zero but for rounding is a full step in a random direction
        return keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.999, epsilon=1e-3)

    gan.compile(adam(), adam(), adam(), preset="usis", label_mix_weight=0.0)
    variables = gan.variables + perceptual.variables
    for variable, value in zip(variables, weights, strict=True) if weights else ():
        variable.assign(value)
    start = [ops.convert_to_numpy(v) for v in variables]
    # of four seeds one has an activation that rounds to the other side of zero on one backend, and steps part from there
    noise = np.random.default_rng(8).standard_normal((4, 4)).astype("float32")
    gan.draw_noise = lambda label_map: ops.convert_to_tensor(noise)
    terms = []

    class Terms(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            terms.append({name: float(value) for name, value in logs.items()})

    gan.fit(batches_of(0), batches_of(1), steps_per_epoch=STEPS, callbacks=[Terms()], verbose=0)
    return start, terms, [ops.convert_to_numpy(v) for v in gan.variables]


def batches_of(part):
    return FixedBatches([batch[part] for batch in batches(STEPS)])


class FixedBatches(keras.utils.PyDataset):
    """The same batches, in order."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, index):
        return self.parts[index]


if __name__ == "__main__":
    given = np.load(sys.argv[1])
    _, terms, final = run([given[f"start/{i}"] for i in range(len(given.files))])
    np.savez(
        sys.argv[2],
        terms=np.array([sorted(t.items()) for t in terms], dtype=object),
        **{f"final/{i}": value for i, value in enumerate(final)},
    )
