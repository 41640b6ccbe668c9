"""What an error or a warning advises, done: it leads to the right label map, in Python and on the command line."""

import ast
import re
import shlex
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_semisis
from keras_semisis.cli.messages import in_words, option_words
from keras_semisis.data import DataError, Folder, LabelSpace, SyntheticScenes, semi_paired_split
from keras_semisis.data.advised import Advised
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.label_space import distinct_colours
from keras_semisis.data.remedy import Remedy
from tests.cli.command import call

PACKAGE = Path(keras_semisis.__file__).parent


def space(number, ignore_class=None):
    return LabelSpace([f"c{i}" for i in range(number)], distinct_colours(number), ignore_class)


def blocks(*rows):
    """Label maps of 16×16 pixels in which each id is a block; one for each argument."""
    return [np.repeat(np.repeat(np.array(row).reshape(2, -1), 8, 0), 16 // (len(row) // 2), 1) for row in rows]


class Case:
    """Label maps as stored, the classes that are named, and what has to be read in the end."""

    def __init__(self, stored, right, named=None, ignored=None, settings=None, dtype=np.uint8, csv=False):
        self.stored, self.right = [a.astype(dtype) for a in blocks(*stored)], blocks(*right)
        self.named, self.ignored, self.settings, self.csv = named, ignored, settings or {}, csv

    def write(self, root):
        (root / "labels").mkdir(parents=True)
        (root / "images").mkdir()
        for i, array in enumerate(self.stored):
            suffix = "tif" if array.dtype == np.int32 else "png"
            Image.fromarray(array).save(root / "labels" / f"{i}.{suffix}")
            Image.new("RGB", array.shape[::-1]).save(root / "images" / f"{i}.png")
        if self.named is not None and self.csv:
            rows = [f"{i},{name},{','.join(map(str, colour))},{int(i == self.named.ignore_class)}" for i, (name, colour) in
                    enumerate(zip(self.named.class_names, self.named.palette, strict=True))]
            (root / "classes.csv").write_text("\n".join(["id,name,r,g,b,ignore", *rows]))


CASES = {
    "a black and white mask": Case([(0, 255, 0, 0)], [(0, 1, 0, 0)]),
    "three levels": Case([(0, 127, 255, 0)], [(0, 1, 2, 0)], ignored=None),
    "levels in several files": Case([(0, 255, 0, 0), (0, 0, 127, 127)], [(0, 2, 0, 0), (0, 0, 1, 1)]),
    "four levels": Case([(0, 85, 170, 255)], [(0, 1, 2, 3)]),
    "levels below 255": Case([(0, 60, 120, 180)], [(0, 1, 2, 3)]),
    "one level": Case([(0, 128, 0, 0)], [(0, 1, 0, 0)]),
    "levels of 16 bits": Case([(0, 32767, 65535, 0)], [(0, 1, 2, 0)], dtype=np.uint16),
    "a wrong id map before": Case([(0, 127, 255, 0)], [(0, 1, 2, 0)], settings={"id_map": {255: 128}}),
    "unlabelled": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], ignored=3),
    "unlabelled, some classes unseen": Case([(0, 3, 255, 0)], [(0, 3, 4, 0)], ignored=4),
    "unlabelled is -1": Case([(0, 1, 2, -1)], [(0, 1, 2, 3)], ignored=3, dtype=np.int32),
    "unlabelled in two ways": Case([(0, 1, 255, -1)], [(0, 1, 2, 2)], ignored=2, dtype=np.int32),
    "unlabelled, among levels": Case([(0, 127, 200, 255)], [(0, 1, 2, 3)], ignored=3, settings={"ignore_class": 255}),
    "ignored, below levels": Case([(0, 100, 200, 0)], [(0, 1, 2, 0)], ignored=0, settings={"ignore_class": 0}),
    "ignored, among levels": Case([(0, 100, 200, 0)], [(0, 1, 2, 0)], ignored=1, settings={"ignore_class": 100}),
    "a negative id": Case([(0, 1, 2, -7)], [(1, 2, 3, 0)], dtype=np.int32),
    "named, a black and white mask": Case([(0, 255, 0, 0)], [(0, 1, 0, 0)], named=space(2)),
    "named, levels": Case([(0, 255, 0, 0), (0, 127, 0, 0)], [(0, 2, 0, 0), (0, 1, 0, 0)], named=space(3)),
    "named, rounded levels": Case([(0, 128, 255, 0)], [(0, 1, 2, 0)], named=space(3)),
    "named, levels of its own": Case([(0, 60, 120, 200)], [(0, 1, 2, 3)], named=space(4)),
    "named, 16 bits scaled": Case([(0, 257, 514, 0)], [(0, 1, 2, 0)], named=space(3), dtype=np.uint16),
    "named, unlabelled without a class": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], named=space(3), ignored=3),
    "named, unlabelled with a class": Case([(0, 1, 2, 255)], [(0, 1, 2, 1)], named=space(3, 1), ignored=1),
    "named, -1 and 255 with a class": Case([(0, -1, 2, 255)], [(0, 1, 2, 1)], named=space(3, 1), ignored=1, dtype=np.int32),
    "named, from 1 on": Case([(1, 2, 3, 3)], [(0, 1, 2, 2)], named=space(3)),
    "classes.csv, unlabelled": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], named=space(3), ignored=3, csv=True),
    "classes.csv, levels": Case([(0, 255, 0, 0), (0, 127, 0, 0)], [(0, 2, 0, 0), (0, 1, 0, 0)], named=space(3), csv=True),
}


