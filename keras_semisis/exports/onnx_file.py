"""ONNX files, from whatever backend computes."""

import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_semisis.exports.needed import need
from keras_semisis.exports.networks import signature
from keras_semisis.whole_file import whole_file

# what Keras's export converts with
CONVERTERS = {"tensorflow": ("tf2onnx",), "jax": ("jax2onnx",), "torch": ("onnxscript",)}


def write_onnx(network: keras.Model, path: Path, description: Mapping[str, Any]) -> None:
    """Writes a network as an ONNX file.

    Args:
        network: Functional model from and to tensors by name.
        path: The file.
        description: What goes into the file's metadata, each value that is no text as JSON.

    Raises:
        ModuleNotFoundError: If a package is missing.
        ValueError: If the network has what the converter does not know.
    """
    need("onnx", *CONVERTERS[keras.backend.backend()])
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "network.onnx"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the converters, about themselves
                network.export(str(converted), format="onnx", verbose=False, input_signature=signature(network))
            model = onnx.load(converted)
            _pool_along_three_axes(model.graph)
            _name(model.graph, network)
            onnx.checker.check_model(model)
        except Exception as error:  # of many kinds, by converter
            backend = keras.backend.backend()
            others = " or ".join(name for name in CONVERTERS if name != backend)
            raise ValueError(
                f"{path}: this network cannot be written as ONNX on the backend {backend}; KERAS_BACKEND={others} may be able "
                f"to. {' '.join(str(error).split())[:300]}"
            ) from error
    for name, value in description.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value if isinstance(value, str) else json.dumps(value)
    with whole_file(path) as unfinished:
        onnx.save(model, unfinished)


def _pool_along_three_axes(graph):
    """jax2onnx pools ``(1, 1, B, H, W, C)`` along four axes; other programs know three, as those of ``(1, B, H, W, C)``."""
    for index in range(1, len(graph.node)):
        unsqueeze, pool = graph.node[index - 1], graph.node[index]
        axes = next((len(attribute.ints) for attribute in pool.attribute if attribute.name == "kernel_shape"), 0)
        if pool.op_type != "MaxPool" or axes != 4:
            continue
        for attribute in pool.attribute:  # pads: all beginnings, then all ends
            attribute.ints[:] = [value for i, value in enumerate(attribute.ints) if i % 4]
        # in the other order: the second new axis comes behind the pooling
        (pooled,) = pool.output
        pool.input[0], pool.output[0] = unsqueeze.input[0], f"{pooled}_along_three_axes"
        unsqueeze.input[0], unsqueeze.output[0] = pool.output[0], pooled
        first = type(pool)()
        first.CopyFrom(pool)
        pool.CopyFrom(unsqueeze)
        unsqueeze.CopyFrom(first)


def _name(graph, network):
    """Converters name inputs, outputs and the open batch size each in their way."""
    names = {}
    for values, tensors in ((graph.input, network.input), (graph.output, network.output)):
        # both in the order of the names
        for value, (name, tensor) in zip(values, sorted(tensors.items()), strict=True):
            names[value.name] = name
            value.name = name
            for dimension, length in zip(value.type.tensor_type.shape.dim, tensor.shape, strict=True):
                if length is None:
                    dimension.dim_param = "batch"
                else:
                    dimension.dim_value = length
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(name, name) for name in tensors]
