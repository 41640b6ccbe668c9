"""Label maps to begin with."""

from pathlib import Path
from typing import cast

import numpy as np

from keras_semisis.data import BadFiles, LabelSpace, Source, SyntheticScenes
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.synthetic.scenes import NAMES, SMALLEST_SIDE
from keras_semisis.gans import Sampler
from keras_semisis.presets.location import examples_of
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.run_folder import read_settings, settings_beside
from keras_semisis.recipes.sources import open_settings


def example_label_maps(gan: Sampler, model: str | Path, number: int, fit: str) -> list[np.ndarray]:
    """Label maps of a model's size: those of a preset, or else of the validation data that it was trained beside.

    Args:
        gan: The model, which knows its label space.
        model: The word for it: a file, or a preset.
        number: How many, as far as there are.
        fit: What is done with label maps of other proportions.
    """
    if files := examples_of(model):
        space = cast(LabelSpace, gan.label_space)
        return [fitted(space.read(file), gan.image_size, fit) for file in files[:number]]
    source = _source(gan, model, number)
    if source is None:
        return []
    chosen = np.unique(np.linspace(0, len(source) - 1, number).astype(int))
    return [fitted(source.load_label_map(int(i)), gan.image_size, fit) for i in chosen]


def _source(gan, model, number) -> Source | None:
    if gan.label_space.class_names == NAMES and min(gan.image_size) >= SMALLEST_SIDE:
        return SyntheticScenes(num_scenes=number, split="val", image_size=gan.image_size)
    settings = settings_beside(model)
    if settings is None:
        return None
    run = read_settings(settings.parent)
    try:
        found = open_settings(run, BadFiles(run.skip_bad), gan.image_size, gan.label_space).val
        gan.require_same_classes(data=found)
        return found
    except (ValueError, OSError) as error:
        tell(f"There are no examples to begin with, since the data of the run cannot be read: {error}")
        return None
