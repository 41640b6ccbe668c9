"""What `paint` may be told."""

from dataclasses import dataclass

from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import option, same_as


@dataclass(kw_only=True)
class PaintOptions:
    """Every option of `paint`."""

    model: str | None = same_as(EvaluateOptions, "model", default=None, more="By default the one that is built in.")
    host: str = option("127.0.0.1", "Address that the page is served at. Any other than this machine's own lets others in.")
    port: int = option(8765, "Its port; 0 is any that is free.", min=0)
    browser: bool = option(True, "Whether the page is opened in a browser.")
    fit: str | None = same_as(EvaluateOptions, "fit")
