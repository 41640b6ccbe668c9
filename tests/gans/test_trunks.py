"""A network that trains never judges: what a model remembers of the networks that trained it, and whom it refuses."""

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis.gans import semantic
from keras_semisis.losses import LPIPSLoss
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.metrics import Features, FrechetInceptionDistance, GeneratedMeanIoU
from keras_semisis.models.trunk_families import families_of, refuse_relatives
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.evaluating import _trunks_of_run
from keras_semisis.recipes.run_folder import document_of, write_document
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes, tiny_gan, tiny_perceptual


@pytest.fixture(scope="module")
def vgg():
    return ks.models.vgg16_features(weights=None, taps=("relu1_1",))


@pytest.fixture(scope="module")
def alexnet():
    return ks.models.alexnet_features(weights=None, image_size=(32, 32))


def segmenting(trunk):
    """A discriminator on a trunk, as keras_semisis.models has none."""
    image = keras.Input((*SIZE, 3))
    return keras.Model(image, keras.layers.Conv2D(CLASSES + 1, 1)(trunk(image)[0]))


class KeepsItsTrunk(keras.layers.Layer):
    trunk = "efficientnet_lite0"

    def call(self, x):
        return x


def test_families(vgg, alexnet):
    image = keras.Input((8, 8, 3))
    networks = {
        "VGG": [
            vgg,
            ks.models.vgg19_features(weights=None),
            ks.models.lpips_features("vgg16", weights=None),
            keras.Model(image, vgg(image)),
        ],
        "AlexNet": [alexnet, ks.models.lpips_features("alexnet", weights=None)],
        "EfficientNet-Lite": [
            ks.models.efficientnet_lite0_features(weights=None),
            ks.models.efficientnet_lite2_features(weights=None),
            ks.models.efficientnet_lite0_segmenter(3, (16, 16), weights=None),
            keras.Model(image, KeepsItsTrunk()(image)),
        ],
    }
    for family, members in networks.items():
        assert [families_of(network) for network in members] == [{family}] * len(members)
    assert families_of(ks.models.unet_segmenter(3, (16, 16), (4, 4), 4)) == families_of(len) == families_of(None) == set()


def test_every_relative_is_named(vgg, alexnet):
    judges = {"one": vgg, "other": alexnet}
    refuse_relatives({}, judges)
    refuse_relatives({"discriminator": ["EfficientNet-Lite"]}, judges)
    with pytest.raises(
        ValueError,
        match=r"one is of the family VGG, which trained in the unconditional discriminator; "
        r"other is of the family AlexNet, which trained in the perceptual loss\. Judge with",
    ):
        refuse_relatives({"unconditional_discriminator": ["VGG"], "perceptual loss": ["AlexNet"]}, judges)


def test_what_a_model_trains_with(vgg):
    assert tiny_gan().trunks == tiny_gan(tiny_perceptual()).trunks == {}
    assert tiny_gan(vgg).trunks == {"perceptual loss": ["VGG"]}
    assert tiny_gan(vgg, compile=False, perceptual_weight=0.0).trunks == {}
    for name in ("vgg19", "vgg16", "vgg16_imagenet", "lpips"):
        assert tiny_gan(name, compile=False).trunks == {"perceptual loss": ["VGG"]}
    gan = tiny_gan(discriminator=segmenting(vgg), compile=False)
    assert gan.trunks == {"discriminator": ["VGG"]}
    with pytest.raises(ValueError, match="perceptual='vgg': expected a model, None, or one of 'vgg19', 'vgg16'"):
        tiny_gan("vgg", compile=False)


