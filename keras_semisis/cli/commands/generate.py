"""`keras-semisis generate`: photos for label maps in files."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.generate import GenerateOptions


@command("generate", GenerateOptions)
def generate(given: Given) -> None:
    """Makes photos from label maps."""
    from keras_semisis.recipes import generating
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(GenerateOptions)
    written = generating.generate(options, TerminalProgress(console))
    count = len(written)
    say(f"{count} {'photo' if count == 1 else 'photos'} in {options.output}")
