"""The page of options is what the program declares."""

import importlib.util
import re

from tests.conftest import ROOT
from tests.docs.test_names import OPTIONS

SPEC = importlib.util.spec_from_file_location("write_options", ROOT / "docs" / "write_options.py")
WRITE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(WRITE)


def test_the_page_is_that_of_the_declarations():
    assert WRITE.PAGE.read_text(encoding="utf-8") == WRITE.page(), "Write it again: python docs/write_options.py"


def test_every_option_is_on_the_page():
    rows = re.findall(r"^\| (`--[^|]*) \|", WRITE.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = {option for row in rows for option in re.findall(r"--[a-z0-9-]+", row)}
    assert (
        named == {each for each in OPTIONS if each.startswith("--")} - {"--help"}
        and {"--r1-every", "--no-browser", "--cache", "--sort"} <= named
    )
