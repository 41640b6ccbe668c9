import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder, LabelSpace

SPACE = LabelSpace(["sky", "road", "car"], [(0, 128, 255), (90, 90, 90), (200, 0, 0)], ignore_class=None)
IDS = np.array([[0, 0, 1], [2, 1, 1]], np.uint8)


def write(path, array, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(array))
    (image.convert(mode) if mode else image).save(path)


def write_pair(root, name="a", label=IDS, image=None, suffix=".png"):
    write(root / "images" / f"{name}{suffix}", np.zeros((2, 3, 3), np.uint8) if image is None else image)
    write(root / "labels" / f"{name}.png", label)


def names(source):
    return [source.name(i) for i in range(len(source))]


def test_pairs_are_matched_by_name_whatever_the_suffix(tmp_path):
    for name, suffix, value in (("b", ".jpg", 1), ("a", ".PNG", 0), ("town/a", ".webp", 2)):
        write_pair(tmp_path, name, np.full((2, 3), value, np.uint8), suffix=suffix)
    (tmp_path / "labels" / "notes.txt").write_text("not an image")
    (tmp_path / "labels" / "._b.png").write_text("left behind by another system")
    source = Folder(tmp_path, label_space=SPACE)
    assert [source.name(i) for i in range(3)] == ["a", "b", "town/a"]
    assert [int(source.load(i)[1].max()) for i in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("layout", ["images/{split}", "{split}/images"])
def test_splits_in_either_layout(tmp_path, layout):
    for split in ("train", "val"):
        folder = layout.format(split=split)
        write(tmp_path / folder / f"{split}.png", np.zeros((2, 3, 3), np.uint8))
        write(tmp_path / folder.replace("images", "labels") / f"{split}.png", IDS)
    source = Folder(tmp_path, split="val", label_space=SPACE)
    assert len(source) == 1 and source.name(0) == "val"


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/ISIC_{}.jpg", "labels/ISIC_{}_segmentation.png"),
        ("images/p{}.jpg", "labels/p{}.jpg.png"),
        ("images/IMG_{}.jpg", "labels/img_{}.png"),
        ("base/cmp_{}.jpg", "base/cmp_{}.png"),
        ("train/p{}_jpg.rf.0a.jpg", "train/p{}_jpg.rf.0a_mask.png"),
        ("train/{}_sat.jpg", "train/{}_mask.png"),
        ("both/{}_sat.png", "both/{}_mask.png"),
        ("both/{}.png", "both/{}_mask.png"),
        ("both/{}.JPG", "both/{}_L.PNG"),
        ("img/{}_leftImg8bit.png", "gt/{}_gtFine_labelIds.png"),
    ],
)
def test_names_that_differ(tmp_path, image, label):
    for i in range(4):
        write(tmp_path / image.format(i), np.full((2, 3, 3), 10 * i, np.uint8))
        if i < 3:
            write(tmp_path / label.format(i), np.full((2, 3), i, np.uint8))
    images, labels = (path.split("/")[0] for path in (image, label))
    source = Folder(tmp_path, images=images, labels=labels)
    pairs = [source.load(i) for i in range(len(source))]
    assert [(round(photo.mean() / 10), int(ids.mean())) for photo, ids in pairs] == [(0, 0), (1, 1), (2, 2)]
    assert len(source.unpaired_images) == 1 and round(source.unpaired_images.load_image(0).mean() / 10) == 3
    assert source.unpaired_labels is None


def test_suffixes_that_are_given(tmp_path):
    for i in range(2):
        write(tmp_path / "images" / f"{i}.png", np.zeros((2, 3, 3), np.uint8))
        for kind, value in (("_labelIds", 7), ("_labelTrainIds", 0)):
            write(tmp_path / "labels" / f"{i}{kind}.png", np.full((2, 3), value, np.uint8))
    words = r"labels: 2 photos .*'_labelIds' and in '_labelTrainIds'.*Give label_suffix='_labelIds'"
    with pytest.raises(DataError, match=words) as caught:
        Folder(tmp_path, palette=[(0, 0, 0)] * 8)
    assert caught.value.remedies[0].settings == {"label_suffix": "_labelIds"}
    for suffix, value in (("_labelIds", 7), ("_labelTrainIds.png", 0)):
        with pytest.warns(UserWarning, match=r"passed over \(2 such files"):
            source = Folder(tmp_path, palette=[(0, 0, 0)] * 8, label_suffix=suffix)
        assert names(source) == ["0", "1"] and source.load(0)[1].max() == value and source.unpaired_labels is None
    with pytest.raises(DataError, match=r"no file has a name that ends in '_sat'; there is 0\.png.*Correct image_suffix="):
        Folder(tmp_path, image_suffix="_sat", label_suffix="_labelIds")
    assert len(Folder(tmp_path, images=None, label_suffix="_labelIds", palette=[(0, 0, 0)] * 8)) == 2


