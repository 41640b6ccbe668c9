"""The published segmenters against the published programs' tensors, and at other sizes against PyTorch's own functions."""

from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.metrics import GeneratedMeanIoU
from keras_semisis.metrics.protocols import rule_segmenter
from keras_semisis.metrics.protocols.rule_segmenter import RuleSegmenter
from keras_semisis.metrics.protocols.segmentation_rule import UPERNET
from keras_semisis.models import deeplab_v2_101, drn_d_105, upernet_101
from keras_semisis.models.deeplab import Shrink
from keras_semisis.models.drn import BilinearTransposedConv
from keras_semisis.models.resnet import ResizeLike
from keras_semisis.models.upernet import AdaptiveAveragePool
from tests.conftest import needs_shared
from tests.models.reference import assert_close
from tests.models.segmenters import Golden, TorchDeepLab, TorchDRN, TorchUPerNet

pytestmark = needs_shared("reference/segmenters")

# Of sides that are no multiple of anything
PICTURE = np.random.default_rng(5).uniform(-1, 1, (1, 45, 61, 3)).astype("float32")


def build(builder, **arguments):
    """Without drawing millions of numbers that the weights replace."""
    with mock.patch.object(keras.initializers.GlorotUniform, "__call__", lambda self, shape, dtype: np.zeros(shape, dtype)):
        return builder(**arguments)


def check(golden, stages, suffix=""):
    """Compares stages (first 4 channels, and the mean of every channel); returns the names of the file's tensors."""
    for name, ours in stages.items():
        assert_close(ours[..., :4], golden.channels_last(f"mid/{name}{suffix}"))
        assert_close(ours.mean((1, 2))[0], golden.arrays[f"chmean/{name}{suffix}"])
    return {f"{kind}/{name}{suffix}" for name in stages for kind in ("mid", "chmean")}


def check_classes(scores, golden, name):
    """Where the best two classes are not closer than rounding."""
    first, second = np.moveaxis(np.sort(scores, axis=-1)[..., :-3:-1], -1, 0)
    clear = first - second > 1e-3 * np.abs(scores).max()
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(scores.argmax(-1)[clear], golden.arrays[name][clear])


def outputs(model, layers, inputs):
    """What layers return, by the names given."""
    stages = keras.Model(model.input, {name: model.get_layer(layer).output for name, layer in layers.items()})
    return {name: ops.convert_to_numpy(value) for name, value in stages.predict_on_batch(inputs).items()}


def remaining(golden, checked):
    """Tensors of the file that were not looked at."""
    return {name for name in golden.arrays if name.startswith(("mid/", "chmean/", "out/"))} - checked


def check_round_trip(model, state, family, constants=()):
    saved = save_reference_weights(model, family=family)
    assert {name for name in saved if not name.endswith("num_batches_tracked")} == {*state, *constants}
    for name, array in state.items():
        np.testing.assert_array_equal(saved[name], array, err_msg=name)


