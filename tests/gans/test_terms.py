"""Every term of every phase against NumPy, and where its gradient goes, with networks that can be computed by hand."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.gans.batch import batch_class
from keras_semisis.gans.phase import differentiate
from keras_semisis.losses import SegmentationLoss

pytestmark = pytest.mark.filterwarnings("ignore:The structure of `inputs`")
CLASSES, IGNORE, SIZE, BATCH = 3, 2, (4, 4), 2
RANDOM = np.random.default_rng(0)
PHOTOS, OTHERS = (RANDOM.uniform(-1, 1, (BATCH, *SIZE, 3)).astype("float32") for _ in range(2))
MAPS, OTHER_MAPS = (RANDOM.integers(0, CLASSES, (BATCH, *SIZE)).astype("int32") for _ in range(2))


NOTED = []


class Noted(keras.layers.Layer):
    """Notes whether what it is part of is in training mode."""

    def call(self, x, training=None):
        NOTED.append(training)
        return x


# Networks: G draws each class in a color, D and S are linear, D_u is linear in the squares of the photo's values


def generator():
    label_map = keras.Input(SIZE, dtype="int32")
    colors = keras.layers.Embedding(CLASSES, 3, embeddings_initializer=keras.initializers.RandomUniform(-1, 1), name="colors")
    return keras.Model(label_map, Noted()(colors(label_map)))


def marked(layer):
    layer.is_feature_block = True
    return layer


def segmenting(name="discriminator"):
    image = keras.Input((*SIZE, 3))
    x = Noted()(marked(keras.layers.Conv2D(2, 1, name="block"))(image))
    return keras.Model(image, keras.layers.Conv2D(CLASSES + 1, 1, bias_initializer="normal", name="logits")(x), name=name)


def judge():
    image = keras.Input((*SIZE, 3))
    squares = Noted()(marked(keras.layers.Multiply(name="squares"))([image, image]))
    return keras.Model(image, keras.layers.Conv2D(1, 1, bias_initializer="ones", name="logits")(squares))


def conditional():
    label_map, image = keras.Input(SIZE, dtype="int32"), keras.Input((*SIZE, 3))
    x = Noted()(marked(keras.layers.Conv2D(2, 1, name="block"))(image))
    prediction = keras.layers.Conv2D(1, 1, name="logits")(x) + keras.layers.Embedding(CLASSES, 1, name="labels")(label_map)
    return keras.Model([label_map, image], [prediction])


def looks():
    image = keras.Input((*SIZE, 3))
    return keras.Model(image, [keras.layers.Rescaling(3.0)(image)])


def semi_paired(**kwargs):
    networks = {"generator": generator(), "discriminator": segmenting(), "unconditional_discriminator": judge()}
    return ks.SemiPairedGAN(CLASSES, SIZE, IGNORE, **networks, perceptual=looks(), **kwargs)


def oasis(**kwargs):
    return ks.OASIS(CLASSES, SIZE, IGNORE, generator(), segmenting(), perceptual=looks(), **kwargs)


def usis(**kwargs):
    features = keras.Input((*SIZE, 3))
    decoder = keras.Model([features], Noted()(keras.layers.Conv2D(3, 1, name="rebuilt")(features)))
    return ks.USIS(CLASSES, SIZE, IGNORE, generator(), segmenting("segmenter"), judge(), decoder=decoder, **kwargs)


def spade(**kwargs):
    networks = {"generator": generator(), "discriminator": conditional()}
    return ks.SPADEGAN(CLASSES, SIZE, IGNORE, **networks, perceptual=looks(), **kwargs)


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(1)


# What they are by hand


def array(x):
    return np.copy(ops.convert_to_numpy(x)).astype("float64")


def by_layer(network, name, x):
    """A convolution by one pixel."""
    kernel, *bias = (array(weight) for weight in network.get_layer(name).weights)
    return x @ kernel[0, 0] + (bias[0] if bias else 0)


def drawn(gan, label_map):
    return array(gan.generator.get_layer("colors").embeddings)[label_map]


def logits(network, x):
    return by_layer(network, "logits", by_layer(network, "block", x))


def judged(gan, x):
    return by_layer(gan.unconditional_discriminator, "logits", x * x)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def entropy(label_map, logits):
    """The class-balanced cross-entropy of classes, the don't-care class left out; channel c is class c."""
    present = [c for c in np.unique(label_map) if c != IGNORE]
    weight = {c: label_map.size / (len(present) * (label_map == c).sum()) for c in present}
    found = log_softmax(logits)
    return -np.mean([weight.get(c, 0.0) * found[(*at, c)] for at, c in np.ndenumerate(label_map)])


