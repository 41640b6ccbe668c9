"""`keras-semisis invert`: the noise of a photo."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.invert import InvertOptions


@command("invert", InvertOptions)
def invert(given: Given) -> None:
    """Finds the noise whose image is nearest to a photo, so that generate --noise draws an edited label map by it."""
    from keras_semisis.recipes import inverting
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(InvertOptions)
    found, file = inverting.invert(options, TerminalProgress(console))
    say(
        f"LPIPS of photo and image: {found.before:.3f} before, {found.after:.3f} after {options.steps} steps; "
        f"{found.gained:.0%} of the distance is gone. Draw by this noise with: "
        f"keras-semisis generate {options.model} LABELMAP --noise {file}"
    )
