"""Data sets of the user's own, and data that cannot be read, in fit, evaluate and generate."""

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis.callbacks import Checkpoint, resume
from keras_semisis.data import DataError
from tests.conftest import not_on_jax
from tests.gans.test_adversarial import only
from tests.gans.tiny import CLASSES, SIZE, Scenes, batches, tiny_gan

(IMAGES, LABELS), (OTHER_IMAGES, OTHER_LABELS) = batches(1)[0]


@pytest.fixture(scope="module")
def gan():
    return only(tiny_gan(), "discriminator")


def changed(array, position, value):
    array = array.copy()
    array[position] = value
    return array


@pytest.mark.parametrize(
    ("paired", "unpaired", "words"),
    [
        ((IMAGES / 2 + 0.5, LABELS), (IMAGES, LABELS), "paired_ds: .*as if from 0 to 1"),
        ((IMAGES, LABELS), (IMAGES, LABELS[..., None]), "unpaired_ds: label maps are"),
        ((IMAGES, LABELS), (IMAGES, changed(LABELS, 0, -1)), "unpaired_ds: label id -1"),
    ],
)
@pytest.mark.parametrize("form", [tuple, lambda arrays: [arrays]], ids=["arrays", "list"])
def test_wrong_data_are_refused_and_the_model_is_as_before(gan, form, paired, unpaired, words):
    """On JAX Keras has taken the values out of the variables when it asks for the first batch."""
    before = gan.generate(LABELS)
    with pytest.raises(DataError, match=words):
        gan.fit(form(paired), form(unpaired), steps_per_epoch=2, verbose=0)
    np.testing.assert_array_equal(gan.generate(LABELS), before)


def test_generate_and_evaluate_refuse_ids_that_are_no_classes(gan):
    for stray in (255, CLASSES, -1):
        with pytest.raises(DataError, match=rf"generate: label id {stray} \(1 pixel\)"):
            gan.generate(changed(LABELS, (0, 0, 0), stray))
        with pytest.raises(DataError, match=f"evaluate: label id {stray}"):
            gan.evaluate(IMAGES, changed(LABELS, (0, 0, 0), stray), metrics=[Seen()])
    with pytest.raises(DataError, match=r"evaluate: .*as if from 0 to 255"):
        gan.evaluate(IMAGES * 127.5 + 127.5, LABELS, metrics=[Seen()])
    for wrong in (LABELS[..., None], LABELS[0, ..., None], np.eye(CLASSES)[LABELS], np.eye(CLASSES)[LABELS[0]]):
        with pytest.raises(DataError, match=r"class ids is expected. .*label_map = label_map(\[\.\.\., 0\]|\.argmax\(-1\))"):
            gan.generate(wrong)


def test_segment_refuses_photos_of_another_range(gan):
    assert gan.segment(np.rint(IMAGES * 127.5 + 127.5).astype("uint8")).shape == LABELS.shape
    for photos, words in (
        (IMAGES / 2 + 0.5, "as if from 0 to 1"),
        (IMAGES * 127.5 + 127.5, "as if from 0 to 255"),
        (IMAGES[..., :1], "three channels"),
    ):
        with pytest.raises(DataError, match=f"segment: photos are .*{words}"):
            gan.segment(photos)


class Seen:
    """A metric that keeps what it is given."""

    name = "seen"

    def reset_state(self):
        self.images = []

    def update_state(self, label_map, image, generated):
        self.images.append(image)

    def result(self):
        return {"seen": float(sum(map(len, self.images)))}


@pytest.mark.filterwarnings("ignore:.*a resume is not exact")
def test_a_data_loader_of_pytorch_trains_and_scores(gan):
    torch = pytest.importorskip("torch")
    tensors = torch.from_numpy(np.moveaxis(IMAGES, 3, 1).copy()), torch.from_numpy(LABELS.astype("int64"))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*tensors), batch_size=2)
    steps = gan.step
    gan.fit(loader, loader, steps_per_epoch=3, initial_step=0, verbose=0)
    assert gan.step == steps + 3
    seen = Seen()
    assert gan.evaluate(loader, metrics=[seen], verbose=0) == {"seen": len(IMAGES)}
    np.testing.assert_array_equal(np.concatenate(seen.images), IMAGES)


def test_evaluate_converts_photos_of_every_form_alike(gan):
    photos, metric = np.rint(IMAGES * 127.5 + 127.5).astype("uint8"), Seen()
    for data in [(photos, LABELS)], [((photos, LABELS),)], [[(photos, LABELS)]]:
        assert gan.evaluate(*data, metrics=[metric], batch_size=3, verbose=0) == {"seen": 4}
        np.testing.assert_allclose(np.concatenate(metric.images), photos / 127.5 - 1, atol=1e-6)


