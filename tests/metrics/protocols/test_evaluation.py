"""A whole evaluation against its parts done by hand, its cache, and what its result says."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.data import DataError
from keras_semisis.data.eight_bit import from_8_bit, to_8_bit
from keras_semisis.gans import AdversarialModel
from keras_semisis.metrics import (
    LPIPS,
    Diversity,
    GeneratedSegmentationScores,
    GenerationMetric,
    evaluate_protocol,
    frechet_distance_float32,
    frechet_distance_of_features,
    kernel_estimate,
    precision_recall,
)
from keras_semisis.metrics.protocols import get_protocol
from keras_semisis.metrics.protocols.protocol_features import ProtocolFeatures
from keras_semisis.metrics.protocols.provenance import network_fingerprint
from keras_semisis.metrics.protocols.resizing import pillow_bicubic_299
from tests.data.array_source import ArraySource

SIZE = (16, 24)
NUM_CLASSES = 11


@keras.saving.register_keras_serializable(package="keras_semisis_tests")
class Colours(keras.layers.Layer):
    """A colour for each class, shifted by the noise, under a batch norm: the smallest generator."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = ks.layers.BatchNorm(name="norm")

    def build(self, shapes):
        self.table = self.add_weight(shape=(NUM_CLASSES, 3), initializer="random_normal", name="table")
        self.norm.build((None, *SIZE, 3))

    def call(self, inputs, training=False):
        label_map, noise = inputs
        x = ops.take(self.table, label_map, axis=0) + 0.3 * noise[:, None, None, :3]
        return ops.tanh(self.norm(x, training=training))


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)
    label_map, noise = keras.Input(SIZE, dtype="int32"), keras.Input((4,))
    model = AdversarialModel(keras.Model([label_map, noise], Colours()([label_map, noise])))
    model.num_classes, model.ignore_class, model.image_size = NUM_CLASSES, 10, SIZE
    return model


@pytest.fixture(scope="module")
def features():
    image = keras.Input((None, None, 3))
    # JAX compiles a network of any size once
    x = keras.layers.Conv2D(6, 1, activation="relu", kernel_initializer=keras.initializers.RandomNormal(seed=0))(image)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x), name="features")


@pytest.fixture(scope="module")
def segmenter():
    image = keras.Input((None, None, 3))
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    return keras.Model(image, keras.layers.Conv2D(NUM_CLASSES, 1, kernel_initializer=initializer)(image), name="segmenter")


@pytest.fixture(scope="module")
def perceptual():
    image = keras.Input((*SIZE, 3))
    return keras.Model(image, [keras.layers.Identity()(image)], name="perceptual")


class Held(ArraySource):
    """Random items with fingerprints; counts how many photos were read."""

    reads = looks = 0

    def __init__(self, count, seed):
        random = np.random.default_rng(seed)
        photos = random.integers(0, 256, (count, 1, 1, 3)) * 0.5 + random.integers(0, 128, (count, 20, 30, 3))
        super().__init__(
            random.integers(0, NUM_CLASSES, (count, 20, 30)), photos.astype(np.uint8), num_classes=NUM_CLASSES, ignore_class=10
        )
        self.seed = seed

    def load_image(self, index):
        Held.reads += 1
        return super().load_image(index)

    def fingerprint(self, index):
        Held.looks += 1
        return f"{self.seed} {index}"

    image_fingerprint = fingerprint


VAL, TRAIN = Held(9, seed=0), Held(14, seed=1)


def batches(source, batch_size=4):
    return list(ks.data.paired_dataset(source, SIZE, batch_size, training=False))


@pytest.fixture(scope="module")
def images():
    """Real and generated images of the validation set, and training images, by the library's other ways."""
    return np.concatenate([image for image, _ in batches(VAL)]), np.concatenate([image for image, _ in batches(TRAIN)])


def vectors(features, images):
    return features.predict_on_batch(images.astype("float32"))


