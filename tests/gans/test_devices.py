"""Several devices share a batch, and the model is the one that a single device trains."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis.distribution import check_batch_size, number_of_devices, predict
from keras_semisis.gans.engines import engine

ON_JAX = keras.backend.backend() == "jax"


def trained(system, path, *devices):
    # compiles in half the time: what is tested is how a batch is split, not how fast
    flags = f"--xla_force_host_platform_device_count={max(devices)} --xla_llvm_disable_expensive_passes=true"
    environment = os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags + " --xla_backend_optimization_level=0"}
    command = [sys.executable, "-m", "tests.gans.on_devices", system, str(path), *map(str, devices)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    found = np.load(path)
    return [{key.split("/", 1)[1]: found[key] for key in found.files if key.startswith(f"{number}/")} for number in devices]


@pytest.mark.multi_device
@pytest.mark.skipif(not ON_JAX, reason="several devices are JAX's")
@pytest.mark.parametrize(
    ("system", "devices"),
    [("everything", (1, 2, 4))]
    + [(name, (1, 2)) for name in ("OASIS", "TCR", "USIS", "SPADEGAN", "CCFPSE", "pseudo-labels, focal weights")],
)
def test_the_number_of_devices_changes_rounding_alone(system, devices, tmp_path):
    """Two steps in float32: sums over a batch in another order."""
    one, *several = trained(system, tmp_path / "found.npz", *devices)
    for number, found in zip(devices[1:], several, strict=True):
        assert set(found["devices"]) == {number}
        assert found.keys() == one.keys()
        for key, expected in one.items():
            if key == "devices":
                continue
            tolerance = 1.0 if key == "photos" else 2e-5 * max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(found[key].astype("float64"), expected.astype("float64"), atol=tolerance, err_msg=key)


def test_one_device_is_as_without():
    assert ks.distribute(1) is None
    assert keras.distribution.distribution() is None
    assert number_of_devices() == 1


@pytest.mark.skipif(ON_JAX, reason="what the other backends say")
def test_other_backends_name_jax():
    with pytest.raises(ValueError, match=r"devices=2.*KERAS_BACKEND=jax"):
        ks.distribute(2)
    with pytest.raises(ValueError, match=r"devices='gpu:0'.*KERAS_BACKEND=jax"):
        ks.distribute("gpu:0")
    assert ks.distribute() is None


@pytest.mark.skipif(not ON_JAX, reason="several devices are JAX's")
@pytest.mark.parametrize("devices", [0, 99, ["cpu:0", "cpu:99"], [], "cpu:99"])
def test_devices_that_are_not_there_are_named(devices):
    with pytest.raises(ValueError, match="devices="):
        ks.distribute(devices)
    assert keras.distribution.distribution() is None
    assert ks.distribute("cpu:0") is None


def test_a_batch_that_does_not_divide_is_refused_with_the_nearest_that_do(monkeypatch):
    monkeypatch.setattr("keras_semisis.distribution.number_of_devices", lambda: 4)
    check_batch_size("fit", 8)
    with pytest.raises(ValueError, match=r"fit: batch_size=6 cannot be split between 4 devices\. Give 4 or 8\."):
        check_batch_size("fit", 6)
    with pytest.raises(ValueError, match=r"batch_size=3.*Give 4\."):
        check_batch_size("fit", 3)


@pytest.mark.parametrize("batch_size", [None, 2, 3])
def test_what_devices_cannot_share_is_filled_up_and_cut(monkeypatch, batch_size):
    monkeypatch.setattr("keras_semisis.distribution.number_of_devices", lambda: 4)
    seen = []

    class Twice(keras.layers.Layer):
        def call(self, x, y):
            return 2 * x + y

    inputs = [keras.Input((1,)), keras.Input((1,))]
    network = keras.Model(inputs, [Twice()(*inputs), inputs[0]])
    plain = engine.predict

    def noted(network, inputs, size):
        seen.append((len(inputs[0]), size))
        return plain(network, inputs, size)

    monkeypatch.setattr(engine, "predict", noted)
    x, y = np.arange(5.0, dtype="float32")[:, None], np.ones((5, 1), "float32")
    twice, same = predict(network, [x, y], batch_size)
    np.testing.assert_array_equal(twice, 2 * x + y)
    np.testing.assert_array_equal(same, x)
    assert seen == [(8, 8 if batch_size is None else 4)]
