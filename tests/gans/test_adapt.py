"""Own classes from a model of others."""

import re

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.data import LabelSpace
from keras_semisis.gans.class_affinity import affinity_of_names, affinity_text, given_affinity
from keras_semisis.models import LabeledModel
from keras_semisis.models.other_classes import segments
from tests.gans.test_fit import tiny_oasis
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes, batches, tiny_gan

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
NEW = LabelSpace(("road", "sky", "void"), ((90, 90, 90), (0, 0, 255), (0, 0, 0)), ignore_class=2)
FORMER = LabelSpace(("sky", "car", "road"), ((0, 0, 255), (0, 0, 142), (90, 90, 90)))
EVEN = np.full((3, CLASSES), 1 / CLASSES)
BUILDERS = {
    "oasis": lambda: models.oasis_generator(3, (16, 32), 1, noise_channels=4, num_blocks=3, hidden_channels=4),
    "usis": lambda: models.wavelet_spade_generator(3, (16, 32), 1, noise_channels=4, num_blocks=2, hidden_channels=4),
    "spade": lambda: models.spade_generator(3, (32, 64), 1, hidden_channels=4),
    "spade of styles": lambda: models.spade_generator(3, (32, 64), 1, latent_channels=4, hidden_channels=4),
    "cc_fpse": lambda: models.cc_fpse_generator(3, (32, 64), 1, hidden_channels=4),
}


def built(family):
    keras.utils.set_random_seed(0)
    generator = BUILDERS[family]()
    inputs = [ops.ones((2, *tensor.shape[1:]), tensor.dtype) for tensor in generator.inputs]
    for _ in range(3):  # spectral norms and statistics settle
        generator(inputs, training=True)
    return generator


def random_maps(size, classes=3, count=2):
    return np.random.default_rng(3).integers(0, classes, (count, *size)).astype("uint8")


@pytest.mark.parametrize("family", BUILDERS)
def test_the_identity_changes_nothing_and_a_permutation_the_labels(family):
    generator = built(family)
    size = generator.inputs[0].shape[1:]
    label_maps = random_maps(size).astype("int32")
    noise = [np.random.default_rng(0).standard_normal((2, 4)).astype("float32") for _ in generator.inputs[1:]]

    def drawn(network, label_maps):
        return ops.convert_to_numpy(network([label_maps, *noise], training=False))

    assert drawn(generator, label_maps).std() > 1e-3
    np.testing.assert_array_equal(drawn(ks.adapt(generator, FORMER, np.eye(3)), label_maps), drawn(generator, label_maps))
    turned = np.array([2, 0, 1])  # new class i is the former turned[i]
    permuted = ks.adapt(generator, FORMER, np.eye(3)[turned])
    assert isinstance(permuted, LabeledModel) and permuted.label_space == FORMER
    expected = drawn(generator, turned[label_maps].astype("int32"))
    np.testing.assert_array_equal(drawn(permuted, label_maps), expected)
    assert not np.array_equal(expected, drawn(generator, label_maps))


def test_a_mixture_is_that_of_the_convolution():
    """A convolution of the label map is linear in it, and so in the rows of the matrix."""
    layer = ks.layers.SemanticConv2D(4, num_classes=3)
    noise = np.random.default_rng(0).standard_normal((2, 5)).astype("float32")
    of_class = [ops.convert_to_numpy(layer([np.full((2, 4, 6), i, "int32"), noise])) for i in range(3)]
    mixture = ks.layers.ClassAffinity(1, 3)
    mixture.build((None, 4, 6))
    mixture.set_weights([np.array([[0.2, 0.3, 0.5]])])
    found = ops.convert_to_numpy(layer([mixture(np.zeros((2, 4, 6), "int32")), noise]))
    expected = 0.2 * of_class[0] + 0.3 * of_class[1] + 0.5 * of_class[2]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_names_find_their_like():
    space = LabelSpace(
        ("Sky", "Column_Pole", "Traffic Lights", "trees", "motorbike", "sea", "Unlabelled"), ((0, 0, 0),) * 7, ignore_class=6
    )
    former = LabelSpace(
        ("pole", "sky-other", "trafficLight", "tree, shrub", "sky", "bike rack", "void"), ((1, 1, 1),) * 7, ignore_class=6
    )
    affinity = affinity_of_names(space, former)
    assert [row.nonzero()[0].tolist() for row in affinity] == [[4], [0], [2], [3], [], [], [6]]
    both = affinity_of_names(LabelSpace(("stone wall",), ((0, 0, 0),)), LabelSpace(("wall", "stone", "hay"), ((0, 0, 0),) * 3))
    assert both.tolist() == [[0.5, 0.5, 0.0]]


