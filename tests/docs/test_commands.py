"""Command lines of the documentation have the options that the program has."""

import re
import shlex

import pytest
import typer

from keras_semisis.cli.app import app
from tests.conftest import ROOT

PROGRAM = typer.main.get_command(app)
UsageError = typer.BadParameter.__mro__[1]  # of click, or of the copy that typer has


def lines_of(page):
    """The lines of a page's blocks, indented ones included, that call the program."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE) + re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\|", line):
            if "keras-semisis " in part and not part.lstrip().startswith(("#", "pip")):
                yield part[part.index("keras-semisis ") :].strip()


def parse(line):
    """Raises a `UsageError` for what there is not."""
    arguments = [each for each in shlex.split(line, comments=True)[1:] if each != "..."]
    with PROGRAM.make_context("keras-semisis", arguments) as context:
        name, command, rest = PROGRAM.resolve_command(context, arguments)
        command.make_context(name, rest, parent=context)


LINES = [
    (page.relative_to(ROOT).as_posix(), line)
    for page in sorted([ROOT / "README.md", ROOT / "benchmarks/README.md", *(ROOT / "docs").rglob("*.md")])
    for line in lines_of(page)
]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_the_program_takes_the_line(page, line):
    try:
        parse(line)
    except UsageError as error:
        pytest.fail(f"{page}: {line}\n{error.format_message()}")


def test_a_wrong_line_would_be_found():
    assert len(LINES) > 25 and {"train", "generate", "paint"} <= {line.split()[1] for _, line in LINES}
    for wrong in (
        "keras-semisis train --data camvid:PATH --rato 0.1",
        "keras-semisis trian",
        "keras-semisis train --steps few",
    ):
        with pytest.raises(UsageError):
            parse(wrong)


def test_every_command_is_in_the_table():
    table = re.findall(r"^\| `keras-semisis ([\w-]+)", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(table) == sorted(PROGRAM.commands)
