"""Training a segmentation network on real photos: the judge of generated ones."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_semisis import models
from keras_semisis.data import BatchStream
from keras_semisis.data.batch_stream import original_errors
from keras_semisis.gans.engines import engine
from keras_semisis.losses import class_balance


@keras.saving.register_keras_serializable(package="keras_semisis")
class BalancedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of every pixel, weighted by the inverse frequency of its class in the batch; don't-care weighs 0.

    Args:
        ignore_class: The don't-care id, or None.
        name: Name of the loss.

    Call arguments:
        y_true: Label map, integer ``(B, H, W)``.
        y_pred: Logits ``(B, H, W, C)``.
    """

    def __init__(self, ignore_class: int | None = None, name: str = "balanced_cross_entropy"):
        super().__init__(name=name, dtype="float32")
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        label_map = ops.cast(y_true, "int32")
        weights = class_balance(label_map, y_pred.shape[-1], self.ignore_class)
        loss = ops.sparse_categorical_crossentropy(label_map, y_pred, from_logits=True)
        return loss * ops.take(weights, label_map, axis=0)

    def get_config(self):
        return {"name": self.name, "ignore_class": self.ignore_class}


def train_segmenter(segmenter: keras.Model, dataset: BatchStream, steps: int, learning_rate: float = 1e-3,
                    callbacks: Sequence[keras.callbacks.Callback] = ()) -> keras.Model:
    """Trains a segmenter on photos and their label maps.

    Args:
        segmenter: Images ``(B, H, W, 3)`` in [-1, 1] to logits ``(B, H, W, num_classes)``.
        dataset: From `data.paired_dataset`, in training form.
        steps: Number of steps.
        learning_rate: Adam's at the begin; it falls to 0 along a cosine.
        callbacks: Keras callbacks.

    Returns:
        The segmenter.
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    segmenter.compile(optimizer=keras.optimizers.Adam(schedule), loss=BalancedCrossEntropy(dataset.label_space.ignore_class),
                      jit_compile=engine.JIT_BY_DEFAULT)
    with original_errors([dataset]):
        segmenter.fit(dataset.stream(0, steps), epochs=1, steps_per_epoch=steps, callbacks=list(callbacks), verbose=0,
                      shuffle=False)
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
    return keras.Model(segmenter.input, keras.layers.GlobalAveragePooling2D(dtype="float32")(deepest),
                       name="bottleneck_features")
