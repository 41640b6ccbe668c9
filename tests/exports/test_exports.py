"""What other programs compute of an exported file is what the model draws and segments."""

import importlib.util
import json
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.exports import needed, writing
from keras_semisis.exports.networks import drawing_network, in_float32, segmenting_network
from keras_semisis.exports.onnx_file import CONVERTERS, write_onnx
from tests.cli.command import call

BACKEND = keras.backend.backend()
SIZE, CLASSES, IGNORED, NOISE = (16, 32), 5, 4, 3
SPACE = ks.data.LabelSpace(("sky", "road", "tree", "car", "void"), [(i, 0, 9) for i in range(CLASSES)], IGNORED).with_ids(
    {255: IGNORED}
)
RNG = np.random.default_rng(0)
MAPS = RNG.integers(0, CLASSES, (3, *SIZE)).astype("int32")
PHOTOS = RNG.integers(0, 256, (3, *SIZE, 3)).astype("uint8")

_missing = [name for name in ("onnx", "onnxruntime", *CONVERTERS[BACKEND]) if importlib.util.find_spec(name) is None]
onnx_is_there = pytest.mark.skipif(bool(_missing), reason=f"{', '.join(_missing)} of the extra export is not installed")
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="the format is TensorFlow's")


def oasis_generator():
    keras.utils.set_random_seed(0)  # whatever was drawn before
    return models.oasis_generator(CLASSES, SIZE, 2, noise_channels=NOISE, num_blocks=2, hidden_channels=4)


def wavelet_generator():
    keras.utils.set_random_seed(0)  # whatever was drawn before
    # its first feature map is two pixels high
    return models.wavelet_spade_generator(CLASSES, SIZE, 1, noise_channels=NOISE, num_blocks=3, hidden_channels=4)


def shaken(network, seed):
    """A network with weights as trained ones may be: singular values that are found, statistics that are not the first."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    for variable in network.variables:
        value = keras.ops.convert_to_numpy(variable.value)
        if variable.name in ("kernel", "bias"):
            variable.assign(value + 0.1 * rng.standard_normal(value.shape).astype("float32"))
    shapes = [(4, *given.shape[1:]) for given in network.inputs]
    inputs = [
        rng.integers(0, CLASSES, shape).astype("int32") if len(shape) == 3 else rng.standard_normal(shape).astype("float32")
        for shape in shapes
    ]
    for _ in range(4):
        network(inputs if len(inputs) > 1 else inputs[0], training=True)
    return network


def sampler(generator):
    """The moving average is another network than the generator."""
    average = keras.models.clone_model(generator)
    return ks.gans.Sampler(shaken(generator, 1), ema_generator=shaken(average, 2), label_space=SPACE)


@pytest.fixture(scope="module")
def gan():
    discriminator = models.oasis_discriminator(CLASSES, SIZE, channels=(4, 6), final_channels=4)
    gan = ks.OASIS(CLASSES, SIZE, IGNORED, oasis_generator(), discriminator, label_space=SPACE)
    for seed, network in enumerate((gan.generator, gan.ema_generator, gan.discriminator)):
        shaken(network, seed)
    # several classes, and so that the don't-care class would win, were it not left out
    last = gan.discriminator.get_layer("layer_up_last")
    last.kernel.assign(np.random.default_rng(9).standard_normal(last.kernel.shape))
    bias = last.bias
    value = np.array(keras.ops.convert_to_numpy(bias.value))
    value[1 + IGNORED] += 5
    bias.assign(value)
    return gan


@pytest.fixture(scope="module")
def drawer(gan, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "street.onnx"
    return path, gan.export(path)


def noise(seed, count):
    """As docs/exporting.md says it."""
    return np.stack([np.random.default_rng((seed, i)).standard_normal(NOISE) for i in range(count)]).astype("float32")


def session(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def differ(photos, expected):
    """The largest difference in gray levels."""
    assert photos.dtype == expected.dtype == np.uint8 and photos.shape == expected.shape
    return np.abs(photos.astype(int) - expected).max()


def check_drawing(run, model, drawn_by_raw_weights=True, maps=MAPS):
    """That photos for one label map and for three are the model's, to one gray level."""
    for count in (1, 3):
        expected = model.generate(maps[:count], seed=7)
        assert expected.std() > 5 and np.isin(expected, (0, 255)).mean() < 0.3, "no images that any network would give"
        assert differ(run(label_map=maps[:count], noise=noise(7, count)), expected) <= 1
    if drawn_by_raw_weights:
        raw = np.array(keras.ops.convert_to_numpy(model.generator([maps, noise(7, 3)])))
        assert np.abs((raw + 1) * 127.5 - expected).max() > 10, "the moving average is drawn, not the weights"