def test_photos_and_label_maps_that_cannot_be_told_apart(tmp_path):
    for name in ("a", "b_2"):
        write(tmp_path / "both" / f"{name}.png", IDS)
    with pytest.raises(DataError, match=r"both: photos and label maps lie in one folder.*label_suffix="):
        Folder(tmp_path, images="both", labels="both")
    with pytest.raises(DataError, match="nothing: there is no such folder"):
        Folder(tmp_path, images="nothing", labels="nothing")


# Splits


def write_split(root, form, split, number, value=0):
    for i in range(number):
        for kind, array in (("images", np.zeros((2, 3, 3), np.uint8)), ("labels", np.full((2, 3), value, np.uint8))):
            write(root / form.format(split=split, kind=kind) / f"{split}{i}.png", array)


@pytest.mark.parametrize("form", ["{kind}/{split}", "{split}/{kind}", "{split}_{kind}", "{kind}_{split}"])
@pytest.mark.parametrize(
    ("splits", "asked"),
    [
        (("train", "valid", "test"), ("train", "val", "test")),
        (("training", "validation"), ("train", "val")),
        (("Train", "val"), ("train", "val")),
        (("part1", "train"), ("part1", "training")),
    ],
)
def test_splits_by_their_usual_names(tmp_path, form, splits, asked):
    for number, split in enumerate(splits, start=1):
        write_split(tmp_path, form, split, number, value=number)
    (tmp_path / (splits[-1] if form.startswith("{split}/") else ".") / "notes").mkdir()
    for number, (split, name) in enumerate(zip(splits, asked, strict=True), start=1):
        source = Folder(tmp_path, name, palette=[(0, 0, 0)] * 9)
        assert names(source) == [f"{split}{i}" for i in range(number)] and source.load(0)[1].max() == number
    with pytest.raises(DataError, match=r"has the splits .*[tT]rain.*, which are not read as one"):
        Folder(tmp_path)
    with pytest.raises(DataError, match=rf"there is no split 'other'.*its splits are {', '.join(sorted(splits))}"):
        Folder(tmp_path, "other")


