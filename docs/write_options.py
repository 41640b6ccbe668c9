"""Writes the page of all options from what the program declares: `python docs/write_options.py`."""

import inspect
import re
from pathlib import Path

import typer

from keras_semisis.cli.app import app
from keras_semisis.options.option import options_of
from keras_semisis.options.train import TrainSettings

PAGE = Path(__file__).parent / "options.md"
HEAD = """# Options

Every option of every command, as `--help` has it; [Command line](commands.md) says what the commands are for. Where no default
stands, the option is off, or the command, the method or the recipe chooses. "By default" means the method's own; the recipe
`few_labels`, the usual one of `train`, has others: `--generator oasis`, `--discriminator pretrained`,
`--unconditional projected`, `--perceptual vgg16_imagenet`, `--augmentation`, `--ema-decay 0.999`, rates, widths and
`--noise-channels` of its own, and `--precision mixed_bfloat16` where that is not slower.
`docs/write_options.py` writes this page.
"""


def page() -> str:
    """The text of the page."""
    commands = typer.main.get_command(app).commands
    return "\n".join([HEAD, *(part for name, command in commands.items() for part in _command(name, command))])


def _command(name, command):
    yield f"## {name}\n\n{_prose(_first_paragraph(command.help))}\n"
    panels = dict.fromkeys(getattr(each, "rich_help_panel", None) for each in command.params)
    for panel in panels:
        if panel is not None:
            yield f"### {panel}\n"
        yield "| option | default | what it is |\n|---|---|---|"
        for each in command.params:
            if getattr(each, "rich_help_panel", None) == panel:
                yield _row(each, name)
        yield ""


def _row(parameter, command):
    if parameter.param_type_name == "argument":
        shown = f"`{parameter.name.upper()}`"
    else:
        shown = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    help = parameter.help or ""
    declared = options_of(TrainSettings).get(parameter.name) if command == "train" else None
    if declared is not None and declared.methods is not None:
        help += f" Methods: {', '.join(declared.methods)}."
    default = "required" if parameter.required else _default(parameter.default)
    return f"| {shown} | {default} | {_prose(help).strip()} |"


def _default(value):
    if value is None or value is False or value in ((), []):
        return ""
    if value is True:
        return "on"
    values = value if isinstance(value, list | tuple) else [value]
    return f"`{' '.join(str(each) for each in values)}`"


def _first_paragraph(text):
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def _prose(text):
    """With options and values in the form of code, which Markdown leaves as it is."""
    text = text.replace("|", "\\|")
    return re.sub(r"(?<![\w`-])--[a-z][a-z0-9-]*", lambda found: f"`{found[0]}`", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
