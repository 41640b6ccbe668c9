"""The three backends do the same."""

import importlib.util
import os
import subprocess
import sys

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
            return ops.sum(engine.input_gradient(lambda x: ops.sum(values[0] * x**3), x) ** 2), ()

        return engine.value_and_gradients(loss, [w])[2][0]

    result = ops.convert_to_numpy(engine.compiled(gradient)(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(result, 18 * ops.convert_to_numpy(w) * x**4, rtol=1e-5)


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
