"""`classes.csv` written and read."""

import pytest

from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.sources.classes_file import classes_text, read_classes


@pytest.mark.parametrize("ignore_class", [None, 2])
def test_what_is_written_is_read_as_the_same_classes(ignore_class, tmp_path):
    names = ("sky", 'road, "wet"', "Straße")
    space = LabelSpace(names, ((0, 128, 255), (90, 90, 90), (1, 2, 3)), ignore_class)
    (tmp_path / "classes.csv").write_text(classes_text(space), encoding="utf-8")
    assert read_classes(tmp_path / "classes.csv") == space


def test_plain_names_are_written_plainly():
    space = LabelSpace(("sky", "void"), ((0, 128, 255), (0, 0, 0)), 1)
    assert classes_text(space) == "id,name,r,g,b,ignore\n0,sky,0,128,255,0\n1,void,0,0,0,1\n"


def test_two_columns_of_one_meaning_are_refused(tmp_path):
    (tmp_path / "classes.csv").write_text("label,name\n1,road\n0,sky\n")
    with pytest.raises(DataError, match="the columns label and name are both of name"):
        read_classes(tmp_path / "classes.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("id,color\n0,7\n", r"not understood \(no column name; found: id, color\)"),
        ("id,name,r,g,b\nx,sky,0,0,0\n", r"not understood \(invalid literal for int\(\).*'x'\)"),
    ],
)
def test_what_is_missing_is_said(text, words, tmp_path):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(DataError, match=rf"classes\.csv: {words}"):
        read_classes(tmp_path / "classes.csv")
