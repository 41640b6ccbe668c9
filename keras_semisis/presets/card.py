"""The model card of a preset, which the Hugging Face Hub shows."""

import html
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.presets.location import GRID

REAL = "_real"
# of a run's settings, what a reader of a card asks for, and what it is called there
_TRAINING = {
    "method": "method",
    "data": "data",
    "ratio": "share of the pairs that it learned from",
    "batch_size": "batch size",
    "seed": "seed",
}


def model_card(preset: Any, metadata: Mapping[str, Any], license: str | None, has_grid: bool) -> str:
    """The text of ``README.md``.

    Args:
        preset: The `PresetModel`.
        metadata: As `save_to_preset` writes it.
        license: An identifier of the Hub, or None.
        has_grid: Whether ``grid.png`` lies beside it.
    """
    height, width = preset.image_size
    parts = [
        _front_matter(license),
        "# Label map in, photo out",
        f"A generator of semantic image synthesis: it draws {height}×{width} photos of label maps"
        + (", and a network that segments photos comes with it." if preset.segmenter is not None else "."),
    ]
    if has_grid:
        parts.append(f"![Label maps, and what the model draws of them]({GRID})")
    parts += [_use(preset), _classes(preset), _scores(metadata["scores"]), _training(metadata), _limits(preset)]
    return "\n\n".join(part for part in parts if part) + "\n"


def check_license(license: str | None) -> None:
    """Raises an `ArgumentError` for what is no identifier, since the first lines of a card are YAML."""
    if license and not re.fullmatch(r"\w[\w.+-]*", license):
        raise ArgumentError("{}: expected an identifier of the Hub, such as apache-2.0.", {"license": license})


def _plain(text):
    """A text in one line, of which nothing is Markdown of tables and links, or HTML."""
    return re.sub(r"([\\|\[])", r"\\\1", html.escape(" ".join(str(text).split()), quote=False))


def _front_matter(license):
    lines = ["---", "library_name: keras-semisis", "pipeline_tag: image-to-image"]
    lines += ["tags:", "- semantic-image-synthesis", "- keras"]
    return "\n".join([*lines, *([f"license: {license}"] if license else []), "---"])


def _use(preset):
    instances = ", instances=label_map" if preset.instance_edges else ""  # or a map in which every thing has a number
    return f"""## Use

```python
import keras_semisis as ks

model = ks.from_preset("hf://USER/MODEL")  # or this folder
label_map = model.label_space.read("street.png")  # {preset.image_size[0]}×{preset.image_size[1]}, the ids below
photo = model.generate(label_map, seed=0{instances})  # uint8 (height, width, 3)
```"""


def _classes(preset):
    space = preset.label_space
    if space is None:
        return f"## Classes\n\n{preset.num_classes} classes, 0 to {preset.num_classes - 1}; their names are not known."
    rows = [
        f"| {i} | {_plain(name)}{' (don’t care)' if i == space.ignore_class else ''} | {', '.join(map(str, color))} |"
        for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True))
    ]
    rule = ""
    if space.id_map:
        listed = ", ".join(f"{stored} → {known}" for stored, known in sorted(space.id_map.items()))
        rule = f"\n\nFiles may store other ids, which `read` takes for these classes: {listed}."
    return "\n".join(["## Classes", "", "| id | class | color (R, G, B) |", "|---|---|---|", *rows]) + rule


def _scores(scores):
    if not scores:
        return "## Scores\n\nNone were measured."
    rows = [
        f"| {_plain(name)} | {value:.4g} | {format(scores[name + REAL], '.4g') if name + REAL in scores else ''} |"
        for name, value in scores.items()
        if isinstance(value, int | float) and not name.endswith(REAL)
    ]
    protocol = f"Protocol {_plain(scores['protocol'])} of `keras-semisis evaluate`.\n\n" if scores.get("protocol") else ""
    return "\n".join(["## Scores", "", f"{protocol}| score | generated photos | real photos |", "|---|---|---|", *rows])


def _training(metadata):
    training = metadata["training"]
    lines = [f"- {label}: {_plain(training[name])}" for name, label in _TRAINING.items() if training.get(name) is not None]
    step, steps = metadata["step"], training.get("steps")
    if step:
        lines.append(f"- steps: {step:,}" + (f" of {steps:,}" if steps not in (None, step) else ""))
    lines += [f"- parameters of the {name}: {count:,}" for name, count in metadata["parameters"].items()]
    lines.append(
        f"- saved {metadata['date_saved']} by keras_semisis {metadata['keras_semisis_version']} with Keras "
        f"{metadata['keras_version']}, weights as {metadata['weights_dtype']}"
    )
    command = training.get("command")
    again = ["", "It is trained again by", "", textwrap.indent(command, "    ")] if command else []
    return "\n".join(["## Training", "", *lines, *again])


def _limits(preset):
    height, width = preset.image_size
    return f"""## What it can and cannot draw

Scenes such as its training photos show, of the classes above, at {height}×{width}. A class that was rare there is drawn badly;
a label map of another kind of scene gives a picture that means nothing. The photos are invented: they show no place and
no person, and prove nothing."""
