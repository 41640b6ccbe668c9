"""How data lie: splits, suffixes and what is not read, on the command line."""

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.options.layout import Layout
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import further_data, known_data, sources
from keras_semisis.recipes.training_data import open_training_data
from tests.cli.command import call
from tests.data.sources.test_benchmarks import ade20k_tree, cityscapes_tree, label_map, train_extra


def write(path, value, photo):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3) if photo else (8, 8), value, "uint8")).save(path)


def write_split(root, form, split, number):
    for i in range(number):
        write(root / form.format(kind="images", split=split) / f"{split}{i}.png", i, True)
        write(root / form.format(kind="labels", split=split) / f"{split}{i}.png", i % 2, False)


def names(source):
    return sorted(source.name(i) for i in range(len(source)))


def opened(root, **layout):
    return sources.open_data(f"folder:{root}", (8, 8), layout=Layout(**layout))


@pytest.mark.parametrize("form", ["{kind}/{split}", "{split}/{kind}"])
@pytest.mark.parametrize(
    ("splits", "trained", "validated"),
    [
        ({"train": 2, "valid": 1}, "train", "valid"),
        ({"train": 2, "validation": 1}, "train", "validation"),
        ({"training": 2, "validation": 1}, "training", "validation"),
        ({"train": 2, "val": 1, "test": 3}, "train", "val"),
    ],
)
def test_splits_of_usual_names(tmp_path, told, form, splits, trained, validated):
    for split, number in splits.items():
        write_split(tmp_path, form, split, number)
    train, val = opened(tmp_path)
    assert names(train) == [f"{trained}0", f"{trained}1"] and names(val) == [f"{validated}0"]
    assert ("not used: " in told()) == ("test" in splits)


@pytest.mark.parametrize("form", ["{kind}/{split}", "{split}/{kind}"])
def test_a_test_split_is_not_validated_on_unless_it_is_named(tmp_path, told, form):
    write_split(tmp_path, form, "train", 10)
    write_split(tmp_path, form, "test", 3)
    train, val = opened(tmp_path)
    assert (len(train), len(val)) == (8, 2) and names(train) + names(val) != names(val)
    assert all(name.startswith("train") for name in names(train) + names(val))
    unused = "images/test, labels/test" if form.startswith("{kind}") else "test"
    assert f"{tmp_path}: not used: {unused}. --train-split" in told()
    train, val = opened(tmp_path, validation_split="test")
    assert (len(train), names(val)) == (10, ["test0", "test1", "test2"])
    assert "not used" not in told()


def test_splits_of_other_names(tmp_path, told):
    for split in ("north", "south", "west"):
        write_split(tmp_path, "{kind}/{split}", split, 2)
    assert len(opened(tmp_path).train) == 4  # no usual names: towns, which are read together
    train, val = opened(tmp_path, train_split="north", validation_split="south")
    assert names(train) == ["north0", "north1"] and names(val) == ["south0", "south1"]
    assert "not used: images/west, labels/west." in told()
    with pytest.raises(DataError, match=r"has the splits north, south, west, but no split 'east'. Name one by --train-split"):
        opened(tmp_path, train_split="east")
    with pytest.raises(ValueError, match="validation_split='north': this is the split that is trained on"):
        opened(tmp_path, train_split="north", validation_split="north")


def test_splits_of_which_none_is_for_training(tmp_path):
    write_split(tmp_path, "{kind}/{split}", "test", 2)
    write_split(tmp_path, "{kind}/{split}", "val", 2)
    with pytest.raises(DataError, match=r"has the splits test, val, but none to train on. Name one by --train-split"):
        opened(tmp_path)
    write_split(tmp_path, "{kind}/{split}", "train", 2)
    write_split(tmp_path, "{kind}/{split}", "validation", 2)
    with pytest.raises(DataError, match="both val and validation may be the split 'val'"):
        opened(tmp_path)
    assert names(opened(tmp_path, validation_split="val").val) == ["val0", "val1"]


def test_photos_and_label_maps_that_do_not_belong_together(tmp_path):
    write(tmp_path / "images" / "a.png", 0, True)
    write(tmp_path / "labels" / "b.png", 0, False)
    output = call("train", "--data", f"folder:{tmp_path}", "--output", tmp_path / "run", code=1)
    assert "or name them as unpaired data by --unpaired-images PATH --unpaired-labels PATH." in output
    assert "Folder(" not in output