def runs(session):
    return lambda **inputs: session.run(["photo"], inputs)[0]


def one_by_one(run, **inputs):
    """Of a file for one label map."""
    photos = [
        run(**{name: value[i : i + 1] for name, value in inputs.items()})["photo"] for i in range(len(inputs["label_map"]))
    ]
    return np.concatenate(photos)


def test_values_beyond_black_and_white_are_these_and_others_are_rounded():
    label_map, levels = keras.Input(SIZE, dtype="int32"), np.array([-1.5, -1, 0.105, 1, 1.5], "float32")
    gray = keras.layers.Embedding(CLASSES, 3)
    network = drawing_network(keras.Model([label_map], gray(label_map)), None)
    gray.set_weights([np.repeat(levels[:, None], 3, axis=1)])
    photo = keras.ops.convert_to_numpy(network({"label_map": MAPS})["photo"])
    np.testing.assert_array_equal(photo, np.repeat(np.array([0, 0, 141, 255, 255], "uint8")[MAPS][..., None], 3, axis=-1))


def test_the_dont_care_class_is_never_the_answer(gan):
    label_maps = keras.ops.convert_to_numpy(
        segmenting_network(gan.discriminator, IGNORED, None)({"photo": PHOTOS})["label_map"]
    )
    assert (label_maps != gan.segment(PHOTOS)).mean() < 0.005, "ties aside"


def test_statistics_that_are_due_are_estimated_before_they_are_written(gan, tmp_path, monkeypatch):
    networks: list = []
    monkeypatch.setattr(writing, "FORMATS", {"onnx": writing.Format(".onnx", lambda network, *_: networks.append(network))})
    with gan.statistics_of([(PHOTOS, MAPS)], 1):
        gan.export(tmp_path / "a.onnx")
        photos = keras.ops.convert_to_numpy(networks[0]({"label_map": MAPS, "noise": noise(7, 3)})["photo"])
        assert differ(photos, gan.generate(MAPS, seed=7)) <= 1


@onnx_is_there
def test_an_onnx_file_draws_what_the_moving_average_draws(gan, drawer):
    path, _ = drawer
    found = session(path)
    given = {i.name: (i.type, i.shape) for i in found.get_inputs()}
    assert given == {"label_map": ("tensor(int32)", ["batch", *SIZE]), "noise": ("tensor(float)", ["batch", NOISE])}
    assert [(o.name, o.type, o.shape) for o in found.get_outputs()] == [("photo", "tensor(uint8)", ["batch", *SIZE, 3])]
    check_drawing(runs(found), gan)


@onnx_is_there
def test_wavelet_spade_is_exported_for_any_batch(tmp_path):
    model = sampler(wavelet_generator())
    assert model.export(tmp_path / "photo.onnx")["batch_size"] is None
    check_drawing(runs(session(tmp_path / "photo.onnx")), model)


@pytest.fixture(scope="module")
def adapted(gan):
    """A model of seven classes from one of five, and of those from one of six."""
    random, model = np.random.default_rng(2), gan
    for number in (6, 7):
        space = ks.data.LabelSpace([f"new {i}" for i in range(number)], [(i, 9, 0) for i in range(number)])
        model = ks.adapt(model, space, random.dirichlet(np.full(model.num_classes, 0.3), number))
    return model


