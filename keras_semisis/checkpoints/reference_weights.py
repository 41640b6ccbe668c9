"""Weights of the published PyTorch programs, into these networks and back."""

import importlib
import os
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.entries import Constant, Entry, Unused, Weight
from keras_semisis.checkpoints.files import read_weights, write_weights

FAMILIES = ("oasis", "usis", "spade", "cc_fpse", "pytorch_fid", "torchvision", "drn", "csail", "deeplab_pytorch")
# Where a training checkpoint has the weights, and what torch.nn.DataParallel puts in front of every name
_CONTAINER, _PREFIX = "state_dict.", "module."
# Buffers of batch normalizations that no network reads; which of them a file has depends on the programs' versions
_BOOKKEEPING = ("num_batches_tracked", "_tmp_running_mean", "_tmp_running_var", "_running_iter")

Weights = Mapping[str, np.ndarray] | str | os.PathLike


def load_reference_weights(model: keras.Model, weights: Weights | Sequence[Weights], family: str) -> keras.Model:
    """Fills a network with the weights of the published PyTorch program.

    The network has to be built with the sizes of the weights. Which network of the family it is shows in the model. A
    ``module.`` prefix is stripped; of a training checkpoint that has a ``state_dict``, that alone is taken. Entries that the
    published program stores and never uses are skipped; constant filters are checked where the file holds them. Nothing is
    changed unless everything fits.

    Args:
        model: From a builder of `keras_semisis.models`.
        weights: The state dict: arrays by name, or a ``.pth``, ``.safetensors`` or ``.npz`` file of them. A list of these where
            the published network is in several files (``"csail"``: encoder and decoder).
        family: Which program it is: ``"oasis"``, ``"usis"``, ``"spade"``, ``"cc_fpse"``, ``"pytorch_fid"``,
            ``"torchvision"``, ``"drn"``, ``"csail"`` or ``"deeplab_pytorch"``.

    Returns:
        The model.

    Raises:
        CheckpointError: If entries are missing, unexpected or of another shape: one error that lists them all; or if the
            file cannot be read.
        ValueError: If the family is unknown or has no such network.
        OSError: If the file cannot be opened.

    Example:

    >>> from keras_semisis import models
    >>> generator = models.oasis_generator(num_classes=4, image_size=(32, 32), base_channels=1, noise_channels=4)
    >>> weights = save_reference_weights(generator, family="oasis")
    >>> load_reference_weights(generator, weights, family="oasis") is generator
    True
    """
    parts = weights if isinstance(weights, (list, tuple)) else [weights]
    source = " and ".join("the mapping" if isinstance(part, Mapping) else str(part) for part in parts)
    entries = list(reference_entries(model, family))
    given = _read(parts, getattr(_module(family), "full_name", str), source)
    _check(entries, given, f"{source} does not fit {model.name!r} as a network of {family!r}")
    for entry in entries:
        if isinstance(entry, Weight):
            entry.load(given.pop(entry.name))  # of a large file, what is in place is not held twice
    return model


def save_reference_weights(model: keras.Model, path: str | os.PathLike | None = None, *, family: str) -> dict[str, np.ndarray]:
    """The state dict that the published PyTorch program loads: the way back from `load_reference_weights`.

    Every entry that has an effect comes back bit for bit; one that the program never uses is written at an initial value.

    Args:
        model: From a builder of `keras_semisis.models`.
        path: Where to write it: ``.npz`` or ``.safetensors`` (which PyTorch reads by ``safetensors.torch.load_file``); None
            for nowhere.
        family: As in `load_reference_weights`.

    Returns:
        Array of every entry, by its published name.

    Raises:
        ValueError: If the family is unknown or has no such network, or the file's kind is unknown.
    """
    state = {entry.name: entry.value() for entry in reference_entries(model, family)}
    if path is not None:
        write_weights(path, state)
    return state


def reference_entries(model: keras.Model, family: str) -> list[Entry]:
    """The entries of a network's published state dict."""
    if family not in FAMILIES:
        raise ValueError(f"family={family!r}: expected one of {', '.join(map(repr, FAMILIES))}.")
    networks = _module(family).networks()
    names = {layer.name for layer in model.layers}
    for marker, entries in networks.items():
        if marker in names:
            return list(entries(model))
    raise ValueError(
        f"The model {model.name!r} is no network of the family {family!r}: it has none of the layers {', '.join(networks)}."
    )


def _module(family):
    return importlib.import_module(f"keras_semisis.checkpoints.families.{family}")


def _read(parts, full_name, source):
    """The arrays of all parts under the names of the family's entries."""
    given: dict[str, np.ndarray] = {}
    for part in parts:
        arrays = part if isinstance(part, Mapping) else read_weights(part)
        held = {name.removeprefix(_CONTAINER): array for name, array in arrays.items() if name.startswith(_CONTAINER)}
        arrays = {full_name(name.removeprefix(_PREFIX)): array for name, array in (held or arrays).items()}
        twice = sorted(given.keys() & arrays.keys())
        if twice:
            raise CheckpointError(f"{source}: {len(twice)} entries come twice, {twice[0]} for instance. Give every file once.")
        given |= arrays
    return given


def _check(entries, given, what):
    known = {entry.name: entry for entry in entries}
    required = [entry for entry in entries if isinstance(entry, Weight)]
    problems = [f"missing: {entry.name} {entry.shape}" for entry in required if entry.name not in given]
    for name, array in given.items():
        entry = known.get(name)
        if isinstance(entry, Unused) or name.endswith(_BOOKKEEPING):
            continue
        if entry is None:
            problems.append(f"unexpected: {name} {np.shape(array)}")
        elif np.shape(array) != entry.shape:
            problems.append(f"shape: {name} is {np.shape(array)}, the model's is {entry.shape}")
        elif isinstance(entry, Constant) and entry.differs(array):
            difference = np.abs(array - entry.value()).max()
            problems.append(f"constant: {name} differs by {difference:.2g} from what the published network has")
    if problems:
        raise CheckpointError(
            f"{what}: {len(problems)} entries differ. Build the model with the sizes "
            "of the weights.\n  " + "\n  ".join(problems)
        )
