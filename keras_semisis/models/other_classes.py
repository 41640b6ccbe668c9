"""Networks that learned one set of classes, for another."""

import keras
import numpy as np

from keras_semisis.layers import ClassAffinity
from keras_semisis.models.keras_privates import run_graph
from keras_semisis.models.label_ids import embedding_rows, number_of_classes

NAME = "class_affinity"


def generator_of_classes(generator: keras.Model, affinity: np.ndarray) -> keras.Model:
    """A generator of other classes: the same layers, copied, behind a `ClassAffinity`.

    Args:
        generator: Functional model from ``[label_map]`` or ``[label_map, noise]`` of ids 0 to ``former_classes - 1``.
        affinity: ``(num_classes, former_classes)``.

    Returns:
        A functional model of the same inputs, whose label maps have ids 0 to ``num_classes - 1``.

    Raises:
        ValueError: If the generator reads its label maps by layers that take no mixture of classes.

    Example:

    >>> from keras_semisis import models
    >>> generator = models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4)
    >>> adapted = generator_of_classes(generator, np.eye(4)[[3, 0]])
    >>> label_map, noise = np.zeros((1, 32, 32), "int32"), np.zeros((1, 4), "float32")
    >>> np.array_equal(adapted.predict([label_map, noise], verbose=0), generator.predict([label_map + 3, noise], verbose=0))
    True
    """
    if number_of_classes(generator) is None or embedding_rows(generator) is not None:
        raise ValueError(
            f"The generator {generator.name!r} cannot be given other classes: its layers take ids alone, such as a "
            "keras.layers.Embedding, and no mixture of classes. Build one whose label map is read by layers with num_classes, "
            "such as keras_semisis.layers.SPADE."
        )
    copy = copy_of(generator)
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name) for tensor in generator.inputs]
    before = sum(isinstance(layer, ClassAffinity) for layer in copy.layers)
    layer = ClassAffinity(*affinity.shape, name=f"{NAME}_{before}" if before else NAME, dtype=_policy(copy))
    mixture = layer(inputs[0])
    layer.affinity.assign(affinity)
    return keras.Model(inputs, run_graph(copy, [mixture, *inputs[1:]]), name=generator.name)


def copy_of(network: keras.Model) -> keras.Model:
    """A functional network once more, with weights of its own, all layers of which may learn."""
    copy = type(network).from_config(network.get_config())
    copy.trainable = True
    copy.set_weights(network.get_weights())
    return copy


def class_affinity_of(generator: keras.Model) -> ClassAffinity | None:
    """The layer by which a generator takes its classes for those that it learned before; None where it has learned its own."""
    found = [layer for layer in generator.layers if isinstance(layer, ClassAffinity)]
    return found[-1] if found else None


def train_affinity_alone(generator: keras.Model) -> None:
    """Freezes all layers of a generator but its newest `ClassAffinity`."""
    affinity = class_affinity_of(generator)
    for layer in generator.layers:
        layer.trainable = layer is affinity


def reads_classes(network: keras.Model) -> bool:
    """Whether label maps are among a network's inputs."""
    return any("int" in str(tensor.dtype) and len(tensor.shape) == 3 for tensor in network.inputs)


def segments(network: keras.Model, num_classes: int) -> bool:
    """Whether a network gives, for each pixel of a photo, the logits of a fake class and of so many classes."""
    outputs, image = network.outputs, network.inputs[0]
    return len(outputs) == 1 and tuple(outputs[0].shape[1:]) == (*image.shape[1:3], num_classes + 1)


def judge_of_classes(network: keras.Model, affinity: np.ndarray) -> keras.Model:
    """A network that segments, or that is given label maps, for other classes.

    What it has learned of the former classes is mixed by the matrix: the logit of a class is the mixture of theirs, and so is
    what a class adds to the first features. It is a network as any other, without a `ClassAffinity`.

    Args:
        network: Functional model from photos to logits ``(B, H, W, former_classes + 1)``, the fake class first, or of label
            maps, in which layers with ``num_classes`` have the classes first among their input channels.
        affinity: ``(num_classes, former_classes)``.

    Raises:
        ValueError: If the network is none of these.

    Example:

    >>> from keras_semisis import models
    >>> network = models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4)
    >>> judge_of_classes(network, np.eye(4)[[3, 0]]).output_shape
    (None, 32, 32, 3)
    """
    classes, former = affinity.shape
    other = _built_for(network, former, classes)
    # one class more shows the axes of the classes where there are as many as before
    longer = other if classes != former else _built_for(network, former, former + 1)
    for old, new, long in zip(network.weights, other.weights, longer.weights, strict=True):
        new.assign(_of_classes(keras.ops.convert_to_numpy(old), tuple(long.shape), affinity))
    return other


def _built_for(network, former, classes):
    """The network with new weights, for so many classes."""
    config = network.get_config()
    if reads_classes(network):
        changed = [layer["config"] for layer in config["layers"] if layer["config"].get("num_classes") == former]
        for layer in changed:
            layer["num_classes"] = classes
    else:
        changed = [layer["config"] for layer in config["layers"] if layer["config"].get("filters") == former + 1][-1:]
        for layer in changed:
            layer["filters"] = classes + 1
    other = type(network).from_config(config)
    other.trainable = True
    if not changed or not (reads_classes(network) or segments(other, classes)):
        raise ValueError(
            f"The network {network.name!r} cannot be given {classes} classes in place of {former}: it is none of those that "
            "keras_semisis.models builds. Adapt the generator alone, and give the system another network of the new classes."
        )
    return other


def _of_classes(values, longer, affinity):
    """Weights of the former classes, mixed along the axis whose length goes with the number of classes."""
    former = affinity.shape[1]
    axes = [axis for axis, (old, new) in enumerate(zip(values.shape, longer, strict=True)) if old != new]
    if not axes:
        return values
    (axis,) = axes
    values = np.moveaxis(values, axis, 0)
    if axis == len(longer) - 1:  # logits: the fake class, then the others
        mixed = np.concatenate([values[:1], np.tensordot(affinity, values[1:], 1)])
    else:  # input channels: the classes, then edges and photo
        mixed = np.concatenate([np.tensordot(affinity, values[:former], 1), values[former:]])
    return np.moveaxis(mixed, 0, axis)


def _policy(network):
    return next(layer.dtype_policy for layer in network.layers if hasattr(layer, "num_classes"))