def test_what_no_name_tells_begins_as_the_mean_and_is_said():
    generator = LabeledModel.of(built("oasis"), FORMER)
    with pytest.warns(UserWarning, match="no class of the model has a name like void: it begins as the mean of all"):
        adapted = ks.adapt(generator, NEW)
    (matrix,) = adapted.get_layer("class_affinity").get_weights()
    np.testing.assert_allclose(matrix, [[0, 0, 1], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])


def test_said_by_hand(recwarn):
    generator = LabeledModel.of(built("oasis"), FORMER)
    adapted = ks.adapt(generator, NEW, {"void": {"car": 0.75, "sky": 0.25}, "road": "car"})
    assert not [warning for warning in recwarn.list if "adapt:" in str(warning.message)]
    np.testing.assert_allclose(adapted.get_layer("class_affinity").get_weights()[0], [[0, 1, 0], [1, 0, 0], [0.25, 0.75, 0]])
    for affinity, message in (
        ({"path": "road"}, "'path' is none of the new classes: road, sky, void"),
        ({"road": "path"}, "'path' is none of the model's classes: sky, car, road"),
        ({"road": {"sky": 0.0}}, "affinity: road: the weights sum to 0"),
        (np.eye(2), r"a matrix of \(2, 2\); finite numbers \(3, 3\) are expected"),
        (np.full((3, 3), np.nan), "finite numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            ks.adapt(generator, NEW, affinity)


ODD = LabelSpace(
    ("tree, shrub", "tree", "class: 1", "class", "all others", "zebra crossing", "void"), ((0, 0, 0),) * 7, ignore_class=6
)


def matrix_of(text, space=NEW, former=FORMER):
    matrix, given = given_affinity(text, space, former)
    return matrix.tolist(), given.tolist()


def test_said_as_text():
    by_hand = given_affinity({"void": {"car": 0.75, "sky": 0.25}, "road": "car"}, NEW, FORMER)
    thrice = given_affinity({"void": {"car": 3, "sky": 1}, "sky": {"road": 6, "all others": 4}, "road": "car"}, NEW, FORMER)
    np.testing.assert_allclose(thrice[0], [by_hand[0][0], [0.2, 0.2, 0.6], by_hand[0][2]], atol=1e-15)
    for text in ("void: car 0.75, sky 0.25; road: car", "\n road:car;\n\nvoid :  car 3,\n sky 1 ;"):
        assert matrix_of(text) == tuple(each.tolist() for each in by_hand)
    assert matrix_of("sky: road, car")[0][1] == [0, 0.5, 0.5]
    assert matrix_of("sky: road 0.6, all others 0.4")[0][1] == [0.2, 0.2, 0.6]
    assert matrix_of("sky: the mean of all")[0][1] == [1 / 3] * 3
    # names with what else separates; the don't-care class is none of all others
    odd, _ = matrix_of("tree: tree, shrub 0.5, class: 1 0.5; class: class 1; class: 1: all others; void: void", ODD, ODD)
    assert odd[1] == [0.5, 0, 0.5, 0, 0, 0, 0] and odd[3] == [0, 0, 0, 1, 0, 0, 0]
    assert odd[2] == [0, 0, 0, 0, 1, 0, 0] and odd[6] == [0, 0, 0, 0, 0, 0, 1]
    for text, message in (
        ("path: road", "affinity: 'path' is none of the new classes: road, sky, void. Expected CLASS: CLASS OF THE MODEL"),
        ("road: path 0.5, sky", "affinity: road: 'path 0.5' is none of the model's classes: sky, car, road"),
        ("road: sky, ", "affinity: road: '' is none of the model's classes"),
        ("road sky", "affinity: 'road sky' is none of the new classes"),
        ("road: sky 0.5 car 0.5", "'sky 0.5 car 0.5' is none of the model's classes"),
        ("road: sky; road: car", "affinity: 'road' is there twice"),
        ("road: sky, sky", "affinity: road: 'sky' is there twice"),
        ("road: sky 0", "affinity: road: the weights sum to 0"),
        ("road: sky 1.2.3", "affinity: road: sky: 1.2.3 is no number"),
        (" ;", "affinity: it names no class"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            matrix_of(text)


def test_the_text_of_a_matrix_is_read_back():
    random = np.random.default_rng(0)
    matrix = random.dirichlet(np.full(ODD.num_classes, 0.3), ODD.num_classes)
    matrix[0], matrix[1], matrix[2] = np.eye(7)[6], [0.3, 0.4, 0.3, 0, 0, 0, 0], np.append(np.full(6, 1 / 6), 0)
    former = LabelSpace((*ODD.class_names[:4], "others", *ODD.class_names[5:]), ODD.palette, ignore_class=6)
    text = affinity_text(matrix, ODD, former)
    assert "tree, shrub: void; tree: tree 0.40, tree, shrub 0.30, class: 1 0.30; class: 1: the mean of all; " in text
    read, given = given_affinity(text, ODD, former)
    assert given.all() and affinity_text(read, ODD, former) == text
    np.testing.assert_allclose(read.sum(1), 1)
    np.testing.assert_allclose(read[:3], matrix[:3], atol=1e-9)
    listed = np.zeros(matrix.shape, bool)
    np.put_along_axis(listed, np.argsort(-matrix, 1)[:, :3], True, 1)
    listed &= matrix >= 0.1
    assert listed.sum() > 10
    np.testing.assert_allclose(read[listed], matrix[listed], atol=0.011)  # hundredths, of a sum that is rounded


def test_the_longest_name_that_fits_is_taken():
    names = LabelSpace(("tree", "tree, shrub", "a", "a: b"), [(0, 0, 0)] * 4)
    matrix, given = given_affinity("a: b: tree, shrub; a: tree", names, names)
    assert matrix.tolist() == [[0] * 4, [0] * 4, [1, 0, 0, 0], [0, 1, 0, 0]] and given.tolist() == [False, False, True, True]


def test_the_hundredths_of_a_mixture_sum_to_one():
    text = affinity_text(
        np.array([[0.304, 0.304, 0.304, 0.088]]), LabelSpace("x", [(0, 0, 0)]), LabelSpace("abcd", [(0, 0, 0)] * 4)
    )
    assert text == "x: a 0.30, b 0.30, c 0.30, all others 0.10"


class Labeled(Scenes):
    label_space = NEW

    def load_label_map(self, index):
        return np.where(self.load_image(index)[..., 0] > 127, 0, 1).astype("uint8")


def test_pairs_show_what_a_class_begins_as(monkeypatch):
    gan = tiny_gan()
    # a network that sees two classes in every photo, by its brightness, of which one is half of a new class
    monkeypatch.setattr(gan, "segment", lambda photos: np.where(photos[..., 0] > 0.5, 3, 1))
    adapted = ks.adapt(gan, NEW, pairs=Labeled(8))
    (matrix,) = adapted.generator.get_layer("class_affinity").get_weights()
    np.testing.assert_allclose(matrix[0], [0, 0.5, 0, 0.5, 0], atol=0.04)  # of 2,048 draws
    np.testing.assert_array_equal(matrix[1], [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(matrix[2], np.eye(CLASSES)[IGNORE])  # of no pixel: the don't-care class
    with pytest.raises(ValueError, match="pairs= needs a network that segments"):
        ks.adapt(built("oasis"), NEW, pairs=Labeled(8))
    with pytest.raises(ks.data.DataError, match="The classes of pairs are not those of label_space"):
        ks.adapt(gan, NEW, pairs=Scenes(8))


@pytest.fixture(scope="module")
def adapted():
    gan = tiny_gan()
    return gan, ks.adapt(gan, NEW, EVEN)


def test_the_discriminator_mixes_what_it_saw(adapted):
    gan, new = adapted
    photos = batches(1)[0][0][0]
    former = ops.convert_to_numpy(gan.discriminator(photos, training=False))
    logits = ops.convert_to_numpy(new.discriminator(photos, training=False))
    assert logits.shape == (*former.shape[:3], 4)
    expected = np.concatenate([former[..., :1], np.repeat(former[..., 1:].mean(-1, keepdims=True), 3, -1)], axis=-1)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    judges = [model.unconditional_discriminator for model in (new, gan)]
    for mine, theirs in zip(*(judge.get_weights() for judge in judges), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (new.num_classes, new.ignore_class, new.label_space, new.step) == (3, 2, NEW, 0)


def test_as_many_classes_as_before():
    gan, turned = tiny_gan(), np.array([2, 0, 1, 4, 3])  # new class i is the former turned[i]
    space = LabelSpace([f"former {i}" for i in turned], [(i, i, i) for i in range(CLASSES)], ignore_class=3)
    new = ks.adapt(gan, space, np.eye(CLASSES)[turned])
    photos = batches(1)[0][0][0]
    former, logits = (ops.convert_to_numpy(system.discriminator(photos, training=False)) for system in (gan, new))
    np.testing.assert_allclose(logits, former[..., [0, *(turned + 1)]], rtol=1e-4, atol=1e-4 * np.abs(former).max())


@pytest.mark.parametrize("turned", [[2, 2, 0, 1], [2, 0, 1]])
@pytest.mark.parametrize(
    "build",
    [
        lambda: models.multiscale_discriminator(3, (32, 64), 4, instance_edges=True),
        lambda: models.fpse_discriminator(3, (32, 64), 2, instance_edges=True),
    ],
)
def test_a_discriminator_that_is_given_label_maps_takes_others(build, turned):
    keras.utils.set_random_seed(0)
    network = build()
    other = models.other_classes.judge_of_classes(network, np.eye(3)[turned])
    label_maps = random_maps((32, 64), len(turned)).astype("int32")
    rest = [np.random.default_rng(0).random((2, 32, 64, 3), "float32")]
    rest.append(np.ones((2, 32, 64, 1), "float32"))
    found = other([label_maps, *rest], training=False)
    for mine, theirs in zip(found, network([np.array(turned)[label_maps].astype("int32"), *rest]), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(mine), ops.convert_to_numpy(theirs), atol=1e-5)


def labeled_batch():
    return batches(1)[0][0][0], random_maps(SIZE, count=4).astype("int32")


def trained(gan, alone):
    new = ks.adapt(gan, NEW, EVEN, alone=alone)
    new.compile(statistics_batches=1, label_mix_weight=0.0)
    before = {v.path: ops.convert_to_numpy(v) for v in new.generator.trainable_variables}
    frozen = [ops.convert_to_numpy(v) for v in new.generator.variables if v.path not in before]
    new.fit([labeled_batch()], verbose=0)
    moved = {v.path for v in new.generator.trainable_variables if np.abs(ops.convert_to_numpy(v) - before[v.path]).max() > 0}
    return new, moved, frozen, [v for v in new.generator.variables if v.path not in before]


def test_the_matrix_learns_with_everything():
    _, moved, _, _ = trained(tiny_oasis(), alone=False)
    assert {"class_affinity/affinity", "conv_img/kernel"} < moved


def test_the_matrix_learns_alone(tmp_path):
    new, moved, before, frozen = trained(tiny_oasis(), alone=True)
    assert moved == {"class_affinity/affinity"}
    assert [v.path for v in new.generator.trainable_variables] == ["class_affinity/affinity"]
    weights = [(v, value) for v, value in zip(frozen, before, strict=True) if v.path.endswith(("kernel", "bias"))]
    assert len(weights) > 10
    for variable, value in weights:
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)
    # and is an ordinary model: a file, further training
    label_maps = random_maps(SIZE)
    photos = new.generate(label_maps, seed=1)
    new.save(tmp_path / "new.keras")
    again = keras.saving.load_model(tmp_path / "new.keras")
    np.testing.assert_array_equal(again.generate(label_maps, seed=1), photos)
    assert again.label_space == NEW
    assert [v.path for v in again.generator.trainable_variables] == ["class_affinity/affinity"]
    again.fit([labeled_batch()], verbose=0)
    assert again.step == 2


@pytest.mark.parametrize("alone", [True, False])
def test_a_generator_by_itself_stays_frozen_in_a_file(tmp_path, alone):
    generator = ks.adapt(built("oasis"), FORMER, np.eye(3), alone=alone)
    if not alone:
        generator.trainable = False
        generator = LabeledModel.of(generator, FORMER)
    learning = [v.path for v in generator.trainable_variables]
    assert learning == ["class_affinity/affinity"] * alone
    generator.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras")
    assert [v.path for v in loaded.trainable_variables] == learning and loaded.trainable == generator.trainable == alone


def test_a_preset_and_once_more(tmp_path):
    street = ks.from_preset("street")
    space = LabelSpace(("Sky", "Building", "Road", "car", "hedge"), tuple((i, i, i) for i in range(5)))
    new = ks.adapt(street, space, {"hedge": "vegetation"})
    label_maps = random_maps((64, 96), 5)
    former = np.array([street.label_space.class_names.index(name) for name in ("sky", "building", "road", "car", "vegetation")])
    np.testing.assert_array_equal(new.generate(label_maps, seed=2), street.generate(former[label_maps], seed=2))
    # at another size too, and from a folder
    np.testing.assert_array_equal(
        new.generate(label_maps[:, :32, :64], seed=2), street.generate(former[label_maps[:, :32, :64]], seed=2)
    )
    new.save_to_preset(tmp_path)
    again = ks.from_preset(tmp_path)
    assert again.label_space == space
    np.testing.assert_array_equal(again.generate(label_maps, seed=2), new.generate(label_maps, seed=2))
    third = ks.adapt(again, LabelSpace(("cars",), ((0, 0, 0),)))
    np.testing.assert_array_equal(
        third.generate(np.zeros((64, 96), "uint8"), seed=2), new.generate(np.full((64, 96), 3), seed=2)
    )


def test_augmentation_fills_with_the_new_dont_care_class():
    gan = tiny_gan(compile=False, augmentation=ks.layers.DiffAugment(fill_class=IGNORE))
    assert ks.adapt(gan, NEW, EVEN).augmentation.fill_class == 2
    assert ks.adapt(gan, FORMER, EVEN).augmentation.policy == ("color",)


def test_pseudo_labels_need_a_dont_care_class():
    gan = tiny_gan(compile=False, pseudo_label_confidence=0.5)
    assert ks.adapt(gan, NEW, EVEN).pseudo_label_confidence == 0.5
    with pytest.warns(UserWarning, match="adapt: pseudo_label_confidence is left out") as warned:
        adapted = ks.adapt(gan, FORMER, EVEN)
    assert adapted.pseudo_label_confidence is None
    assert [warning.filename for warning in warned if "adapt:" in str(warning.message)] == [__file__]


def test_a_discriminator_of_patches_has_no_classes_however_many_channels():
    patches, gan = models.projected_discriminator(SIZE, weights=None, channels=(2,) * 4), tiny_gan(compile=False)
    assert patches.output_shape[1:3] != SIZE
    assert not segments(patches, patches.output_shape[-1] - 1)
    assert segments(gan.discriminator, CLASSES)


@pytest.mark.parametrize("tell", ["rows", "num_classes"])
def test_a_generator_that_reads_ids_alone_is_refused(tell):
    label_map = keras.Input(SIZE, dtype="int32")
    image = keras.layers.Embedding(3, 3)(label_map) if tell == "rows" else keras.layers.Dense(3)(ops.one_hot(label_map, 3))
    generator = keras.Model(label_map, image, name="mine")
    sampler = ks.gans.Sampler(generator, num_classes=3)
    for model in [sampler, generator] if tell == "rows" else [sampler]:
        with pytest.raises(ValueError, match=r"The generator 'mine' cannot be given other classes.*num_classes"):
            ks.adapt(model, NEW, np.eye(3))


def test_a_network_of_another_make_is_named():
    image = keras.Input((*SIZE, 3))
    lambdas = keras.layers.Conv2D(4, 1)(image)
    other = keras.Model(image, keras.layers.Concatenate()([lambdas, keras.layers.Conv2D(2, 1)(lambdas)]), name="mine")
    gan = tiny_gan(compile=False, discriminator=other)
    with pytest.raises(ValueError, match="The network 'mine' cannot be given 3 classes in place of 5"):
        ks.adapt(gan, NEW, EVEN)
