"""What this package uses of Keras that Keras does not promise to keep; a test tells when it changes."""

import keras


def layers_of(network: keras.Layer) -> list[keras.Layer]:
    """A network, and all layers in it, however deep, each once."""
    return list(network._flatten_layers())


def seed_generators_of(layer: keras.Layer) -> list[keras.random.SeedGenerator]:
    """The seed generators that a layer has itself, without those of its sublayers."""
    return list(layer._seed_generators)


def model_of(callback: keras.callbacks.Callback) -> keras.Model:
    """A callback's model as it is. ``callback.model`` copies, on JAX, the whole state back into the variables before."""
    return callback._model
