"""Which image sizes a network takes."""

import keras

from keras_semisis.data.argument_error import ArgumentError


def check_channels_last() -> None:
    """Raises ValueError where Keras is set to put channels first, which no network here can do."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            'keras.config.image_data_format() is "channels_first", but images here are (batch, height, width, '
            'channels): call keras.config.set_image_data_format("channels_last") before networks are built.'
        )


def check_image_size(network: str, image_size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Returns ``image_size`` as a (height, width) tuple if both sides are positive multiples of ``multiple``.

    Raises:
        ValueError: Otherwise, naming the nearest sizes that are.
    """
    check_channels_last()
    height, width = image_size
    if height > 0 and width > 0 and height % multiple == 0 and width % multiple == 0:
        return int(height), int(width)
    nearest = [sorted({max(multiple, n // multiple * multiple), -(-n // multiple) * multiple}) for n in (height, width)]
    options = ", ".join(f"({h}, {w})" for h in nearest[0] for w in nearest[1])
    raise ArgumentError(
        f"{network}: {{}} (height, width) must be multiples of {multiple}. The nearest that are: {options}.",
        {"image_size": tuple(image_size)},
    )