def test_a_perceptual_network_is_set_by_its_name_as_it_is_given(monkeypatch):
    named = PERCEPTUAL_NETWORKS["lpips"]._replace(build=lambda: ks.models.lpips_features("alexnet", weights=None))
    monkeypatch.setattr(semantic, "PERCEPTUAL_NETWORKS", {"lpips": named})
    gan = tiny_gan(tiny_perceptual())
    with pytest.raises(ValueError, match="perceptual='lpip': expected a model, None, or one of 'lpips'"):
        gan.perceptual = "lpip"
    gan.perceptual = "lpips"
    assert gan.trunks == {"perceptual loss": ["VGG"]} and gan.get_config()["perceptual"] == "lpips"
    gan.prepare_fit()
    assert isinstance(gan._perceptual_loss, LPIPSLoss) and isinstance(gan.perceptual, keras.Model)


def test_a_model_remembers(tmp_path, vgg):
    gan = tiny_gan(vgg)
    gan.perceptual = None
    assert gan.trunks == {}  # it has not trained yet
    gan = tiny_gan(vgg)
    gan._steps.assign(3)
    gan.perceptual = None
    assert gan.trunks == {"perceptual loss": ["VGG"]}
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.trunks == {"perceptual loss": ["VGG"]}
    # what an older version has saved: the name of the network, or that it was given
    for origin, trunks in (("vgg19", {"perceptual loss": ["VGG"]}), ("given", {})):
        old = gan.get_config() | {"perceptual": origin}
        del old["trunks"]
        assert type(gan).from_config(old).trunks == trunks


def test_relatives_do_not_judge(vgg, alexnet):
    gan, image = tiny_gan(vgg), keras.Input((*SIZE, 3))
    pooled = keras.Model(image, keras.layers.GlobalAveragePooling2D()(vgg(image)[0]), name="pooled_vgg")
    data = [(np.zeros((2, *SIZE, 3), "float32"), np.zeros((2, *SIZE), "int32"))]
    for metric in (
        FrechetInceptionDistance(Features(pooled)),
        ks.metrics.KernelInceptionDistance(pooled),
        ks.metrics.PrecisionRecall(pooled),
    ):
        with pytest.raises(ValueError, match="pooled_vgg is of the family VGG, which trained in the perceptual loss"):
            gan.evaluate(data, metrics=[metric], verbose=0)
    segmenter = segmenting(vgg)
    with pytest.raises(ValueError, match="is of the family VGG"):
        gan.check_judges([GeneratedMeanIoU(segmenter, IGNORE)])
    with pytest.raises(ValueError, match="is of the family VGG"):
        gan.check_judges([ks.metrics.LPIPS("vgg16", weights=None)])
    gan.check_judges([FrechetInceptionDistance(alexnet), GeneratedMeanIoU(len)])
    callback = ks.callbacks.PeriodicEvaluation(data, [FrechetInceptionDistance(pooled)], best=None)
    callback.set_model(gan)
    with pytest.raises(ValueError, match="pooled_vgg is of the family VGG"):
        callback.on_train_begin()
    source = Scenes(4)
    for arguments in (
        {"features": pooled},
        {"segmenter": segmenter},
        {"perceptual": vgg},
        {"perceptual": ks.metrics.LPIPS("vgg16", weights=None)},
    ):
        with pytest.raises(ValueError, match=r"A network that trains never judges: .* is of the family VGG"):
            ks.metrics.evaluate_protocol(gan, source, **arguments)


def test_settings_beside_a_file_say_what_it_does_not(tmp_path, vgg):
    settings = TrainSettings("synthetic", str(tmp_path), perceptual="vgg16")
    gan = tiny_gan(vgg, compile=False)
    old = gan.get_config() | {"trunks": None}
    loaded = type(gan).from_config(old)
    assert loaded.trunks == {} == _trunks_of_run(loaded, tmp_path / "last.keras")
    (tmp_path / "last.keras").touch()
    write_document(tmp_path / "settings.json", document_of(settings, Scenes.label_space))
    assert _trunks_of_run(loaded, tmp_path / "last.keras") == {"perceptual loss": ["VGG"]}
    assert _trunks_of_run(gan, tmp_path / "last.keras") == {}  # it knows by itself