def test_splits_with_photos_and_label_maps_together(tmp_path):
    for split, number in (("train", 2), ("valid", 1)):
        for i in range(number):
            write(tmp_path / split / f"{split}{i}.jpg", np.zeros((2, 3, 3), np.uint8))
            write(tmp_path / split / f"{split}{i}_mask.png", IDS)
        (tmp_path / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, cat\n2, dog\n")
    for split, number in (("train", 2), ("val", 1)):
        source = Folder(tmp_path, split)
        assert len(source) == number and source.label_space.class_names == ("background", "cat", "dog")


@pytest.mark.parametrize("labels", ["{}annot", "{}_labels", "{}_masks"])
def test_splits_with_label_maps_in_a_folder_beside(tmp_path, labels):
    (tmp_path / "class_dict.csv").write_text("name,r,g,b\nsky,0,128,255\nroad,90,90,90\ncar,200,0,0\n")
    for split, number in (("train", 2), ("val", 1)):
        for i in range(number):
            write(tmp_path / split / f"{i}.png", np.zeros((2, 3, 3), np.uint8))
            write(tmp_path / labels.format(split) / f"{i}_L.png", SPACE.colorize(IDS))
    for split, number in (("train", 2), ("val", 1)):
        source = Folder(tmp_path, split)
        assert len(source) == number and source.unpaired_images is None and source.unpaired_labels is None
        np.testing.assert_array_equal(source.load(0)[1], IDS)
    with pytest.raises(DataError, match=r"there is no split 'test'.*its splits are train, val"):
        Folder(tmp_path, "test")


@pytest.mark.parametrize(
    ("images", "labels"), [("JPEGImages", "SegmentationClass"), ("img", "masks"), ("Images", "Annotations")]
)
def test_usual_names_of_folders(tmp_path, images, labels):
    write(tmp_path / images / "a.png", np.zeros((2, 3, 3), np.uint8))
    write(tmp_path / labels / "a.png", IDS)
    assert len(Folder(tmp_path)) == 1


def test_two_splits_of_one_meaning(tmp_path):
    for split in ("train", "val", "validation"):
        write_split(tmp_path, "{split}/{kind}", split, 1)
    assert names(Folder(tmp_path, "val")) == ["val0"] and names(Folder(tmp_path, "validation")) == ["validation0"]
    with pytest.raises(DataError, match="both val and validation may be the split 'val'"):
        Folder(tmp_path, "valid")


@pytest.mark.parametrize("form", ["gray", "palette mode", "16 bit", "rgb", "rgba", "gray and alpha"])
def test_every_form_of_label_map_gives_the_ids(tmp_path, form):
    path = tmp_path / "labels" / "a.png"
    path.parent.mkdir()
    if form == "gray":
        Image.fromarray(IDS).save(path)
    elif form == "palette mode":
        image = Image.new("P", (3, 2))
        image.putdata(IDS.ravel().tolist())
        image.putpalette([255, 255, 255, 7, 7, 7, 1, 2, 3])  # colors that mean nothing
        image.save(path)
    elif form == "16 bit":
        Image.fromarray(IDS.astype(np.uint16)).save(path)
    elif form == "gray and alpha":
        Image.merge("LA", [Image.fromarray(IDS), Image.new("L", (3, 2), 255)]).save(path)
    else:
        Image.fromarray(SPACE.colorize(IDS)).convert(form.upper()).save(path)
    source = Folder(tmp_path, images=None, label_space=SPACE)
    np.testing.assert_array_equal(source.load_label_map(0), IDS)


def test_ids_above_255_survive_in_16_bit(tmp_path):
    write(tmp_path / "labels" / "a.png", np.array([[300, 0]], np.uint16))
    source = Folder(tmp_path, images=None, palette=[(0, 0, 0)] * 301)
    assert source.load_label_map(0).tolist() == [[300, 0]]


def test_id_map(tmp_path):
    write(tmp_path / "labels" / "a.png", np.array([[0, 255, 7, 1]], np.uint8))
    source = Folder(tmp_path, images=None, label_space=SPACE, id_map={255: 2, 7: 1, 1: 0})
    assert source.load_label_map(0).tolist() == [[0, 2, 1, 0]]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "I;16"])
def test_photos_of_any_mode_become_rgb(tmp_path, mode):
    gray = np.array([[0, 255, 255], [255, 0, 0]], np.uint8)
    path = tmp_path / "images" / ("a.tif" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        write(path, gray.astype(np.uint16) * 257)
    else:
        write(path, gray, mode)
    image = Folder(tmp_path, labels=None).load_image(0)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.repeat(gray[..., None], 3, axis=2))


def test_exif_rotation_is_applied(tmp_path):
    (tmp_path / "images").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    Image.new("RGB", (8, 4)).save(tmp_path / "images" / "a.jpg", exif=exif)
    assert Folder(tmp_path, labels=None).load_image(0).shape == (8, 4, 3)


def test_images_alone_and_label_maps_alone(tmp_path):
    write_pair(tmp_path)
    images, labels = Folder(tmp_path, labels=None), Folder(tmp_path, images=None, label_space=SPACE)
    assert images.label_space is None and images.load_image(0).shape == (2, 3, 3)
    with pytest.raises(ValueError, match="labels=None"):
        images.load_label_map(0)
    with pytest.raises(ValueError, match="images=None"):
        labels.load_image(0)
    with pytest.raises(ValueError, match="nothing to read"):
        Folder(tmp_path, images=None, labels=None)


def test_folders_elsewhere(tmp_path):
    write(tmp_path / "far" / "away" / "a.png", np.zeros((2, 3, 3), np.uint8))
    assert len(Folder(tmp_path / "far", images="away", labels=None)) == 1
    assert len(Folder(tmp_path, images=tmp_path / "far" / "away", labels=None)) == 1


# Label spaces


