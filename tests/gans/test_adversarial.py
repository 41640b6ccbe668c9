"""What every adversarial model promises: frozen means frozen, resume is exact, a loss that is not finite stops."""

import json
from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.gans import AdversarialModel, Phase
from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.gans.engines import engine
from keras_semisis.layers.spectral_conv2d import SpectralLayer
from keras_semisis.models.keras_privates import layers_of
from tests.conftest import not_on_jax
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes, batches, data_sets, tiny_gan, tiny_perceptual


def values(variables):
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def all_equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def only(gan, *names):
    """The same GAN with some of its phases."""
    phases = [p for p in type(gan).phases(gan) if p.name in names]
    gan.phases = lambda: phases
    return gan


def compiled_gan():
    gan = tiny_gan(compile=False)
    gan.compile(statistics_batches=2, r1_every=1)  # one trace instead of two
    return as_fast_as_it_goes(gan)


def as_fast_as_it_goes(gan):
    """TensorFlow runs a few steps of a small network sooner than it traces one."""
    if keras.backend.backend() == "tensorflow":
        gan._set_compilation(run_eagerly=True, jit_compile=False)
    return gan


def train(gan, steps=1, **kwargs):
    paired, unpaired = data_sets()
    return gan.fit(paired, unpaired, steps_per_epoch=steps, verbose=0, **kwargs)


NETWORKS = ("generator", "discriminator", "unconditional_discriminator")


@pytest.mark.parametrize(
    ("phase", "learns"),
    [
        ("discriminator", {"discriminator"}),
        ("generator", {"generator"}),
        ("unpaired", {"generator"}),
        ("unconditional", {"unconditional_discriminator"}),
    ],
)
def test_a_phase_changes_its_own_network_and_no_other(phase, learns):
    """Frozen: kernels, spectral-norm vectors and batch-norm statistics are bit-identical before and after."""
    gan = only(tiny_gan(), phase)
    before = {name: values(getattr(gan, name).variables) for name in NETWORKS}
    train(gan)
    for name in NETWORKS:
        same = [np.array_equal(a, b) for a, b in zip(before[name], values(getattr(gan, name).variables), strict=True)]
        assert not all(same) if name in learns else all(same), name
    state = gan.discriminator.non_trainable_variables
    assert len(state) > 8  # u and v of every convolution


def test_unfrozen_cycle_also_trains_the_discriminator():
    gan = only(tiny_gan(freeze_discriminator=False), "unpaired")
    before = values(gan.discriminator.trainable_variables)
    train(gan)
    assert not all_equal(before, values(gan.discriminator.trainable_variables))


class Brightness(AdversarialModel):
    """One weight, the brightness of every photo, and another that learns if it is told to."""

    network_names = ("generator", "other")

    def __init__(self):
        label_map, image = keras.Input((2, 2), dtype="int32"), keras.Input((2, 2, 3))
        painted = keras.layers.Embedding(1, 3, embeddings_initializer="zeros")(label_map)
        super().__init__(keras.Model(label_map, painted), num_classes=1)
        self.other = keras.Model(image, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(image))
        self.weight, self.trains = 1.0, ("generator",)

    def phases(self):
        return [Phase("paint", self.trains, self.terms, {"dark": self.weight})]

    def terms(self, data, due):
        return {"dark": -ops.mean(self.other(self.synthesize(data[0][1])))}


def test_what_is_set_between_two_fits_counts():
    gan, data = Brightness(), (np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8"))
    gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)

    def changes():
        networks = (gan.generator, gan.other)
        before = [values(network.trainable_variables)[0] for network in networks]
        gan.fit(data, batch_size=2, verbose=0)
        after = [values(network.trainable_variables)[0] for network in networks]
        return [float((b - a).mean()) for a, b in zip(before, after, strict=True)]

    first = changes()
    gan.weight = 3.0
    assert changes() == pytest.approx([3 * first[0], 0.0]) and first[0] and not first[1]
    gan.trains = ("generator", "other")
    assert changes()[1]


