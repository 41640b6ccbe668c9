import numpy as np
import pytest
import pywt
from keras import ops

from keras_semisis.checkpoints import entries
from keras_semisis.layers import WaveletDown, WaveletUp
from tests.models.reference import Reference, channels_last

WAVELETS = ("haar", "db2", "db4", "sym4", "coif1")
# even the smallest, where the filter wraps around several times
SIZES = ((2, 2), (4, 4), (6, 10), (8, 2), (16, 12))


def random_image(size, channels=3, batch=2, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, *size, channels)).astype("float32")


def by_pywt(x, wavelet):
    """LL, LH (difference along the height), HL, HH, channels-last."""
    ll, (lh, hl, hh) = pywt.dwt2(x.astype("float64"), wavelet, mode="periodization", axes=(1, 2))
    return np.concatenate([ll, lh, hl, hh], axis=-1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_down_equals_pywavelets(wavelet, size):
    x = random_image(size)
    np.testing.assert_allclose(ops.convert_to_numpy(WaveletDown(wavelet)(x)), by_pywt(x, wavelet), atol=2e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_up_equals_pywavelets(wavelet, size):
    height, width = size
    y = random_image((height // 2, width // 2), channels=12)
    ll, lh, hl, hh = np.split(y.astype("float64"), 4, axis=-1)
    expected = pywt.idwt2((ll, (lh, hl, hh)), wavelet, mode="periodization", axes=(1, 2))
    np.testing.assert_allclose(ops.convert_to_numpy(WaveletUp(wavelet)(y)), expected, atol=2e-6)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_both_round_trips_and_the_energy(wavelet):
    x = random_image((8, 12))
    y = WaveletDown(wavelet)(x)
    np.testing.assert_allclose(ops.convert_to_numpy(WaveletUp(wavelet)(y)), x, atol=5e-6)
    z = random_image((4, 6), channels=12, seed=1)
    np.testing.assert_allclose(ops.convert_to_numpy(WaveletDown(wavelet)(WaveletUp(wavelet)(z))), z, atol=5e-6)
    assert float(ops.sum(ops.square(y))) == pytest.approx(float((x.astype("float64") ** 2).sum()), rel=1e-5)


def test_haar_by_hand():
    a, b, c, d = 1.0, 5.0, -2.0, 3.0
    y = ops.convert_to_numpy(WaveletDown()(np.array([[a, b], [c, d]], "float32").reshape(1, 2, 2, 1)))[0, 0, 0]
    expected = [(a + b + c + d) / 2, (a + b - c - d) / 2, (a - b + c - d) / 2, (a - b - c + d) / 2]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_haar_of_the_published_program():
    z = Reference("haar").arrays
    x, y = channels_last(z["in/x"]), channels_last(z["in/y"])
    haar, inverse = WaveletDown("haar"), WaveletUp("haar")
    for ours, name in (
        (haar(x), "haar"),
        (inverse(haar(x)), "roundtrip"),
        (inverse(y), "inverse_of_y"),
        (haar(inverse(y)), "haar_of_inverse_of_y"),
    ):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), channels_last(z[f"out/{name}"]), atol=2e-6)


def mosaic(x, levels):
    """The coefficients side by side, LL above LH, HL above HH; then the same of the LL quadrant."""
    ll, lh, hl, hh = ops.split(WaveletDown()(x), 4, axis=-1)
    if levels > 1:
        ll = mosaic(ll, levels - 1)
    return ops.concatenate([ops.concatenate([ll, lh], axis=1), ops.concatenate([hl, hh], axis=1)], axis=2)


def from_mosaic(x, levels):
    (ll, lh), (hl, hh) = (ops.split(half, 2, axis=1) for half in ops.split(x, 2, axis=2))
    if levels > 1:
        ll = from_mosaic(ll, levels - 1)
    return WaveletUp()(ops.concatenate([ll, lh, hl, hh], axis=-1))


@pytest.mark.parametrize("levels", [1, 2])
def test_haar_mosaics_of_the_published_program(levels):
    z = Reference("haar").arrays
    image = mosaic(channels_last(z["in/x"]), levels)
    for ours, name in ((image, f"mosaic{levels}"), (from_mosaic(image, levels), f"mosaic{levels}_roundtrip")):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), channels_last(z[f"out/{name}"]), atol=2e-6)


def test_haar_filters_that_the_published_program_stores():
    z = Reference("haar").arrays
    transforms = {name[3:].rpartition(".")[0] for name in z if name.startswith("sd/")}
    assert len(transforms) == 8
    for key in transforms:
        filters = {entry.name: entry.value() for entry in entries.haar(key, inverse=key.startswith("i"))}
        assert {f"sd/{name}" for name in filters} == {name for name in z if name.rpartition(".")[0] == f"sd/{key}"}
        for name, value in filters.items():
            np.testing.assert_allclose(value, z[f"sd/{name}"], atol=1e-6)


@pytest.mark.parametrize("layer", [WaveletDown, WaveletUp])
@pytest.mark.parametrize(("name", "message"), [("no_such", "not a PyWavelets filter"), ("bior2.2", "not orthogonal")])
def test_a_wavelet_that_cannot_be_inverted_by_its_transpose_is_refused(layer, name, message):
    with pytest.raises(ValueError, match=message):
        layer(name)


@pytest.mark.parametrize("size", [(3, 4), (4, 5)])
def test_an_odd_size_is_refused(size):
    with pytest.raises(ValueError, match=r"even height and width, got \(\d, \d\)"):
        WaveletDown()(random_image(size))


def test_channels_that_are_not_four_groups_are_refused():
    with pytest.raises(ValueError, match=r"four channel groups .* got 6 channels"):
        WaveletUp()(random_image((2, 2), channels=6))
