"""The lists of tests that take long."""

import pytest

from tests.conftest import LONG, LONG_ON_JAX, ROOT


@pytest.mark.parametrize("file", [LONG, LONG_ON_JAX])
def test_every_line_of_a_list_is_a_test(file):
    lines = file.read_text().splitlines()
    assert lines == sorted(set(lines))
    for line in lines:
        file, *classes, function = line.partition("[")[0].split("::")
        source = (ROOT / file).read_text()
        assert f"def {function}(" in source and all(f"class {name}" in source for name in classes), line
