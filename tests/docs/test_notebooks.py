"""The notebooks are those of their pages."""

import importlib.util
import json

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.docs
pytest.importorskip("jupytext")
FOLDER = ROOT / "docs" / "notebooks"
SPEC = importlib.util.spec_from_file_location("convert", FOLDER / "convert.py")
CONVERT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CONVERT)


@pytest.mark.parametrize("page", CONVERT.pages(), ids=lambda page: page.stem)
def test_a_notebook_is_that_of_its_page(page):
    written = page.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert written == CONVERT.notebook_of(page), "Write them again: python docs/notebooks/convert.py"
    first, *others = json.loads(written)["cells"]
    assert "".join(first["source"]).startswith("%pip install")
    code = ["".join(cell["source"]) for cell in others if cell["cell_type"] == "code"]
    assert len(code) == page.read_text(encoding="utf-8").count("```python") and all(code)
