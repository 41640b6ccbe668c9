"""How many label ids a network takes, as its layers tell."""

import keras


def number_of_classes(network: keras.Model) -> int | None:
    """The ``num_classes`` of a network's first layer that has one; None where there is none.

    Example:

    >>> from keras_semisis import models
    >>> number_of_classes(models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4))
    4
    """
    return next((layer.num_classes for layer in network.layers if hasattr(layer, "num_classes")), None)


def number_of_ids(network: keras.Model) -> int | None:
    """The ids that a network takes: of its classes, or else as many as `embedding_rows`; None where nothing tells."""
    classes = number_of_classes(network)
    return embedding_rows(network) if classes is None else classes


def embedding_rows(network: keras.Model) -> int | None:
    """The ids that a `keras.layers.Embedding` takes that reads a network's first input; None where there is none.

    Example:

    >>> label_map = keras.Input((32, 32), dtype="int32")
    >>> embedding_rows(keras.Model(label_map, keras.layers.Embedding(4, 3)(label_map)))
    4
    """
    inputs = getattr(network, "inputs", None)
    if not inputs:
        return None
    embeddings = [layer for layer in network.layers if isinstance(layer, keras.layers.Embedding)]
    return min((layer.input_dim for layer in embeddings if getattr(layer, "input", None) is inputs[0]), default=None)
