"""Sets of TensorFlow Datasets: the known ones by TFDS's mock data, others by a small set on disk."""

import importlib.resources
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_semisis.data import ADE20K, TFDS, Cityscapes, DataError, LabelSpace, class_statistics, paired_dataset
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.further_data import further_sources
from keras_semisis.recipes.sources import open_data
from tests.cli.command import call

# tensorflow-datasets 4.9.10 imports it when it prepares a set, without requiring it; Python's own does as well
sys.modules.setdefault("importlib_resources", importlib.resources)
tfds = pytest.importorskip("tensorflow_datasets")

SPACE = LabelSpace(["sky", "road", "car"], [(0, 128, 255), (90, 90, 90), (200, 0, 0)])


def examples(number, label):
    rng = np.random.default_rng(0)
    for i in range(number):
        yield i, {"photo": rng.integers(0, 256, (8, 12, 3)).astype(np.uint8), "ids": label(i, rng)}


def ids(i, rng):
    return np.full((8, 12, 1), i % 3, np.uint8)


def store(data_dir, label=ids, features=None, file_format="array_record", splits=("train", "validation"), name="streets"):
    """A prepared set on disk, as `download_and_prepare` leaves it."""
    features = features or tfds.features.FeaturesDict(
        {
            "photo": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "ids": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
        }
    )
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=features,
        data_dir=data_dir,
        file_format=file_format,
        disable_shuffling=True,
        split_datasets={split: list(examples(6, label)) for split in splits},
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("tfds")
    store(data_dir)
    return data_dir


def open_streets(data_dir, split="train", **options):
    return TFDS("streets", split, data_dir, **({"image": "photo", "label": "ids", "label_space": SPACE} | options))


# A set on disk


def test_a_prepared_set_is_read_by_index(prepared):
    source = open_streets(prepared)
    assert len(source) == 6 and source.label_space is SPACE
    expected = [example for _, example in examples(6, ids)]
    for i in (5, 0, 3):
        image, classes = source.load(i)
        np.testing.assert_array_equal(image, expected[i]["photo"])
        np.testing.assert_array_equal(classes, expected[i]["ids"][..., 0])
        np.testing.assert_array_equal(source.load_image(i), image)
    assert len({source.name(i) for i in range(6)}) == len({source.fingerprint(i) for i in range(6)}) == 6
    assert source.fingerprint(0) != open_streets(prepared, label="photo").fingerprint(0)  # other label maps
    assert len(open_streets(prepared, "val")) == 6 and len(open_streets(prepared, "train[:50%]")) == 3


def test_threads_may_read_a_set_together(prepared):
    source = open_streets(prepared)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(source.load_label_map, list(range(6)) * 20))
    assert [int(classes[0, 0]) for classes in read] == [0, 1, 2, 0, 1, 2] * 20
    assert np.asarray(class_statistics(source)).sum(axis=0).tolist() == [192, 192, 192]


def test_batches_of_a_prepared_set(prepared):
    batches = paired_dataset(open_streets(prepared), (4, 6), 3, sampler="rare_classes")
    image, classes = next(iter(batches))
    assert image.shape == (3, 4, 6, 3) and set(np.unique(classes)) <= {0, 1, 2}


def test_stray_ids_of_a_set_are_named(prepared):
    with pytest.raises(DataError, match=r"streets/1.0.0, example 2 of train: label id 2 \(96 pixels\)"):
        open_streets(prepared, label_space=LabelSpace(["a", "b"], [(0, 0, 0), (1, 1, 1)])).load_label_map(2)
    assert open_streets(prepared, id_map={2: 0}).load_label_map(2).max() == 0


def test_ids_and_the_dont_care_id_of_a_set(prepared):
    source = open_streets(prepared, id_map={2: 0}, ignore_class=1)
    assert source.label_space.ignore_class == 1 and source.load_label_map(2).max() == 0
    void = open_streets(prepared, ignore_class=255)
    assert void.label_space.class_names[3:] == ("void",) and void.label_space.ignore_class == 3
    assert void.fingerprint(0) != open_streets(prepared).fingerprint(0)