@pytest.fixture(scope="module")
def result(gan, features, segmenter, perceptual):
    ticks = []
    found = evaluate_protocol(
        gan,
        VAL,
        features=features,
        segmenter=segmenter,
        perceptual=perceptual,
        train=TRAIN,
        seed=3,
        batch_size=4,
        progress=lambda done, total: ticks.append((done, total)),
    )
    assert ticks[-1][0] == ticks[-1][1] and [done for done, _ in ticks] == sorted(done for done, _ in ticks)
    return found


def test_native_scores_are_those_of_the_parts(gan, features, segmenter, perceptual, images, result):
    val, train = images
    label_maps = np.concatenate([label_map for _, label_map in batches(VAL)])
    fake = gan.generate_floats(label_maps, seed=3)
    spread = train[np.arange(9) * 14 // 9]
    real, generated, baseline = (vectors(features, x) for x in (val, fake, spread))
    for scores, other in ((result["generated"], generated), (result["real"], baseline)):
        assert scores["frechet"] == pytest.approx(frechet_distance_of_features(real, other), rel=1e-4, abs=1e-9)
        kid = kernel_estimate(real, other)
        assert scores["kid"] == pytest.approx(kid.value, rel=1e-3, abs=1e-7)
        assert scores["kid_se"] == pytest.approx(kid.standard_error, rel=1e-3)
        assert (scores["precision"], scores["recall"]) == precision_recall(real, other)
    metric = GeneratedSegmentationScores(segmenter, ignore_class=10)
    metric.update_state(label_maps, val, fake)
    expected = metric.result()
    for name in ("miou", "fwiou", "pixel_accuracy"):
        assert result["generated"][name] == pytest.approx(expected[name], rel=1e-3)
        assert result["real"][name] == pytest.approx(expected[f"{name}_real"], rel=1e-3)
    per_class = metric.per_class()["miou"]
    assert [row["channel"] for row in result["per_class"]] == list(range(10))
    for row in result["per_class"]:
        assert row["labelled_pixels"] == (label_maps == row["channel"]).sum()
        iou = per_class[row["channel"]]
        assert row["generated"] == (None if np.isnan(iou) else pytest.approx(iou, rel=1e-2))
    diversity = Diversity(perceptual)
    diversity.update_generated(None, np.stack([gan.generate_floats(label_maps, 3 + k) for k in range(5)]))
    assert result["generated"]["diversity"] == pytest.approx(diversity.result()["diversity"], rel=1e-4)
    assert result["generated"]["diversity"] > 0.01
    assert result["real"]["diversity"] == pytest.approx(diversity.distances(val[1:], val[:-1]).mean(), rel=1e-4)


def test_scores_are_those_of_evaluate(gan, features, segmenter, result):
    scores = gan.evaluate(
        batches(VAL),
        seed=3,
        verbose=0,
        metrics=[ks.metrics.FrechetInceptionDistance(features), ks.metrics.GeneratedMeanIoU(segmenter, 10)],
    )
    assert result["generated"]["frechet"] == pytest.approx(scores["frechet"], rel=1e-4)
    assert result["generated"]["miou"] == pytest.approx(scores["miou"], rel=1e-3)
    assert result["real"]["miou"] == pytest.approx(scores["miou_real"], rel=1e-3)


class Contrast(ks.metrics.GenerationMetric):
    """A metric of one's own: the mean standard deviation of the images, and how often each side came in."""

    def __init__(self, name="contrast", draws=1):
        super().__init__(name)
        self.draws = draws
        self.reset_state()

    def reset_state(self):
        self.sides = {"real": [], "generated": []}

    def update_real(self, label_maps, images):
        assert images.dtype == np.uint8 or images.dtype == np.float32
        self.sides["real"].extend(ks.metrics.generation_metric.to_images(images, "images").std(axis=(1, 2, 3)))

    def update_generated(self, label_maps, images):
        assert images.shape[-4:] == (*label_maps.shape, 3)
        self.sides["generated"].extend(images.std(axis=(-3, -2, -1)).reshape(-1))

    def real_state(self):
        return {"real": np.array(self.sides["real"])}

    def load_real_state(self, state):
        self.sides["real"] = state["real"].tolist()

    def merge_state(self, others):
        for other in others:
            for side, values in self.sides.items():
                values.extend(other.sides[side])

    def result(self):
        return {self.name: float(np.mean(self.sides["generated"])), f"{self.name}_real": float(np.mean(self.sides["real"]))}


def test_a_metric_of_ones_own_joins_the_others(gan, segmenter, images, tmp_path):
    label_maps = np.concatenate([label_map for _, label_map in batches(VAL)])
    expected = gan.generate_floats(label_maps, seed=3).std(axis=(1, 2, 3)).mean()
    for _ in range(2):  # the state of its photos is not kept: nobody knows what it depends on
        own = [Contrast(), Contrast("varied", draws=2)]
        found = evaluate_protocol(gan, VAL, segmenter=segmenter, metrics=own, seed=3, batch_size=4, cache=tmp_path)
        assert found["generated"].keys() == {"miou", "fwiou", "pixel_accuracy", "contrast", "varied"}
        assert found["generated"]["contrast"] == pytest.approx(expected, rel=1e-4)
        assert found["real"]["contrast"] == pytest.approx(images[0].std(axis=(1, 2, 3)).mean(), rel=1e-4)
        assert found["counts"]["diversity_draws"] == 2 and len(own[1].sides["generated"]) == 18
    assert len(list(tmp_path.iterdir())) == 1
    assert "contrast" in evaluate_protocol(gan, VAL, metrics=[Contrast()])["generated"]


def test_evaluate_draws_as_many_images_as_a_metric_takes(gan, perceptual, result):
    metric, one = Diversity(perceptual, draws=5), Contrast()
    scores = gan.evaluate(batches(VAL), seed=3, verbose=0, metrics=[one, metric])
    for name in ("diversity", "diversity_se"):
        assert scores[name] == pytest.approx(result["generated"][name], rel=1e-4)
    assert scores["diversity_real"] == pytest.approx(result["real"]["diversity"], rel=1e-4)
    assert len(one.sides["generated"]) == 9


def test_photos_of_the_diversity_score_are_kept(gan, perceptual, tmp_path, result):
    for reads in (18, 9):  # one score's are kept, and the other reads them again
        Held.reads = 0
        found = evaluate_protocol(gan, VAL, perceptual=perceptual, metrics=[Contrast()], seed=3, batch_size=4, cache=tmp_path)
        assert Held.reads == reads
        assert found["real"]["diversity"] == pytest.approx(result["real"]["diversity"], rel=1e-4)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_result_says_what_it_depends_on(gan, features, result):
    again = json.loads(json.dumps(result, allow_nan=False))
    assert again.keys() == result.keys()
    assert result["protocol"]["sha256"] == get_protocol("native").sha256
    assert result["counts"] == {"real": 9, "generated": 9, "training": 9, "diversity_label_maps": 9, "diversity_draws": 5}
    assert len(set(result["weights"].values())) == 4 and all(len(value) == 64 for value in result["weights"].values())
    assert result["labels"]["label_ids"] == [*range(10), 255] and result["labels"]["ignored"] == 255
    assert {"backend", "keras", "keras-semisis", "numpy", "pillow"} <= result["versions"].keys()
    assert (result["seed"], result["image_size"], result["not_measured"]) == (3, [16, 24], {})
    assert result["data"]["images_sha256"] and result["data"]["label_maps_sha256"] and result["data"]["fingerprint"]
    bare = evaluate_protocol(gan, VAL.subset(range(3)), features=features, batch_size=2)
    assert bare["not_measured"].keys() == {
        "precision, recall",
        "distances of real images",
        "miou, fwiou, pixel_accuracy",
        "diversity",
    }
    assert "kid" in bare["generated"] and "precision" not in bare["generated"] and bare["real"] == {}
    assert "too few for 6 features" in bare["notes"][0]
    assert bare["data"]["label_maps_sha256"] != result["data"]["label_maps_sha256"]


def test_clean_sees_eight_bits_resized_outside_the_network(gan, features, images):
    protocol = dataclasses.replace(get_protocol("clean"), features="any")
    found = evaluate_protocol(gan, VAL, protocol, features=features, batch_size=4)
    label_maps = np.concatenate([label_map for _, label_map in batches(VAL)])

    def seen(x):
        return vectors(features, (pillow_bicubic_299(to_8_bit(x)) - 128) / 128)

    expected = frechet_distance_of_features(seen(images[0]), seen(gan.generate_floats(label_maps)))
    assert found["generated"]["frechet"] == pytest.approx(expected, rel=1e-4)


def test_floats_are_resized_in_the_range_of_eight_bits(features):
    """Where a protocol of one's own resizes images that it does not round: next to the rounded ones."""
    protocol = dataclasses.replace(get_protocol("clean"), features="any", eight_bit=False)
    images = from_8_bit(np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)) * np.float32(0.999)
    seen = ProtocolFeatures(features, protocol).seen(images, "images")
    np.testing.assert_allclose(seen, (pillow_bicubic_299(to_8_bit(images)) - 128) / 128, atol=0.02)


