"""A run as a preset that others load by name."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.callbacks.log_file import read_log
from keras_semisis.options.command_line import command_line
from keras_semisis.options.publish import PublishOptions
from keras_semisis.options.train import TrainSettings
from keras_semisis.presets import built_in_presets, save_to_preset
from keras_semisis.presets.location import HUB
from keras_semisis.recipes.adapting import options_of_generator
from keras_semisis.recipes.example_maps import example_label_maps
from keras_semisis.recipes.few_labels_recipe import CHOSEN_FOR_FEW_LABELS
from keras_semisis.recipes.named_sources import kind_of
from keras_semisis.recipes.run_folder import newest_grid, read_settings, settings_beside
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan
from keras_semisis.whole_file import check_folder

# options that name files of the machine
_DATA = ("data", "validation_data", "unpaired_images", "unpaired_labels")
_FILES = ("init", "adapt", "segmenter")


def publish(options: PublishOptions) -> list[str]:
    """Writes the preset.

    Args:
        options: The model, and where it goes.

    Returns:
        What the card lacks, in words: scores, a picture, a license.

    Raises:
        ValueError: If there is no such model, the file of scores is none, or there are fewer examples.
        NotADirectoryError: If ``output`` is a file.
    """
    if not options.model.is_file():
        raise ValueError(f"{options.model}: there is no such file. Give a .keras file of train.")
    if str(options.output) in built_in_presets():
        raise ValueError(f"{options.output}: a preset of this name is built in. Name the folder otherwise.")
    check_folder(options.output)
    gan = load_gan(options.model)
    label_space_of_model(gan, options.model)
    folder, settings = options.model.parent, settings_beside(options.model)
    training = {} if settings is None else _training(read_settings(folder))
    grid = None if settings is None else newest_grid(folder)
    scores = _scores(options.scores) if options.scores else _scores_of_run(folder / "scores.jsonl", gan.step)
    save_to_preset(
        gan,
        options.output,
        segmenter=options.segmenter,
        dtype=options.dtype,
        scores=scores,
        training=training,
        grid=grid,
        license=options.license,
        label_maps=_examples(gan, options),
    )
    lacking = [
        (not scores, "scores (--scores results.json of `keras-semisis evaluate`)"),
        (grid is None, "a picture"),
        (not options.license, "a license (--license)"),
    ]
    return [what for missing, what in lacking if missing]


def _training(settings: TrainSettings) -> dict[str, Any]:
    """The options of a run, and how they are typed, without paths of the machine."""
    named = {name: getattr(settings, name) for name in (*_DATA, *_FILES)}
    hidden: dict[str, Any] = {
        name: (_kind(text) if name in _DATA else text if _is_public(text) else "FILE")
        for name, text in named.items()
        if text is not None
    }
    kept = replace(settings, output="RUN", **hidden)
    known = {name: value for name, value in asdict(kept).items() if value is not None and name != "output"}
    return known | {"data": kind_of(settings.data), "command": f"keras-semisis train {_typed(kept)}"}


def _typed(settings):
    """The options with those that by default would be chosen for the data, the machine or few labels."""
    also = {"image_size"}
    if settings.recipe == "few_labels":
        also |= CHOSEN_FOR_FEW_LABELS
        settings = replace(settings, trunk=settings.trunk or "none")
    elif settings.method == "semi_paired":  # which follows few_labels by default
        settings = replace(settings, recipe="paper")
    if settings.adapt is not None:  # the generator is the model's
        theirs = options_of_generator()
        also.difference_update(theirs)
        settings = replace(settings, **{field.name: field.default for field in fields(settings) if field.name in theirs})
    return command_line(settings, also)


def _is_public(model):
    return model.startswith(HUB) or model in built_in_presets()


def _kind(text):
    kind = kind_of(text)
    return text if kind == "synthetic" else f"{kind}:{'NAME' if kind in ('hf', 'tfds') else 'PATH'}"


def _examples(gan, options):
    if not options.examples:
        return None
    found = example_label_maps(gan, options.model, options.examples, fit_of_model(None, options.model))
    if len(found) < options.examples:
        raise ValueError(f"--examples {options.examples}: the data of the run has {len(found)} label maps at hand.")
    return np.stack(found)


def _scores(path: Path) -> dict[str, float]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        generated, real = document["generated"], document["real"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"--scores {path}: this is no file of `keras-semisis evaluate` ({error}).") from error
    named = {"protocol": document.get("protocol", {}).get("name")}
    return named | _numbers(generated) | {f"{name}_real": value for name, value in _numbers(real).items()}


def _scores_of_run(path, step):
    found = [entry for entry in read_log(path, step) if entry["step"] == step]
    return {name: value for name, value in _numbers(found[-1]).items() if name != "step"} if found else {}


def _numbers(scores):
    return {name: value for name, value in scores.items() if isinstance(value, int | float) and not isinstance(value, bool)}
