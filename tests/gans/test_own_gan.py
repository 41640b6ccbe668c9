"""A GAN of one's own on `AdversarialModel`, which defines networks and phases alone."""

import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.gans import AdversarialModel, Phase, Sampler, Untracked
from tests.gans.test_fit import Counted
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes, data_sets, tiny_gan, tiny_perceptual

pytestmark = pytest.mark.usefixtures("eager_tensorflow")


def painter(rows=CLASSES):
    """A generator of nothing but standard layers: it says of itself how many ids it takes, not which is don't-care."""
    label_map, noise = keras.Input(SIZE, dtype="int32"), keras.Input((2,))
    x = keras.layers.Embedding(rows, 3)(label_map)
    x = keras.layers.Add()([x, keras.layers.Reshape((1, 1, 3))(keras.layers.Dense(3)(noise))])
    return keras.Model([label_map, noise], keras.layers.Activation("tanh")(ks.layers.BatchNorm()(x)))


def critic(name):
    image = keras.Input((*SIZE, 3))
    return keras.Model(image, keras.layers.Conv2D(1, 3)(image), name=name)


@keras.saving.register_keras_serializable(package="tests")
class Own(AdversarialModel):
    """D and a second one, which has D's optimizer, on the first of the data sets; G on the last."""

    network_names = ("generator", "discriminator", "second")
    optimizer_of = {"second": "discriminator"}  # noqa: RUF012
    scale = 1.0

    def __init__(self, generator, discriminator, second, **kwargs):
        super().__init__(generator, **kwargs)
        self.discriminator, self.second = discriminator, second

    def phases(self):
        return [
            Phase("critic", ("discriminator", "second"), self.critic_terms, {"hinge": 1.0}),
            Phase("generator", ("generator",), self.generator_terms, {"hinge": 1.0}),
        ]

    def judge(self, image):
        return self.discriminator(image, training=True) + self.second(image, training=True)

    def critic_terms(self, data, due):
        image, label_map = data[0]
        generated = ops.stop_gradient(self.synthesize(label_map))
        return {"hinge": ops.mean(ops.relu(1 - self.judge(image)) + ops.relu(1 + self.judge(generated)))}

    def generator_terms(self, data, due):
        return {"hinge": -self.scale * ops.mean(self.judge(self.synthesize(data[-1][1])))}


def own(optimizers=None, metrics=None, **kwargs):
    keras.utils.set_random_seed(0)
    gan = Own(painter(), critic("discriminator"), critic("second"), **kwargs)
    if optimizers is None:
        optimizers = {"generator": keras.optimizers.Adam(1e-2), "discriminator": keras.optimizers.Adam(1e-2)}
    gan.compile(optimizers, metrics=metrics, statistics_batches=1)
    return gan


def values(variables):
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def same(first, second):
    return [np.array_equal(a, b) for a, b in zip(values(first), values(second), strict=True)]


def test_it_trains_on_one_data_set_and_on_two_and_goes_on():
    paired, unpaired = data_sets()
    gan, before = own(), values(own().variables)
    history = gan.fit(paired, epochs=2, steps_per_epoch=1, verbose=0).history
    assert set(history) == {"critic/hinge", "generator/hinge"} and np.isfinite(history["critic/hinge"]).tolist() == [True, True]
    gan.fit(paired, unpaired, steps_per_epoch=1, verbose=0)
    assert gan.step == 3
    moved = [not np.array_equal(old, ops.convert_to_numpy(v)) for old, v in zip(before, gan.variables, strict=True)]
    assert all(moved)
    images, label_maps = next(iter(paired))
    gan.fit(images, label_maps, batch_size=4, verbose=0)
    assert gan.step == 4


