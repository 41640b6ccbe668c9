"""A network at other sizes than the one that it was built for."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_semisis.distribution import predict
from keras_semisis.layers import InstanceNorm
from keras_semisis.models.keras_privates import layers_of, run_graph
from keras_semisis.models.oasis import StartMap

# Sizes whose compiled functions are kept
_MOST_SIZES = 8
# From this difference on, a hundredth of a gray level, an image in [-1, 1] is another one
_SAME = 1e-4
# Of the strips on which the reach is measured: their number, and their length in cells and in images
_STRIPS, _CELLS, _IMAGES, _DOUBLINGS = 4, 16, 2, 3


class _Elsewhere(keras.Model):
    """A network that runs at one other size: its layers and their weights are the network's own."""

    def __init__(self, network):
        # the network's layers cast what they take
        super().__init__(name=network.name, autocast=False)
        self.network = network
        self.built = True

    def call(self, inputs):
        return run_graph(self.network, inputs if isinstance(inputs, list | tuple) else [inputs])


class AnySize:
    """A functional network that was built for one image size, at others: the same layers and weights, compiled once a size.

    Args:
        network: Model whose first input, ``(B, H, W)`` or ``(B, H, W, C)``, is as large as its output ``(B, H, W, C')``.

    Example:

    >>> from keras_semisis import models
    >>> network = AnySize(models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=0, num_blocks=3))
    >>> network.multiple
    4
    >>> network.predict([np.zeros((1, 36, 8), "int32")]).shape
    (1, 36, 8, 3)
    """

    def __init__(self, network: keras.Model):
        self.network = network
        self.size = tuple(network.inputs[0].shape[1:3])
        self._elsewhere: dict[Any, keras.Model] = {}
        self._multiple: int | None = None
        self._of_one_size = False
        self._reach: dict[int, int | None] = {}

    @property
    def multiple(self) -> int:
        """What heights and widths have to be multiples of.

        Raises:
            ValueError: If it is a network of one size alone.
        """
        if self._multiple is None and not self._of_one_size:
            self._multiple = self._find_multiple()
            self._of_one_size = self._multiple is None
        if self._multiple is None:
            raise self._refusal()
        return self._multiple

    def _find_multiple(self):
        if None in self.size:
            return 1
        height, width = self.size
        cells = {cell for layer in self.network.layers if isinstance(layer, StartMap) for cell in layer.cell}
        if cells:
            return max(cells)
        common = math.gcd(height, width)
        if not self._keeps((height + common, width + common)):
            return None
        powers = [2**n for n in range(common.bit_length()) if common % 2**n == 0]
        return next((step for step in powers if self._keeps((height + step, width + step))), common)

    def _keeps(self, size):
        """Whether the output is as large as the first input."""
        specs = [keras.KerasTensor((1, *_shape_at(tensor, size)), tensor.dtype) for tensor in self.network.inputs]
        try:
            return tuple(_Elsewhere(self.network).compute_output_spec(specs).shape[1:3]) == tuple(size)
        except Exception:  # of many kinds, by layer and backend
            return False

    def _refusal(self):
        kinds = (keras.layers.Dense, keras.layers.Flatten, keras.layers.Reshape)
        names = ", ".join(layer.name for layer in self.network.layers if isinstance(layer, kinds))
        height, width = self.size
        return ValueError(
            f"The network {self.network.name!r} works at {height}×{width} alone: it has layers of one size"
            f"{f' ({names})' if names else ''}, such as a dense layer that makes its first feature map of a style. Give label "
            "maps and photos of that size."
        )

    def predict(self, inputs: Sequence[np.ndarray], batch_size: int | None = None) -> np.ndarray:
        """What the network gives, at the size of the first input.

        Args:
            inputs: Arrays of as many items, one for each input; height and width are multiples of `multiple`.
            batch_size: Items at once; None is all.

        Raises:
            ValueError: If it is a network of one size alone.
        """
        shapes = tuple(values.shape[1:] for values in inputs)
        if all(_fits(shape, tensor.shape[1:]) for shape, tensor in zip(shapes, self.network.inputs, strict=True)):
            return predict(self.network, inputs, batch_size)
        size = shapes[0][:2]
        if any(side % self.multiple for side in size):
            raise ValueError(f"{size} (height, width): expected multiples of {self.multiple}.")
        if shapes not in self._elsewhere:
            while len(self._elsewhere) >= _MOST_SIZES:
                self._elsewhere.pop(next(iter(self._elsewhere)))
            self._elsewhere[shapes] = _Elsewhere(self.network)
        outputs = predict(self._elsewhere[shapes], inputs, batch_size)
        if outputs.shape[1:3] != size:
            raise self._refusal()
        return outputs

    def at(self, noise_shape: Sequence[int], size: Sequence[int]) -> keras.Model:
        """The network for noise of a shape and label maps of a size, to be called with both.

        Args:
            noise_shape: Without the batch.
            size: ``(height, width)``, multiples of `multiple`.
        """
        shapes = (tuple(size), tuple(noise_shape))
        expected = [tuple(tensor.shape[1:]) for tensor in self.network.inputs]
        same = all(_fits(shape, known) for shape, known in zip(shapes, expected, strict=True))
        return self.network if same else _Elsewhere(self.network)

    def reach(self, num_classes: int) -> int | None:
        """How many pixels from the edge of a tile its image differs from that of the whole label map.

        It is measured, on strips of random label maps that are cut at a multiple of `multiple`, as differences of more than a
        hundredth of a gray level. The weights decide: a training that moves them may move it, within what the kernels allow.

        Args:
            num_classes: Number of label ids.

        Returns:
            A number of pixels; None where every pixel depends on the whole image, as by instance normalization.
        """
        if num_classes not in self._reach:
            self._reach[num_classes] = self._measure_reach(num_classes)
        return self._reach[num_classes]

    def _measure_reach(self, num_classes):
        normalized = (InstanceNorm, keras.layers.GroupNormalization, keras.layers.LayerNormalization)
        if any(isinstance(layer, normalized) for layer in layers_of(self.network)):
            return None
        cell = self.multiple
        longest = max((side for side in self.size if side is not None), default=0)
        length = max(_CELLS * cell, -(-_IMAGES * longest // cell) * cell)
        for _ in range(_DOUBLINGS):
            found = [self._reach_along(axis, length, cell, num_classes) for axis in (0, 1)]
            if max(found) < length - 2 * cell:
                return max(found)
            length *= 2
        return None

    def _reach_along(self, axis, length, cell, num_classes):
        random = np.random.default_rng(0)
        inputs = [random.integers(0, num_classes, (_STRIPS, length, cell)).astype("int32")]
        for tensor in self.network.inputs[1:]:
            shape = (_STRIPS, *_shape_at(tensor, (length, cell)))
            inputs.append(random.standard_normal(shape).astype("float32"))

        def drawn(part):
            cut = [values[:, part] if values.ndim > 2 else values for values in inputs]
            images = self.predict([np.swapaxes(values, 1, 2) if axis and values.ndim > 2 else values for values in cut])
            return images.swapaxes(1, 2) if axis else images

        whole, behind, before = drawn(slice(None)), drawn(slice(cell, None)), drawn(slice(None, -cell))
        of_start, of_end = np.abs(whole[:, cell:] - behind) > _SAME, np.abs(whole[:, :-cell] - before) > _SAME
        return max(_last(of_start.any((0, 2, 3))), _last(of_end.any((0, 2, 3))[::-1]))


def _shape_at(tensor, size):
    """The shape of an input, without the batch, where the first one is of a size: a map is of that, a vector as it is."""
    return (*size, *tensor.shape[3:]) if len(tensor.shape) > 2 else tuple(tensor.shape[1:])


def _last(differs):
    """How many positions there are up to the last that differs."""
    return int(np.flatnonzero(differs)[-1]) + 1 if differs.any() else 0


def _fits(shape, expected):
    return len(shape) == len(expected) and all(e is None or s == e for s, e in zip(shape, expected, strict=True))
