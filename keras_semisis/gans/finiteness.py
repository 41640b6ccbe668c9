"""The error of a training whose numbers are not finite, and weights that are none."""

from typing import Any

import keras
import numpy as np
from keras import ops


class NonFiniteLossError(FloatingPointError):
    """A loss term, a gradient or a weight became infinite or NaN. Of the former two the model holds its last good state."""


def refuse_non_finite_weights(model: keras.Model) -> None:
    """Refuses a model whose weights an optimizer has made infinite or NaN, of losses and gradients that were neither.

    Args:
        model: The model.

    Raises:
        NonFiniteLossError: Naming the networks.
    """
    networks: dict[str, Any] = {name: getattr(model, name) for name in getattr(model, "network_names", ())}
    broken = [name for name, network in (networks or {model.name: model}).items() if not _is_finite(network)]
    if broken:
        raise NonFiniteLossError(
            f"Weights of {' and '.join(broken)} are not finite, though losses and gradients were: an update has made them so. "
            "Look whether the learning rate is low enough, and finite, that of a schedule at its first step, too. This state "
            "is not saved: go on from an earlier one."
        )


def _is_finite(network):
    # on the host: of several processes one alone may ask
    return all(np.isfinite(ops.convert_to_numpy(v.value)).all() for v in network.trainable_variables)