def test_it_resumes_bit_for_bit(tmp_path):
    """Saved and loaded by what the base class knows: networks, classes, optimizers, moving average, step."""
    paired, unpaired = data_sets()
    settings = {"epochs": 2, "steps_per_epoch": 2, "verbose": 0}

    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.step == 1:
                self.model.save(tmp_path / "own.keras")

    whole = own(ema_decay=0.5)
    whole.fit(paired, unpaired, **settings, callbacks=[Save()])
    resumed = keras.saving.load_model(tmp_path / "own.keras")
    assert type(resumed) is Own and resumed.step == 1 and resumed.ema_decay == 0.5
    assert resumed.label_space == Scenes.label_space
    resumed.fit(paired, unpaired, **settings, initial_step=1)
    assert all(same(whole.variables, resumed.variables)) and all(same(whole.optimizer.variables, resumed.optimizer.variables))
    label_maps = np.zeros((2, *SIZE), "uint8")
    np.testing.assert_array_equal(whole.generate(label_maps), resumed.generate(label_maps))


def test_without_a_decay_the_moving_average_is_the_generator():
    gan = own(ema_decay=None)
    gan.fit(data_sets()[0], steps_per_epoch=1, verbose=0)
    pairs = zip(gan.ema_generator.variables, gan.generator.variables, strict=True)
    assert all(same(*zip(*[pair for pair in pairs if pair[1].trainable], strict=True)))


def test_a_loss_that_is_not_finite_stops_it():
    gan = own()
    gan.scale = float("nan")
    before = values(gan.generator.variables)
    with pytest.raises(ks.NonFiniteLossError, match=r"step 1, phase 'generator'.*generator/hinge is not finite"):
        gan.fit(data_sets()[0], steps_per_epoch=2, verbose=0)
    assert gan.step == 0
    assert all(np.array_equal(old, ops.convert_to_numpy(v)) for old, v in zip(before, gan.generator.variables, strict=True))
    # what failed is left out, and the rest goes on
    gan.generator.trainable = False
    gan.fit(data_sets()[0], steps_per_epoch=1, verbose=0)
    assert gan.step == 1


def test_it_learns_classes_from_its_data_and_is_scored_under_a_protocol():
    gan = own(metrics=[Counted()])
    assert (gan.num_classes, gan.image_size, gan.ignore_class) == (CLASSES, SIZE, None)
    validation = ks.data.paired_dataset(Scenes(5, seed=3), SIZE, 2, training=False)
    history = gan.fit(data_sets()[0], steps_per_epoch=1, validation_data=validation, verbose=0).history
    assert history["val_images"] == [5.0]
    assert (gan.num_classes, gan.ignore_class, gan.label_space) == (CLASSES, IGNORE, Scenes.label_space)
    result = ks.metrics.evaluate_protocol(gan, Scenes(5), features=lambda images: images.mean(axis=(1, 2)))
    assert np.isfinite(result["generated"]["frechet"])


@pytest.mark.parametrize("stray", [-1, CLASSES])
def test_ids_that_the_embedding_of_a_generator_has_no_rows_for_are_refused(stray):
    gan, photos = own(), np.zeros((2, *SIZE, 3), "uint8")
    label_maps = np.zeros((2, *SIZE), "int32")
    label_maps[1, 2, 3] = stray
    refused = pytest.raises(ks.data.DataError, match=rf"label id {stray} \(1 pixel\) found, but the 5 classes are 0\.\.4")
    with refused:
        gan.fit(photos, label_maps, batch_size=2, verbose=0)
    with refused:
        gan.generate(label_maps)
    with refused:
        gan.evaluate(photos, label_maps, metrics=[Counted()], verbose=0)
    assert gan.step == 0 and gan.generate(label_maps.clip(0, CLASSES - 1)).shape == photos.shape


def test_negative_ids_are_refused_where_a_generator_does_not_tell_its_classes():
    label_map = keras.Input(SIZE, dtype="int32")
    table = keras.layers.Embedding(CLASSES, 3)
    sampler = Sampler(keras.Model(label_map, table(ops.maximum(label_map, 0))))
    assert sampler.num_classes is None
    with pytest.raises(ks.data.DataError, match="label id -1 "):
        sampler.generate(np.full(SIZE, -1))
    colors = values(table.weights)[0][CLASSES - 1]
    np.testing.assert_allclose(sampler.generate_floats(np.full((1, *SIZE), CLASSES - 1))[0, 0, 0], colors, rtol=1e-6)