def test_a_gradient_that_is_not_finite_stops_where_every_term_is_finite():
    gan, data = Brightness(), (np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8"))
    gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)
    # the root has no slope at 0
    gan.terms = lambda data, due: {"dark": ops.sqrt(ops.mean(ops.square(gan.synthesize(data[0][1]))))}
    before = values(gan.generator.variables)
    with pytest.raises(ks.NonFiniteLossError, match=r"phase 'paint': .*gradient is not finite"):
        gan.fit(data, batch_size=2, verbose=0)
    assert gan.step == 0 and all_equal(before, values(gan.generator.variables))


def test_an_epoch_is_as_long_as_the_longest_data_set():
    short, long = ((np.zeros((n, 2, 2, 3), "uint8"), np.zeros((n, 2, 2), "uint8")) for n in (2, 6))
    for datasets in ((short, long), (long, short)):
        gan = Brightness()
        gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)
        gan.fit(*datasets, batch_size=2, verbose=0)
        assert gan.step == 3


def test_trainable_is_toggled_and_restored():
    gan, seen = tiny_gan(), {}
    gan.discriminator.layers[1].trainable = False
    original = gan.unpaired_terms

    def spy(data, due):
        seen["unpaired"] = (gan.discriminator.trainable, gan.generator.trainable)
        return original(data, due)

    gan.unpaired_terms = spy
    train(only(gan, "unpaired"))
    assert seen["unpaired"] == (False, True)
    assert gan.discriminator.trainable
    assert not gan.discriminator.layers[1].trainable
    assert gan.discriminator.layers[2].trainable


def test_a_frozen_network_with_keras_batch_norm_uses_batch_statistics():
    image = keras.Input((4, 4, 3))
    network = keras.Model(image, keras.layers.BatchNormalization()(image))
    x = np.random.default_rng(0).normal(3, 2, (8, 4, 4, 3)).astype("float32")
    with ks.gans.phase.frozen([network]), keras.StatelessScope():
        y = ops.convert_to_numpy(network(x, training=True))
    assert abs(y.mean()) < 1e-3 and abs(y.std() - 1) < 1e-2


def test_save_load_continue_equals_not_having_stopped(tmp_path):
    """Bit for bit, in the middle of an epoch, with the sampler's switch on the way."""
    settings = {"epochs": 2, "steps_per_epoch": 4, "verbose": 0}
    phases = ("discriminator", "unpaired", "unconditional")
    whole = only(compiled_gan(), *phases)

    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.step == 3:
                self.model.save(tmp_path / "gan.keras")

    whole.fit(*data_sets(), **settings, callbacks=[Save()])
    resumed = as_fast_as_it_goes(keras.saving.load_model(tmp_path / "gan.keras"))
    assert resumed.step == 3
    only(resumed, *phases).fit(*data_sets(), **settings, initial_step=3)
    assert resumed.step == whole.step == 8
    assert len(whole.optimizer.variables) == len(resumed.optimizer.variables) > 100
    for ours, theirs in ((whole.variables, resumed.variables), (whole.optimizer.variables, resumed.optimizer.variables)):
        assert all_equal(values(ours), values(theirs))
    label_maps = np.zeros((2, *SIZE), "uint8")
    np.testing.assert_array_equal(whole.generate(label_maps), resumed.generate(label_maps))


def test_a_loss_that_is_not_finite_names_phase_and_term_and_keeps_the_last_good_state():
    gan = tiny_gan(tiny_perceptual(), feature_matching_weight=1e38)
    before = {name: values(getattr(gan, name).variables) for name in ("generator", "unconditional_discriminator")}
    gan.feature_matching_loss.call = lambda y_true, y_pred: ops.sum(y_pred[0]) * float("inf")
    with pytest.raises(ks.NonFiniteLossError, match=r"step 1, phase 'generator'.*feature_matching.*last_good") as error:
        train(gan, steps=2)
    assert gan.step == 0
    for name, old in before.items():
        assert all_equal(old, values(getattr(gan, name).variables)), name
    path = str(error.value).split("saved in ")[1].split(". A")[0]
    loaded = keras.saving.load_model(path)
    assert all_equal(values(loaded.generator.variables), values(gan.generator.variables))


