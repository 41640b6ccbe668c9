"""`keras-semisis import`: a published PyTorch checkpoint as a Keras file."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import say
from keras_semisis.options.import_weights import ImportOptions


@command("import", ImportOptions)
def import_(given: Given) -> None:
    """Turns a checkpoint of a published PyTorch program into a Keras file; PyTorch is not needed."""
    from keras_semisis.recipes.importing import import_weights

    options = given.of(ImportOptions)
    model = import_weights(
        options.weights, options.network, options.num_classes, options.image_size, options.option, options.output
    )
    say(f"{options.network}, {model.count_params():,} parameters: {options.output}")
    label_space = getattr(model, "label_space", None)
    if label_space is not None:
        names = label_space.class_names
        say(
            f"Its {len(names)} classes are 0 {names[0]}, 1 {names[1]}, ..., {len(names) - 1} {names[-1]}, and label "
            "files are read with the ids that their data set stores."
        )
