"""A network that knows what its classes mean."""

from typing import Any

import keras

from keras_semisis.data import LabelSpace
from keras_semisis.models.keras_privates import layers_of


@keras.saving.register_keras_serializable(package="keras_semisis")
class LabeledModel(keras.Model):
    """A functional model with a label space, which its ``.keras`` file holds too.

    ``keras-semisis import`` and ``train-segmenter`` save networks as this.

    Args:
        inputs, outputs, name: As those of a functional `keras.Model`.
        label_space: What the classes mean that the network takes or returns, or None.

    Example:

    >>> space = LabelSpace(("sky", "road"), ((0, 128, 255), (90, 90, 90)))
    >>> image = keras.Input((8, 8, 3))
    >>> network = LabeledModel(image, keras.layers.Conv2D(2, 3, padding="same")(image), label_space=space)
    >>> LabeledModel.from_config(network.get_config()).label_space.class_names
    ('sky', 'road')
    """

    # Keras rebuilds a subclass from its graph only if the arguments are those of a functional model
    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs):
        label_space = kwargs.pop("label_space", None)
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.label_space = label_space

    @classmethod
    def of(cls, network: keras.Model, label_space: LabelSpace | None) -> keras.Model:
        """A functional network, sharing its layers, with a label space; itself where there is none."""
        if label_space is None:
            return network
        return cls(network.input, network.output, network.name, trainable=network.trainable, label_space=label_space)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"label_space": self.label_space and self.label_space.get_config()}
        frozen = [i for i, layer in enumerate(layers_of(self)) if not layer.trainable]
        return config | ({"frozen_layers": frozen} if frozen else {})

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        label_space, frozen = config.pop("label_space"), config.pop("frozen_layers", ())
        model = super().from_config(config, custom_objects)
        # Keras thaws what is in a layer that it builds of a config
        layers = layers_of(model)
        for place in frozen:
            layers[place].trainable = False
        model.label_space = label_space and LabelSpace.from_config(label_space)
        return model
