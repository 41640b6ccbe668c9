"""The list of tests that take long."""

from pathlib import Path

from tests.conftest import LONG


def test_every_line_of_the_list_is_a_test():
    lines = LONG.read_text().splitlines()
    assert lines == sorted(set(lines))
    root = Path(__file__).parents[1]
    for line in lines:
        file, *classes, function = line.partition("[")[0].split("::")
        source = (root / file).read_text()
        assert f"def {function}(" in source and all(f"class {name}" in source for name in classes), line
