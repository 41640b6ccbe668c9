import keras

import keras_semisis as ks
from benchmarks.operations import forward_operations, step_operations
from keras_semisis import models
from tests.conftest import not_on_jax
from tests.gans.tiny import tiny_gan


def test_operations_by_hand():
    image = keras.Input((8, 6, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    x = keras.layers.Dense(5)(keras.layers.Flatten()(keras.layers.ReLU()(x)))
    by_hand = 2 * (4 * 3) * (3 * 3 * 3 * 4) + 2 * (4 * 3 * 4) * 5
    assert forward_operations(keras.Model(image, x), batch_size=7) == 7 * by_hand


def test_layers_within_blocks_count():
    """U-Net with one block down, one up: 4 channels inside, 4 at the end, 5 logits."""
    model = models.oasis_discriminator(4, (8, 8), channels=(4,), final_channels=4)
    down = 64 * 9 * 3 * 4 + 64 * 9 * 4 * 4 + 16 * 3 * 4
    up = 64 * 9 * 4 * 4 + 64 * 9 * 4 * 4
    assert forward_operations(model, 1) == 2 * (down + up + 64 * 4 * 5)


@not_on_jax
def test_freezing_saves_the_kernel_gradients_of_d():
    gan = tiny_gan()
    frozen = step_operations(gan, 2)
    gan.freeze_discriminator = False
    unfrozen = step_operations(gan, 2)
    assert unfrozen["unpaired"] - frozen["unpaired"] == forward_operations(gan.discriminator, 2)
    assert {name for name in frozen if frozen[name] != unfrozen[name]} == {"unpaired"}


@not_on_jax
def test_oasis_has_two_phases():
    size = (32, 32)
    generator = models.oasis_generator(4, size, base_channels=1, noise_channels=4, num_blocks=2, hidden_channels=4)
    gan = ks.OASIS(4, size, None, generator, models.oasis_discriminator(4, size, (4,), 4))
    gan.compile(label_mix_weight=0.0)
    g, d = forward_operations(gan.generator, 2), forward_operations(gan.discriminator, 2)
    assert step_operations(gan, 2) == {"discriminator": g + 6 * d, "generator": 3 * g + 2 * d}