@pytest.mark.parametrize(
    ("yes", "no", "encoding"), [("1", "0", "utf-8"), ("True", "false", "utf-8-sig"), (" yes", "No", "utf-8")]
)
def test_label_space_from_classes_csv(tmp_path, yes, no, encoding):
    write_pair(tmp_path)
    (tmp_path / "classes.csv").write_text(
        f"id,name,r,g,b,ignore\n1,Straße,90,90,90,\n0,sky,0,128,255,{no}\n2,void,0,0,0,{yes}\n", encoding=encoding
    )
    space = Folder(tmp_path).label_space
    assert space.class_names == ("sky", "Straße", "void")
    assert space.palette[1] == (90, 90, 90) and space.ignore_class == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sky,road\n1,0\n", "header id,name,r,g,b"),
        ("filename,sky,road\na.jpg,1,0\n", "header id,name,r,g,b"),
        ("id,name,r,g\n0,sky,0,0\n", "header id,name,r,g,b"),
        ("id,name\n0,sky,blue\n", "more cells than columns"),
        ("id,name,r,g,b\n0,sky,blue,0,0\n", "integers"),
        ("id,name,r,g,b\n1,sky,0,0,0\n", "must be 0, 1, 2"),
        ("id,name,r,g,b\n0,sky,0,0,0\n0,road,1,1,1\n", "must be 0, 1, 2"),
        ("id,name,r,g,b\n", "must be 0, 1, 2"),
        ("id,name,r,g,b,ignore\n0,sky,0,0,0,1\n1,road,1,1,1,1\n", "one don't-care class"),
        ("id,name,r,g,b,ignore\n0,sky,0,0,0,maybe\n", "maybe.*in a column ignore, 1 for"),
        ("id,name,r,g,b\n0,sky,0,0,300\n", r"color of class 0 is \(0, 0, 300\).*0\.\.255"),
        ("id,name,r,g,b\n0,Straße,0,0,0\n", "no UTF-8 text.*encoding UTF-8"),
    ],
)
def test_classes_csv_that_cannot_be_understood(tmp_path, text, message):
    write_pair(tmp_path)
    (tmp_path / "classes.csv").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=rf"classes\.csv: .*{message}"):
        Folder(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "id;name;r;g;b;ignore\n0;sky;0;128;255;\n1;road;90;90;90;1\n",
        "ID, Name, R, G, B, Ignore\n0, sky, 0, 128, 255, 0\n1, road, 90, 90, 90, 1\n",
        "id,name,r,g,b,ignore,,\n0,sky,0,128,255,,,\n1,road,90,90,90,1,,\n,,,,,,,\n\n",
        'name\tred\tgreen\tblue\tignore\n"sky"\t0\t128\t255\t\nroad\t90\t90\t90\tyes\n',
        "\ufeffClass_ID,Class_Name,Red,Green,Blue,Ignore\r\n0,sky,0,128,255,0\r\n1,road,90,90,90,1\r\n",
    ],
)
def test_variants_of_classes_csv(tmp_path, text):
    write_pair(tmp_path, label=np.array([[0, 1, 1]] * 2, np.uint8))
    (tmp_path / "classes.csv").write_text(text, encoding="utf-8")
    assert Folder(tmp_path).label_space == LabelSpace(["sky", "road"], [(0, 128, 255), (90, 90, 90)], 1)


@pytest.mark.parametrize("place", ["", "labels", "images"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_classes.csv", "Pixel Value, Class\n0, background\n1, cat\n2, dog\n"),
        ("class_dict.csv", "id,name\n1,cat\n2,dog\n0,background"),
    ],
)
def test_classes_without_colors(tmp_path, place, name, text):
    write_pair(tmp_path)
    (tmp_path / place / name).write_text(text)
    source = Folder(tmp_path, id_map={255: 0})
    assert source.label_space.class_names == ("background", "cat", "dog")
    np.testing.assert_array_equal(source.load(0)[1], IDS)
    # colors were drawn: they are not looked for in files, where they might mean other classes
    write(tmp_path / "labels" / "a.png", source.label_space.colorize(IDS))
    with pytest.raises(DataError, match=r"a\.png: this label map has colors"):
        source.load(0)


def test_label_space_from_a_palette(tmp_path):
    write(tmp_path / "labels" / "a.png", SPACE.colorize(IDS))
    source = Folder(tmp_path, images=None, palette=SPACE.palette, ignore_class=0)
    assert source.label_space.class_names == ("class 0", "class 1", "class 2")
    assert source.label_space.ignore_class == 0
    np.testing.assert_array_equal(source.load_label_map(0), IDS)


