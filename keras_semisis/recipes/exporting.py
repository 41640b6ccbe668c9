"""A trained model as a file for other programs."""

from pathlib import Path
from typing import Any

from keras_semisis.data.argument_error import require_choice
from keras_semisis.exports.writing import FORMATS, format_of
from keras_semisis.options.export import ExportOptions
from keras_semisis.recipes.trained_models import label_space_of_model, load_gan


def export(options: ExportOptions) -> tuple[Path, dict[str, Any]]:
    """Writes the file.

    Args:
        options: The model, the format, and where it goes.

    Returns:
        The file or folder, and what it says of itself.

    Raises:
        ValueError: If there is no such model, or it cannot be written so.
        ModuleNotFoundError: If a package is missing.
    """
    format = options.format or ("onnx" if options.output is None else format_of(options.output))
    require_choice("format", format, FORMATS)
    gan = load_gan(options.model)
    label_space_of_model(gan, options.model)
    path = options.output or Path(_name(options.model, options.part) + FORMATS[format].ending)
    return path, gan.export(path, format, options.part, options.batch_size)


def _name(model, part):
    path = Path(model)
    name = path.stem if path.is_file() else path.name
    return name if part == "generator" else f"{name}-{part}"