def test_a_validation_split_without_label_maps_is_not_used(tmp_path, told):
    write_split(tmp_path, "{kind}/{split}", "train", 10)
    write(tmp_path / "images" / "val" / "a.png", 0, True)
    write(tmp_path / "unlabeled" / "b.png", 0, True)
    train, val = opened(tmp_path)
    assert (len(train), len(val)) == (8, 2)
    assert f"{tmp_path}: not used: unlabeled, images/val. --train-split" in told()


def test_a_folder_without_splits_beside_others(tmp_path, told):
    write_split(tmp_path, "{kind}", "x", 10)
    write(tmp_path / "test" / "b.png", 0, True)
    (tmp_path / "notes").mkdir()
    train, val = opened(tmp_path)
    assert (len(train), len(val)) == (8, 2)
    assert f"{tmp_path}: not used: test. --train-split" in told()


def test_validation_data_with_splits(tmp_path):
    write_split(tmp_path / "one", "{kind}", "x", 3)
    for split in ("train", "val", "test"):
        write_split(tmp_path / "two", "{kind}/{split}", split, 2)

    def validated(**layout):
        data = [f"folder:{tmp_path / name}" for name in ("one", "two")]
        return names(sources.open_data(data[0], (8, 8), validation_data=data[1], layout=Layout(**layout)).val)

    assert validated() == ["val0", "val1"] and validated(validation_split="test") == ["test0", "test1"]
    for kind in ("images", "labels"):
        (tmp_path / "two" / kind / "val").rename(tmp_path / "two" / kind / "other")
    with pytest.raises(DataError, match="two: this folder has the splits other, test, train, but none to validate with"):
        validated()


def test_suffixes(tmp_path):
    (tmp_path / "classes.csv").write_text("id,name\n0,sky\n1,road\n")
    for i in range(10):
        write(tmp_path / "images" / f"{i}_sat.png", 0, True)
        for kind in ("fine", "coarse"):
            write(tmp_path / "labels" / f"{i}_{kind}.png", kind == "fine", False)
    with pytest.raises(DataError, match=r"10 photos .* end in '_coarse' and in '_fine'.*label_suffix='_fine'"):
        opened(tmp_path)
    with pytest.warns(UserWarning, match="10 such files"):
        pair = opened(tmp_path, image_suffix="_sat", label_suffix="_fine.png")
    assert (len(pair.train), len(pair.val), pair.val.load_label_map(0).max()) == (8, 2, 1)
    with pytest.raises(ValueError, match="--label-suffix: for folder:PATH, but --data is synthetic"):
        sources.open_data("synthetic", (8, 8), layout=Layout(label_suffix="_fine"))


def test_splits_of_a_benchmark_can_be_named(tmp_path):
    ade20k_tree(tmp_path, [label_map(1), label_map(2)])
    data = f"ade20k:{tmp_path}"
    train, val = sources.open_data(data, (8, 8), layout=Layout(train_split="val", validation_split="train"))
    assert names(train)[0].startswith("ADE_val") and names(val)[0].startswith("ADE_train")
    with pytest.raises(ValueError, match="split='north'"):
        sources.open_data(data, (8, 8), layout=Layout(train_split="north"))


def unpaired(root, images=None, labels=None, data=None):
    """The unpaired photos and label maps of a training on all pairs."""
    data = data or f"cityscapes:{root}"
    options = TrainSettings(
        data, "x", ratio=1.0, unpaired_images=images and str(images), unpaired_labels=labels and str(labels)
    )
    return further_data.training_sources(options, sources.open_data(data, (8, 8)).train)[1:]


@pytest.fixture(scope="module")
def cityscapes(tmp_path_factory):
    root = tmp_path_factory.mktemp("cityscapes")
    cityscapes_tree(root, [label_map(7), label_map(8)])
    train_extra(root, 5, lacking=1)
    return root


@pytest.mark.parametrize("form", ["{root}/{folder}", "folder:{root}/{folder}", "cityscapes:{root}:train_extra"])
def test_further_data_of_cityscapes(cityscapes, form):
    """Colors and instances lie beside the label maps."""
    images, labels = unpaired(
        cityscapes,
        form.format(root=cityscapes, folder="leftImg8bit/train_extra"),
        form.format(root=cityscapes, folder="gtCoarse/train_extra"),
    )
    assert (len(images), len(labels)) == (5, 4)
    np.testing.assert_array_equal(labels.load_label_map(3), label_map(7, 4))