def test_published_one_restates_batch_statistics_and_sums_in_float32(gan, features, segmenter, images):
    """Batch norm over 51 training batches, and the model as it was afterwards."""
    protocol = dataclasses.replace(get_protocol("oasis2021"), features="any")
    before = gan.ema_generator.get_weights()
    found = evaluate_protocol(gan, VAL, protocol, features=features, segmenter=segmenter, train=TRAIN, batch_size=4, seed=1)
    for a, b in zip(before, gan.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    label_maps = np.concatenate([label_map for _, label_map in batches(VAL)])
    stored = gan.generate_floats(label_maps, seed=1)
    with gan.statistics_of(ks.data.paired_dataset(TRAIN, SIZE, 4, seed=1), 51):
        fake = gan.generate_floats(label_maps, seed=1)
    assert np.abs(fake - stored).max() > 0.05
    expected = frechet_distance_float32(vectors(features, images[0]), vectors(features, fake))
    assert found["generated"]["frechet"] == pytest.approx(expected, rel=1e-3)
    assert found["generator"]["statistics_batches"] == 51
    metric = GeneratedSegmentationScores(segmenter, ignore_class=10)
    metric.update_state(label_maps, images[0], from_8_bit(to_8_bit(fake)))
    assert found["generated"]["miou"] == pytest.approx(metric.result()["miou"], rel=1e-3)
    with pytest.raises(ValueError, match="re-estimated over 51 training batches: give train="):
        evaluate_protocol(gan, VAL, protocol, features=features)


def test_a_size_of_its_own_is_that_of_photos_and_of_images(gan, segmenter):
    found = evaluate_protocol(gan, VAL, segmenter=segmenter, image_size=(20, 30), batch_size=4)
    label_maps = np.stack([VAL.load_label_map(i) for i in range(len(VAL))])
    photos = from_8_bit(np.stack([VAL.load_image(i) for i in range(len(VAL))]))
    metric = GeneratedSegmentationScores(segmenter, ignore_class=10)
    metric.update_state(label_maps, photos, gan.generate_floats(label_maps))
    assert found["image_size"] == [20, 30]
    for name in ("miou", "pixel_accuracy"):
        assert found["generated"][name] == pytest.approx(metric.result()[name], rel=1e-3)
        assert found["real"][name] == pytest.approx(metric.result()[f"{name}_real"], rel=1e-3)


def test_an_unlike_training_set_leaves_biased_scores_out(gan, features):
    found = evaluate_protocol(gan, VAL, features=features, train=TRAIN.subset(range(8)), batch_size=4)
    assert found["real"].keys() == {"kid", "kid_std", "kid_se"}
    assert found["not_measured"]["fréchet distance, precision, recall of real images"].startswith("fewer training photos")


def test_real_statistics_are_cached_by_what_they_depend_on(gan, features, segmenter, tmp_path):
    val, train = Held(6, seed=2), Held(6, seed=3)

    def evaluate(source=val, **changed):
        Held.reads = Held.looks = 0
        arguments = {"features": features, "segmenter": segmenter, "train": train, "batch_size": 4, "cache": tmp_path}
        return evaluate_protocol(gan, source, **arguments | changed), Held.reads

    first, reads = evaluate()
    assert Held.looks == 24  # label maps and photos of both sources, once
    assert reads == 12 and len(list(tmp_path.iterdir())) == 3
    second, reads = evaluate(batch_size=3)
    assert reads == 0
    for which in ("generated", "real"):
        for name, value in first[which].items():
            assert second[which][name] == pytest.approx(value, rel=1e-3, abs=1e-6)
    assert second["data"]["images_sha256"] == first["data"]["images_sha256"]
    for changed, expected in (
        ({"protocol": dataclasses.replace(get_protocol("native"), version=2)}, 12),
        ({"source": Held(6, seed=4)}, 6),
        ({"segmenter": None}, 0),
    ):
        assert evaluate(**changed)[1] == expected, changed
    other = keras.models.clone_model(features)
    other.set_weights([w + 1.0 for w in features.get_weights()])
    assert evaluate(features=other, segmenter=None)[1] == 12
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:300])
    damaged, reads = evaluate()
    assert reads == 12 and damaged["real"]["frechet"] == pytest.approx(first["real"]["frechet"], rel=1e-6)
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="could not be kept"):
        evaluate(cache=tmp_path / "file")
    # without fingerprints nothing is kept
    arrays = ArraySource([np.zeros((16, 24), int)] * 4, num_classes=NUM_CLASSES, ignore_class=10)
    evaluate_protocol(gan, arrays, features=features, cache=tmp_path / "none", batch_size=4)
    assert not (tmp_path / "none").exists()


