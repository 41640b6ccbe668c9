"""Writing a part of a model in one of the formats."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.exports.description import description_of
from keras_semisis.exports.networks import drawing_network, segmenting_network
from keras_semisis.exports.onnx_file import write_onnx
from keras_semisis.exports.tensorflow_files import write_litert, write_saved_model
from keras_semisis.gans.sampler import Sampler
from keras_semisis.processes import alone, is_first_process

PARTS = ("generator", "segmenter")
"""What can be exported of a model."""


@dataclass(frozen=True)
class Format:
    """A format of files.

    Args:
        ending: Of a file's name; empty for a folder.
        write: What writes it.
        batch_size: How many items a file takes at once where nobody says it; None is any number.
    """

    ending: str
    write: Callable
    batch_size: int | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "onnx": Format(".onnx", write_onnx),
        "tf_saved_model": Format("", write_saved_model),
        # whose interpreter refuses the generators' files for any number
        "litert": Format(".tflite", write_litert, batch_size=1),
    }
)
"""By the names that Keras gives the formats."""
_OF_ENDINGS = {each.ending: name for name, each in FORMATS.items()}


def export(
    model: Sampler, path: str | Path, format: str | None = None, part: str = "generator", batch_size: int | None = None
) -> dict[str, Any]:
    """Writes a network of a model for other programs. `Sampler.export` says how.

    Args:
        model: The model.
        path, format, part, batch_size: As in `Sampler.export`.

    Returns:
        What the file says of itself, as `description.description_of` does.

    Raises:
        ArgumentError: As `Sampler.export` raises it.
        ModuleNotFoundError: As `Sampler.export` raises it.
    """
    path = Path(path)
    format = format_of(path) if format is None else format
    require_choice("format", format, FORMATS)
    if part not in PARTS:
        raise ArgumentError(f"{{}}: expected one of {', '.join(PARTS)}.", {"part": part})
    if batch_size is not None and batch_size < 1:
        raise ArgumentError("{}: expected a positive number, or none for any.", {"batch_size": batch_size})
    ending = FORMATS[format].ending
    batch_size = FORMATS[format].batch_size if batch_size is None else batch_size
    if path.suffix != ending and (ending or path.suffix in _OF_ENDINGS):
        expected = f"a name that ends in {ending}" if ending else "the name of a folder"
        raise ValueError(f"{path}: a file of the format {format} is to be written there; give {expected}.")
    segmenter = model.segmenting_network
    if part == "segmenter" and segmenter is None:
        raise ArgumentError("{}: this model has no network that segments photos.", {"part": part})
    model.refresh_statistics()
    network = (
        drawing_network(model.ema_generator, batch_size)
        if part == "generator"
        else segmenting_network(segmenter, model.ignore_class, batch_size)
    )
    description = description_of(model, part, network, batch_size)
    if is_first_process():
        with alone():
            FORMATS[format].write(network, path, description)
    return description


def format_of(path: Path) -> str:
    """The format of files that end so; that of a name without an ending is SavedModel.

    Raises:
        ValueError: If no format's names end so.
    """
    if path.suffix not in _OF_ENDINGS:
        endings = " or ".join(ending for ending in _OF_ENDINGS if ending)
        raise ValueError(
            f"{path}: {path.suffix} is the ending of no format. Give a name that ends in {endings}, or one without an ending, "
            "of the folder of a SavedModel."
        )
    return _OF_ENDINGS[path.suffix]