class TestDRN:
    @pytest.fixture(scope="class")
    def golden(self):
        return Golden("drn_d105")

    @pytest.fixture(scope="class")
    def state(self, golden):
        return golden.state_dict()

    @pytest.fixture(scope="class")
    def model(self, state):
        return load_reference_weights(build(drn_d_105), state, family="drn")

    def test_every_tensor(self, golden, model):
        layers = {"preprocessed": "preprocessing", "scores": "seg", "logits": "log_softmax", "seg": "seg", "up": "up"}
        layers |= {f"layer{i}": f"base-{i}" for i in (0, 1, 2, 7, 8)}
        for i, blocks in zip((3, 4, 5, 6), (3, 4, 23, 3), strict=True):
            layers |= {f"layer{i}_block0": f"base-{i}-0", f"layer{i}": f"base-{i}-{blocks - 1}"}
        stages = outputs(model, layers, golden.image())
        assert_close(stages.pop("preprocessed"), golden.channels_last("in/img"), 1e-6)
        assert_close(stages.pop("scores"), golden.channels_last("out/seg_scores"))
        logits = stages.pop("logits")
        assert_close(logits, golden.channels_last("out/logits"))
        check_classes(logits, golden, "out/pred")
        checked = check(golden, stages) | {"out/seg_scores", "out/logits", "out/pred"}
        assert not remaining(golden, checked)

    def test_other_classes_and_size(self, state):
        """And a training checkpoint's names, and another dtype policy."""
        pytest.importorskip("torch")
        state = state | {name: state[name][:7] for name in ("seg.weight", "seg.bias")}
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            model = build(drn_d_105, num_classes=7, image_size=PICTURE.shape[1:3])
        finally:
            keras.config.set_dtype_policy(policy)
        assert model.output_shape == (None, 48, 64, 7)
        load_reference_weights(model, {f"state_dict.module.{name}": array for name, array in state.items()}, family="drn")
        assert_close(model.predict_on_batch(PICTURE), TorchDRN(state)(PICTURE))

    def test_weights(self, golden, state, model):
        check_round_trip(model, state, "drn", {"up.weight"})
        up = save_reference_weights(model, family="drn")["up.weight"]
        _, shape, _, total, first, last = next(row for row in golden.meta["tensors"] if row[0] == "up.weight")
        assert list(up.shape) == shape
        assert (up.sum(dtype="float64"), up.flat[0], up.flat[-1]) == (total, first, last)
        wrong = state | {"up.weight": np.zeros_like(up), "fc.weight": np.zeros((1000, 512, 1, 1))}
        del wrong["base.5.22.bn3.running_var"]
        with pytest.raises(CheckpointError) as error:
            load_reference_weights(model, wrong, family="drn")
        for problem in (
            "missing: base.5.22.bn3.running_var (1024,)",
            "unexpected: fc.weight (1000, 512, 1, 1)",
            "constant: up.weight differs by 0.8",
        ):
            assert problem in str(error.value)
        with pytest.raises(ValueError, match="no network of the family 'csail'"):
            load_reference_weights(model, state, family="csail")

    def test_mean_intersection_over_union(self, model):
        """And that nothing in it trains."""
        assert model.trainable_variables == []
        photos = PICTURE[:, :40, :56]
        label_maps = model.predict_on_batch(photos).argmax(-1)
        label_maps[:, 7:20] = 255
        metric = GeneratedMeanIoU(model, ignore_class=255)
        metric.update_state(label_maps, photos, photos)
        assert metric.result() == {"miou": 1.0, "miou_real": 1.0}


