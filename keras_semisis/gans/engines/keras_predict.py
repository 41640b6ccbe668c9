"""What the engines of TensorFlow and PyTorch have in common."""


def predict(network, inputs, batch_size):
    """Outputs of a network for all items, as Keras computes them."""
    arrays = list(inputs) if len(inputs) > 1 else inputs[0]
    if batch_size >= len(inputs[0]):
        return network.predict_on_batch(arrays)
    return network.predict(arrays, batch_size=batch_size, verbose=0)