NEW_MAPS = RNG.integers(0, 7, (3, *SIZE)).astype("int32")


@onnx_is_there
def test_a_model_of_other_classes_is_exported(adapted, tmp_path):
    description = adapted.export(tmp_path / "photo.onnx")
    assert description["class_names"][6] == "new 6" and description["batch_size"] is None
    check_drawing(runs(session(tmp_path / "photo.onnx")), adapted, maps=NEW_MAPS)
    adapted.export(tmp_path / "segmenter.onnx", part="segmenter")
    (label_maps,) = session(tmp_path / "segmenter.onnx").run(["label_map"], {"photo": PHOTOS})
    assert (label_maps != adapted.segment(PHOTOS)).mean() < 0.005, "ties aside"


@on_tensorflow
def test_a_model_of_other_classes_in_the_formats_of_tensorflow(adapted, tmp_path):
    tensorflow = pytest.importorskip("tensorflow")
    adapted.export(tmp_path / "photo")
    serve = tensorflow.saved_model.load(str(tmp_path / "photo")).signatures["serving_default"]

    def served(**inputs):
        return serve(**{name: tensorflow.constant(value) for name, value in inputs.items()})["photo"].numpy()

    check_drawing(served, adapted, maps=NEW_MAPS)
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    adapted.export(tmp_path / "photo.tflite")
    run = interpreter.Interpreter(model_path=str(tmp_path / "photo.tflite")).get_signature_runner()
    check_drawing(lambda **inputs: one_by_one(run, **inputs), adapted, maps=NEW_MAPS)


@onnx_is_there
def test_an_onnx_file_says_what_its_classes_mean(drawer):
    path, description = drawer
    stored = session(path).get_modelmeta().custom_metadata_map
    assert json.loads(stored["class_names"]) == ["sky", "road", "tree", "car", "void"]
    assert json.loads(stored["palette"])[3] == [3, 0, 9]
    assert json.loads(stored["id_map"]) == {"255": IGNORED}
    assert (stored["ignore_class"], stored["part"], stored["batch_size"]) == (str(IGNORED), "generator", "null")
    assert stored["keras_semisis_version"] == ks.__version__ and stored["backend"] == BACKEND
    assert {name: value if isinstance(value, str) else json.dumps(value) for name, value in description.items()} == stored


@onnx_is_there
def test_the_command_exports_the_network_of_a_preset_that_segments(gan, tmp_path):
    gan.save_to_preset(tmp_path / "street")
    path = tmp_path / "segmenter.onnx"
    output = call("export", tmp_path / "street", "--part", "segmenter", "--output", path)
    assert f"{path}: photo uint8 (B, 16, 32, 3) to label_map int32 (B, 16, 32)" in output and "any number at once" in output
    found = session(path)
    assert [(i.name, i.type, i.shape) for i in found.get_inputs()] == [("photo", "tensor(uint8)", ["batch", *SIZE, 3])]
    for count in (1, 3):
        (label_maps,) = found.run(["label_map"], {"photo": PHOTOS[:count]})
        assert label_maps.dtype == np.int32 and len(np.unique(label_maps)) > 1 and IGNORED not in label_maps
        assert (label_maps != gan.segment(PHOTOS[:count])).mean() < 0.005, "ties aside"


@onnx_is_there
@pytest.mark.parametrize("trunk", ["vgg16", "efficientnet_lite0"])
def test_a_segmenter_on_a_pretrained_trunk_which_takes_larger_photos(trunk, tmp_path):
    discriminator = models.pretrained_discriminator(
        5, (32, 32), trunk=trunk, trunk_size=(64, 64), channels=(4,) * 5, final_channels=4, weights=None
    )
    network = segmenting_network(discriminator, IGNORED, None)
    write_onnx(network, tmp_path / "segmenter.onnx", {})
    photos = np.random.default_rng(4).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    (label_maps,) = session(tmp_path / "segmenter.onnx").run(["label_map"], {"photo": photos})
    assert len(np.unique(label_maps)) > 1
    assert (label_maps != keras.ops.convert_to_numpy(network({"photo": photos})["label_map"])).mean() < 0.005, "ties aside"


