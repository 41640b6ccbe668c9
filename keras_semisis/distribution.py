"""Several devices, on one host or on several, by Keras's own means: the model is the same whatever their number."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.joining import join
from keras_semisis.processes import engine_of_backend


def distribute(
    devices: int | str | Sequence[str] | None = None,
    *,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
) -> keras.distribution.DataParallel | None:
    """Splits the batches of every model that is built from here on between devices, which hold its weights each.

    Losses, noise, batch statistics and R1 are those of the whole batch, as on one device: the number of devices changes a
    training's rounding alone. So do those of a validation and of `generate`. A file that was saved on any number of devices
    loads on any other.

    Several processes, on one host or on as many hosts, share a batch where they name a coordinator, the first of them: each
    loads its rows of every batch alone, and all hold the same weights. All run the same program and call `fit`, `generate`
    and `evaluate` alike, and seed alike; the callbacks of this package write files in the first process alone. What is not said
    here is taken from ``KERAS_DISTRIBUTION_JOB_ADDRESSES``, ``KERAS_DISTRIBUTION_NUM_PROCESSES`` and
    ``KERAS_DISTRIBUTION_PROCESS_ID``. See docs/scale.md.

    It is on JAX alone (``KERAS_BACKEND=jax``); the `.keras` files of the other backends go on there.

    Args:
        devices: Their number, their names as `keras.distribution.list_devices` gives them (of one, the name alone), or
            None for all accelerators, or CPUs where there are none. A number is that of each process.
        coordinator: ``HOST:PORT`` of the first process, by which the others find it; None is that of the environment, and
            one process where there is none.
        processes: How many there are; None is that of the environment, of SLURM's too.
        process: Which of them this is, from 0; None is that of the environment, of SLURM's and Kubernetes's too.

    Returns:
        What Keras distributes by; None for one device.

    Raises:
        ValueError: If there are fewer devices, the backend has no way to several, or what names the processes cannot be.
        ConnectionError: If the others do not answer.

    Example:

    >>> distribute(1)
    """
    joined = join(coordinator, processes, process)
    if devices == 1 and not joined:
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
    there = engine_of_backend().devices_of_processes()
    own = there[0]
    if isinstance(devices, int):
        if not 1 <= devices <= len(own):
            raise ArgumentError(f"{{}}: there are {len(own)}: {', '.join(own)}.", {"devices": devices})
        names = [name for of_process in there for name in of_process[:devices]]
    else:
        every = [name for of_process in there for name in of_process]
        names = [devices] if isinstance(devices, str) else list(every if devices is None else devices)
        missing = [name for name in names if name not in every]
        if missing or not names:
            raise ArgumentError(
                f"{{}}: there is no {', '.join(missing) or 'device in it'}; there are {', '.join(every)}.", {"devices": names}
            )
        names = [name for name in every if name in names]
        shares = {len(set(of_process) & set(names)) for of_process in there}
        if len(shares) > 1:
            raise ArgumentError("{}: of every process there have to be as many.", {"devices": names})
    if len(names) == 1:
        keras.distribution.set_distribution(None)
        return None
    distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    keras.distribution.set_distribution(distribution)
    return distribution


def number_of_devices() -> int:
    """How many devices share a batch. To be asked before threads load: Keras's distribution is that of a thread."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def check_batch_size(name: str, batch_size: int, devices: int | None = None) -> None:
    """Refuses batches that the devices cannot share.

    Args:
        name: What the batches are of, for the message.
        batch_size: Their size.
        devices: `number_of_devices`, asked before threads load batches; None asks.

    Raises:
        ValueError: Naming the nearest batch sizes that they can.
    """
    devices = number_of_devices() if devices is None else devices
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
        inputs: Arrays of as many items, one for each input; the same in all processes.
        batch_size: Items at once, rounded up to a multiple of the number of devices; None is all.

    Returns:
        NumPy arrays as the network's outputs, of as many items.
    """
    devices, count = number_of_devices(), len(inputs[0])
    if more := -count % devices:
        inputs = [np.concatenate([values, np.repeat(values[-1:], more, axis=0)]) for values in inputs]
    size = len(inputs[0]) if batch_size is None else -(-batch_size // devices) * devices
    outputs = engine_of_backend().predict(network, inputs, size)
    return keras.tree.map_structure(lambda output: keras.ops.convert_to_numpy(output)[:count], outputs)