def test_colors_and_names_of_a_set(tmp_path):
    features = tfds.features.FeaturesDict(
        {
            "photo": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "ids": tfds.features.LabeledImage(labels=["sky", "road"], shape=(None, None, 1), encoding_format="png"),
        }
    )
    store(tmp_path / "a", lambda i, rng: np.full((8, 12, 1), i % 2, np.uint8), features, splits=("train",))
    source = open_streets(tmp_path / "a", label_space=None)
    assert source.label_space.class_names == ("sky", "road") and source.load_label_map(1).max() == 1
    features = tfds.features.FeaturesDict(
        {
            "photo": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "ids": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
        }
    )
    store(tmp_path / "b", lambda i, rng: SPACE.colorize(np.full((8, 12), i % 3)), features, splits=("train",))
    assert open_streets(tmp_path / "b").load_label_map(2).tolist() == np.full((8, 12), 2).tolist()


def test_a_damaged_record_is_named(tmp_path):
    store(tmp_path, lambda i, rng: rng.integers(0, 3, (8, 12, 1)).astype(np.uint8), splits=("train",))
    path = next(tmp_path.rglob("*.array_record*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : 2 * len(content) // 3] = bytes(len(content) // 3)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"streets/1.0.0|not prepared|no examples"):
        source = open_streets(tmp_path)
        for i in range(6):
            source.load(i)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            dict(image=None),
            ValueError,
            r"not known which feature is the photo\. Its features are ids, photo\. Name that of the photo by image=",
        ),
        (dict(label="mask"), ValueError, "no feature 'mask'.*Name that of the label map by label="),
        (dict(label_space=None), ValueError, "does not name its classes. Give label_space="),
        (dict(split="nights"), DataError, "no examples of split 'nights'.*it has train, validation"),
        (dict(split="test"), DataError, "it has train, validation"),
    ],
)
def test_what_cannot_be_read_is_named(prepared, options, error, words):
    with pytest.raises(error, match=words):
        open_streets(prepared, **options)


def test_sets_that_are_missing_or_not_for_random_access(tmp_path):
    with pytest.raises(ValueError, match="'nosuchset' is no set of TensorFlow Datasets"):
        TFDS("nosuchset")
    with pytest.raises(DataError, match=r"cityscapes.*the set is not prepared. Run once:.*array_record"):
        TFDS("cityscapes", data_dir=tmp_path)
    store(tmp_path, file_format="tfrecord", splits=("train",))
    with pytest.raises(DataError, match=r"streets.*prepared as tfrecord files.*in order only.*array_record"):
        open_streets(tmp_path)


# The known sets