@onnx_is_there
def test_a_file_for_so_many_and_without_noise(tmp_path):
    model = sampler(models.oasis_generator(CLASSES, SIZE, 2, noise_channels=0, num_blocks=1, hidden_channels=4))
    assert [*model.export(tmp_path / "photo.onnx", batch_size=2)["inputs"]] == ["label_map"]
    found = session(tmp_path / "photo.onnx")
    assert [i.shape for i in found.get_inputs()] == [[2, *SIZE]]
    assert differ(runs(found)(label_map=MAPS[:2]), model.generate(MAPS[:2])) <= 1


def test_a_latent_vector_is_the_noise():
    generator = models.spade_generator(CLASSES, (32, 32), base_channels=1, hidden_channels=4, latent_channels=NOISE)
    model = ks.gans.Sampler(shaken(generator, 1))
    maps = RNG.integers(0, CLASSES, (2, 32, 32)).astype("int32")
    network = drawing_network(model.ema_generator, None)
    photos = keras.ops.convert_to_numpy(network({"label_map": maps, "noise": noise(3, 2)})["photo"])
    assert differ(photos, model.generate(maps, seed=3)) <= 1


def test_what_was_trained_in_bfloat16_computes_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = shaken(oasis_generator(), 1)
    finally:
        keras.config.set_dtype_policy("float32")
    whole = oasis_generator()
    whole.set_weights(half.get_weights())
    inputs = [MAPS, noise(0, 3)]
    images = [keras.ops.convert_to_numpy(network(inputs)) for network in (in_float32(half), whole, half)]
    np.testing.assert_array_equal(images[0], images[1])
    assert np.abs(images[1] - images[2]).max() > 1e-3
    assert in_float32(whole) is whole


@on_tensorflow
def test_a_litert_file_draws_what_the_model_draws(gan, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    path = tmp_path / "oasis.tflite"
    assert gan.export(path)["batch_size"] == 1
    assert json.loads((tmp_path / "oasis.tflite.json").read_text())["class_names"][1] == "road"
    run = interpreter.Interpreter(model_path=str(path)).get_signature_runner()
    check_drawing(lambda **inputs: one_by_one(run, **inputs), gan)

    wavelet = sampler(wavelet_generator())
    wavelet.export(tmp_path / "wavelet.tflite", batch_size=2)
    run = interpreter.Interpreter(model_path=str(tmp_path / "wavelet.tflite")).get_signature_runner()
    photos = run(label_map=MAPS[:2], noise=noise(1, 2))["photo"]
    assert differ(photos, wavelet.generate(MAPS[:2], seed=1)) <= 1
    gan.export(tmp_path / "segmenter.tflite", part="segmenter")
    run = interpreter.Interpreter(model_path=str(tmp_path / "segmenter.tflite")).get_signature_runner()
    assert (run(photo=PHOTOS[:1])["label_map"] != gan.segment(PHOTOS[:1])).mean() < 0.005


@pytest.mark.skipif(BACKEND == "torch", reason="Keras writes no SavedModel of two inputs there")
def test_a_saved_model_draws_what_the_model_draws(gan, tmp_path):
    tensorflow = pytest.importorskip("tensorflow")
    (tmp_path / "street").mkdir()
    (tmp_path / "street" / "saved_model.pb").write_text("a former one, which is replaced")
    gan.export(tmp_path / "street")
    assert json.loads((tmp_path / "street" / "keras_semisis.json").read_text())["num_classes"] == CLASSES
    serve = tensorflow.saved_model.load(str(tmp_path / "street")).signatures["serving_default"]
    check_drawing(
        lambda **inputs: serve(**{name: tensorflow.constant(value) for name, value in inputs.items()})["photo"].numpy(), gan
    )
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="something else already"):
        gan.export(tmp_path / "notes")