def test_moving_average_starts_fast_and_follows():
    gan = tiny_gan()
    before = values(gan.ema_generator.trainable_variables or gan.ema_generator.weights)
    train(only(gan, "generator"))
    decay = 1 / 10  # t = 0 at the first step
    learned = {id(v) for v in gan.generator.trainable_variables}
    followed = 0
    for average, old, current in zip(gan.ema_generator.weights, before, gan.generator.weights, strict=True):
        if id(current) in learned:
            followed += 1
            expected = decay * old + (1 - decay) * ops.convert_to_numpy(current)
            np.testing.assert_allclose(ops.convert_to_numpy(average), expected, rtol=1e-5, atol=1e-7)
    assert followed == len(learned) > 0


def test_compile_again_keeps_the_step_and_the_moving_average(tmp_path):
    """With learning rate 0 the average stays what it was, of step 3 as of a file without optimizers."""
    gan = only(tiny_gan(), "generator")
    train(gan, steps=3)
    gan.save(tmp_path / "gan.keras")
    for again in (gan, keras.saving.load_model(tmp_path / "gan.keras", compile=False)):
        assert again.step == 3
        again.compile(
            *(keras.optimizers.SGD(0.0) for _ in range(3)),
            statistics_batches=1,
            run_eagerly=keras.backend.backend() == "tensorflow",
        )
        assert again.step == int(again.optimizer.iterations) == 3
        before = values(again.ema_generator.trainable_variables or again.ema_generator.weights)
        train(only(again, "generator"), steps=1)
        assert again.step == 4
        learned = {id(v) for v in again.generator.trainable_variables}
        decay = (1 + 3) / (10 + 3)
        for average, old, current in zip(again.ema_generator.weights, before, again.generator.weights, strict=True):
            if id(current) in learned:
                expected = decay * old + (1 - decay) * ops.convert_to_numpy(current)
                np.testing.assert_allclose(ops.convert_to_numpy(average), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("given", "expected"), [("auto", engine.JIT_BY_DEFAULT), (True, True), (False, False)])
def test_a_file_says_how_phases_are_compiled(tmp_path, given, expected):
    gan = tiny_gan(compile=False)
    gan.compile(jit_compile=given, run_eagerly=bool(expected))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert (loaded.eagerly, loaded.jit, loaded.get_compile_config()["jit_compile"]) == (bool(expected), expected, given)


def test_an_older_file_has_its_step_with_the_optimizers(tmp_path, monkeypatch):
    gan = only(tiny_gan(), "generator")
    train(gan, steps=2)
    save = type(gan).save_own_variables

    def as_it_was(self, store):
        save(self, store)
        if "step" in store.keys():
            del store["step"]

    def step_first(self, store):
        store["0"], store["1"] = ops.convert_to_numpy(self.iterations), np.float32(0)

    monkeypatch.setattr(ks.gans.AdversarialModel, "save_own_variables", as_it_was)
    monkeypatch.setattr(type(gan.optimizer), "save_own_variables", step_first)
    gan.save(tmp_path / "gan.keras")
    for compile in (True, False):
        assert keras.saving.load_model(tmp_path / "gan.keras", compile=compile).step == 2