def operators(factor=127.5, turned=False, axis=(1, 2)):
    """A network of operators, layers without names, and networks inside."""
    image = keras.Input((8, 8, 3))
    inner_image = keras.Input((8, 8, 3))
    inner = keras.Model(inner_image, keras.layers.Conv2D(3, 1, kernel_initializer="ones")(inner_image))
    chain = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.ReLU()])
    x, y = inner(image * factor), chain(image)
    if turned:
        x, y = y, x
    return keras.Model(image, ops.mean(keras.layers.Dropout(0.5)(x - y)[..., :2], axis=axis))


def test_the_fingerprint_is_of_what_a_network_computes(tmp_path):
    network = operators()
    fingerprint = network_fingerprint(network)
    assert network_fingerprint(operators()) == fingerprint  # layers have other names
    for changed in ({"factor": 2.0}, {"turned": True}, {"axis": (2, 1)}):
        assert network_fingerprint(operators(**changed)) not in (None, fingerprint), changed
    network.compile("sgd", "mse")
    network.save(tmp_path / "network.keras")
    assert network_fingerprint(keras.saving.load_model(tmp_path / "network.keras")) == fingerprint
    chains = [
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation, kernel_initializer="ones")])
        for activation in ("relu", "relu", "tanh")
    ]
    same, again, other = map(network_fingerprint, chains)
    assert None is not same == again != other


