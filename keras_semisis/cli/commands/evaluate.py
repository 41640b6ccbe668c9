"""`keras-semisis evaluate`: scores of a model under a named protocol, beside those of real images."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, print_report, say, scores_table
from keras_semisis.options.evaluate import EvaluateOptions


@command("evaluate", EvaluateOptions)
def evaluate(given: Given) -> None:
    """Scores a model on validation photos by a named protocol, beside the scores of real photos."""
    from keras_semisis.data import BadFiles
    from keras_semisis.recipes import evaluating
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(EvaluateOptions)
    bad = BadFiles(options.skip_bad)
    _show(evaluating.evaluate(options, bad, TerminalProgress(console)))
    print_report(bad)
    say(f"Written to {options.output}")


def _show(document):
    protocol = document["protocol"]
    say(f"Protocol {protocol['name']}, version {protocol['version']}, {document['counts']['generated']} images")
    console.print(scores_table({"generated": document["generated"], "real images": document["real"]}))
    for what, reason in document["not_measured"].items():
        say(f"Not measured: {what} ({reason})")
    for note in document["notes"]:
        say(f"Note: {note}")