def test_statistics_of_the_moving_average_are_those_of_training_batches():
    gan = only(tiny_gan(), "generator")
    train(gan, steps=2)
    network = gan.ema_generator
    norm = network.get_layer("body_0").norm_0.spade.norm
    vectors = [v for layer in layers_of(network) if isinstance(layer, SpectralLayer) for v in (layer.u, layer.v)]
    before = [np.copy(weight) for weight in network.get_weights()]
    gan._calibrated_at = None  # fit has just done so
    gan.refresh_statistics()
    assert norm.momentum == gan.generator.get_layer("body_0").norm_0.spade.norm.momentum > 0
    reestimated, spectral = (
        np.copy(ops.convert_to_numpy(norm.moving_mean)),
        [np.copy(ops.convert_to_numpy(v)) for v in vectors],
    )
    assert not np.array_equal(
        reestimated, ops.convert_to_numpy(gan.generator.get_layer("body_0").norm_0.spade.norm.moving_mean)
    )
    network.set_weights(before)
    noise, means = np.random.default_rng(gan.seed), []
    norm.momentum = 0.0
    for (label_map,) in gan._calibration.label_maps():
        draw = noise.standard_normal((len(label_map), 4)).astype("float32")
        network([ops.convert_to_tensor(label_map), ops.convert_to_tensor(draw)], training=True)
        means.append(np.copy(ops.convert_to_numpy(norm.moving_mean)))
    np.testing.assert_allclose(reestimated, np.mean(means, axis=0), rtol=1e-4, atol=1e-6)
    # spectral norms are those of the average, after as many iterations
    assert vectors and len(means) == 2
    for vector, value in zip(vectors, spectral, strict=True):
        np.testing.assert_allclose(value, ops.convert_to_numpy(vector), atol=1e-5)


def test_statistics_are_estimated_once_for_each_step_of_which_something_is_drawn(monkeypatch):
    gan = only(tiny_gan(), "generator")
    steps: list = []
    monkeypatch.setattr("keras_semisis.gans.sampler.reestimate", lambda *_: steps.append(gan.step))
    draws = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: [gan.generate(np.zeros(SIZE, int)) for _ in range(2)]
    )
    train(gan, steps=3, callbacks=[draws])
    assert steps == [1, 2, 3]


def test_a_short_training_set_repeats_until_there_are_as_many_batches():
    label_maps = [(np.full((1, *SIZE), i),) for i in range(3)]
    dataset = mock.Mock(label_maps=lambda: iter(label_maps))
    for number in (2, 3, 5, 7):
        kept = Calibration(dataset, number).label_maps()
        assert [int(label_map.max()) for (label_map,) in kept] == [i % 3 for i in range(number)]


def test_generate_depends_on_the_seed_and_takes_any_integer_dtype():
    gan = tiny_gan()
    label_maps = np.random.default_rng(0).integers(0, CLASSES, (3, *SIZE))
    photos = gan.generate(label_maps.astype("uint8"), seed=1)
    assert photos.shape == (3, *SIZE, 3) and photos.dtype == np.uint8
    np.testing.assert_array_equal(photos, gan.generate(label_maps.astype("int64"), seed=1))
    assert not np.array_equal(photos, gan.generate(label_maps, seed=2))
    assert gan.generate(label_maps[0], seed=1).shape == (*SIZE, 3)
    with pytest.raises(ValueError, match="integer dtype"):
        gan.generate(label_maps.astype("float32"))
    assert gan.generate(np.zeros((1, 8, 8), "uint8")).shape == (1, 8, 8, 3)
    with pytest.raises(ValueError, match=r"\(2, 1, 8, 8\)"):
        gan.generate(np.zeros((2, 1, 8, 8), "uint8"))


def test_segment_answers_real_classes_only():
    gan = tiny_gan()
    maps = gan.segment(np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3)).astype("uint8"))
    assert maps.shape == (2, *SIZE) and maps.dtype == np.int32
    assert set(np.unique(maps)) <= set(range(CLASSES)) - {IGNORE}


def test_evaluate_serves_validation_data():
    gan = tiny_gan(compile=False)
    validation = ks.data.paired_dataset(Scenes(4), SIZE, 2, training=False)
    gan.compile(
        metrics=[ks.metrics.GeneratedMeanIoU(_segmenter(gan), IGNORE)],
        statistics_batches=1,
        run_eagerly=keras.backend.backend() == "tensorflow",
    )
    history = train(only(gan, "generator"), steps=1, epochs=2, validation_data=validation)
    assert len(history.history["val_miou"]) == len(history.history["val_miou_real"]) == 2
    scores = gan.evaluate(validation, verbose=0)
    assert scores["miou"] == pytest.approx(history.history["val_miou"][-1])
    images, label_maps = (np.concatenate(part) for part in zip(*validation, strict=True))
    assert gan.evaluate(images, label_maps, verbose=0)["miou_real"] == pytest.approx(scores["miou_real"])
    with pytest.raises(ValueError, match="metrics"):
        tiny_gan().evaluate(validation)