def test_the_command_names_its_options_and_its_file(gan, tmp_path, monkeypatch):
    gan.save_to_preset(tmp_path / "town", segmenter=False)
    monkeypatch.chdir(tmp_path)
    output = call("export", "town", "--format", "pickle", code=1)
    assert "--format pickle: expected one of onnx, tf_saved_model, litert." in output
    assert "--part segmenter: this model has no network" in call("export", "town", "--part", "segmenter", code=1)
    assert "nowhere.keras: there is no such model" in call("export", "nowhere.keras", code=1)
    asked = []
    monkeypatch.setattr(ks.gans.Sampler, "export", lambda _, *given: asked.append(given) or DESCRIBED)
    assert "It takes 2 at once." in call("export", "town", "--part", "segmenter", "--batch-size", 2)
    call("export", tmp_path / "town", "--output", "here.tflite")
    assert asked == [(Path("town-segmenter.onnx"), "onnx", "segmenter", 2), (Path("here.tflite"), "litert", "generator", None)]
    output = call("export", "town", "--output", "here.xyz", code=1)
    assert "here.xyz: .xyz is the ending of no format. Give a name that ends in .onnx or .tflite, or one without" in output


DESCRIBED = {"inputs": {}, "outputs": {}, "batch_size": 2}


@onnx_is_there
def test_what_a_converter_does_not_know_is_said_in_a_sentence(tmp_path):
    def fails(*_, **__):
        raise NotImplementedError("No Op\nregistered")

    network = drawing_network(oasis_generator(), None)
    network.export = fails
    with pytest.raises(ValueError, match=rf"photo\.onnx: .* on the backend {BACKEND}; KERAS_BACKEND=\w+ or \w+ .* No Op"):
        write_onnx(network, tmp_path / "photo.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_before_anything_is(gan, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="format='pickle': expected one of onnx, tf_saved_model, litert"):
        gan.export(tmp_path / "street", format="pickle")
    with pytest.raises(ValueError, match=r"street\.tflite: .* format onnx .* ends in \.onnx"):
        gan.export(tmp_path / "street.tflite", format="onnx")
    with pytest.raises(ValueError, match=r"street\.onnx: .* the name of a folder"):
        gan.export(tmp_path / "street.onnx", format="tf_saved_model")
    with pytest.raises(ValueError, match=r"street\.1: \.1 is the ending of no format"):
        gan.export(tmp_path / "street.1")
    with pytest.raises(ValueError, match="part='encoder': expected one of generator, segmenter"):
        gan.export(tmp_path / "street.onnx", part="encoder")
    with pytest.raises(ValueError, match="batch_size=0: expected a positive number"):
        gan.export(tmp_path / "street.onnx", batch_size=0)
    with pytest.raises(ValueError, match="no network that segments"):
        ks.gans.Sampler(gan.generator).export(tmp_path / "street.onnx", part="segmenter")
    if BACKEND != "tensorflow":
        with pytest.raises(ValueError, match=rf"on the backend {BACKEND}\. Set KERAS_BACKEND=tensorflow"):
            gan.export(tmp_path / "street.tflite")
    if BACKEND == "torch":
        with pytest.raises(ValueError, match=r"on the backend torch\. Set KERAS_BACKEND=tensorflow"):
            gan.export(tmp_path / "street")
    monkeypatch.setattr(needed, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"onnx, \w+: pip install 'keras-semisis\[export"):
        gan.export(tmp_path / "street.onnx")
    if BACKEND == "jax":
        with pytest.raises(ModuleNotFoundError, match=r"needs tensorflow: pip install 'keras-semisis\[tensorflow\]'"):
            gan.export(tmp_path / "street")
    assert list(tmp_path.iterdir()) == []
