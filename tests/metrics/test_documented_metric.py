"""The metric of docs/metrics.md, as it is printed there."""

import re

import numpy as np
import pytest

from keras_semisis.metrics import evaluate_protocol
from tests.conftest import ROOT
from tests.metrics.protocols.test_evaluation import VAL, batches, gan  # noqa: F401

PAGE = ROOT / "docs" / "metrics.md"


@pytest.fixture(scope="module")
def page():
    names = {}
    exec(re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1], names)
    return names


def test_colorfulness_is_that_of_hand(page):
    """Half red, half black: red less green has mean and deviation 1, and so has half of both less blue, by a half."""
    image = np.zeros((1, 2, 2, 3))
    image[0, 0, :, 0] = 2.0
    assert page["colorfulness"](image) == [pytest.approx(np.hypot(1, 0.5) * 1.3)]
    assert page["colorfulness"](np.ones((1, 4, 4, 3))) == [0.0]


def test_everything_that_scores_takes_it(page, gan):  # noqa: F811
    own = page["Colorfulness"]()
    scores = gan.evaluate(batches(VAL), seed=3, verbose=0, metrics=[own])
    assert scores.keys() == {"colorfulness", "colorfulness_real"} and min(scores.values()) > 0.01
    document = evaluate_protocol(gan, VAL, metrics=[page["Colorfulness"]()], seed=3, batch_size=4)
    assert document["generated"] == pytest.approx({"colorfulness": scores["colorfulness"]}, rel=1e-4)
    assert document["real"] == pytest.approx({"colorfulness": scores["colorfulness_real"]}, rel=1e-4)
    parts = [page["Colorfulness"]() for _ in range(2)]
    for part, (image, label_map) in zip(parts, batches(VAL)[:2], strict=True):
        part.update_state(label_map, image, image)
    parts[0].merge_state(parts[1:])
    assert len(parts[0].real) == 8 and parts[0].result()["colorfulness"] == parts[0].result()["colorfulness_real"]
