"""What a batch of photos and label maps must be, and the one error that says what it is instead."""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.eight_bit import from_8_bit
from keras_semisis.data.labels.label_space import LabelSpace, named_ids

# Of floats in [-1, 1]: what rounding adds
_ROUNDING = 1e-3
# A picture that is resized by a cubic filter goes so far beyond its range
_OVERSHOOT = 0.5
# Where nobody knows the number of classes: ids beyond are negative ones, read as of a type without sign
_MOST_IDS = 2**31


@dataclass(frozen=True)
class BatchRule:
    """What a model takes: photos in [-1, 1] and label maps of its classes, both of its size.

    Args:
        num_classes: Number of label ids, or None where nobody knows it; negative ids are refused then too.
        image_size: (height, width); None for a side that may be any.
        ignore_class: The don't-care id, or None.
        trained_at: Where any size will do, the (height, width) by which one-hot label maps are told from several.
        instances: Whether a batch has instance maps as its third part.
        spare: Whether some of the ids may be spare, so that data may have fewer classes.
    """

    num_classes: int | None
    image_size: tuple[int | None, int | None]
    ignore_class: int | None = None
    trained_at: tuple[int | None, int | None] | None = None
    instances: bool = False
    spare: bool = False

    @property
    def parts(self) -> int:
        """How many parts a batch has."""
        return 2 + self.instances

    def of_any_size(self) -> "BatchRule":
        """The same for photos and label maps of whatever size, one in a batch."""
        return replace(self, image_size=(None, None), trained_at=self.image_size)

    def batch(self, element: Any, where: str, first: bool = True, mapped: bool = False) -> tuple[np.ndarray, ...]:
        """A checked batch: float32 photos ``(B, H, W, 3)`` in [-1, 1], int32 label maps ``(B, H, W)``, and int32 instance maps.

        Args:
            element: ``(images, label_maps)``, or ``(images, label_maps, instances)``, arrays or tensors. uint8 photos are
                converted.
            where: What it is of, for messages.
            first: Whether the range of photos is checked; of later batches, whether they are finite and the ids are.
            mapped: Whether a remedy is a `tf.data.Dataset.map`.

        Raises:
            DataError: If it is something else; the message ends with the line that converts it.
        """
        if not isinstance(element, tuple | list) or len(element) != self.parts:
            raise not_a_batch(element, where, self.instances)
        images, label_maps, *instances = map(host_array, element)
        if first:
            self._check_photo_shape(images, where, mapped)
        label_maps = self.label_maps(label_maps, where, mapped)
        if len(images) != len(label_maps):
            raise DataError(
                f"{where}: {len(images)} photos and {len(label_maps)} label maps in one batch. Give as many of both."
            )
        if images.shape[1:3] != label_maps.shape[1:]:
            raise DataError(
                f"{where}: photos of {images.shape[1:3]} with label maps of {label_maps.shape[1:]} (height, width). Resize the "
                "ones to the others."
            )
        return (
            self._photos(images, where, first, mapped),
            label_maps,
            *(self.instance_maps(x, label_maps, where) for x in instances),
        )

    def instance_maps(self, instances: Any, label_maps: np.ndarray, where: str) -> np.ndarray:
        """Checked instance maps, int32 ``(B, H, W)``, of an array or tensor of any integer type.

        Args:
            instances: The instance maps.
            label_maps: The label maps to which they belong.
            where: What they are, for messages.

        Raises:
            DataError: If they are no integers, or of another shape than the label maps.
        """
        instances = host_array(instances)
        if instances.shape != label_maps.shape or not np.issubdtype(instances.dtype, np.integer):
            raise DataError(
                f"{where}: instance maps are {_shape(instances)}, but integers of the label maps' shape, "
                f"({', '.join(map(str, label_maps.shape))}), are expected. Resize them by nearest neighbor."
            )
        return instances.astype("int32", copy=False)

    def photos(self, images: Any, where: str) -> np.ndarray:
        """Checked photos, float32 in [-1, 1], of an array or tensor ``(B, H, W, 3)`` of uint8, or of floats in [-1, 1].

        Args:
            images: The photos.
            where: What they are, for messages.

        Raises:
            DataError: If they are something else; the message ends with the line that converts them.
        """
        images = host_array(images)
        self._check_photo_shape(images, where, False)
        if not len(images):
            raise DataError(f"{where}: there are no photos.")
        return self._photos(images, where, True, False)

    def label_maps(self, label_maps: Any, where: str, mapped: bool = False) -> np.ndarray:
        """Checked label maps, int32 ``(B, H, W)``, of an array or tensor of any integer type.

        Args:
            label_maps: The label maps.
            where: What they are, for messages.
            mapped: Whether a remedy is a `tf.data.Dataset.map`.

        Raises:
            DataError: If they are something else, or an id is none of the classes; the message ends with the remedy.
        """
        label_maps = host_array(label_maps)
        self._check_label_shape(label_maps, where, mapped)
        if not len(label_maps):
            raise DataError(f"{where}: there are no label maps.")
        if label_maps.dtype != bool and not np.issubdtype(label_maps.dtype, np.integer):
            raise self._no_integers(label_maps, where, mapped)
        self._check_ids(label_maps, where, mapped)
        return label_maps.astype("int32", copy=False)

    def takes(self, classes: int) -> bool:
        """Whether data of so many classes fit."""
        return self.num_classes in (None, classes) or (self.spare and classes < self.num_classes)

    def require_classes(self, label_space: LabelSpace, name: str) -> None:
        """Checks that a label space has as many classes.

        Raises:
            DataError: If it has another number.
        """
        classes = label_space.num_classes
        if not self.takes(classes):
            raise DataError(
                f"{name}: its label maps have {classes} classes, but the model has {self.num_classes}. Make the "
                f"model with num_classes={classes}, or give data of the model's classes."
            )

    # -- photos -----------------------------------------------------------------------------------------------------

    def _check_photo_shape(self, images, where, mapped):
        found = _shape(images)
        if _fits(images.shape, self.image_size, channels=3):
            return
        expected = f"photos are {found}, but {self._size('(B, H, W, 3)')} is expected"
        if images.ndim == 3 and 3 in images.shape:
            remedy = (
                "Batch the data set: dataset.batch(8)."
                if mapped
                else "Give batches; a single photo is one: " + _line(mapped, image=("image[None]", "image[None]"))
            )
        elif images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
            remedy = "Put the channels last: " + _line(
                mapped, image=("np.moveaxis(image, 1, -1)", "tf.transpose(image, (0, 2, 3, 1))")
            )
        elif images.ndim == 4 and images.shape[3] == 4:
            remedy = "Leave the fourth channel (alpha) out: " + _line(mapped, image=("image[..., :3]", "image[..., :3]"))
        elif images.ndim == 4 and images.shape[3] == 1:
            remedy = "Make three channels of the gray one: " + _line(
                mapped, image=("np.repeat(image, 3, axis=-1)", "tf.repeat(image, 3, axis=-1)")
            )
        elif images.ndim == 3:
            remedy = "Make three channels of the gray one: " + _line(
                mapped, image=("np.repeat(image[..., None], 3, axis=-1)", "tf.repeat(image[..., None], 3, axis=-1)")
            )
        elif images.ndim == 4 and images.shape[3] == 3:
            height, width = self.image_size
            remedy = "Resize them: " + _line(
                mapped,
                image=(f"keras.ops.image.resize(image, ({height}, {width}))", f"tf.image.resize(image, ({height}, {width}))"),
            )
        else:
            remedy = "Convert them."
        raise DataError(f"{where}: {expected}. {remedy}")

    def _photos(self, images, where, first, mapped):
        if images.dtype == np.uint8:
            return from_8_bit(images)
        if images.dtype.name == "bfloat16":
            images = images.astype("float32")
        low, high = (float(images.min()), float(images.max())) if images.size else (-1.0, 1.0)
        if not np.issubdtype(images.dtype, np.floating):
            of_bits = _of_bits(high)
            expressions = (
                (of_bits, of_bits.replace("image", 'tf.cast(image, "float32")'))
                if low < 0 or high > 255
                else ('image.astype("uint8")', 'tf.cast(image, "uint8")')
            )
            raise DataError(
                f"{where}: photos are {images.dtype} in {low:g}..{high:g}, but uint8, or floats in [-1, 1], are "
                f"expected. Convert them: {_line(mapped, image=expressions)}"
            )
        if not (np.isfinite(low) and np.isfinite(high)):
            raise DataError(
                f"{where}: photos hold NaN or infinite values, but floats in [-1, 1] are expected. Look for what "
                "divides by zero where they are made."
            )
        if first:
            _check_range(low, high, where, mapped)
        return images.astype("float32", copy=False)

    # -- label maps -------------------------------------------------------------------------------------------------

    def _check_label_shape(self, label_maps, where, mapped):
        shape, classes = label_maps.shape, self.num_classes
        one_hot = self.trained_at is not None and shape == (*self.trained_at, classes)
        if _fits(shape, self.image_size) and not (self.trained_at is not None and (one_hot or shape[-1:] == (1,))):
            return
        if shape[-1:] == (1,) and label_maps.ndim in (3, 4):
            remedy = "Leave the last axis out: " + _line(mapped, label_map=("label_map[..., 0]", "label_map[..., 0]"))
        elif label_maps.ndim == 4 and shape[1] == 1:
            remedy = "Leave the second axis out: " + _line(mapped, label_map=("label_map[:, 0]", "label_map[:, 0]"))
        elif label_maps.ndim == 4 and shape[3] == 3 and classes != 3:
            remedy = (
                "These look like colors: a `keras_semisis.data.Folder` reads colors by the palette of its classes, and "
                "arrays hold class ids."
            )
        elif (
            (label_maps.ndim == 4 and (shape[3] == classes or shape[1] != classes))
            or one_hot
            or (label_maps.ndim == 3 and _fits((1, *shape[:2]), self.image_size) and shape[2] == classes)
        ):
            remedy = "Take the class ids of one-hot label maps: " + _line(
                mapped, label_map=("label_map.argmax(-1)", "tf.argmax(label_map, -1)")
            )
        elif label_maps.ndim == 4:
            remedy = "Take the class ids of one-hot label maps: " + _line(
                mapped, label_map=("label_map.argmax(1)", "tf.argmax(label_map, 1)")
            )
        elif label_maps.ndim == 2:
            remedy = (
                "Batch the data set: dataset.batch(8)."
                if mapped
                else "Give batches; a single label map is one: " + _line(mapped, label_map=("label_map[None]", ""))
            )
        elif label_maps.ndim == 3:
            height, width = self.image_size
            remedy = "Resize them by nearest neighbor: " + _line(
                mapped,
                label_map=(
                    f'keras.ops.image.resize(label_map[..., None], ({height}, {width}), "nearest")[..., 0]',
                    f'tf.image.resize(label_map[..., None], ({height}, {width}), "nearest")[..., 0]',
                ),
            )
        else:
            remedy = "Convert them."
        raise DataError(
            f"{where}: label maps are {_shape(label_maps)}, but {self._size('(B, H, W)')} of class ids is expected. {remedy}"
        )

    def _no_integers(self, label_maps, where, mapped):
        line = _line(mapped, label_map=('label_map.astype("int32")', 'tf.cast(label_map, "int32")'))
        between = np.issubdtype(label_maps.dtype, np.floating) and not np.array_equal(label_maps, np.rint(label_maps))
        if between:
            value = label_maps[label_maps != np.rint(label_maps)][0]
            remedy = (
                f"A value such as {value:g} lies between two ids: they were resized by interpolation, or divided. Read "
                "them again, resize by nearest neighbor, and leave them integers."
            )
        else:
            remedy = f"Convert them: {line}"
        return DataError(f"{where}: label maps are {label_maps.dtype}, but they must have an integer dtype. {remedy}")

    def _check_ids(self, label_maps, where, mapped):
        classes = self.num_classes
        most = _MOST_IDS if classes is None else classes
        if not label_maps.size or (label_maps.min() >= 0 and label_maps.max() < most):
            return
        stray = label_maps[(label_maps < 0) | (label_maps >= most)]
        found = int(stray[0])
        which = f"label_map == {found}" if (stray == found).all() else f"(label_map < 0) | (label_map >= {most})"

        def put(target):
            return _line(
                mapped, label_map=(f"np.where({which}, {target}, label_map)", f"tf.where({which}, {target}, label_map)")
            )

        if stray.min() > 0 and stray.max() == classes and not (label_maps == 0).any():
            remedy = "If the ids begin with 1, let them begin with 0: " + _line(
                mapped, label_map=("label_map - 1", "label_map - 1")
            )
        elif self.ignore_class is not None:
            remedy = f"Where these are unlabeled pixels, give them the don't-care class: {put(self.ignore_class)}"
        else:
            one_more, number = ("C + 1", "C") if classes is None else (classes + 1, classes)
            remedy = (
                f"Where these are unlabeled pixels, make a don't-care class for them (num_classes={one_more}, "
                f"ignore_class={number} of the model{', which has C others' if classes is None else ''}) and give them its id: "
                f"{put(number)}"
            )
        known = "class ids" if classes is None else f"the {classes} classes"
        raise DataError(f"{where}: label id {named_ids(stray)} found, but {known} are 0..{most - 1}. {remedy}")

    def _size(self, axes):
        """``"(B, H, W, 3)"`` with the sides that are fixed."""
        height, width = self.image_size
        return axes.replace("H", str(height or "H")).replace("W", str(width or "W"))


