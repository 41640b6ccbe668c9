"""Sets of Hugging Face's `datasets`: small ones, made here."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, HuggingFace, LabelSpace, class_statistics, paired_dataset
from keras_semisis.data.labels.label_space import uncolored_label_space
from keras_semisis.options.layout import Layout
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.further_data import further_sources
from keras_semisis.recipes.known_data import label_space_of
from keras_semisis.recipes.sources import open_data
from tests.cli.command import call

datasets = pytest.importorskip("datasets", reason="needs the extra keras-semisis[datasets]")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

SPACE = LabelSpace(["sky", "road", "car"], [(0, 128, 255), (90, 90, 90), (200, 0, 0)])


def encoded(array, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(file, kind)
    return {"bytes": file.getvalue(), "path": None}


def photo(i):
    return np.full((4, 6, 3), 10 * i, np.uint8)


def ids(i):
    return np.full((4, 6), i % 3, np.uint8)


def dataset(number, image="image", label="annotation", first=0, **more):
    columns = {
        image: [encoded(photo(first + i)) for i in range(number)],
        label: [encoded(ids(first + i)) for i in range(number)],
        "title": [f"t{i}" for i in range(number)],
        **more,
    }
    features = {name: datasets.Value("string") if name == "title" else datasets.Image() for name in columns}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    root = tmp_path_factory.mktemp("hf") / "set"
    datasets.DatasetDict({"train": dataset(12), "validation": dataset(2, first=20), "test": dataset(3)}).save_to_disk(root)
    return root


@pytest.mark.parametrize(
    ("image", "label"),
    [("image", "label"), ("pixel_values", "mask"), ("photo", "annotation"), ("picture", "segmentation"), ("img", "classes")],
)
def test_columns_of_usual_names(image, label):
    source = HuggingFace(dataset(3, image, label))
    assert len(source) == 3 and source.label_space.num_classes == 3
    for i in range(3):
        loaded = source.load(i)
        np.testing.assert_array_equal(loaded[0], photo(i))
        np.testing.assert_array_equal(loaded[1], ids(i))


def test_columns_that_are_given():
    data = dataset(3, "left", "right", mask=[encoded(ids(0))] * 3)
    source = HuggingFace(data, image="left", label="right", label_space=SPACE)
    assert source.load(2)[1].max() == 2 and source.label_space == SPACE
    with pytest.raises(ValueError, match=r"not clear which column holds the photos.*left, right, title, mask.*image="):
        HuggingFace(data)
    with pytest.raises(ValueError, match=r"no column 'up'; its columns are left, right"):
        HuggingFace(data, image="up")
    with pytest.raises(ValueError, match=r"which of the columns right, other holds the label maps\. Name it by label="):
        HuggingFace(dataset(2, "image", "right", other=[encoded(ids(0))] * 2))


def test_indices_that_change_their_color_under_classes_without_colors():
    def indexed(palette):
        image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
        image.putpalette(palette)
        file = io.BytesIO()
        image.save(file, "PNG")
        return {"bytes": file.getvalue(), "path": None}

    columns = {"image": [encoded(photo(1))] * 2, "label": [indexed([0, 0, 0, 255, 0, 0]), indexed([0, 0, 0, 0, 255, 0])]}
    data = datasets.Dataset.from_dict(columns, features=datasets.Features({name: datasets.Image() for name in columns}))
    source = HuggingFace(data, label_space=uncolored_label_space(["sky", "road"]))
    assert source.load_label_map(0).tolist() == [[0, 1]]
    with pytest.raises(DataError, match=r"example 1, label: its index 1 has the color .* but in .*example 0"):
        source.load_label_map(1)


def test_label_maps_are_read_as_those_of_files():
    columns = {
        "image": [encoded(photo(1))] * 3,
        "label": [encoded(SPACE.colorize(ids(2))), encoded(ids(1), "JPEG"), encoded(np.full((4, 6), 255))],
    }
    data = datasets.Dataset.from_dict(columns, features=datasets.Features({name: datasets.Image() for name in columns}))
    source = HuggingFace(data, label_space=SPACE)
    np.testing.assert_array_equal(source.load_label_map(0), ids(2))
    with pytest.raises(DataError, match="example 1, label: this label map is a JPEG"):
        source.load_label_map(1)
    with pytest.raises(DataError, match=r"example 2, label: label id 255 \(24 pixels\)"):
        source.load_label_map(2)
    assert HuggingFace(data, label_space=SPACE, ignore_class=255).load_label_map(2).max() == 3
    assert HuggingFace(data, label_space=SPACE, id_map={255: 1}).load_label_map(2).max() == 1
    assert source.label_map_bytes(0) == columns["label"][0]["bytes"]


def test_files_that_a_set_names(tmp_path):
    for name, array in (("a.png", photo(3)), ("a_mask.png", ids(2))):
        Image.fromarray(array).save(tmp_path / name)
    data = datasets.Dataset.from_dict({"image": [str(tmp_path / "a.png")], "mask": [str(tmp_path / "a_mask.png")]})
    source = HuggingFace(data.cast_column("image", datasets.Image()).cast_column("mask", datasets.Image()), label_space=SPACE)
    np.testing.assert_array_equal(source.load(0)[1], ids(2))
    (tmp_path / "a_mask.png").unlink()
    with pytest.raises(DataError, match=r"a_mask\.png: the file has gone"):
        source.load(0)


def test_label_maps_that_are_arrays():
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Array2D((4, 6), "int32")})
    data = datasets.Dataset.from_dict({"image": [encoded(photo(0))], "label": [ids(2).astype("int32")]}, features=features)
    source = HuggingFace(data, label="label", label_space=SPACE)
    np.testing.assert_array_equal(source.load(0)[1], ids(2))
    assert source.label_map_bytes(0) is None
    with pytest.raises(ValueError, match=r"'label' holds arrays and does not name its classes. Give label_space="):
        HuggingFace(data, label="label")


def test_photos_alone():
    source = HuggingFace(dataset(2).remove_columns("annotation"))
    assert source.label_space is None and source.load_image(1).tolist() == photo(1).tolist()
    with pytest.raises(ValueError, match="photos alone"):
        source.load_label_map(0)


def test_an_example_without_a_label_map():
    columns = {"image": [encoded(photo(0))], "label": [None]}
    data = datasets.Dataset.from_dict(columns, features=datasets.Features({name: datasets.Image() for name in columns}))
    with pytest.raises(DataError, match=r"example 0: there is nothing in the column 'label'\. Filter such examples out"):
        HuggingFace(data, label_space=SPACE).load(0)


def test_splits(saved):
    assert [len(HuggingFace(str(saved), split)) for split in ("train", "val", "validation", "testing")] == [12, 2, 2, 3]
    assert HuggingFace(saved, "val").load_image(1)[0, 0, 0] == 210
    opened = datasets.load_from_disk(str(saved))
    assert len(HuggingFace(opened, "val")) == 2
    with pytest.raises(DataError, match=r"there is no split 'north'; its splits are train, validation, test"):
        HuggingFace(opened, "north")


def test_what_is_no_such_set(tmp_path):
    with pytest.raises(TypeError, match="a stream cannot be read by index"):
        HuggingFace(dataset(2).to_iterable_dataset())
    with pytest.raises(TypeError, match="HuggingFace\\(data=a int\\)"):
        HuggingFace(3)
    with pytest.raises(ValueError, match="nothing: this set cannot be opened by the library datasets"):
        HuggingFace(tmp_path / "nothing")


def test_batches_and_statistics(tmp_path):
    source = HuggingFace(dataset(6))
    image, label_map = next(iter(paired_dataset(source, (4, 6), 6, training=False)))
    np.testing.assert_array_equal(label_map, [ids(i) for i in range(6)])
    assert image.shape == (6, 4, 6, 3)
    assert np.asarray(class_statistics(source, tmp_path / "cache.npz")).sum(axis=0).tolist() == [48, 48, 48]


def test_pictures_in_files_are_told_by_their_files(tmp_path):
    paths = {"image": tmp_path / "photo.png", "label": tmp_path / "ids.png"}
    Image.fromarray(photo(0)).save(paths["image"])
    Image.fromarray(ids(0)).save(paths["label"])
    columns = {name: [str(path)] for name, path in paths.items()}
    data = datasets.Dataset.from_dict(columns, features=datasets.Features({name: datasets.Image() for name in columns}))

    def state():
        source = HuggingFace(data, label_space=SPACE)
        return source.fingerprint(0), source.image_fingerprint(0)

    before = state()
    assert state() == before
    Image.fromarray(ids(1)).save(paths["label"])
    assert state()[0] != before[0] and state()[1] == before[1]
    paths["image"].unlink()
    with pytest.raises(DataError, match=r"photo\.png"):
        state()


# On the command line


def test_the_command_line_reads_it(saved):
    train, val = open_data(f"hf:{saved}", (4, 6))
    assert (len(train), len(val)) == (12, 2) and val.label_space is train.label_space
    assert (
        len(
            open_data(
                f"hf:{saved}?image=image&label=annotation", (4, 6), layout=Layout(train_split="train", validation_split="test")
            ).val
        )
        == 3
    )
    assert label_space_of(f"hf:{saved}").num_classes == 3
    assert "class 2" in call("classes", f"hf:{saved}")
    datasets.DatasetDict({"train": dataset(2, "left", "right")}).save_to_disk(saved.parent / "two")
    assert 'Name one, and that of the label maps, by "?image=NAME&label=NAME" after the name.' in call(
        "check", "--data", f"hf:{saved.parent / 'two'}", code=1
    )
    with pytest.raises(ValueError, match="expected hf:NAME"):
        open_data(f"hf:{saved}?columns=a", (4, 6))
    with pytest.raises(DataError, match="there is no split 'north'"):
        open_data(f"hf:{saved}", (4, 6), layout=Layout(validation_split="north"))


def test_a_set_without_a_validation_split_keeps_a_tenth(tmp_path):
    datasets.DatasetDict({"train": dataset(12), "test": dataset(3)}).save_to_disk(tmp_path / "set")
    train, val = open_data(f"hf:{tmp_path / 'set'}", (4, 6))
    assert (len(train), len(val)) == (10, 2)  # never the test split


def test_the_range_of_photos_of_few_bits(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6), 2048, "uint16")).save(file, "PNG")
    columns = {"image": [{"bytes": file.getvalue(), "path": None}] * 2, "label": [encoded(ids(0)), encoded(ids(1))]}
    data = datasets.Dataset.from_dict(columns, features=datasets.Features({name: datasets.Image() for name in columns}))
    with pytest.raises(DataError, match=r"image_range=\(0, 4095\)"):
        HuggingFace(data).load_image(0)
    source = HuggingFace(data, image_range=(0, 4095))
    assert source.load_image(0).tolist() == np.full((4, 6, 3), 128).tolist()
    assert source.image_bytes(0) is None  # a pack holds what the range makes of it
    assert source.image_fingerprint(0) != HuggingFace(data).image_fingerprint(0)
    datasets.DatasetDict({"train": data, "validation": data}).save_to_disk(tmp_path / "set")
    for part in open_data(f"hf:{tmp_path / 'set'}", (4, 6), image_range=(0, 4095), id_map=("1=2",)):
        assert part.load_image(0).max() == 128 and part.load_label_map(1).max() == 2


def further(saved, space, data="folder:PATH", **options):
    return further_sources(TrainSettings(data, "", **options), space)


def test_as_validation_and_unpaired_data(saved, tmp_path):
    for i in range(3):
        for folder, array in (("images", photo(i)), ("labels", ids(i))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / folder / f"{i}.png")
    data = f"folder:{tmp_path}"
    train, val = open_data(data, (4, 6), validation_data=f"hf:{saved}")
    assert (len(train), len(val)) == (3, 2) and val.load_image(0).max() == 200
    with pytest.raises(ValueError, match="12 of its 12 photos are among those to train on"):
        open_data(f"hf:{saved}", (4, 6), validation_data=f"hf:{saved}?split=train")
    val = open_data(data, (4, 6), validation_data=f"hf:{saved}?split=test", id_map=("2=0",)).val
    assert len(val) == 3 and val.load_label_map(2).max() == 0
    images, labels = further(
        saved,
        train.label_space,
        data,
        unpaired_images=f"hf:{saved}",
        unpaired_labels=f"hf:{saved}?split=validation&label=annotation",
        id_map=("0=1",),
    )
    assert (len(images), len(labels), images.label_space) == (12, 2, None)
    assert images.load_image(3).max() == 30 and [labels.load_label_map(i).max() for i in (0, 1)] == [2, 1]
    with pytest.raises(ValueError, match="unpaired"):
        images.load(0)


def test_classes_of_further_data_must_be_the_same(tmp_path):
    label = datasets.Sequence(datasets.Sequence(datasets.ClassLabel(names=["road", "sky", "car"])))
    data = datasets.Dataset.from_dict(
        {"image": [encoded(photo(1))], "label": [ids(1).tolist()]},
        features=datasets.Features({"image": datasets.Image(), "label": label}),
    )
    datasets.DatasetDict({"train": data}).save_to_disk(tmp_path / "set")
    text = f"hf:{tmp_path / 'set'}?label=label"
    with pytest.raises(DataError, match=r"The classes of --unpaired-labels hf:.* are not those of --data folder:PATH"):
        further(tmp_path, SPACE, unpaired_labels=text)
    _, labels = further(tmp_path, LabelSpace(["road", "sky", "car"], SPACE.palette), unpaired_labels=text)
    assert labels.load_label_map(0).tolist() == ids(1).tolist()


def test_the_label_space_of_a_model_reads_a_set(saved):
    space = label_space_of(f"hf:{saved}").with_ids({2: 0})
    for part in open_data(f"hf:{saved}", (4, 6), label_space=space, id_map=("1=2",)):
        assert part.label_space.id_map == {2: 0, 1: 2}
    train = open_data(f"hf:{saved}", (4, 6), label_space=space).train
    assert [int(train.load_label_map(i).max()) for i in range(3)] == [0, 1, 0]


def test_the_label_space_of_a_model_reads_a_set_that_names_its_classes(tmp_path):
    label = datasets.Sequence(datasets.Sequence(datasets.ClassLabel(names=["sky", "road", "car"])))
    data = datasets.Dataset.from_dict(
        {"image": [encoded(photo(i)) for i in range(3)], "label": [ids(i).tolist() for i in range(3)]},
        features=datasets.Features({"image": datasets.Image(), "label": label}),
    )
    datasets.DatasetDict({"train": data, "validation": data}).save_to_disk(tmp_path / "set")
    text = f"hf:{tmp_path / 'set'}?label=label"

    def read(space):
        return [int(open_data(text, (4, 6), label_space=space).val.load_label_map(i).max()) for i in range(3)]

    own = open_data(text, (4, 6)).train.label_space
    assert read(own.with_ids({2: 0})) == [0, 1, 0]
    # the rule of a benchmark is that of its files, whose ids are others
    assert read(LabelSpace(SPACE.class_names, SPACE.palette, id_map={7: 0, 8: 1, 9: 2}, all_ids=True)) == [0, 1, 2]
    with pytest.raises(DataError, match="are not those of the model"):
        read(LabelSpace(["road", "sky", "car"], SPACE.palette))


def test_a_set_that_was_saved_by_itself_is_one_split(tmp_path):
    dataset(12).save_to_disk(tmp_path / "set")
    train, val = open_data(f"hf:{tmp_path / 'set'}", (4, 6))
    assert (len(train), len(val)) == (10, 2)
    photos = [{part.load_image(i).max() for i in range(len(part))} for part in (train, val)]
    assert not photos[0] & photos[1]
    for split in ("test", "train[:50%]"):
        with pytest.raises(DataError, match="its splits are train"):
            HuggingFace(tmp_path / "set", split)
    datasets.Dataset.from_dict({"image": [], "label": []}, split="validation")
    named = datasets.Dataset(dataset(10).data, datasets.DatasetInfo(features=dataset(1).features), split="validation")
    named.save_to_disk(tmp_path / "ten")
    with pytest.raises(DataError, match="its splits are validation"):
        open_data(f"hf:{tmp_path / 'ten'}", (4, 6))
    train, val = open_data(f"hf:{tmp_path / 'ten'}", (4, 6), layout=Layout(train_split="validation"))
    assert (len(train), len(val)) == (8, 2)
    with pytest.raises(ValueError, match="this is the split that is trained on"):
        open_data(f"hf:{tmp_path / 'ten'}", (4, 6), layout=Layout(train_split="validation", validation_split="valid"))


def test_ignored_ids_of_validation_data_that_name_their_classes(tmp_path):
    stored = [ids(1).tolist() for _ in range(12)]
    stored[3][0][0] = 255  # which the library does not check where a set is read
    sequence = datasets.Sequence
    plain, named = (
        datasets.Features({"image": datasets.Image(), "label": sequence(sequence(label))})
        for label in (datasets.Value("int64"), datasets.ClassLabel(names=["sky", "road", "car"]))
    )
    data = datasets.Dataset.from_dict({"image": [encoded(photo(1))] * 12, "label": stored}, features=plain)
    data = datasets.Dataset(data.data, datasets.DatasetInfo(features=named))
    text, others = (f"hf:{tmp_path / name}?label=label" for name in ("set", "others"))
    data.save_to_disk(tmp_path / "set")
    data.select(range(6)).save_to_disk(tmp_path / "others")
    val = open_data(text, (4, 6), ignore_class=255, validation_data=f"{others}&split=train").val
    assert val.label_space.ignore_class == 3 and val.load_label_map(3)[0].tolist() == [3, 1, 1, 1, 1, 1]
