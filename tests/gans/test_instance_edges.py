"""SPADEGAN and CCFPSE with edges between instances, and generators by themselves that read them."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.data import DataError
from keras_semisis.exports.networks import drawing_network
from keras_semisis.gans import Sampler
from keras_semisis.layers import DiffAugment, instance_edges
from keras_semisis.metrics import GeneratedMeanIoU
from keras_semisis.models.other_classes import generator_of_classes
from keras_semisis.paint.easel import Easel
from tests.gans.test_any_size import CLASSES as TOLD_CLASSES
from tests.gans.test_any_size import told_by_all

pytestmark = pytest.mark.usefixtures("eager_tensorflow")

SIZE, CLASSES = (32, 64), 3


def networks(method, edges=True):
    keras.utils.set_random_seed(0)
    size = {"instance_edges": edges}
    if method == "cc_fpse":
        return {
            "generator": ks.models.cc_fpse_generator(CLASSES, SIZE, 1, 4, **size),
            "discriminator": ks.models.fpse_discriminator(CLASSES, SIZE, 2, **size),
        }
    latent = 4 if method == "styles" else None
    return {
        "generator": ks.models.spade_generator(CLASSES, SIZE, 1, latent_channels=latent, hidden_channels=4, **size),
        "discriminator": ks.models.multiscale_discriminator(CLASSES, SIZE, 4, num_layers=2, **size),
        "encoder": None if latent is None else ks.models.spade_encoder(SIZE, 1, latent),
    }


def make(method="spade", **arguments):
    system = ks.CCFPSE if method == "cc_fpse" else ks.SPADEGAN
    gan = system(CLASSES, SIZE, perceptual=None, instance_edges=True, **(networks(method) | arguments))
    gan.compile(statistics_batches=2)
    return gan


@pytest.fixture(scope="module")
def spade():
    return make()


def data(seed=0, count=4):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *SIZE, 3)).astype("uint8")
    label_maps = np.repeat(np.repeat(random.integers(0, CLASSES, (count, 4, 8)), 8, 1), 8, 2)
    # each class block is halved into two things
    return images, label_maps, 2 * label_maps + (np.arange(SIZE[1]) % 8 > 3)


class Scenes(ks.data.Source):
    label_space = ks.data.LabelSpace([f"class {i}" for i in range(CLASSES)], [(i, i, i) for i in range(CLASSES)])
    has_instances = True

    def __len__(self):
        return 6

    def name(self, index):
        return str(index)

    def load_image(self, index):
        return data(index, 1)[0][0]

    def load_label_map(self, index):
        return data(index, 1)[1][0]

    def load_instance_map(self, index):
        return data(index, 1)[2][0]


def edges_of(instances):
    return ops.convert_to_numpy(instance_edges(instances))


def flat(network):
    return np.concatenate([ops.convert_to_numpy(v).ravel() for v in network.trainable_variables])


@pytest.mark.parametrize("method", ["spade", "cc_fpse", "styles"])
def test_a_step_moves_what_reads_the_edges(method):
    gan = make(method)
    parts = {
        "generator": gan.generator.get_layer("up_3"),
        "discriminator": gan.discriminator.get_layer("embedding" if method == "cc_fpse" else "discriminator_0"),
    }

    def kernels(part):
        # of the convolutions of label maps the rows of the edges: behind the classes, before features or photo
        return [
            ops.convert_to_numpy(v)[:, :, CLASSES].copy()
            for v in part.trainable_variables
            if len(v.shape) == 4 and v.shape[2] in (CLASSES + 1, CLASSES + 2, CLASSES + 4)
        ]

    before = {name: kernels(part) for name, part in parts.items()}
    history = gan.fit(data(), steps_per_epoch=1, batch_size=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    for name, part in parts.items():
        assert before[name], name
        for old, new in zip(before[name], kernels(part), strict=True):
            assert np.abs(new - old).max() > 0, name


def test_generator_and_discriminator_are_given_the_edges_of_the_batch(spade, monkeypatch):
    images, label_maps, instances = (ops.convert_to_tensor(part) for part in data())
    images, judge, seen = ops.cast(images, "float32") / 127.5 - 1, spade._predictions_and_features, {}

    def generate(label_map, noise, training=True, edges=None):
        seen["generator"] = edges
        return images

    def discriminate(inputs, training):
        seen["discriminator"] = inputs[2]
        return judge(inputs, training=training)

    monkeypatch.setattr(spade, "generate_from", generate)
    monkeypatch.setattr(spade, "_predictions_and_features", discriminate)
    spade.generator_terms(spade.batch(((images, label_maps, instances),)), {"adversarial"})
    expected = edges_of(instances)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(ops.convert_to_numpy(seen["generator"]), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(seen["discriminator"]), np.concatenate([expected, expected]))


@pytest.mark.parametrize("method", ["spade", "cc_fpse"])
def test_edges_change_what_both_networks_say(method):
    images, label_maps, instances = data()
    made = networks(method)
    edges = edges_of(instances)
    for name, inputs in (("generator", [label_maps]), ("discriminator", [label_maps, images / np.float32(127.5) - 1])):
        outputs = [made[name]([*inputs, e], training=True) for e in (edges, np.zeros_like(edges))]
        with_edges, without = (ops.convert_to_numpy(keras.tree.flatten(output)[0]) for output in outputs)
        assert np.abs(with_edges - without).max() > 1e-4, name


def settled(sampler):
    """After passes in training, without which what spectral norms leave grows beyond all bounds."""
    _, label_maps, instances = data()
    noise = [np.zeros((4, sampler.noise_channels), "float32")] if sampler.noise_channels else []
    for _ in range(3):
        sampler.generator([label_maps, *noise, edges_of(instances)], training=True)
    return sampler


@pytest.fixture(scope="module")
def sampler():
    return settled(Sampler(networks("spade")["generator"]))


def test_photos_are_drawn_by_the_edges_of_instance_maps(sampler):
    _, label_maps, instances = data()
    assert (sampler.num_classes, sampler.noise_channels, sampler.instance_edges) == (CLASSES, 0, True)
    images = sampler.generate_floats(label_maps, instances=instances)
    expected = sampler.generator([label_maps, edges_of(instances)], training=False)
    np.testing.assert_allclose(images, ops.convert_to_numpy(expected), atol=1e-5)
    # what the numbers are does not matter; which pixels have the same does
    others = sampler.generate_floats(label_maps, instances=(7 * instances + 60_000).astype("uint16"))
    np.testing.assert_array_equal(images, others)
    assert np.abs(images - sampler.generate_floats(label_maps, instances=label_maps)).max() > 1e-3
    one = sampler.generate(label_maps[1], instances=instances[1]).astype(int)
    assert np.abs(one - sampler.generate(label_maps, instances=instances)[1]).max() <= 1
    np.testing.assert_allclose(sampler.predict([label_maps, edges_of(instances)], verbose=0), images, atol=1e-5)


def test_errors_of_generate(sampler):
    _, label_maps, instances = data()
    with pytest.raises(ValueError, match=r"reads edges between instances\. Give instances="):
        sampler.generate(label_maps)
    with pytest.raises(DataError, match=r"instance maps are \(4, 32, 63\) int64, but integers of the label maps' shape"):
        sampler.generate(label_maps, instances=instances[:, :, 1:])
    with pytest.raises(
        ValueError, match=r"takes \[label_map, edges\], .* call generate\(label_maps, seed=0, instances=instances\)"
    ):
        sampler.predict(label_maps)
    with pytest.raises(ValueError, match="does not read edges between instances"):
        Sampler(networks("spade", edges=False)["generator"]).generate(label_maps, instances=instances)
    with pytest.raises(ValueError, match="invert: the generator reads edges"):
        Sampler(networks("styles")["generator"]).invert(np.zeros((*SIZE, 3), "uint8"), label_maps[0])


def test_other_sizes_and_tiles(sampler):
    random = np.random.default_rng(1)
    label_maps = np.repeat(np.repeat(random.integers(0, CLASSES, (1, 5, 20)), 8, 1), 8, 2)
    instances = 2 * label_maps + (np.arange(160) % 8 > 3)
    image = sampler.generate_floats(label_maps, instances=instances)
    assert image.shape == (1, 40, 160, 3)
    # continued by reflection to a multiple of 32, edges as well as label maps, and cut
    edges = edges_of(instances)
    maps = [np.pad(part, ((0, 0), (0, 24), (0, 0)) + ((0, 0),) * (part.ndim - 3), "reflect") for part in (label_maps, edges)]
    whole = sampler._at_any_size(sampler.ema_generator).predict(maps)
    np.testing.assert_allclose(image, whole[:, :40], atol=1e-5)
    # a tile that covers everything is drawn with the edges of everything, those of its own border included
    tiles = sampler.generate_floats(label_maps, instances=instances, tile_size=(64, 160))
    np.testing.assert_allclose(tiles, image, atol=1e-5)


def test_the_reach_is_that_of_the_kernels():
    """In cells of a block's resolution: four of the first block, two convolutions of labels and edges and two of its own; two
    of each later one; one pixel of the last convolution."""
    generator = ks.models.spade_generator(TOLD_CLASSES, SIZE, 1, hidden_channels=4, instance_edges=True)
    assert told_by_all(generator).tile_reach() == 4 * 32 + 2 * (16 + 16 + 8 + 4 + 2 + 1) + 1


def test_styles_and_edges_go_together():
    made = networks("styles")
    sampler = settled(Sampler(made["generator"], encoder=made["encoder"]))
    images, label_maps, instances = data()
    style = np.random.default_rng(0).standard_normal((4, 4)).astype("float32")
    drawn = sampler.generate_floats(label_maps, style=style, instances=instances)
    expected = sampler.generator([label_maps, style, edges_of(instances)], training=False)
    np.testing.assert_allclose(drawn, ops.convert_to_numpy(expected), atol=1e-5)
    assert sampler.generate(label_maps, style=images, instances=instances).shape == (4, *SIZE, 3)


def test_validation_and_scores_read_the_edges():
    gan, (images, label_maps, instances) = make(), data()
    image = keras.Input((*SIZE, 3))
    judge = keras.Model(image, keras.layers.Conv2D(CLASSES, 1)(image))
    scores = gan.evaluate((images, label_maps, instances), metrics=[GeneratedMeanIoU(judge)], verbose=0)
    drawn = gan.generate_floats(label_maps, instances=instances)
    assert np.isfinite(scores["miou"])
    found = ops.convert_to_numpy(judge(drawn)).argmax(-1)
    confusion = [[((label_maps == a) & (found == b)).sum() for b in range(CLASSES)] for a in range(CLASSES)]
    inside, rows, columns = np.diag(confusion), np.sum(confusion, 0), np.sum(confusion, 1)
    np.testing.assert_allclose(scores["miou"], np.mean(inside / (rows + columns - inside)), rtol=1e-5)
    gan.compile(statistics_batches=1, metrics=[GeneratedMeanIoU(judge)])
    paired = ks.data.paired_dataset(Scenes(), SIZE, 2, instances=True)
    validation = ks.data.paired_dataset(Scenes(), SIZE, 2, training=False, instances=True)
    history = gan.fit(paired, steps_per_epoch=1, validation_data=validation, verbose=0).history
    assert np.isfinite(history["val_miou"]).all()
    assert gan.fit(paired, steps_per_epoch=1, validation_data=data(), verbose=0).history["val_miou"]
    with pytest.raises(DataError, match="paired_ds: its batches lack instance maps"):
        gan.fit(ks.data.paired_dataset(Scenes(), SIZE, 2), steps_per_epoch=1, verbose=0)


def test_a_saved_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    paired = ks.data.paired_dataset(Scenes(), SIZE, 2, instances=True)
    whole, part = make(), make()
    whole.fit(paired, epochs=1, steps_per_epoch=2, verbose=0)
    part.fit(paired, epochs=2, steps_per_epoch=1, verbose=0, callbacks=[StopAfterOne()])
    part.save(tmp_path / "part.keras")
    loaded = keras.saving.load_model(tmp_path / "part.keras")
    assert loaded.instance_edges
    loaded.fit(paired, epochs=1, steps_per_epoch=2, initial_step=1, verbose=0)
    for name in ("generator", "discriminator"):
        np.testing.assert_allclose(flat(getattr(loaded, name)), flat(getattr(whole, name)), atol=1e-6)
    _, label_maps, instances = data()
    first, second = (gan.generate(label_maps, instances=instances).astype(int) for gan in (whole, loaded))
    assert np.abs(first - second).max() <= 1


class StopAfterOne(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


def test_networks_and_argument_must_agree():
    plain = networks("spade", edges=False)
    with pytest.raises(ValueError, match="discriminator= does not read edges between instances, but instance_edges=True"):
        ks.SPADEGAN(
            CLASSES,
            SIZE,
            perceptual=None,
            instance_edges=True,
            **(networks("spade") | {"discriminator": plain["discriminator"]}),
        )
    with pytest.raises(ValueError, match="generator= reads edges between instances, but instance_edges=False"):
        ks.SPADEGAN(CLASSES, SIZE, perceptual=None, **(plain | {"generator": networks("spade")["generator"]}))


@pytest.mark.parametrize("system", [ks.OASIS, ks.TCR, ks.USIS, ks.SemiPairedGAN])
def test_other_systems_refuse_a_generator_that_reads_edges(system, spade):
    with pytest.raises(ValueError, match=f"The generator reads edges between instances, which {system.__name__} does not give"):
        system(CLASSES, SIZE, generator=spade.generator)


@pytest.mark.parametrize("method", ["spade", "cc_fpse"])
def test_a_model_of_other_classes_keeps_the_edges(method):
    generator = settled(Sampler(networks(method)["generator"])).generator
    _, label_maps, instances = data()
    edges = edges_of(instances)
    # new class c is the former class (2, 0, 1)[c]
    other = generator_of_classes(generator, np.eye(CLASSES)[[2, 0, 1]])
    former = np.array([2, 0, 1])[label_maps]
    images = ops.convert_to_numpy(other([label_maps, edges], training=False))
    np.testing.assert_allclose(images, ops.convert_to_numpy(generator([former, edges], training=False)), atol=1e-5)


def test_a_system_of_other_classes_learns_on():
    _, label_maps, instances = data()
    space = ks.data.LabelSpace(("a", "b"), ((0, 0, 0), (9, 9, 9)))
    gan = ks.adapt(make(), space, affinity=np.array([[1, 0, 0], [0, 0.5, 0.5]]))
    assert gan.instance_edges and gan.num_classes == 2
    gan.compile(statistics_batches=1)
    history = gan.fit((data()[0], label_maps % 2, instances), batch_size=2, steps_per_epoch=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert gan.generate(label_maps % 2, instances=instances).shape == (4, *SIZE, 3)


def test_augmented_sets_are_drawn_by_the_edges(spade, tmp_path):
    source = Scenes().subset([0, 1])
    ks.recipes.augment(spade, source, tmp_path / "set", sampler="uniform", filter=False)
    written = ks.data.Folder(tmp_path / "set")
    for i in range(2):
        photo, label_map = written.load(i)
        drawn = spade.generate(label_map, first=written.name(i), instances=source.load_instance_map(i))
        np.testing.assert_array_equal(photo, drawn)


def test_an_augmented_set_of_instance_maps_of_another_size_is_refused(spade, tmp_path):
    class Cut(Scenes):
        def load_instance_map(self, index):
            return super().load_instance_map(index)[:-1]

    with pytest.raises(DataError, match=r"0: the label map is 32×64 \(height×width\), its instance map 31×64\."):
        ks.recipes.augment(spade, Cut(), tmp_path / "set", sampler="uniform", filter=False)


def test_edges_move_with_the_augmented_photo():
    edges = np.zeros((1, 8, 8, 1), "float32")
    edges[:, 2:4] = 1
    augment = DiffAugment(("color", "translation"), fill_class=0)
    random = np.array([[0.9, 0.9, 0.9, 0.999, 0.999]], "float32")  # by one, down and to the right
    moved = ops.convert_to_numpy(augment([edges, random]))
    expected = np.zeros_like(edges)
    expected[:, 3:5, 1:] = 1
    np.testing.assert_array_equal(moved, expected)
    label_map = ops.convert_to_numpy(augment([edges[..., 0].astype("int32"), random]))
    np.testing.assert_array_equal(label_map, expected[..., 0])


def test_pictures_protocols_the_page_and_files_for_other_programs(sampler, tmp_path):
    images, label_maps, instances = data()
    ks.callbacks.sample_grid(tmp_path / "grid.png", sampler, label_maps, images, instances=instances)
    assert (tmp_path / "grid.png").is_file()
    result = ks.metrics.evaluate_protocol(sampler, Scenes(), features=lambda x: x.mean(axis=(1, 2)), batch_size=4)
    assert result["counts"]["generated"] == 6 and np.isfinite(result["generated"]["frechet"])
    with pytest.raises(DataError, match="reads edges between instances, and the data have no instance maps"):
        ks.metrics.evaluate_protocol(sampler, WithoutInstances(), features=lambda x: x.mean(axis=(1, 2)))
    with pytest.raises(DataError, match=r"4: the label map is 32×64 .*, its instance map 8×64"):
        ks.metrics.evaluate_protocol(sampler, WithSmallInstances(), features=lambda x: x.mean(axis=(1, 2)))
    photo = Easel(sampler, "edges")._photos(label_maps[0], 0, 1)[0]
    np.testing.assert_array_equal(photo, sampler.generate(label_maps[0], instances=label_maps[0]))
    drawing = drawing_network(sampler.generator, None)
    photos = drawing({"label_map": label_maps.astype("int32"), "edges": edges_of(instances)})["photo"]
    difference = ops.convert_to_numpy(photos).astype(int) - sampler.generate(label_maps, instances=instances)
    assert np.abs(difference).max() <= 1
    sampler.save_to_preset(tmp_path / "preset")
    preset = ks.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(
        preset.generate(label_maps, instances=instances), sampler.generate(label_maps, instances=instances)
    )


class WithoutInstances(Scenes):
    has_instances = False


class WithSmallInstances(Scenes):
    def load_instance_map(self, index):
        return super().load_instance_map(index)[: 8 if index == 4 else None]
