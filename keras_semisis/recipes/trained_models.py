"""Trained models by their files, and what these say of label maps."""

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

from keras_semisis.callbacks.model_file import load_model
from keras_semisis.data import (
    LabelSpace,
)
from keras_semisis.data.labels.label_space import unnamed_label_space
from keras_semisis.gans import Sampler
from keras_semisis.models.label_ids import number_of_ids
from keras_semisis.options.read import check_fit
from keras_semisis.options.text import parse_id_map
from keras_semisis.presets import from_preset
from keras_semisis.presets.location import METADATA, built_in_names, is_preset, locate
from keras_semisis.recipes.named_sources import known_source
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.run_folder import options_beside, read_document, settings_beside


def load_gan(model: str | Path, name: str = "MODEL") -> Sampler:
    """A trained model, to generate from: one that `train` has saved, a generator as `import` saves it, or a preset.

    Args:
        model: Its file, or what `from_preset` takes.
        name: The argument that names it, for messages.

    Raises:
        ValueError: If there is no such file or preset, or it holds something else.
        ModuleNotFoundError: As `from_preset` raises it.
    """
    if is_preset(model):
        return from_preset(model)
    path = Path(model)
    if not path.is_file():
        raise ValueError(
            f"{path}: there is no such model. Give a .keras file that training has left, such as last.keras or best.keras in "
            f"a run folder, or a preset: a folder, hf://user/model, or one that is built in ({built_in_names()})."
        )
    loaded = load_model(path, name, compile=False)
    if isinstance(loaded, Sampler):
        return loaded
    if number_of_ids(loaded) is None or getattr(loaded, "output_names", None) != ["image"]:
        raise ValueError(
            f"{path}: this is a {type(loaded).__name__} named {loaded.name!r}, but a model that `keras-semisis "
            "train` has saved, or a generator, is expected."
        )
    return Sampler(loaded, label_space=getattr(loaded, "label_space", None))


def label_space_of_model(gan: Sampler, model: str | Path) -> LabelSpace:
    """What the classes of a model mean, which then knows it too.

    One that an earlier version has saved does not say it: its run folder does. If there is none, or the model is a published
    generator of unknown data, stored ids are taken for classes, without names and with drawn colors, and a line says so.

    Args:
        gan: The model, with ``num_classes`` and ``ignore_class``.
        model: Its file, or the preset that it is.
    """
    if gan.label_space is None and (settings := settings_beside(model)) is not None:
        of_run = _label_space_of_run(settings, gan.num_classes)
        gan.label_space = of_run and replace(of_run, ignore_class=gan.ignore_class)
    if gan.label_space is None:
        number = cast(int, gan.num_classes)
        gan.label_space = unnamed_label_space(number, gan.ignore_class)
        tell(
            f"Note: {model} does not say what its {number} classes mean. The ids in label maps are taken for the "
            "classes themselves; --id-map STORED=CLASS names those that differ.",
        )
    return gan.label_space


def fit_of_model(fit: str | None, model: str | Path) -> str:
    """How label maps and photos come to a model's size: as an option says, else as in its training, else "stretch".

    Args:
        fit: The option, or None.
        model: The model's file, or the preset that it is.

    Raises:
        ValueError: If there is no such way.
    """
    check_fit(fit)
    if fit is None:
        where, of_training = _training_of(model)
        fit = of_training.get("fit")
        if fit == "crop":
            tell(f"{where} says --fit crop, so the longer sides are cropped here too; --fit stretch changes that.")
    return fit or "stretch"


def _training_of(model):
    """Where the options of a model's training are written, and what they are, as far as that is known."""
    if is_preset(model):
        path = locate(model) / METADATA
        return path, json.loads(path.read_text(encoding="utf-8")).get("training") or {}
    return settings_beside(model), options_beside(model)


def _label_space_of_run(path, num_classes):
    """The label space that a run folder's settings hold, if it is one of so many classes."""
    document = cast(dict, read_document(path))
    stored = LabelSpace.from_config(document["label_space"])
    if stored.num_classes != num_classes:
        return None
    if "id_map" in document["label_space"]:
        return stored
    # an earlier version wrote it: the rule is that of the data
    known = known_source(document["options"]["data"])
    if known is not None and known.label_space is not None and known.label_space.class_names == stored.class_names:
        return known.label_space
    return stored.with_ids(parse_id_map(tuple(document["options"]["id_map"])))