def test_an_embedding_may_have_spare_rows(tmp_path):
    data = ks.data.paired_dataset(Scenes(4), SIZE, 2, training=False)
    sampler = Sampler(painter(CLASSES + 2))
    assert sampler.num_classes == CLASSES + 2
    assert sampler.evaluate(data, metrics=[Counted()], verbose=0) == {"images": 4.0}
    sampler.label_space = Scenes.label_space
    sampler.save(tmp_path / "sampler.keras")
    assert keras.saving.load_model(tmp_path / "sampler.keras").num_classes == CLASSES
    with pytest.raises(ks.data.DataError, match="5 classes, but the model has 4"):
        Sampler(painter(CLASSES - 1)).evaluate(data, metrics=[Counted()], verbose=0)
    for known in (painter(CLASSES - 1), ks.models.oasis_generator(CLASSES + 1, SIZE, 1, noise_channels=2, num_blocks=2)):
        with pytest.raises(ValueError, match=r"The label space has 5 classes, the model num_classes=[46]\."):
            Sampler(known, label_space=Scenes.label_space)


def test_what_it_knows_of_its_classes_holds_for_later_data():
    gan, other = own(), Scenes(4)
    other.label_space = ks.data.LabelSpace(tuple("abcde"), Scenes.label_space.palette, 3)
    gan.fit(ks.data.paired_dataset(other, SIZE, 2), steps_per_epoch=1, verbose=0)
    assert (gan.num_classes, gan.ignore_class) == (CLASSES, 3)
    again = Scenes(4)
    again.label_space = ks.data.LabelSpace(tuple("abced"), Scenes.label_space.palette, 3)
    with pytest.raises(ks.data.DataError, match="2 c, 3 e, 4 d"):
        gan.fit(ks.data.paired_dataset(again, SIZE, 2), steps_per_epoch=1, verbose=0)
    again.label_space = ks.data.LabelSpace(tuple("abcde"), Scenes.label_space.palette, 4)
    with pytest.raises(ks.data.DataError, match="says that class 4, 'e', is don't-care, the model has ignore_class=3"):
        gan.fit(ks.data.paired_dataset(again, SIZE, 2), steps_per_epoch=1, verbose=0)


def test_networks_that_share_an_optimizer_have_one_each():
    adam = keras.optimizers.Adam(3e-3)
    gan = own({"generator": adam, "discriminator": adam})
    assert gan.optimizers["generator"] is adam
    assert len({id(optimizer) for optimizer in gan.optimizers.values()}) == 3
    assert [float(optimizer.learning_rate) for optimizer in gan.optimizers.values()] == pytest.approx([3e-3] * 3)
    gan = own({"generator": "adam", "discriminator": "sgd", "second": "adam"})
    assert [type(optimizer).__name__ for optimizer in gan.optimizers.values()] == ["Adam", "SGD", "Adam"]


@pytest.mark.parametrize(
    ("optimizers", "message"),
    [
        ({"generator": "adam"}, "there is none of discriminator. Give one for each of generator, discriminator"),
        ({"generator": "adam", "discriminator": "adam", "critic": "adam"}, "there is no network critic"),
    ],
)
def test_optimizers_that_are_missing_or_of_no_network_are_named(optimizers, message):
    with pytest.raises(ValueError, match=f"compile: optimizers: {message}"):
        own(optimizers)


def test_data_sets_of_a_class_that_names_them_are_counted():
    class Two(Own):
        data_sets = ("drawings_ds", "photos_ds")

    gan = Two(painter(), critic("discriminator"), critic("second"))
    gan.compile({"generator": "adam", "discriminator": "adam"})
    with pytest.raises(ValueError, match=r"Two.fit needs two data sets: fit\(drawings_ds, photos_ds\)"):
        gan.fit(data_sets()[0])
    with pytest.raises(ValueError, match=r"Own.fit needs a data set: fit\(dataset\)"):
        own().fit()