def entropy_of_classes(label_map, logits):
    """That of eq. 1 and 2: the fake class is channel 0."""
    return entropy(label_map, np.concatenate([logits[..., 1:], logits[..., :1]], axis=-1))


def softplus(x):
    return np.log1p(np.exp(x)).mean()


def mean_distance(a, b):
    return np.abs(a - b).mean()


def by_hand(gan):
    """Of each phase, its terms."""
    if isinstance(gan, ks.SPADEGAN):
        network, generated = gan.discriminator, drawn(gan, MAPS)

        def predicted(x):
            return logits(network, x) + array(network.get_layer("labels").embeddings)[MAPS]

        return {
            "generator": {
                "adversarial": -predicted(generated).mean(),
                "perceptual": 3 * mean_distance(PHOTOS, generated),
                "feature_matching": mean_distance(*(by_layer(network, "block", x) for x in (PHOTOS, generated))),
            },
            "discriminator": {
                "fake": np.maximum(1 + predicted(generated), 0).mean(),
                "real": np.maximum(1 - predicted(PHOTOS), 0).mean(),
            },
        }
    slope = 2 * OTHERS * array(gan.unconditional_discriminator.get_layer("logits").kernel)[0, 0, :, 0]
    generated = drawn(gan, OTHER_MAPS)
    unconditional = {
        "fake": softplus(judged(gan, generated)),
        "real": softplus(-judged(gan, OTHERS)),
        "r1": (slope**2).sum((1, 2, 3)).mean(),
    }
    adversarial = softplus(-judged(gan, generated))
    if isinstance(gan, ks.USIS):
        rebuilt = by_layer(gan.decoder, "rebuilt", OTHERS.astype("float64") ** 2)
        return {
            "unpaired": {
                "segmentation": entropy(OTHER_MAPS, logits(gan.segmenter, generated)[..., 1:]),
                "adversarial": adversarial,
            },
            "unconditional": unconditional | {"reconstruction": mean_distance(OTHERS, rebuilt)},
        }
    network, of_pairs = gan.discriminator, drawn(gan, MAPS)
    features = (by_layer(network, "block", x) for x in (PHOTOS, of_pairs))
    return {
        "discriminator": {
            "real": entropy_of_classes(MAPS, logits(network, PHOTOS)),
            "fake": -log_softmax(logits(network, of_pairs))[..., 0].mean(),
        },
        "generator": {
            "segmentation": entropy_of_classes(MAPS, logits(network, of_pairs)),
            "feature_matching": ((next(features) - next(features)) ** 2).mean(),
            "perceptual": 3 * mean_distance(PHOTOS, of_pairs),
        },
        "unpaired": {"cycle": entropy(OTHER_MAPS, logits(network, generated)[..., 1:]), "adversarial": adversarial},
        "unconditional": unconditional,
    }


SYSTEMS = {"semi-paired": semi_paired, "USIS": usis, "SPADE": spade}
TERMS = [
    (system, phase, term)
    for system, phases in {
        "semi-paired": {
            "discriminator": ("real", "fake"),
            "generator": ("segmentation", "feature_matching", "perceptual"),
            "unpaired": ("cycle", "adversarial"),
            "unconditional": ("fake", "real", "r1"),
        },
        "USIS": {"unpaired": ("segmentation", "adversarial"), "unconditional": ("fake", "real", "r1", "reconstruction")},
        "SPADE": {"generator": ("adversarial", "perceptual", "feature_matching"), "discriminator": ("fake", "real")},
    }.items()
    for phase, terms in phases.items()
    for term in terms
]


def compiled(system):
    gan = SYSTEMS[system]()
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    return gan


def batch_of(gan):
    parts = {"paired_ds": (PHOTOS, MAPS), "unpaired_ds": (OTHERS, OTHER_MAPS)}
    tensors = [tuple(ops.convert_to_tensor(part) for part in parts[name]) for name in gan.data_sets]
    return batch_class(gan.data_sets)(*tensors)


def phase_of(gan, name):
    return next(phase for phase in gan.phases() if phase.name == name)


