"""FID from the user's Inception file, end to end, tied to the reference tensors."""

import keras
import numpy as np
import pytest

from keras_semisis.metrics import FeatureStatistics, frechet_distance_float32, load_fid_inception
from keras_semisis.metrics.protocols import PROTOCOLS, get_protocol
from keras_semisis.metrics.protocols.inception import is_fid_inception
from keras_semisis.metrics.protocols.protocol_features import ProtocolFeatures, feature_scores
from keras_semisis.models import inception_v3_fid
from tests.metrics.test_frechet import moments_of, scipy_distance
from tests.models.reference import Reference, assert_close
from tests.models.test_inception_v3_fid import reference, state_dict  # noqa: F401


@pytest.fixture(scope="module")
def inception(state_dict, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("inception") / "weights.npz"
    np.savez(path, **state_dict)
    with pytest.warns(UserWarning, match=r"weights.npz: its SHA-256 does not begin with 6726825d"):
        return load_fid_inception(path)


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="test_inception_v3_fid.py compiles this network once, "
    "which takes half a minute; the path to it is the same on every backend",
)
def test_features_of_the_published_protocol_are_the_references(reference, inception):  # noqa: F811
    """From images to 2048 features, through the protocol's own path."""
    assert is_fid_inception(inception)
    protocol = get_protocol("oasis2021")
    scores = feature_scores(ProtocolFeatures(inception, protocol), protocol, 2, 0)
    scores.update_generated(None, 2 * reference.image("img01") - 1)
    assert_close(scores.generated.features, reference.output("pool2048"))
    assert scores.networks == (inception,)


def test_distances_of_each_protocol_are_the_references():
    data = Reference("frechet").arrays

    def statistics(name, scores):
        found = FeatureStatistics(scores.kept, scores.with_moments)
        for part in np.array_split(data[f"in/{name}"], 7):
            found.update(part)
        return found

    for protocol in PROTOCOLS.values():
        scores = feature_scores(ProtocolFeatures(lambda images: images, protocol), protocol, 1000, seed=0)
        key = "fid" if protocol.features == "inception_v3_fid" else "frechet"
        for other, out in (("feat2", "fid"), ("feat3_rank_deficient", "fid_1_3")):
            found = scores.compare(statistics("feat1", scores), statistics(other, scores))[key]
            exact, float32 = float(data[f"out/{out}"]), float(data[f"out/{out}_oasis_float32"])
            if protocol.statistics == "float64":
                assert found == pytest.approx(exact, rel=1e-7)
            else:
                assert found == pytest.approx(float32, rel=2e-4)
                if out == "fid_1_3":  # where float32 matters, ours goes where theirs goes
                    assert abs(found - float32) < 0.5 * abs(exact - float32)


def test_float32_shifts_a_singular_covariance_as_the_field_reports():
    """Fewer images than features: the rounding of the covariances takes some of the distance away, by about a hundredth."""
    random = np.random.default_rng(0)
    a, b = (np.abs(random.normal(size=(60, 256))).astype("float32") for _ in range(2))
    exact = scipy_distance(*moments_of(a.astype("float64")), *moments_of(b.astype("float64")))
    shift = exact - frechet_distance_float32(a, b)
    assert 1e-5 * exact < shift < 0.03 * exact


def test_features_are_kept_up_to_the_limit_and_moments_of_all():
    features = np.random.default_rng(1).normal(size=(50, 4)).astype("float32")
    statistics = FeatureStatistics(kept=10)
    for part in np.array_split(features, 9):
        statistics.update(part)
    assert statistics.features.shape == (10, 4) and statistics.count == 50
    np.testing.assert_array_equal(statistics.features, features[:10])
    np.testing.assert_allclose(statistics.moments.mean, features.mean(0, dtype="float64"), rtol=1e-9)
    again = FeatureStatistics.from_state(statistics.state(), kept=10)
    assert (again.count, again.dimension) == (50, 4)
    np.testing.assert_array_equal(again.features, features[:10])
    for wanted in ({"kept": 11}, {"kept": None}):
        with pytest.raises(ValueError, match="keeps less"):
            FeatureStatistics.from_state(statistics.state(), **wanted)


def test_a_missing_file_is_named_with_what_works_without(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"nowhere.pth: .*pt_inception-2015-12-05-6726825d.pth .*features=load_fid_inception\(FILE\).*protocol \"native\"",
    ):
        load_fid_inception(tmp_path / "nowhere.pth")
    assert not is_fid_inception(inception_v3_fid(depths=64))
    assert not is_fid_inception(lambda images: images)
