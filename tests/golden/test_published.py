"""The golden files are what the published programs computed."""

import json

import numpy as np
import pytest

from tests.conftest import SHARED, needs_shared
from tests.golden.published import FOLDER, VALUES, positions, published
from tests.golden.torch_draws import TorchDraws, bfloat16
from tests.golden.write import NAMES

SHAPES = [(4, 3, 3, 3), (5,), (16,), (3,), (1,), (40, 7), (2,)]


def test_draws_are_pytorchs():
    torch = pytest.importorskip("torch")
    generator, draws = torch.Generator().manual_seed(5), TorchDraws(5)
    for shape in SHAPES:  # below 16 values come in pairs, the second of which the next tensor may begin with
        np.testing.assert_allclose(draws.normal(shape), torch.randn(shape, generator=generator).numpy(), atol=2e-6)
        np.testing.assert_array_equal(draws.uniform(shape), torch.rand(shape, generator=generator).numpy())
        np.testing.assert_array_equal(draws.integers(7, shape), torch.randint(0, 7, shape, generator=generator).numpy())


def test_bfloat16_is_pytorchs():
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal(1000).astype("float32")
    values[:3] = 1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8  # ties, to even
    np.testing.assert_array_equal(bfloat16(values), torch.tensor(values).bfloat16().float().numpy())


def test_values_that_are_kept_lie_all_over_a_tensor():
    kept = positions(2 * 3 * 64 * 64)
    assert len(set(kept)) == VALUES and kept.max() < 2 * 3 * 64 * 64
    rows, columns = np.unravel_index(kept, (2, 3, 64, 64))[2:]
    assert len(set(rows)) == len(set(columns)) == 64


def test_no_file_is_forgotten():
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(NAMES)


@needs_shared("reference")
@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_is_the_recorded_one(name):
    with np.load(SHARED / "reference" / f"{name}.npz") as file:
        recorded = dict(file)
    meta = json.loads(str(recorded.pop("meta")))
    arrays, said = published(name)
    assert list(arrays) == list(recorded)
    assert said.items() <= meta.items()
    for key, array in arrays.items():
        assert array.dtype == recorded[key].dtype, key
        known = ~np.isnan(array)
        assert known.all() or (key.startswith("out/") and known.sum() == VALUES)
        np.testing.assert_array_equal(array[known], recorded[key][known], err_msg=key)