def test_label_space_from_the_ids_found(tmp_path):
    write_pair(tmp_path, "a", np.zeros((2, 3), np.uint8))
    write_pair(tmp_path, "b", np.full((2, 3), 4, np.uint8))
    write_pair(tmp_path, "c", IDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space = Folder(tmp_path, ignore_class=5).label_space
    assert (space.num_classes, space.ignore_class) == (6, 5) and len(set(space.palette)) == 6


def test_ids_that_leave_most_classes_out_are_warned_of(tmp_path):
    write(tmp_path / "labels" / "mask.png", np.array([[0, 128]], np.uint8))
    with pytest.warns(UserWarning, match=r"mask\.png: id 128 makes 129 classes.*only ids .* are 0, 128\. .*id_map=\{128: 1\}"):
        Folder(tmp_path, images=None)
    assert Folder(tmp_path, images=None, id_map={128: 1}).label_space.num_classes == 2


def test_an_id_map_of_text_is_refused(tmp_path):
    write_pair(tmp_path)
    with pytest.raises(ValueError, match=r"id_map=\{'2': 1\}, but .* integers.*int\(\)"):
        Folder(tmp_path, id_map={"2": 1})


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[0, 255]], r"black and white mask.*id_map=\{255: 1\}"),
        ([[0, 3, 255]], r"unlabeled.*Give ignore_class=255"),
        ([[0, 9000]], "label id 9000 found"),
    ],
)
def test_ids_that_make_no_label_space(tmp_path, ids, message):
    write(tmp_path / "labels" / "odd.png", np.array(ids, np.uint16))
    with pytest.raises(DataError, match=rf"odd\.png.*{message}"):
        Folder(tmp_path, images=None)


def test_a_label_space_and_a_palette_contradict_each_other(tmp_path):
    with pytest.raises(ValueError, match="Give one or the other"):
        Folder(tmp_path, label_space=SPACE, palette=SPACE.palette)


@pytest.mark.parametrize(
    ("ids", "ignore_class", "right", "number", "void"),
    [
        ((0, 1, 255), 255, (0, 1, 2), 3, 2),
        ((0, 1, 1), 255, (0, 1, 1), 3, 2),
        ((0, 255, 255), 255, (0, 1, 1), 2, 1),
        ((0, 1, 2), 1, (0, 1, 2), 3, 1),
        ((0, 3, 5), 5, (0, 3, 5), 6, 5),
        ((0, 1, 2), 3, (0, 1, 2), 4, 3),
        # as many classes as ADE20K has, with and without a pixel of it
        ((0, 149, 255), 255, (0, 149, 150), 151, 150),
        ((0, 149, 0), 255, (0, 149, 0), 151, 150),
    ],
)
@pytest.mark.filterwarnings("ignore:.*makes .* classes")
def test_an_ignored_id_above_all_classes_becomes_one(tmp_path, ids, ignore_class, right, number, void):
    write(tmp_path / "labels" / "a.png", np.array([ids], np.uint8))
    source = Folder(tmp_path, images=None, ignore_class=ignore_class)
    assert source.load_label_map(0).tolist() == [[*right]]
    assert (source.label_space.num_classes, source.label_space.ignore_class) == (number, void)


def test_an_ignored_id_beside_named_classes(tmp_path):
    write(tmp_path / "labels" / "a.png", np.array([[0, 2, 255]], np.uint8))
    source = Folder(tmp_path, images=None, label_space=SPACE, ignore_class=255)
    assert source.load_label_map(0).tolist() == [[0, 2, 3]]
    assert source.label_space.class_names == (*SPACE.class_names, "void") and source.label_space.ignore_class == 3
    with_void = LabelSpace(SPACE.class_names, SPACE.palette, ignore_class=1)
    source = Folder(tmp_path, images=None, label_space=with_void, ignore_class=255)
    assert source.load_label_map(0).tolist() == [[0, 2, 1]]
    assert source.label_space == with_void.with_ids({255: 1})


SMOOTHED = {
    "bicubic": lambda board: board.resize((50, 50), Image.Resampling.BICUBIC),
    "halved": lambda board: board.rotate(45, Image.Resampling.NEAREST).resize((32, 32), Image.Resampling.BOX),
    "JPEG": lambda board: Image.open(_jpeg(board)),
    "photo": lambda board: Image.fromarray(
        np.clip(np.random.default_rng(0).normal(110, 40, (64, 64)), 0, 254).astype(np.uint8)
    ),
}


def _jpeg(image):
    stream = BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream


