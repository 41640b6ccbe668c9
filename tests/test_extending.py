"""docs/extending.md: its GAN trains, small, as it stands there."""

import re

import numpy as np
import pytest
from keras import ops

from tests.conftest import ROOT

PAGE = ROOT / "docs/extending.md"
SMALL = {
    "(64, 96)": "(32, 32)",
    "num_scenes=64": "num_scenes=6",
    "batch_size=4": "batch_size=2",
    "epochs=2": "steps_per_epoch=1",
    "(32, 64, 128)": "(4, 8)",
    "(32, 64)": "(4,)",
}


@pytest.mark.usefixtures("eager_tensorflow")
def test_the_gan_of_the_page_trains_is_scored_and_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    definition, use = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for given, small in SMALL.items():
        assert given in definition + use, given
        definition, use = definition.replace(given, small), use.replace(given, small)
    names = {}
    exec(compile(definition, str(PAGE), "exec"), names)
    exec(compile(use, str(PAGE), "exec"), names)
    gan = names["gan"]
    assert type(gan) is names["Pix2Pix"] and gan.step == 2 and gan.label_space == names["scenes"].label_space
    assert gan.l1_weight == 100.0 and [phase.name for phase in gan.phases()] == ["discriminator", "generator"]
    np.testing.assert_array_equal(gan.generate(names["label_map"], seed=0), names["photo"])
    assert np.ptp(names["photo"]) > 0 and np.isfinite(names["scores"]["generated"]["frechet"])

    # of a generator that draws the photo itself
    image = ops.convert_to_tensor(next(iter(names["paired_ds"]))[0])
    label_map = ops.convert_to_tensor(next(iter(names["paired_ds"]))[1])
    gan.synthesize = lambda label_map, training=True: image
    terms = gan.generator_terms(((image, label_map),), {"adversarial", "l1"})
    logits = ops.convert_to_numpy(gan.judge(label_map, image))
    assert float(terms["l1"]) == 0.0
    assert float(terms["adversarial"]) == pytest.approx(np.mean(np.logaddexp(0, -logits)), rel=1e-5)