class TestUPerNet:
    @pytest.fixture(scope="class")
    def golden(self):
        return Golden("upernet101")

    @pytest.fixture(scope="class")
    def state(self, golden):
        return golden.state_dict()

    @pytest.fixture(scope="class")
    def model(self, golden, state):
        return load_reference_weights(build(upernet_101, output_size=tuple(golden.arrays["in/segSize"])), state, family="csail")

    def test_every_tensor(self, golden, model):
        layers = {
            "preprocessed": "preprocessing",
            "presoftmax": "decoder-conv_last-1",
            "logits": "softmax",
            "enc_maxpool": "encoder-maxpool",
            "ppm_last_conv": "decoder-ppm_last_conv",
            "conv_last0": "decoder-conv_last-0",
            "conv_last": "decoder-conv_last-1",
        }
        layers |= {f"enc_relu{i}": f"encoder-relu{i}" for i in (1, 2, 3)}
        for i, blocks in zip((1, 2, 3, 4), (3, 4, 23, 3), strict=True):
            layers |= {
                f"enc_layer{i}_block0": f"encoder-layer{i}-0",
                f"enc_layer{i}": f"encoder-layer{i}-{blocks - 1}",
                f"ppm_pool{i - 1}": f"decoder-ppm_pool-{i - 1}",
                f"ppm_conv{i - 1}": f"decoder-ppm_conv-{i - 1}",
            }
        for i in (0, 1, 2):
            layers |= {f"fpn_in{i}": f"decoder-fpn_in-{i}", f"fpn_out{i}": f"decoder-fpn_out-{i}-0"}
        stages = outputs(model, layers, golden.image())
        assert_close(stages.pop("preprocessed"), golden.channels_last("in/img"), 1e-6)
        assert_close(stages.pop("presoftmax"), golden.channels_last("out/presoftmax"))
        probabilities = stages.pop("logits")
        assert_close(probabilities, golden.channels_last("out/logits"))
        check_classes(probabilities, golden, "out/pred")
        checked = check(golden, stages) | {"out/presoftmax", "out/logits", "out/pred"}

        mean = (probabilities + model.predict_on_batch(golden.second_image())) / 2
        assert_close(mean[..., :8], golden.channels_last("out/ms_scores"))
        check_classes(mean, golden, "out/ms_pred")
        assert not remaining(golden, checked | {"out/ms_scores", "out/ms_pred"})

    def test_other_classes_and_size(self, state):
        """And the older weights' images, and two files, whose names have no prefix and which hold buffers that nobody reads."""
        pytest.importorskip("torch")
        state = state | {name: state[name][:5] for name in ("decoder.conv_last.1.weight", "decoder.conv_last.1.bias")}
        # these images are not divided by a deviation
        state["encoder.conv1.weight"] = state["encoder.conv1.weight"] / 64
        files = [
            {name.removeprefix(part): array for name, array in state.items() if name.startswith(part)}
            for part in ("encoder.", "decoder.")
        ]
        files[0] |= {f"bn1.{name}": np.zeros(64) for name in ("_tmp_running_mean", "_tmp_running_var", "_running_iter")}
        model = build(upernet_101, num_classes=5, preprocessing="bgr")
        load_reference_weights(model, files, family="csail")
        assert_close(model.predict_on_batch(PICTURE), TorchUPerNet(state)(PICTURE, bgr=True))
        with pytest.raises(CheckpointError, match=r"533 entries come twice, encoder\.bn1\._running_iter for instance"):
            load_reference_weights(model, [files[0], files[0]], family="csail")
        with pytest.raises(CheckpointError, match=r"missing: decoder\.ppm_conv\.0\.0\.weight \(512, 2048, 1, 1\)"):
            load_reference_weights(model, files[0], family="csail")

    def test_weights(self, state, model):
        check_round_trip(model, state, "csail")

    @pytest.mark.skipif(keras.config.backend() == "jax", reason="networks to compile; what is tested is no backend's")
    def test_protocol_at_several_sizes(self, golden, model, monkeypatch):
        """From the reference's two images to the classes that its mean over two sizes has."""
        images = {(64, 96): golden.image(), (96, 128): golden.second_image()}
        monkeypatch.setattr(rule_segmenter, "pillow_bilinear", lambda _, size: images[size])
        segmenter = RuleSegmenter(model, UPERNET, tuple(golden.arrays["in/segSize"]), eight_bit=False)
        segmenter.input_sizes = list(images)
        np.testing.assert_array_equal(segmenter(golden.image()), golden.arrays["out/ms_pred"])


