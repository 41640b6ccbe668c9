"""Training a segmentation network on real photos: the judge of generated ones."""

from collections.abc import Sequence

import keras

from keras_semisis import models
from keras_semisis.data import BatchStream
from keras_semisis.data.stream.batch_stream import original_errors
from keras_semisis.gans.engines import engine
from keras_semisis.losses import BalancedCrossEntropy
from keras_semisis.models import LabeledModel


def train_segmenter(
    segmenter: keras.Model,
    dataset: BatchStream,
    steps: int,
    learning_rate: float = 1e-3,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Trains a segmenter on photos and their label maps.

    Args:
        segmenter: Images ``(B, H, W, 3)`` in [-1, 1] to logits ``(B, H, W, num_classes)``.
        dataset: From `data.paired_dataset`, in training form.
        steps: Number of steps.
        learning_rate: Adam's at the begin; it falls to 0 along a cosine.
        callbacks: Keras callbacks.

    Returns:
        The segmenter, with the label space of the data set.
    """
    segmenter = LabeledModel.of(segmenter, dataset.label_space)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    segmenter.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=BalancedCrossEntropy(dataset.label_space.ignore_class),
        jit_compile=engine.JIT_BY_DEFAULT,
    )
    with original_errors([dataset]):
        segmenter.fit(
            dataset.stream(0, steps), epochs=1, steps_per_epoch=steps, callbacks=list(callbacks), verbose=0, shuffle=False
        )
    return segmenter


def has_features(segmenter: keras.Model | None) -> bool:
    """Whether there is a segmenter, and `bottleneck_features` finds something in it."""
    return segmenter is not None and any(getattr(layer, "is_feature_block", False) for layer in segmenter.layers)


def bottleneck_features(segmenter: keras.Model) -> keras.Model:
    """Features of a U-Net segmenter for Fréchet and kernel distances: its deepest encoder block, averaged over space.

    Args:
        segmenter: A `models.unet_segmenter`.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to features ``(B, channels[-1])``, float32.
    """
    blocks = models.features(segmenter).outputs
    deepest = blocks[len(blocks) // 2 - 1]
    return keras.Model(
        segmenter.input, keras.layers.GlobalAveragePooling2D(dtype="float32")(deepest), name="bottleneck_features"
    )