def advice_of(root, named, settings):
    """The source, and what an error or a warning of it advises: settings, or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            source = Folder(root, label_space=named, **settings)
            for i in range(len(source)):
                source.load(i)
        except DataError as error:
            return None, error
    doubts = [warning.message for warning in caught if isinstance(warning.message, DataWarning)]
    return source, doubts[0] if doubts else None


def first_settings(advised):
    return next(remedy.settings for remedy in advised.remedies if remedy.settings and ... not in remedy.settings.values())


@pytest.mark.parametrize("name", CASES)
def test_one_remedy_leads_to_the_right_label_map(tmp_path, name):
    case = CASES[name]
    case.write(tmp_path)
    named = None if case.csv else case.named
    _, advised = advice_of(tmp_path, named, case.settings)
    settings = case.settings | first_settings(advised)
    source, doubt = advice_of(tmp_path, named, settings)
    if name == "unlabelled, some classes unseen":  # id 1 and 2 may be classes that no file shows
        assert source.label_space.ignore_class == 4
    else:
        assert doubt is None, str(doubt)
    for i, right in enumerate(case.right):
        np.testing.assert_array_equal(source.load_label_map(i), right)
    assert source.label_space.ignore_class == case.ignored
    if case.named is None and doubt is None:
        assert source.label_space.num_classes == len(np.unique(case.right))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.named is None or case.csv])
def test_the_command_line_words_the_remedy_as_options_that_it_takes(tmp_path, name):
    case = CASES[name]
    case.write(tmp_path)
    given = shlex.split(option_words(["id_map", "ignore_class"])(case.settings))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, said = run_pack_check(tmp_path, given)
    said += "".join(in_words(warning.message, option_words(["id_map", "ignore_class"])) for warning in caught)
    _, advised = advice_of(tmp_path, None, case.settings)
    assert not re.search(r"\b(id_map|ignore_class|palette|label_space)=", said)
    options = re.findall(r"--(?:id-map -?\d+=\d+|ignore-class -?\d+)", said)
    settings = first_settings(advised)
    assert options == option_words(["id_map", "ignore_class"])(settings).replace(" --", "\n--").split("\n")
    kept = {key: value for key, value in case.settings.items() if key not in settings}
    code, said = run_pack_check(tmp_path, shlex.split(" ".join([*options, option_words(kept)(kept)])))
    assert code == 0, said


def run_pack_check(root, options):
    """Exit status and text of a command that reads every label map."""
    from typer.testing import CliRunner

    from keras_semisis.cli import app

    target = root / f"packed{len(options)}"
    found = CliRunner().invoke(app, ["pack", f"folder:{root}", str(target), "--validation-data", f"folder:{root}", *options],
                               env={"COLUMNS": "200"})
    return found.exit_code, found.output


def test_classes_takes_the_options_that_its_errors_advise(tmp_path):
    CASES["three levels"].write(tmp_path)
    said = call("classes", f"folder:{tmp_path}", code=1)
    assert "Give --id-map 127=1 --id-map 255=2 to make classes of them" in said
    assert "3 classes" in call("classes", f"folder:{tmp_path}", "--id-map", "127=1", "--id-map", "255=2")
    CASES["unlabelled"].write(tmp_path / "other")
    assert "Give --ignore-class 255" in call("classes", f"folder:{tmp_path}/other", code=1)
    assert "void (don't care)" in call("classes", f"folder:{tmp_path}/other", "--ignore-class", "255")


@pytest.mark.parametrize("ratio", [0.01, 0.99])
def test_a_ratio_that_leaves_nothing(ratio):
    scenes = SyntheticScenes(3, "train", (32, 32))
    with pytest.raises(DataError) as caught:
        semi_paired_split(scenes, ratio)
    for remedy in caught.value.remedies:
        semi_paired_split(scenes, **remedy.settings)


# The advice itself

def test_a_remedy_without_words_is_left_out():
    error = DataError("a.png: wrong.", Remedy("Do {}.", {"palette": [1]}), Remedy("Or do {}.", {"id_map": {1: 2}}),
                      Remedy("Rest."))
    assert str(error) == "a.png: wrong. Do palette=[1]. Or do id_map={1: 2}. Rest."
    assert error.worded(lambda settings: "--x" if "id_map" in settings else None) == "a.png: wrong. Or do --x. Rest."


def test_an_error_in_another_keeps_its_remedies():
    inner = DataError("wrong.", Remedy("Do {}.", {"id_map": {1: 2}}))
    assert inner.about("a.png").worded(lambda settings: "--x") == "a.png: wrong. Do --x."
    assert DataError("Two:", listed=[inner, inner]).worded(lambda settings: "--x") == "Two:\n  wrong. Do --x.\n  wrong. Do --x."


def test_errors_and_warnings_survive_another_process():
    import pickle

    for kind in (DataError, DataWarning):
        error = kind("a.png: wrong.", Remedy("Do {}.", {"id_map": {1: 2}}), listed=[DataError("b.png: wrong.")])
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind and str(again) == str(error) and again.remedies == error.remedies
        assert isinstance(again, Advised) and str(again.listed[0]) == "b.png: wrong."


def test_every_remedy_of_the_package_is_tried_above(tmp_path, monkeypatch):
    made = set()
    original = Remedy.__init__

    def record(self, *arguments, **options):
        frame = sys._getframe(1)
        made.add((Path(frame.f_code.co_filename), frame.f_lineno))
        original(self, *arguments, **options)

    monkeypatch.setattr(Remedy, "__init__", record)
    for number, (name, case) in enumerate(CASES.items()):
        case.write(tmp_path / str(number))
        advice_of(tmp_path / str(number), None if case.csv else case.named, case.settings)
        assert name
    for ratio in (0.01, 0.99):
        with pytest.raises(DataError):
            semi_paired_split(SyntheticScenes(3, "train", (32, 32)), ratio)
    missing = [f"{path.relative_to(PACKAGE)}:{first}" for path in PACKAGE.rglob("*.py") for first, last in remedies_in(path)
               if not any(file == path and first <= line <= last for file, line in made)]
    assert missing == []


def remedies_in(path):
    """First and last line of each remedy in a file whose values are known."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Remedy" and len(node.args) > 1:
            values = getattr(node.args[1], "values", [])
            if not any(isinstance(value, ast.Constant) and value.value is ... for value in values):
                yield node.lineno, node.end_lineno