@pytest.mark.parametrize("named", [None, LabelSpace(["off", "on"], [(0, 0, 0), (255, 255, 255)])])
@pytest.mark.parametrize("how", SMOOTHED)
def test_a_smoothed_mask_and_a_photo_among_the_label_maps_are_recognized(tmp_path, how, named):
    board = Image.fromarray((np.indices((64, 64)).sum(0) // 16 % 2 * 255).astype(np.uint8))
    write(tmp_path / "labels" / "odd.png", SMOOTHED[how](board))
    with pytest.raises(DataError, match=r"odd\.png: .*(values|smoothed).*nearest neighbor") as caught:
        Folder(tmp_path, images=None, label_space=named, id_map={255: 1} if named else None).load_label_map(0)
    assert not any(remedy.settings for remedy in caught.value.remedies)


def test_many_ids_as_people_draw_them_are_no_smoothed_mask(tmp_path):
    tiles = np.random.default_rng(0).permutation(90).astype(np.uint8).reshape(9, 10)
    write(tmp_path / "labels" / "a.png", tiles.repeat(5, 0).repeat(5, 1))
    assert Folder(tmp_path, images=None).label_space.num_classes == 90


# What is wrong with a user's data: one error each, which names the file


def test_stray_id(tmp_path):
    write_pair(tmp_path, "odd", np.full((2, 3), 77, np.uint8))
    with pytest.raises(DataError, match=r"odd\.png: label id 77 \(6 pixels\).*id_map="):
        Folder(tmp_path, label_space=SPACE).load(0)


def test_size_mismatch(tmp_path):
    write_pair(tmp_path, "odd", image=np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(DataError, match=r"images/odd\.png and .*labels/odd\.png: the image is 4×6.*map 2×3"):
        Folder(tmp_path, label_space=SPACE).load(0)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("keep", [0, 20, 0.5])
def test_truncated_photo(tmp_path, suffix, keep):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    write_pair(tmp_path, "odd", np.zeros((40, 60), np.uint8), noise, suffix)
    path = tmp_path / "images" / f"odd{suffix}"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep != 0.5 else len(content) / 2)])
    with pytest.raises(DataError, match=rf"odd\{suffix}: cannot be read.*download it again"):
        Folder(tmp_path, label_space=SPACE).load_image(0)


def test_corrupt_label_map(tmp_path):
    noise = np.random.default_rng(0).integers(0, 3, (40, 60)).astype(np.uint8)
    write(tmp_path / "labels" / "odd.png", noise)
    path = tmp_path / "labels" / "odd.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\0" * 40
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.png: cannot be read"):
        Folder(tmp_path, images=None, label_space=SPACE).load_label_map(0)


