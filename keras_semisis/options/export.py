"""What `export` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import option, same_as


@dataclass(kw_only=True)
class ExportOptions:
    """Every option of `export`."""

    model: str = same_as(EvaluateOptions, "model")
    output: Path | None = option(
        None,
        "The file (.onnx, .tflite) that is written, or, without an ending, the folder of a SavedModel; by default it has the "
        "model's name, and lies here.",
    )
    format: str | None = option(
        None,
        "onnx (every backend), tf_saved_model (TensorFlow and JAX) or litert (TensorFlow); by default that of --output's "
        "ending, and onnx without --output.",
    )
    part: str = option(
        "generator", "generator: label maps in, photos out; segmenter: the network that segments, photos in, label maps out."
    )
    batch_size: int | None = option(
        None, "How many items the file takes at once; by default any number, one with litert.", min=1
    )