def host_array(array: Any) -> np.ndarray:
    """An array or tensor of any backend as NumPy."""
    if isinstance(array, np.ndarray):
        return array
    if keras.ops.is_tensor(array):
        return np.asarray(keras.ops.convert_to_numpy(array))
    if hasattr(array, "detach"):  # of PyTorch, where that is not the backend
        array = array.detach().cpu()
    return np.asarray(array)


def not_a_batch(element: Any, where: str, instances: bool) -> DataError:
    """The error of a batch that is no ``(images, label_maps)``, or, where these are wanted, has no ``instances``."""
    if isinstance(element, dict):
        found = f"a dictionary of {', '.join(map(repr, element))}"
    elif isinstance(element, tuple | list):
        found = f"{len(element)} parts"
    else:
        found = f"a {type(element).__name__} alone"
    if instances:
        return DataError(
            f"{where}: a batch is {found}, but (images, label_maps, instances) is expected, since the model reads edges "
            "between instances. Give these three and no others."
        )
    return DataError(f"{where}: a batch is {found}, but (images, label_maps) is expected. Give these two and no others.")


def _fits(shape, size, channels=None):
    expected = (None, *size) if channels is None else (None, *size, channels)
    return len(shape) == len(expected) and all(e is None or s == e for s, e in zip(shape, expected, strict=True))


