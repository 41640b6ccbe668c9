"""Label pictures in which ids and colors could both be meant."""

import contextlib
import itertools
import pickle
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ADE20K, CamVid, Cityscapes, COCOStuff, DataError, Folder, LabelSpace, Records, write_records
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_map_png import label_map_png
from keras_semisis.data.labels.label_space import uncolored_label_space, unnamed_label_space
from keras_semisis.recipes.named_sources import folder_like

SPACE = LabelSpace(["sky", "road", "car"], [(0, 128, 255), (90, 90, 90), (200, 0, 0)])
IDS = np.array([[0, 0, 1], [2, 1, 1]], np.uint8)


def indexed(indices, palette, **options):
    """A PNG of indices with a palette of its own."""
    image = Image.fromarray(np.asarray(indices, np.uint8), "P")
    image.putpalette([value for color in palette for value in color])
    return saved(image, **options)


def saved(image, form="PNG", **options):
    stream = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))).save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_indices_in_any_order_are_read_by_the_colors_of_the_classes(order):
    palette = [SPACE.palette[c] for c in order]
    content = indexed(np.argsort(order)[IDS], palette)
    np.testing.assert_array_equal(SPACE.decode(content, "a.png"), IDS)
    shown = np.asarray(Image.open(BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(SPACE.colorize(SPACE.decode(content, "a.png")), shown)


def test_a_picture_of_one_class_is_read_by_its_color():
    assert SPACE.decode(indexed([[0, 0]], [SPACE.palette[2]]), "a.png").tolist() == [[2, 2]]


@pytest.mark.parametrize(
    "palette",
    [
        [(255, 255, 255), (7, 7, 7), (1, 2, 3)],
        [(i, i, i) for i in range(256)],
        list(SPACE.palette),
        [SPACE.palette[0], (1, 2, 3), (4, 5, 6)],
    ],
)
def test_indices_are_ids_where_colors_say_nothing_else(palette):
    np.testing.assert_array_equal(SPACE.decode(indexed(IDS, palette), "a.png"), IDS)


def test_stored_ids_of_indexed_pictures_are_mapped_and_colors_are_not():
    space = SPACE.with_ids({1: 0, 2: 1, 3: 2})
    from_one = [(9, 9, 9), *SPACE.palette]
    np.testing.assert_array_equal(space.decode(indexed(IDS + 1, from_one), "a.png"), IDS)
    reordered = indexed(np.array([2, 0, 1])[IDS], [SPACE.palette[1], SPACE.palette[2], SPACE.palette[0]])
    np.testing.assert_array_equal(space.decode(reordered, "a.png"), IDS)
    np.testing.assert_array_equal(space.decode(saved(SPACE.colorize(IDS)), "a.png"), IDS)


@pytest.mark.parametrize("palette", [SPACE.palette, distinct_colors(3)])
def test_the_ids_of_an_indexed_picture_in_the_order_of_the_classes_are_mapped_as_those_of_a_gray_one(palette):
    space = SPACE.with_ids({2: 1})
    merged = np.where(IDS == 2, 1, IDS)
    for content in (indexed(IDS, palette), saved(IDS)):
        np.testing.assert_array_equal(space.decode(content, "a.png"), merged)
    # what is written here holds classes
    np.testing.assert_array_equal(space.decode(label_map_png(IDS, space), "a.png"), IDS)


@pytest.mark.parametrize(
    "content",
    [
        indexed(IDS, [SPACE.palette[1], SPACE.palette[0], (1, 2, 3)]),  # two of the classes, and a color of none
        indexed(IDS, [(2, 2, 2), (1, 1, 1), (0, 0, 0)]),  # a gray picture of ids that an editor has made an indexed one
    ],
)
def test_indices_that_contradict_their_colors_are_refused(content):
    with pytest.raises(DataError, match=r"a\.png: the (indices|values).*Store ids in an 8- or 16-bit gray PNG"):
        SPACE.decode(content, "a.png")


def test_an_indexed_picture_that_was_smoothed_before_is_refused():
    blends = [(100 + i, 45, 45) for i in range(8)]
    content = indexed([[0, 1, *range(2, 10)]], [SPACE.palette[0], SPACE.palette[1], *blends])
    with pytest.raises(DataError, match=r"a\.png: color .*8 unknown colors in all.*nearest neighbor, and without smoothing"):
        SPACE.decode(content, "a.png")


def test_indices_of_a_benchmark_are_not_read_against_their_colors():
    space, ids = ADE20K.label_space, [[5, 12]]
    own = [space.palette[i] for i in range(20)]
    assert space.decode(indexed(ids, own), "a.png").tolist() == ids
    with pytest.raises(DataError, match="the indices of this label map say class 0"):
        space.decode(indexed([[0, 1]], [own[5], own[12]]), "a.png")
    with pytest.raises(DataError, match=r"the indices of this label map are 0, 1, but .* grays 5, 12"):
        space.decode(indexed([[0, 1]], [(5, 5, 5), (12, 12, 12)]), "a.png")


def test_indices_that_change_their_color_from_file_to_file(tmp_path):
    (tmp_path / "labels").mkdir()
    for name, palette in (("a", [(9, 0, 0), (0, 9, 0)]), ("b", [(0, 9, 0), (9, 0, 0)])):
        (tmp_path / "labels" / f"{name}.png").write_bytes(indexed([[0, 1]], palette))
    with pytest.raises(DataError, match=r"b\.png: its index 0 has the color \(0, 9, 0\), but in .*a\.png .*\(9, 0, 0\)"):
        Folder(tmp_path, images=None)
    source = Folder(tmp_path, images=None, palette=[(9, 0, 0), (0, 9, 0)])
    assert [source.load_label_map(i).tolist() for i in range(2)] == [[[0, 1]], [[1, 0]]]


RED, GREEN = [(0, 0, 0), (255, 0, 0)], [(0, 0, 0), (0, 255, 0)]


def label_folder(folder, *palettes):
    """Label maps of the ids 0 and 1 with palettes of their own."""
    (folder / "labels").mkdir(parents=True)
    for i, palette in enumerate(palettes):
        (folder / "labels" / f"{i}.png").write_bytes(indexed([[0, 1]], palette))
    return folder


def assert_second_is_refused(source):
    for _ in range(2):
        assert source.load_label_map(0).tolist() == [[0, 1]]
        with pytest.raises(DataError, match=r"1\.png: its index [01] has the color .*, but in .*0\.png the color \("):
            source.load_label_map(1)


def test_indices_that_change_their_color_under_classes_without_colors(tmp_path):
    label_folder(tmp_path, RED, GREEN)
    (tmp_path / "classes.csv").write_text("id,name\n0,bg\n1,road\n2,car\n")
    source = Folder(tmp_path, images=None)
    assert_second_is_refused(pickle.loads(pickle.dumps(source)))
    assert_second_is_refused(source)
    source.load_label_map(0)
    with pytest.raises(DataError, match=r"1\.png: its index 1"):  # in another process it is known as well
        pickle.loads(pickle.dumps(source)).load_label_map(1)
    # with colors, these are read
    (tmp_path / "classes.csv").write_text("id,name,r,g,b\n0,bg,0,0,0\n1,road,255,0,0\n2,car,0,255,0\n")
    source = Folder(tmp_path, images=None)
    assert [source.load_label_map(i).tolist() for i in range(2)] == [[[0, 1]], [[0, 2]]]


def test_indices_that_change_their_color_in_a_folder_that_is_read_by_the_classes_of_another(tmp_path):
    train = Folder(label_folder(tmp_path / "train", RED, RED), images=None)
    assert [train.load_label_map(i).tolist() for i in range(2)] == [[[0, 1]]] * 2
    assert_second_is_refused(folder_like(label_folder(tmp_path / "val", RED, RED[::-1]), train.label_space, "x", images=None))


def test_photos_with_and_label_maps_without_a_partner_have_one_palette(tmp_path):
    label_folder(tmp_path, RED, GREEN)
    (tmp_path / "images").mkdir()
    Image.new("RGB", (2, 1)).save(tmp_path / "images" / "0.png")
    source = Folder(tmp_path, label_space=unnamed_label_space(2))
    source.load_label_map(0)
    with pytest.raises(DataError, match=r"1\.png: its index 1"):
        source.unpaired_labels.load_label_map(0)


def test_indices_that_change_their_color_in_a_pack(tmp_path):
    pytest.importorskip("array_record")
    label_folder(tmp_path, RED, GREEN)

    def pack():
        source = Folder(tmp_path, images=None, label_space=unnamed_label_space(2))
        write_records(source, tmp_path / "pack", images=False, items_per_shard=1)

    with pytest.raises(DataError, match="its index 1 has the color"):
        pack()
    pack()  # goes on, and does not read again what is written
    packed = Records(tmp_path / "pack")
    assert packed.load_label_map(0).tolist() == [[0, 1]]
    with pytest.raises(DataError, match=r"record 0 \(1\): its index 1 has the color"):
        packed.load_label_map(1)


def test_colors_of_what_is_written_here_change_no_ids(tmp_path):
    space = unnamed_label_space(2)
    label_folder(tmp_path, RED)
    (tmp_path / "labels" / "0a.png").write_bytes(label_map_png(np.array([[1, 0]]), space))
    source = Folder(tmp_path, images=None, label_space=space)
    assert [source.load_label_map(i).tolist() for i in range(2)] == [[[0, 1]], [[1, 0]]]


# Red = green = blue


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_ids_as_red_green_and_blue(tmp_path, mode):
    (tmp_path / "labels").mkdir()
    Image.fromarray(IDS).convert(mode).save(tmp_path / "labels" / "a.png")
    for space in (None, SPACE):
        np.testing.assert_array_equal(Folder(tmp_path, images=None, label_space=space).load_label_map(0), IDS)
    content = (tmp_path / "labels" / "a.png").read_bytes()
    np.testing.assert_array_equal(ADE20K.label_space.decode(content, "a.png"), IDS)
    np.testing.assert_array_equal(SPACE.with_ids({2: 0}).decode(content, "a.png"), np.where(IDS == 2, 0, IDS))


def test_grays_of_a_palette_are_colors():
    grays = LabelSpace(["a", "b"], [(0, 0, 0), (255, 255, 255)])
    assert grays.decode(saved(grays.colorize(np.array([[0, 1]]))), "a.png").tolist() == [[0, 1]]
    black_is_last = LabelSpace(["a", "b", "void"], [(9, 0, 0), (128, 128, 128), (0, 0, 0)])
    assert black_is_last.decode(saved(black_is_last.colorize(np.array([[2, 1]]))), "a.png").tolist() == [[2, 1]]
    with pytest.raises(DataError, match=r"values, read as ids, of this label map say class 0 \(a\).*class 2 \(void\)"):
        black_is_last.decode(saved(np.zeros((2, 2, 3), np.uint8)), "a.png")
    assert black_is_last.decode(saved(np.full((1, 1, 3), 1, np.uint8)), "a.png").tolist() == [[1]]


# Alpha


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_that_varies_is_refused(mode):
    image = Image.fromarray(SPACE.colorize(IDS)).convert(mode)
    for value in (255, 0):
        image.putalpha(value)
        if mode == "RGBA":
            np.testing.assert_array_equal(SPACE.decode(saved(image), "a.png"), IDS)
    image.putalpha(Image.fromarray(np.array([[0, 255, 255], [255, 255, 0]], np.uint8)))
    for form in ("PNG", "TIFF"):
        with pytest.raises(DataError, match=r"a\.png: this label map has transparency that varies \(33% of the pixels"):
            SPACE.decode(saved(image, form), "a.png")


def test_a_mask_in_the_alpha_channel_is_refused(tmp_path):
    (tmp_path / "labels").mkdir()
    Image.fromarray(np.dstack([np.zeros((2, 3, 3), np.uint8), IDS])).save(tmp_path / "labels" / "a.png")
    with pytest.raises(DataError, match=r"a\.png: this label map has transparency that varies"):
        Folder(tmp_path, images=None)


def test_transparency_of_palette_colors():
    content = indexed([[0, 1, 2]], [(9, 9, 9), (8, 8, 8), (7, 7, 7)], transparency=bytes([0, 255, 255]))
    assert SPACE.decode(content, "a.png").tolist() == [[0, 1, 2]]  # ids: nothing is lost
    twice = [SPACE.palette[1], SPACE.palette[1], SPACE.palette[0]]
    assert SPACE.decode(indexed([[0, 1, 2]], twice), "a.png").tolist() == [[1, 1, 0]]
    with pytest.raises(DataError, match="the indices of this label map say class 0"):
        SPACE.decode(indexed([[0, 1, 2]], twice, transparency=0), "a.png")


def test_the_drawn_palette_of_unnamed_classes_changes_no_ids(tmp_path):
    (tmp_path / "labels").mkdir()
    ids = [[0, 1, 2, 3]]
    (tmp_path / "labels" / "a.png").write_bytes(indexed(ids, distinct_colors(256)))
    (tmp_path / "labels" / "b.png").write_bytes(saved(np.array(ids, np.uint8)))
    source = Folder(tmp_path, images=None)
    assert [source.load_label_map(i).tolist() for i in range(2)] == [ids, ids]


# colors that are drawn for the classes 2, 1 and of none, in the palette of another program
OTHERS = [(0, 0, 0), (0, 128, 0), (128, 0, 0), (1, 2, 3)]


@pytest.mark.parametrize("named", [False, True])
def test_colors_that_nobody_gave_the_classes_change_no_ids(tmp_path, named):
    (tmp_path / "labels").mkdir()
    stored = [[[0, 1, 2, 3]], [[0, 1, 3, 3]], [[3, 3, 3, 3]]]
    for i, ids in enumerate(stored):
        (tmp_path / "labels" / f"{i}.png").write_bytes(indexed(ids, OTHERS))
    if named:
        (tmp_path / "classes.csv").write_text("name\na\nb\nc\nd\n")
    source = Folder(tmp_path, images=None)
    assert [source.load_label_map(i).tolist() for i in range(3)] == stored
    saved_and_loaded = LabelSpace.from_config(source.label_space.get_config())
    assert saved_and_loaded.read(tmp_path / "labels" / "0.png").tolist() == stored[0]


def test_drawn_colors_alone_in_another_order_are_ambiguous_unless_ids_are_named(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.png").write_bytes(indexed([[0, 1, 2, 2]], OTHERS[:3]))  # of our own colors, maybe, or of others
    with pytest.raises(DataError, match=r"say class 1 .* that of class 2"):
        Folder(tmp_path, images=None).load_label_map(0)
    (tmp_path / "classes.csv").write_text("name\na\nb\nc\n")
    assert Folder(tmp_path, images=None).load_label_map(0).tolist() == [[0, 1, 2, 2]]


@pytest.mark.parametrize("snap", [None, 100, 200])
def test_an_index_that_is_mapped_is_no_edge_that_was_drawn_smooth(snap):
    space = LabelSpace(["a", "b", "c", "void"], [(0, 0, 0), (128, 0, 0), (0, 128, 0), (9, 9, 9)], 3, {255: 3}, snap=snap)
    voc = [*distinct_colors(256)[:255], (224, 224, 192)]
    ids = np.repeat([[0, 1, 255, 0]], 3, 0)
    assert space.decode(indexed(ids, voc), "a.png").tolist() == [[0, 1, 3, 0]] * 3
    # nothing says what the color of an index is that is not mapped
    with pytest.raises(DataError, match=r"is 310\.3 from that of its class") if snap else contextlib.nullcontext():
        space.decode(indexed(np.where(ids == 255, 3, ids), [*voc[:3], (224, 224, 192)]), "a.png")


def test_a_color_that_is_no_blend_is_not_advised_to_be_snapped():
    space = LabelSpace(["a", "b"], [(0, 0, 0), (128, 0, 0)])
    blend, other = (np.array([[[0, 0, 0], color, [128, 0, 0]]], np.uint8) for color in ((60, 0, 0), (224, 224, 192)))
    with pytest.raises(DataError, match="snap=60"):
        space.decode(saved(blend), "a.png")
    with pytest.raises(DataError, match="palette") as caught:
        space.decode(saved(other), "a.png")
    assert "snap" not in str(caught.value)


def test_a_picture_of_one_class_of_another_palette_is_read_by_its_indices(tmp_path):
    (tmp_path / "labels").mkdir()
    for i, ids in enumerate(([[0, 1]], [[1, 1]])):  # white and black
        (tmp_path / "labels" / f"{i}.png").write_bytes(indexed(ids, [(255, 255, 255), (0, 0, 0)]))
    source = Folder(tmp_path, images=None)
    assert [source.load_label_map(i).tolist() for i in range(2)] == [[[0, 1]], [[1, 1]]]


@pytest.mark.parametrize("source", [ADE20K, CamVid, Cityscapes, COCOStuff])
def test_label_maps_that_are_written_here_are_read_as_the_same_classes(source):
    space = source.label_space
    classes = np.arange(space.num_classes).reshape(1, -1)
    for part in (classes, classes[:, 5:9], classes[:, -1:]):
        assert space.decode(label_map_png(part, space), "a.png").tolist() == part.tolist()
    # of others nothing says that their indices are classes
    content = indexed([[5, 6]], space.palette)
    if source is COCOStuff:
        with pytest.raises(DataError, match="the indices of this label map say class 6"):
            space.decode(content, "a.png")


@pytest.mark.parametrize("number", [3, 300])
@pytest.mark.parametrize("named", [False, True])
def test_label_maps_that_are_written_here_are_not_mapped_by_stored_ids(number, named):
    space = unnamed_label_space(number)
    if named:
        space = LabelSpace(space.class_names, space.palette)
    space = space.with_ids({i + 1: i for i in range(number)})
    classes = np.array([[0, 1, 2, number - 1]])
    assert space.decode(label_map_png(classes, space), "a.png").tolist() == classes.tolist()
    assert space.decode(saved((classes + 1).astype(np.uint16)), "a.png").tolist() == classes.tolist()
    # of more classes than there are
    stored = np.array([[number]])
    assert space.decode(label_map_png(stored, unnamed_label_space(number + 1)), "a.png").tolist() == [[number - 1]]


GRAYS = ((0, 0, 0), (255, 255, 255), (128, 128, 128))


def test_ids_that_are_the_grays_of_classes_are_mapped_by_them():
    space = LabelSpace(("background", "lesion", "organ"), GRAYS)
    content = saved(np.array([[0, 128], [255, 255]], np.uint8))
    with pytest.raises(DataError, match="they are the grays of the classes' colors") as caught:
        space.decode(content, "a.png")
    (remedy,) = caught.value.remedies
    found = replace(space, **remedy.settings).decode(content, "a.png")
    np.testing.assert_array_equal(
        found, space.decode(saved(np.array([[[0] * 3, [128] * 3], [[255] * 3] * 2], np.uint8)), "a.png")
    )
    # black and white masks, and classes whose colors nobody has said
    for other in (LabelSpace(("no", "yes"), GRAYS[:2]), uncolored_label_space(["no", "yes"])):
        with pytest.raises(DataError, match="mask of 0 and 255") as caught:
            other.decode(saved(np.array([[0, 255]], np.uint8)), "a.png")
        assert caught.value.remedies[0].settings == {"id_map": {255: 1}}


def test_bits_that_are_shown_as_the_colors_of_other_classes_are_refused():
    bits = saved(Image.fromarray(np.array([[0, 255], [255, 255]], np.uint8)).convert("1"))
    names = ("skin", "lesion")
    with pytest.raises(DataError, match=r"the bits of this label map say class 0 \(skin\) where it has 0, but .* 1 \(lesion\)"):
        LabelSpace(names, GRAYS[1::-1]).decode(bits, "a.png")
    for space in (
        LabelSpace(names, GRAYS[:2]),
        LabelSpace(names, GRAYS[2:0:-1]),
        LabelSpace(names, GRAYS[1::-1], id_map={0: 0}),
        uncolored_label_space(names),
    ):
        np.testing.assert_array_equal(space.decode(bits, "a.png"), [[0, 1], [1, 1]])