@keras.saving.register_keras_serializable(package="keras_semisis_tests")
class Scaled(keras.Model):
    """A functional network that is made of one number."""

    def __init__(self, scale, name=None):
        image = keras.Input((4, 4, 3))
        super().__init__(image, keras.layers.Rescaling(scale)(image), name=name)

    def get_config(self):
        return {}


def test_the_fingerprint_of_a_subclass():
    one, same, other = (network_fingerprint(Scaled(scale)) for scale in (1, 1, 2))
    assert None is not one == same != other
    assert network_fingerprint(lambda image: image) is None


class OwnLPIPS(LPIPS):
    """The distance of LPIPS on another network."""

    def __init__(self, feature_model):
        GenerationMetric.__init__(self, "lpips")
        self.feature_model = feature_model


def test_distances_of_two_kinds_on_one_network_are_kept_apart(gan, perceptual, tmp_path):
    for judge in (perceptual, OwnLPIPS(perceptual)):
        found = evaluate_protocol(gan, Held(4, seed=5), perceptual=judge, batch_size=4, cache=tmp_path)["real"]
        assert found == evaluate_protocol(gan, Held(4, seed=5), perceptual=judge, batch_size=4)["real"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "nothing to measure with"),
        (
            {"protocol": "clean", "features": "any"},
            'fixes the feature network.*pt_inception-2015-12-05-6726825d.pth.*the protocol "native"',
        ),
        ({"protocol": "paper", "features": "any"}, "protocol='paper'"),
        ({"source": VAL.subset([]), "features": "any"}, "empty"),
        ({"source": ArraySource([np.zeros((4, 4), int)], num_classes=5), "features": "any"}, "has 11 classes, the data 5"),
        ({"source": VAL.subset([0]), "features": "any"}, "at least 2 images"),
        (
            {"source": ArraySource([np.full((4, 4), 10)] * 2, num_classes=11, ignore_class=10), "segmenter": "any"},
            "No labelled pixel counts",
        ),
        ({"features": "any", "batch_size": 0}, "batch_size=0: expected 1 or more"),
        (
            {"features": "any", "train": ArraySource([np.zeros((4, 4), int)] * 2, num_classes=5)},
            "11 classes, the training photos 5 classes",
        ),
        (
            {"source": ArraySource([np.zeros((4, 4), int)] * 2, num_classes=11), "segmenter": "any"},
            r"class 10 as don't-care, the data have none.*with ignore_class=10\.",
        ),
        (
            {"source": ArraySource([np.zeros((4, 4), int)] * 2, num_classes=11, ignore_class=0), "segmenter": "any"},
            "class 10 as don't-care, the data have class 0",
        ),
        ({"segmenter": lambda images: np.full((*images.shape[:3], NUM_CLASSES), np.nan)}, "not a number"),
    ],
)
def test_mistakes_are_named(gan, features, segmenter, arguments, message):
    networks = {"features": features, "segmenter": segmenter}
    arguments = {name: networks[name] if value == "any" else value for name, value in arguments.items()}
    with pytest.raises((ValueError, DataError), match=message):
        evaluate_protocol(gan, **{"source": VAL} | arguments)


