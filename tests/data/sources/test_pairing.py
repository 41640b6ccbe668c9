"""Names of photos and label maps: which belong together, and what is in doubt."""

from pathlib import Path

import pytest

from keras_semisis.data import DataError
from keras_semisis.data.sources.pairing import (
    NameRule,
    bare_suffix,
    find_rule,
    find_rule_in_one,
    label_map_rule,
    label_maps_among,
    matched,
)


@pytest.mark.parametrize(
    ("images", "labels", "rule"),
    [
        (["a", "b", "c"], ["a", "b"], ("", "")),
        (["ISIC_1", "ISIC_2"], ["ISIC_1_segmentation", "ISIC_2_segmentation"], ("", "_segmentation")),
        (["p1", "p2", "p3"], ["p1.jpg", "p2.jpg"], ("", ".jpg")),
        (["1_sat", "2_sat"], ["1_mask", "2_mask"], ("_sat", "_mask")),
        (["1_sat", "2_sat", "3_sat"], ["2_MASK", "3_MASK"], ("_sat", "_MASK")),
        (["imgA", "imgB"], ["imgAMask", "imgBMask"], ("", "Mask")),
        (["1", "11", "21"], ["1m", "11m", "21m"], ("", "m")),
        # all photos of one frame number: its part in both suffixes is not taken
        (
            ["x/a_000_019_leftImg8bit", "x/b_000_019_leftImg8bit"],
            ["x/a_000_019_gtFine_labelIds", "x/b_000_019_gtFine_labelIds"],
            ("_leftImg8bit", "_gtFine_labelIds"),
        ),
        # previews and instances beside the label maps
        (["a", "b"], [f"{n}_{k}" for n in "ab" for k in ("labelIds", "color", "instanceIds")], ("", "_labelIds")),
        (["a", "b", "c"], ["a_mask", *(f"{n}_color" for n in "abc")], ("", "_mask")),
        # numbers are no suffixes: 10 is not the label map of 1
        (["1", "2", "3"], ["10", "20", "30"], ("", "")),
        (["s_1", "s_2"], ["s_1_0", "s_2_0"], ("", "")),
        # one of each that begin alike
        (["sky_day", "sea_noon"], ["sky_night"], ("", "")),
        (["sky_day", "sea_day"], ["sky_night"], ("", "")),
        (["a", "b"], ["a", "b_mask"], ("", "")),
    ],
)
def test_suffixes_that_are_found(images, labels, rule):
    assert find_rule(images, labels) == NameRule(*rule)


@pytest.mark.parametrize(
    ("images", "labels", "rule"),
    [
        (["img_001", "img_002"], ["mask_001", "mask_002"], ("img_", "mask_")),
        (["image_a", "image_b"], ["label_a", "label_b"], ("image_", "label_")),
        (["001", "002"], ["mask001"], ("", "mask")),
        (["t/IMG_1", "u/img_2"], ["t/GT_1", "u/gt_2"], ("IMG_", "GT_")),
        (["img_1", "img_2"], ["mask_img_1", "mask_img_2"], ("", "mask_")),
        (["imgLeft", "imgRight"], ["maskLeft", "maskRight"], ("img", "mask")),
        # one pair
        (["img_1", "img_2", "img_3"], ["seg_2"], ("img_", "seg_")),
        # colors beside the label maps
        (["img_1", "img_2"], ["label_1", "color_1", "label_2", "color_2"], ("img_", "label_")),
        # names of towns, not of what the files are
        (["north_1", "north_2"], ["south_1", "south_2"], ("", "")),
        # photos of several prefixes are not all of one series
        (["day_1", "night_1"], ["mask_1"], ("", "")),
        (["mask_1", "b"], ["mask_1", "b"], ("", "")),
    ],
)
def test_prefixes_that_are_found(images, labels, rule):
    assert find_rule(images, labels) == NameRule("", "", *rule)


def test_prefixes_that_are_given():
    given = {"image_prefix": "north_", "label_prefix": "south_"}
    rule = find_rule(["north_1_rgb", "north_2_rgb"], ["south_1_seg", "south_2_seg"], **given)
    assert rule == NameRule("_rgb", "_seg", "north_", "south_")
    assert find_rule(["img_1"], ["mask_1"], image_prefix="", label_prefix="") == NameRule()
    names = ["north_1", "south_1", "north_2", "south_2"]
    assert find_rule_in_one(names, **given) == NameRule("", "", "north_", "south_")
    with pytest.raises(DataError, match=r"here: 2 photos .* begin with 'gt_' and with 'mask_'.*Give label_prefix='gt_'"):
        find_rule(["img_1", "img_2"], ["gt_1", "gt_2", "mask_1", "mask_2"], where="here")
    photos, maps, neither = matched(files("t/img_1", "t/x"), files("t/mask_1", "t/y"), NameRule("", "", "img_", "mask_"))
    assert photos.keys() == maps.keys() == {"t/1"} and [path.stem for path in neither] == ["x", "y"]


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (["a", "a_mask", "b", "b_mask", "c"], ("", "_mask")),
        (["1_sat", "1_mask", "2_sat", "2_mask"], ("_sat", "_mask")),
        (["a", "b", "c"], ("", "")),
        (["a_left", "a_right", "b_left", "b_right"], None),
    ],
)
def test_suffixes_in_one_folder(names, rule):
    if rule is None:
        with pytest.raises(DataError, match=r"here: 2 photos have files .* end in '_left' and in '_right'.*label_suffix='"):
            find_rule_in_one(names, where="here")
    else:
        assert find_rule_in_one(names) == NameRule(*rule)