def _shape(array):
    return f"({', '.join(map(str, array.shape))}) {array.dtype}"


def _line(mapped, image=("image", "image"), label_map=("label_map", "label_map")):
    """A line that converts a batch; of each expression the first is of NumPy, the second of TensorFlow."""
    if mapped:
        return f"dataset.map(lambda image, label_map: ({image[1]}, {label_map[1]}))"
    return ", ".join(f"{name} = {given[0]}" for name, given in (("image", image), ("label_map", label_map)) if given[0] != name)


def _check_range(low, high, where, mapped):
    """Refuses floats that are not from -1 to 1; what they are instead is guessed from their range."""
    within = -_ROUNDING <= low and high <= 1 + _ROUNDING
    if low >= -1 - _ROUNDING and high <= 1 + _ROUNDING and not within:
        return
    guess = ""
    if low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT:
        guess, expressions = ", as if from 0 to 1", ("image * 2 - 1",) * 2
        if not within:
            expressions = "np.clip(image, 0, 1) * 2 - 1", "tf.clip_by_value(image, 0, 1) * 2 - 1"
    elif low >= -1 - _OVERSHOOT and high <= 1 + _OVERSHOOT:
        guess, expressions = ", as a cubic filter leaves them", ("np.clip(image, -1, 1)", "tf.clip_by_value(image, -1, 1)")
    elif low >= -high / 4 and high <= 255 * (1 + _OVERSHOOT):
        guess, expressions = ", as if from 0 to 255", ("image / 127.5 - 1",) * 2
        if low < 0 or high > 255:
            expressions = "np.clip(image, 0, 255) / 127.5 - 1", "tf.clip_by_value(image, 0, 255) / 127.5 - 1"
    elif low >= 0:
        expressions = (_of_bits(high),) * 2
    else:
        guess = ", as if standardized by a mean and a deviation"
        expressions = ("(image * deviation + mean) * 2 - 1",) * 2
    raise DataError(
        f"{where}: photos are floats in {low:.4g}..{high:.4g}{guess}, but [-1, 1] is expected. Convert them: "
        f"{_line(mapped, image=expressions)}"
    )


def _of_bits(high):
    """Integers of so many bits as ``high`` needs, to [-1, 1]."""
    largest = next((2**bits - 1 for bits in (10, 12, 14, 16) if high < 2**bits), high)
    return f"image / {largest / 2:.10g} - 1"