@not_on_jax
def test_arrays_train_as_they_are_in_keras():
    keras.utils.set_random_seed(0)
    oasis = ks.OASIS(
        CLASSES,
        SIZE,
        generator=ks.models.oasis_generator(CLASSES, SIZE, base_channels=1, hidden_channels=2, noise_channels=2, num_blocks=2),
        discriminator=ks.models.oasis_discriminator(CLASSES, SIZE, channels=(4, 4), final_channels=4),
    )
    oasis.compile(statistics_batches=1, run_eagerly=True)
    oasis = only(oasis, "discriminator")
    photos = np.rint(IMAGES * 127.5 + 127.5).astype("uint8")
    history = oasis.fit(photos, LABELS, batch_size=2, verbose=0).history
    assert oasis.step == 2 and np.isfinite(history["discriminator/real"]).all()


@pytest.mark.parametrize("ignore", [-1, CLASSES])
def test_a_dont_care_class_that_is_no_class_is_refused(ignore):
    with pytest.raises(ValueError, match=f"ignore_class={ignore} .*num_classes={CLASSES + 1}, ignore_class={CLASSES}"):
        tiny_gan(compile=False, ignore_class=ignore)
    with pytest.raises(ValueError, match="must be one of the class ids"):
        ks.losses.SegmentationLoss(ignore_class=-1)


class BadFrom(Scenes):
    """Scenes of which the last cannot be read."""

    def load_label_map(self, index):
        if index == self.count - 1:
            raise DataError(f"{self.name(index)}.png: label id 255 found.")
        return super().load_label_map(index)


def sets(paired, batch_size):
    return (
        ks.data.paired_dataset(paired, SIZE, batch_size),
        ks.data.unpaired_dataset(Scenes(4, seed=1), Scenes(4, seed=2), SIZE, batch_size),
    )


@not_on_jax
def test_a_file_that_cannot_be_read_ends_training_in_order_and_is_saved(tmp_path):
    paired, unpaired = sets(BadFrom(6), 1)
    readable = next(k for k in range(6) if 5 in paired._lanes[0].indices(np.array([k]), False))
    assert readable > 0
    gan = only(tiny_gan(), "discriminator")
    with pytest.raises(DataError, match=r"0-5\.png"):
        gan.fit(paired, unpaired, steps_per_epoch=10, verbose=0, callbacks=[Checkpoint(tmp_path, every=100)])
    resumed, step = resume(tmp_path)
    assert gan.step == step == readable
    start = tiny_gan(compile=False).discriminator.get_weights()
    assert not all(map(np.array_equal, start, resumed.discriminator.get_weights()))
    for ours, other in zip(resumed.discriminator.get_weights(), gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, other)


@not_on_jax
def test_a_checkpoint_does_not_fail_because_of_a_file_that_training_has_not_drawn(tmp_path):
    seeds = (ks.data.unpaired_dataset(Scenes(6, seed=1), BadFrom(6), SIZE, 1, seed=seed) for seed in range(50))
    unpaired = next(data for data in seeds if data._lanes[1].indices(np.arange(6), False)[5] == 5)  # the last to be drawn
    gan = tiny_gan(compile=False)
    gan.compile(statistics_batches=6, run_eagerly=True)
    only(gan, "discriminator")
    with pytest.warns(UserWarning, match=r"1 of the first 6 batches cannot (.|\n)*draws them:\n  .*: label id 255 found"):
        gan.fit(
            ks.data.paired_dataset(Scenes(4), SIZE, 1),
            unpaired,
            steps_per_epoch=1,
            verbose=0,
            callbacks=[Checkpoint(tmp_path, every=1)],
        )
    assert unpaired.error is None and (tmp_path / "last.keras").is_file()
    assert len(gan._calibration.label_maps()) == 5


def test_classes_of_the_data_are_those_of_the_model():
    space = ks.data.LabelSpace(["a", "b"], [(0, 0, 0), (1, 1, 1)])
    other = [Scenes(4), Scenes(4, seed=2)]
    for source in other:
        source.label_space = space
    data = (ks.data.paired_dataset(other[0], SIZE, 2), ks.data.unpaired_dataset(Scenes(4, seed=1), other[1], SIZE, 2))
    with pytest.raises(DataError, match="paired_ds: its label maps have 2 classes, but the model has 5"):
        tiny_gan().fit(*data, verbose=0)


@not_on_jax
def test_a_data_set_of_keras_hears_of_every_epoch(gan):
    told = []

    class Told(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return IMAGES, LABELS

        def on_epoch_end(self):
            told.append(True)

    gan.fit(Told(), (OTHER_IMAGES, OTHER_LABELS), epochs=3, verbose=0)
    assert len(told) == 3
