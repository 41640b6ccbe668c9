"""`keras-semisis export`: a trained network as a file for other programs."""

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import say
from keras_semisis.options.export import ExportOptions


@command("export", ExportOptions)
def export(given: Given) -> None:
    """Writes a trained network as ONNX, SavedModel or LiteRT, for programs without Keras."""
    from keras_semisis.recipes import exporting

    path, description = exporting.export(given.of(ExportOptions))
    inputs, outputs = (", ".join(_tensors(description[which])) for which in ("inputs", "outputs"))
    number = description["batch_size"]
    say(f"{path}: {inputs} to {outputs}")
    say(f"It takes {'any number' if number is None else number} at once.")


def _tensors(tensors):
    for name, tensor in tensors.items():
        yield f"{name} {tensor['dtype']} ({', '.join('B' if n is None else str(n) for n in tensor['shape'])})"
