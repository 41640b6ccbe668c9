"""The lists of tests that take long."""

from pathlib import Path

import pytest

from tests.conftest import LONG, LONG_ON_JAX


@pytest.mark.parametrize("file", [LONG, LONG_ON_JAX])
def test_every_line_of_a_list_is_a_test(file):
    lines = file.read_text().splitlines()
    assert lines == sorted(set(lines))
    root = Path(__file__).parents[1]
    for line in lines:
        file, *classes, function = line.partition("[")[0].split("::")
        source = (root / file).read_text()
        assert f"def {function}(" in source and all(f"class {name}" in source for name in classes), line
