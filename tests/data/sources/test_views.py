"""Sources made of others: whatever is asked about an item is answered by the source that has it."""

import inspect

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ClassStatistics, Folder, LabelSpace, Source
from keras_semisis.data.sources.joined import Joined
from keras_semisis.data.sources.source import Subset, View
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.data.statistics.counted import Counted
from tests.data.array_source import numbered_source

OF_ITEMS = [
    name
    for name, method in vars(Source).items()
    if not name.startswith("_") and list(getattr(inspect.unwrap(method), "__annotations__", {})) == ["index", "return"]
]

FINGERPRINTS = ("fingerprint", "image_fingerprint", "instance_fingerprint")


class Asked(Source):
    """Answers with the question."""

    label_space = LabelSpace(["a"], [(0, 0, 0)])

    def __len__(self):
        return 5


for _name in OF_ITEMS:
    setattr(Asked, _name, lambda self, index, _name=_name: (_name, int(index)))
Asked.__abstractmethods__ = frozenset()


@pytest.mark.parametrize("name", OF_ITEMS)
def test_a_view_answers_every_question_about_an_item_as_its_source_does(name):
    assert {*FINGERPRINTS, "load", "image_bytes", "class_counts"} <= {*OF_ITEMS}
    assert name in vars(View)
    assert getattr(Subset(Asked(), [4, 2]), name)(1) == (name, 2)


@pytest.mark.parametrize("name", sorted({*OF_ITEMS} - {"name", *FINGERPRINTS}))
def test_joined_sources_answer_as_the_one_that_has_the_item(name):
    assert getattr(Joined(Asked(), Subset(Asked(), [3])), name)(5) == (name, 3)


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        classes = np.eye(2, dtype=np.uint8)
        for kind, array in (("images", np.full((2, 2, 3), ord(name), np.uint8)), ("labels", classes), ("instances", classes)):
            (tmp_path / kind).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / kind / f"{name}.png")
    return Folder(tmp_path)


def test_a_source_joined_with_itself_has_no_two_items_of_one_name_or_fingerprint(folder):
    twice = Joined(folder, folder)
    for question in (twice.name, *(getattr(twice, name) for name in FINGERPRINTS)):
        answers = [question(i) for i in range(4)]
        assert len({*answers}) == 4 and None not in answers
    digest = SourceDigest(twice)
    for i in range(4):
        digest.add(twice.fingerprint(i))
    assert digest.known
    nested = Joined(twice, folder)
    assert len({nested.fingerprint(i) for i in range(6)}) == 6


def test_what_has_no_fingerprint_has_none_when_it_is_joined(folder):
    joined = Joined(folder, numbered_source(2))
    assert joined.fingerprint(0) is not None and joined.fingerprint(2) is None


def test_files_that_are_read_by_another_rule_are_not_given_as_those_of_the_first(folder):
    other = Folder(folder.location(0).split("/images/")[0], id_map={1: 0}, label_space=folder.label_space)
    assert Joined(folder, folder).label_map_bytes(2) == folder.label_map_bytes(0)
    assert Joined(folder, other).label_map_bytes(2) is None and other.label_map_bytes(0) is not None


@pytest.mark.parametrize("name", ["published_image_size", "published_load_size"])
def test_joined_sources_have_the_published_size_that_both_have(name):
    parts = [numbered_source(1) for _ in range(3)]
    for part, size in zip(parts, [(256, 256), (256, 256), (256, 512)], strict=True):
        setattr(part, name, size)
    found = [getattr(Joined(*both), name) for both in (parts[:2], parts[1:], [parts[0], numbered_source(1)])]
    assert found == [(256, 256), None, None]


def test_counts_that_are_known_are_given(folder):
    counts = ClassStatistics(2)
    for row in ([1, 3], [2, 2]):
        counts.append(row)
    counted = Counted(folder, [0, 1], counts)
    assert [counted.class_counts(i).tolist() for i in range(2)] == [[1, 3], [2, 2]]
    assert counted.subset([1]).class_counts(0).tolist() == [2, 2]
    assert counted.fingerprint(1) == folder.fingerprint(1)