def test_two_kinds_of_label_maps_are_in_doubt():
    labels = [f"{name}_{kind}" for name in "abc" for kind in ("labelIds", "labelTrainIds")]
    words = r"here: 3 photos have files .* '_labelIds' and in '_labelTrainIds'.* Give label_suffix='_labelIds'"
    with pytest.raises(DataError, match=words):
        find_rule("abc", labels, where="here")
    assert find_rule("abc", labels, label="_labelTrainIds") == NameRule("", "_labelTrainIds")


@pytest.mark.parametrize(
    ("written", "suffix"),
    [
        ("_mask", "_mask"),
        ("_mask.png", "_mask"),
        (".jpg", ".jpg"),
        (".jpg.png", ".jpg"),
        ("_v1.0", "_v1.0"),
        ("", ""),
        (None, None),
    ],
)
def test_a_suffix_may_be_written_with_the_format(written, suffix):
    assert bare_suffix(written) == suffix


@pytest.mark.parametrize(("name", "shared"), [("t/_mask", None), ("t/a_mask", "t/a"), ("t/img__mask", None), ("_mask", None)])
def test_of_a_name_something_has_to_be_shared(name, shared):
    assert NameRule(label="_mask", label_prefix="img_" if "img" in name else "").of_label(name) == shared


def files(*names):
    return {name: Path(f"{name}.png") for name in names}


def test_equal_names_go_before_letter_case():
    photos, maps, neither = matched(files("a", "A", "IMG_1", "x"), files("a", "img_1", "X"), NameRule())
    assert {name: path.stem for name, path in maps.items()} == {"a": "a", "IMG_1": "img_1", "x": "X"}
    assert photos.keys() == {"a", "A", "IMG_1", "x"} and not neither
    _, maps, _ = matched(files("a", "A"), files("Á", "b"), NameRule())
    assert maps.keys() == {"Á", "b"}


def test_letter_case_that_leaves_a_choice_is_not_decided():
    _, maps, _ = matched(files("ab", "Ab"), files("AB"), NameRule())
    assert maps.keys() == {"AB"}


def test_what_adds_to_a_label_map_is_passed_over():
    images, labels = files("a", "b"), files("a", "a_color", "b", "c", "b_2")
    photos, maps, neither = matched(images, labels, NameRule())
    assert maps.keys() == {"a", "b", "c", "b_2"} and [path.stem for path in neither] == ["a_color"]
    photos, maps, neither = matched(files("a_sat", "b"), files("a_mask", "c_mask", "a_color"), NameRule("_sat", "_mask"))
    assert photos.keys() == {"a"} and maps.keys() == {"a", "c"}
    assert [path.stem for path in neither] == ["b", "a_color"]


@pytest.mark.parametrize(
    ("left_out", "names"),
    [
        ("", "img_a img_b img_c"),
        ("", "day_left day_right night_left night_right"),
        ("", "a_mask b_mask"),
        ("", "a b_2 b_3"),
        ("a_color b_color", "a b"),
        ("a_color b_color a_overlay", "a b"),
        ("a_instanceIds a_color", "a_labelIds b_labelIds"),
        ("a b", "a_mask b_mask"),
        ("x_1_gtCoarse_color x_1_gtCoarse_instanceIds", "x_1_gtCoarse_labelIds"),
    ],
)
def test_label_maps_among_other_files(left_out, names):
    assert label_maps_among([*left_out.split(), *names.split()], "here") == {*names.split()}


def test_label_maps_of_two_kinds_alone():
    with pytest.raises(DataError, match=r"here: there are several files of each name, .*'_labelIds' and in '_labelT"):
        label_maps_among([f"{n}_{kind}" for n in "ab" for kind in ("labelIds", "labelTrainIds", "color")], "here")


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (NameRule("", "_mask"), "a a_mask b c"),
        (None, "a_left a_right"),
        (None, "a b c"),
        (None, "a_mask b_mask"),
        (NameRule("_sat", "_seg"), "1_sat 1_seg 2_sat 2_seg"),
        (NameRule("", "", "img_", "mask_"), "img_1 mask_1 img_2 mask_2"),
        (None, "img_1 pic_1 img_2 pic_2"),
    ],
)
def test_label_maps_among_photos(rule, names):
    assert label_map_rule(names.split()) == rule


@pytest.mark.parametrize(
    ("images", "labels", "rule"),
    [
        (["a", "b"], ["a_mask", "a_MASK", "b_mask"], NameRule(label="_mask")),
        (["a_sat", "a_SAT"], ["a_mask"], NameRule("_sat", "_mask")),
        (["img_1", "IMG_1"], ["mask_1"], NameRule(image_prefix="img_", label_prefix="mask_")),
    ],
)
def test_names_that_differ_in_the_letter_case_of_an_affix_alone_are_refused(images, labels, rule):
    images, labels = ({name: Path(f"{name}.png") for name in names} for names in (images, labels))
    with pytest.raises(DataError, match=r"(a_MASK|a_SAT|IMG_1)\.png: .* has the same name but for the letter case of its"):
        matched(images, labels, rule)


def test_of_names_that_differ_in_letter_case_none_is_taken_for_the_partner():
    images, labels = ({name: Path(f"{name}.png") for name in names} for names in (["Ab", "Cd"], ["AB", "ab", "cd"]))
    photos, maps, neither = matched(images, labels, NameRule())
    assert set(photos) & set(maps) == {"Cd"} and set(maps) == {"AB", "ab", "Cd"} and neither == []