def _segmenter(gan):
    return lambda images: gan.discriminator(images)[..., 1:]


@not_on_jax
def test_history_is_the_mean_of_the_epoch():
    gan, seen = only(tiny_gan(), "discriminator", "unconditional"), []

    class Seen(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append({name: float(value) for name, value in logs.items()})

    history = train(gan, steps=5, callbacks=[Seen()]).history
    r1 = [s["unconditional/r1"] for s in seen if "unconditional/r1" in s]
    assert len(r1) == 2
    assert history["unconditional/r1"][0] == pytest.approx(np.mean(r1), rel=1e-5)
    assert history["discriminator/real"][0] == pytest.approx(np.mean([s["discriminator/real"] for s in seen]), rel=1e-5)


@not_on_jax
def test_raw_batches_of_another_source_train_too():
    tf = pytest.importorskip("tensorflow")
    (image, label_map), _ = batches(1)[0]
    raw = tf.data.Dataset.from_tensor_slices((image, label_map.astype("uint8"))).batch(2)
    gan = only(tiny_gan(), "discriminator", "unpaired")
    gan.fit(raw, raw, steps_per_epoch=3, verbose=0)
    assert gan.step == 3


def test_compile_settings_and_their_order():
    gan = tiny_gan(compile=False, cycle_weight=3.0)
    gan.compile(preset="usis_cityscapes", feature_matching_weight=7.0)
    assert gan.settings.cycle_weight == 3.0
    assert gan.settings.feature_matching_weight == 7.0
    assert gan.settings.label_mix_weight == 5.0
    assert float(gan.optimizers["unconditional_discriminator"].learning_rate) == pytest.approx(2e-3)
    phases = {phase.name: phase for phase in gan.phases()}
    assert phases["discriminator"].due(0) == {"real", "fake", "label_mix"}
    assert phases["generator"].due(0) == {"segmentation", "feature_matching"}
    assert phases["unconditional"].weights["r1"] == pytest.approx(1.25 / 2 * 4)
    with pytest.raises(ValueError, match="unknown settings"):
        gan.compile(feature_weight=1)
    with pytest.raises(ValueError, match="preset"):
        gan.compile(preset="none of these")
    with pytest.raises(ValueError, match="two data sets"):
        gan.fit(data_sets()[0])


def test_label_mix_and_no_ignored_class_train():
    gan = tiny_gan(ignore_class=None)
    gan.compile(preset="usis", statistics_batches=1, run_eagerly=keras.backend.backend() == "tensorflow")
    history = train(only(gan, "discriminator", "unpaired"), steps=1).history
    assert all(np.isfinite(values[0]) for values in history.values())
    assert "discriminator/label_mix" in history


def test_default_networks_are_the_deepest_that_fit():
    from keras_semisis.gans.semantic import published_depth

    assert [published_depth(size) for size in ((64, 96), (192, 256), (256, 512), (48, 64))] == [5, 6, 6, 4]


@not_on_jax
def test_saved_model_does_not_hold_the_perceptual_network(tmp_path):
    gan = only(tiny_gan(tiny_perceptual()), "generator")
    train(gan)
    gan.save(tmp_path / "gan.keras")
    loaded = as_fast_as_it_goes(keras.saving.load_model(tmp_path / "gan.keras"))
    assert len(loaded.variables) == len(gan.variables)
    label_maps = np.zeros((1, *SIZE), "uint8")
    np.testing.assert_array_equal(loaded.generate(label_maps), gan.generate(label_maps))
    with pytest.raises(ValueError, match=r"gan\.perceptual"):
        train(loaded)
    loaded.perceptual = tiny_perceptual()
    assert "generator/perceptual" in train(only(loaded, "generator")).history
    assert json.dumps(loaded.get_config()["perceptual"]) == '"given"'


def test_networks_of_wrong_size_are_refused():
    with pytest.raises(ValueError, match="num_classes \\+ 1 channels"):
        tiny_gan(discriminator=ks.models.unet_segmenter(CLASSES, SIZE, (4,), 4))


def test_input_gradient_is_differentiable():
    """d/da of |d/dx sum(a x²)|² = 8 a x², against the closed form: R1 needs it."""
    a = keras.Variable(3.0)
    x = ops.convert_to_tensor([[1.0, 2.0]])

    def loss(values):
        gradient = engine.input_gradient(lambda x: ops.sum(values[0] * x**2), x, ())
        return ops.sum(gradient**2), ()

    value, _, (gradient,) = engine.value_and_gradients(loss, [a])
    assert float(value) == pytest.approx(4 * 9 * 5)
    assert float(gradient) == pytest.approx(8 * 3 * 5)


@not_on_jax  # test_systems.py trains in it on JAX too
def test_mixed_bfloat16_trains_and_keeps_float32_variables():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        gan = only(tiny_gan(tiny_perceptual()), "generator", "unconditional")
        history = train(gan, steps=1).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(np.isfinite(v[0]) for v in history.values())
    assert {v.dtype for v in gan.generator.variables} == {"float32"}


def test_mixed_float16_is_refused():
    gan = tiny_gan(compile=False)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with pytest.raises(ValueError, match="mixed_bfloat16"):
            gan.compile()
    finally:
        keras.config.set_dtype_policy("float32")


# The label space


def named_batches(*names, ignore_class=None):
    """A data set of one batch whose label space is known."""

    class Named(list):
        label_space = ks.data.LabelSpace(names, distinct_colors(len(names)), ignore_class)

    return Named()


def test_a_model_takes_the_label_space_of_its_data_and_keeps_it(tmp_path):
    names = [f"n{i}" for i in range(CLASSES)]
    gan = tiny_gan(compile=False)
    gan.take_label_space(paired_ds=named_batches(*names, ignore_class=IGNORE), unpaired_ds=[])
    assert gan.label_space.class_names == tuple(names) and gan.label_space.ignore_class == IGNORE
    gan.label_space = gan.label_space.with_ids({255: IGNORE})
    gan.save(tmp_path / "gan.keras")
    assert keras.saving.load_model(tmp_path / "gan.keras").label_space.id_map == {255: IGNORE}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("abcde", "abdce", "3 d, 4 e.*Unpaired_ds: 0 a, 1 b, 2 d, 3 c, 4 e"),
        ("abcdef", "abcdef", "paired_ds: its label maps have 6 classes, but the model has 5"),
    ],
)
def test_data_of_other_classes_are_refused(first, second, words):
    gan = tiny_gan(compile=False)
    with pytest.raises(ValueError, match=words):
        gan.take_label_space(paired_ds=named_batches(*first), unpaired_ds=named_batches(*second))
    assert gan.label_space is None
    gan.label_space = named_batches(*"abcde", ignore_class=IGNORE).label_space
    with pytest.raises(ks.data.DataError, match=r"The model: 0 a, .* X: 0 e, 1 d, 2 c, 3 b, 4 a\."):
        gan.evaluate(named_batches(*"edcba"), metrics=[ks.metrics.GeneratedMeanIoU(None)])


def test_another_dont_care_class_is_refused_and_none_is_warned_of():
    with pytest.raises(ks.data.DataError, match="class 3, 'd', is don't-care, the model has ignore_class=4"):
        tiny_gan(compile=False).take_label_space(paired_ds=named_batches(*"abcde", ignore_class=3))
    gan = tiny_gan(compile=False, ignore_class=None)
    with pytest.warns(UserWarning, match=r"class 3, 'd', .* the model has ignore_class=None: .* with ignore_class=3"):
        gan.take_label_space(paired_ds=named_batches(*"abcde", ignore_class=3))
    assert gan.label_space.ignore_class is None
    with pytest.raises(ValueError, match=r"don't-care class of the label space is 3, the model has ignore_class=None"):
        gan.label_space = named_batches(*"abcde", ignore_class=3).label_space