def test_label_maps_in_a_folder_have_the_rule_of_the_benchmark(cityscapes, tmp_path):
    write(tmp_path / "mine" / "a.png", 1, False)
    with pytest.raises(DataError, match=r"mine: no image files named \*_labelIds found"):
        unpaired(cityscapes, labels=tmp_path / "mine")
    write(tmp_path / "mine" / "a_labelTrainIds.png", 1, False)
    with pytest.raises(DataError, match=r"mine: there are \*_labelTrainIds but no \*_labelIds"):
        unpaired(cityscapes, labels=tmp_path / "mine")


def test_label_maps_in_a_folder_beside_other_files(cityscapes, tmp_path):
    write_split(tmp_path, "{kind}", "x", 3)
    data = f"folder:{tmp_path}"
    with pytest.warns(UserWarning, match=r"_(color|instanceIds)\.png: no label map by its name, and left out \(8 such files\)"):
        _, labels = unpaired(cityscapes, labels=cityscapes / "gtCoarse", data=data)
    assert len(labels) == 4 and all(name.endswith("_labelIds") for name in names(labels))
    for i in range(3):
        write(tmp_path / "more" / f"{i}.jpg", i, True)
        write(tmp_path / "more" / f"{i}_mask.png", i, False)
    with pytest.warns(UserWarning, match=r"0_mask\.png: no photo by its name, and left out of the photos \(3 such files\)"):
        images, _ = unpaired(cityscapes, images=tmp_path / "more", data=data)
    assert names(images) == ["0", "1", "2"]
    with pytest.warns(UserWarning, match=r"0\.jpg: no label map by its name, and left out \(3 such files\)"):
        _, labels = unpaired(cityscapes, labels=tmp_path / "more", data=data)
    assert names(labels) == ["0_mask", "1_mask", "2_mask"]


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ("cityscapes:{}", None, r"--unpaired-images cityscapes:.*: expected cityscapes:PATH:SPLIT, .*train_extra, test"),
        (None, "cityscapes:{}:test", r"--unpaired-labels cityscapes:.*SPLIT, with one of the splits train, val, train_extra\."),
        (None, "camvid:{}:train", r"classes of --unpaired-labels are not those of --data"),
    ],
)
def test_further_data_that_cannot_be_used(cityscapes, tmp_path, images, labels, words):
    write(tmp_path / "trainannot" / "a.png", 1, False)
    where = tmp_path if labels and "camvid" in labels else cityscapes
    with pytest.raises(ValueError, match=words):
        unpaired(cityscapes, images and images.format(where), labels and labels.format(where))


def test_the_options_reach_what_reads(tmp_path):
    write_split(tmp_path, "{kind}/{split}", "train", 4)
    for command in (
        ["pack", f"folder:{tmp_path}", tmp_path / "packed"],
        ["check", "--data", f"folder:{tmp_path}"],
        ["train-segmenter", "--data", f"folder:{tmp_path}"],
        ["train", "--data", f"folder:{tmp_path}", "--output", tmp_path / "run"],
    ):
        assert "but no split 'north'. Name one by --validation-split" in call(*command, "--validation-split", "north", code=1)
        assert "but no split 'west'" in call(*command, "--train-split", "west", code=1)
        assert "ends in '_x'; there is train0.png, for example. Correct --image-suffix" in call(
            *command, "--image-suffix", "_x", code=1
        )
        assert "ends in '_y'; there is train0.png, for example. Correct --label-suffix" in call(
            *command, "--label-suffix", "_y", code=1
        )
    options = dict(train_split="a", validation_split="b", image_suffix="c", label_suffix="d")
    settings = TrainSettings("folder:x", "y", **options)
    assert isinstance(settings, Layout) and {name: getattr(settings, name) for name in options} == options
    assert settings.of_folder == Layout(**options).of_folder