def test_a_batch_has_its_data_sets_by_name():
    class Named(Own):
        data_sets = ("drawings_ds", "photos_ds")

        def generator_terms(self, data, due):
            seen.append(keras.tree.map_structure(np.array, keras.tree.map_structure(ops.convert_to_numpy, data)))
            return {"hinge": ops.mean(self.judge(self.synthesize(data.photos[1])))}

    seen, sets = [], data_sets("uniform")
    gan = Named(painter(), critic("discriminator"), critic("second"))
    gan.compile({"generator": "adam", "discriminator": "adam"}, run_eagerly=True)
    gan.fit(*sets, steps_per_epoch=1, verbose=0)
    (batch,) = seen
    image, label_map = batch.drawings
    assert batch.photos is batch[1] and batch._fields == ("drawings", "photos")
    for part, expected in zip(
        (image, label_map, *batch.photos), (*sets[0].load_step(0, 1), *sets[1].load_step(0, 1)), strict=True
    ):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("system", ["own", "semi-paired"])
def test_arguments_that_there_are_not_are_named(system):
    gan, data = (own(), data_sets()[:1]) if system == "own" else (tiny_gan(), data_sets())
    with pytest.raises(TypeError, match="evaluate: there is no argument metrix"):
        gan.evaluate(data[0], metrix=[Counted()])
    with pytest.raises(ValueError, match="evaluate: sample_weight has no use here"):
        gan.evaluate(data[0], metrics=[Counted()], sample_weight=np.ones(3))
    with pytest.raises(TypeError, match="fit: there is no argument step_per_epoch"):
        gan.fit(*data, step_per_epoch=1)
    assert gan.step == 0


# -- what Keras is not to track --------------------------------------------------------------------------------------


class Holds(Sampler):
    first = Untracked()
    several = Untracked()


def test_untracked_attributes_are_no_part_of_the_model(tmp_path):
    sampler = Holds(painter())
    before = len(sampler.variables)
    with pytest.raises(AttributeError, match="first"):
        _ = sampler.first
    sampler.first, sampler.several = critic("one"), {"two": critic("two")}
    assert sampler.first.name == "one" and list(sampler.several) == ["two"]
    assert len(sampler.variables) == before and not {"first", "several"} & set(dir(sampler))
    sampler.save_weights(tmp_path / "sampler.weights.h5")
    with h5py.File(tmp_path / "sampler.weights.h5") as file:
        assert not {"first", "several"} & set(file)
    other = Holds(painter())
    other.first = critic("another")
    other.load_weights(tmp_path / "sampler.weights.h5")
    assert all(same(sampler.variables, other.variables)) and not all(same(sampler.first.variables, other.first.variables))


