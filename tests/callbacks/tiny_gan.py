"""The smallest SemiPairedGAN and its data, for tests of what surrounds it."""

import keras

import keras_semisis as ks

SIZE = (32, 32)


def tiny_gan():
    space = ks.data.SyntheticScenes(1, image_size=SIZE).label_space
    gan = ks.SemiPairedGAN(
        space.num_classes,
        SIZE,
        space.ignore_class,
        perceptual=None,
        generator=ks.models.wavelet_spade_generator(space.num_classes, SIZE, 1, noise_channels=4, num_blocks=2),
        discriminator=ks.models.oasis_discriminator(space.num_classes, SIZE, channels=(4, 4), final_channels=4),
        unconditional_discriminator=ks.models.wavelet_discriminator(SIZE, {4: 4, 8: 4, 32: 4}),
    )
    # r1_every=1: one phase to compile instead of two; TensorFlow runs a few steps sooner than it traces one
    gan.compile(r1_every=1, statistics_batches=1, run_eagerly=keras.backend.backend() == "tensorflow")
    return gan


def tiny_data():
    scenes = ks.data.SyntheticScenes(4, image_size=SIZE)
    return (
        ks.data.paired_dataset(scenes, SIZE, batch_size=2),
        ks.data.unpaired_dataset(scenes, scenes, SIZE, batch_size=2),
        ks.data.paired_dataset(scenes, SIZE, batch_size=2, training=False),
    )
