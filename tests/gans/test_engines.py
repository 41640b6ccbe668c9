"""The three backends do the same."""

import importlib.util
import os
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from tests.conftest import JAX_ENVIRONMENT, ROOT
from tests.gans.ten_steps import STEPS, run

OTHERS = ["jax", "torch"]


def test_a_compiled_function_differentiates_an_input_gradient():
    """Of Σ w x³ it is 3 w x², and the gradient of its squared norm with respect to w 18 w x⁴."""
    w, x = keras.Variable([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -3.0], "float32")

    def gradient(x):
        def loss(values):
            return ops.sum(engine.input_gradient(lambda x: ops.sum(values[0] * x**3), x, ()) ** 2), ()

        return engine.value_and_gradients(loss, [w])[2][0]

    result = ops.convert_to_numpy(engine.compiled(gradient)(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(result, 18 * ops.convert_to_numpy(w) * x**4, rtol=1e-5)


def test_a_network_may_have_a_state_in_an_input_gradient():
    """Of Σ w (x - mean)³, whose layer keeps a running mean: R1 passes through such layers, too."""
    image = keras.Input((3,))
    network = keras.Model(image, keras.layers.BatchNormalization(momentum=0.0)(image))
    norm = network.layers[-1]
    x = np.random.default_rng(0).normal(2, 1, (8, 3)).astype("float32")

    def gradient(x):
        def loss(values):
            with keras.StatelessScope([(norm.gamma, values[0]), *((v, v.value) for v in norm.variables[1:])]) as scope:
                slope = engine.input_gradient(lambda x: ops.sum(network(x, training=True) ** 3), x, network.variables)
            return ops.sum(slope**2), scope.get_current_value(norm.moving_mean)

        _, mean, (slope,) = engine.value_and_gradients(loss, [norm.gamma])
        return mean, slope

    mean, slope = engine.compiled(gradient)(ops.convert_to_tensor(x))
    np.testing.assert_allclose(ops.convert_to_numpy(mean), x.mean(0), rtol=1e-5)
    assert np.abs(ops.convert_to_numpy(slope)).min() > 0


@pytest.mark.parametrize(
    "create",
    [
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 5), beta_1=0.0, beta_2=0.99),
        lambda: keras.optimizers.Adam(0.1, beta_1=0.5, clipnorm=0.3, epsilon=0.01),
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.1),
        lambda: keras.optimizers.Adam(0.1, amsgrad=True),
        lambda: keras.optimizers.Adam(0.1, gradient_accumulation_steps=2),
        lambda: keras.optimizers.RMSprop(0.1),
    ],
    ids=["schedule", "clipped", "decayed", "amsgrad", "accumulated", "another"],
)
def test_a_descent_is_the_optimizers_own(create):
    random = np.random.default_rng(0)
    start = [random.normal(size=shape).astype("float32") for shape in ((3, 4), (5,), (2, 3, 4))]
    ours, kerass = (([keras.Variable(value.copy()) for value in start], create()) for _ in range(2))
    for _ in range(4):
        gradients = [random.normal(size=value.shape[::-1]).astype("float32") for value in start]
        # as many gradients lie in memory: in the order of another layout
        gradients = [ops.transpose(ops.convert_to_tensor(gradient)) for gradient in gradients]
        for descend, (variables, optimizer) in ((engine.descend, ours), (type(ours[1]).apply, kerass)):
            optimizer.build(variables)
            update = partial(descend, optimizer, gradients, variables)
            engine.apply(ops.convert_to_tensor(True), update, [*variables, *optimizer.variables])
    assert not np.allclose(ops.convert_to_numpy(ours[0][0]), start[0], atol=0.01)
    for mine, other in zip(ours[0] + ours[1].variables, kerass[0] + kerass[1].variables, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(mine), ops.convert_to_numpy(other), rtol=1e-6, atol=1e-7)


def test_a_descent_of_weights_that_lie_otherwise_in_memory():
    """As those of an initializer that transposes: PyTorch keeps their layout."""
    values = np.arange(6.0, dtype="float32").reshape(2, 3)
    variable, optimizer = keras.Variable(ops.transpose(ops.convert_to_tensor(values))), keras.optimizers.Adam(0.5)
    optimizer.build([variable])
    signs = np.array([[1, -1], [1, 1], [-1, 1]], "float32")
    engine.apply(
        ops.convert_to_tensor(True),
        lambda: engine.descend(optimizer, [ops.convert_to_tensor(signs)], [variable]),
        [variable, *optimizer.variables],
    )
    np.testing.assert_allclose(ops.convert_to_numpy(variable), values.T - 0.5 * signs, rtol=1e-5)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="an optimization of PyTorch's")