def test_file_that_has_gone(tmp_path):
    write_pair(tmp_path)
    source = Folder(tmp_path, label_space=SPACE)
    (tmp_path / "images" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png: the file has gone"):
        source.load(0)


def test_empty_folder_and_missing_folder(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="images: no image files found"):
        Folder(tmp_path, labels=None)
    with pytest.raises(DataError, match=r"labels: there is no such folder.*holds images"):
        Folder(tmp_path, images=None)


def test_photos_without_a_label_map_are_unpaired(tmp_path):
    for name in "abcd":
        write_pair(tmp_path, name)
    for name in "bd":
        (tmp_path / "labels" / f"{name}.png").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = Folder(tmp_path, label_space=SPACE)
    assert names(source) == ["a", "c"] and names(source.unpaired_images) == ["b", "d"] and source.unpaired_labels is None
    assert source.unpaired_images.label_space is None and source.unpaired_images.load_image(0).shape == (2, 3, 3)
    with pytest.raises(ValueError, match="images alone"):
        source.unpaired_images.load_label_map(0)


def test_label_maps_without_a_photo_are_unpaired(tmp_path):
    write_pair(tmp_path, "a", np.zeros((2, 3), np.uint8))
    write(tmp_path / "labels" / "b.png", np.full((2, 3), 9, np.uint8))
    source = Folder(tmp_path, id_map={9: 1})
    assert names(source) == ["a"] and names(source.unpaired_labels) == ["b"] and source.unpaired_images is None
    assert source.label_space.num_classes == 2  # its ids count too
    assert source.unpaired_labels.load_label_map(0).tolist() == [[1] * 3] * 2


def test_both_without_a_partner_are_warned_of(tmp_path):
    for name in "ab":
        write_pair(tmp_path, name)
    (tmp_path / "labels" / "b.png").rename(tmp_path / "labels" / "c.png")
    with pytest.warns(UserWarning, match=r"1 photos have no label map, and 1 label maps no photo.*b\.png and c\.png"):
        source = Folder(tmp_path, label_space=SPACE)
    assert names(source.unpaired_images) == ["b"] and names(source.unpaired_labels) == ["c"]


def test_nothing_that_belongs_together(tmp_path):
    write(tmp_path / "images" / "a.png", np.zeros((2, 3, 3), np.uint8))
    write(tmp_path / "labels" / "b.png", IDS)
    with pytest.raises(DataError, match=r"images/a\.png and .*labels/b\.png: no photo .*image_suffix=") as caught:
        Folder(tmp_path, label_space=SPACE)
    assert str(caught.value).endswith("as unpaired data by Folder(PATH, labels=None) and Folder(PATH, images=None).")
    assert len(Folder(tmp_path, labels=None)) == len(Folder(tmp_path, images=None, label_space=SPACE)) == 1


def test_two_files_of_one_name(tmp_path):
    write_pair(tmp_path, "a")
    write_pair(tmp_path, "a", suffix=".jpg")
    with pytest.raises(DataError, match="same name but for the suffix"):
        Folder(tmp_path, label_space=SPACE)


def test_rgb_without_a_palette(tmp_path):
    write(tmp_path / "labels" / "odd.png", SPACE.colorize(IDS))
    with pytest.raises(DataError, match=r"odd\.png: this label map has colors.*palette="):
        Folder(tmp_path, images=None)


def test_unknown_color(tmp_path):
    colors = SPACE.colorize(IDS)
    colors[0, 0] = (1, 2, 3)
    write(tmp_path / "labels" / "odd.png", colors)
    with pytest.raises(DataError, match=r"odd\.png: color \(1, 2, 3\) covers 1 pixel"):
        Folder(tmp_path, images=None, label_space=SPACE).load_label_map(0)


def test_colors_of_a_lossy_file(tmp_path):
    noise = SPACE.colorize(np.random.default_rng(0).integers(0, 3, (20, 20)))
    write(tmp_path / "labels" / "odd.jpg", noise)
    with pytest.raises(DataError, match=r"odd\.jpg: this label map is a JPEG, which alters ids.*gray PNG"):
        Folder(tmp_path, images=None, label_space=SPACE).load_label_map(0)


def test_a_color_of_two_classes(tmp_path):
    write(tmp_path / "labels" / "odd.png", np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(DataError, match="classes 0 and 2 share the color"):
        Folder(tmp_path, images=None, palette=[(0, 0, 0), (1, 1, 1), (0, 0, 0)]).load_label_map(0)


@pytest.mark.parametrize("affix", ["suffix", "prefix"])
@pytest.mark.parametrize("kind", ["image", "label"])
def test_files_of_a_given_form_are_read_in_any_letter_case_and_none_twice(tmp_path, kind, affix):
    names = ["a_x", "b_X"] if affix == "suffix" else ["x_a", "X_b"]
    for name in names:
        write(tmp_path / f"{kind}s" / f"{name}.png", np.eye(4, dtype=np.uint8))
    write(tmp_path / f"{kind}s" / "b.png", np.eye(4, dtype=np.uint8))
    arguments = {"images" if kind == "label" else "labels": None, f"{kind}_{affix}": "_x" if affix == "suffix" else "x_"}
    source = Folder(tmp_path, **arguments)
    assert sorted(source.name(i) for i in range(len(source))) == ["a", "b"]
    write(tmp_path / f"{kind}s" / f"{names[0].swapcase().replace('A', 'a')}.png", np.eye(4, dtype=np.uint8))
    with pytest.raises(DataError, match="has the same name but for the letter case of its suffix or prefix"):
        Folder(tmp_path, **arguments)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_files_that_differ_in_the_letter_case_of_their_format_are_refused(tmp_path, kind):
    for folder in ("images", "labels"):
        for name in ("a", "b"):
            write(tmp_path / folder / f"{name}.png", np.eye(4, dtype=np.uint8))
    (tmp_path / kind / "a.PNG").write_bytes((tmp_path / kind / "a.png").read_bytes())
    with pytest.raises(DataError, match=rf"{kind}/a\.png: a\.PNG has the same name but for the suffix"):
        Folder(tmp_path)
