"""The program, of its commands."""

import io
import sys
from typing import Annotated

import typer

from keras_semisis.cli.commands.augment import augment
from keras_semisis.cli.commands.check import check
from keras_semisis.cli.commands.classes import classes
from keras_semisis.cli.commands.demo import demo
from keras_semisis.cli.commands.evaluate import evaluate
from keras_semisis.cli.commands.export import export
from keras_semisis.cli.commands.generate import generate
from keras_semisis.cli.commands.import_ import import_
from keras_semisis.cli.commands.invert import invert
from keras_semisis.cli.commands.pack import pack
from keras_semisis.cli.commands.paint import paint
from keras_semisis.cli.commands.publish import publish
from keras_semisis.cli.commands.rasterize import rasterize
from keras_semisis.cli.commands.runs import runs
from keras_semisis.cli.commands.train import train
from keras_semisis.cli.commands.train_segmenter import train_segmenter

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=("Semantic image synthesis with few labels: label map in, photo out."),
)


@app.callback()
def prepare(ctx: typer.Context, debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False):
    ctx.obj = {"debug": debug}
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what cannot be printed is no reason to fail


COMMANDS = (
    demo,
    train,
    check,
    generate,
    invert,
    augment,
    paint,
    evaluate,
    train_segmenter,
    classes,
    rasterize,
    import_,
    pack,
    publish,
    export,
    runs,
)
for run in COMMANDS:
    app.command(run.command_name)(run)
