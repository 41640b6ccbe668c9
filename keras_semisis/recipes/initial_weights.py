"""`train --init FILE`: networks that begin with the weights of a model that is there."""

from pathlib import Path

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.trained_models import label_space_of_model, load_gan


def start_from(gan: SemanticGAN, path: Path) -> None:
    """Gives the networks of a model, and its moving averages, the weights of those of the same names in a file.

    What the file does not have, such as the discriminators of an imported generator, begins anew, and a line names it. So do
    the optimizers.

    Args:
        gan: The model, before its first step.
        path: A file of `train`, `demo` or `import`.

    Raises:
        DataError: If its classes are others, or in another order.
        ValueError: If there is no such file, it holds no model, or a network has other layers or widths.
    """
    other = load_gan(path, "--init")
    label_space_of_model(other, path)
    other.require_same_classes(**{"--data": gan})
    # a preset may lack one that it has a name for
    shared = [name for name in gan.network_names if name in other.network_names and getattr(other, name) is not None]
    for name in shared:
        ours, theirs = ([tuple(weight.shape) for weight in getattr(model, name).weights] for model in (gan, other))
        if ours != theirs:
            raise ArgumentError(
                f"{{}}: its {name} has {len(theirs)} weights, that of this training {len(ours)}, "
                f"{_first_difference(ours, theirs)}. Give the options of networks that the file was trained with: "
                "--recipe, --generator, --image-size, --base-channels and the like, which are in the settings.json of its "
                "run.",
                {"init": str(path)},
            )
    for name in shared:
        getattr(gan, name).set_weights(getattr(other, name).get_weights())
    for name, average in gan.moving_averages().items():
        if name in shared:
            average.set_weights((getattr(other, f"ema_{name}", None) or getattr(other, name)).get_weights())
    gan.inherit_trunks(other)
    new = [name.replace("_", " ") for name in gan.network_names if name not in shared]
    tell(
        f"Begins with {', '.join(name.replace('_', ' ') for name in shared)} of {path}"
        f"{'; new: ' + ', '.join(new) if new else ''}.",
    )


def _first_difference(ours, theirs):
    for i, (mine, found) in enumerate(zip(ours, theirs, strict=False)):
        if mine != found:
            return f"and number {i} is of the shape {found} in place of {mine}"
    return "the first of which are alike"
