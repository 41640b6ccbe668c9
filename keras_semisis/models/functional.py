"""Networks are functional models: their graph is run at other sizes, and features are found in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_semisis.models.keras_privates import is_functional


def check_functional(networks: Mapping[str, keras.Model | None]) -> None:
    """Refuses networks that are no functional models.

    Args:
        networks: The networks by name; None where there is none.

    Raises:
        ValueError: Naming the network.
    """
    for name, network in networks.items():
        if network is not None and not is_functional(network):
            raise ValueError(
                f"{name}: a {type(network).__name__} has no graph, which networks are run by at other sizes. Give a functional "
                "model, keras.Model(inputs, outputs); a Sequential becomes one by keras.Model(network.inputs, network.outputs)."
            )


def in_its_form(network: keras.Model, inputs: Sequence[Any]) -> Any:
    """Inputs of a model as it has been built: one alone is a list where it was in one, or Keras warns."""
    return list(inputs) if len(inputs) > 1 or isinstance(getattr(network, "input", None), list) else inputs[0]