class TestDeepLab:
    @pytest.fixture(scope="class")
    def golden(self):
        return Golden("deeplabv2_msc")

    @pytest.fixture(scope="class")
    def state(self, golden):
        return golden.state_dict()

    @pytest.fixture(scope="class")
    def model(self, state):
        return load_reference_weights(build(deeplab_v2_101), state, family="deeplab_pytorch")

    @pytest.fixture(scope="class")
    def parts(self, model):
        """The model in three: up to the network of one scale, that with its stages, and what follows."""
        base = model.get_layer("base")
        layers = {"stem_conv1": "layer1-conv1", "layer1": "layer1", "base": "aspp"} | {
            f"aspp_c{i}": f"aspp-c{i}" for i in range(4)
        }
        for i, blocks in zip((2, 3, 4, 5), (3, 4, 23, 3), strict=True):
            layers |= {f"layer{i}_block1": f"layer{i}-block1", f"layer{i}": f"layer{i}-block{blocks}"}
        stages = keras.Model(base.input, {name: base.get_layer(layer).output for name, layer in layers.items()})
        small = [model.get_layer(f"scores_{scale}").input[0] for scale in (50, 75)]
        full = model.get_layer("scores").input[0]
        images = [model.get_layer(f"image_{scale}") for scale in (50, 75)]
        head = keras.Model(model.input, [images[0].input, *(layer.output for layer in images)])
        tail = keras.Model([full, *small, model.input], [model.get_layer("scores").output, model.output])
        return head, stages, tail

    @pytest.mark.parametrize("name", ["deeplabv2_msc", "deeplabv2_msc_large"])
    def test_every_tensor(self, name, state, parts):
        golden, (head, stages, tail) = Golden(name), parts
        images = head.predict_on_batch(golden.image())
        assert_close(images[0], golden.channels_last("in/img"), 1e-6)
        checked, scores = set(), []
        for i, image in enumerate(images):
            found = stages.predict_on_batch(image)
            checked |= check(golden, {key: np.asarray(value) for key, value in found.items()}, f"_s{i}")
            scores.append(found["base"])
            assert_close(scores[i], golden.channels_last(f"out/logits_s{i}"))
        logits, full = tail.predict_on_batch([*scores, golden.image()])
        assert_close(logits, golden.channels_last("out/logits"))
        up = golden.channels_last("out/up_full")
        assert_close(full[..., : up.shape[-1]], up)
        check_classes(logits, golden, "out/pred_lowres")
        check_classes(full, golden, "out/pred")
        checked |= {"out/logits", *(f"out/logits_s{i}" for i in range(3)), "out/up_full", "out/pred", "out/pred_lowres"}
        if "out/logits_recompute" in golden.arrays:
            small = [stages.predict_on_batch(Shrink(scale, recompute_scale=True)(images[0]))["base"] for scale in (0.5, 0.75)]
            old, _ = tail.predict_on_batch([scores[0], *small, golden.image()])
            assert_close(old[..., :16], golden.channels_last("out/logits_recompute"))
            checked.add("out/logits_recompute")
        assert not remaining(golden, checked)

    def test_other_classes_and_size(self, state):
        """And a network that is built by the description in a file."""
        pytest.importorskip("torch")
        state = state | {name: array[:5] for name, array in state.items() if name.startswith("base.aspp.")}
        model = build(deeplab_v2_101, num_classes=5, image_size=PICTURE.shape[1:3], output_size=(30, 70), recompute_scale=True)
        model = build(keras.models.model_from_json, json_string=model.to_json())
        assert model.output_shape == (None, 30, 70, 5)
        load_reference_weights(model, state, family="deeplab_pytorch")
        assert_close(model.predict_on_batch(PICTURE), TorchDeepLab(state)(PICTURE, (30, 70), recompute_scale=True))

    def test_weights(self, state, model):
        check_round_trip(model, state, "deeplab_pytorch")
        with pytest.raises(CheckpointError, match=r"shape: base\.aspp\.c0\.weight is \(21, 2048, 3, 3\)"):
            load_reference_weights(
                model, state | {"base.aspp.c0.weight": np.zeros((21, 2048, 3, 3), "float32")}, family="deeplab_pytorch"
            )


@pytest.mark.parametrize("layer", [ResizeLike((3, 4)), AdaptiveAveragePool(3), Shrink(0.75, True), BilinearTransposedConv()])
def test_layers_are_rebuilt_from_their_configuration(layer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer) and copy.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("builder", "arguments", "words"),
    [
        (drn_d_105, {"num_classes": 0}, "num_classes=0: expected 1 or more"),
        (drn_d_105, {"image_size": (0, 8)}, r"image_size=\(0, 8\)"),
        (upernet_101, {"output_size": (8,)}, r"output_size=\(8,\)"),
        (upernet_101, {"preprocessing": "caffe"}, "preprocessing='caffe': expected 'rgb' or 'bgr'"),
        (deeplab_v2_101, {"image_size": (1, 8)}, "2 pixels or more"),
    ],
)
def test_mistakes(builder, arguments, words):
    with pytest.raises(ValueError, match=f"{builder.__name__}: .*{words}"):
        builder(**arguments)