def test_a_perceptual_network_is_no_part_of_a_file(tmp_path):
    gan = tiny_gan(tiny_perceptual())
    before = len(gan.variables)
    gan.perceptual = tiny_perceptual()
    assert len(gan.variables) == before and gan.perceptual is not None
    gan.save(tmp_path / "gan.keras")
    with zipfile.ZipFile(tmp_path / "gan.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert set(file) == {"generator", "ema_generator", "discriminator", "layers", "optimizer", "vars"}


# -- a generator by itself -------------------------------------------------------------------------------------------


def test_a_generator_by_itself_draws_is_scored_and_saved(tmp_path):
    generator = painter()
    sampler = Sampler(generator, label_space=Scenes.label_space)
    assert (sampler.num_classes, sampler.ignore_class, sampler.image_size) == (CLASSES, IGNORE, SIZE)
    label_maps = np.random.default_rng(0).integers(0, CLASSES, (2, *SIZE))
    noise = np.random.default_rng((7, 1)).standard_normal(2)
    photo = ops.convert_to_numpy(generator([label_maps[1:], noise[None].astype("float32")]))[0]
    np.testing.assert_allclose(sampler.generate_floats(label_maps, seed=7)[1], photo, atol=1e-6)
    assert sampler.evaluate(np.zeros((2, *SIZE, 3), "uint8"), label_maps, metrics=[Counted()], verbose=0) == {"images": 2.0}
    sampler.save(tmp_path / "sampler.keras")
    loaded = keras.saving.load_model(tmp_path / "sampler.keras")
    assert loaded.label_space == Scenes.label_space
    np.testing.assert_array_equal(loaded.generate(label_maps), sampler.generate(label_maps))
    # inside, each channel is normalized by the mean over the batch, and the photos are others
    photos = sampler.generate(label_maps)
    with sampler.statistics_of([(np.zeros((2, *SIZE, 3), "uint8"), label_maps)], 1):
        assert not np.array_equal(sampler.generate(label_maps), photos)
    np.testing.assert_array_equal(sampler.generate(label_maps), photos)


def test_the_dont_care_class_of_a_sampler_is_one_of_its_classes():
    with pytest.raises(ValueError, match=r"ignore_class=7 is not one of the class ids 0\.\.4"):
        Sampler(painter(), num_classes=CLASSES, ignore_class=7)
    with pytest.raises(ValueError, match="The don't-care class of the label space is 4, the model has ignore_class=1"):
        Sampler(painter(), ignore_class=1, label_space=Scenes.label_space)


def test_a_file_holds_a_moving_average_beside_its_generator(tmp_path):
    generator = ks.models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4)
    other = ks.models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4, hidden_channels=8)
    sampler = Sampler(generator, ema_generator=other)
    sampler.save(tmp_path / "sampler.keras")
    loaded = keras.saving.load_model(tmp_path / "sampler.keras")
    for name in ("generator", "ema_generator"):
        for saved, read in zip(getattr(sampler, name).get_weights(), getattr(loaded, name).get_weights(), strict=True):
            np.testing.assert_array_equal(saved, read)
    label_maps = np.zeros((1, 32, 32), "uint8")
    np.testing.assert_array_equal(sampler.generate(label_maps), loaded.generate(label_maps))


class Random(Own):
    """Phases that draw numbers of the model's own, and count."""

    def __init__(self, *networks, **kwargs):
        super().__init__(*networks, **kwargs)
        self.own = keras.random.SeedGenerator(3)
        self.noise = keras.layers.GaussianNoise(1.0)  # which Keras builds when it is called
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)

    def phases(self):
        return [Phase("generator", ("generator",), self.terms, {"l1": self.weight, "own": 0.0, "layer": 1e-9, "count": 1e-9})]

    weight = 1.0

    def terms(self, data, due):
        image, label_map = data[0]
        self.count.assign_add(1.0)
        return {
            "l1": ops.mean(ops.abs(image - self.synthesize(label_map))),
            "layer": ops.sum(self.noise(ops.ones((3,)), training=True)) + keras.random.uniform((), seed=self.own),
            "count": self.count + 0.0,
        }


def randomly(**kwargs):
    keras.utils.set_random_seed(0)
    gan = Random(painter(), critic("discriminator"), critic("second"), **kwargs)
    gan.compile({"generator": keras.optimizers.SGD(0.1), "discriminator": "sgd"}, statistics_batches=1)
    return gan


def fit(gan, steps=1):
    return gan.fit(data_sets()[0], epochs=steps, steps_per_epoch=1, verbose=0).history


def test_a_models_own_states_go_on_from_step_to_step(tmp_path):
    gan = randomly()
    history = fit(gan, 4)
    assert len({float(value) for value in history["generator/layer"]}) == 4
    assert history["generator/count"] == [1, 2, 3, 4] and float(gan.count) == 4
    # a step that is refused leaves them
    gan.weight = float("nan")
    before = np.array(ops.convert_to_numpy(gan.own.state))
    with pytest.raises(ks.gans.NonFiniteLossError):
        fit(gan)
    assert float(gan.count) == 4
    np.testing.assert_array_equal(ops.convert_to_numpy(gan.own.state), before)


