"""Drawings of other programs as label maps: against brute force, and against what was counted by hand."""

import base64
import io
import json
import shutil
import weakref

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder
from keras_semisis.drawings.label_studio import brush_mask
from keras_semisis.drawings.reading import read_drawings
from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, ellipse, polygons, rectangle
from keras_semisis.recipes import rasterize, rasterizing
from tests.cli.command import call

pytest.importorskip("pycocotools")
HEIGHT, WIDTH = 6, 8


def photo(path, size=(HEIGHT, WIDTH), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], (9, 9, 9)).save(path, **options)


def grid(text):
    """Digits, a row a line."""
    return [[int(digit) for digit in line] for line in text.split()]


def label_map(folder, name):
    return np.asarray(Image.open(folder / "labels" / f"{name}.png")).tolist()


# Shapes


def inside(x, y, corners):
    """Whether a point lies in a polygon, by the edges that a ray to the right meets."""
    met = False
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            met = not met
    return met


def distance_to_edges(x, y, corners):
    point, nearest = np.array([x, y]), np.inf
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = np.clip(np.dot(point - a, b - a) / max(np.dot(b - a, b - a), 1e-12), 0, 1)
        nearest = min(nearest, np.linalg.norm(a + along * (b - a) - point))
    return nearest


def test_polygons_have_the_pixels_whose_middle_lies_inside():
    random = np.random.default_rng(0)
    differ = 0
    for corners in (3, 4, 5, 7) * 3:
        polygon = random.uniform(-4, 28, (corners, 2))  # some beyond the photo, some that cross themselves
        painted = polygons([polygon.ravel().tolist()], "here")((20, 24))
        for y, x in np.ndindex(20, 24):
            if painted[y, x] != inside(x + 0.5, y + 0.5, polygon):
                differ += 1
                assert distance_to_edges(x + 0.5, y + 0.5, polygon) < 0.75
    assert differ < 0.02 * 12 * 480


def test_rectangles_and_ellipses():
    assert rectangle(1, 2, 3, 2, 0, (1, 2), "here")((6, 8)).astype(int).tolist() == grid(
        "00000000 00000000 01110000 01110000 00000000 00000000"
    )
    # a quarter around its middle, and around its corner
    assert rectangle(1, 2, 4, 2, 90, (3, 3), "here")((6, 8)).astype(int).tolist() == grid(
        "00000000 00110000 00110000 00110000 00110000 00000000"
    )
    assert rectangle(5, 1, 3, 2, 90, (5, 1), "here")((6, 8)).astype(int).tolist() == grid(
        "00000000 00011000 00011000 00011000 00000000 00000000"
    )
    painted = ellipse((10.0, 8.0), (7.0, 3.0), 30)((16, 20))
    down, across = np.deg2rad(30), 0
    for y, x in np.ndindex(16, 20):
        dx, dy = x + 0.5 - 10, y + 0.5 - 8
        u, v = dx * np.cos(down) + dy * np.sin(down), dy * np.cos(down) - dx * np.sin(down)
        across += painted[y, x]
        assert painted[y, x] == ((u / 7) ** 2 + (v / 3) ** 2 <= 1)
    assert abs(across - np.pi * 7 * 3) < 5


def test_what_is_no_polygon_is_refused():
    for part in ([0, 0, 1, 1], [0, 0, 1, 1, 2], [0, 0, 1, float("nan"), 2, 2]):
        with pytest.raises(DataError, match=r"^here: a polygon of the coordinates"):
            polygons([part], "here")


# COCO


def coco(tmp_path, annotations, **more):
    document = {
        "images": [{"id": 7, "file_name": "town/a.jpg", "height": HEIGHT, "width": WIDTH}],
        "categories": [{"id": 30, "name": "car"}, {"id": 2, "name": "road"}, {"id": 9, "name": "tree"}],
        "annotations": [{"image_id": 7, "id": i, **each} for i, each in enumerate(annotations)],
    } | more
    (tmp_path / "instances.json").write_text(json.dumps(document))
    return tmp_path / "instances.json"


ROAD = {"category_id": 2, "segmentation": [[0, 2, 8, 2, 8, 6, 0, 6]]}
CAR = {"category_id": 30, "segmentation": [[1, 1, 4, 1, 4, 4, 1, 4]]}
# along columns, with a hole in it, as pictures are counted by COCO
TREE = {"category_id": 9, "segmentation": {"size": [HEIGHT, WIDTH], "counts": [30, 3, 3, 1, 1, 1, 3, 3, 3]}, "iscrowd": 1}
EXPECTED = """
    33333111
    32223131
    02220111
    02220000
    00000000
    00000000
"""


def test_coco_polygons_and_runs(tmp_path):
    """Smaller shapes lie above larger ones, in whatever order the file has them."""
    photo(tmp_path / "photos/town/a.jpg")
    file = coco(tmp_path, [CAR, TREE, ROAD, {"category_id": 2, "bbox": [0, 0, 1, 1]}])
    report = rasterize(file, tmp_path / "out", tmp_path / "photos")
    assert report.left_out == {"a box without a segmentation": 1}
    assert label_map(tmp_path / "out", "town/a") == grid(EXPECTED)
    source = Folder(tmp_path / "out")
    assert source.label_space.class_names == ("road", "tree", "car", "unlabeled") and source.label_space.ignore_class == 3
    assert source.load(0)[1].tolist() == grid(EXPECTED) and source.name(0) == "town/a"
    assert (report.photos, report.label_maps, dict(report.shapes)) == (1, 1, {"road": 1, "car": 1, "tree": 1})
    assert report.pixels.tolist() == np.bincount(np.ravel(grid(EXPECTED))).tolist()
    rasterize(file, tmp_path / "in order", tmp_path / "photos", order="file")
    assert label_map(tmp_path / "in order", "town/a")[2] == [0] * 8


