"""What the engines of TensorFlow and PyTorch have in common."""

from keras_semisis.models.functional import in_its_form


def predict(network, inputs, batch_size):
    """Outputs of a network for all items, as Keras computes them."""
    arrays = in_its_form(network, inputs)
    if batch_size >= len(inputs[0]):
        return network.predict_on_batch(arrays)
    return network.predict(arrays, batch_size=batch_size, verbose=0)
