"""The golden files of this folder: tensors of the published networks, of which all that can be drawn again is drawn."""

import functools
import json
import math
from pathlib import Path

import numpy as np

from tests.golden.torch_draws import TorchDraws, bfloat16

FOLDER = Path(__file__).parent
# of what a recorded file says about itself
KEPT = (
    "name",
    "reference",
    "reference_class",
    "options",
    "torch",
    "params_without_effect_on_output",
    "names_and_shapes",
    "sum_and_first_element",
)
# how many values of an output a file has
VALUES = 512


def positions(size: int) -> np.ndarray:
    """Which of a tensor's values are kept: all, or some that lie all over it, its borders included."""
    return np.arange(size) if size <= VALUES else np.sort(np.random.RandomState(0).permutation(size)[:VALUES])


def draw_weight(draws, shape, mean, scale, grid):
    value = bfloat16(mean + scale * bfloat16(draws.normal(tuple(shape))))
    return np.round(value * grid) / np.float32(grid) if grid else value


def draw_input(draws, kind, shape):
    if kind == "labels":
        if len(shape) != 4:
            return None
        classes = draws.integers(shape[1], (shape[0], *shape[2:]))
        return np.moveaxis(np.eye(shape[1], dtype="float32")[classes], -1, 1)
    if kind == "edges":
        return draws.integers(2, shape).astype("float32")
    return bfloat16(2 * draws.uniform(shape) - 1 if kind == "image" else draws.normal(tuple(shape)))


@functools.lru_cache(4)
def published(name: str) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays that the published program was recorded with, and what the recording says about itself.

    Of an output of more than 512 values that many are there, and NaN elsewhere.
    """
    with np.load(FOLDER / f"{name}.npz") as file:
        how = json.loads(file["how"].tobytes())
        flat = {kind: file[kind] for kind in file.files if kind != "how"}
    arrays = {}
    for seed, rule, draw in (
        (1, how["weights"], draw_weight),
        (100, how["inputs"], lambda draws, shape, kind: draw_input(draws, kind, shape)),
    ):
        draws = TorchDraws(seed)
        for key, shape, *rest in rule:
            arrays[key] = draw(draws, shape, *rest)
    for key, index, value in how["corrections"]:
        arrays[key].flat[index] = value
    begin = dict.fromkeys(flat, 0)
    for key, shape, kind, count in how["kept"]:
        chosen = flat[kind][begin[kind] : begin[kind] + count]
        begin[kind] += count
        if kind == "bfloat16":
            chosen = (chosen.astype("uint32") << 16).view("float32")
        size = math.prod(shape)
        if count < size:
            whole = np.full(size, np.nan, chosen.dtype)
            whole[positions(size)] = chosen
            chosen = whole
        arrays[key] = chosen.reshape(shape)
    arrays = {key: arrays[key] for key in how["order"]}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays, how["meta"]
