"""Label maps that were drawn with smooth edges: each pixel gets the class that covers most of it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_semisis.data import DataError, Folder, LabelSpace, Records, class_statistics, snap_report, write_records
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.labels.ids_or_classes import decode_colors
from keras_semisis.data.labels.snapping import nearest_classes
from tests.cli.command import call

# gray is about half way between black and white, as their blend is
PALETTE = [(0, 0, 0), (255, 255, 255), (122, 122, 122), (200, 30, 30)]
SPACE = LabelSpace(("ground", "snow", "road", "car"), PALETTE)
FINE = 8


def drawing():
    """A label map eight times as fine as the picture, and the picture: each pixel the mean of its colors."""
    picture = Image.new("L", (40 * FINE, 30 * FINE), 0)
    draw = ImageDraw.Draw(picture)
    draw.polygon([(30, 40), (270, 20), (190, 210)], fill=1)
    draw.ellipse((200, 120, 310, 230), fill=3)
    draw.polygon([(10, 225), (90, 180), (170, 230)], fill=2)
    fine = np.asarray(picture)
    blocks = SPACE.colorize(fine).reshape(30, FINE, 40, FINE, 3)
    return fine, blocks.mean((1, 3)).round().astype("uint8")


def shares(fine):
    """Of each pixel, how much each class covers: (30, 40, 4)."""
    blocks = fine.reshape(30, FINE, 40, FINE)
    return np.stack([(blocks == c).mean((1, 3)) for c in range(4)], axis=-1)


def test_each_pixel_gets_the_class_that_covers_most_of_it():
    fine, picture = drawing()
    covered = shares(fine)
    snapped = decode_colors(picture, SPACE.with_snap(300), "drawing")
    smooth = (covered > 0).sum(-1) == 2
    clear = np.sort(covered, axis=-1)[..., -1] > 0.51
    assert smooth.sum() > 80
    expected = covered.argmax(-1)
    np.testing.assert_array_equal(snapped[clear], expected[clear])
    # the nearest color of all would have been that of the road on some edges between ground and snow
    distances = ((picture[..., None, :].astype(float) - PALETTE) ** 2).sum(-1)
    assert (distances.argmin(-1) != expected)[clear].sum() > 10


def test_where_no_class_is_near_the_nearest_color_of_all_counts():
    assert (decode_colors(np.full((5, 6, 3), (203, 33, 30), "uint8"), SPACE.with_snap(10), "a.png") == 3).all()


def test_a_color_at_the_distance_that_is_given_is_taken():
    picture = np.full((1, 2, 3), (203, 30, 30), "uint8")
    assert (decode_colors(picture, SPACE.with_snap(3), "a.png") == 3).all()
    with pytest.raises(DataError, match=r"is 3\.0 from that of its class"):
        decode_colors(picture, SPACE.with_snap(2.9), "a.png")


def write(root, picture, mode="RGB"):
    (root / "labels").mkdir(parents=True)
    image = Image.fromarray(picture)
    (image if mode == "RGB" else image.quantize(64, dither=Image.Dither.NONE)).save(root / "labels" / "a.png")
    rows = [f"{i},{name},{r},{g},{b}" for i, (name, (r, g, b)) in enumerate(zip(SPACE.class_names, PALETTE, strict=True))]
    (root / "classes.csv").write_text("\n".join(["id,name,r,g,b", *rows]))


def test_pixels_are_compared_in_blocks(monkeypatch):
    """However many there are, and colors."""
    random = np.random.default_rng(0)
    colors = random.integers(0, 256, (7, 3))
    found = random.integers(0, 7, (20, 30))
    rgb, unknown = colors[found].astype("uint8"), random.random((20, 30)) < 0.4
    rgb[unknown] += random.integers(0, 40, (int(unknown.sum()), 3)).astype("uint8")
    whole = nearest_classes(rgb, found, unknown, colors)
    monkeypatch.setattr("keras_semisis.data.labels.snapping._BLOCK", 50)
    for one, other in zip(whole, nearest_classes(rgb, found, unknown, colors), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_done_is_reported(tmp_path):
    picture = np.zeros((4, 6, 3), "uint8")
    picture[:, 3:] = 255
    picture[0, 2] = 60  # of ground
    picture[1:3, 3] = 250, 245, 250  # of snow
    write(tmp_path, picture)
    source = Folder(tmp_path, images=None, snap=104)
    np.testing.assert_array_equal(source.load_label_map(0), np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0))
    report = snap_report(source)
    assert (report.label_maps, report.pixels, report.classes) == (1, 24, {"ground": 1, "snow": 2})
    assert report.files == {str(tmp_path / "labels/a.png"): 3}
    assert report.farthest == pytest.approx(60 * np.sqrt(3))
    assert "1 of 1 label maps have colors of no class: 12.50% of the pixels, at most 104" in str(report)
    with pytest.raises(
        DataError, match=r"color \(60, 60, 60\) is 103\.9 from that of its class and more than the 50 up to"
    ) as e:
        Folder(tmp_path, images=None, snap=50).load_label_map(0)
    assert "give snap=104 to take" in str(e.value)
    assert str(snap_report(Folder(tmp_path, images=None, snap=50))) == "0 label maps: every color is that of a class."


def test_indexed_pictures_with_smooth_edges(tmp_path):
    picture = np.zeros((6, 6, 3), "uint8")
    picture[:, 4:] = 200, 30, 30
    picture[:, 3] = 140, 20, 20
    picture[2:, 2] = [[20, 3, 3], [40, 6, 6], [60, 9, 9], [80, 12, 12]]
    write(tmp_path, picture, "P")
    with Image.open(tmp_path / "labels/a.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(image.convert("RGB"), picture)
    source = Folder(tmp_path, images=None, snap=100)
    np.testing.assert_array_equal(source.load_label_map(0), np.repeat([[0, 0, 0, 3, 3, 3]], 6, axis=0))
    assert snap_report(source).classes == {"car": 6, "ground": 4}


def test_what_holds_a_rule_holds_it(tmp_path):
    snapping = SPACE.with_snap(12.5)
    assert LabelSpace.from_config(snapping.get_config()) == snapping != SPACE
    assert SPACE.get_config().keys() == {"class_names", "palette", "ignore_class", "id_map", "all_ids"}
    assert snapping.id_rule != SPACE.id_rule == "StoredIds(id_map={}, all_ids=False)"
    with pytest.raises(ArgumentError, match="snap=-1 must not be negative"):
        SPACE.with_snap(-1)
    # counts that were kept are those of another rule
    write(tmp_path, drawing()[1])
    cache = tmp_path / "counts.npz"
    first, second = (class_statistics(Folder(tmp_path, images=None, snap=snap), cache).totals for snap in (300, 301))
    assert first.tolist() == second.tolist() and first.sum() == 1200


def test_ids_are_not_snapped(tmp_path):
    """Gray of three equal bands is read as ids where the values are classes."""
    picture = np.repeat(np.array([[0, 1, 2, 3]], "uint8")[..., None], 3, axis=2)
    write(tmp_path, picture)
    source = Folder(tmp_path, images=None, snap=300)
    assert source.load_label_map(0).tolist() == [[0, 1, 2, 3]]
    assert not snap_report(source).files


def test_on_the_command_line(tmp_path):
    for place in (tmp_path / "data", tmp_path / "others"):
        write(place, drawing()[1])
        (place / "images").mkdir()
        Image.new("RGB", (40, 30)).save(place / "images/a.png")
    data = ["--data", f"folder:{tmp_path}/data", "--validation-data", f"folder:{tmp_path}/others"]
    said = call("check", *data, code=1)
    assert "If its edges were drawn smooth, give --snap 2" in said
    said = call("check", *data, "--snap", 300)
    assert "--snap 300: 1 of 1 label maps have colors of no class" in said and "All files can be used." in said
    said = call("check", "--data", "synthetic:4", "--snap", 300, code=1)
    assert "--snap: for folder:PATH, but --data is synthetic:4. Leave them out." in said


def test_a_pack_reads_its_files_by_the_rule(tmp_path):
    pytest.importorskip("array_record")
    write(tmp_path / "data", drawing()[1])
    source = Folder(tmp_path / "data", images=None, snap=300)
    write_records(source, tmp_path / "packed", images=False)
    np.testing.assert_array_equal(Records(tmp_path / "packed").load_label_map(0), source.load_label_map(0))
    assert snap_report(Records(tmp_path / "packed")).classes == snap_report(source).classes
