"""Names of an earlier version work, and warn."""

import numpy as np
import pytest

from keras_semisis.gans.adversarial import AdversarialModel
from keras_semisis.gans.sampler import Sampler
from keras_semisis.metrics import Diversity, PrecisionRecall, precision_recall

FEATURES = np.arange(12.0).reshape(6, 2)


def test_neighbours_are_neighbors():
    with pytest.warns(DeprecationWarning, match=r"PrecisionRecall.*argument neighbours is called neighbors now"):
        metric = PrecisionRecall(lambda images: images, neighbours=2)
    assert (metric.neighbors, metric.least_images) == (2, 3)
    with pytest.warns(DeprecationWarning, match="neighbours is called neighbors"):
        found = precision_recall(FEATURES, FEATURES + 0.1, neighbours=2)
    assert found == precision_recall(FEATURES, FEATURES + 0.1, neighbors=2)


def test_the_warning_names_the_line_that_calls():
    with pytest.warns(DeprecationWarning, match="neighbors") as caught:
        precision_recall(FEATURES, FEATURES, neighbours=2)
    assert caught[0].filename == __file__


def test_both_names_at_once_are_refused():
    with pytest.raises(TypeError, match="neighbours is the former name of neighbors"):
        precision_recall(FEATURES, FEATURES, neighbours=2, neighbors=3)


@pytest.mark.parametrize(
    ("owner", "former", "name"),
    [
        (AdversarialModel, "synthesise", "synthesize"),
        (Sampler, "synchronise", "synchronize"),
        (Diversity, "normalised", "normalized"),
    ],
)
def test_former_methods_call_the_present_ones(owner, former, name):
    class Own(owner):
        """With a method of the present name; none of the rest is needed."""

        def __init__(self):
            pass

        def __setattr__(self, key, value):
            object.__setattr__(self, key, value)

    setattr(Own, name, lambda self, x: ("called with", x))
    own = object.__new__(Own)
    with pytest.warns(DeprecationWarning, match=rf"Own\.{former} is called {name} now"):
        assert getattr(own, former)(7) == ("called with", 7)
