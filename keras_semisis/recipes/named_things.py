"""What the user names is there: looked at before all else, a missing package included."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_semisis.data.sources.file_source import require_folder
from keras_semisis.options.option import option_name, options_of
from keras_semisis.presets.location import is_preset
from keras_semisis.recipes.named_sources import BENCHMARKS
from keras_semisis.recipes.scoring import read_segmenter
from keras_semisis.recipes.trained_models import load_gan


def require_named(declaring: type, values: Mapping[str, Any]) -> None:
    """Raises the error of a command whose options name a model, data or a segmenter that are not there.

    Args:
        declaring: The dataclass of the options, which say what they name.
        values: Their values.

    Raises:
        ValueError, DataError: As what opens them raises it.
    """
    for name, declared in options_of(declaring).items():
        if declared.names is not None and values[name] is not None:
            _REQUIRE[declared.names](values[name], name)


def _model(model, name):
    if not is_preset(model) and not Path(model).is_file():
        load_gan(model, "MODEL" if name == "model" else option_name(name))


def _segmenter(segmenter, name):
    if not segmenter.startswith("segformer:") and not Path(segmenter).is_file():
        read_segmenter(Path(segmenter))


def _data(data, name):
    kind, _, path = data.partition(":")
    if kind in (*BENCHMARKS, "folder", "records") and path:
        parts = path.rpartition(":")  # PATH:SPLIT of a benchmark
        require_folder(Path(parts[0] if kind in BENCHMARKS and parts[0] and not Path(path).is_dir() else path))


_REQUIRE: Mapping[str, Callable[[Any, str], None]] = MappingProxyType({"model": _model, "segmenter": _segmenter, "data": _data})