def test_compressed_runs_are_those_of_pycocotools(tmp_path):
    from pycocotools import mask

    drawn = np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.4
    runs = mask.encode(np.asfortranarray(drawn.astype("uint8")))
    runs["counts"] = runs["counts"].decode()
    photo(tmp_path / "town/a.jpg")
    rasterize(coco(tmp_path, [{"category_id": 9, "segmentation": runs}]), tmp_path / "out", background="ground")
    assert (np.array(label_map(tmp_path / "out", "town/a")) == 2).tolist() == drawn.tolist()
    assert Folder(tmp_path / "out").label_space.class_names == ("ground", "road", "tree", "car")


def test_what_a_file_of_coco_lacks(tmp_path):
    photo(tmp_path / "town/a.jpg")
    for annotation, words in (
        ({"category_id": 5, "segmentation": [[0, 0, 1, 1, 2, 0]]}, "annotation 0: not understood .*there is no category 5"),
        ({"category_id": 2, "segmentation": {"size": [2, 2], "counts": [4]}}, "its runs are of 2×2, the image is 6×8"),
        ({"category_id": 2, "segmentation": {"size": [6, 8], "counts": [4]}}, "its runs are of 4 pixels, the image has 48"),
        ({"segmentation": [[0, 0, 1, 1, 2, 0]]}, "'category_id' is missing"),
        ({"category_id": 2, "segmentation": [[0, 0, 1, 1]]}, "needs three corners"),
    ):
        with pytest.raises(DataError, match=words):
            rasterize(coco(tmp_path, [annotation]), tmp_path / "out")
    with pytest.raises(DataError, match="no shape with an area is drawn"):
        rasterize(coco(tmp_path, [], categories=[]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_runs_of_coco_cover_the_whole_photo(tmp_path):
    """pycocotools leaves what lies behind shorter ones as the memory was."""
    from pycocotools import mask

    def packed(array):
        return mask.encode(np.asfortranarray(np.array(array, "uint8")))["counts"].decode()

    random = np.random.default_rng(0)
    for size in ((HEIGHT, WIDTH), (40, 300)):
        drawn = (random.random(size) < 0.3).astype("uint8")
        document = {"images": [{"id": 1, "file_name": "a.png", "height": size[0], "width": size[1]}]}
        document |= {"categories": [{"id": 1, "name": "x"}], "annotations": [{"image_id": 1, "category_id": 1}]}

        def write(counts, size=size, document=document):
            document["annotations"][0]["segmentation"] = {"size": size, "counts": counts}
            (tmp_path / "coco.json").write_text(json.dumps(document))
            return tmp_path / "coco.json"

        photo(tmp_path / "a.png", size)
        rasterize(write(packed(drawn)), tmp_path / f"out {size[0]}")
        assert label_map(tmp_path / f"out {size[0]}", "a") == (1 - drawn).tolist()
        for counts in (packed(np.zeros((2, size[1]))), packed(np.ones((size[0] + 1, size[1]))), "", packed(drawn)[:-1], "\x01"):
            with pytest.raises(DataError, match=r"coco\.json.*(its runs are of|are cut short|have the character)"):
                rasterize(write(counts), tmp_path / "other")
            assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("annotations", [None, [1], 3])
def test_annotations_that_are_none(tmp_path, annotations):
    document = {"images": [], "categories": [], "annotations": annotations}
    (tmp_path / "coco.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"coco\.json"):
        rasterize(tmp_path / "coco.json", tmp_path / "out")


def panoptic(tmp_path, segments, ids, file_name="a.png"):
    """Segments as [(id, category)], and the id of each pixel."""
    ids = np.array(ids)
    picture = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype("uint8")
    (tmp_path / "panoptic").mkdir(exist_ok=True)
    Image.fromarray(picture).save(tmp_path / "panoptic/a.png")
    document = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": HEIGHT, "width": WIDTH}],
        "annotations": [
            {
                "image_id": 7,
                "file_name": file_name,
                "segments_info": [{"id": number, "category_id": category} for number, category in segments],
            }
        ],
        "categories": [
            {"id": 200, "name": "sky", "isthing": 0, "color": [70, 130, 180]},
            {"id": 3, "name": "car", "isthing": 1, "color": [0, 0, 142]},
        ],
    }
    (tmp_path / "panoptic.json").write_text(json.dumps(document))
    return tmp_path / "panoptic.json"


def test_coco_panoptic(tmp_path):
    photo(tmp_path / "a.jpg")
    drawn = np.array(grid("11110000 11110000 02233000 02233000 00000000 00000000"))
    # red alone, green, blue, and all of them
    numbers = np.array([0, 255, 256 * 3, 65536 * 2 + 256 + 9])
    file = panoptic(tmp_path, [(255, 200), (768, 3), (131337, 3)], numbers[drawn])
    photo(tmp_path / "empty.jpg")
    document = json.loads(file.read_text())
    document["images"].append({"id": 8, "file_name": "empty.jpg", "height": HEIGHT, "width": WIDTH})
    file.write_text(json.dumps(document))
    report = rasterize(file, tmp_path / "out")
    assert report.photos == 2 and len(Folder(tmp_path / "out").unpaired_images) == 1
    assert label_map(tmp_path / "out", "a") == np.array([2, 1, 0, 0])[drawn].tolist()
    space = Folder(tmp_path / "out").label_space
    assert space.class_names == ("car", "sky", "unlabeled") and space.palette[:2] == ((0, 0, 142), (70, 130, 180))
    assert dict(report.shapes) == {"car": 2, "sky": 1}
    for segments, ids, name, words in (
        ([(255, 200)], drawn, "a.png", r"panoptic.a\.png: segment 1 is in the PNG file or in the JSON file alone"),
        ([(1, 200), (2, 3)], (drawn > 0).astype(int), "a.png", "segment 2 is in the PNG file or in the JSON file alone"),
        ([(1, 200)], np.ones((2, 3), int), "a.png", r"panoptic.a\.png: a mask is 2×3, its photo 6×8"),
        ([(1, 9)], drawn, "a.png", "image 7: not understood .*there is no category 9"),
        ([(1, 3)], drawn, "b.png", "image 7: its segments b.png are neither in"),
    ):
        with pytest.raises(DataError, match=words):
            rasterize(panoptic(tmp_path, segments, ids, name), tmp_path / "other")
        shutil.rmtree(tmp_path / "other", ignore_errors=True)


@pytest.mark.parametrize("unpacked", ["imgs/a.png", "imgs\\a.png"])
@pytest.mark.parametrize("kind", ["COCO", "COCO panoptic", "CVAT"])
def test_paths_that_were_written_on_windows(tmp_path, kind, unpacked):
    """Some programs unpack an archive of Windows into files whose names have backslashes."""
    if kind == "COCO":
        image = {"id": 7, "file_name": "imgs\\a.png", "height": HEIGHT, "width": WIDTH}
        file = coco(tmp_path, [CAR], images=[image])
    elif kind == "COCO panoptic":
        file = panoptic(tmp_path, [(1, 3)], np.ones((HEIGHT, WIDTH), int), "..\\panoptic\\a.png")
        file.write_text(file.read_text().replace("a.jpg", "imgs\\\\a.png"))
    else:
        file = cvat(tmp_path, '<box label="car" xtl="0" ytl="0" xbr="2" ybr="2"/>')
        file.write_text(file.read_text().replace("a.png", "imgs\\a.png"))
    photo(tmp_path / "photos" / unpacked)
    rasterize(file, tmp_path / "out", tmp_path / "photos")
    rasterize(file, tmp_path / "alone", photos=False)
    assert Folder(tmp_path / "out").name(0) == "imgs/a"
    assert (tmp_path / "out/images/imgs/a.png").is_file() and (tmp_path / "alone/labels/imgs/a.png").is_file()


# labelme, CVAT, Label Studio, layers


def test_labelme(tmp_path):
    mask = io.BytesIO()
    Image.fromarray(np.array([[1, 0], [255, 1]], "uint8")).save(mask, "PNG")  # by version as 1 or as 255
    shapes = [
        {"label": "road", "points": [[0, 3], [8, 3], [8, 6], [0, 6]], "shape_type": "polygon"},
        {"label": "car", "points": [[5, 5], [2, 2]], "shape_type": "rectangle"},
        {"label": "sun", "points": [[7, 1], [7, 2]], "shape_type": "circle"},
        {
            "label": "tree",
            "points": [[-0.4, 0.4], [2, 2]],
            "shape_type": "mask",
            "mask": base64.b64encode(mask.getvalue()).decode(),
        },
        {"label": "pole", "points": [[0, 0], [2, 2]], "shape_type": "line"},
    ]
    document = {"imagePath": "..\\a.png", "imageHeight": HEIGHT, "imageWidth": WIDTH, "shapes": shapes}
    (tmp_path / "a.json").write_text(json.dumps(document))
    photo(tmp_path / "a.png")
    report = rasterize(tmp_path, tmp_path / "out")
    assert Folder(tmp_path / "out").label_space.class_names == ("car", "road", "sun", "tree", "unlabeled")
    expected = "34444422 33444422 44000444 11000111 11000111 11111111"
    assert label_map(tmp_path / "out", "a") == grid(expected)
    assert report.left_out == {"a line": 1}
    rasterize(tmp_path / "a.json", tmp_path / "alone", tmp_path)
    assert label_map(tmp_path / "alone", "a") == grid(expected)
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(DataError, match=r"b\.json: no file of labelme"):
        rasterize(tmp_path, tmp_path / "other")


def test_labelme_in_folders(tmp_path):
    for town in ("aachen", "bochum"):
        photo(tmp_path / town / "1.png")
        document = {"imagePath": "1.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
        shape = {"label": town, "points": [[0, 0], [8, 0], [8, 6], [0, 6]], "shape_type": "polygon"}
        (tmp_path / town / "1.json").write_text(json.dumps(document | {"shapes": [shape]}))
    report = rasterize(tmp_path, tmp_path / "out")
    assert report.photos == 2
    assert [label_map(tmp_path / "out", f"{town}/1")[0][0] for town in ("aachen", "bochum")] == [0, 1]


@pytest.mark.parametrize("path", ["../photos/1.png", "..\\photos\\1.png", "/home/me/photos/1.png", "C:\\me\\photos\\1.png"])
def test_a_photo_that_labelme_has_elsewhere_is_named_by_its_json_file(tmp_path, path):
    document = {"imagePath": path, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    shape = {"label": "road", "points": [[0, 0], [8, 0], [8, 6], [0, 6]], "shape_type": "polygon"}
    (tmp_path / "drawn/town").mkdir(parents=True)
    for file in ("drawn/1.json", "drawn/town/1.json"):
        levels = "../" if "town" in file and path.startswith("..") else ""
        (tmp_path / file).write_text(json.dumps(document | {"imagePath": levels + path, "shapes": [shape]}))
    assert [item.photo for item in read_drawings(tmp_path / "drawn").items] == ["1.png", "town/1.png"]
    photo(tmp_path / "photos/1.png")
    images = tmp_path / "drawn" if path.startswith("..") else tmp_path
    rasterize(tmp_path / "drawn/1.json", tmp_path / "out", images)
    assert (tmp_path / "out/images/1.png").is_file()
    with pytest.raises(DataError, match=r"both would be .*1\.png\. Put each there under its own path"):
        rasterize(tmp_path / "drawn", tmp_path / "other", images)


def cvat(tmp_path, shapes, more=""):
    (tmp_path / "annotations.xml").write_text(
        f"""<?xml version="1.0" encoding="utf-8"?>
        <annotations><version>1.1</version><meta><job><labels>
          <label><name>road</name><color>#804080</color></label>
          <label><name>car</name><color>#00008e</color></label>
          <label><name>sign</name><color>#dcdc00</color></label>
        </labels></job></meta>
        <image id="0" name="a.png" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>{more}</annotations>
        """
    )
    return tmp_path / "annotations.xml"


def test_cvat(tmp_path):
    photo(tmp_path / "a.png")
    shapes = """
        <box label="car" xtl="1" ytl="1" xbr="5" ybr="3" rotation="90.0" z_order="1"/>
        <polygon label="road" points="0.00,3.00;8.00,3.00;8.00,6.00;0.00,6.00" z_order="0"/>
        <mask label="sign" rle="1, 2, 1, 1, 1" left="5" top="1" width="3" height="2" z_order="2"/>
        <ellipse label="sign" cx="1" cy="5" rx="1" ry="1" z_order="2"/>
        <polyline label="road" points="0,0;1,1" z_order="0"/><tag label="sunny"/>
    """
    report = rasterize(cvat(tmp_path, shapes), tmp_path / "out")
    assert label_map(tmp_path / "out", "a") == grid("33113333 33113322 33113323 00110000 22000000 22000000")
    space = Folder(tmp_path / "out").label_space
    assert space.class_names == ("road", "car", "sign", "unlabeled")
    assert space.palette[:3] == ((128, 64, 128), (0, 0, 142), (220, 220, 0))
    assert report.left_out == {"a polyline": 1}
    with pytest.raises(DataError, match=r"image a\.png: runs of 3 pixels for a mask of 2×3"):
        rasterize(cvat(tmp_path, '<mask label="car" rle="1,2" left="0" top="0" width="3" height="2"/>'), tmp_path / "other")
    with pytest.raises(DataError, match=r"a mask of 1×3 at \(7, 0\) reaches beyond the photo of 6×8"):
        rasterize(cvat(tmp_path, '<mask label="car" rle="0,3" left="7" top="0" width="3" height="1"/>'), tmp_path / "other")
    (tmp_path / "annotations.xml").write_text("<annotations>")
    with pytest.raises(DataError, match="this is no XML"):
        rasterize(tmp_path / "annotations.xml", tmp_path / "others")


def test_cvat_for_video(tmp_path):
    tracks = """
        <track id="0" label="car"><box frame="3" outside="0" keyframe="1" xtl="1" ytl="1" xbr="4" ybr="4" z_order="1"/>
          <box frame="4" outside="1" keyframe="1" xtl="1" ytl="1" xbr="4" ybr="4" z_order="1"/></track>
        <track id="1" label="road"><polygon frame="3" outside="0" keyframe="1" points="0,3;8,3;8,6;0,6" z_order="0"/>
          <polygon frame="4" outside="0" keyframe="0" points="0,4;8,4;8,6;0,6" z_order="0"/></track>
        <track id="2" label="sign"><points frame="3" outside="0" points="1,1"/>
          <box frame="5" outside="1" xtl="1" ytl="1" xbr="4" ybr="4"/></track>
    """
    size = f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>"
    labels = "<labels><label><name>road</name></label><label><name>car</name></label><label><name>sign</name></label></labels>"

    def video(tracks, size=size):
        path = tmp_path / "annotations.xml"
        path.write_text(f"<annotations><meta><task>{labels}{size}</task></meta>{tracks}</annotations>")
        return path

    for name in ("frame_000003.PNG", "frame_000004.png", "frame_000005.jpg"):
        photo(tmp_path / "images" / name)
    report = rasterize(video(tracks), tmp_path / "out", tmp_path / "images")
    assert label_map(tmp_path / "out", "frame_000003") == grid("33333333 31113333 31113333 01110000 00000000 00000000")
    assert label_map(tmp_path / "out", "frame_000004") == grid("33333333 33333333 33333333 33333333 00000000 00000000")
    assert (report.photos, report.label_maps, report.left_out) == (3, 2, {"a points": 1})
    assert len(Folder(tmp_path / "out")) == 2
    with pytest.raises(DataError, match=r"frame 3: its photo frame_000003 is not in"):
        rasterize(video(tracks), tmp_path / "other")
    for tracks, sized, words in (
        ('<track id="7" label="car"><box xtl="1"/></track>', size, "track 7: not understood .*'frame' is missing"),
        ('<track id="7"><box frame="1" xtl="1" ytl="1" xbr="4" ybr="4"/></track>', size, "track 7: .*'label' is missing"),
        ('<track id="7" label="car"/>', "", "annotations.xml: not understood as a file of CVAT"),
    ):
        with pytest.raises(DataError, match=words):
            rasterize(video(tracks, sized), tmp_path / "other", photos=False)


# of label_studio_sdk.converter.brush: mask2rle of [[0, 255, 255], [0, 255, 0]]
BRUSH = [0, 0, 0, 24, 57, 27, 252, 96, 19, 255, 198, 1, 31, 252, 96, 0]


def test_label_studio(tmp_path):
    def result(kind, value, size=(2, 3)):
        return {
            "type": f"{kind}labels",
            "to_name": "photo",
            "original_height": size[0],
            "original_width": size[1],
            "value": value,
        }

    tasks = [
        {
            "id": 1,
            "data": {"photo": "/data/upload/3/0a1b2c3d-a%20b.png"},
            "annotations": [
                {"was_cancelled": True, "result": [result("brush", {})]},
                {"result": [result("brush", {"format": "rle", "rle": BRUSH, "brushlabels": ["tree"]})]},
            ],
        },
        {
            "id": 2,
            "data": {"photo": "/data/local-files/?d=town/c.png"},
            "annotations": [
                {
                    "result": [
                        result(
                            "polygon", {"points": [[0, 50], [100, 50], [100, 100], [0, 100]], "polygonlabels": ["road"]}, (6, 8)
                        ),
                        result(
                            "rectangle",
                            {"x": 50, "y": 0, "width": 25, "height": 50, "rotation": 90, "rectanglelabels": ["car"]},
                            (6, 8),
                        ),
                        result(
                            "ellipse", {"x": 87.5, "y": 50, "radiusX": 12.5, "radiusY": 16.7, "ellipselabels": ["tree"]}, (6, 8)
                        ),
                        result("keypoint", {"x": 1, "y": 1, "keypointlabels": ["car"]}, (6, 8)),
                    ]
                }
            ],
        },
        {"id": 3, "data": {"photo": "d.png"}, "annotations": []},
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    photo(tmp_path / "a b.png", (2, 3))
    photo(tmp_path / "c.png")
    photo(tmp_path / "d.png")
    report = rasterize(tmp_path / "export.json", tmp_path / "out")
    assert label_map(tmp_path / "out", "0a1b2c3d-a b") == [[3, 2, 2], [3, 2, 3]]
    assert label_map(tmp_path / "out", "town/c") == grid("30003333 30003333 33333322 11111122 11111111 11111111")
    assert (report.photos, report.label_maps, report.left_out) == (3, 2, {"one of keypointlabels": 1})
    assert len(Folder(tmp_path / "out").unpaired_images) == 1
    assert rasterize(tmp_path / "export.json", tmp_path / "background", background="sky").label_maps == 3
    alone = rasterize(tmp_path / "export.json", tmp_path / "alone", photos=False)  # the photos tell their size all the same
    assert (alone.label_maps, alone.left_out) == (2, {"one of keypointlabels": 1})
    (tmp_path / "min.json").write_text(json.dumps([{"image": "/data/upload/3/a.png", "id": 5}]))
    with pytest.raises(DataError, match='task 5: it has no "annotations", as of JSON-MIN'):
        rasterize(tmp_path / "min.json", tmp_path / "other")


def studio(tmp_path, *tasks):
    """An export of tasks: of each its data, and what is drawn on the whole photo of a tag."""
    square = {"x": 0, "y": 0, "width": 100, "height": 100}

    def result(tag, label, more):
        value = square | {"rectanglelabels": [label]}
        size = {"original_height": HEIGHT, "original_width": WIDTH}
        return {"type": "rectanglelabels", "to_name": tag, "value": value} | size | more

    (tmp_path / "export.json").write_text(
        json.dumps([{"data": data, "annotations": [{"result": [result(*each) for each in drawn]}]} for data, drawn in tasks])
    )
    return tmp_path / "export.json"


def test_a_task_with_two_photos_has_two_drawings(tmp_path):
    for name in ("a.png", "b.png", "c.png", "d.png"):
        photo(tmp_path / name)
    both = {"before": "a.png", "after": "b.png"}, [("before", "x", {}), ("after", "y", {})]
    one = {"before": "c.png", "after": "d.png"}, [("after", "x", {})]
    report = rasterize(studio(tmp_path, both, one), tmp_path / "out")
    assert [label_map(tmp_path / "out", name)[0][0] for name in "abd"] == [0, 1, 0]
    assert (report.photos, report.label_maps) == (4, 3) and not (tmp_path / "out/labels/c.png").exists()
    pages = {"before": ["a.png", "b.png"]}, [("before", "x", {"item_index": i}) for i in (0, 1)]
    with pytest.raises(DataError, match="task 0: one tag, 'before', shows several photos"):
        rasterize(studio(tmp_path, pages), tmp_path / "other")


def test_a_photo_that_is_not_there_and_not_drawn_on_has_no_size(tmp_path):
    photo(tmp_path / "a.png")
    file = studio(tmp_path, ({"image": "a.png"}, [("image", "x", {})]), ({"image": "b.png"}, []))
    with pytest.raises(DataError, match=r"task 1: its photo b\.png is not in"):
        rasterize(file, tmp_path / "out")
    report = rasterize(file, tmp_path / "out", photos=False, background="ground")
    assert (report.label_maps, report.left_out) == (1, {"a photo on which nothing is drawn": 1})


def test_photos_in_folders_are_told_apart(tmp_path):
    for town in ("aachen", "bochum"):
        photo(tmp_path / "photos" / town / "1.png")
    tasks = [({"image": f"/data/local-files/?d=photos/{t}/1.png"}, [("image", t, {})]) for t in ("aachen", "bochum")]
    for images in (tmp_path, tmp_path / "photos"):
        out = tmp_path / f"out of {images.name}"
        assert rasterize(studio(tmp_path, *tasks), out, images).photos == 2
        assert [label_map(out, f"photos/{town}/1")[0][0] for town in ("aachen", "bochum")] == [0, 1]
    # what looks like the hash of an upload is part of a name elsewhere
    photo(tmp_path / "street.jpg")
    with pytest.raises(DataError, match=r"its photo 20240101-street\.jpg is not in"):
        rasterize(studio(tmp_path, ({"image": "20240101-street.jpg"}, [("image", "x", {})])), tmp_path / "other")
    assert rasterize(
        studio(tmp_path, ({"image": "/data/upload/1/20240101-street.jpg"}, [("image", "x", {})])), tmp_path / "upload"
    ).photos


def test_brushes_that_are_damaged():
    assert brush_mask(bytes(BRUSH), (2, 3), "here").astype(int).tolist() == [[0, 1, 1], [0, 1, 0]]
    with pytest.raises(DataError, match="here: a brush of 24 values for a photo of 3×3"):
        brush_mask(bytes(BRUSH), (3, 3), "here")
    for packed in (BRUSH[:10], []):
        with pytest.raises(DataError, match="here: a brush is cut short"):
            brush_mask(bytes(packed), (2, 3), "here")


def test_what_a_brush_covers_by_half_or_more_is_painted():
    """Bytes of 8 bits, one run of each pixel's four, none repeated."""
    alphas = [0, 1, 127, 128, 254, 255]
    words = [value for alpha in alphas for value in (9, 9, 9, alpha)]
    bits = (
        f"{len(words):032b}{7:05b}"
        + 4 * f"{4:04b}"
        + "".join(f"000{3:05b}" + "".join(f"{w:08b}" for w in words[i : i + 4]) for i in range(0, 24, 4))
    )
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    assert brush_mask(packed, (2, 3), "here").astype(int).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_brushes_are_unpacked_as_they_are_painted(tmp_path):
    def write(value):
        result = {"type": "brushlabels", "to_name": "image", "original_height": 2, "original_width": 3, "value": value}
        task = {"id": 4, "data": {"image": "a.png"}, "annotations": [{"result": [result]}]}
        (tmp_path / "export.json").write_text(json.dumps([task]))
        return tmp_path / "export.json"

    (item,) = read_drawings(write({"format": "rle", "rle": BRUSH[:10], "brushlabels": ["tree"]})).items
    with pytest.raises(DataError, match=r"export\.json, task 4: a brush is cut short"):
        item.shapes[0].paint(item.size)
    for rle in ([300], ["a"], 5, None):
        with pytest.raises(DataError, match=r"export\.json, task 4: not understood"):
            read_drawings(write({"format": "rle", "rle": rle, "brushlabels": ["tree"]}))


@pytest.mark.parametrize(("covered", "words"), [(8, ""), (7, "30% of the pixels are in no shape, and don't-care")])
def test_that_much_is_in_no_shape_is_told(tmp_path, covered, words, told):
    (tmp_path / "layers/a").mkdir(parents=True)
    Image.fromarray((np.arange(10) < covered).astype("uint8").reshape(2, 5)).save(tmp_path / "layers/a/sky.png")
    rasterize(tmp_path / "layers", tmp_path / "out", photos=False)
    printed = told()
    assert words in printed and bool(words) == bool(printed)
    rasterize(tmp_path / "layers", tmp_path / "with", photos=False, background="road")
    assert not told()


def test_what_a_layer_covers_by_half_or_more_belongs_to_it(tmp_path):
    (tmp_path / "layers/a").mkdir(parents=True)
    Image.fromarray(np.array([[[0, 0, 0, alpha] for alpha in (0, 1, 127, 128, 255)]], "uint8")).save(
        tmp_path / "layers/a/sky.png"
    )
    rasterize(tmp_path / "layers", tmp_path / "out", photos=False)
    assert label_map(tmp_path / "out", "a") == [[1, 1, 1, 0, 0]]


@pytest.mark.parametrize("ink", [255, 90, 1])
def test_layers(tmp_path, ink):
    def layer(name, mask, transparent):
        mask = np.array(mask, "uint8") * (255 if transparent else ink)
        path = tmp_path / "layers/a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = np.stack([np.full_like(mask, 50), mask, mask, mask], axis=-1) if transparent else mask
        Image.fromarray(picture).save(path)

    layer("1_sky.png", grid("11111111 11111111 00000000 00000000 00000000 00000000"), True)
    layer("10 car.png", grid("00000000 00110000 00110000 00110000 00000000 00000000"), False)
    layer("2-road.png", grid("00000000 00000000 00000000 11111111 11111111 11111111"), True)
    photo(tmp_path / "a.jpg")
    rasterize(tmp_path / "layers", tmp_path / "out", tmp_path)
    assert label_map(tmp_path / "out", "a") == grid("00000000 00220000 33223333 11221111 11111111 11111111")
    assert Folder(tmp_path / "out").label_space.class_names == ("sky", "road", "car", "unlabeled")
    rasterize(tmp_path / "layers/a", tmp_path / "one", tmp_path)
    assert label_map(tmp_path / "one", "a") == label_map(tmp_path / "out", "a")
    layer("3_sign.png", [[1, 1]], False)
    with pytest.raises(DataError, match=r"3_sign\.png: this layer is 1×2 \(height×width\), but 1_sky\.png is 6×8"):
        rasterize(tmp_path / "layers", tmp_path / "other", tmp_path)


def test_photos_lie_beside_the_folders_of_their_layers(tmp_path):
    for name in "ab":
        photo(tmp_path / name / "1_sky.png")
        photo(tmp_path / f"{name}.png")
    photo(tmp_path / ".thumbnails/a.png")
    report = rasterize(tmp_path, tmp_path.parent / f"{tmp_path.name} out")
    assert report.label_space.class_names == ("sky", "unlabeled") and report.photos == 2
    photo(tmp_path / "3_car.png")
    with pytest.raises(DataError, match=r"3_car\.png may be a layer of one photo, and the folder a the layers of another"):
        rasterize(tmp_path, tmp_path / "other")


def test_a_folder_of_layers_may_have_the_whole_name_of_its_photo(tmp_path):
    photo(tmp_path / "layers/a.png/1_sky.png")
    photo(tmp_path / "a.png")
    assert rasterize(tmp_path / "layers", tmp_path / "out", tmp_path).label_maps == 1


# Classes and photos


@pytest.mark.parametrize(("order", "times"), [("area", 2), ("file", 1)])
def test_masks_are_painted_one_at_a_time(tmp_path, monkeypatch, order, times):
    """All masks of a photo with a thousand buildings would be gigabytes."""
    masks = []

    def paint(size):
        assert all(mask() is None for mask in masks)
        mask = np.ones(size, bool)
        masks.append(weakref.ref(mask))
        return mask

    drawings = Drawings("a program", [Drawing("here", "a.png", (HEIGHT, WIDTH), [Shape("x", paint)] * 3)])
    monkeypatch.setattr(rasterizing, "read_drawings", lambda _: drawings)
    rasterize(tmp_path, tmp_path / "out", photos=False, order=order)
    assert len(masks) == 3 * times


def test_classes_that_are_given_and_merged(tmp_path):
    photo(tmp_path / "town/a.jpg")
    file = coco(tmp_path, [CAR, ROAD])
    (tmp_path / "classes.csv").write_text("id,name,r,g,b,ignore\n0,void,0,0,0,1\n1,car,9,0,0,0\n2,ground,0,9,0,0\n")
    with pytest.raises(DataError, match=r"the class 'road' is not in .*classes\.csv: there are void, car, ground") as error:
        rasterize(file, tmp_path / "out", classes=tmp_path / "classes.csv")
    assert "merge=" in str(error.value)
    report = rasterize(file, tmp_path / "out", classes=tmp_path / "classes.csv", merge={"road": "ground"})
    assert dict(report.shapes) == {"car": 1, "ground": 1}
    assert label_map(tmp_path / "out", "town/a") == grid("00000000 01110000 21112222 21112222 22222222 22222222")
    space = Folder(tmp_path / "out").label_space
    assert (space.class_names, space.ignore_class, space.palette[1]) == (("void", "car", "ground"), 0, (9, 0, 0))
    rasterize(file, tmp_path / "b", merge={"road": "unlabeled", "tree": "car"}, background="sky")
    assert Folder(tmp_path / "b").label_space.class_names == ("sky", "car", "unlabeled")
    assert label_map(tmp_path / "b", "town/a") == grid("00000000 01110000 21112222 21112222 22222222 22222222")


def test_a_second_split_has_the_classes_of_the_first(tmp_path):
    """Where nothing can be unlabeled there is no such class."""
    photo(tmp_path / "town/a.jpg")
    file = coco(tmp_path, [CAR, ROAD])
    first = rasterize(file, tmp_path / "train", background="ground").label_space
    given = {"classes": tmp_path / "train/classes.csv"}
    assert rasterize(file, tmp_path / "val", background="ground", **given).label_space.class_names == first.class_names
    for name, more in (
        ("a", {}),
        ("b", {"background": "unlabeled"}),
        ("c", {"background": "ground", "merge": {"car": "unlabeled"}}),
    ):
        assert rasterize(file, tmp_path / name, **more, **given).label_space.class_names == (*first.class_names, "unlabeled")


def test_photos_on_which_nothing_is_drawn(tmp_path, told):
    images = [{"id": i, "file_name": f"{i}.png", "height": HEIGHT, "width": WIDTH} for i in (7, 8)]
    for i in (7, 8):
        photo(tmp_path / f"{i}.png")
    file = coco(tmp_path, [CAR], images=images)
    rasterize(file, tmp_path / "out")
    assert "1 photos on which nothing is drawn have no label map." in told()
    source = Folder(tmp_path / "out")
    assert (len(source), source.name(0), source.unpaired_images.name(0)) == (1, "7", "8")
    report = rasterize(file, tmp_path / "all", background="ground")
    assert (report.photos, report.label_maps, len(Folder(tmp_path / "all"))) == (2, 2, 2)
    report = rasterize(file, tmp_path / "alone", photos=False)
    assert (report.photos, report.label_maps) == (0, 1) and not (tmp_path / "alone/images").exists()


def test_photos_that_do_not_fit(tmp_path):
    file = coco(tmp_path, [CAR])
    with pytest.raises(DataError, match=r"image 7: its photo town/a\.jpg is not in .* Name the folder of photos by images="):
        rasterize(file, tmp_path / "out")
    photo(tmp_path / "a.jpg", (12, 16))
    with pytest.raises(DataError, match=r"a\.jpg: this photo is 12×16 .* was drawn on one of 6×8\. Put the photo there"):
        rasterize(file, tmp_path / "out")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(tmp_path / "a.jpg", exif=exif)
    with pytest.raises(DataError, match=r"this photo is 8×6 .* would agree if the photo were not turned as its EXIF"):
        rasterize(file, tmp_path / "out")
    (tmp_path / "a.jpg").write_text("no photo")
    with pytest.raises(DataError, match=r"a\.jpg: this is no photo that can be read"):
        rasterize(file, tmp_path / "out")
    images = [{"id": 7, "file_name": name, "height": HEIGHT, "width": WIDTH} for name in ("a.jpg", "../A.png")]
    with pytest.raises(DataError, match=r"would have the name of that of"):
        rasterize(coco(tmp_path, [CAR], images=[images[0], images[1] | {"id": 8}]), tmp_path / "out")
    # a name that leads out of the folder is taken for that of the file
    photo(tmp_path / "A.png")
    rasterize(coco(tmp_path, [CAR], images=images[1:]), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/labels").iterdir()] == ["A.png"]
    with pytest.raises(FileExistsError, match="exists and holds something"):
        rasterize(file, tmp_path / "out")


def test_on_the_command_line(tmp_path):
    photo(tmp_path / "photos/town/a.jpg")
    file = coco(tmp_path, [CAR, TREE, ROAD])
    said = call("rasterize", file, "--output", tmp_path / "out", code=1)
    assert "Name the folder of photos by --images FOLDER, or write label maps alone: --no-photos" in said
    said = call("rasterize", file, "--output", tmp_path / "out", "--images", tmp_path / "photos", "--merge", "tree=road")
    assert f"1 label maps in {tmp_path / 'out'}. Read them with folder:{tmp_path / 'out'}" in said
    assert "unlabeled (don't-care)" in said
    assert "road" in call("classes", f"folder:{tmp_path / 'out'}")
    for arguments, words in {
        (tmp_path / "none.json",): "none.json: there is no such file or folder. Give a JSON file of COCO",
        (file, "--merge", "tree"): "Error: --merge tree: expected FROM=TO",
        (file, "--order", "size"): "Error: --order size: expected file or area.",
    }.items():
        assert words in call("rasterize", *arguments, "--output", tmp_path / "x", code=1)


def test_of_a_class_that_nothing_is_drawn_as_it_is_told(tmp_path, told):
    photo(tmp_path / "town/a.jpg")
    rasterize(coco(tmp_path, [CAR, ROAD]), tmp_path / "out", merge={"raod": "car", "road": "car"})
    assert "--merge raod=car: nothing is drawn as 'raod', there are car, " in told()


def test_what_is_interrupted_is_no_data_set_and_can_be_called_again(tmp_path, monkeypatch):
    images = [{"id": i, "file_name": f"{i}.png", "height": HEIGHT, "width": WIDTH} for i in (7, 8)]
    for i in (7, 8):
        photo(tmp_path / f"{i}.png")
    file, out = coco(tmp_path, [CAR, CAR | {"id": 9, "image_id": 8}], images=images), tmp_path / "out"
    encoded, encode = [], rasterizing.label_map_png

    def interrupted(*args):
        encoded.append(args)
        if len(encoded) == 2:
            shutil.copytree(out, tmp_path / "killed")  # as a process leaves it that had no time to clean up
            raise KeyboardInterrupt
        return encode(*args)

    monkeypatch.setattr(rasterizing, "label_map_png", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rasterize(file, out)
    monkeypatch.undo()
    assert list(out.iterdir()) == []
    assert len([path for path in (tmp_path / "killed").rglob("*") if path.is_file()]) == 3
    with pytest.raises(DataError):
        Folder(tmp_path / "killed")
    for folder in (out, tmp_path / "killed"):
        assert rasterize(file, folder).label_maps == len(Folder(folder)) == 2
        assert sorted(path.name for path in folder.iterdir()) == ["classes.csv", "images", "labels"]