def test_constants_of_a_compiled_step_may_be_set_anew():
    gan = randomly(ema_decay=0.999)
    gan.weight = np.float32(1.0)
    fit(gan, 2)
    gan.ema_decay = 0.0
    fit(gan)
    trained = [v.path for v in gan.generator.trainable_variables]
    for average, current in zip(gan.ema_generator.variables, gan.generator.variables, strict=True):
        if current.path in trained:
            np.testing.assert_array_equal(ops.convert_to_numpy(average), ops.convert_to_numpy(current))
    before, gan.weight = values(gan.generator.trainable_variables), np.float32(1e-12)
    fit(gan)
    assert max(np.abs(a - b).max() for a, b in zip(before, values(gan.generator.trainable_variables), strict=True)) < 1e-8


def test_weights_that_are_set_are_drawn_with_statistics_of_their_own():
    """As `EarlyStopping(restore_best_weights=True)` does at the end."""
    gan = own()
    label_maps = np.random.default_rng(0).integers(0, CLASSES, (2, *SIZE))
    fit(gan, 3)
    gan.generate(label_maps)
    gan.set_weights([weights + 0.3 for weights in gan.get_weights()])
    drawn = gan.generate(label_maps)
    gan._calibrated_at = None
    np.testing.assert_array_equal(gan.generate(label_maps), drawn)


