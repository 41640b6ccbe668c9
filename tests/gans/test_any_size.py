"""Label maps and photos of other sizes than the training's, whole and in tiles."""

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.gans import Sampler
from keras_semisis.gans.any_size import AnySize
from keras_semisis.gans.batch_statistics import batch_statistics, reestimate
from keras_semisis.gans.tiles import Tiles
from tests.gans.test_own_data import Seen

pytestmark = pytest.mark.usefixtures("eager_tensorflow")

CLASSES = 4
OASIS = {"base_channels": 2, "noise_channels": 4, "num_blocks": 2, "hidden_channels": 8}
BUILDERS = {
    "oasis": lambda size: models.oasis_generator(CLASSES, size, **OASIS),
    "oasis without noise": lambda size: models.oasis_generator(CLASSES, size, **OASIS | {"noise_channels": 0}),
    "oasis by instances": lambda size: models.oasis_generator(CLASSES, size, norm="instance", **OASIS),
    "wavelet": lambda size: models.wavelet_spade_generator(CLASSES, size, 1, 4, num_blocks=2, hidden_channels=4),
    "wavelet db2": lambda size: models.wavelet_spade_generator(
        CLASSES, size, 1, 4, num_blocks=2, hidden_channels=4, wavelet="db2"
    ),
    "spade": lambda size: models.spade_generator(CLASSES, size, base_channels=1, hidden_channels=4),
    "cc_fpse": lambda size: models.cc_fpse_generator(CLASSES, size, base_channels=1, hidden_channels=4),
}
SIZES = {"spade": ((32, 64), (64, 32)), "cc_fpse": ((32, 64), (64, 32))}
MULTIPLES = {"oasis": 2, "oasis without noise": 2, "oasis by instances": 2, "wavelet": 4, "wavelet db2": 4}


