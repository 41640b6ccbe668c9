"""`keras-semisis publish`: a trained model as a folder that others load by name."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import say
from keras_semisis.options.publish import PublishOptions


@command("publish", PublishOptions)
def publish(given: Given) -> None:
    """Writes a trained model as a preset, with a card, and says how to upload it."""
    from keras_semisis.recipes import publishing

    options = given.of(PublishOptions)
    lacking = publishing.publish(options)
    say(f"{options.output}: load it by keras_semisis.from_preset({str(options.output)!r}).")
    if lacking:
        say(f"Its card lacks {', '.join(lacking)}.")
    say(f"Read {options.output / 'README.md'}, then: pip install huggingface_hub && hf upload USER/MODEL {options.output}")
