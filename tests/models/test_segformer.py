"""The adapter of keras-hub's SegFormer: with a network of the same interface, and with keras-hub where it is installed."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_semisis.metrics.features import run
from keras_semisis.models import segformer

SCALE, OFFSET = [1 / 58.4, 1 / 57.1, 1 / 57.4], [-2.1, -2.0, -1.8]
PHOTO = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")


def stand_in(**converter):
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, keras.layers.Conv2D(4, 3, padding="same")(image), name="stand_in")
    model.preprocessor = SimpleNamespace(image_converter=SimpleNamespace(**converter))
    return model


@pytest.mark.parametrize("scale, offset", [(SCALE, OFFSET), (1 / 255.0, None), (None, -127.5)])
def test_images_reach_it_as_its_converter_would_scale_them(scale, offset):
    task = stand_in(scale=scale, offset=offset)
    model = segformer(task)
    scaled = PHOTO * np.asarray(1.0 if scale is None else scale) + np.asarray(0.0 if offset is None else offset)
    expected = run(task, scaled.astype("float32"))
    np.testing.assert_allclose(run(model, PHOTO / np.float32(127.5) - 1), expected, atol=1e-4 * np.abs(expected).max())
    assert model.output_shape == (None, 32, 32, 4) and not model.trainable


def test_mistakes_are_named(monkeypatch):
    with pytest.raises(ValueError, match="no preprocessor"):
        task = stand_in()
        task.preprocessor = None
        segformer(task)
    with pytest.raises(ValueError, match="holds the weights of segformer_b1_ade20k_512"):
        segformer("segformer_b1_cityscapes_1024")
    monkeypatch.setitem(__import__("sys").modules, "keras_hub", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "keras-semisis\[keras-hub\]"'):
        segformer("segformer_b0_ade20k_512")


def test_a_segformer_of_keras_hub(monkeypatch):
    hub = pytest.importorskip("keras_hub")
    encoder = hub.models.MiTBackbone(
        layerwise_depths=[1, 1, 1, 1],
        num_layers=4,
        layerwise_num_heads=[1, 1, 1, 1],
        layerwise_sr_ratios=[2, 2, 1, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
        image_shape=(32, 32, 3),
        hidden_dims=[4, 6, 8, 10],
    )
    converter = hub.layers.SegFormerImageConverter(image_size=(32, 32), scale=SCALE, offset=OFFSET)
    preprocessor = hub.models.SegFormerImageSegmenterPreprocessor(image_converter=converter)
    task = hub.models.SegFormerImageSegmenter(
        hub.models.SegFormerBackbone(image_encoder=encoder, projection_filters=8), num_classes=19, preprocessor=preprocessor
    )
    # not predict, which would apply the preprocessor once more
    expected = keras.ops.convert_to_numpy(task(preprocessor(PHOTO), training=False))
    np.testing.assert_allclose(
        run(segformer(task), PHOTO / np.float32(127.5) - 1), expected, atol=1e-4 * np.abs(expected).max()
    )

    def unreachable(preset):
        raise RuntimeError("no connection")

    monkeypatch.setattr(hub.models.SegFormerImageSegmenter, "from_preset", unreachable)
    with pytest.raises(OSError, match=r"'segformer_b0_ade20k_512' could not be loaded \(no connection\)"):
        segformer("segformer_b0_ade20k_512")
