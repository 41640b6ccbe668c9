"""`keras-semisis train-segmenter`: a segmentation network, which judges generated photos or has learned from them."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, print_report, say
from keras_semisis.options.segmenter import SegmenterOptions


@command("train-segmenter", SegmenterOptions)
def train_segmenter(given: Given) -> None:
    """Trains a segmentation network: on real photos, to judge generated ones; or on both, to segment better."""
    from keras_semisis.data import BadFiles
    from keras_semisis.recipes.known_data import default_sizes
    from keras_semisis.recipes.segmenter import train_segmenter_file
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    size = given.values["image_size"] or default_sizes(given.values["data"])[0]
    options = given.of(SegmenterOptions, image_size=size)
    bad = BadFiles(options.skip_bad)
    _, scores, photos = train_segmenter_file(options, bad, TerminalProgress(console))
    print_report(bad)
    say(f"mIoU {scores['miou']:.4f} on {photos} validation photos. Written to {options.output}")
