"""Which pretrained networks stand in a model: one that trained does not judge, nor does any of its family."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_semisis.models.keras_privates import layers_of

# By the names of layers that no other network has. VGG is found in keras.applications' form too.
_LAYERS = {"relu1_1": "VGG", "block1_conv1": "VGG", "alexnet_relu1": "AlexNet", "blocks_0__depthwise_conv": "EfficientNet-Lite"}
# By the name in a layer's attribute `trunk`: layers that keep a trunk's layers to themselves have one
_TRUNKS = {"vgg": "VGG", "alexnet": "AlexNet", "efficientnet_lite": "EfficientNet-Lite"}


def families_of(network: Any) -> set[str]:
    """The families of the networks in a model that learned from ImageNet: VGG, EfficientNet-Lite, AlexNet.

    Weights do not matter: a trunk of random weights is of its family.

    Args:
        network: keras.Model, or any callable, in which nothing is found.

    Example:

    >>> from keras_semisis import models
    >>> families_of(models.vgg16_features(weights=None)), families_of(models.unet_segmenter(3, (16, 16), (4, 4), 4))
    ({'VGG'}, set())
    """
    found = set()
    for layer in layers_of(network) if isinstance(network, keras.Model) else ():
        if layer.name in _LAYERS:
            found.add(_LAYERS[layer.name])
        trunk = getattr(layer, "trunk", None)
        if isinstance(trunk, str):
            found |= {family for prefix, family in _TRUNKS.items() if trunk.startswith(prefix)}
    return found


def refuse_relatives(trained: Mapping[str, list[str]], judges: Mapping[str, Any]) -> None:
    """Refuses judges that are of the family of a network that the model was trained with.

    Args:
        trained: Families by what they trained in, as `SemanticGAN.trunks` has them.
        judges: The judging networks by name.

    Raises:
        ValueError: Naming the judges, their family, and where it trained.
    """
    relatives = []
    for name, judge in judges.items():
        for role, families in trained.items():
            shared = sorted(families_of(judge) & set(families))
            if shared:
                where = role.replace("_", " ")
                relatives.append(f"{name} is of the family {' and '.join(shared)}, which trained in the {where}")
    if relatives:
        raise ValueError(
            f"A network that trains never judges: {'; '.join(relatives)}. Judge with a network of another family (of VGG, "
            "EfficientNet-Lite and AlexNet), or with one that never saw ImageNet."
        )