def test_classes_of_a_folder_whose_photos_and_label_maps_lie_together(tmp_path):
    for i in range(3):
        write(tmp_path / "train" / f"{i}.png", i, True)
        write(tmp_path / "train" / f"{i}_mask.png", i, False)
    assert known_data.label_space_of(f"folder:{tmp_path}").num_classes == 3


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        ("synthetic:4", {"id_map": ("255=0",)}, r"^--id-map 255=0: --data synthetic:4 has no use for it, since the scenes"),
        (
            "synthetic:4",
            {"ignore_class": 3},
            r"^--ignore-class 3: --data synthetic:4 has no use for it.*folder, hf and tfds\.$",
        ),
        ("synthetic:4", {"image_range": (0, 4095)}, r"^--image-range 0:4095: .*Leave it out; it is for folder and hf\.$"),
        ("camvid:nowhere", {"id_map": ("1=2", "3=4")}, r"^--id-map 1=2 3=4: .*a benchmark are read is known"),
        ("records:nowhere", {"image_range": (0, 1)}, r"^--image-range 0:1: .*`keras-semisis pack`"),
        ("tfds:nothing", {"image_range": (0, 1)}, r"^--image-range 0:1: .*its photos have 8 bits"),
    ],
)
def test_options_that_data_have_no_use_for_are_refused(data, options, words):
    with pytest.raises(ValueError, match=words):
        sources.open_data(data, (32, 32), **options)


def test_options_may_be_for_other_data_than_those_of_the_training(tmp_path):
    write_split(tmp_path, "{kind}/{split}", "train", 2)
    write(tmp_path / "labels" / "train" / "train1.png", 200, False)
    space = known_data.label_space_of("synthetic")
    (tmp_path / "classes.csv").write_text(
        "id,name,r,g,b\n" + "".join(f"{i},{name},{i},0,0\n" for i, name in enumerate(space.class_names))
    )
    assert known_data.unused_options("synthetic", None, ("200=7",), unpaired_labels=f"{tmp_path}/labels") == {}
    train, val = sources.open_data(
        "synthetic:4", (32, 32), space.ignore_class, ("200=7",), f"folder:{tmp_path}", layout=Layout(validation_split="train")
    )
    assert len(train) == 4 and val.load_label_map(1).max() == 7


def test_classes_of_data_that_have_no_use_for_an_option():
    assert "--ignore-class 3: --data cityscapes has no use" in call("classes", "cityscapes", "--ignore-class", 3, code=1)
    assert "traffic sign" in call("classes", "synthetic", "--ignore-class", 10)  # the one that it has


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("prefixes", "options"),
    [
        (("img_", "mask_"), {}),
        (("image", "label"), {}),
        (("north_", "south_"), {"image_prefix": "north_", "label_prefix": "south_"}),
    ],
)
def test_names_that_differ_in_a_prefix(tmp_path, prefixes, options, together):
    for i in range(3):
        write(tmp_path / ("" if together else "images") / f"{prefixes[0]}{i}.png", 10 * i, True)
        write(tmp_path / ("" if together else "labels") / f"{prefixes[1]}{i}.png", i, False)
    train, val = opened(tmp_path, **options)
    assert sorted(names(train) + names(val)) == ["0", "1", "2"]
    for source in (train, val):
        for i in range(len(source)):
            image, label_map = source.load(i)
            assert image.max() == 10 * label_map.max() == 10 * int(source.name(i))
    if options:
        with pytest.raises(DataError, match="photo"):
            opened(tmp_path)
        with pytest.raises(DataError, match=r"no file has a name that begins with 'x_'; there is .* Correct label_prefix="):
            opened(tmp_path, label_prefix="x_")


def test_photos_and_label_maps_by_themselves_are_told_by_prefixes(tmp_path):
    for i in range(2):
        write(tmp_path / f"img_{i}.png", 10 * i, True)
        write(tmp_path / f"mask_{i}.png", i, False)
    with pytest.warns(DataWarning, match=r"mask_0\.png: no photo by its name, and left out"):
        assert names(Folder(tmp_path, images=".", labels=None)) == ["img_0", "img_1"]
    with pytest.warns(DataWarning, match=r"img_0\.png: no label map by its name, and left out"):
        assert names(Folder(tmp_path, images=None, labels=".")) == ["mask_0", "mask_1"]
    assert names(Folder(tmp_path, images=None, labels=".", label_prefix="mask_")) == ["0", "1"]


