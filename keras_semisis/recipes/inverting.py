"""The noise of a photo, in files."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.pictures.decoding import read_image
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.source import check_same_size
from keras_semisis.gans.inversion import Inversion
from keras_semisis.models import lpips_features
from keras_semisis.options.invert import InvertOptions
from keras_semisis.options.text import parse_id_map
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.named_sources import check_classes_beside
from keras_semisis.recipes.not_overwritten import check_not_read
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan
from keras_semisis.whole_file import check_folder, read_npz, whole_file


def invert(options: InvertOptions, progress: Progress = SILENT) -> tuple[Inversion, Path]:
    """Writes the noise whose image is nearest to a photo, and that image.

    Args:
        options: Model, photo, label map, and how it is searched.
        progress: Shows how far it is.

    Returns:
        What was found, and the file of its noise, which `read_noise` reads.

    Raises:
        ValueError: As `Sampler.invert` raises it, or if there is no such model.
        DataError: If a file is missing, cannot be read or holds a stray id, or photo and label map differ in size.
        NotADirectoryError: If ``output`` is a file.
        ModuleNotFoundError: If the package with the weights of LPIPS is not installed (extra ``offline``).
    """
    if not options.photo.is_file():
        raise DataError(f"{options.photo}: there is no such file. Give a photo.")
    if not options.label_map.is_file():
        raise DataError(f"--label-map {options.label_map}: there is no such file. Give the photo's label map, a PNG file.")
    check_folder(options.output)
    use_devices(options.devices)
    gan = load_gan(options.model)
    space = label_space_of_model(gan, options.model)
    check_classes_beside([options.label_map], space, "the model")
    space = space.with_ids(parse_id_map(options.id_map)).with_snap(options.snap)
    photo, label_map = read_image(options.photo), space.read(options.label_map)
    image, file = (options.output / f"{options.photo.stem}.{suffix}" for suffix in ("png", "npz"))
    check_not_read(image, {options.photo.resolve(), options.label_map.resolve()})
    check_same_size(photo, label_map, f"{options.photo} and {options.label_map}")
    if not isinstance(options.image_size, str):
        fit = fit_of_model(options.fit, options.model)
        photo, label_map = (fitted(each, options.image_size or gan.image_size, fit) for each in (photo, label_map))
    multiple = gan.size_multiple() if photo.shape[:2] != gan.image_size else 1
    if any(side % multiple for side in label_map.shape):
        raise ArgumentError(
            f"{{}}: {'×'.join(map(str, label_map.shape))} (height×width) is no multiple of the generator's {multiple}. Name a "
            "size that is one.",
            {"image_size": options.image_size},
        )
    features = lpips_features("vgg16")
    with progress.counting("Search") as show:
        found = gan.invert(
            photo, label_map, options.steps, options.learning_rate, options.seed, features=features, progress=show
        )
    options.output.mkdir(parents=True, exist_ok=True)
    Image.fromarray(found.photo).save(image)
    with whole_file(file) as unfinished:
        np.savez(unfinished, noise=found.noise)
    return found, file


def read_noise(path: Path, noise_channels: int) -> np.ndarray:
    """Noise that `invert` has written.

    Args:
        path: The file.
        noise_channels: Those of the model.

    Returns:
        float32 ``(H, W, noise_channels)`` or ``(noise_channels,)``.

    Raises:
        DataError: If there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise DataError(f"--noise {path}: there is no such file. Give one that `keras-semisis invert` has written.")
    try:
        noise = read_npz(path)["noise"]
    except (ValueError, KeyError):
        raise DataError(
            f"--noise {path}: this is no .npz file with the array noise. Give one that `keras-semisis invert` has written."
        ) from None
    if noise.dtype.kind != "f" or not np.isfinite(noise).all():
        raise DataError(f"--noise {path}: finite floating-point numbers are expected, as `keras-semisis invert` writes them.")
    if noise.ndim not in (1, 3) or noise.shape[-1] != noise_channels:
        raise DataError(
            f"--noise {path}: its shape is {noise.shape}, but this model takes ({noise_channels},) or (height, width, "
            f"{noise_channels}). Give the noise that `invert` has found for this model."
        )
    return noise.astype("float32")
