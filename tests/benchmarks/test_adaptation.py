"""The benchmark of adapted models: two trainings that differ in what they begin with alone."""

import numpy as np

import keras_semisis as ks
from benchmarks.adaptation import begin


def test_both_begin_with_one_network_but_for_the_matrix():
    space, preset = ks.data.CamVid.label_space, ks.from_preset("street")
    scratch, adapted = (begin(start, space, preset, seed=0) for start in ("scratch", "adapted"))
    layers = [{layer.name for layer in gan.generator.layers} for gan in (scratch, adapted)]
    assert layers[1] - layers[0] == {"class_affinity"} and not layers[0] - layers[1]
    drawn, taken, learned = (model.generator.get_layer("conv_img").get_weights()[0] for model in (scratch, adapted, preset))
    np.testing.assert_array_equal(taken, learned)
    assert np.abs(drawn - learned).max() > 0.01
    judges = [gan.discriminator.get_weights() for gan in (scratch, adapted)]
    assert [a.shape for a in judges[0]] == [a.shape for a in judges[1]]
    assert scratch.num_classes == adapted.num_classes == space.num_classes
