"""Writing a trained model as a preset, and reading it."""

import datetime
import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, cast

import h5py
import keras
import numpy as np

from keras_semisis.data.labels.label_map_png import label_map_png
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.gans.sampler import Sampler
from keras_semisis.presets.card import check_license, model_card
from keras_semisis.presets.location import CARD, CONFIG, EXAMPLE, GRID, METADATA, WEIGHTS, example_files, locate
from keras_semisis.presets.preset_model import PresetModel
from keras_semisis.processes import alone, is_first_process
from keras_semisis.whole_file import whole_file

DTYPES = ("float32", "float16")
# values of an array from which on packing saves more than its index takes
_WORTH_PACKING = 4096


def save_to_preset(
    model: Sampler,
    folder: str | Path,
    segmenter: bool = True,
    dtype: str = "float32",
    scores: Mapping[str, float] | None = None,
    training: Mapping[str, Any] | None = None,
    grid: str | Path | None = None,
    license: str | None = None,
    label_maps: np.ndarray | None = None,
) -> None:
    """Writes a trained model so that `from_preset` reads it: its moving-average generator, and what its classes mean.

    The folder holds ``config.json`` (networks, classes, palette, rule of stored ids), ``model.weights.h5``, ``metadata.json``
    (versions, sizes, scores, how it was trained), the card ``README.md``, which the Hugging Face Hub shows, a picture, and
    label maps to begin with. A card that somebody has written or changed stays.

    Args:
        model: A trained system, or any other `Sampler`.
        folder: The folder; a preset in it is replaced.
        segmenter: Whether the network that segments goes along, where there is one.
        dtype: ``"float32"``, or ``"float16"`` for half the size: 10 bits of mantissa, about 1/255 in the photos.
        scores: Scores by name, as `evaluate` or a protocol's document gives them.
        training: How the model was trained: the settings of a run.
        grid: A PNG that shows what it draws, such as `callbacks.sample_grid` writes.
        license: An identifier of the Hub, such as ``"apache-2.0"``; None leaves it open.
        label_maps: (N, height, width) class ids: examples that lie beside it as PNG files, to begin with. The model must
            know its label space.

    Raises:
        ValueError: For another dtype, one in which a weight would be infinite, a license that is no identifier, or examples of
            a model without a label space.
        TypeError: For scores or settings that JSON has no form for. What was in the folder stays then.
        FileNotFoundError: If there is no such picture.
        FileExistsError: If there are files of these names in the folder, and no preset.

    Example:

    >>> import tempfile
    >>> from keras_semisis import gans, models
    >>> sampler = gans.Sampler(models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_to_preset(sampler, folder)
    ...     from_preset(folder).image_size
    (32, 32)
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype={dtype!r}: expected one of {', '.join(DTYPES)}.")
    check_license(license)
    if label_maps is not None and model.label_space is None:
        raise ValueError("label_maps: a model without a label space cannot tell what they show. Build it with label_space=.")
    picture = None if grid is None else Path(grid).read_bytes()
    model.refresh_statistics()
    if not is_first_process():
        return
    with alone():  # Keras makes variables to compare with
        preset, folder = PresetModel.of(model, segmenter), Path(folder)
        before = _metadata_before(folder)
        own_card = _is_of_others(folder / CARD, before)
        metadata = _metadata(preset, model.step, dtype, dict(scores or {}), dict(training or {}))
        card = model_card(preset, metadata, license, picture is not None)
        files = {
            EXAMPLE.format(number): label_map_png(np.asarray(label_map), cast(LabelSpace, preset.label_space))
            for number, label_map in enumerate(label_maps if label_maps is not None else ())
        }
        files[CONFIG] = _json(keras.saving.serialize_keras_object(preset))
        files[METADATA] = _json(metadata | {"card_sha256": _sha256(card)})
        if picture is not None:
            files[GRID] = picture
        if not own_card:
            files[CARD] = card.encode()
        folder.mkdir(parents=True, exist_ok=True)
        # all are there before one takes the place of what was
        with ExitStack() as stack:
            for name, content in files.items():
                stack.enter_context(whole_file(folder / name)).write_bytes(content)
            _save_weights(preset, stack.enter_context(whole_file(folder / WEIGHTS)), dtype)
        for file in (*example_files(folder), folder / GRID):  # of the preset before
            if file.name not in files:
                file.unlink(missing_ok=True)
    if own_card:
        warnings.warn(f"{folder / CARD}: this card was not written here, or changed since, and stays as it is.", stacklevel=2)


def _metadata_before(folder):
    """What the preset that is there says of itself, None where there is none; other files of such names stay."""
    with suppress(OSError, ValueError):
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        if "keras_semisis_version" in metadata:
            return metadata
    written = (folder / name for name in (CONFIG, METADATA, GRID))
    others = [path.name for path in (*written, *example_files(folder)) if path.exists()]
    if others and not (folder / WEIGHTS).exists():  # which one that was interrupted has
        raise FileExistsError(f"{folder} holds {others[0]} and no preset. Name another folder.")
    return None


def _is_of_others(card, metadata):
    """Whether somebody has written or changed a card; older presets do not say what they wrote."""
    if not card.exists() or (metadata is not None and "card_sha256" not in metadata):
        return False
    return metadata is None or metadata["card_sha256"] != _sha256(card.read_text(encoding="utf-8"))


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def from_preset(name: str | Path, revision: str | None = None) -> PresetModel:
    """A trained model that draws photos of label maps.

    Args:
        name: One of `built_in_presets`, a folder that `save_to_preset` wrote, or ``"hf://user/model"`` on the Hugging Face Hub
            (extra ``hub``).
        revision: Branch, tag or commit on the Hub.

    Returns:
        The model. Nothing in the folder is run: what Keras cannot build of registered classes alone is refused.

    Raises:
        ValueError: If there is no such preset, or it cannot be built.
        ModuleNotFoundError: If the package huggingface_hub is needed and not installed.
    """
    folder = locate(name, revision)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        if not isinstance(model, PresetModel):
            raise TypeError(f"its config is of a {type(model).__name__}")
        model.load_weights(folder / WEIGHTS)
    except Exception as error:  # of many kinds, by what is in the files
        raise ValueError(f"{name}: this preset cannot be built: {' '.join(str(error).split())[:500]}") from error
    return model


def _save_weights(preset, path, dtype):
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / WEIGHTS
        preset.save_weights(exact)
        with h5py.File(exact) as source, h5py.File(path, "w", libver="latest") as target:
            source.visititems(lambda name, item: _copy(name, item, target, dtype))


def _copy(name, item, target, dtype):
    if isinstance(item, h5py.Group):
        copy = target.require_group(name)
    else:
        values = item[()]
        values = _of_dtype(values, dtype, name) if values.dtype == np.float32 else values
        copy = target.create_dataset(name, data=values, compression="gzip" if values.size > _WORTH_PACKING else None)
    copy.attrs.update(item.attrs)


def _of_dtype(values, dtype, name):
    with np.errstate(over="ignore"):
        converted = values.astype(dtype)
    if not np.array_equal(np.isfinite(values), np.isfinite(converted)):
        raise ValueError(
            f"dtype={dtype!r}: {name} holds {np.abs(values).max():.3g}, which is more than such a number can be. Take "
            "dtype='float32'."
        )
    return converted


def _metadata(preset, step, dtype, scores, training):
    import keras_semisis

    return {
        "keras_version": keras.__version__,
        "keras_semisis_version": keras_semisis.__version__,
        "date_saved": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "image_size": list(preset.image_size),
        "parameters": {
            name: network.count_params() for name in preset.network_names if (network := getattr(preset, name)) is not None
        },
        "weights_dtype": dtype,
        "step": step,
        "scores": scores,
        "training": training,
    }


def _json(document):
    return json.dumps(document, indent=1, default=_plain).encode()


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"scores and training are written as JSON, which has no {type(value).__name__}: {value!r}.")
