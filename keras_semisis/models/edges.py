"""Edges between instances as an input of networks."""

from typing import Any

import keras

from keras_semisis.layers import EdgeChannel

NAME = "edges"


def edges_input(image_size: tuple[int, int]) -> Any:
    """The input of the edges, float ``(B, H, W, 1)``: the last of a network that reads them."""
    return keras.Input((*image_size, 1), name=NAME)


def with_edges(inputs: list, num_classes: int) -> tuple[list, Any, int]:
    """The inputs of a generator with one more of edges, the map of both that its layers read, and the channels of that."""
    edges = edges_input(inputs[0].shape[1:])
    return [*inputs, edges], EdgeChannel(num_classes, name="edge_channel")([inputs[0], edges]), num_classes + 1


def reads_edges(network: keras.Model) -> bool:
    """Whether a network has edges between instances as its last input.

    Example:

    >>> from keras_semisis import models
    >>> reads_edges(models.multiscale_discriminator(3, (16, 16), 2)), reads_edges(
    ...     models.multiscale_discriminator(3, (16, 16), 2, instance_edges=True))
    (False, True)
    """
    return network.inputs[-1].name == NAME