@pytest.mark.parametrize("split", ["train", "val"])
def test_cityscapes_by_mock_data(split):
    label = np.resize(np.array([*range(34), 255], np.uint8), (1024, 2048, 1))
    example = {"image_left": np.ones((1024, 2048, 3), np.uint8), "segmentation_label": label}
    with tfds.testing.mock_data(as_data_source_fn=lambda builder, split, **options: [example] * 3):
        source = TFDS("cityscapes", split)
        assert (len(source), source.label_space) == (3, Cityscapes.label_space)
        assert (source.published_image_size, source.published_load_size) == ((256, 512), None)
        image, classes = source.load(1)
    assert image.shape == (1024, 2048, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(classes, np.where(label == 255, 34, label)[..., 0])
    assert source.name(1) == f"{'train' if split == 'train' else 'validation'}/00000001"


def test_cityscapes_refuses_ids_that_it_has_not():
    """The mock data of TFDS are random pixels of the sizes that the set has."""
    with tfds.testing.mock_data(num_examples=1), pytest.raises(DataError, match=r"label id 34.*its ids are -1\.\.33, 255"):
        TFDS("cityscapes").load(0)


def mocked(*arrays):
    """Mock data of given images and annotations."""
    return tfds.testing.mock_data(
        as_data_source_fn=lambda builder, split, **options: [
            {"image": image, "annotation": annotation} for image, annotation in arrays
        ]
    )


def test_scene_parse150_by_mock_data():
    """Red is one of 100 classes with instances, green the instance: 1 is bed, the eighth of the 150 classes."""
    annotation = np.zeros((4, 5, 3), np.uint8)
    annotation[0, :3, 0] = (1, 58, 100)
    annotation[..., 1] = 7
    with mocked((np.zeros((4, 5, 3), np.uint8), annotation)):
        source = TFDS("scene_parse150", "val")
        assert (len(source), source.label_space, source.name(0)) == (1, ADE20K.label_space, "test/00000000")
        _, classes = source.load(0)
        mapped = TFDS("scene_parse150", "val", id_map={1: 2}).load(0)[1]
    assert mapped[0].tolist() == [2, *classes[0, 1:]]
    names = [ADE20K.label_space.class_names[i] for i in classes[0]]
    assert names == ["bed", "television receiver", "flag", "unknown", "unknown"] and not classes[1:].any()
    assert (source.published_image_size, source.published_load_size) == ((256, 256), (286, 286))


def test_scene_parse150_refuses_other_annotations():
    with (
        mocked((np.zeros((4, 5, 3), np.uint8), np.full((4, 5, 3), 150, np.uint8))),
        pytest.raises(DataError, match=r"label id 150 .* its ids are 0\.\.100"),
    ):
        TFDS("scene_parse150").load(0)


def test_photo_and_label_map_of_other_sizes_are_refused():
    with (
        mocked((np.zeros((5, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))),
        pytest.raises(DataError, match=r"the image is 5×4.*its label map 4×5.*EXIF"),
    ):
        TFDS("scene_parse150").load(0)


def test_gray_photos_become_rgb():
    with mocked((np.full((4, 5, 1), 9, np.uint8), np.zeros((4, 5, 3), np.uint8))):
        assert TFDS("scene_parse150").load_image(0).tolist() == np.full((4, 5, 3), 9).tolist()


def test_known_names():
    assert TFDS.known == {"cityscapes": Cityscapes, "scene_parse150": ADE20K}


def test_as_validation_and_unpaired_data():
    annotation = np.zeros((4, 5, 3), np.uint8)
    annotation[..., 0] = 1
    text = "tfds:scene_parse150"
    with mocked(*[(np.full((4, 5, 3), 10 * i, np.uint8), annotation) for i in range(3)]):
        settings = TrainSettings("ade20k:PATH", "", unpaired_images=text, unpaired_labels=f"{text}?split=test")
        images, labels = further_sources(settings, ADE20K.label_space)
        assert images.load_image(2).max() == 20 and images.label_space is None and len(labels) == 3
        assert labels.load_label_map(0).max() == ADE20K.label_space.class_names.index("bed")
        assert labels.name(0) == "test/00000000" and images.name(0) == "train/00000000"
        with pytest.raises(DataError, match=r"The classes of --validation-data tfds:scene_parse150 are not those of --data"):
            open_data("synthetic:4", (32, 32), validation_data=text)
        with pytest.raises(ValueError, match=r"expected tfds:NAME, or, quoted, tfds:NAME\?image=NAME&label=NAME&data_dir=PATH"):
            open_data(f"{text}?column=a", (32, 32))


def test_the_label_space_of_a_model_reads_a_set(tmp_path):
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "label": tfds.features.LabeledImage(labels=["sky", "road", "car"], shape=(None, None, 1)),
        }
    )
    data = [{"image": np.zeros((8, 12, 3), np.uint8), "label": ids(i, None)} for i in range(3)]
    tfds.dataset_builders.store_as_tfds_dataset(
        name="named",
        version="1.0.0",
        features=features,
        data_dir=tmp_path,
        file_format="array_record",
        disable_shuffling=True,
        split_datasets={split: list(enumerate(data)) for split in ("train", "validation")},
    )
    text = f"tfds:named?image=image&label=label&data_dir={tmp_path}"
    own = open_data(text, (8, 12)).train.label_space
    for space, read in ((own.with_ids({2: 0}), [0, 1, 0]), (own.with_void().with_ids({2: 3}), [0, 1, 3])):
        for part in open_data(text, (8, 12), label_space=space):
            assert part.label_space.class_names == space.class_names
            assert [int(part.load_label_map(i).max()) for i in range(3)] == read
    with pytest.raises(DataError, match="are not those of the model"):
        open_data(text, (8, 12), label_space=LabelSpace(["road", "sky", "car"], SPACE.palette))


def test_features_and_folder_on_the_command_line(prepared):
    def refused(text):
        return call("check", "--data", text, code=1)

    place = f"tfds:streets?data_dir={prepared}"
    assert 'Name that of the photo by "?image=NAME" after the name.' in refused(place)
    assert 'Name that of the label map by "?label=NAME" after the name.' in refused(f"{place}&image=photo&label=mask")
    unnamed = refused(f"{place}&image=photo&label=ids")
    assert "does not name its classes. or write" not in unnamed and "label_space" not in unnamed
    assert "a folder of images and labels, with a classes.csv" in unnamed