def test_adam_is_pytorchs_own_step(monkeypatch):
    """Keras's name for its step is private: this tells when it changes, and the descent is slower then."""
    calls = []
    monkeypatch.setattr(engine, "adam", lambda *args, **kwargs: calls.append(kwargs["fused"]))
    variable, optimizer = keras.Variable([1.0, 2.0]), keras.optimizers.Adam(0.1)
    optimizer.build([variable])
    engine.descend(optimizer, [ops.convert_to_tensor([1.0, 1.0])], [variable])
    assert calls == [True]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    start, terms, final = run(None)
    path = tmp_path_factory.mktemp("ten_steps") / "start.npz"
    np.savez(path, **{f"start/{i}": value for i, value in enumerate(start)})
    return path, start, terms, final


def test_ten_steps_train_every_network_and_skip_r1_in_between(here):
    _, start, terms, final = here
    assert len(terms) == STEPS
    assert [i for i, t in enumerate(terms) if "unconditional/r1" in t] == [0, 4, 8]
    assert set(terms[1]) == {
        "discriminator/real",
        "discriminator/fake",
        "generator/segmentation",
        "generator/feature_matching",
        "generator/perceptual",
        "unpaired/cycle",
        "unpaired/adversarial",
        "unconditional/fake",
        "unconditional/real",
    }
    moved = [not np.array_equal(a, b) for a, b in zip(start, final, strict=False)]
    assert np.mean(moved) > 0.95


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the comparison is run once, from TensorFlow")
def test_ten_steps_give_the_same_losses_and_weights(here, tmp_path):
    """Losses to 1e-4 of their value; weights to 1e-5 plus 1e-4 of their variable's largest magnitude."""
    path, _, terms, final = here
    others = [backend for backend in OTHERS if importlib.util.find_spec(backend) is not None]
    if not others:
        pytest.skip("no other backend is installed")
    for backend in others:
        out = tmp_path / f"{backend}.npz"
        subprocess.run(
            [sys.executable, "-m", "tests.gans.ten_steps", path, out],
            check=True,
            cwd=ROOT,
            env=os.environ | JAX_ENVIRONMENT | {"KERAS_BACKEND": backend},
        )
        other = np.load(out, allow_pickle=True)
        for step, (ours, theirs) in enumerate(zip(terms, other["terms"], strict=True)):
            theirs = {name: float(value) for name, value in theirs}
            assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6), (backend, step)
        for i, ours in enumerate(final):
            if ours.dtype.kind == "f":
                np.testing.assert_allclose(
                    ours, other[f"final/{i}"], rtol=0, atol=1e-5 + 1e-4 * np.abs(ours).max(), err_msg=f"{backend}, {i}"
                )


class Accounts(engine.TrainStep):
    """A model in the eyes of JAX's engine, of two variables."""

    eagerly, jit = False, True
    non_trainable_variables, metrics_variables = [], []
    optimizer = SimpleNamespace(variables=[])

    def __init__(self):
        self.one, self.other = keras.Variable([1.0, 2.0]), keras.Variable([10.0, 20.0])
        self.trainable_variables = [self.one, self.other]
        self.forget_compiled()

    def notice_frozen_layers(self):
        pass

    def pay(self, amount):
        return self.run("pay", self._pay, ops.convert_to_tensor(amount, "float32"))

    def _pay(self, amount):
        self.one.assign(self.one + ops.sum(amount))
        return ops.sum(self.one + self.other)


on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="of JAX's engine")


@on_jax
def test_what_a_compiled_phase_replaces_gives_its_memory_and_the_rest_stays():
    model = Accounts()
    before, other = model.one.value, model.other.value
    assert float(model.pay([1.0])) == 35 and float(model.pay([1.0])) == 37
    assert before.is_deleted() and model.other.value is other
    assert float(model.pay([1.0, 2.0])) == 43  # a batch of another size
    np.testing.assert_array_equal(ops.convert_to_numpy(model.one), [6, 7])


@on_jax
def test_two_variables_may_hold_one_array():
    model = Accounts()
    model.one.assign(model.other.value)
    assert model.one.value is model.other.value
    model.pay([1.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(model.one), [11, 21])
    np.testing.assert_array_equal(ops.convert_to_numpy(model.other), [10, 20])


@on_jax
def test_what_numpy_has_seen_of_a_variable_stays():
    model = Accounts()
    seen = ops.convert_to_numpy(model.one)
    model.pay([1.0])
    np.testing.assert_array_equal(seen, [1, 2])


@on_jax
def test_a_step_that_an_error_ends_leaves_the_state_after_its_last_whole_phase():
    model = Accounts()

    def iterate(data):
        model.pay(data)
        raise KeyboardInterrupt

    model.iterate = iterate
    state = [v.value for v in model.trainable_variables], [], [], []
    with pytest.raises(KeyboardInterrupt):
        model.train_step(state, np.array([1.0], "float32"))
    assert state[0][0].is_deleted()
    reached = [ops.convert_to_numpy(value).tolist() for value in model._jax_state["trainable_variables"]]
    assert reached == [[2, 3], [10, 20]]