def maps(size, count=1, seed=0):
    """Label maps of rectangles."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, CLASSES, (count, -(-size[0] // 4), -(-size[1] // 4)))
    return np.kron(coarse, np.ones((1, 4, 4), int))[:, : size[0], : size[1]].astype("uint8")


def told_by_all(generator, batch=4):
    """A sampler of weights by which all that the kernels reach is seen, the same on every backend."""
    random = np.random.default_rng(3)
    for variable in generator.trainable_variables:
        fan_in = np.prod(variable.shape[:-1]) or 1
        variable.assign(random.normal(0, 1.5 / np.sqrt(fan_in), variable.shape) if len(variable.shape) > 1 else 0 * variable)
    label_map, noise = (tensor.shape[1:] for tensor in generator.inputs)
    inputs = [maps(label_map, batch).astype("int32"), random.standard_normal((batch, *noise)).astype("float32")]
    for _ in range(20):  # until its spectral norms are those of the weights
        generator(inputs, training=True)
    reestimate(generator, batch_statistics(generator), [inputs])
    return Sampler(generator)


@pytest.fixture(scope="module")
def oasis():
    return told_by_all(BUILDERS["oasis"]((16, 32)))


@pytest.mark.parametrize("family", BUILDERS)
def test_at_another_size_a_generator_is_the_one_built_for_it(family):
    trained_at, size = SIZES.get(family, ((16, 32), (40, 24)))
    keras.utils.set_random_seed(0)
    sampler = Sampler(BUILDERS[family](trained_at))
    of_noise = [np.zeros((2, sampler.noise_channels), "float32")] if sampler.noise_channels else []
    inputs = [maps(trained_at, 2).astype("int32"), *of_noise]
    for _ in range(3):  # spectral norms that are none yet let the images of CC-FPSE grow beyond all bounds
        sampler.generator(inputs, training=True)
    reestimate(sampler.generator, batch_statistics(sampler.generator), [inputs])
    built = BUILDERS[family](size)
    built.set_weights(sampler.generator.get_weights())
    label_maps = maps(size, 2)
    assert sampler.size_multiple() == MULTIPLES.get(family, 32)
    images = sampler.generate_floats(label_maps, seed=5)
    assert images.std() > 1e-3
    np.testing.assert_allclose(images, Sampler(built).generate_floats(label_maps, seed=5), atol=1e-5)
    # the training's size as before, and the network as it was
    assert sampler.generate(maps(trained_at)).shape == (1, *trained_at, 3)
    assert sampler.generator.layers[-1].output.shape == (None, *trained_at, 3)


def test_other_sides_are_continued_by_reflection_and_cut(oasis):
    label_map = maps((40, 24))[0][:37, :23]
    whole = np.pad(label_map, ((0, 1), (0, 1)), mode="reflect")
    np.testing.assert_array_equal(oasis.generate(label_map, seed=1), oasis.generate(whole, seed=1)[:37, :23])


def test_what_was_learned_since_is_drawn(oasis):
    generator = BUILDERS["oasis"]((16, 32))
    sampler, label_map = Sampler(generator), maps((8, 8))
    before = sampler.generate_floats(label_map)
    generator.set_weights([2 * w for w in generator.get_weights()])
    after = sampler.generate_floats(label_map)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_array_equal(after, Sampler(generator).generate_floats(label_map))


def test_the_file_of_a_model_that_drew_other_sizes_is_as_before(oasis, tmp_path):
    names = [variable.path for variable in oasis.variables]
    oasis.generate(maps((24, 8)))
    assert [variable.path for variable in oasis.variables] == names
    oasis.save(tmp_path / "a.keras")
    loaded, label_map = keras.saving.load_model(tmp_path / "a.keras"), maps((24, 8))
    np.testing.assert_array_equal(loaded.generate(label_map), oasis.generate(label_map))


def test_a_generator_that_starts_with_a_style_is_refused_at_other_sizes():
    sampler = Sampler(models.spade_generator(CLASSES, (32, 64), base_channels=1, latent_channels=4, hidden_channels=4))
    assert sampler.generate(maps((32, 64))).shape == (1, 32, 64, 3)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"works at 32×64 alone: .*\(fc, start\)"):
            sampler.generate(maps((64, 64)))


def test_a_network_of_ones_own_says_its_multiple_by_itself():
    label_map = keras.Input((24, 36), dtype="int32")
    x = keras.layers.Embedding(CLASSES, 3)(label_map)
    x = keras.layers.Conv2D(3, 3, strides=2, padding="same")(keras.layers.Conv2D(3, 3, strides=2, padding="same")(x))
    image = keras.layers.UpSampling2D(4, name="image")(x)
    assert AnySize(keras.Model(label_map, image)).multiple == 4


def test_segments_photos_of_any_size():
    def discriminator(size):
        return models.oasis_discriminator(CLASSES, size, channels=(4, 6), final_channels=4)

    gan = ks.OASIS(CLASSES, (16, 32), generator=BUILDERS["oasis"]((16, 32)), discriminator=discriminator((16, 32)))
    photo = np.random.default_rng(0).integers(0, 256, (30, 22, 3)).astype("uint8")
    built = discriminator((32, 24))
    built.set_weights(gan.discriminator.get_weights())
    other = ks.OASIS(CLASSES, (32, 24), generator=BUILDERS["oasis"]((32, 24)), discriminator=built)
    whole = np.pad(photo, ((0, 2), (0, 2), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(gan.segment(photo), other.segment(whole)[:30, :22])


def test_evaluates_at_the_size_of_the_data(oasis):
    photos, metric = np.zeros((3, 20, 12, 3), "uint8"), Seen()
    assert oasis.evaluate(photos, maps((20, 12), 3), metrics=[metric], verbose=0) == {"seen": 3}
    assert metric.images[0].shape == (3, 20, 12, 3)
    with pytest.raises(ks.data.DataError, match=r"photos of \(20, 12\) with label maps of \(20, 8\)"):
        oasis.evaluate(photos, maps((20, 8), 3), metrics=[metric], verbose=0)


def reach_of_oasis(blocks):
    """Of the kernels: four cells of the first block (two convolutions of labels, two of its own), two of each later one."""
    cells = [2**i for i in reversed(range(blocks))]
    return 4 * cells[0] + 2 * sum(cells[1:]) + 1


def test_the_reach_is_that_of_the_kernels(oasis):
    assert reach_of_oasis(6) == 191
    assert oasis.tile_reach() == reach_of_oasis(2) == 11


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("taps", [slice(0, 3), slice(4, 7)])
def test_the_reach_is_the_longest_of_all_directions(axis, taps):
    """A kernel of seven pixels along one axis, of which three on one side count."""
    label_map, noise = keras.Input((16, 16), dtype="int32"), keras.Input((3,))
    colors, convolution = keras.layers.Embedding(CLASSES, 3), keras.layers.Conv2D(3, (1, 7) if axis else (7, 1), padding="same")
    image = keras.layers.Add()([convolution(colors(label_map)), keras.layers.Reshape((1, 1, 3))(noise)])
    kernel = np.zeros(convolution.kernel.shape)
    kernel.reshape(7, 3, 3)[taps] = 1
    convolution.kernel.assign(kernel)
    colors.set_weights([np.arange(3.0 * CLASSES).reshape(CLASSES, 3)])
    assert AnySize(keras.Model([label_map, noise], image)).reach(CLASSES) == 3


def test_nothing_is_measured_when_a_model_is_saved_or_loaded(oasis, tmp_path, monkeypatch):
    """Keras asks each attribute of a model for what is to be saved in it, and so computes every property."""
    measured = []
    for name in ("predict", "_keeps"):
        monkeypatch.setattr(AnySize, name, lambda self, *args, name=name, **kwargs: measured.append(name))
    oasis.save(tmp_path / "gan.keras")
    keras.saving.load_model(tmp_path / "gan.keras")
    assert not measured


@pytest.mark.parametrize("family", ["oasis by instances"])
def test_with_instance_normalization_every_pixel_depends_on_all(family):
    assert Sampler(BUILDERS[family]((16, 32))).tile_reach() is None


@pytest.mark.parametrize(("size", "tile_size"), [((40, 96), (40, 32)), ((50, 66), (34, 46)), ((16, 32), (28, 30))])
def test_tiles_that_overlap_enough_are_the_whole_image(oasis, size, tile_size):
    label_maps, calls = maps(size, 2), []
    whole = oasis.generate(label_maps, seed=2).astype(int)
    tiled = oasis.generate(label_maps, seed=2, tile_size=tile_size, progress=lambda *done: calls.append(done), batch_size=3)
    assert np.abs(whole - tiled).max() <= 1
    assert calls[-1][0] == calls[-1][1] and [done for done, _ in calls] == sorted({done for done, _ in calls})
    if size[1] > tile_size[1]:
        assert np.abs(whole - oasis.generate(label_maps, seed=2, tile_size=tile_size, overlap=2)).max() > 1


def test_neighbors_that_overlap_less_are_blended(oasis):
    """On a plain, whatever the photo changes by between neighboring pixels is the seam."""
    plain = np.ones((1, 32, 128), "uint8")

    def steepest(overlap):
        image = oasis.generate_floats(plain, tile_size=(32, 32), overlap=overlap)
        return np.abs(np.diff(image, axis=2))[:, 12:20, 12:-12].max()

    cut, blended = steepest(0), steepest(16)
    assert steepest(22) < 1e-5 and 0.001 < blended < cut / 2


def test_the_weights_of_tiles_sum_to_one_and_leave_edges_out():
    tiles = Tiles.over((48, 100), (24, 32), None, 5, 4)
    total = np.zeros((48, 100, 1))
    for rows, columns, weights in tiles:
        total[rows, columns] += weights
        assert weights.shape == (24, 32, 1) and rows.start % 4 == columns.start % 4 == 0
        if columns.start:
            assert not weights[:, :5].any()
        if columns.stop < 100:
            assert not weights[:, -5:].any()
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert len(Tiles.over((16, 16), (32, 32), None, None, 4)) == 1
    for overlap in (0, 1, 4, 5, 12):
        assert np.diff(Tiles.over((16, 64), (16, 16), overlap, None, 4).starts[1]).max() <= 16 - overlap
    # twice the reach just fits into a tile; one pixel more does not, and half a tile is shared
    assert Tiles.over((16, 64), (16, 16), None, 6, 4).starts == ((0,), (*range(0, 52, 4),))
    assert Tiles.over((16, 64), (16, 16), None, 7, 4).starts == ((0,), (*range(0, 52, 8),))
    with pytest.raises(ValueError, match=r"tile_size=\(30, 32\): height and width of a tile have to be multiples of 4"):
        Tiles.over((48, 96), (30, 32), None, 5, 4)
    with pytest.raises(ValueError, match="overlap=32: of a tile of 32 pixels, 28 can be shared"):
        Tiles.over((48, 96), (32, 32), 32, 5, 4)


@pytest.mark.slow
def test_tiles_of_the_published_generator_are_its_whole_image():
    """512×1024 of a generator for 256×512, all six blocks."""
    sampler = told_by_all(models.oasis_generator(CLASSES, (256, 512), base_channels=8, hidden_channels=32), batch=1)
    last = sampler.generator.get_layer("conv_img")
    last.kernel.assign(0.2 * last.kernel)  # else most pixels are black or white, whatever is in the tile
    label_map = maps((512, 1024))[0]
    whole = sampler.generate(label_map, seed=1).astype(int)
    assert whole.std() > 5 and np.isin(whole, (0, 255)).mean() < 0.3, "no image that any network would give"

    def differs(**how):
        return np.abs(whole - sampler.generate(label_map, seed=1, tile_size=(512, 512), batch_size=1, **how)).max()

    assert 100 < sampler.tile_reach() <= reach_of_oasis(6)
    assert differs() <= 1 < differs(overlap=64)
