import numpy as np
import pytest

from keras_semisis.data import DataError, class_statistics, rare_class_probabilities
from tests.data.array_source import ArraySource

RNG = np.random.default_rng(0)


def brute_force_probabilities(label_maps, num_classes, ignore_class):
    scores = []
    for m in label_maps:
        score = 0.0
        for c in range(num_classes):
            total = sum((other == c).sum() for other in label_maps)
            if c != ignore_class and (m == c).any():
                score += (m == c).sum() / total
        scores.append(score)
    return np.array(scores) / sum(scores)


@pytest.mark.parametrize("ignore_class", [None, 0, 3])
def test_probabilities_by_brute_force(ignore_class):
    label_maps = RNG.choice(6, p=[0.5, 0.3, 0.1, 0.07, 0.03, 0.0], size=(9, 8, 10))  # class 5 is nowhere
    source = ArraySource(label_maps, num_classes=6)
    counts = class_statistics(source)
    np.testing.assert_array_equal(counts, [[(m == c).sum() for c in range(6)] for m in label_maps])
    np.testing.assert_allclose(
        rare_class_probabilities(counts, ignore_class), brute_force_probabilities(label_maps, 6, ignore_class), rtol=1e-12
    )


def test_label_maps_of_dont_care_alone_are_refused():
    with pytest.raises(DataError, match="no pixel of any class but don't-care"):
        rare_class_probabilities(np.array([[0, 7], [0, 3]]), ignore_class=1)