@pytest.mark.parametrize("system", SYSTEMS)
def test_terms_are_those_by_hand(system):
    gan = compiled(system)
    expected = by_hand(gan)
    assert {(system, phase, term) for phase, terms in expected.items() for term in terms} == {
        each for each in TERMS if each[0] == system
    }
    for name, terms in expected.items():
        found = phase_of(gan, name).loss(batch_of(gan), frozenset(terms))
        assert {term: float(found[term]) for term in terms} == pytest.approx(terms, rel=1e-4), name


@pytest.mark.parametrize(("system", "phase", "term"), TERMS)
def test_every_network_of_a_term_is_in_training_mode(system, phase, term):
    """Those that are frozen as well; the perceptual network alone is not."""
    gan = compiled(system)
    NOTED.clear()
    phase_of(gan, phase).loss(batch_of(gan), frozenset([term]))
    assert NOTED and all(NOTED)


# the decoder and the segmenter have terms of their own
UNMOVED = {
    ("unconditional", "fake", "decoder"),
    ("unconditional", "real", "decoder"),
    ("unconditional", "r1", "decoder"),
    ("unconditional", "reconstruction", "unconditional_discriminator"),  # its features here are squares, which nothing weighs
    ("unpaired", "adversarial", "segmenter"),
}


@pytest.mark.parametrize(("system", "phase", "term"), TERMS)
def test_a_term_alone_moves_the_networks_that_learn_by_it(system, phase, term):
    """Its gradient is the slope of its value."""
    gan = compiled(system)
    found = replace(phase_of(gan, phase), weights={term: 1.0}, every={})
    *_, gradients = differentiate(gan, found, frozenset([term]), batch_of(gan))
    remaining = iter(gradients)
    for name in found.trains:
        pairs = [(v, array(next(remaining))) for v in getattr(gan, name).trainable_variables]
        variable, gradient = max(pairs, key=lambda pair: np.abs(pair[1]).max())
        if (phase, term, name) in UNMOVED:
            assert not gradient.any()
        else:
            place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
            assert gradient[place] and slope_of(gan, phase, term, variable, place) == pytest.approx(gradient[place], rel=0.02)
    assert next(remaining, None) is None


def value_of(gan, phase, term):
    return phase_of(gan, phase).loss(batch_of(gan), frozenset([term]))[term]


def slope_of(gan, phase, term, variable, place, step=2e-3):
    """By central differences."""
    before, values = array(variable), []
    for sign in (1, -1):
        moved = np.copy(before)
        moved[place] += sign * step
        variable.assign(moved)
        values.append(float(value_of(gan, phase, term)))
    variable.assign(before)
    return (values[0] - values[1]) / (2 * step)


def test_label_mix_shows_the_discriminator_a_mixture():
    gan = semi_paired(label_mix_weight=1.0)
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    seen = []
    gan.label_mix_loss = lambda parts, mixed: seen.append((*parts, mixed)) or ops.zeros(())
    phase_of(gan, "discriminator").loss(batch_of(gan), frozenset(["label_mix"]))
    mask, real, fake, mixed = map(array, seen[0])
    assert {*np.unique(mask)} == {0, 1}
    of_class = {(b, MAPS[b, y, x]): set() for b, y, x in np.ndindex(MAPS.shape)}
    for b, y, x in np.ndindex(MAPS.shape):
        of_class[b, MAPS[b, y, x]].add(mask[b, y, x, 0])
    assert all(len(values) == 1 for values in of_class.values())  # one class is from one image
    network, generated = gan.discriminator, drawn(gan, MAPS)
    for found, x in ((real, PHOTOS), (fake, generated), (mixed, mask * PHOTOS + (1 - mask) * generated)):
        np.testing.assert_allclose(found, logits(network, x), atol=1e-5)


ON_PAIRS = {
    "segmentation_weight": 2.0,
    "fake_weight": 3.0,
    "feature_matching_weight": 5.0,
    "perceptual_weight": 7.0,
    "label_mix_weight": 17.0,
}
PHASES_ON_PAIRS = {
    "discriminator": {"real": 2, "fake": 3, "label_mix": 17},
    "generator": {"segmentation": 2, "feature_matching": 5, "perceptual": 7},
}


