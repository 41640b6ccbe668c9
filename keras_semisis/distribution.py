"""Several devices, by Keras's own means: a batch is split between them, and the model is the same whatever their number."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_semisis.data.argument_error import ArgumentError


def distribute(devices: int | str | Sequence[str] | None = None) -> keras.distribution.DataParallel | None:
    """Splits the batches of every model that is built from here on between devices, which hold its weights each.

    Losses, noise, batch statistics and R1 are those of the whole batch, as on one device: the number of devices changes a
    training's rounding alone. So do those of a validation and of `generate`. A file that was saved on any number of devices
    loads on any other.

    It is on JAX alone (``KERAS_BACKEND=jax``); the `.keras` files of the other backends go on there.

    Args:
        devices: Their number, their names as `keras.distribution.list_devices` gives them (of one, the name alone), or
            None for all accelerators, or CPUs where there are none.

    Returns:
        What Keras distributes by; None for one device.

    Raises:
        ValueError: If there are fewer devices, or the backend has no way to several.

    Example:

    >>> distribute(1)
    """
    if devices == 1:
        keras.distribution.set_distribution(None)
        return None
    if keras.backend.backend() != "jax":
        if devices is None:
            return distribute(1)
        raise ArgumentError(
            "{}: several devices need JAX (KERAS_BACKEND=jax), whose training goes on from the .keras file of any backend; "
            f"on {keras.backend.backend()} there is one.",
            {"devices": devices},
        )
    there = keras.distribution.list_devices()
    if isinstance(devices, int):
        if not 1 <= devices <= len(there):
            raise ArgumentError(f"{{}}: there are {len(there)}: {', '.join(there)}.", {"devices": devices})
        names = there[:devices]
    else:
        names = [devices] if isinstance(devices, str) else list(there if devices is None else devices)
    missing = [name for name in names if name not in there]
    if missing or not names:
        raise ArgumentError(
            f"{{}}: there is no {', '.join(missing) or 'device in it'}; there are {', '.join(there)}.", {"devices": names}
        )
    if len(names) == 1:
        return distribute(1)
    distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    keras.distribution.set_distribution(distribution)
    return distribution


def number_of_devices() -> int:
    """How many devices share a batch."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def check_batch_size(name: str, batch_size: int) -> None:
    """Refuses batches that the devices cannot share.

    Raises:
        ValueError: Naming the nearest batch sizes that they can.
    """
    devices = number_of_devices()
    if batch_size % devices:
        below = batch_size // devices * devices
        nearest = " or ".join(str(size) for size in (below, below + devices) if size)
        raise ArgumentError(
            f"{name}: {{}} cannot be split between {devices} devices. Give {nearest}.", {"batch_size": batch_size}
        )


def predict(network: keras.Model, inputs: Sequence[np.ndarray], batch_size: int | None = None) -> Any:
    """What a network gives for any number of items. Of several devices each takes as many; the last item fills them up.

    Args:
        network: The network.
        inputs: Arrays of as many items, one for each input.
        batch_size: Items at once, rounded up to a multiple of the number of devices; None is all.

    Returns:
        NumPy arrays as the network's outputs, of as many items.
    """
    devices, count = number_of_devices(), len(inputs[0])
    if more := -count % devices:
        inputs = [np.concatenate([values, np.repeat(values[-1:], more, axis=0)]) for values in inputs]
    arrays = list(inputs) if len(inputs) > 1 else inputs[0]
    if batch_size is None:
        outputs = network.predict_on_batch(arrays)
    else:
        outputs = network.predict(arrays, batch_size=-(-batch_size // devices) * devices, verbose=0)
    return keras.tree.map_structure(lambda output: keras.ops.convert_to_numpy(output)[:count], outputs)
