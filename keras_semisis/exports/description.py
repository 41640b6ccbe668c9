"""What an exported file says of itself, so that programs without this package can use it."""

from typing import Any

import keras

from keras_semisis.gans.sampler import Sampler


def description_of(model: Sampler, part: str, network: keras.Model, batch_size: int | None) -> dict[str, Any]:
    """What a file of a model says.

    Args:
        model: The model.
        part: ``"generator"`` or ``"segmenter"``.
        network: What is exported.
        batch_size: Number of items that the file takes at once; None is any.

    Returns:
        What `json` can write: ``part``, ``inputs`` and ``outputs`` with dtype and shape (None is any number), ``batch_size``,
        ``class_names`` and ``palette`` by class id (None where nobody knows the names), ``ignore_class``, ``id_map`` of stored
        ids, and versions.
    """
    import keras_semisis

    space = model.label_space
    return {
        "part": part,
        "inputs": _tensors(network.input),
        "outputs": _tensors(network.output),
        "batch_size": batch_size,
        "num_classes": model.num_classes,
        "class_names": None if space is None else list(space.class_names),
        "palette": None if space is None else [list(color) for color in space.palette],
        "ignore_class": model.ignore_class,
        "id_map": {} if space is None else {str(stored): known for stored, known in sorted(space.id_map.items())},
        "step": model.step,
        "keras_semisis_version": keras_semisis.__version__,
        "keras_version": keras.__version__,
        "backend": keras.backend.backend(),
    }


def _tensors(tensors):
    return {
        name: {"dtype": keras.backend.standardize_dtype(tensor.dtype), "shape": list(tensor.shape)}
        for name, tensor in tensors.items()
    }
