"""`keras-semisis pack`: a data set as packed records."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, print_report, say
from keras_semisis.options.pack import PackOptions


@command("pack", PackOptions)
def pack(given: Given) -> None:
    """Packs many small files into few large ones, with their class statistics; goes on where it was interrupted."""
    from keras_semisis.data import BadFiles
    from keras_semisis.recipes import packing
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(PackOptions)
    bad = BadFiles(options.skip_bad)
    for folder, source in packing.pack(options, bad, TerminalProgress(console)):
        further = "".join(
            f", {len(part)} {what}"
            for part, what in ((source.unpaired_images, "unpaired photos"), (source.unpaired_labels, "unpaired label maps"))
            if part is not None
        )
        say(f"{folder}: {len(source)} items{further}")
    print_report(bad)
    say(f"Train with --data records:{options.output}")