@pytest.mark.parametrize("protocol", ["native", "clean"])
def test_a_generator_without_numbers_has_no_score(gan, features, protocol):
    """Which 8 bits would take for black."""
    before = gan.ema_generator.get_weights()
    gan.ema_generator.set_weights([np.full_like(weight, np.nan) for weight in before])
    try:
        with pytest.raises(ValueError, match="generator returns values that are not finite"):
            evaluate_protocol(
                gan,
                VAL,
                dataclasses.replace(get_protocol(protocol), features="any"),
                features=lambda images: images.mean(axis=(1, 2)),
            )
    finally:
        gan.ema_generator.set_weights(before)


class Wrapped(keras.Model):
    """A subclassed model, which has neither inputs nor outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, images):
        return self.model(images)


def test_any_keras_model_judges(gan, features, segmenter, tmp_path):
    expected = evaluate_protocol(gan, VAL, features=features, segmenter=segmenter, batch_size=4)["generated"]
    for wrap in (lambda model: keras.Sequential(model.layers), Wrapped):
        found = evaluate_protocol(gan, VAL, features=wrap(features), segmenter=wrap(segmenter), batch_size=4, cache=tmp_path)
        assert found["generated"] == pytest.approx(expected, rel=1e-4, abs=1e-6)
        # what a subclass computes nobody knows: it is not cached
        assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(ValueError, match="fixes the feature network"):
        evaluate_protocol(gan, VAL, "clean", features=Wrapped(features))
