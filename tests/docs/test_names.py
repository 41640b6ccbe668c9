"""What the pages call by name is there: names of Python, and options of the program."""

import re

import pytest

import keras_semisis as ks
from tests.conftest import ROOT
from tests.docs.test_commands import PROGRAM

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/help").glob("*.md"))]
PACKAGES = "callbacks|checkpoints|data|gans|layers|losses|metrics|models|presets|recipes"
PARTS_OF_A_BATCH = {"data.paired", "data.unpaired"}  # as phases have them
OPTIONS = {
    option for command in PROGRAM.commands.values() for each in command.params for option in (*each.opts, *each.secondary_opts)
}


def prose_of(page):
    """Without blocks; of tables of two columns that say "there" and "here", what is here."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    if page.name == "coming_from.md":
        text = re.sub(r"^\|[^|]*\|", "|", text, flags=re.MULTILINE)
    return text


def names_of(text):
    """Dotted names in code that begin with ``ks.`` or with a package of it; those of files are none."""
    found = re.findall(rf"`[^`]*?(?<![\w./])(?:ks\.|(?=(?:{PACKAGES})\.))([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Z]\w+)", text)
    files = (".py", ".json", ".jsonl", ".npz", ".md", ".csv", ".png")
    return {name for name in found if not name.endswith(files)} - PARTS_OF_A_BATCH


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_of_python_are_there(page):
    missing = []
    for name in sorted(names_of(prose_of(page))):
        value = ks
        for part in name.split("."):
            if not hasattr(value, part):
                missing.append(name)
                break
            value = getattr(value, part)
    assert not missing


@pytest.mark.parametrize("page", ["data", "training", "commands", "help/coming_from", "help/faq"])
def test_options_of_the_program_are_there(page):
    named = re.findall(r"`[^`]*?(--[a-z][a-z0-9-]+)", prose_of(ROOT / f"docs/{page}.md"))
    assert named and sorted(set(named) - OPTIONS - {"--help", "--debug"}) == []
