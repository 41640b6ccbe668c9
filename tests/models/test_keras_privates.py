"""Keras does not promise what these are made of."""

import keras
import numpy as np

from keras_semisis.models.keras_privates import (
    is_functional,
    layers_of,
    model_of,
    run_graph,
    seed_generators_of,
    values_of_file,
    variables_without_weight_decay,
)


def test_layers_are_all_layers_however_deep():
    image = keras.Input((4, 4, 3))
    first, second = keras.layers.Conv2D(3, 1, name="first"), keras.layers.BatchNormalization(name="second")
    inner = keras.Sequential([first, second], name="inner")
    network = keras.Model(image, keras.layers.Add(name="sum")([inner(image), first(image)]), name="network")
    names = [layer.name for layer in layers_of(network)]
    assert names[0] == "network" and {"inner", "first", "second", "sum"} <= set(names)
    assert len({id(layer) for layer in layers_of(network)}) == len(names)


def test_seed_generators_are_those_of_the_layer_itself():
    image = keras.Input((4,))
    dropout = keras.layers.Dropout(0.5, seed=3)
    network = keras.Model(image, dropout(image))
    network.own = keras.random.SeedGenerator(4)
    assert seed_generators_of(network) == [network.own]
    assert seed_generators_of(dropout) == [dropout.seed_generator]


def test_a_callbacks_model_is_the_one_that_it_was_given():
    callback, model = keras.callbacks.Callback(), keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    callback.set_model(model)
    assert model_of(callback) is model


def test_layers_run_at_sizes_and_ranks_that_the_network_refuses():
    image, style = keras.Input((4, 4, 1)), keras.Input((2,))
    network = keras.Model([image, style], keras.layers.Dense(1, use_bias=False)(image) + keras.layers.Dense(1)(style)[:, None])
    network.set_weights([np.full(w.shape, 2.0) for w in network.get_weights()])
    found = run_graph(network, [np.ones((3, 6, 5, 1), "float32"), np.ones((3, 5, 2), "float32")])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found[0]), np.full((6, 5, 1), 8.0))


def test_a_sequential_and_a_subclass_are_no_graphs():
    class Own(keras.Model):
        pass

    image = keras.Input((3,))
    sequential = keras.Sequential([image, keras.layers.Dense(2)])
    assert is_functional(keras.Model(image, sequential(image)))
    assert is_functional(keras.Model(sequential.inputs, sequential.outputs))
    assert not is_functional(sequential) and not is_functional(Own())


@keras.saving.register_keras_serializable("tests")
class Reader(keras.Model):
    """A model that reads of its optimizer what it is not given when it is not compiled."""

    def __init__(self):
        super().__init__()
        self.built, self.found = True, []

    def get_config(self):
        return {}

    def save_own_variables(self, store):
        store["own"] = 1.0

    def load_own_variables(self, store):
        self.found = [values_of_file(store, path) for path in ("optimizer/vars", "elsewhere")]


def test_the_file_holds_the_variables_of_an_optimizer_that_is_not_loaded(tmp_path):
    model = Reader()
    model.compile(keras.optimizers.SGD(0.5))
    model.optimizer.build([])
    model.optimizer.iterations.assign(3)
    model.save(tmp_path / "a.keras")
    values, nothing = keras.saving.load_model(tmp_path / "a.keras", compile=False).found
    assert [float(value) for value in values] == [3, 0.5] and nothing == []
    assert values_of_file({}, "optimizer/vars") == []


def test_an_optimizer_knows_what_weight_decay_leaves_out():
    optimizer = keras.optimizers.AdamW()
    assert variables_without_weight_decay(optimizer) == (None, False)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert variables_without_weight_decay(optimizer) == ("bias", False)
    optimizer.exclude_from_weight_decay(var_list=[keras.Variable(1.0)])
    assert variables_without_weight_decay(optimizer) == (None, True)