def test_prefixes_on_the_command_line(tmp_path):
    for i in range(3):
        write(tmp_path / "images" / f"north_{i}.png", 10 * i, True)
        write(tmp_path / "labels" / f"south_{i}.png", i, False)
    options = ("--image-prefix", "north_", "--label-prefix", "south_")
    assert "All files can be used" in call("check", "--data", f"folder:{tmp_path}", *options)
    assert "--image-prefix and --label-prefix: for folder:PATH, but --data is synthetic. Leave them out." in call(
        "check", "--data", "synthetic", *options, code=1
    )
    assert "the prefixes by --image-prefix VALUE --label-prefix VALUE" in call("check", "--data", f"folder:{tmp_path}", code=1)


@pytest.fixture
def voc(tmp_path):
    """Pascal VOC: label maps of 0 to 9, of which 0 to 7 are in lists; 10 to 12 are photos alone, and 12 is one of the test."""
    for i in range(13):
        write(tmp_path / "JPEGImages" / f"2007_{i:06d}.jpg", i, True)
        if i < 10:
            write(tmp_path / "SegmentationClass" / f"2007_{i:06d}.png", i % 2, False)
        write(tmp_path / "SegmentationObject" / f"2007_{i:06d}.png", i % 2, False)
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    for split, listed in (("train", range(5)), ("val", range(5, 8)), ("trainval", range(8)), ("test", [12])):
        (tmp_path / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("".join(f"2007_{i:06d}\n" for i in listed))
    return tmp_path


def numbers(source):
    return sorted(int(name[-6:]) for name in names(source))


def test_splits_of_pascal_voc(voc, told):
    train, val = opened(voc)
    assert (numbers(train), numbers(val)) == ([0, 1, 2, 3, 4], [5, 6, 7])
    assert numbers(train.unpaired_images) == [10, 11] and val.unpaired_images is None and train.unpaired_labels is None
    printed = told()
    assert "the other 2 are unpaired photos" in printed and "not used" not in printed  # SegmentationObject has instance maps
    assert all(source.load(0)[1].shape == (8, 8) for source in (train, val))
    with pytest.raises(DataError, match=r"has the splits train, val, test, which are not read as one\. Name one by split="):
        Folder(voc)
    assert numbers(Folder(voc, "val")) == [5, 6, 7] and numbers(Folder(voc, "val", images=None)) == [5, 6, 7]
    assert known_data.label_space_of(str(voc)).num_classes == 2


def test_training_on_trainval_of_pascal_voc_never_validates_on_it(voc):
    train, val = opened(voc, train_split="trainval")
    assert sorted(numbers(train) + numbers(val)) == [*range(8)] and len(val) == 2
    with pytest.raises(ValueError, match=r"validation_split='val': 3 of its names are trained on, such as 2007_000005"):
        opened(voc, train_split="trainval", validation_split="val")


def test_lists_of_pascal_voc_that_are_wrong(voc):
    with pytest.raises(DataError, match=r"test\.txt: it names 2007_000012, of which there is no pair with a photo \(1 of 1"):
        Folder(voc, "test")
    path = voc / "ImageSets" / "Segmentation" / "train.txt"
    path.write_text("/JPEGImages/2007_000001.jpg /SegmentationClassAug/2007_000001.png\n\n2007_000003 1\n")
    assert numbers(Folder(voc, "train")) == [1, 3]
    path.write_text("\n")
    with pytest.raises(DataError, match=r"train\.txt: this list of names is empty"):
        Folder(voc, "train")


def test_unpaired_photos_that_are_those_of_the_validation_are_told(tmp_path, told):
    for i in range(11):
        write(tmp_path / "data" / "images" / f"{i}.png", 10 * i, True)
        write(tmp_path / "data" / "labels" / f"{i}.png", i % 2, False)
        write(tmp_path / "more" / f"m{i}.png", 10 * i + 5, True)
    data = f"folder:{tmp_path / 'data'}"
    held_out = sources.open_data(data, (8, 8)).val.name(0)

    def printed(ratio):
        open_training_data(
            TrainSettings(data, str(tmp_path / "run"), image_size=(8, 8), unpaired_images=f"{tmp_path}/more", ratio=ratio)
        )
        return told()

    assert "for validation" not in printed(1)
    (tmp_path / "more" / "m3.png").write_bytes((tmp_path / "data" / "images" / f"{held_out}.png").read_bytes())
    expected = f"1 unpaired photos of the training are among the 2 for validation, such as {tmp_path}/more/m3.png"
    assert expected in printed(1) and expected in printed(0.5)


def test_label_maps_beside_a_folder_of_another_task(tmp_path):
    for split in ("train", "val"):
        for i in range(3):
            write(tmp_path / "images" / split / f"{split}{i}.png", i, True)
            write(tmp_path / "masks" / split / f"{split}{i}.png", i % 2, False)
            boxes = tmp_path / "labels" / split / f"{split}{i}.txt"
            boxes.parent.mkdir(parents=True, exist_ok=True)
            boxes.write_text("0 0.5 0.5 0.1 0.1")
    train, val = opened(tmp_path)
    assert (len(train), len(val)) == (3, 3) and train.load_label_map(1).max() == 1


def test_the_split_that_is_trained_on_validates_under_no_other_name(tmp_path):
    write_split(tmp_path, "{split}/{kind}", "valid", 10)
    write_split(tmp_path, "{split}/{kind}", "test", 3)
    train, val = opened(tmp_path, train_split="valid")
    assert (len(train), len(val)) == (8, 2) and not {*names(train)} & {*names(val)}
    with pytest.raises(ValueError, match="this is the split that is trained on"):
        opened(tmp_path, train_split="valid", validation_split="val")


@pytest.mark.parametrize("photo_format", ["jpg", "png"])
def test_what_lies_beside_photos_in_their_folder_is_no_photo(tmp_path, photo_format):
    """Colors, instances, second masks and what else is named as a photo and a suffix, of labeled photos and of others."""
    ends = {"_labelIds": 2, "_color": 3, "_instanceIds": 3, "_mask_1": 1, "_heat": 2}
    for i in range(4):
        write(tmp_path / f"s{i}.{photo_format}", i, True)
        for end, number in ends.items():
            if i < number:
                write(tmp_path / f"s{i}{end}.png", i % 2, False)
    with pytest.warns(UserWarning, match=r"its name is that of another photo and a suffix.*passed over \(\d+ such files\)"):
        source = Folder(tmp_path)
    assert names(source) == ["s0", "s1"] and names(source.unpaired_images) == ["s2", "s3"]
    with pytest.warns(UserWarning, match=r"no photo by its name, and left out of the photos"):
        photos = Folder(tmp_path, images=".", labels=None)
    # what only the label map of its photo tells is kept, since here there are none
    assert {"s0", "s1", "s2", "s3"} <= {*names(photos)} <= {"s0", "s1", "s2", "s3", "s0_heat", "s1_heat"}


@pytest.mark.parametrize("ends", [("{}.png", "{}_mask.png"), ("{}.jpg", "{}.png")])
@pytest.mark.parametrize("splits", [False, True])
def test_photos_beside_their_label_maps_in_subfolders(tmp_path, told, ends, splits):
    for split, number in (("train", 10), ("val", 2), ("test", 3)):
        for i in range(number):
            for end, is_photo in zip(ends, (True, False), strict=True):
                name = end.format(f"{split}{i}")
                write(tmp_path / (f"{split}/patient{i % 2}" if splits else f"patient{i % 2}") / name, i % 2, is_photo)
    train, val = opened(tmp_path)
    if splits:
        assert (len(train), len(val)) == (10, 2) and all("train" in name for name in names(train))
        assert "not used: test" in told()
        write(tmp_path / "overview.png", 0, True)
        assert names(opened(tmp_path)[0]) == names(train)
    else:
        assert len(train) + len(val) == 15
    assert all(name.split("/")[0].startswith("patient") for name in names(train))


def test_subfolders_that_may_be_splits_are_told(tmp_path, told):
    write_split(tmp_path, "{kind}/{split}", "train2017", 5)
    write_split(tmp_path, "{kind}/{split}", "val2017", 5)
    train, val = opened(tmp_path)
    assert len(train) + len(val) == 10
    assert (
        "train2017 and val2017 are read as one. If they are splits, give --train-split train2017 --validation-split val2017."
        in (told())
    )
    train, val = opened(tmp_path, train_split="train2017", validation_split="val2017")
    assert (len(train), len(val)) == (5, 5) and "read as one" not in told()
    for town in ("bonn", "trainsville"):
        write_split(tmp_path / "towns", "{kind}/{split}", town, 3)
    opened(tmp_path / "towns")
    assert "read as one" not in told()
