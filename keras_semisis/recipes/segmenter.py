"""Training a segmentation network on real photos: the judge of generated ones."""

from collections.abc import Sequence

import keras

from keras_semisis import models
from keras_semisis.callbacks.model_file import save_model
from keras_semisis.data import BadFiles, BatchStream, paired_dataset
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.data.sources.good_items import good_items
from keras_semisis.data.sources.joined import in_equal_parts
from keras_semisis.data.stream.original_errors import original_errors
from keras_semisis.data.stream.pipeline import chosen_fit
from keras_semisis.gans.engines import engine
from keras_semisis.losses import BalancedCrossEntropy
from keras_semisis.metrics import GeneratedMeanIoU
from keras_semisis.models import LabeledModel
from keras_semisis.options.read import check_fit
from keras_semisis.options.segmenter import NETWORKS, SegmenterOptions
from keras_semisis.options.train import check_precision
from keras_semisis.recipes.augmented_folder import fit_of
from keras_semisis.recipes.named_sources import folder_like
from keras_semisis.recipes.precision import use_precision
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.sources import open_settings
from keras_semisis.whole_file import check_writable


def build_segmenter(options: SegmenterOptions, num_classes: int) -> keras.Model:
    """The network that options name, with its initial weights.

    Raises:
        ValueError: If the size does not fit it.
    """
    if options.network == "unet":
        return models.unet_segmenter(num_classes, options.image_size, options.channels, options.final_channels)
    return models.efficientnet_lite0_segmenter(num_classes, options.image_size)


def train_segmenter_file(
    options: SegmenterOptions, bad: BadFiles, progress: Progress = SILENT
) -> tuple[keras.Model, dict[str, float], int]:
    """Trains a segmenter on all training pairs, writes it into a file, and scores it on validation photos.

    With generated photos, of `augment`, as much is learned from these as from the pairs, however many there are of each.

    Args:
        options: The data, the network, the training and the file.
        bad: Takes files that are bad.
        progress: Shows how far it is.

    Returns:
        The segmenter; its scores, ``miou`` among them; the number of validation photos.

    Raises:
        ValueError: If options do not fit together.
        DataError: If data cannot be used, or the generated photos are of other classes.
        OSError: If the file cannot be written.
    """
    if options.output.suffix != ".keras":
        raise ArgumentError("{}: the file name must end in .keras.", {"output": str(options.output)})
    require_choice("network", options.network, NETWORKS)
    check_fit(options.fit)
    check_precision(options.precision)
    check_writable(options.output)
    use_precision(options.precision)
    keras.utils.set_random_seed(options.seed)
    train, val = open_settings(options, bad)
    val = good_items(val, bad)
    size, batch, fit, space = options.image_size, options.batch_size, options.fit, train.label_space
    if options.augmented is not None:
        # generated photos have their proportions already, by which real ones are not to be told apart
        fit = chosen_fit(fit or fit_of(options.augmented), train, size)
        train = in_equal_parts(train, folder_like(options.augmented, space, f"--data {options.data}"))
    dataset = paired_dataset(train, size, batch, seed=options.seed, skip_bad=bad, fit=fit)
    segmenter = build_segmenter(options, space.num_classes)
    with progress.steps("Segmenter", options.steps) as shown:
        train_segmenter(segmenter, dataset, options.steps, options.learning_rate, shown)
    save_model(segmenter, options.output)
    judge = GeneratedMeanIoU(segmenter, space.ignore_class, space.num_classes)
    for image, label_map in paired_dataset(val, size, batch, training=False, fit=fit):
        judge.update_state(label_map, image, image)
    return segmenter, judge.result(), len(val)


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
