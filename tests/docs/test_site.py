"""The site: built without a warning, with every public name, and searched without a network connection."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from tests.test_docstrings import MODULES

pytestmark = pytest.mark.docs
pytest.importorskip("sphinx")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """That which .ci/run has built, or one of its own."""
    if "DOCS_SITE" in os.environ:
        return Path(os.environ["DOCS_SITE"])
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", ROOT / "docs", folder]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def documented(site):
    """Every name of Python that has an entry."""
    from sphinx.util.inventory import InventoryFile

    with open(site / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", lambda folder, name: name)
    return {name for kind in inventory if kind.startswith("py:") for name in inventory[kind]}


def value_of(name):
    """What a dotted name is; None where it leads nowhere."""
    first, *others = name.split(".")
    value, path = importlib.import_module(first), first
    for part in others:
        path += f".{part}"
        if not hasattr(value, part) and isinstance(value, ModuleType) and importlib.util.find_spec(path):
            importlib.import_module(path)
        value = getattr(value, part, None)
    return value


def test_every_public_name_is_in_the_reference(documented):
    """Under one of the names that it has: `ks.OASIS` is `ks.gans.OASIS`."""
    entries = [(name.rpartition(".")[2], value_of(name)) for name in documented if "beam" not in name]
    missing = []
    for module in ["keras_semisis", *MODULES]:
        if module == "keras_semisis.data.beam" or module.startswith("keras_semisis.gans.engines."):
            continue
        for name in getattr(importlib.import_module(module), "__all__", ()):
            value = getattr(importlib.import_module(module), name)
            if isinstance(value, ModuleType):
                found = value.__name__ in documented
            else:
                found = any(entry == name and other is value for entry, other in entries)
            if not found:
                missing.append(f"{module}.{name}")
    assert not missing, "docs/api has no entry of these"
    assert {"keras_semisis.data.beam.class_statistics", "keras_semisis.data.beam.write_records"} <= documented


def test_methods_of_the_systems_are_there(documented):
    verbs = ("compile", "fit", "summary", "phases")
    assert {f"keras_semisis.gans.AdversarialModel.{verb}" for verb in verbs} <= documented
    assert {f"keras_semisis.gans.Sampler.{verb}" for verb in ("generate", "evaluate", "export")} <= documented


def test_nothing_of_the_site_is_elsewhere(site):
    """Its style, its search and its equations need no other machine."""
    for page in (site / "index.html", site / "search.html", site / "method.html", site / "api" / "gans.html"):
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img)[^>]* src="([^"]+)"|<link[^>]*rel="stylesheet"[^>]* href="([^"]+)"', html)
        assert loaded and not [each for each in loaded if "".join(each).startswith(("http", "//"))], page
    assert "semi_paired_split" in (site / "searchindex.js").read_text(encoding="utf-8")


def test_links_of_the_repository_lead_somewhere():
    """Relative links of Markdown, as a repository page follows them."""
    broken = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md", *(ROOT / "docs").rglob("*.md")):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if path.startswith(("http:", "https:")):
                continue
            there = page if not path else page.parent / path
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def anchors(page):
    """Of the headings of a page, as repositories name them."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