@pytest.mark.parametrize(
    ("system", "weights", "expected"),
    [
        (
            semi_paired,
            ON_PAIRS | {"cycle_weight": 11.0, "adversarial_weight": 13.0, "r1_gamma": 19.0, "r1_every": 4},
            PHASES_ON_PAIRS
            | {
                "unpaired": {"cycle": 11, "adversarial": 13},
                "unconditional": {"fake": 1, "real": 1, "r1": 38},
            },
        ),
        (oasis, ON_PAIRS, PHASES_ON_PAIRS),
        (
            usis,
            {
                "segmentation_weight": 2.0,
                "adversarial_weight": 3.0,
                "reconstruction_weight": 5.0,
                "r1_gamma": 19.0,
                "r1_every": 4,
            },
            {
                "unpaired": {"segmentation": 2, "adversarial": 3},
                "unconditional": {"fake": 1, "real": 1, "r1": 38, "reconstruction": 5},
            },
        ),
        (
            spade,
            {"adversarial_weight": 2.0, "perceptual_weight": 3.0, "feature_matching_weight": 5.0, "kl_weight": 7.0},
            {
                "generator": {"adversarial": 2, "perceptual": 3, "feature_matching": 5, "kl": 0},  # without an encoder
                "discriminator": {"fake": 1, "real": 1},
            },
        ),
    ],
)
def test_weights_are_those_that_are_given(system, weights, expected):
    gan = system(**weights)
    gan.compile()
    assert {phase.name: dict(phase.weights) for phase in gan.phases()} == expected


def test_judged_pairs_are_pairs_beside_the_unpaired_half():
    gan = semi_paired(judge_pairs=True)
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    real = judged(gan, np.concatenate([PHOTOS, OTHERS]))
    fake = judged(gan, np.concatenate([drawn(gan, MAPS), drawn(gan, OTHER_MAPS)]))
    for phase, terms in (
        ("unpaired", {"adversarial": softplus(-fake)}),
        ("unconditional", {"real": softplus(-real), "fake": softplus(fake)}),
    ):
        found = phase_of(gan, phase).loss(batch_of(gan), frozenset(terms))
        assert {term: float(found[term]) for term in terms} == pytest.approx(terms, rel=1e-4)


@pytest.mark.parametrize("system", [semi_paired, usis])
def test_the_hinge_of_the_generator_does_not_saturate(system):
    gan = system(adversarial_loss="hinge")
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    real, fake = judged(gan, OTHERS), judged(gan, drawn(gan, OTHER_MAPS))
    for phase, terms in (
        ("unpaired", {"adversarial": -fake.mean()}),
        ("unconditional", {"real": np.maximum(1 - real, 0).mean(), "fake": np.maximum(1 + fake, 0).mean()}),
    ):
        found = phase_of(gan, phase).loss(batch_of(gan), frozenset(terms))
        assert {term: float(found[term]) for term in terms} == pytest.approx(terms, rel=1e-4)


@pytest.mark.parametrize("system", [semi_paired, oasis])
def test_focal_weights_are_those_of_both_terms_of_the_classes(system):
    gan = system(focal_gamma=2.0)
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    loss = SegmentationLoss(IGNORE, focal_gamma=2.0)
    for phase, term, photos in (("discriminator", "real", PHOTOS), ("generator", "segmentation", drawn(gan, MAPS))):
        expected = float(loss(MAPS, logits(gan.discriminator, photos).astype("float32")))
        assert float(value_of(gan, phase, term)) == pytest.approx(expected, rel=1e-4)


def test_the_perceptual_network_sees_photos_as_they_are():
    gan, seen = semi_paired(augmentation=ks.layers.DiffAugment(("color",))), []
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    gan._perceptual_loss = lambda *photos: seen.extend(map(array, photos)) or ops.zeros(())
    value_of(gan, "generator", "perceptual")
    for found, photos in zip(seen, (PHOTOS, drawn(gan, MAPS)), strict=True):
        np.testing.assert_allclose(found, photos, atol=1e-6)


def test_the_segmenter_of_usis_sees_photos_as_they_are():
    gan = usis(augmentation=ks.layers.DiffAugment(("color",)))
    gan.compile(run_eagerly=True)
    gan.prepare_fit()
    expected = entropy(OTHER_MAPS, logits(gan.segmenter, drawn(gan, OTHER_MAPS))[..., 1:])
    assert float(value_of(gan, "unpaired", "segmentation")) == pytest.approx(expected, rel=1e-4)