def test_a_drawing_that_fails_leaves_the_model_whole(monkeypatch):
    """At its last batch, which is smaller."""
    gan = own()
    label_maps = np.random.default_rng(0).integers(0, CLASSES, (5, *SIZE))
    fit(gan)
    drawn, before = gan.generate(label_maps[:4], batch_size=2), values(gan.variables)
    last = gan.ema_generator.layers[-1]
    call = last.call

    def fails(image, *args, **kwargs):
        if image.shape[0] == 1:
            raise MemoryError
        return call(image, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(last, "call", fails)
        with pytest.raises(MemoryError):
            gan.generate(label_maps, batch_size=2)
    for mine, other in zip(values(gan.variables), before, strict=True):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(gan.generate(label_maps[:4], batch_size=2), drawn)


# -- what networks add to a loss by themselves -----------------------------------------------------------------------


class Doubled(keras.layers.Layer):
    def call(self, x):
        self.add_loss(ops.mean(x**2))
        return 2 * x


def regularized(kernel=None, activity=False, **weights):
    """One network that is called on 1 and then on 2, its weight 3; the other, which has the same losses, is frozen."""

    def scaled():
        image = keras.Input((2, 2, 3))
        scale = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", kernel_regularizer=kernel)
        x = scale(keras.layers.Activation("linear")(image))
        return keras.Model(image, Doubled()(x) if activity else x)

    class Judges(AdversarialModel):
        network_names = ("generator", "discriminator", "second")

        def phases(self):
            return [Phase("judge", ("discriminator",), self.terms, {"mean": 1.0, **weights})]

        def terms(self, data, due):
            image = ops.ones((1, 2, 2, 3))
            self.second(image)
            return {
                "mean": 0.0 * (ops.mean(self.discriminator(image)) + ops.mean(self.discriminator(2 * image)))
            } | dict.fromkeys(due - {"mean"}, 0.0)

    label_map = keras.Input((2, 2), dtype="int32")
    gan = Judges(keras.Model(label_map, keras.layers.Embedding(1, 3)(label_map)), num_classes=1)
    gan.discriminator, gan.second = scaled(), scaled()
    gan.compile({name: keras.optimizers.SGD(0.5) for name in gan.network_names}, statistics_batches=1)
    return gan


@pytest.mark.parametrize(
    ("losses", "expected", "moved"),
    [
        ({"kernel": keras.regularizers.L2(0.1)}, 0.3, 0.1),  # 3 weights of 1; the gradient 0.2
        ({"activity": True}, 36.0, 12.0),  # of the last call: (2 · 3)², by each weight 2 · 6 · 2
        ({"kernel": keras.regularizers.L2(0.1), "activity": True}, 36.3, 12.1),
    ],
)
def test_regularizers_and_added_losses_of_a_network_that_learns_count(losses, expected, moved):
    gan = regularized(**losses)
    data = np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8")
    history = gan.fit(data, batch_size=2, verbose=0).history
    assert history["judge/regularization"] == pytest.approx([expected])
    assert set(history) == {"judge/mean", "judge/regularization"}
    (kernel,), (frozen,) = (values(network.trainable_variables) for network in (gan.discriminator, gan.second))
    np.testing.assert_allclose(kernel, 1 - moved, rtol=1e-5)
    np.testing.assert_array_equal(frozen, 1)


def test_without_such_losses_there_is_no_term_and_a_phase_may_count_them_itself():
    data = np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8")
    assert set(regularized().fit(data, batch_size=2, verbose=0).history) == {"judge/mean"}
    gan = regularized(keras.regularizers.L2(0.1), regularization=1.0)
    assert gan.fit(data, batch_size=2, verbose=0).history["judge/regularization"] == [0.0]


# -- networks are those of the constructor ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_a_network_is_not_exchanged(name):
    """Its moving average and its optimizer are made for it."""
    gan = own()
    mine, other = getattr(gan, name), painter() if name == "generator" else critic("discriminator")
    with pytest.raises(ValueError, match=rf"Own.{name}: .* to the constructor, .* model.{name}.set_weights"):
        setattr(gan, name, other)
    setattr(gan, name, mine)
    assert getattr(gan, name) is mine
    sampler = Sampler(painter())
    with pytest.raises(ValueError, match=r"model\.ema_generator, which draws, the same"):
        sampler.generator = painter()


def test_weights_that_both_generators_are_given_draw():
    gan, other = own(), painter()
    for network in (gan.generator, gan.ema_generator):
        network.set_weights([np.full(weights.shape, 0.1) for weights in other.get_weights()])
    label_maps = np.zeros((1, *SIZE), "uint8")
    other.set_weights(gan.generator.get_weights())
    np.testing.assert_array_equal(gan.generate(label_maps), Sampler(other).generate(label_maps))


# -- what `compile` and the constructor are given --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (Counted(), "Counted is not in a list"),
        ({"images": Counted()}, "dict is none"),
        ("accuracy", "str is none"),
        (["accuracy"], "str is none"),
        ([Counted(), keras.metrics.MeanSquaredError()], "MeanSquaredError is none"),
    ],
)
def test_what_is_no_list_of_metrics_is_refused(metrics, message):
    gan = own(metrics=[Counted()])
    images = np.zeros((2, *SIZE, 3), "uint8"), np.zeros((2, *SIZE), "uint8")
    for give in (
        lambda: gan.compile({"generator": "adam", "discriminator": "adam"}, metrics=metrics),
        lambda: setattr(gan, "metrics_of_compile", metrics),
        lambda: gan.evaluate(*images, metrics=metrics),
    ):
        with pytest.raises(ValueError, match=rf"metrics.*: {message}.*a list of objects as those of keras_semisis.metrics"):
            give()
    assert gan.evaluate(*images, verbose=0) == {"images": 2.0}


def test_a_mapping_in_the_place_of_an_optimizer_is_refused():
    with pytest.raises(ValueError, match=r"generator_optimizer is a mapping\. .* compile\(generator_optimizer=\.\.\., discr"):
        tiny_gan(compile=False).compile({"generator": "adam", "discriminator": "adam"})


class Subclassed(keras.Model):
    pass


@pytest.mark.parametrize("network", [keras.Sequential([keras.Input((*SIZE, 3)), keras.layers.Conv2D(6, 1)]), Subclassed()])
def test_networks_without_a_graph_are_named(network):
    for name, make in {
        "discriminator": lambda: tiny_gan(discriminator=network),
        "generator": lambda: Own(network, critic("discriminator"), critic("second")),
        "encoder": lambda: Sampler(painter(), encoder=network),
    }.items():
        with pytest.raises(ValueError, match=rf"{name}: a {type(network).__name__} has no graph.* keras.Model\(inputs"):
            make()
