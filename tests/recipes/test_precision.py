"""The precision that a device is made for."""

from types import SimpleNamespace
from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import recipes
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.recipes import precision
from tests.cli.command import call

measured = precision.bfloat16_slowdown


@pytest.fixture(autouse=True)
def policy_as_before():
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.fixture
def slowdown(monkeypatch):
    """A function that sets how slow bfloat16 is."""
    return lambda times: monkeypatch.setattr(precision, "bfloat16_slowdown", lambda: times)


@pytest.mark.parametrize("times", [0.25, 1.0, 8.0])
def test_it_is_measured_by_a_convolution_and_its_gradients(times):
    """On a clock that only convolutions move: the first of each is slow, as what is compiled is, and a later one."""
    now, called, convolve = [0.0], {"bfloat16": 0, "float32": 0}, ops.conv

    def timed(photos, kernel, **options):
        dtype = keras.backend.standardize_dtype(photos.dtype)
        assert keras.backend.standardize_dtype(kernel.dtype) == dtype
        now[0] += (times if dtype == "bfloat16" else 1.0) * {0: 50.0, 3: 7.0}.get(called[dtype], 1.0)
        called[dtype] += 1
        return convolve(photos, kernel, **options)

    measured.cache_clear()
    try:
        with (
            mock.patch.object(precision.ops, "conv", timed),
            mock.patch.object(precision, "time", SimpleNamespace(perf_counter=lambda: now[0])),
        ):
            assert measured() == pytest.approx(times)
            assert measured() == pytest.approx(times)
        assert called["bfloat16"] == called["float32"] == precision._TURNS
    finally:
        measured.cache_clear()


def test_here_it_is_a_number():
    assert np.isfinite(measured()) and measured() > 0


@pytest.mark.parametrize(("times", "expected"), [(0.5, "mixed_bfloat16"), (1.2, "mixed_bfloat16"), (8.0, "float32")])
def test_the_recipe_has_the_precision_that_is_fast(slowdown, times, expected):
    slowdown(times)
    assert recipes.fastest_precision() == expected
    settings = recipes.settings_to_begin("synthetic:8", "x", trunk="none", image_size=(32, 32))
    assert (settings.recipe, settings.precision) == ("few_labels", expected)
    settings = recipes.settings_to_begin("synthetic:8", "x", trunk="none", image_size=(32, 32), precision="mixed_bfloat16")
    assert settings.precision == "mixed_bfloat16"
    assert recipes.settings_to_begin("synthetic:8", "x", method="oasis").precision == "float32"


def test_what_is_slow_here_is_told(slowdown, caplog):
    slowdown(7.9)
    recipes.use_precision("float32")
    assert not caplog.messages and keras.config.dtype_policy().name == "float32"
    recipes.use_precision("mixed_bfloat16")
    assert "takes 8 times as long as in float32" in caplog.text and "--precision float32 is faster" in caplog.text
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    caplog.clear()
    slowdown(1.0)
    recipes.use_precision("mixed_bfloat16")
    assert not caplog.messages
    with pytest.raises(ArgumentError, match="expected float32 or mixed_bfloat16"):
        recipes.use_precision("float16")


def test_commands_that_train_tell_it(slowdown, tmp_path):
    slowdown(7.9)
    common = ("--data", "synthetic:4", "--image-size", "32x32", "--steps", 1, "--precision", "mixed_bfloat16")
    output = call("train-segmenter", *common, "--output", tmp_path / "segmenter.keras", "--batch-size", 1)
    assert "takes 8 times as long as in float32" in " ".join(output.split())
    with mock.patch("keras_semisis.recipes.training.Run.train", side_effect=ValueError("enough")):
        output = call("train", *common, "--trunk", "none", "--output", tmp_path / "run", code=1)
    assert "takes 8 times as long as in float32" in " ".join(output.split())
